package line

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	ringMost  = 512
	traceMost = 160 // bytes kept of a frame
)

// Entry is one line of the trace: a frame, or something that happened to the port.
type Entry struct {
	Seq   uint64        `json:"seq"`
	Time  time.Time     `json:"time"`
	Line  string        `json:"line"`
	Unit  string        `json:"unit,omitempty"`
	Dir   string        `json:"dir"`            // "tx", "rx", "noise", "event" of the port or "error" of an exchange
	Bytes []byte        `json:"-"`              // the frame, bounded
	Note  string        `json:"note,omitempty"` // in words
	Took  time.Duration `json:"took,omitempty"` // rx: from the end of the write to the whole reply
}

// Wrong reports whether the entry tells of something that is not as it should be.
func (e Entry) Wrong() bool {
	return e.Dir == "noise" || e.Dir == "error" || e.Dir == "event" && strings.HasPrefix(e.Note, closed)
}

// closed begins the note of a port that was lost.
const closed = "closed: "

// MarshalJSON adds the frame in spaced hexadecimal.
func (e Entry) MarshalJSON() ([]byte, error) {
	type plain Entry
	b, err := json.Marshal(struct {
		plain
		Hex string `json:"hex,omitempty"`
	}{plain(e), fmt.Sprintf("% X", e.Bytes)})
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return b, nil
}

// record is an entry as the ring holds it: its words are made when somebody reads them.
type record struct {
	Entry
	frame   [traceMost]byte
	length  int // of the whole frame
	explain func([]byte) string
}

// ring holds the last entries.
type ring struct {
	mu      sync.Mutex
	seq     uint64
	records [ringMost]record
	more    chan struct{}
	awaited bool
}

func (r *ring) add(e Entry, frame []byte, explain func([]byte) string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	to := &r.records[r.seq%ringMost]
	e.Seq, e.Time = r.seq, time.Now()
	to.Entry, to.length, to.explain = e, len(frame), explain
	copy(to.frame[:], frame)
	if r.awaited {
		close(r.more)
		r.more, r.awaited = make(chan struct{}), false
	}
}

// Trace returns what the ring holds after the entry with the given number, decoded, oldest first,
// and a channel that is closed when there is more.
func (l *Line) Trace(after uint64) ([]Entry, <-chan struct{}) {
	r := &l.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	first := after + 1
	if r.seq >= ringMost && first <= r.seq-ringMost {
		first = r.seq - ringMost + 1
	}
	var entries []Entry
	for seq := first; seq <= r.seq; seq++ {
		from := r.records[seq%ringMost]
		e := from.Entry
		e.Bytes = append([]byte(nil), from.frame[:min(from.length, traceMost)]...)
		if from.explain != nil {
			e.Note = strings.TrimPrefix(e.Note+", "+from.explain(e.Bytes), ", ")
		}
		if from.length > traceMost {
			e.Note = strings.TrimPrefix(fmt.Sprintf("%s (%d bytes)", e.Note, from.length), " ")
		}
		entries = append(entries, e)
	}
	r.awaited = true
	return entries, r.more
}
