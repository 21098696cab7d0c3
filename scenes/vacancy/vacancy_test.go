package vacancy

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/automatic"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// thing is equipment with one property; told is called when it is set.
type thing struct {
	property devices.Property
	report   devices.Reporter
	told     func()
}

func (t *thing) Properties() []devices.Property { return []devices.Property{t.property} }
func (t *thing) Bind(r devices.Reporter)        { t.report = r }
func (t *thing) Run(ctx context.Context) error  { <-ctx.Done(); return nil }
func (t *thing) Refresh(context.Context) error  { return nil }
func (t *thing) Set(_ context.Context, _ string, v devices.Value) error {
	if t.told != nil {
		t.told()
	}
	t.is(v)
	return nil
}
func (t *thing) is(v devices.Value) { t.report.Report(t.property.Name, v, devices.Reported) }

// hall is a room with a presence sensor, a projector with a source that a player is behind, and one without.
type hall struct {
	watch                                 *Watch
	eye, projector, matrix, dvd, recorder *thing
	room                                  *room.Room
	board                                 *automatic.Board
	mu                                    sync.Mutex
	ended                                 int
	live                                  func() string // why it must not be ended now
	wrong                                 string
	began                                 time.Time
}

func word(name string, words ...string) *thing {
	return &thing{property: devices.Property{Name: name, Kind: devices.KindEnum, Settable: true, Options: devices.Words(words...)}}
}

func open(t *testing.T, entries ...Entry) *hall {
	t.Helper()
	h := &hall{
		eye:       &thing{property: devices.Property{Name: "presence", Kind: devices.KindBool}},
		projector: word("power", "off", "on", "warming", "cooling"), matrix: word("out", "dvd", "pc", "nothing"),
		dvd: word("transport", "stop", "play", "pause"), recorder: word("transport", "stop", "record"), began: time.Now(),
		live: func() string { return "" },
	}
	log := slog.New(slog.DiscardHandler)
	end := word("done", "yes", "no")
	end.told = func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended++
		if why := h.live(); why != "" {
			h.wrong = fmt.Sprintf("ended after %s: %s", time.Since(h.began), why)
		}
	}
	made, err := room.New(room.Config{
		Log: log,
		Members: []room.Member{
			{ID: "eye", Device: h.eye}, {ID: "projector", Device: h.projector}, {ID: "matrix", Device: h.matrix},
			{ID: "dvd", Device: h.dvd}, {ID: "recorder", Device: h.recorder}, {ID: "end", Device: end},
		},
		Sources: []room.Source{
			{ID: "dvd", On: "sources", Set: []room.Wish{{Device: "matrix", Property: "out", Value: devices.Word("dvd")}}},
			{ID: "pc", On: "sources", Set: []room.Wish{{Device: "matrix", Property: "out", Value: devices.Word("pc")}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.room = made
	h.eye.is(devices.Bool(false))
	h.projector.is(devices.Word("off"))
	h.matrix.is(devices.Word("pc"))
	h.dvd.is(devices.Word("stop"))
	h.recorder.is(devices.Word("stop"))
	e := sequence.New(sequence.Config{Room: made, Log: log, Journal: journal.Open("", log), Scenes: []sequence.Scene{
		{ID: "end", Steps: []sequence.Step{{Set: []room.Wish{{Device: "end", Property: "done", Value: devices.Word("yes")}}}}},
	}})
	h.board = automatic.New(made, nil, journal.Open("", log), log)
	for i := range entries {
		entries[i].Run = "end"
		h.board.Add(automatic.AutoOff, entries[i].ID, devices.Phrase{EN: entries[i].ID})
	}
	w := &Watch{
		Room: made, Engine: e, Board: h.board, Entries: entries, Zone: time.UTC, Log: log,
		Screens: []string{"projector"}, Choosers: []string{"sources"}, Recorders: []string{"recorder"}, Players: map[string]string{"dvd": "dvd"},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = made.Run(ctx) })
	wg.Go(func() { _ = e.Run(ctx) })
	h.watch = w
	wg.Go(func() { _ = w.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	synctest.Wait()
	return h
}

func (h *hall) asks() bool { synctest.Wait(); return !h.board.List()[0].Until.IsZero() }

func empty() Entry {
	return Entry{ID: "empty", Presence: []string{"eye"}, Absent: 20 * time.Minute, Untouched: 30 * time.Minute, Showing: 2 * time.Hour, Warn: 2 * time.Minute}
}

// after sleeps until a time after the beginning.
func (h *hall) after(d time.Duration) { time.Sleep(time.Until(h.began.Add(d))); synctest.Wait() }

func (h *hall) want(t *testing.T, what string, ends int) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended != ends {
		t.Errorf("after %s, %s: ended %d times, want %d", time.Since(h.began), what, h.ended, ends)
	}
}

func TestAnEmptyRoomIsAskedAndThenEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, empty())
		h.room.Touch()
		h.after(29 * time.Minute)
		if h.asks() {
			t.Error("it asks too early")
		}
		h.after(30*time.Minute + time.Second)
		if !h.asks() {
			t.Error("it does not ask")
		}
		h.want(t, "while it asks", 0)
		h.after(33 * time.Minute)
		h.want(t, "nobody answered", 1)
		if h.asks() || h.board.List()[0].Outcome != "done" {
			t.Errorf("the board says %+v", h.board.List()[0])
		}
		h.after(48 * time.Hour)
		h.want(t, "and nobody came since", 1)
		h.room.Touch()
		h.after(49 * time.Hour)
		h.want(t, "somebody came and went", 2)
	})
}

