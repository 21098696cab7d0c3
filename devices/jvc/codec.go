package jvc

import (
	"errors"
	"fmt"
	"strings"

	"lectern/devices"
)

// The commands that are used: one byte each.
const (
	cmdTableOn    = 0xF6 // JVC TABLE 1 ON: take the commands of this table
	cmdOperateOn  = 0x7B
	cmdPlay       = 0x3A
	cmdStop       = 0x3F
	cmdStill      = 0x4F
	cmdForward    = 0xAB // winds; searches while it plays
	cmdBack       = 0xAC
	cmdEject      = 0xA3
	cmdRecRequest = 0xFA // must stand before a record
	cmdRecord     = 0xCA
	cmdClearError = 0x41
	cmdSense      = 0xD7
)

// What the recorders answer, and what they say when something long has ended.
const (
	saidComplete  = 0x01
	saidError     = 0x02 // and nothing but a status sense and a clear error is taken after it
	saidTapeOut   = 0x03
	saidNotTarget = 0x05
	saidAck       = 0x0A
	saidNak       = 0x0B
)

// commandOf is the command that a press of a transport is; false where the recorders have none.
func commandOf(t devices.Transport) (command byte, ok bool) {
	command, ok = map[devices.Transport]byte{
		devices.TransportPlay: cmdPlay, devices.TransportStop: cmdStop, devices.TransportPause: cmdStill,
		devices.TransportForward: cmdForward, devices.TransportBack: cmdBack,
		devices.TransportRecord: cmdRecord, devices.TransportEject: cmdEject,
	}[t]
	return command, ok
}

// split cuts what the recorder says by itself: it is one byte each time.
func split(got []byte) int { return min(len(got), 1) }

// statusLength is how many bytes a status sense is answered with.
const statusLength = 5

// status is what a status sense says, as the SR-9090U manual has it on page 59.
type status [statusLength]byte

// known reports whether the bits that the manual has as always 1 or always 0 are so. There is no
// checksum; this is all that tells a status from noise.
func (s status) known() bool {
	return s[0]&0xE6 == 0x80 && s[1]&0x34 == 0 && s[2]&0x89 == 0 && s[3]&0x09 == 0x08 && s[4]&0x40 == 0
}

func (s status) inError() bool   { return s[0]&0x01 != 0 }
func (s status) tapeOut() bool   { return s[0]&0x08 != 0 }
func (s status) protected() bool { return s[0]&0x10 != 0 } // the safety tab is broken out
func (s status) fault() bool     { return s[1]&0x08 != 0 }

// transport reads the mode; false where there is none, as for a moment between two.
func (s status) transport() (devices.Transport, bool) {
	mode, more := s[3], s[4]
	switch {
	case s.tapeOut():
		return devices.TransportNoMedia, true
	case mode&0x04 != 0: // a cassette is being ejected
		return devices.TransportOpen, true
	case more&0x80 != 0: // of play, or of a recording
		return devices.TransportPause, true
	case mode&0x02 != 0:
		return devices.TransportRecord, true
	case mode&0x40 != 0, more&0x20 != 0:
		return devices.TransportForward, true
	case mode&0x20 != 0, more&0x10 != 0:
		return devices.TransportBack, true
	case mode&0x80 != 0:
		return devices.TransportPlay, true
	case mode&0x10 != 0:
		return devices.TransportStop, true
	}
	return "", false
}

// errNoise is why an answer is not believed. Answers are single bytes, which any noise holds, so that
// nothing but what a recorder says by itself may stand before one.
var errNoise = errors.New("that is no answer of a JVC recorder: check the baud rate, the parity (8O1 on most models) and the model")

// isNews reports whether a byte is one that the recorder says when something has ended.
func isNews(c byte) bool { return c == saidComplete || c == saidTapeOut || c == saidNotTarget }

// findAnswer looks for the answer to a command.
func findAnswer(got []byte) (start, end int, err error) {
	for i, c := range got {
		switch {
		case c == saidAck, c == saidNak, c == saidError:
			return i, i + 1, nil
		case !isNews(c):
			return 0, 0, fmt.Errorf("%02X: %w", c, errNoise)
		}
	}
	return 0, 0, nil
}

// findStatus looks for the answer to a status sense: five bytes, or a NAK. A recorder in error says so
// before the status, and some acknowledge before it.
func findStatus(got []byte) (start, end int, err error) {
	for i, c := range got {
		switch {
		case c == saidNak:
			return i, i + 1, nil
		case c == saidAck, c == saidError, isNews(c):
			continue
		case len(got)-i < statusLength && c&0x80 != 0:
			return 0, 0, nil
		case c&0x80 == 0 || !status(got[i:i+statusLength]).known():
			return 0, 0, fmt.Errorf("% X: %w", got[i:min(i+statusLength, len(got))], errNoise)
		}
		return i, i + statusLength, nil
	}
	return 0, 0, nil
}

// The reasons why a recorder does not do what it is asked.
func reject(code, zh, en string) *devices.Rejection {
	return &devices.Rejection{Code: code, Reason: devices.Phrase{ZH: zh, EN: en}}
}

func rejectedAnswer(c byte) *devices.Rejection {
	if c == saidError {
		return reject("ERROR", "录像机处于错误状态，请在机器上按停止", "The recorder is in its error state: press stop on it")
	}
	return reject("NAK", "录像机现在不接受此命令，请确认已开机", "The recorder does not take this now: is it switched on?")
}

func rejectedTapeOut() *devices.Rejection {
	return reject("CASSETTE OUT", "没有录像带", "There is no cassette in the recorder")
}

func rejectedProtected() *devices.Rejection {
	return reject("REC INHIBIT", "录像带防抹片已去除，不能录像", "The cassette's safety tab is out: it cannot be recorded on")
}

func rejectedFault() *devices.Rejection {
	return reject("WARNING", "录像机故障", "The recorder reports a malfunction")
}

// explain says in words what was answered.
func explain(frame []byte) string {
	if len(frame) == statusLength {
		s := status(frame)
		t, _ := s.transport()
		words := []string{string(t)}
		for word, on := range map[string]bool{"in error": s.inError(), "protected": s.protected(), "malfunction": s.fault()} {
			if on {
				words = append(words, word)
			}
		}
		return strings.Join(words, ", ")
	}
	if len(frame) != 1 {
		return ""
	}
	return map[byte]string{
		saidAck: "accepted", saidNak: "not accepted", saidError: "in error", saidComplete: "complete", saidTapeOut: "cassette out",
		saidNotTarget: "not done",
	}[frame[0]]
}
