// Package emergency makes a room obey the alarm of its building.
//
// While the contact says alarm, the room's hold lets nobody undo what the room file wishes, scenes are
// ended and held off, and what is wished is done at once and again whenever it is not so: before
// everything else on a line, side by side, as long as the alarm lasts. Guards hold as for anybody; what
// they refuse is asked again until they let it. When the contact says that all is clear the hold ends,
// and nothing is moved.
//
// A contact that cannot be read is a fault of the alarm line and nothing else: it begins no alarm and
// ends none, nor does a restart of the daemon.
package emergency

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"lectern/devices"
	"lectern/scenes/automatic"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

const (
	refusedWait = 250 * time.Millisecond // until a guard or a busy device is asked again, at least
	refusedMost = time.Second
	failedWait  = time.Second // until equipment that did not do it is asked again; doubled each time
	failedMost  = 30 * time.Second
	settleTime  = 5 * time.Second  // that equipment has to say that it did it
	firstTime   = 10 * time.Second // that a contact has at start before it is said that it cannot be read
)

// Emergency is one alarm and what it makes the room do.
type Emergency struct {
	Room    *room.Room
	Engine  *sequence.Engine
	Board   *automatic.Board
	Contact room.Match // with the one value that means alarm
	Set     []room.Wish
	Reason  devices.Phrase
	Journal *journal.Journal
	Log     *slog.Logger
}

var by = journal.By{Via: room.ViaEmergency}

// Run follows the contact until ctx ends. What is under way then is left as it is.
func (e *Emergency) Run(ctx context.Context) error {
	shown := room.Emergency{Reason: e.Reason, Fault: true}
	var acting context.CancelFunc
	var acts sync.WaitGroup
	defer acts.Wait()
	stop := func() {
		if acting != nil {
			acting()
			acts.Wait()
			acting = nil
		}
	}
	defer stop()
	begin := func() {
		e.Room.Hold(&room.Hold{Wishes: e.Set, Reason: e.Reason})
		e.Engine.Hold(&e.Reason)
		inner, cancel := context.WithCancel(ctx)
		acting = cancel
		for _, wishes := range byDevice(e.Set) {
			acts.Go(func() { e.keep(inner, wishes) })
		}
	}
	if e.Board.Alarm() { // it began in an earlier life, and nobody has said that it is over
		shown.On, shown.Since = true, time.Now().Round(0)
		begin()
	}
	first, cancel := context.WithTimeout(ctx, firstTime)
	_ = e.Room.Await(first, func() bool { _, known := e.judge(); return known || shown.On })
	cancel()
	told := false // of a fault of the line
	e.Room.PostEmergency(shown)
	for {
		on, known := e.judge()
		before := shown
		shown.Fault = !known
		switch {
		case !known && !told:
			told = true
			e.Log.Error("the contact of the alarm cannot be read; until it can, nobody knows of an alarm", "contact", e.Contact.String())
			e.note("line fault")
		case known && on && !before.On:
			shown.On, shown.Since = true, time.Now().Round(0)
			e.Log.Warn("alarm", "contact", e.Contact.String())
			e.note("alarm")
			e.Board.NoteAlarm(true)
			begin()
		case known && !on && before.On:
			shown.On, shown.Since = false, time.Now().Round(0)
			e.Log.Warn("all clear", "contact", e.Contact.String())
			e.note("all clear")
			e.Board.NoteAlarm(false)
			stop()
			e.Engine.Hold(nil)
			e.Room.Hold(nil)
		}
		if known {
			told = false
		}
		if shown != before {
			e.Room.PostEmergency(shown)
		}
		if e.Room.Await(ctx, func() bool { o, k := e.judge(); return o != on || k != known }) != nil {
			return nil
		}
	}
}

func (e *Emergency) note(what string) {
	e.Journal.Record(journal.Entry{Time: time.Now(), By: by, Device: e.Contact.Device, Property: e.Contact.Property, Outcome: what})
}

// judge reads the contact. Only what it reports itself, now, is known.
func (e *Emergency) judge() (on, known bool) {
	p, _ := e.Room.Get(e.Contact.Device, e.Contact.Property)
	if p.Quality != devices.Reported {
		return false, false
	}
	return slices.Contains(e.Contact.Values, p.Value), true
}

// byDevice groups wishes: those of one device are done one after the other, devices side by side.
func byDevice(all []room.Wish) [][]room.Wish {
	var groups [][]room.Wish
	for _, w := range all {
		i := slices.IndexFunc(groups, func(g []room.Wish) bool { return g[0].Device == w.Device })
		if i < 0 {
			groups = append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], w)
	}
	return groups
}

// keep does what is wished of one device, and again whenever it is not so, until ctx ends.
func (e *Emergency) keep(ctx context.Context, wishes []room.Wish) {
	done := make([]bool, len(wishes)) // it was taken once
	failed := failedWait
	for {
		wait := time.Duration(0)
		for i, w := range wishes {
			if e.kept(w, done[i]) {
				continue
			}
			outcome, err := e.Room.Do(ctx, room.Command{Device: w.Device, Property: w.Property, Value: w.Value, By: by})
			switch {
			case err != nil:
				e.Log.Error("the emergency wishes what the room has not", "error", err) // a checked room file never does
				return
			case ctx.Err() != nil:
				return
			case outcome.OK():
				done[i], failed = true, failedWait
				wait = shorter(wait, settleTime)
			case outcome.Result == devices.Refused || outcome.Result == devices.Superseded:
				wait = shorter(wait, min(max(time.Duration(outcome.Retry)*time.Second, refusedWait), refusedMost))
			default:
				wait = shorter(wait, failed)
				failed = min(2*failed, failedMost)
			}
		}
		if wait == 0 {
			if e.Room.Await(ctx, func() bool { return !e.all(wishes, done) }) != nil {
				return
			}
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}

func (e *Emergency) all(wishes []room.Wish, done []bool) bool {
	for i, w := range wishes {
		if !e.kept(w, done[i]) {
			return false
		}
	}
	return true
}

// kept reports whether what is wished is so, as far as the equipment says. A motor that was sent up is
// on its way or there: that it stands still at the end is what was wished.
func (e *Emergency) kept(w room.Wish, done bool) bool {
	p, _ := e.Room.Get(w.Device, w.Property)
	known := p.Quality == devices.Reported || p.Quality == devices.Assumed
	if known && p.Value == w.Value {
		return true
	}
	if w.Property != "motion" || !known || !done {
		return false
	}
	end := map[string]int{"up": 100, "down": 0}
	at, there := end[w.Value.String()]
	position, ok := e.Room.Get(w.Device, "position")
	return there && p.Value == devices.Word("stop") && (!ok || position.Quality == devices.Unknown || position.Value == devices.Int(at))
}
