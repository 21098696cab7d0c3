package meeting

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"lectern/devices"
	"lectern/scenes/room"
)

// Usable is a source of the room: it is in use while it is selected and everything it is shown on is on.
type Usable struct {
	ID       string
	On       string   // the device under which it is chosen
	Displays []string // projectors
}

// Watch writes down how long sources are used and equipment is broken.
type Watch struct {
	Room *room.Room
	Book *Book
	Uses []Usable
	Log  *slog.Logger
}

const (
	// useMost is how long a use is kept in memory only: a power failure loses no more of it.
	useMost = 10 * time.Minute
	// faultLeast is how long a device must have been away to be written down: a gap in a poll is none.
	faultLeast = 15 * time.Second
)

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	follow := w.Room.Subscribe(0)
	uses, faults := make(map[string]time.Time), make(map[string]*fault)
	down := make(map[string]string) // why a device is broken, by its id
	for {
		limited, done := context.WithTimeoutCause(ctx, faultLeast, errLook)
		u, err := follow.Next(limited)
		done()
		now := time.Now()
		if err != nil && ctx.Err() != nil {
			w.endUses(uses, now)
			return nil
		}
		if err == nil || errors.Is(err, errLook) {
			w.reach(u, down)
			w.uses(uses, now)
			w.faults(down, faults, now)
		}
	}
}

var errLook = errors.New("time to look")

// reach notes which devices are broken, by what has changed.
func (w *Watch) reach(u room.Update, down map[string]string) {
	for _, d := range u.Devices {
		if d.Fed && !d.Online && d.Error != "" {
			down[d.Device] = d.Error
		} else {
			delete(down, d.Device)
		}
	}
}

func (w *Watch) uses(since map[string]time.Time, now time.Time) {
	for _, use := range w.Uses {
		from, running := since[use.ID]
		switch is := w.inUse(use); {
		case is && !running:
			since[use.ID] = now
		case running && (!is || now.Sub(from) >= useMost):
			w.keepUse(use.ID, from, now)
			if delete(since, use.ID); is {
				since[use.ID] = now
			}
		}
	}
}

func (w *Watch) endUses(since map[string]time.Time, now time.Time) {
	for _, use := range w.Uses {
		if from, running := since[use.ID]; running {
			w.keepUse(use.ID, from, now)
		}
	}
}

func (w *Watch) keepUse(id string, from, to time.Time) {
	if err := w.Book.Add(Entry{Kind: KindUse, Time: to, Span: &Span{What: id, From: from, To: to}}); err != nil {
		w.Log.Error("a use was not written down", "source", id, "error", err)
	}
}

func (w *Watch) inUse(u Usable) bool {
	chosen, _ := w.Room.Get(u.On, "selected")
	if chosen.Value != devices.Word(u.ID) || chosen.Quality == devices.Stale || chosen.Quality == devices.Unknown {
		return false
	}
	for _, d := range u.Displays {
		if p, ok := w.Room.Get(d, "power"); ok && p.Value.String() != "on" && !p.Value.Bool() {
			return false
		}
	}
	return true
}

// fault is one that lasts.
type fault struct {
	span Span
	told bool // it is in the book
}

func (w *Watch) faults(down map[string]string, all map[string]*fault, now time.Time) {
	for _, id := range w.Room.Devices() {
		why, broken := down[id]
		if p, ok := w.Room.Get(id, "fault"); ok && !broken && p.Quality == devices.Reported && p.Value.String() != "" {
			why, broken = p.Value.String(), true
		}
		f := all[id]
		switch {
		case broken && f == nil:
			all[id] = &fault{span: Span{What: id, From: now, Text: bounded(why, titleMost)}}
			continue
		case broken && !f.told && now.Sub(f.span.From) >= faultLeast:
			f.told = true
		case !broken && f != nil:
			delete(all, id)
			if f.span.To = now; !f.told {
				continue
			}
		default:
			continue
		}
		if err := w.Book.Add(Entry{Kind: KindFault, Time: now, Span: &f.span}); err != nil {
			w.Log.Error("a fault was not written down", "device", id, "error", err)
		}
	}
}
