// Package recording is what went over a line, as a text that people read and programs play: one frame
// in each line, with its time, its direction, its bytes in hex and as text. `lectern trace --record`
// writes it.
//
//	# lectern recording 1, line projector
//	15:48:54.082 tx    50 57 52 3F 0D            "PWR?\r"
//	15:48:54.095 rx    50 57 52 3D 30 31 0D 3A   "PWR=01\r:"   = power on
//
// Only the bytes count; the text is for the reader. What stands behind the equals sign is what the frame
// means, and is written by hand: it makes a test of the recording.
package recording

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Bounds of a recording that is read.
const (
	lineMost  = 64 << 10
	entryMost = 20_000
)

const title = "# lectern recording 1, line "

// Entry is one frame, or something that happened to the port.
type Entry struct {
	Time   string // as hh:mm:ss.mmm
	Dir    string // "tx", "rx", "noise"; "event" of the port, "error" of an exchange
	Bytes  []byte // none where it was secret
	Cut    bool   // there were more bytes than were kept
	Note   string // of an event or error
	Expect string // what it means, as somebody wrote behind it
	Row    int    // where it stands in the text, from 1
}

// Recording is what went over one line, oldest first.
type Recording struct {
	Line    string
	Entries []Entry
}

// WriteHead writes the first line of a recording.
func WriteHead(w io.Writer, line string) error {
	_, err := fmt.Fprintf(w, "%s%s\n", title, line)
	return err //nolint:wrapcheck // the caller knows the file
}

// Write writes one entry.
func Write(w io.Writer, e Entry) error {
	shown, text := fmt.Sprintf("% X", e.Bytes), strconv.Quote(string(e.Bytes))
	switch {
	case e.Dir == "event" || e.Dir == "error":
		shown, text = "", strconv.Quote(e.Note)
	case len(e.Bytes) == 0:
		text = strconv.Quote("secret")
	}
	if e.Cut {
		shown += " ..."
	}
	if e.Expect != "" {
		text += "   = " + e.Expect
	}
	_, err := fmt.Fprintf(w, "%s %-5s %-40s %s\n", e.Time, e.Dir, shown, text)
	return err //nolint:wrapcheck // the caller knows the file
}

var hexByte = regexp.MustCompile(`^[0-9A-Fa-f]{2}$`)

// Read reads a recording. Blank lines and lines that begin with # are left out.
func Read(r io.Reader) (*Recording, error) {
	rec := &Recording{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, lineMost)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if line, ok := strings.CutPrefix(text, title); ok && rec.Line == "" {
			rec.Line = strings.TrimSpace(line)
			continue
		}
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if len(rec.Entries) == entryMost {
			return nil, fmt.Errorf("line %d: a recording has at most %d frames", n, entryMost)
		}
		e, err := readEntry(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		e.Row = n
		rec.Entries = append(rec.Entries, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading a recording: %w", err)
	}
	return rec, nil
}

func readEntry(text string) (Entry, error) {
	time, rest, _ := strings.Cut(text, " ")
	dir, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	e := Entry{Time: time, Dir: dir}
	switch dir {
	case "tx", "rx", "noise", "event", "error":
	default:
		return e, fmt.Errorf("%q is no direction; after the time comes tx, rx, noise, event or error", dir)
	}
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		word, more, _ := strings.Cut(rest, " ")
		switch {
		case hexByte.MatchString(word) && (dir == "event" || dir == "error"):
			return e, fmt.Errorf("%s has no bytes, and here is %s", dir, word)
		case hexByte.MatchString(word):
			b, _ := hex.DecodeString(word)
			e.Bytes = append(e.Bytes, b...)
			rest = more
		case word == "...":
			e.Cut, rest = true, more
		case word == "=":
			e.Expect, rest = strings.TrimSpace(more), ""
		case strings.HasPrefix(rest, `"`):
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return e, fmt.Errorf("the text %s has no end", rest)
			}
			if e.Dir == "event" || e.Dir == "error" {
				e.Note, _ = strconv.Unquote(quoted)
			}
			rest = rest[len(quoted):]
		default:
			return e, fmt.Errorf("%q is no byte in hex; bytes have two digits each and a space between", word)
		}
	}
	return e, nil
}
