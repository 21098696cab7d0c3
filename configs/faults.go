package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a room file, or with Check one thing that could be better.
type Fault struct {
	File   string `json:"file"`
	Line   int    `json:"line"`   // from 1
	Column int    `json:"column"` // from 1, in characters
	What   string `json:"what"`
	Right  string `json:"right,omitempty"` // what would be right; empty where What says it
}

// Error returns the fault as `file:line:column: what; what would be right`.
func (f Fault) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.What)
	if f.Right != "" {
		s += "; " + f.Right
	}
	return s
}

// Faults are all faults of a file, in the order in which they stand in it. Load and Parse return
// them as their error.
type Faults []Fault

// Error returns the faults, one in each line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted returns the faults as they stand in the file, each once.
func (f Faults) sorted() Faults {
	slices.SortStableFunc(f, func(x, y Fault) int {
		return cmp.Or(cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column), cmp.Compare(x.What, y.What))
	})
	return slices.Compact(f)
}

// either lists words for people: a, b or c.
func either(words []string) string {
	switch n := len(words); n {
	case 0:
		return "nothing"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " or " + words[n-1]
	}
}

// a puts the article before a word.
func a(word string) string {
	if word != "" && strings.Contains("aeiou", word[:1]) {
		return "an " + word
	}
	return "a " + word
}

// instead says what would be right in place of a wrong word: the one that was probably meant, or
// all that there are, introduced by lead.
func instead(wrong string, words []string, lead string) string {
	if near := nearest(wrong, words); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return lead + " " + either(words)
}

// nearest returns the word that a person probably meant, or "". One slip of the finger is forgiven
// in three letters, three slips in nine.
func nearest(wrong string, words []string) string {
	best, least := "", 1+min(3, (len([]rune(wrong))+2)/3)
	for _, w := range words {
		if d := distance(strings.ToLower(wrong), w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters that must be put in, left out, exchanged or swapped with their
// neighbour to turn one word into the other.
func distance(from, to string) int {
	s, t := []rune(from), []rune(to)
	if len(s) > 64 || len(t) > 64 { // nobody means a word of that length
		return 64
	}
	before, row, next := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(s); i++ {
		next[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row, next = row, next, before
	}
	return row[len(t)]
}
