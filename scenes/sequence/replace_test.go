package sequence

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// A step's number means nothing in another list of steps: a run that was cut off before its scene was
// changed is left.
func TestARunOfASceneThatHasChangedIsLeftAfterARestart(t *testing.T) {
	for _, c := range []struct{ of, did string }{
		{"the same steps", "0s c2 on, 3s c3 on"},
		{"other steps", ""},
	} {
		folder := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			scene := rackOn()
			scene.OnRestart = Finish
			was := fingerprint(scene.Steps)
			if c.of == "other steps" {
				was = fingerprint(scene.Steps[:2])
			}
			before, ended := diary(folder)
			before.KeepRuns(journal.Run{ID: "run", Scene: "on", By: "panel", At: 1, Started: time.Now(), Open: true, Of: was})
			ended()
			r, _, e, _ := stage(t, 3, folder, scene)
			if err := e.Wait(context.Background(), "on"); err != nil {
				t.Fatal(err)
			}
			if r.did() != c.did {
				t.Errorf("%s: did %q, want %q", c.of, r.did(), c.did)
			}
		})
	}
}

// What runs, runs on as it began, with the scenes in it; what is started after is the new.
func TestScenesAreReplacedUnderARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := func(id string) Step {
			return Step{Set: []room.Wish{{Device: id, Property: "power", Value: devices.Bool(true)}}}
		}
		inner := Scene{ID: "inner", Steps: []Step{on("c2")}}
		outer := Scene{ID: "outer", Steps: []Step{{Pause: time.Second}, on("c1"), {Scene: "inner"}}}
		r, made, e, _ := stage(t, 3, "", inner, outer, Scene{ID: "gone", Steps: []Step{{Pause: time.Second}, on("c1")}})
		start(t, e, "outer")
		start(t, e, "gone")
		synctest.Wait()
		e.Replace([]Scene{{ID: "inner", Steps: []Step{on("c3")}}, {ID: "outer", Steps: []Step{{Scene: "inner"}}}})
		for _, id := range []string{"outer", "gone"} {
			if err := e.Wait(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if run := latest(made, id); run.State != room.Finished {
				t.Errorf("%s: %s", id, states(run))
			}
		}
		if v, _ := made.Get("c3", "power"); v.Value == devices.Bool(true) {
			t.Errorf("it ended by the new scene: %s", r.did())
		}
		if _, err := e.Start("gone", tester); err == nil {
			t.Error("a scene that is no more was started")
		}
		if run := play(t, made, e, "outer"); run.State != room.Finished || len(run.Steps) != 1 {
			t.Errorf("the next: %s", states(run))
		}
	})
}

// A rule that stays goes on waiting for its time; one that has changed begins anew; one that has gone
// does nothing.
func TestRulesAreReplacedWhileTheyWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, made, e, _ := stage(t, 4, "")
		report := func(v bool) {
			r.lamps["c1"].report.Report("power", devices.Bool(v), devices.Reported)
			synctest.Wait()
		}
		rule := func(id string, wait time.Duration) Rule {
			return Rule{
				ID: id, For: wait,
				When: []room.Match{{Device: "c1", Property: "power", Values: []devices.Value{devices.Bool(true)}}},
				Set:  []room.Wish{{Device: id, Property: "power", Value: devices.Bool(true)}},
			}
		}
		rules := &Rules{Room: made, Engine: e, Log: slog.New(slog.DiscardHandler), Rules: []Rule{rule("c2", time.Minute), rule("c3", time.Minute), rule("c4", time.Minute)}}
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan struct{})
		go func() { defer close(over); _ = rules.Run(ctx) }()
		defer func() { cancel(); <-over }()
		report(false)
		report(true)
		time.Sleep(40 * time.Second)
		rules.Replace([]Rule{rule("c2", time.Minute), rule("c3", 50*time.Second)})
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if got := r.did(); got != "1m0s c2 on" {
			t.Errorf("did %q", got)
		}
		time.Sleep(time.Hour)
		report(false)
		report(true)
		time.Sleep(time.Hour)
		synctest.Wait()
		is := func(id string) devices.Value { p, _ := made.Get(id, "power"); return p.Value }
		if is("c3") != devices.Bool(true) || is("c4") == devices.Bool(true) {
			t.Errorf("did %q", r.did())
		}
	})
}
