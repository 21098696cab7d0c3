package meeting

import (
	"slices"
	"time"
)

// Record is the service record of one meeting (会议服务记录): what was written down of it by itself.
type Record struct {
	Row
	Prepared, Began, Over time.Time // when it was first prepared, when it began and when it last ended; zero where it did not
	Entries               []Entry   // phases, ticks, teas, notes and checks, in their order
	Uses                  []Span    // of sources, as much as lies in the meeting
	Faults                []Span    // of equipment that lasted in it
}

// Record returns the record of a meeting; false where nothing is known of one.
func (b *Book) Record(id string) (Record, bool) {
	row, ok := b.Get(id)
	if !ok {
		return Record{}, false
	}
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	r := Record{Row: row}
	for _, e := range b.byID[id] {
		if e.Kind == KindPhase {
			switch e.Phase {
			case Preparing:
				if r.Prepared.IsZero() {
					r.Prepared = e.Time
				}
			case Session:
				if r.Began.IsZero() {
					r.Began = e.Time
				}
			case Ended:
				r.Over = e.Time
			}
		}
		if e.Kind != KindMeeting {
			r.Entries = append(r.Entries, e)
		}
	}
	from, to := r.Span()
	if from.IsZero() {
		return r, true
	}
	for _, s := range b.spans {
		if d := s.Overlap(from, to, now); d > 0 {
			start := s.From
			if start.Before(from) {
				start = from
			}
			r.Uses = append(r.Uses, Span{What: s.What, From: start, To: start.Add(d)})
		}
	}
	for _, s := range b.broken {
		if s.Overlap(from, to, now) > 0 {
			r.Faults = append(r.Faults, s)
		}
	}
	return r, true
}

// Span is the time that the meeting took of the room, as far as it has; the zero time where it has
// not begun.
func (r Record) Span() (from, to time.Time) {
	from, to = r.Prepared, r.Over
	if from.IsZero() {
		from = r.Began
	}
	if to.IsZero() || r.Phase != Ended {
		to = time.Now()
	}
	return from, to
}

// Records lists the records of the meetings that touch a time and that something was written down of.
func (b *Book) Records(from, to time.Time) []Record {
	var list []Record
	for _, row := range b.Between(from, to) {
		if r, ok := b.Record(row.ID); ok && len(r.Entries) > 0 {
			list = append(list, r)
		}
	}
	return list
}

// Checks returns the equipment checks of a time, oldest first.
func (b *Book) Checks(from, to time.Time) []Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.checks), func(e Entry) bool { return e.Time.Before(from) || !e.Time.Before(to) })
}

// Used adds up how long something was used in a time. What is in use now counts when it has ended.
func (b *Book) Used(what string, from, to time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	var sum time.Duration
	for _, s := range b.spans {
		if s.What == what {
			sum += s.Overlap(from, to, s.To)
		}
	}
	return sum
}
