package staff

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lectern/scenes/ledger"
	"lectern/scenes/meeting"
)

// sources are the code of the package, its pages among it, without its words and tests.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	code, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range code {
		if name == "words.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

func TestEveryWordIsThereInBothLanguagesAndIsSaid(t *testing.T) {
	text := sources(t)
	var made []string // groups whose last part comes from elsewhere
	for _, m := range regexp.MustCompile(`"([a-z]+\.(?:do\.)?)"(?: \.| ?\+)`).FindAllStringSubmatch(text, -1) {
		made = append(made, m[1])
	}
	chinese := regexp.MustCompile(`\p{Han}`)
	for key, w := range words {
		if w.ZH == "" || w.EN == "" || strings.Count(w.ZH, "{}") != strings.Count(w.EN, "{}") {
			t.Errorf("%s: %q and %q do not say the same", key, w.ZH, w.EN)
		}
		if key != "lang.other" && (chinese.MatchString(w.EN) || !chinese.MatchString(w.ZH) && strings.Trim(w.ZH, "OK{}/–") != "") {
			t.Errorf("%s: %q and %q", key, w.ZH, w.EN)
		}
		said := strings.Contains(text, `"`+key+`"`)
		for _, group := range made {
			said = said || strings.HasPrefix(key, group)
		}
		if !said {
			t.Errorf("nobody says %q", key)
		}
	}
	for _, call := range regexp.MustCompile(`\.(?:t|text|head|heads)\(("[^)]*)`).FindAllStringSubmatch(text, -1) {
		for _, m := range regexp.MustCompile(`"([a-z][\w.-]*)"`).FindAllStringSubmatch(call[1], -1) {
			if _, ok := words[m[1]]; !ok && !strings.HasSuffix(m[1], ".") {
				t.Errorf("the pages say %q, which is not in the catalogue", m[1])
			}
		}
	}
	for _, m := range regexp.MustCompile(`\.(?:labelled|ticked|entry|detail)\("([a-z][\w.-]*)"`).FindAllStringSubmatch(text, -1) {
		if _, ok := words[m[1]]; !ok {
			t.Errorf("the pages say %q, which is not in the catalogue", m[1])
		}
	}
	var keys []string
	for _, s := range ledger.States() {
		keys = append(keys, "order."+string(s))
	}
	for _, p := range append(meeting.Phases(), meeting.Planned) {
		keys = append(keys, "phase."+string(p))
	}
	for _, l := range meeting.Lists() {
		keys = append(keys, "list."+string(l))
	}
	for _, key := range keys {
		if _, ok := words[key]; !ok {
			t.Errorf("there is no word for %q", key)
		}
	}
}
