package meeting

import (
	"slices"
	"time"

	"lectern/scenes/ledger"
)

// Figures are what a time adds up to.
type Figures struct {
	From, To  time.Time
	Meetings  int // that were held
	CalledOff int
	Held      time.Duration // from begin to end, all of them together
	Days      []Day
	Use       map[string]time.Duration // by source
	Faults    map[string]int           // by device: how many began
	Down      map[string]time.Duration // by device
	Orders    int                      // opened
	Closed    int                      // of them
	// Answer is how long it took until staff took up each order that has been; Repair until it was fixed.
	Answer, Repair []time.Duration
}

// Day is one day of a month.
type Day struct {
	Date     time.Time
	Meetings int
	Held     time.Duration
}

// Figures adds up a time, which is one of whole days in the room's zone.
func (b *Book) Figures(from, to time.Time, orders []ledger.Order) Figures {
	now := time.Now()
	f := Figures{From: from, To: to, Use: make(map[string]time.Duration), Faults: make(map[string]int), Down: make(map[string]time.Duration)}
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		f.Days = append(f.Days, Day{Date: day})
	}
	for _, row := range b.Between(from.Add(-back), to.Add(back)) {
		r, _ := b.Record(row.ID)
		if row.Cancelled && !row.Start.Before(from) && row.Start.Before(to) {
			f.CalledOff++
		}
		if r.Began.IsZero() || r.Began.Before(from) || !r.Began.Before(to) {
			continue
		}
		_, end := r.Span()
		f.Meetings++
		f.Held += end.Sub(r.Began)
		for i := range f.Days {
			if next := f.Days[i].Date.AddDate(0, 0, 1); !r.Began.Before(f.Days[i].Date) && r.Began.Before(next) {
				f.Days[i].Meetings++
				f.Days[i].Held += end.Sub(r.Began)
			}
		}
	}
	b.mu.Lock()
	for _, s := range b.spans {
		if d := s.Overlap(from, to, now); d > 0 {
			f.Use[s.What] += d
		}
	}
	for _, s := range b.broken {
		if !s.From.Before(from) && s.From.Before(to) {
			f.Faults[s.What]++
		}
		if d := s.Overlap(from, to, now); d > 0 {
			f.Down[s.What] += d
		}
	}
	b.mu.Unlock()
	for _, o := range orders {
		opened := o.First().Time
		if opened.Before(from) || !opened.Before(to) {
			continue
		}
		f.Orders++
		if o.State() == ledger.Confirmed {
			f.Closed++
		}
		if at := o.Answered(); !at.IsZero() {
			f.Answer = append(f.Answer, at.Sub(opened))
		}
		if s, ok := o.At(ledger.Fixed); ok {
			f.Repair = append(f.Repair, s.Time.Sub(opened))
		}
	}
	slices.Sort(f.Answer)
	slices.Sort(f.Repair)
	return f
}

// Median is the middle of sorted times; zero of none.
func Median(d []time.Duration) time.Duration {
	switch n := len(d); {
	case n == 0:
		return 0
	case n%2 == 1:
		return d[n/2]
	default:
		return (d[n/2-1] + d[n/2]) / 2
	}
}
