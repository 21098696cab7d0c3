package sequence

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/scenes/automatic"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

func TestARuleThatIsSwitchedOffDoesNothingAndCatchesUpWithNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, made, e, _ := stage(t, 2, "")
		log := slog.New(slog.DiscardHandler)
		board := automatic.New(made, nil, journal.Open("", log), log)
		board.Add(automatic.Rule, "follow", devices.Phrase{EN: "Follow"})
		rules := &Rules{Room: made, Engine: e, Board: board, Log: log, Rules: []Rule{{
			ID:   "follow",
			When: []room.Match{{Device: "c1", Property: "power", Values: []devices.Value{devices.Bool(true)}}},
			Set:  []room.Wish{{Device: "c2", Property: "power", Value: devices.Bool(true)}},
		}}}
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan struct{})
		go func() { defer close(over); _ = rules.Run(ctx) }()
		defer func() { cancel(); <-over }()
		turn := func(on bool) {
			if _, err := board.Switch(automatic.Rule, "follow", on, tester); err != nil {
				t.Fatal(err)
			}
		}
		power := func(v bool) {
			r.lamps["c1"].report.Report("power", devices.Bool(v), devices.Reported)
			synctest.Wait()
		}
		synctest.Wait()
		turn(false)
		power(true)
		turn(true)
		synctest.Wait()
		if r.did() != "" || board.List()[0].Outcome != "" {
			t.Errorf("off, it did %q, %+v", r.did(), board.List())
		}
		power(false)
		power(true)
		if r.did() != "0s c2 on" || board.List()[0].Outcome != "done" {
			t.Errorf("on again, it did %q, %+v", r.did(), board.List())
		}
	})
}

func TestAnActTellsWhatBecameOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, e, _ := stage(t, 3, "", rackOn(), Scene{ID: "long", Steps: []Step{{Pause: time.Hour}}})
		set := []room.Wish{{Device: "c2", Property: "power", Value: devices.Bool(true)}}
		act := func(set []room.Wish, scene string) devices.Outcome {
			told := make(chan devices.Outcome, 1)
			e.Act(context.Background(), set, scene, tester, func(o devices.Outcome) { told <- o })
			return <-told
		}
		if o := act(set, ""); o.Result != devices.Done {
			t.Errorf("a set: %+v", o)
		}
		if o := act(nil, "on"); o.Result != devices.Done || time.Since(r.began) < 5*time.Second {
			t.Errorf("a scene, after %s: %+v", time.Since(r.began), o)
		}
		if o := act(nil, "nothing"); o.OK() {
			t.Errorf("a scene that is not there: %+v", o)
		}
		r.mu.Lock()
		r.sick["c2"] = errors.New("dead")
		r.mu.Unlock()
		if o := act(set, "on"); o.Result != devices.Failed {
			t.Errorf("a set and a scene that fail: %+v", o)
		}
		start(t, e, "long")
		if o := act(nil, "long"); o.Result != devices.Refused {
			t.Errorf("a scene that runs already: %+v", o)
		}
		why := devices.Phrase{ZH: "火警", EN: "Fire alarm"}
		e.Hold(&why)
		synctest.Wait()
		if o := act(nil, "on"); o.Result != devices.Refused || o.Reason != why {
			t.Errorf("held off: %+v", o)
		}
		e.Hold(nil)
		if e.Active("long") {
			t.Error("a scene outlived the hold")
		}
	})
}
