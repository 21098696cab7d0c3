package schedule

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/robfig/cron/v3"
	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/scenes/automatic"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lamp notes when it was switched, by the clock on the wall.
type lamp struct {
	wall   func() time.Time
	report devices.Reporter
	mu     sync.Mutex
	did    []string
}

func (*lamp) Properties() []devices.Property {
	return []devices.Property{{Name: "power", Kind: devices.KindBool, Settable: true}}
}
func (l *lamp) Bind(r devices.Reporter)       { l.report = r }
func (l *lamp) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (l *lamp) Refresh(context.Context) error { return nil }
func (l *lamp) Set(_ context.Context, p string, v devices.Value) error {
	l.mu.Lock()
	l.did = append(l.did, l.wall().Format("02 15:04:05"))
	l.mu.Unlock()
	l.report.Report(p, v, devices.Reported)
	return nil
}

func (l *lamp) says() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.did, ", ")
}

// wall is a clock that can be put.
type wall struct {
	mu  sync.Mutex
	off time.Duration
}

func (w *wall) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.off)
}

func (w *wall) put(to time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off = time.Until(to)
}

// rig is a lamp that is switched on by a schedule, in a bubble where the clock can be put.
type rig struct {
	schedule *Schedule
	lamp     *lamp
	clock    *wall
	zone     *time.Location
	board    *automatic.Board
	room     *room.Room
	stop     func()
}

func (r *rig) at(day, hour, minute int) time.Time {
	return time.Date(2026, 12, day, hour, minute, 0, 0, r.zone)
}

func newRig(t *testing.T, folder string, start time.Time, lines ...string) *rig {
	t.Helper()
	r := &rig{clock: &wall{}, zone: zone(t, "Asia/Shanghai")}
	r.clock.put(start)
	r.lamp = &lamp{wall: func() time.Time { return r.clock.now().In(r.zone) }}
	log := slog.New(slog.DiscardHandler)
	made, err := room.New(room.Config{Members: []room.Member{{ID: "lamp", Device: r.lamp}}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	j := journal.Open("", log)
	var store automatic.Store
	if folder != "" {
		store = automatic.File{Path: filepath.Join(folder, "automatic.json")}
	}
	r.board, r.room = automatic.New(made, store, j, log), made
	e := sequence.New(sequence.Config{Room: made, Log: log, Journal: j})
	s := &Schedule{Engine: e, Board: r.board, Journal: j, Log: log, Now: r.clock.now}
	r.schedule = s
	for i, text := range lines {
		id := string(rune('a' + i))
		r.board.Add(automatic.Schedule, id, devices.Phrase{EN: id})
		s.Entries = append(s.Entries, Entry{
			ID: id, When: When{Zone: r.zone, Lines: []cron.Schedule{line(t, text)}},
			Set: []room.Wish{{Device: "lamp", Property: "power", Value: devices.Bool(true)}},
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = e.Run(ctx) })
	wg.Go(func() { _ = s.Run(ctx) })
	r.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(r.stop)
	synctest.Wait()
	return r
}

func (r *rig) want(t *testing.T, what, want string) {
	t.Helper()
	synctest.Wait()
	if got := r.lamp.says(); got != want {
		t.Errorf("%s: switched at %q, want %q", what, got, want)
	}
}

func start(day, hour, minute int) time.Time {
	return time.Date(2026, 12, day, hour, minute, 0, 0, time.FixedZone("", 8*3600))
}

func TestAScheduleActsAtItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", start(1, 6, 0), "30 7 * * *", "0 22 * * *")
		if next := r.board.List()[0].Next; !next.Equal(r.at(1, 7, 30)) {
			t.Errorf("next is told as %s", next)
		}
		time.Sleep(48 * time.Hour)
		r.want(t, "two days", "01 07:30:00, 01 22:00:00, 02 07:30:00, 02 22:00:00")
		if a := r.board.List()[1]; a.Outcome != "done" || a.Last.IsZero() {
			t.Errorf("the board says %+v", a)
		}
	})
}

func TestWhatTheClockIsPutOverIsNotDoneLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", start(1, 6, 0), "30 7 * * *", "45 8 * * *")
		time.Sleep(time.Hour)
		r.clock.put(r.at(1, 8, 0)) // over half past seven, by an hour
		time.Sleep(time.Hour)
		r.want(t, "an hour forward", "01 08:45:00")
		if a := r.board.List()[0]; a.Outcome != automatic.Missed {
			t.Errorf("the board says %+v", a)
		}
		time.Sleep(24 * time.Hour)
		r.want(t, "the next day", "01 08:45:00, 02 07:30:00, 02 08:45:00")
	})
}

func TestAClockThatIsPutRightBySecondsLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", start(1, 7, 29), "30 7 * * *")
		time.Sleep(50 * time.Second)
		r.clock.put(r.at(1, 7, 30).Add(25 * time.Second)) // thirty-five seconds forward, over the time
		time.Sleep(time.Minute)
		if got := r.lamp.says(); got == "" || strings.Contains(got, ",") {
			t.Errorf("switched at %q, want once, late by less than %s", got, Grace)
		}
	})
}

func TestAClockThatIsPutBackDoesNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", start(1, 6, 0), "30 7 * * *", "30 8 * * *")
		time.Sleep(2 * time.Hour) // eight; half past seven was done
		r.want(t, "before", "01 07:30:00")
		r.clock.put(r.at(1, 7, 0))
		time.Sleep(2 * time.Hour) // nine
		r.want(t, "put back by an hour", "01 07:30:00, 01 08:30:00")
		// And a clock that was years ahead and is put right is no end of the schedule.
		r.clock.put(r.at(1, 9, 0).AddDate(4, 0, 0))
		time.Sleep(time.Hour)
		r.clock.put(r.at(1, 10, 0))
		time.Sleep(24 * time.Hour)
		r.want(t, "after years", "01 07:30:00, 01 08:30:00, 02 07:30:00, 02 08:30:00")
	})
}

func TestAClockThatWasNeverSetIsNotBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), "* * * * *")
		time.Sleep(time.Hour)
		r.want(t, "in 1970", "")
		r.clock.put(r.at(1, 7, 0).Add(-time.Second))
		time.Sleep(90 * time.Second)
		r.want(t, "set", "01 07:00:19, 01 07:01:00")
	})
}

func TestWhatWasDueWhileTheDaemonWasDownIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		r := newRig(t, folder, start(1, 7, 0), "30 7 * * *", "0 9 * * *")
		time.Sleep(29 * time.Minute)
		r.stop()
		r = newRig(t, folder, start(1, 7, 30).Add(10*time.Second), "30 7 * * *", "0 9 * * *")
		time.Sleep(2 * time.Hour)
		r.want(t, "after a restart", "01 09:00:00")
	})
}

func TestWhatIsSwitchedOffStaysOffOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		by := journal.By{Via: "panel"}
		r := newRig(t, folder, start(1, 7, 0), "30 7 * * *")
		if _, err := r.board.Switch(automatic.Schedule, "a", false, by); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if next := r.board.List()[0].Next; !next.IsZero() {
			t.Errorf("it is off, and next comes at %s", next)
		}
		time.Sleep(24 * time.Hour)
		r.want(t, "off", "")
		r.stop()
		r = newRig(t, folder, start(2, 7, 0), "30 7 * * *")
		time.Sleep(24 * time.Hour)
		r.want(t, "off after a restart", "")
		if _, err := r.board.Switch(automatic.Schedule, "a", true, by); err != nil {
			t.Fatal(err)
		}
		time.Sleep(24 * time.Hour)
		r.want(t, "on again", "03 07:30:00")
		if _, err := r.board.Switch(automatic.Schedule, "nothing", true, by); err == nil {
			t.Error("what is not there was switched")
		}
	})
}

// What was due is done by the old entries; new ones begin with what comes, and nothing twice.
func TestEntriesAreReplacedWhileTheClockRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, "", start(1, 7, 0), "30 7 * * *", "45 7 * * *")
		time.Sleep(30*time.Minute + time.Second)
		kept, moved := r.schedule.Entries[0], r.schedule.Entries[1]
		moved.When = When{Zone: r.zone, Lines: []cron.Schedule{line(t, "30 7 * * *"), line(t, "0 8 * * *")}}
		r.schedule.Replace([]Entry{kept, moved})
		r.want(t, "half past seven is over", "01 07:30:00")
		if next := r.board.List()[1].Next; !next.Equal(r.at(1, 8, 0)) {
			t.Errorf("next is told as %s", next)
		}
		time.Sleep(2 * time.Hour)
		r.want(t, "after the reload", "01 07:30:00, 01 08:00:00")
	})
}
