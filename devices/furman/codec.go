package furman

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Commands begin with ! and questions with ?; both name the sequencer and end with a carriage return
// ("CN-1800S / CN-2400S communication protocol").
func cmdBank(unit, bank int, on bool) string {
	return fmt.Sprintf("!BANK_%s %d %d", word(on), unit, bank)
}
func cmdSequence(unit int, on bool) string { return fmt.Sprintf("!SEQ_%s %d", word(on), unit) }
func cmdEvents(unit int) string            { return fmt.Sprintf("!EVENTS_ENABLE %d", unit) }
func askBanks(unit int) string             { return fmt.Sprintf("?BANK_STAT %d", unit) }

func word(on bool) string {
	if on {
		return "ON"
	}
	return "OFF"
}

const (
	endOfText = 0x04 // stands at the end of what a question is answered with
	banks     = 3

	statName = "BANK_STAT"
	lastBank = "BANK3"
	// statMost is more than an answer of three banks can have.
	statMost = 160
)

// split cuts the stream at carriage returns and at ends of text. The answer to the question for the
// banks has several parts: it goes on to the end of text or, where there is none, to the end of its
// last bank.
func split(got []byte) int {
	n := bytes.IndexAny(got, "\r\x04") + 1
	if n == 0 || got[n-1] == endOfText || !bytes.Contains(got[:n], []byte(statName)) || !bytes.Contains(got[:n], []byte("$ACK")) {
		return n
	}
	whole := got[:min(len(got), statMost)]
	if end := bytes.IndexByte(whole, endOfText); end >= 0 {
		return end + 1
	}
	if at := bytes.Index(whole, []byte(lastBank)); at >= 0 {
		if end := bytes.IndexByte(whole[at:], '\r'); end >= 0 {
			return at + end + 1
		}
	}
	if len(got) >= statMost {
		return n // it is something else that looks like it
	}
	return 0
}

// kind says what a message is.
type kind int

const (
	other kind = iota // noise, or something that nobody needs
	ack               // $ACK 0,SEQ_ON
	done              // $SEQ_ON_DONE
	event             // *...: something has happened at a sequencer
)

// message is what a sequencer says.
type message struct {
	kind kind
	unit int
	name string // the command or question that is acknowledged
	// banks is what it says of them; nil where it says nothing of one, or something that is neither
	// on nor off.
	banks map[int]bool
}

// parse reads a message as cut by split.
func parse(frame []byte) message {
	text := string(frame)
	if at := strings.LastIndexAny(text, "$*"); at > 0 {
		text = text[at:]
	}
	if strings.HasPrefix(text, "*") {
		return message{kind: event}
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" ,=\t\r\n\x04", r) })
	if len(words) == 1 && (words[0] == "$SEQ_ON_DONE" || words[0] == "$SEQ_OFF_DONE") {
		return message{kind: done}
	}
	if len(words) < 3 || words[0] != "$ACK" {
		return message{}
	}
	unit, err := strconv.Atoi(words[1])
	if err != nil {
		return message{}
	}
	m := message{kind: ack, unit: unit, name: words[2]}
	if m.name == statName {
		m.banks = readBanks(words[3:])
	}
	return m
}

// readBanks reads BANK1 ON BANK2 OFF BANK3 ON. The protocol leaves open what the values look like;
// words and digits are both read.
func readBanks(words []string) map[int]bool {
	said := make(map[int]bool)
	for i := 0; i+1 < len(words); i += 2 {
		number, ok := strings.CutPrefix(words[i], "BANK")
		n, err := strconv.Atoi(number)
		on, readable := map[string]bool{"ON": true, "1": true, "OFF": false, "0": false}[words[i+1]]
		if !ok || err != nil || n < 1 || n > banks || !readable {
			return nil
		}
		said[n] = on
	}
	if len(said) != banks {
		return nil
	}
	return said
}

// acknowledges reports whether a message is a sequencer's answer to the command or question.
func (m message) acknowledges(unit int, command string) bool {
	name, _, _ := strings.Cut(command[1:], " ")
	return m.kind == ack && m.unit == unit && m.name == name
}

// explain says in words what a message means.
func explain(frame []byte) string {
	switch m := parse(frame); m.kind {
	case ack:
		if m.banks != nil {
			return fmt.Sprintf("unit %d: banks %v", m.unit, m.banks)
		}
		return fmt.Sprintf("unit %d acknowledges %.20s", m.unit, m.name)
	case done:
		return "the sequence is done"
	case event:
		return "something has happened at a sequencer"
	}
	return ""
}
