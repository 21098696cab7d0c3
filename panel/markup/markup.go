// Package markup has what the pages of the program share beside HTML itself, which they write in Go with
// gomponents: what comes from outside is escaped there, as text and in attributes, and the compiler reads the
// pages with the rest.
package markup

import (
	"strings"

	g "maragu.dev/gomponents"
)

// Spaced sets a space between what is there: white space between inline elements is seen, and gomponents
// writes none.
func Spaced(nodes ...g.Node) g.Group {
	var all g.Group
	for _, n := range nodes {
		if group, ok := n.(g.Group); n == nil || ok && len(group) == 0 {
			continue
		}
		if len(all) > 0 {
			all = append(all, g.Text(" "))
		}
		all = append(all, n)
	}
	return all
}

// Classes is the class of an element, of all names that are not "".
func Classes(names ...string) g.Node {
	all := names[0]
	for _, name := range names[1:] {
		if name != "" {
			all += " " + name
		}
	}
	return g.Attr("class", strings.TrimPrefix(all, " "))
}

// When is the text where the condition holds, and else "".
func When(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}

// Language is one of ours as HTML names it.
func Language(ours string) string {
	if ours == "zh" {
		return "zh-CN"
	}
	return "en"
}
