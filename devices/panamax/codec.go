package panamax

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"lectern/devices"
)

// Commands begin with ! and questions with ?; both end with a carriage return, and the unit's buffer
// holds 32 characters (M4315-PRO user guide).
const (
	cmdFeedback = "!SET_FEEDBACK ON"
	askOutlets  = "?OUTLETSTAT"
)

// cmdSwitch makes the command for one outlet.
func cmdSwitch(outlet int, on bool) string { return fmt.Sprintf("!SWITCH %d %s", outlet, word(on)) }

// cmdAll makes the command that switches all outlets by their stored delays.
func cmdAll(on bool) string { return "!ALL_" + word(on) }

func word(on bool) string {
	if on {
		return "ON"
	}
	return "OFF"
}

// split cuts the stream at carriage returns. Line feeds and prompts are left to parse.
func split(got []byte) int { return bytes.IndexByte(got, '\r') + 1 }

// kind says what a line is.
type kind int

const (
	other    kind = iota // a line that nobody needs: voltage, triggers, faults
	outlet               // $OUTLET3 = ON
	power                // $PWR = ON
	feedback             // $FEEDBACK = ON
	invalid              // $INVALID_PARAMETER
)

// message is a line that has been read.
type message struct {
	kind   kind
	outlet int
	on     bool
}

// parse reads a line as cut by split. A prompt, a line feed or what a telnet server negotiates may
// stand before the $.
func parse(line []byte) message {
	at := bytes.LastIndexByte(line, '$')
	if at < 0 {
		return message{}
	}
	text := strings.TrimSpace(string(line[at+1:]))
	if text == "INVALID_PARAMETER" {
		return message{kind: invalid}
	}
	name, value, ok := strings.Cut(text, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || value != "ON" && value != "OFF" {
		return message{}
	}
	m := message{on: value == "ON"}
	switch number, isOutlet := strings.CutPrefix(name, "OUTLET"); {
	case isOutlet:
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || n > outletsMost || number[0] == '+' {
			return message{}
		}
		m.kind, m.outlet = outlet, n
	case name == "PWR":
		m.kind = power
	case name == "FEEDBACK":
		m.kind = feedback
	}
	return m
}

// findStates returns how to find the answer to the question for all outlets: a line for each from 1
// on, with other lines among them where something else happens meanwhile, or the unit's error. What
// the unit says by itself of the outlets is the same in form; the answer begins at outlet 1.
func findStates(outlets int) func([]byte) (int, int, error) {
	return func(got []byte) (start, end int, err error) {
		next := 1
		for at := 0; ; {
			n := split(got[at:])
			if n == 0 {
				return 0, 0, nil
			}
			m := parse(got[at : at+n])
			switch {
			case m.kind == invalid:
				return at, at + n, nil
			case m.kind == outlet && m.outlet == 1:
				start, next = at, 2
			case m.kind == outlet && m.outlet == next && next > 1:
				next++
			}
			at += n
			if next > outlets {
				return start, at, nil
			}
		}
	}
}

// states reads what findStates found: the last that was said of each outlet, numbered from 1, or
// nothing where the unit would not say.
func states(frame []byte) map[int]bool {
	said := make(map[int]bool)
	for len(frame) > 0 {
		n := split(frame)
		if n == 0 {
			break
		}
		if m := parse(frame[:n]); m.kind == outlet {
			said[m.outlet] = m.on
		}
		frame = frame[n:]
	}
	return said
}

// rejection is the unit's one error.
func rejection() *devices.Rejection {
	return &devices.Rejection{Code: "INVALID_PARAMETER", Reason: devices.Phrase{
		ZH: "电源管理器不接受此命令，请检查插座编号", EN: "The power manager does not take this; check the number of the outlet",
	}}
}

// explain says in words what a line means, or the lines of an answer.
func explain(frame []byte) string {
	if bytes.Count(frame, []byte{'\r'}) > 1 {
		return fmt.Sprintf("outlets: %v", states(frame))
	}
	switch m := parse(frame); m.kind {
	case outlet:
		return fmt.Sprintf("outlet %d is %s", m.outlet, word(m.on))
	case power:
		return "all outlets are going " + word(m.on)
	case feedback:
		return "feedback is " + word(m.on)
	case invalid:
		return "rejected"
	}
	return ""
}
