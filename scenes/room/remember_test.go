package room

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/journal"
)

// life is a room with the guard of a projector's mains, and a journal in the folder.
func life(t *testing.T, folder string, hold time.Duration) (r *Room, beam, mains *thing, end func()) {
	t.Helper()
	j := journal.Open(folder, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.Run(ctx) })
	guard := mainsGuard()
	guard.For = hold
	beam, mains = projector(), circuit()
	r = newRoom(t, Config{
		Members: []Member{{ID: "projector", Mains: "mains", Device: beam}, {ID: "mains", Device: mains}}, Guards: []Guard{guard}, Journal: j,
		Sources: []Source{{ID: "pc", On: "sources", Set: []Wish{{"projector", "input", devices.Word("hdmi1")}}}},
	})
	return r, beam, mains, func() { cancel(); wg.Wait() }
}

func TestAStartShowsWhatWasAsStaleUntilTheEquipmentSpeaks(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		_, beam, mains, end := life(t, folder, 0)
		beam.report.Report("power", devices.Word("off"), devices.Reported)
		beam.report.Report("input", devices.Word("hdmi2"), devices.Assumed)
		beam.report.Report("remaining", devices.Value{}, devices.Unknown)
		mains.report.Report("power", devices.Bool(true), devices.Reported)
		seen := time.Now()
		end()
		time.Sleep(time.Hour)

		r, again, also, end := life(t, folder, 0)
		beam, mains = again, also
		defer end()
		p, _ := r.Get("projector", "power")
		if p.Value != devices.Word("off") || p.Quality != devices.Stale || !p.Remembered || !p.Seen.Equal(seen) {
			t.Errorf("%+v", p)
		}
		if p, _ := r.Get("projector", "input"); p.Value != devices.Word("hdmi2") || p.Quality != devices.Stale {
			t.Errorf("%+v", p)
		}
		if p, _ := r.Get("projector", "remaining"); !p.Value.IsZero() || p.Remembered {
			t.Errorf("unknown was remembered: %+v", p)
		}
		if p, _ := r.Get("sources", "selected"); p.Remembered {
			t.Errorf("what is worked out was remembered: %+v", p)
		}
		if beam.done()+mains.done() > 0 {
			t.Errorf("the equipment was told %v %v", beam.did, mains.did)
		}
		if !r.Awaited("projector", "power") {
			t.Error("what is remembered counts as read")
		}
		beam.report.Report("power", devices.Word("off"), devices.Reported)
		p, _ = r.Get("projector", "power")
		if p.Quality != devices.Reported || p.Remembered || !p.Seen.Equal(time.Now()) || !p.Since.Equal(time.Now()) || r.Awaited("projector", "power") {
			t.Errorf("after the equipment has spoken: %+v", p)
		}
		mains.report.Report("power", devices.Bool(false), devices.Reported)
		if p, _ := r.Get("projector", "input"); !p.Value.IsZero() || p.Remembered || r.Awaited("projector", "input") {
			t.Errorf("without mains: %+v", p)
		}
	})
}

// The projector was off before; who knows what it is now?
func TestNoGuardJudgesByWhatIsRemembered(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		_, beam, mains, end := life(t, folder, time.Minute)
		beam.report.Report("power", devices.Word("off"), devices.Reported)
		mains.report.Report("power", devices.Bool(true), devices.Reported)
		time.Sleep(time.Hour)
		end()

		r, beam, mains, end := life(t, folder, time.Minute)
		defer end()
		mains.report.Report("power", devices.Bool(true), devices.Reported)
		beam.refresh = func(*thing) error { return errors.New("no answer") }
		if o := do(t, r, "mains", "power", false); o.Result != devices.Refused {
			t.Errorf("the mains went off: %+v", o)
		}
		// Off it is, but nobody saw for how long.
		beam.refresh = func(b *thing) error { b.report.Report("power", devices.Word("off"), devices.Reported); return nil }
		if o := do(t, r, "mains", "power", false); o.Result != devices.Refused || o.Retry != 60 {
			t.Errorf("the time before the start counts: %+v", o)
		}
		time.Sleep(time.Minute)
		if o := do(t, r, "mains", "power", false); o.Result != devices.Done {
			t.Errorf("%+v", o)
		}
	})
}

func TestChangesOfHealthAreInTheJournal(t *testing.T) {
	j := journal.Open("", slog.New(slog.DiscardHandler))
	r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: circuit()}}, Journal: j})
	unit := func(silent bool) line.Health {
		return line.Health{Line: "bus", Up: true, Units: []line.UnitHealth{{Unit: "3", Silent: silent, Error: "no reply"}}}
	}
	for _, h := range []line.Health{{Line: "bus"}, {Line: "bus", Up: true}, unit(false), unit(true), unit(true), unit(false), {Line: "bus", Error: "unplugged"}, {Line: "bus", Error: "still"}} {
		r.PostLine(h)
	}
	var told []string
	for _, e := range slices.Backward(j.Latest(0, 10)) {
		told = append(told, e.Line+e.Unit+" "+e.Outcome+" "+e.Detail)
	}
	if want := []string{"bus up ", "bus3 silent no reply", "bus3 heard ", "bus down unplugged"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestTheStorageIsPartOfTheState(t *testing.T) {
	r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: circuit()}}})
	follow := r.Subscribe(0)
	if u, _ := follow.Next(context.Background()); u.Storage != nil {
		t.Errorf("%+v", u.Storage)
	}
	r.PostStorage(journal.Health{Error: "full"})
	u, err := follow.Next(context.Background())
	if err != nil || u.Storage == nil || u.Storage.Error != "full" || len(u.Properties) > 0 {
		t.Errorf("%+v, %v", u, err)
	}
	if s := r.State().Storage; s == nil || s.OK {
		t.Errorf("%+v", s)
	}
}

// A journal that nobody runs never commits: whoever waits for it waits as long as it lets them.
func TestAnOutcomeIsToldWhenTheJournalHasIt(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j := journal.Open(folder, slog.New(slog.DiscardHandler))
		defer j.Close()
		lamp := circuit()
		var wired time.Time
		lamp.set = func(_ context.Context, l *thing, p string, v devices.Value) error {
			wired = time.Now()
			l.report.Report(p, v, devices.Reported)
			return nil
		}
		r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: lamp}}, Journal: j})
		pressed := time.Now()
		do(t, r, "lamp", "power", true)
		if !wired.Equal(pressed) {
			t.Errorf("the wire waited %s for the disk", wired.Sub(pressed))
		}
		if h, _ := j.Health(); h.Late != 1 || !time.Now().After(pressed) {
			t.Error("the outcome was told before it was kept")
		}
	})
}
