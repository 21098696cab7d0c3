package script

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// framer cuts a stream into frames.
type framer struct {
	end, start           []byte
	length, sizeAt, more int
}

func newFramer(f *Frame) (*framer, error) {
	if f == nil {
		return nil, nil
	}
	made := &framer{length: f.Length, sizeAt: f.SizeAt, more: f.More}
	var err error
	if made.end, err = fixedBytes(f.End, f.EndHex); err != nil {
		return nil, fmt.Errorf("end: %w", err)
	}
	if made.start, err = fixedBytes("", f.Start); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	ways := 0
	for _, has := range []bool{made.end != nil, f.Length != 0, f.SizeAt != 0} {
		if has {
			ways++
		}
	}
	switch {
	case ways != 1:
		return nil, errors.New("it takes one of end, end_hex, length and size_at")
	case made.end == nil && made.start == nil:
		return nil, errors.New("it has no start: after a lost byte nothing would tell where the next reply begins")
	case f.Length < 0 || f.Length > lengthMost:
		return nil, fmt.Errorf("length %d: it is 1 to %d", f.Length, lengthMost)
	case f.SizeAt < 0 || f.SizeAt > 64 || f.More < 0 || f.More > lengthMost:
		return nil, fmt.Errorf("size_at is 1 to 64, and more 0 to %d", lengthMost)
	case f.SizeAt == 0 && f.More != 0:
		return nil, errors.New("more goes with size_at")
	}
	return made, nil
}

// fixedBytes reads a template without placeholders; nil where there is none.
func fixedBytes(text, inHex string) ([]byte, error) {
	t, err := parseText(text)
	switch {
	case text != "" && inHex != "":
		return nil, errors.New("it is given as text and in hex; one of them")
	case inHex != "":
		t, err = parseHex(inHex, false)
	case text == "":
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(t.names()) > 0 {
		return nil, errors.New("it has placeholders, which have no meaning here")
	}
	return t.render(nil)
}

// split returns the length of the first frame in got, 0 while there is none. What stands before the
// start of a frame is cut off as a frame of its own, which nothing accepts.
func (f *framer) split(got []byte) int {
	if len(f.start) > 0 {
		at := bytes.Index(got, f.start)
		if at < 0 { // the end of it may be the beginning of a start
			for at = max(0, len(got)-len(f.start)+1); at < len(got) && !bytes.HasPrefix(f.start, got[at:]); at++ {
			}
		}
		if at > 0 {
			return at
		}
		if len(got) < len(f.start) {
			return 0
		}
	}
	switch n := f.length; {
	case f.end != nil:
		if i := bytes.Index(got[len(f.start):], f.end); i >= 0 {
			return len(f.start) + i + len(f.end)
		}
		return 0
	case f.sizeAt > 0:
		if len(got) < f.sizeAt {
			return 0
		}
		n = max(int(got[f.sizeAt-1])+f.more, f.sizeAt, len(f.start))
		fallthrough
	default:
		if len(got) < n {
			return 0
		}
		return n
	}
}

// text is a frame as expressions see it: without its end, and without what is blank around it.
func (f *framer) text(frame []byte) string {
	if f != nil && f.end != nil {
		frame = bytes.TrimSuffix(frame, f.end)
	}
	return strings.Trim(latin(frame), "\r\n\t \x00")
}