func TestWhoIsThereKeepsItOn(t *testing.T) {
	for what, sign := range map[string]func(*hall){
		"a touch":        func(h *hall) { h.room.Touch() },
		"a person seen":  func(h *hall) { h.eye.is(devices.Bool(true)) },
		"a silent eye":   func(h *hall) { h.eye.report.Reach(line.ErrNoReply) },
		"a recording":    func(h *hall) { h.recorder.is(devices.Word("record")) },
		"an emergency":   func(h *hall) { h.room.Hold(&room.Hold{}) },
		"a switch":       func(h *hall) { _, _ = h.board.Switch(automatic.AutoOff, "empty", false, journal.By{}) },
		"a shown source": func(h *hall) { h.projector.is(devices.Word("on")) },
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, empty())
				h.room.Touch()
				h.after(31 * time.Minute)
				if !h.asks() {
					t.Fatal("it does not ask")
				}
				sign(h)
				if h.asks() {
					t.Error("it still asks")
				}
				h.after(45 * time.Minute)
				h.want(t, what, 0)
			})
		})
	}
}

func TestARoomThatNobodyUsedIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, empty())
		h.after(72 * time.Hour)
		h.want(t, "found off at start", 0)
	})
	synctest.Test(t, func(t *testing.T) {
		h := open(t, empty())
		h.projector.is(devices.Word("on")) // found on: the daemon was restarted in a meeting
		h.matrix.is(devices.Word("nothing"))
		h.after(33 * time.Minute)
		h.want(t, "found on at start", 1)
	})
}

func TestItActsAtItsTimeOfDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble begins at midnight UTC
		e := empty()
		e.From, e.To = "18:00", "06:00"
		h := open(t, e)
		h.after(5 * time.Hour)
		h.room.Touch()
		h.after(5*time.Hour + 33*time.Minute)
		h.want(t, "in the night", 1)
		h.after(7 * time.Hour)
		h.room.Touch()
		h.after(18*time.Hour - time.Minute)
		h.want(t, "by day", 1)
		h.after(18*time.Hour + 3*time.Minute)
		h.want(t, "in the evening", 2)
	})
}

// While a source is on the screen the longer time counts, and a film is watched to its end.
func TestALectureIsNotEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, Entry{ID: "untouched", Untouched: 30 * time.Minute, Showing: 2 * time.Hour, Warn: 2 * time.Minute})
		h.projector.is(devices.Word("on"))
		h.after(2*time.Hour - time.Second)
		h.want(t, "somebody speaks and touches nothing", 0)
		h.matrix.is(devices.Word("dvd"))
		h.dvd.is(devices.Word("play"))
		h.after(5 * time.Hour)
		h.want(t, "a film", 0)
		h.projector.report.Reach(line.ErrNoReply) // unknown is not off
		h.after(6 * time.Hour)
		h.want(t, "a film on a projector that does not answer", 0)
		h.projector.is(devices.Word("off"))
		h.after(6*time.Hour + 3*time.Minute)
		h.want(t, "the film is over", 1)
	})
}

