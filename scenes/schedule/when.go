// Package schedule does things at times of day, by the wall clock of the room's own time zone.
//
// A time that a change of the clocks leaves out comes once, right after the gap; one that is there
// twice comes once, the first time. What is late by more than Grace is not done: not what the clock
// was put over, not what was due while the daemon was down. A clock that is put back does nothing twice.
package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// When says at which times something happens. The zero When never does.
type When struct {
	Zone *time.Location
	// Lines are the times on the days that are not taken out: cron lines, read as a clock on the wall.
	Lines []cron.Schedule
	// Also are times on the days of ExtraDays, whatever the other days.
	Also []cron.Schedule

	Extra func(day string) bool // a date in Also; nil for none
	Skip  func(day string) bool // a date that Lines leave out; nil for none
}

// Next returns the first time after t at which it happens; zero where it never does in the five years
// that cron looks ahead.
func (w When) Next(t time.Time) time.Time {
	var first time.Time
	take := func(lines []cron.Schedule, may func(day string) bool) {
		for _, line := range lines {
			if next := w.next(line, t, may); !next.IsZero() && (first.IsZero() || next.Before(first)) {
				first = next
			}
		}
	}
	take(w.Lines, func(day string) bool { return w.Skip == nil || !w.Skip(day) })
	take(w.Also, func(day string) bool { return w.Extra != nil && w.Extra(day) })
	return first
}

// next looks for the next time of one line. What the clock on the wall says is reckoned as if it were
// UTC, which has no gaps and nothing twice, and turned into a moment at the end.
func (w When) next(line cron.Schedule, t time.Time, may func(day string) bool) time.Time {
	// A moment before t can stand later on the wall, by as much as the clock was put back; so it begins
	// a day earlier and leaves out what is over.
	wall := onWall(t, w.Zone).Add(-24 * time.Hour)
	for end := wall.AddDate(5, 0, 0); wall.Before(end); {
		wall = line.Next(wall)
		if wall.IsZero() {
			return wall
		}
		if !may(wall.Format(time.DateOnly)) {
			wall = time.Date(wall.Year(), wall.Month(), wall.Day(), 23, 59, 59, 0, time.UTC)
			continue
		}
		if at := moment(wall, w.Zone); at.After(t) {
			return at
		}
	}
	return time.Time{}
}

// onWall is what the clock on the wall shows, as if it were UTC.
func onWall(t time.Time, zone *time.Location) time.Time {
	t = t.In(zone)
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// moment is when a clock on the wall first shows a time; where it never does, the end of the gap.
func moment(wall time.Time, zone *time.Location) time.Time {
	guess := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	start, end := guess.ZoneBounds() // the guess is on one side of a change or the other
	var found time.Time
	for _, near := range []time.Time{guess, start.Add(-1), end} {
		_, offset := near.In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		if onWall(at, zone).Equal(wall) && (found.IsZero() || at.Before(found)) {
			found = at
		}
	}
	if !found.IsZero() {
		return found
	}
	for _, change := range []time.Time{start, end} {
		if !change.IsZero() && onWall(change.Add(-1), zone).Before(wall) && onWall(change, zone).After(wall) {
			return change
		}
	}
	return guess
}
