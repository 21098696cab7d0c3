package sequence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rack is a row of circuits c1..cn that notes what is done to them and when.
type rack struct {
	began time.Time

	mu    sync.Mutex
	log   []string
	sick  map[string]error // circuits that fail
	lamps map[string]*circuit
}

type circuit struct {
	rack   *rack
	id     string
	report devices.Reporter
}

func (c *circuit) Properties() []devices.Property {
	return []devices.Property{{Name: "power", Kind: devices.KindBool, Settable: true}}
}
func (c *circuit) Bind(r devices.Reporter)       { c.report = r }
func (c *circuit) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (c *circuit) Refresh(context.Context) error { return nil }
func (c *circuit) Set(_ context.Context, p string, v devices.Value) error {
	c.rack.mu.Lock()
	word := map[bool]string{true: "on", false: "off"}[v.Bool()]
	c.rack.log = append(c.rack.log, fmt.Sprintf("%s %s %s", time.Since(c.rack.began).Round(time.Second), c.id, word))
	err := c.rack.sick[c.id]
	c.rack.mu.Unlock()
	if err != nil {
		return err
	}
	c.report.Report(p, v, devices.Reported)
	return nil
}

func (r *rack) did() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.log, ", ")
}

func (r *rack) heal(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sick, id)
}

// stage makes a room of n circuits, all off, with an engine that runs until the test ends.
func stage(t *testing.T, n int, folder string, scenes ...Scene) (*rack, *room.Room, *Engine, func()) {
	t.Helper()
	r := &rack{began: time.Now(), sick: make(map[string]error), lamps: make(map[string]*circuit)}
	var members []room.Member
	for i := range n {
		id := fmt.Sprintf("c%d", i+1)
		r.lamps[id] = &circuit{rack: r, id: id}
		members = append(members, room.Member{ID: id, Device: r.lamps[id]})
	}
	log := slog.New(slog.DiscardHandler)
	kept, ended := diary(folder)
	made, err := room.New(room.Config{Members: members, Log: log, Journal: kept})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.lamps {
		c.report.Report("power", devices.Bool(false), devices.Reported)
	}
	e := New(Config{Room: made, Scenes: scenes, Log: log, Journal: kept})
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = e.Run(ctx) }()
	stop := sync.OnceFunc(func() { cancel(); <-over; ended() })
	t.Cleanup(stop)
	synctest.Wait()
	return r, made, e, stop
}

// diary opens the journal of a folder and runs it until ended is called.
func diary(folder string) (j *journal.Journal, ended func()) {
	j = journal.Open(folder, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = j.Run(ctx) }()
	return j, func() { cancel(); <-over }
}

// noted returns the runs that a start would find in a folder.
func noted(folder string) []journal.Run {
	j := journal.Open(folder, slog.New(slog.DiscardHandler))
	defer j.Close()
	return j.Unfinished()
}

func on(id string, after time.Duration) Step {
	return Step{
		Name: devices.Phrase{EN: id}, After: after,
		Set: []room.Wish{{Device: id, Property: "power", Value: devices.Bool(true)}},
	}
}

func rackOn() Scene {
	return Scene{ID: "on", Steps: []Step{on("c1", 2*time.Second), on("c2", 3*time.Second), on("c3", 5*time.Second)}}
}

var tester = journal.By{Via: "test"}

func start(t *testing.T, e *Engine, scene string) {
	t.Helper()
	if _, err := e.Start(scene, tester); err != nil {
		t.Fatal(err)
	}
}

func play(t *testing.T, r *room.Room, e *Engine, scene string) room.Run {
	t.Helper()
	start(t, e, scene)
	if err := e.Wait(context.Background(), scene); err != nil {
		t.Fatal(err)
	}
	return latest(r, scene)
}

func latest(r *room.Room, scene string) room.Run {
	for _, run := range r.State().Runs {
		if run.Scene == scene {
			return run
		}
	}
	return room.Run{}
}

func states(run room.Run) string {
	words := []string{string(run.State) + ":"}
	for _, s := range run.Steps {
		words = append(words, string(s.State))
	}
	return strings.Join(words, " ")
}

func TestA4RackComesOnInOrderWithItsDelaysAndOffInReverse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, made, e, _ := stage(t, 3, "", rackOn(), Scene{ID: "off", ReverseOf: "on"})
		run := play(t, made, e, "on")
		if want := "0s c1 on, 2s c2 on, 5s c3 on"; r.did() != want || states(run) != "finished: finished finished finished" {
			t.Errorf("on: %s; %s", r.did(), states(run))
		}
		r.log, r.began = nil, time.Now()
		run = play(t, made, e, "off")
		if want := "0s c3 off, 3s c2 off, 5s c1 off"; r.did() != want || run.State != room.Finished {
			t.Errorf("off: %s; %s", r.did(), states(run))
		}
	})
}

