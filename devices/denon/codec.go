package denon

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"lectern/devices"
)

// longest is what a packet may have, "start character to end character is included".
const longest = 600

// Two forms of acknowledgement are in use. The Denon guide has single bytes; the TASCAM guide, and
// Denon players in the field, have words.
const (
	ackByte  = 0x06
	nackByte = 0x15
	ackWord  = "ack"
	nackWord = "nack"
	busyWord = "BDERBUSY"
)

// split cuts the stream into acknowledgements, packets and noise. The words end with nothing; a
// status follows its word after a plus sign ("ack+@0STPL<CR>"), which is then cut off as a packet.
func split(got []byte) int {
	if len(got) == 0 {
		return 0
	}
	switch c := got[0]; {
	case c == ackByte || c == nackByte:
		return 1
	case c == '+' || c == '@' || c == '!':
		end := bytes.IndexByte(got, '\r') + 1
		if end > longest || end == 0 && len(got) > longest {
			return 1 // nothing that a player says: the start was noise
		}
		return end
	case c == ackWord[0] || c == nackWord[0]:
		for _, word := range []string{ackWord, nackWord} {
			if bytes.HasPrefix(got, []byte(word)) {
				return len(word)
			}
			if bytes.HasPrefix([]byte(word), got) {
				return 0
			}
		}
	}
	return 1
}

// kind says what a frame is.
type kind int

const (
	other   kind = iota // noise, or the end of a line
	acked               // received normally: not that it is done
	nacked              // not understood
	busy                // no room for a command
	told                // a status, asked or by itself
	foreign             // a packet of the other maker's dialect
)

// message is a frame that has been read.
type message struct {
	kind kind
	text string // of a packet, without its start and end
}

// parse reads a frame as cut by split.
func (d dialect) parse(frame []byte) message {
	text := strings.TrimSuffix(strings.TrimPrefix(string(frame), "+"), "\r")
	switch {
	case text == ackWord, len(text) == 1 && text[0] == ackByte:
		return message{kind: acked}
	case text == nackWord, len(text) == 1 && text[0] == nackByte:
		return message{kind: nacked}
	case !strings.HasSuffix(string(frame), "\r"):
		return message{}
	case strings.HasSuffix(text, busyWord): // TASCAM's guide has it with the start of Denon's
		return message{kind: busy}
	case strings.HasPrefix(text, d.start):
		return message{kind: told, text: text[len(d.start):]}
	case strings.HasPrefix(text, denonWords().start), strings.HasPrefix(text, tascamWords().start):
		return message{kind: foreign}
	}
	return message{}
}

// value returns what a status says of the subject; false where it is of another.
func (m message) value(subject string) (string, bool) {
	if m.kind != told {
		return "", false
	}
	return strings.CutPrefix(m.text, subject)
}

// isDisc reports whether the question for the disc can be answered so.
func isDisc(disc string) bool {
	switch disc {
	case discNone, discIn, discStrange, trayOpen, trayClosed, trayError:
		return true
	}
	return false
}

// find looks for the answer to a command: its acknowledgement, or, where a subject was asked for, the
// status of it that follows the acknowledgement. What the player says by itself may stand before
// either, and is handed to heard. An acknowledgement is so short that any noise holds one, so that
// one after noise is not believed; a status is.
func (d dialect) find(got []byte, subject string, heard func(message)) (start, end int, err error) {
	received, noise := false, false
	for at := 0; at < len(got); {
		n := split(got[at:])
		if n == 0 {
			break
		}
		switch m := d.parse(got[at : at+n]); m.kind {
		case nacked, busy:
			if noise {
				return 0, 0, errNoise
			}
			return at, at + n, nil
		case acked:
			if subject == "" && noise {
				return 0, 0, errNoise
			}
			if subject == "" {
				return at, at + n, nil
			}
			received = true
		case told:
			if _, ok := m.value(subject); ok && received {
				return at, at + n, nil
			}
			heard(m)
		case other, foreign:
			noise = noise || got[at] != '\r' && got[at] != '\n'
		}
		at += n
	}
	return 0, 0, nil
}

var errNoise = errors.New("noise before the acknowledgement")

// rejection turns an answer that is no acknowledgement into an error.
func rejection(k kind) *devices.Rejection {
	if k == busy {
		return &devices.Rejection{Code: busyWord, Busy: true, Reason: devices.Phrase{
			ZH: "播放机忙，请稍后再试", EN: "The player is busy, try again in a moment",
		}}
	}
	return &devices.Rejection{Code: nackWord, Reason: devices.Phrase{
		ZH: "播放机不接受此命令", EN: "The player does not take this command",
	}}
}

// explain says in words what a frame means.
func (d dialect) explain(frame []byte) string {
	m := d.parse(frame)
	switch m.kind {
	case acked:
		return "received"
	case nacked, busy:
		return rejection(m.kind).Reason.In("en")
	case foreign:
		return "a packet of the other maker's players: is the driver the right one?"
	case told:
		if state, ok := m.value(d.stateWord); ok {
			if t, known := transportOf(state); known {
				return fmt.Sprintf("state %s: %s", clip(state), t)
			}
		}
		if disc, ok := m.value(d.discWord); ok && isDisc(disc) {
			return "disc " + disc
		}
		return "says " + clip(m.text)
	}
	return ""
}

// clip shortens what came from the wire before it is shown.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32] + "..."
	}
	return s
}
