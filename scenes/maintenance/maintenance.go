// Package maintenance is the time in which people work on a room: what fails then is no news. While it
// stands the equipment check opens no repair orders and nobody outside is told of anything. It ends by
// itself, at a time that who begins it must give, so that a room cannot be forgotten in it.
package maintenance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"lectern/scenes/journal"
	"lectern/scenes/ledger"
)

const (
	// Most is how long maintenance may last.
	Most = 7 * 24 * time.Hour

	byMost   = 20  // characters of who begins it
	noteMost = 200 // characters of why

	// look is how often the clock on the wall is looked at: it may be set meanwhile.
	look = time.Minute
)

// Why maintenance does not begin.
var (
	ErrTime = errors.New("maintenance ends later than now, and within 7 days")
	ErrNote = errors.New("say who works on the room and why")
)

// Window is one time of maintenance. The zero Window is none.
type Window struct {
	By    string    `json:"by"`
	Note  string    `json:"note"`
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// entry is one line of the book: a window that was begun, or who ended the one before.
type entry struct {
	Window
	Ended bool `json:"ended,omitempty"` // By and From say who and when
}

// Mode says whether maintenance stands. It may be used from any goroutine.
type Mode struct {
	store   ledger.Store
	journal *journal.Journal

	mu     sync.Mutex
	window Window        // zero where none stands
	turn   chan struct{} // closed when that changes
}

// New reads how an earlier life of the daemon left it, from its book.
func New(store ledger.Store, j *journal.Journal) (*Mode, error) {
	m := &Mode{store: store, journal: j, turn: make(chan struct{})}
	err := store.Read(func(line []byte) error {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("reading the book of maintenance: %w; mend the line or move the file away", err)
		}
		if m.window = e.Window; e.Ended {
			m.window = Window{}
		}
		return nil
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was reading
	}
	return m, nil
}

// Now returns the window that stands.
func (m *Mode) Now() (Window, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now(time.Now())
}

func (m *Mode) now(at time.Time) (Window, bool) {
	if !at.Before(m.window.Until) {
		return Window{}, false
	}
	return m.window, true
}

// Watch returns a channel that is closed when next Now changes, where Run runs.
func (m *Mode) Watch() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.turn
}

// Begin begins maintenance, or gives that which stands another end. It is on the disk when Begin
// returns nil. Other errors than ErrTime and ErrNote are of the disk; nothing has changed then.
func (m *Mode) Begin(by, note string, until time.Time) error {
	by, note = strings.TrimSpace(by), strings.Join(strings.Fields(note), " ")
	now := time.Now()
	switch n := len([]rune(by)); {
	case n == 0, n > byMost, note == "", len([]rune(note)) > noteMost:
		return ErrNote
	case !until.After(now), until.After(now.Add(Most)):
		return ErrTime
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	w := Window{By: by, Note: note, From: now.Round(0), Until: until.Round(0)}
	if before, stands := m.now(now); stands {
		w.From = before.From
	}
	return m.write(entry{Window: w}, w, journal.Entry{Outcome: "maintenance begun", Detail: "until " + until.Format(time.RFC3339) + ": " + note})
}

// End ends the maintenance that stands. Where none does it does nothing.
func (m *Mode) End(by string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if _, stands := m.now(now); !stands {
		return nil
	}
	return m.write(entry{Window: Window{By: by, From: now.Round(0)}, Ended: true}, Window{}, journal.Entry{Outcome: "maintenance ended"})
}

// write puts a change on the disk, and then tells it. The caller holds mu.
func (m *Mode) write(e entry, to Window, told journal.Entry) error {
	line, err := json.Marshal(e)
	if err == nil {
		err = m.store.Append(line)
	}
	if err != nil {
		return fmt.Errorf("keeping maintenance: %w", err)
	}
	m.window = to
	told.Time, told.By = time.Now(), journal.By{Via: "staff", Name: e.By}
	m.changed(told)
	return nil
}

// changed wakes who watches. The caller holds mu.
func (m *Mode) changed(told journal.Entry) {
	m.journal.Record(told)
	close(m.turn)
	m.turn = make(chan struct{})
}

// Run ends maintenance when its time is over, until ctx ends.
func (m *Mode) Run(ctx context.Context) error {
	for {
		m.mu.Lock()
		now, turn := time.Now(), m.turn
		if w, stands := m.now(now); !stands && !w.Until.Equal(m.window.Until) {
			m.window = Window{}
			m.changed(journal.Entry{Time: now, By: journal.By{Via: "daemon"}, Outcome: "maintenance ended", Detail: "its time is over"})
			turn = m.turn
		}
		wait := look
		if left := m.window.Until.Sub(now.Round(0)); left > 0 && left < wait {
			wait = left
		}
		m.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-turn:
		case <-time.After(wait):
		}
	}
}