func TestFailedStepByEachPolicy(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		retry  int
		did    string
		states string
	}{
		{Stop, 0, "0s c1 on, 2s c2 on", "failed: finished failed waiting"},
		{Stop, 2, "0s c1 on, 2s c2 on, 2s c2 on, 2s c2 on", "failed: finished failed waiting"},
		{Skip, 0, "0s c1 on, 2s c2 on, 5s c3 on", "finished: finished skipped finished"},
		{Unwind, 0, "0s c1 on, 2s c2 on, 2s c2 off, 4s c1 off", "undone: undone failed waiting"},
	} {
		t.Run(fmt.Sprintf("%s retry %d", c.policy, c.retry), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scene := rackOn()
				scene.Steps[1].OnFailure, scene.Steps[1].Retry = c.policy, c.retry
				r, made, e, _ := stage(t, 3, "", scene)
				r.sick["c2"] = errors.New("it clicked but stayed off")
				run := play(t, made, e, "on")
				// A circuit that will not go on may not go off either; undoing it is tried once for each try.
				did := strings.ReplaceAll(r.did(), "2s c2 off, 2s c2 off", "2s c2 off")
				if did != c.did || states(run) != c.states {
					t.Errorf("did  %s\nwant %s\nrun  %s\nwant %s", did, c.did, states(run), c.states)
				}
			})
		})
	}
}

func TestAskLetsAPersonDecide(t *testing.T) {
	for _, c := range []struct {
		decision Decision
		did      string
		state    room.RunState
	}{
		{DecideRetry, "0s c1 on, 2s c2 on, 2s c2 on, 5s c3 on", room.Finished},
		{DecideSkip, "0s c1 on, 2s c2 on, 5s c3 on", room.Finished},
		{DecideUnwind, "0s c1 on, 2s c2 on, 2s c2 off, 4s c1 off", room.Undone},
		{DecideStop, "0s c1 on, 2s c2 on", room.Broken},
	} {
		t.Run(string(c.decision), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scene := rackOn()
				scene.Steps[1].OnFailure = Ask
				r, made, e, _ := stage(t, 3, "", scene)
				r.sick["c2"] = errors.New("no reply")
				if e.Decide("on", c.decision, tester) {
					t.Error("decided what nobody asked")
				}
				start(t, e, "on")
				time.Sleep(2 * time.Second)
				synctest.Wait()
				if run := latest(made, "on"); run.State != room.Asking || run.Steps[1].Reason.EN == "" {
					t.Fatalf("run %s, reason %q", states(run), run.Steps[1].Reason.EN)
				}
				r.heal("c2")
				if !e.Decide("on", c.decision, tester) {
					t.Fatal("the decision was not taken")
				}
				if err := e.Wait(context.Background(), "on"); err != nil {
					t.Fatal(err)
				}
				if run := latest(made, "on"); r.did() != c.did || run.State != c.state {
					t.Errorf("did %s; run %s", r.did(), states(run))
				}
			})
		})
	}
}

// All panels answer one question. What comes second is an answer to a question that stands no more, and
// must not be kept for the next.
func TestOneQuestionTakesOneDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scene := rackOn()
		scene.Steps[1].OnFailure, scene.Steps[1].Within = Ask, 3*time.Second
		r, made, e, _ := stage(t, 3, "", scene)
		r.sick["c2"] = &devices.Refusal{For: time.Minute}
		start(t, e, "on")
		time.Sleep(6 * time.Second)
		synctest.Wait()
		const panels = 20
		answers := make(chan bool, panels)
		for range panels {
			go func() { answers <- e.Decide("on", DecideRetry, tester) }()
		}
		synctest.Wait()
		if len(answers) != panels {
			t.Fatalf("%d are left waiting", panels-len(answers))
		}
		taken := 0
		for range panels {
			if <-answers {
				taken++
			}
		}
		if taken != 1 {
			t.Errorf("%d answers were taken", taken)
		}
		time.Sleep(6 * time.Second) // it has been tried again, and asks again
		synctest.Wait()
		if run := latest(made, "on"); run.State != room.Asking {
			t.Errorf("run %s, did %s", states(run), r.did())
		}
		if !e.Decide("on", DecideStop, tester) {
			t.Error("the second question has no answer")
		}
		if err := e.Wait(context.Background(), "on"); err != nil {
			t.Fatal(err)
		}
	})
}

// What only somebody can change is not waited for: a projector without mains does not keep the lights of
// the end of a meeting off for a minute.
func TestARefusalThatLastsIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scene := rackOn()
		scene.Steps[1].Within, scene.Steps[1].OnFailure = time.Minute, Skip
		r, made, e, _ := stage(t, 3, "", scene)
		r.sick["c2"] = &devices.Refusal{Lasting: true}
		began := time.Now()
		if run := play(t, made, e, "on"); run.Steps[1].State != room.Skipped || time.Since(began) > 6*time.Second {
			t.Errorf("%s in %s", states(run), time.Since(began))
		}
	})
}

