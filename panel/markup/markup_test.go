package markup

import (
	"testing"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"
)

func TestSpacesStandBetweenWhatIsThereAndNowhereElse(t *testing.T) {
	var none g.Group
	for want, got := range map[string]g.Node{
		"":                    Spaced(nil, none, nil),
		"<b>a</b>":            Spaced(none, h.B(g.Text("a")), g.If(false, h.Br())),
		"<b>a</b> b <i>c</i>": Spaced(h.B(g.Text("a")), none, g.Text("b"), nil, h.I(g.Text("c"))),
	} {
		if text := (g.Group{got}).String(); text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

func TestClassesAreThoseThatHold(t *testing.T) {
	for want, names := range map[string][]string{
		`<b class="tile well"></b>`: {"tile", "", "well", When(false, "known")}, `<b class="spare"></b>`: {"", When(true, "spare")}, `<b class=""></b>`: {""},
	} {
		if text := (g.Group{h.B(Classes(names...))}).String(); text != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
}
