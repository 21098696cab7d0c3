package hdmimatrix

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// dialect is how one family of boards is spoken to. Everything in it is a pure function.
type dialect struct {
	// digits is how many digits a number has in a command, where the room file does not say.
	digits int
	// route, off and read make commands of ports that are written out already. off is nil where the
	// family has no command for it.
	route func(signal, input, output string) string
	off   func(output string) string
	read  func(output string) string
	// tied and closed find the ports in an answer line. closed is nil where off is.
	tied   *regexp.Regexp // names input and output
	closed *regexp.Regexp // names output
	// list is how long the answer to read takes, where it tells all outputs.
	list time.Duration
	// quiet is the answer of a board that has been told to say no more (/:MessageOff;): it was
	// done, it does not say what. Empty where there is no such thing.
	quiet string
}

// The families. Manuals of each are named in the package's facts.
const (
	atlona = "atlona" // x1AVx2 and CR, echoed
	letter = "letter" // 1V2. answered AV:01->02
	out    = "out"    // OUT02:01. answered Output 02 Switch To In 01!
)

// dialects returns the families by name.
func dialects() map[string]dialect {
	return map[string]dialect{
		atlona: {
			digits: 1,
			route:  func(_, input, output string) string { return "x" + input + "AVx" + output + "\r" },
			off:    func(output string) string { return "x" + output + "$\r" },
			read:   func(output string) string { return "Statusx" + output + "\r" },
			tied:   regexp.MustCompile(`^x(?P<input>[0-9]{1,2})AVx(?P<output>[0-9]{1,2})$`),
			closed: regexp.MustCompile(`^x(?P<output>[0-9]{1,2})\$(?: off)?$`),
		},
		letter: {
			digits: 1,
			route:  func(signal, input, output string) string { return input + signal + output + "." },
			off:    func(output string) string { return output + "$." },
			read:   func(output string) string { return "Status" + output + "." },
			// MuxLab prints "AV: 01-> 02", Monoprice "AV: 01 -> 02", PTN "AV01 to 02"; a line may go on
			// with the infrared.
			tied:   regexp.MustCompile(`^(?P<signal>AV|A|V|Audio|Video):? ?(?P<input>[0-9]{1,2}) ?(?:->|to) ?(?P<output>[0-9]{1,2})(?:,.*)?$`),
			closed: regexp.MustCompile(`^(?P<output>[0-9]{1,2}) Closed?\.?$`), // MuxLab: Close; Monoprice: Closed.
			quiet:  "switch ok",
		},
		out: {
			digits: 2,
			route:  func(_, input, output string) string { return "OUT" + output + ":" + input + "." },
			read:   func(string) string { return "STA_VIDEO." }, // there is no question for one output
			tied:   regexp.MustCompile(`^Output (?P<output>[0-9]{1,2}) Switch To In (?P<input>[0-9]{1,2})!$`),
			list:   250 * time.Millisecond, // eight lines of 28 characters at 9600 baud
		},
	}
}

// atlonaOff is off for the models that take "x2$ off" (AT-UHD-PRO3).
func atlonaOff(output string) string { return "x" + output + "$ off\r" }

// kind says what a line is.
type kind int

const (
	other  kind = iota // blank, a model's name, anything that does not matter
	tied               // an output has an input; 0 is none
	closed             // an output is off
	failed             // it has refused
	quiet              // something was done
)

// message is a line that has been read.
type message struct {
	kind   kind
	signal string // of a tie, where the line says it
	input  int
	output int
}

// failure finds an error reply. Atlona's is "Command FAILED"; the other manuals name none, so a line
// that speaks of an error or of something invalid is taken for one.
var failure = regexp.MustCompile(`(?i)\b(failed|error|invalid)\b`)

// parse reads a line as cut by split.
func (d dialect) parse(frame []byte) message {
	text := strings.TrimSpace(string(frame))
	if f := d.tied.FindStringSubmatch(text); f != nil {
		return message{kind: tied, signal: named(d.tied, f, "signal"), input: atoi(named(d.tied, f, "input")), output: atoi(named(d.tied, f, "output"))}
	}
	if d.closed != nil {
		if f := d.closed.FindStringSubmatch(text); f != nil {
			return message{kind: closed, output: atoi(named(d.closed, f, "output"))}
		}
	}
	switch {
	case failure.MatchString(text):
		return message{kind: failed}
	case d.quiet != "" && strings.HasPrefix(strings.ToLower(text), d.quiet):
		return message{kind: quiet}
	}
	return message{}
}

// named returns what a group of a form has matched; "" where the form has no such group.
func named(form *regexp.Regexp, found []string, group string) string {
	if i := form.SubexpIndex(group); i >= 0 {
		return found[i]
	}
	return ""
}

// atoi reads digits that a form has matched.
func atoi(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// explain says in words what a line means.
func (d dialect) explain(frame []byte) string {
	switch m := d.parse(frame); m.kind {
	case tied:
		return fmt.Sprintf("output %d shows input %d", m.output, m.input)
	case closed:
		return fmt.Sprintf("output %d is off", m.output)
	case failed:
		return "it refuses"
	case quiet:
		return "done"
	}
	return ""
}

// split cuts what comes into lines. Some boards end them with CR, some with CR LF: the LF is then a
// line of its own, with nothing in it.
func split(got []byte) int { return bytes.IndexAny(got, "\r\n") + 1 }

// printable is a refusal as the board wrote it, short enough to be shown.
func printable(frame []byte) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, string(frame))
	return strings.TrimSpace(text[:min(len(text), 40)])
}