func TestRefusedStepWaitsForItsTimeAndSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		scene := rackOn()
		scene.Steps[0].Within = time.Minute
		r, made, e, _ := stage(t, 3, "", scene)
		cooling := devices.Phrase{ZH: "冷却中", EN: "Cooling"}
		r.sick["c1"] = &devices.Refusal{Reason: cooling, For: 30 * time.Second}
		start(t, e, "on")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if run := latest(made, "on"); run.State != room.Running || run.Steps[0].Reason != cooling {
			t.Fatalf("%s %+v", states(run), run.Steps[0])
		}
		r.heal("c1")
		if err := e.Wait(context.Background(), "on"); err != nil {
			t.Fatal(err)
		}
		if run := latest(made, "on"); run.State != room.Finished {
			t.Errorf("%s", states(run))
		}
	})
}

func TestCancelLeavesWhatIsDoneAndStartsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, made, e, _ := stage(t, 3, "", rackOn())
		start(t, e, "on")
		time.Sleep(3 * time.Second)
		if _, err := e.Start("on", tester); err == nil {
			t.Error("a scene ran twice at a time")
		}
		if !e.Cancel("on", tester) {
			t.Error("nothing to cancel")
		}
		if err := e.Wait(context.Background(), "on"); err != nil {
			t.Fatal(err)
		}
		if run := latest(made, "on"); r.did() != "0s c1 on, 2s c2 on" || run.State != room.Cancelled {
			t.Errorf("%s; %s", r.did(), states(run))
		}
		if run := play(t, made, e, "on"); run.State != room.Finished {
			t.Errorf("again: %s", states(run))
		}
	})
}

func TestOffDuringOnEndsOnFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, made, e, _ := stage(t, 3, "", rackOn(), Scene{ID: "off", ReverseOf: "on"})
		start(t, e, "on")
		time.Sleep(3 * time.Second)
		if run := play(t, made, e, "off"); run.State != room.Finished || latest(made, "on").State != room.Cancelled {
			t.Errorf("off %s, on %s", states(run), states(latest(made, "on")))
		}
		if want := "0s c1 on, 2s c2 on, 3s c3 off, 6s c2 off, 8s c1 off"; r.did() != want {
			t.Errorf("did %s", r.did())
		}
	})
}

func TestWaitStepWantsAFreshReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := Step{Wait: []room.Match{{Device: "c1", Property: "power", Values: []devices.Value{devices.Bool(true)}}}, Within: 20 * time.Second}
		r, made, e, _ := stage(t, 2, "", Scene{ID: "s", Steps: []Step{wait, on("c2", 0)}})
		r.lamps["c1"].report.Report("power", devices.Bool(true), devices.Stale)
		start(t, e, "s")
		time.Sleep(5 * time.Second)
		r.lamps["c1"].report.Report("power", devices.Bool(true), devices.Reported)
		if err := e.Wait(context.Background(), "s"); err != nil {
			t.Fatal(err)
		}
		if r.did() != "5s c2 on" {
			t.Errorf("did %s", r.did())
		}
		r.lamps["c1"].report.Report("power", devices.Bool(false), devices.Reported)
		if run := play(t, made, e, "s"); states(run) != "failed: failed waiting" {
			t.Errorf("after the time limit: %s", states(run))
		}
	})
}

func TestTogetherScenesAndUndo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := Scene{ID: "inner", Steps: []Step{on("c1", time.Second), on("c2", 0)}}
		special := on("c3", 0)
		special.Undo = []Step{{Pause: 4 * time.Second}, {Set: []room.Wish{{Device: "c3", Property: "power", Value: devices.Bool(false)}}}}
		outer := Scene{ID: "outer", Steps: []Step{{Scene: "inner"}, {Together: []Step{special, on("c4", 0)}}, {Pause: time.Second}}}
		r, made, e, _ := stage(t, 4, "", inner, outer, Scene{ID: "back", ReverseOf: "outer"})
		if run := play(t, made, e, "outer"); run.State != room.Finished {
			t.Fatalf("%s", states(run))
		}
		parts := strings.Split(r.did(), ", ")
		slices.Sort(parts)
		if diff := cmp.Diff([]string{"0s c1 on", "1s c2 on", "1s c3 on", "1s c4 on"}, parts); diff != "" {
			t.Error(diff)
		}
		r.log, r.began = nil, time.Now()
		if run := play(t, made, e, "back"); run.State != room.Finished {
			t.Fatalf("%s", states(run))
		}
		if !strings.HasSuffix(r.did(), "c2 off, "+strings.Split(r.did(), "c2 off, ")[1]) || !strings.HasSuffix(r.did(), "c1 off") {
			t.Errorf("back: %s", r.did())
		}
	})
}

