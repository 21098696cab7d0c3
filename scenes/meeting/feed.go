package meeting

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	back  = 36 * time.Hour      // meetings that are over for longer are for the records
	ahead = 15 * 24 * time.Hour // what staff prepare for
)

// lastGood is the file of the data folder with the last calendar that could be read, so that a restart
// without a network finds the day's meetings.
const lastGood = "calendar.ics"

// Feed follows a calendar.
type Feed struct {
	source *source
	every  time.Duration
	room   *time.Location
	where  string
	path   string // of the last good one; "" for nowhere
	log    *slog.Logger

	mu     sync.Mutex
	text   string // the last good one
	read   Calendar
	health FeedHealth
	fresh  chan struct{} // somebody wants it now
}

// FeedHealth says how well the calendar is known.
type FeedHealth struct {
	Place string    // where it comes from
	Asked time.Time // when it was last asked for
	Good  time.Time // when it was last good; zero: never
	Since time.Time // since when it has not been; zero where it is
	Error string
	// Unread counts events of the last good one that could not be understood, Why is the first reason.
	Unread int
	Why    string
}

func newFeed(c Config) *Feed {
	f := &Feed{source: newSource(c.Calendar), every: c.Every, room: c.Zone, where: c.Where, log: c.Log, fresh: make(chan struct{}, 1)}
	f.health.Place = f.source.place()
	if c.Folder != "" {
		f.path = filepath.Join(c.Folder, lastGood)
		if info, err := os.Stat(f.path); err == nil && info.Size() <= calendarMost {
			if b, err := os.ReadFile(f.path); err == nil && f.take(string(b), time.Now()) == nil {
				f.health.Good = info.ModTime()
			}
		}
	}
	return f
}

// Run fetches the calendar until ctx ends.
func (f *Feed) Run(ctx context.Context) error {
	for {
		f.look(ctx)
		select {
		case <-time.After(f.every):
		case <-f.fresh:
		case <-ctx.Done():
			return nil
		}
	}
}

// Refresh has the calendar fetched now.
func (f *Feed) Refresh() {
	select {
	case f.fresh <- struct{}{}:
	default:
	}
}

func (f *Feed) look(ctx context.Context) {
	text, err := f.source.fetch(ctx)
	now := time.Now()
	if errors.Is(err, errSame) {
		f.mu.Lock()
		text = f.text
		f.mu.Unlock()
		err = f.take(text, now) // the time has moved on, and with it what is near
	} else if err == nil {
		if err = f.take(text, now); err == nil {
			f.keep(text)
		}
	}
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.health.Asked = now
	if err == nil {
		if !f.health.Since.IsZero() {
			f.log.Info("the calendar is back", "from", f.health.Place)
		}
		f.health.Good, f.health.Since, f.health.Error = now, time.Time{}, ""
		return
	}
	f.source.forget()
	f.health.Error = bounded(err.Error(), 300)
	if f.health.Since.IsZero() {
		f.health.Since = now
		f.log.Warn("the calendar cannot be had; the room goes on with the last good one", "from", f.health.Place, "error", err)
	}
}

// take reads a calendar and, where it can be read, goes by it.
func (f *Feed) take(text string, now time.Time) error {
	read, err := Parse(text, f.room, now.Add(-back), now.Add(ahead), f.where)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text, f.read = text, read
	f.health.Unread, f.health.Why = read.Unread, read.Why
	return nil
}

// keep writes the last good calendar beside the other data, whole or not at all.
func (f *Feed) keep(text string) {
	if f.path == "" {
		return
	}
	err := os.WriteFile(f.path+".new", []byte(text), 0o640)
	if err == nil {
		err = os.Rename(f.path+".new", f.path)
	}
	if err != nil {
		f.log.Error("keeping the calendar for the next start", "error", err)
	}
}

func (f *Feed) meetings() ([]Meeting, FeedHealth) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read.Meetings, f.health
}
