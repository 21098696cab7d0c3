package schedule

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"lectern/devices"
	"lectern/scenes/automatic"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

// Grace is how late something may be done. It bridges a machine that is busy and a clock that is put
// right by seconds; what is later is not done any more.
const Grace = time.Minute

// look is how often the clock on the wall is looked at, at least: timers do not notice that it was put.
const look = 20 * time.Second

// set is the year before which no clock is believed: a machine without a battery begins in 1970.
const set = 2025

// Entry is one thing that happens at times of day.
type Entry struct {
	ID   string
	Name devices.Phrase
	When When
	Set  []room.Wish
	Run  string // a scene
}

// Schedule does its entries at their times.
type Schedule struct {
	Engine  *sequence.Engine
	Board   *automatic.Board
	Entries []Entry
	Journal *journal.Journal
	Log     *slog.Logger
	// Now is the clock on the wall; nil for the machine's.
	Now func() time.Time

	mu     sync.Mutex
	others *[]Entry      // that are to take the place of Entries; nil for none
	told   chan struct{} // closed when others are set
}

// Replace puts other entries in the place of those there are. What was due before is done by the old ones
// and by no new one; what is being done is done to the end.
func (s *Schedule) Replace(entries []Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others = &entries
	if s.told != nil {
		close(s.told)
		s.told = nil
	}
}

// take takes the entries that Replace gave, and returns what is closed when it gives others.
func (s *Schedule) take() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.others != nil {
		s.Entries, s.others = *s.others, nil
	}
	if s.told == nil {
		s.told = make(chan struct{})
	}
	return s.told
}

// Run watches the clock until ctx ends. What was due before is over.
func (s *Schedule) Run(ctx context.Context) error {
	var acts sync.WaitGroup
	defer acts.Wait()
	l := newLife(s.now())
	for {
		replaced, switched := s.take(), s.Board.Switched()
		next := s.plan(l)
		wait := look
		if left := next.Sub(l.to); !next.IsZero() {
			wait = max(min(wait, left), time.Millisecond)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-switched:
		case <-replaced:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		timer.Stop()
		s.pass(ctx, l, &acts)
	}
}

func (s *Schedule) now() time.Time {
	if s.Now != nil {
		return s.Now().Round(0)
	}
	return time.Now().Round(0) // without the monotonic clock, which does not know what the wall says
}

// plan tells the board when each entry comes next, and returns the first of these times.
func (s *Schedule) plan(l *life) (first time.Time) {
	for _, e := range s.Entries {
		if !s.Board.On(automatic.Schedule, e.ID) {
			continue
		}
		next := l.next(e.When, l.to)
		s.Board.Plan(automatic.Schedule, e.ID, next, time.Time{})
		if !next.IsZero() && (first.IsZero() || next.Before(first)) {
			first = next
		}
	}
	return first
}

// pass lives on to now, and does what has come since the last time.
func (s *Schedule) pass(ctx context.Context, l *life, acts *sync.WaitGroup) {
	now := s.now()
	before := l.to
	if now.Before(before) || now.Sub(before) > Grace+look {
		s.Log.Warn("the clock was put", "from", before.Format(time.RFC3339), "to", now.Format(time.RFC3339))
	}
	if now.Year() < set {
		if before.Year() >= set {
			l.leap(now)
		}
		l.from, l.to = now, now
		return
	}
	since := before
	if !now.Before(before) && now.Sub(before) > Grace {
		since = now.Add(-Grace)
	}
	for _, e := range s.Entries {
		on := s.Board.On(automatic.Schedule, e.ID)
		if missed := l.next(e.When, before); on && before.Year() >= set && !missed.IsZero() && !missed.After(since) && !since.Equal(before) {
			s.Log.Warn("the clock was put over a time of the schedule; it is not done late", "entry", e.ID, "due", missed.Format(time.RFC3339))
			s.Journal.Record(journal.Entry{Time: now, By: journal.By{Via: "schedule", Name: e.ID}, Scene: e.Run, Outcome: automatic.Missed, Detail: "due " + missed.Format(time.RFC3339)})
			s.Board.Did(automatic.Schedule, e.ID, devices.Outcome{Result: automatic.Missed, Reason: devices.Phrase{ZH: "时钟被调整，已错过", EN: "The clock was put over it"}})
		}
		due := l.next(e.When, since)
		if !on || due.IsZero() || due.After(now) {
			continue
		}
		acts.Go(func() { s.do(ctx, e) })
	}
	switch {
	case now.Before(before):
		l.leap(now)
	case since != before:
		l.leap(since)
	}
	l.to = maxTime(l.to, now)
}

func (s *Schedule) do(ctx context.Context, e Entry) {
	s.Log.Info("the schedule acts", "entry", e.ID)
	s.Engine.Act(ctx, e.Set, e.Run, journal.By{Via: "schedule", Name: e.ID}, func(o devices.Outcome) {
		s.Board.Did(automatic.Schedule, e.ID, o)
	})
}

// life is the time that was lived through by the clock on the wall: what it has, has had its turn. A
// clock that is put begins another span; one that is put back comes into spans that are over.
type life struct {
	from, to time.Time // the span under way
	over     [][2]time.Time
}

// spansMost bounds how often the clock may be put before the oldest is forgotten.
const spansMost = 64

func newLife(now time.Time) *life { return &life{from: now, to: now} }

// leap begins another span.
func (l *life) leap(now time.Time) {
	l.over = append(l.over, [2]time.Time{l.from, l.to})
	if len(l.over) > spansMost {
		l.over = l.over[1:]
	}
	l.from, l.to = now, now
}

// next is the next time after t that has not had its turn.
func (l *life) next(w When, t time.Time) time.Time {
	next := w.Next(t)
	for !next.IsZero() {
		had := false
		for _, span := range l.over {
			if next.After(span[0]) && !next.After(span[1]) {
				had, t = true, span[1]
				break
			}
		}
		if !had {
			return next
		}
		next = w.Next(t)
	}
	return next
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
