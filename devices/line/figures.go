package line

import (
	"errors"
	"slices"
	"time"
)

// Histogram counts how long something took. The zero value is ready; it is guarded by whoever has it.
type Histogram struct {
	Count uint64
	Sum   time.Duration
	In    [bounds]uint64 // how many took no longer than Bound(i), and longer than the one before
}

const bounds = 15 // from a millisecond to sixteen seconds

// Bound returns the upper bound of the i-th interval.
func Bound(i int) time.Duration { return time.Millisecond << i }

// Observe takes one duration in.
func (h *Histogram) Observe(d time.Duration) {
	h.Count++
	h.Sum += d
	for i := range h.In {
		if d <= Bound(i) {
			h.In[i]++
			return
		}
	}
}

// Figures are what a line has done since it was made.
type Figures struct {
	Opened uint64 // connections
	// How long exchanges waited until their turn: those that somebody waits for, and polls.
	WaitPerson, WaitPoll Histogram
	Wire                 Histogram // from the turn to the reply, or to the end of the patience
	Units                []UnitFigures
}

// UnitFigures are what became of the exchanges with one unit, as far as UnitHealth does not have it.
type UnitFigures struct {
	Unit     string
	TimedOut uint64
	Garbled  uint64
}

// Figures returns what the line has done until now.
func (l *Line) Figures() Figures {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.figures
	f.Units = slices.Clone(f.Units)
	return f
}

// count notes an exchange that is over. The caller holds mu.
func (f *Figures) count(unit string, urgency Urgency, waited, took time.Duration, err error) {
	if urgency == Poll {
		f.WaitPoll.Observe(waited)
	} else {
		f.WaitPerson.Observe(waited)
	}
	f.Wire.Observe(took)
	i := slices.IndexFunc(f.Units, func(u UnitFigures) bool { return u.Unit == unit })
	if i < 0 {
		i = len(f.Units)
		f.Units = append(f.Units, UnitFigures{Unit: unit})
	}
	switch {
	case errors.Is(err, ErrNoReply):
		f.Units[i].TimedOut++
	case errors.Is(err, ErrGarbled):
		f.Units[i].Garbled++
	}
}
