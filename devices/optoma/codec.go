package optoma

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"lectern/devices"
)

// The commands that are used. A question is a command with a code of its own and the value 1.
const (
	setPower  = "00"
	setInput  = "12"
	askLamp   = "108"
	askSource = "121"
	askPower  = "124"
)

// request is one command: ~, the projector's number, the code, a space and the value.
type request struct {
	code, value string
	asks        bool
}

func ask(code string) request { return request{code: code, value: "1", asks: true} }

// encode makes a request ready for the wire.
func (r request) encode(id int) []byte { return fmt.Appendf(nil, "~%02d%s %s\r", id, r.code, r.value) }

func (r request) String() string {
	switch r.code {
	case setPower:
		return "power " + r.value
	case setInput:
		return "input " + r.value
	case askLamp:
		return "light hours"
	case askSource:
		return "source"
	case askPower:
		return "power"
	}
	return r.code + " " + r.value
}

// split cuts the stream at line ends.
func split(got []byte) int { return bytes.IndexAny(got, "\r\n") + 1 }

// kind says what a frame is.
type kind int

const (
	other kind = iota // an empty line, or noise
	pass              // P
	fail              // F
	value             // Ok1
	info              // INFO1: the projector says by itself what has happened
)

// message is a frame that has been read.
type message struct {
	kind kind
	text string // what stands behind Ok or INFO
}

func parse(frame []byte) message {
	text := strings.TrimSpace(string(frame))
	switch {
	case text == "P":
		return message{kind: pass}
	case text == "F":
		return message{kind: fail}
	case len(text) >= 2 && strings.EqualFold(text[:2], "ok"): // Ok, and OK of older firmware
		return message{kind: value, text: strings.TrimSpace(text[2:])}
	}
	if n, ok := strings.CutPrefix(text, "INFO"); ok {
		if n = strings.TrimSpace(n); isNumber(n, 2) {
			return message{kind: info, text: n}
		}
	}
	return message{}
}

// accepts reports whether a frame can be the answer to a request. The answers do not say what they
// answer.
func (r request) accepts(frame []byte) bool {
	m := parse(frame)
	switch m.kind {
	case fail:
		return true
	case pass:
		return !r.asks
	case value:
		return r.asks == (m.text != "") // some firmware says a bare OK where others say P
	}
	return false
}

func isNumber(s string, most int) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != "" && len(s) <= most
}

// rejection is the projector's one error for everything.
func rejection() *devices.Rejection {
	return &devices.Rejection{Code: "F", Busy: true, Reason: devices.Phrase{
		ZH: "投影机不接受此命令，或没有此信号源", EN: "The projector does not take this now, or has no such input",
	}}
}

// powerOf reads the answer to the question for the power.
func powerOf(text string) (on bool, err error) {
	switch text {
	case "1":
		return true, nil
	case "0", "2": // 2 where a model tells standby from off
		return false, nil
	}
	return false, fmt.Errorf("%q is no state of power", clip(text))
}

// hoursOf reads the answer to the question for the hours of the lamp or laser: a number, or the hours
// at full and at low brightness, 0001234/0000210, which are of one light and add up.
func hoursOf(text string) (int, error) {
	sum := 0
	for part := range strings.SplitSeq(text, "/") {
		if !isNumber(part, 8) {
			return 0, fmt.Errorf("%q is no number of hours", clip(text))
		}
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0, errors.New("no number of hours")
		}
		sum += n
	}
	return sum, nil
}

// clip shortens what is shown of an answer.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		return fmt.Sprintf("%.40s…", text)
	}
	return text
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	m := parse(frame)
	switch m.kind {
	case pass:
		return "done"
	case fail:
		return "refused"
	case info:
		if power, ok := powerSaid(m.text); ok {
			return "it is " + string(power)
		}
		return "it reports: " + faultOf(m.text).Text.EN
	}
	return clip(strings.TrimSpace(string(frame)))
}
