package main

import (
	"slices"
	"testing"
)

// On paper every room has the pages that it has on the glass, by the same names and in the same order.
func TestTheGuideNamesTheButtonsOfThePanel(t *testing.T) {
	t.Parallel()
	in := browser(t)
	for _, room := range []string{"demo.yaml", "lecture-hall.yaml", "huddle.yaml"} {
		for _, language := range []string{"zh", "en"} {
			h := open(t, example(room))
			p := hang(t, in, h.url, screen{1280, 800, language, ""})
			p.unlock()
			glass := eval[[]string](p, "[...document.querySelectorAll('nav [data-page] .label')].map(e => e.innerText)")[1:] // but home
			cfg, err := load(example(room))
			if err != nil {
				t.Fatal(err)
			}
			d, err := writeGuide(cfg, language)
			if err != nil {
				t.Fatal(err)
			}
			var paper []string
			for _, row := range d.Parts[2].Sections[0].Items[2].Table.Rows {
				paper = append(paper, row[0])
			}
			if !slices.Equal(glass, paper) {
				t.Errorf("%s in %s: the panel has %q and the guide %q", room, language, glass, paper)
			}
			forget(p)
		}
	}
}
