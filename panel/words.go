package panel

import (
	"fmt"
	"regexp"

	"lectern/devices"
)

// entry is a line of the catalogue: 'key': ['Chinese', 'English'],
var entry = regexp.MustCompile(`(?m)^  '([^']+)': \['([^']*)', '([^']*)'\],$`)

// Words returns every word that the panel says, by its key in web/words.js.
func Words() (map[string]devices.Phrase, error) {
	b, err := files.ReadFile("web/words.js")
	if err != nil {
		return nil, fmt.Errorf("reading the words of the panel: %w", err)
	}
	words := make(map[string]devices.Phrase)
	for _, m := range entry.FindAllSubmatch(b, -1) {
		words[string(m[1])] = devices.Phrase{ZH: string(m[2]), EN: string(m[3])}
	}
	return words, nil
}
