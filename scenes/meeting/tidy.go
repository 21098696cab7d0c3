package meeting

import (
	"errors"
	"fmt"
	"strings"
)

const (
	calendarMost = 8 << 20  // bytes of a calendar
	lineMost     = 64 << 10 // bytes of one unfolded line; a longer one is left out
	depthMost    = 8        // components in each other
)

var (
	errHuge  = fmt.Errorf("the calendar has more than %d MiB", calendarMost>>20)
	errDeep  = fmt.Errorf("the calendar has components in each other, more than %d deep", depthMost)
	errNoCal = errors.New("this is no iCalendar: it does not begin with BEGIN:VCALENDAR")
	errTorn  = errors.New("the calendar ends in the middle: it has no END:VCALENDAR")
)

// tidy unfolds a calendar and leaves out the lines that are none, so that one of them does not cost the
// rest, and go-ical, which reads what is left, meets nothing it cannot bear: it fails on a parameter
// without its value's colon, and calls itself for each component in another. Dropped counts the lines.
func tidy(text string) (clean string, dropped int, err error) {
	if len(text) > calendarMost {
		return "", 0, errHuge
	}
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\n ", ""), "\n\t", "")
	var out strings.Builder
	var open []string
	began := false
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimRight(strings.ReplaceAll(line, "\r", ""), " ")
		if line == "" {
			continue
		}
		if len(line) > lineMost || !wellFormed(line) {
			dropped++
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		switch name = strings.ToUpper(name); {
		case !began && (name != "BEGIN" || !strings.EqualFold(value, "VCALENDAR")):
			return "", dropped, errNoCal
		case name == "BEGIN":
			if open = append(open, strings.ToUpper(value)); len(open) > depthMost {
				return "", dropped, errDeep
			}
		case name == "END":
			if len(open) == 0 || open[len(open)-1] != strings.ToUpper(value) {
				return "", dropped, fmt.Errorf("the calendar ends a component %q that it has not begun", bounded(value, 32))
			}
			open = open[:len(open)-1]
		}
		began = true
		out.WriteString(line)
		out.WriteString("\r\n")
		if len(open) == 0 {
			return out.String(), dropped, nil // what comes after the calendar is another one
		}
	}
	if !began {
		return "", dropped, errNoCal
	}
	return "", dropped, errTorn
}

// wellFormed reports whether a line is NAME;PARAM=value:value, quotes closed.
func wellFormed(line string) bool {
	end := strings.IndexAny(line, ";:")
	if end < 1 || strings.ContainsAny(line[:end], "\" =,") {
		return false
	}
	for line[end] == ';' {
		rest := line[end+1:]
		equals := strings.IndexByte(rest, '=')
		if equals < 1 || strings.ContainsAny(rest[:equals], `;:",`) {
			return false
		}
		quoted, i := false, equals+1
		for ; i < len(rest); i++ {
			c := rest[i]
			if c == '"' {
				// A quote opens a value and closes it, and stands nowhere else.
				if !quoted && rest[i-1] != '=' && rest[i-1] != ',' || quoted && i+1 < len(rest) && !strings.ContainsRune(",;:", rune(rest[i+1])) {
					return false
				}
				quoted = !quoted
			} else if !quoted && (c == ';' || c == ':') {
				break
			}
		}
		if i == len(rest) {
			return false
		}
		end += 1 + i
	}
	return true
}

// bounded is a text of at most so many bytes, for errors and for what is shown.
func bounded(s string, most int) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xC0 == 0x80 {
		most--
	}
	return s[:most] + "…"
}
