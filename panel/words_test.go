package panel

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type entryWords struct{ zh, en string }

// wordsOfPanel reads the words of the panel.
func wordsOfPanel(t *testing.T) map[string]entryWords {
	t.Helper()
	b, err := files.ReadFile("web/words.js")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]entryWords)
	for _, m := range entry.FindAllStringSubmatch(string(b), -1) {
		if _, twice := all[m[1]]; twice {
			t.Errorf("%q stands twice", m[1])
		}
		all[m[1]] = entryWords{m[2], m[3]}
	}
	if lines := regexp.MustCompile(`(?m)^  '`).FindAllIndex(b, -1); len(lines) != len(all) {
		t.Errorf("%d lines look like words and %d can be read: write them as 'key': ['中文', 'English'],", len(lines), len(all))
	}
	return all
}

// scripts are the panel's own, without the catalogue.
func scripts(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	err := fs.WalkDir(files, "web", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".js" || strings.Contains(name, "/vendor/") || strings.HasSuffix(name, "/words.js") {
			return err
		}
		b, err := files.ReadFile(name)
		all.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestEveryWordIsThereInBothLanguages(t *testing.T) {
	hole := regexp.MustCompile(`\{\w+\}`)
	chinese := regexp.MustCompile(`\p{Han}`)
	for key, w := range wordsOfPanel(t) {
		if w.zh == "" || w.en == "" {
			t.Errorf("%s: %q and %q: one is missing", key, w.zh, w.en)
		}
		if chinese.MatchString(w.en) && key != "lang.other" {
			t.Errorf("%s: the English is %q", key, w.en)
		}
		if !chinese.MatchString(w.zh) && hole.ReplaceAllString(w.zh, "") != "" && key != "lang.other" {
			t.Errorf("%s: the Chinese is %q", key, w.zh)
		}
		zh, en := hole.FindAllString(w.zh, -1), hole.FindAllString(w.en, -1)
		slices.Sort(zh)
		slices.Sort(en)
		if !slices.Equal(zh, en) {
			t.Errorf("%s: %v is put into the Chinese and %v into the English", key, zh, en)
		}
	}
}

// Words are asked for by t('key'), or by t(`group.${word}`) where the last part comes from the room.
func TestWordsAndScriptsAgree(t *testing.T) {
	words, script := wordsOfPanel(t), scripts(t)
	used := make(map[string]bool)
	for _, m := range regexp.MustCompile(`\b(?:t|other|either)\('([^']+)'`).FindAllStringSubmatch(script, -1) {
		if _, ok := words[m[1]]; !ok {
			t.Errorf("the panel says %q, which is not in the catalogue", m[1])
		}
		used[m[1]] = true
	}
	// Words that are picked by a condition stand in quotes somewhere.
	for _, m := range regexp.MustCompile(`'([a-z][\w.-]*)'`).FindAllStringSubmatch(script, -1) {
		used[m[1]] = true
	}
	var groups []string
	for _, m := range regexp.MustCompile("`([a-z]+\\.)\\$\\{").FindAllStringSubmatch(script, -1) {
		groups = append(groups, m[1])
	}
	// Values and properties of equipment are looked up by their own names.
	own := []string{"temperature", "humidity", "presence", "contact", "light", "none", "other", "on", "off", "warming", "cooling", "true", "false", "up", "down", "stop"}
	for key := range words {
		inGroup := slices.ContainsFunc(groups, func(g string) bool { return strings.HasPrefix(key, g) })
		if !used[key] && !inGroup && !slices.Contains(own, key) {
			t.Errorf("nobody says %q", key)
		}
	}
}

// No text that people read stands in the scripts beside the catalogue.
func TestNoWordsOutsideTheCatalogue(t *testing.T) {
	for i, line := range strings.Split(scripts(t), "\n") {
		if code, _, _ := strings.Cut(line, "//"); regexp.MustCompile(`\p{Han}`).MatchString(strings.ReplaceAll(code, "'中文'", "")) {
			t.Errorf("line %d of the scripts: %s", i+1, line)
		}
	}
}

// The font that is fetched at once covers the panel's own words; what it lacks is fetched when a room
// has a name that needs it.
func TestTheFirstFontHasTheWordsOfThePanel(t *testing.T) {
	b, err := files.ReadFile("web/fonts.css")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`core-400\.woff2\) format\("woff2"\);unicode-range:([^}]+)\}`).FindSubmatch(b)
	if m == nil {
		t.Fatal("fonts.css has no core font")
	}
	covered := ranges(t, string(m[1]))
	missing := make(map[rune]bool)
	for _, w := range wordsOfPanel(t) {
		for _, r := range w.zh {
			if r >= 0x2E80 && r <= 0xFFEF && r != '●' && !covered(r) {
				missing[r] = true
			}
		}
	}
	for r := range missing {
		t.Errorf("%c is in the catalogue and not in the first font: make the fonts anew with panel/vendor/make.mjs", r)
	}
}

// ranges reads a unicode-range and returns whether it covers a character.
func ranges(t *testing.T, text string) func(rune) bool {
	t.Helper()
	var spans [][2]rune
	for part := range strings.SplitSeq(text, ",") {
		from, to, both := strings.Cut(strings.TrimPrefix(part, "U+"), "-")
		if !both {
			to = from
		}
		a, err := strconv.ParseInt(from, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		b, err := strconv.ParseInt(to, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		spans = append(spans, [2]rune{rune(a), rune(b)})
	}
	return func(r rune) bool {
		return slices.ContainsFunc(spans, func(s [2]rune) bool { return r >= s[0] && r <= s[1] })
	}
}