// A daemon that ends in the middle of a scene resolves it when it comes back, as the scene says.
func TestRestartResolvesARunAsItsSceneSays(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		did    string
		states string
	}{
		{Leave, "", "cancelled: finished waiting waiting"},
		{"", "", "cancelled: finished waiting waiting"},
		{Finish, "0s c2 on, 3s c3 on", "finished: finished finished finished"},
		{Unwind, "0s c2 off, 2s c1 off", "finished: finished finished"},
	} {
		t.Run("policy "+string(c.policy), func(t *testing.T) {
			folder := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				scene := rackOn()
				scene.OnRestart = c.policy
				// As a kill leaves it: noted before the second step, with nothing forgotten.
				before, cut := diary(folder)
				before.KeepRuns(journal.Run{ID: "run", Scene: "on", By: "panel", At: 1, Started: time.Now(), Open: true})
				cut()
				r, made, e, stop := stage(t, 3, folder, scene)
				if err := e.Wait(context.Background(), "on"); err != nil {
					t.Fatal(err)
				}
				if run := latest(made, "on"); r.did() != c.did || states(run) != c.states {
					t.Errorf("did  %q\nwant %q\nrun  %s\nwant %s", r.did(), c.did, states(run), c.states)
				}
				stop()
				if left := noted(folder); len(left) != 0 {
					t.Errorf("still noted: %+v", left)
				}
			})
		})
	}
}

func TestStopOfTheDaemonLeavesTheRunNoted(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		_, _, e, stop := stage(t, 3, folder, rackOn())
		start(t, e, "on")
		time.Sleep(3 * time.Second)
		stop()
		left := noted(folder)
		if len(left) != 1 || left[0].Scene != "on" || left[0].At != 2 {
			t.Errorf("noted: %+v", left)
		}
	})
}

func TestNotesThatCannotBeReadChangeNothing(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, journal.FileName), []byte("no database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		r, made, e, _ := stage(t, 3, folder, rackOn())
		if r.did() != "" {
			t.Errorf("did %s", r.did())
		}
		if run := play(t, made, e, "on"); run.State != room.Finished {
			t.Errorf("%s", states(run))
		}
	})
}

func TestRuleFiresOnAChangeAndNotOnWhatItFinds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, made, e, _ := stage(t, 2, "")
		power := func(v bool, q devices.Quality) {
			r.lamps["c1"].report.Report("power", devices.Bool(v), q)
			synctest.Wait()
		}
		power(true, devices.Reported)
		rules := &Rules{Room: made, Engine: e, Log: slog.New(slog.DiscardHandler), Rules: []Rule{{
			ID:   "follow",
			When: []room.Match{{Device: "c1", Property: "power", Values: []devices.Value{devices.Bool(true)}}},
			Set:  []room.Wish{{Device: "c2", Property: "power", Value: devices.Bool(true)}},
		}}}
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan struct{})
		go func() { defer close(over); _ = rules.Run(ctx) }()
		defer func() { cancel(); <-over }()
		synctest.Wait()
		if r.did() != "" {
			t.Fatalf("fired on what it found: %s", r.did())
		}
		power(true, devices.Stale)
		power(true, devices.Reported)
		if r.did() != "" {
			t.Fatalf("fired on a device that came back as it was: %s", r.did())
		}
		power(false, devices.Reported)
		power(true, devices.Reported)
		if r.did() != "0s c2 on" {
			t.Errorf("did %q", r.did())
		}
	})
}

func TestRuleWithATimeWantsTheValueKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, made, e, _ := stage(t, 2, "")
		rules := &Rules{Room: made, Engine: e, Log: slog.New(slog.DiscardHandler), Rules: []Rule{{
			ID: "idle", For: time.Minute,
			When: []room.Match{{Device: "c1", Property: "power", Values: []devices.Value{devices.Bool(true)}}},
			Set:  []room.Wish{{Device: "c2", Property: "power", Value: devices.Bool(true)}},
		}}}
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan struct{})
		go func() { defer close(over); _ = rules.Run(ctx) }()
		defer func() { cancel(); <-over }()
		synctest.Wait()
		c1 := r.lamps["c1"].report
		c1.Report("power", devices.Bool(true), devices.Reported)
		time.Sleep(50 * time.Second)
		c1.Report("power", devices.Bool(false), devices.Reported)
		time.Sleep(time.Minute)
		if r.did() != "" {
			t.Fatalf("fired too early: %s", r.did())
		}
		c1.Report("power", devices.Bool(true), devices.Reported)
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if r.did() != "2m50s c2 on" {
			t.Errorf("did %q", r.did())
		}
	})
}
