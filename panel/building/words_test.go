package building

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lectern/scenes/meeting"
)

func TestEveryWordIsThereInBothLanguagesAndIsSaid(t *testing.T) {
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
	text := all.String()
	chinese := regexp.MustCompile(`\p{Han}`)
	for key, w := range words {
		if w.ZH == "" || w.EN == "" || strings.Count(w.ZH, "{}") != strings.Count(w.EN, "{}") {
			t.Errorf("%s: %q and %q do not say the same", key, w.ZH, w.EN)
		}
		if key != "lang.other" && (chinese.MatchString(w.EN) || !chinese.MatchString(w.ZH)) {
			t.Errorf("%s: %q and %q", key, w.ZH, w.EN)
		}
		group, _, _ := strings.Cut(key, ".")
		if !strings.Contains(text, `"`+key+`"`) && !strings.Contains(text, `"`+group+`." +`) && !strings.Contains(text, `"`+group+`."+`) {
			t.Errorf("nobody says %q", key)
		}
	}
	for _, m := range regexp.MustCompile(`\.(?:t|text|sum|detail)\("([a-z][\w.-]*)"`).FindAllStringSubmatch(text, -1) {
		if _, ok := words[m[1]]; !ok && !strings.HasSuffix(m[1], ".") {
			t.Errorf("the page says %q, which is not in the catalogue", m[1])
		}
	}
	for _, s := range Standings() {
		if _, ok := words["standing."+string(s)]; !ok || shape(s) == "" {
			t.Errorf("there is no word or no shape for %q", s)
		}
	}
	for _, p := range meeting.Phases() {
		if _, ok := words["phase."+string(p)]; !ok {
			t.Errorf("there is no word for %q", p)
		}
	}
}

// No two standings look the same, so that no colour is needed to tell them apart; a silent room is lost.
func TestEveryStandingHasAShapeOfItsOwn(t *testing.T) {
	seen := make(map[string]Standing)
	for _, s := range Standings() {
		if other, twice := seen[shape(s)]; twice && s != Silent {
			t.Errorf("%s looks like %s", s, other)
		}
		seen[shape(s)] = s
	}
}