// Whatever happens in whatever order, no meeting is ended while a source is live, or without having been asked.
func TestNoLiveSourceIsEverEnded(t *testing.T) {
	type event struct {
		what string
		wait time.Duration
	}
	rapid.Check(t, func(rt *rapid.T) {
		events := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) event {
			return event{
				rapid.SampledFrom([]string{"touch", "seen", "gone", "eye silent", "on", "off", "warming", "projector silent", "dvd", "pc", "nothing", "play", "stop", "record", "recorded"}).Draw(rt, "what"),
				time.Duration(rapid.IntRange(1, 90*60*1000).Draw(rt, "wait")) * time.Millisecond,
			}
		}), 1, 25).Draw(rt, "events")
		eyes := rapid.Bool().Draw(rt, "eyes")
		var wrong string
		synctest.Test(t, func(t *testing.T) {
			e := empty()
			if !eyes {
				e.Presence, e.Absent = nil, 0
			}
			h := open(t, e)
			var mu sync.Mutex
			sign, touched := time.Now(), time.Now()
			seen, lit, chosen, plays, records := false, false, "pc", false, false
			h.live = func() string {
				mu.Lock()
				defer mu.Unlock()
				switch showing := lit && chosen != "nothing"; {
				case eyes && seen:
					return "somebody is there"
				case records:
					return "it is being recorded"
				case showing && chosen == "dvd" && plays:
					return "a film is shown"
				case showing && time.Since(sign) < e.Showing:
					return fmt.Sprintf("a source is shown, and the last sign of life was %s ago", time.Since(sign))
				case time.Since(touched) < e.Untouched+e.Warn, time.Since(sign) < e.Absent+e.Warn:
					return fmt.Sprintf("the last touch was %s ago, the last sign of life %s", time.Since(touched), time.Since(sign))
				}
				return ""
			}
			for _, ev := range events {
				switch ev.what {
				case "touch":
					h.room.Touch()
				case "seen", "gone":
					h.eye.is(devices.Bool(ev.what == "seen"))
				case "eye silent":
					h.eye.report.Reach(line.ErrNoReply)
				case "on", "off", "warming":
					h.projector.is(devices.Word(ev.what))
				case "projector silent":
					h.projector.report.Reach(line.ErrNoReply)
				case "dvd", "pc", "nothing":
					h.matrix.is(devices.Word(ev.what))
				case "play", "stop":
					h.dvd.is(devices.Word(ev.what))
				case "record", "recorded":
					h.recorder.is(devices.Word(map[string]string{"record": "record", "recorded": "stop"}[ev.what]))
				}
				mu.Lock()
				if ev.what == "touch" || eyes && (seen || ev.what == "seen") {
					sign = time.Now()
				}
				switch ev.what {
				case "touch":
					touched = sign
				case "seen", "gone", "eye silent":
					seen = ev.what != "gone"
				case "on", "warming", "off":
					lit = ev.what != "off"
				case "projector silent":
					lit = true
				case "dvd", "pc", "nothing":
					chosen = ev.what
				case "play", "stop":
					plays = ev.what == "play"
				case "record", "recorded":
					records = ev.what == "record"
				}
				mu.Unlock()
				time.Sleep(ev.wait)
			}
			time.Sleep(4 * time.Hour)
			h.mu.Lock()
			wrong = h.wrong
			h.mu.Unlock()
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// A question that stands goes on where its entry stays as it is; an entry that is another begins anew.
func TestEntriesAreReplacedWhileOneAsks(t *testing.T) {
	for _, c := range []struct {
		what  string
		entry func(*Entry)
		ends  int
	}{
		{"the same", func(*Entry) {}, 1},
		{"another", func(e *Entry) { e.Untouched = time.Hour }, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := open(t, empty())
			h.room.Touch()
			h.after(31 * time.Minute)
			if !h.asks() {
				t.Fatal("it does not ask")
			}
			e := h.watch.Entries[0]
			c.entry(&e)
			h.watch.Replace(&Watch{
				Entries: []Entry{e}, Zone: h.watch.Zone, Screens: h.watch.Screens, Choosers: h.watch.Choosers, Recorders: h.watch.Recorders, Players: h.watch.Players,
			})
			if asks := h.asks(); asks != (c.ends == 1) {
				t.Errorf("%s: it asks: %v", c.what, asks)
			}
			h.after(33 * time.Minute)
			h.want(t, c.what, c.ends)
		})
	}
}
