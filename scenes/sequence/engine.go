package sequence

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"reflect"
	"sort"
	"strings"
	"sync"
	"time"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// Engine starts scenes and follows their runs. Its methods may be called from any goroutine.
type Engine struct {
	room    *room.Room
	journal *journal.Journal
	log     *slog.Logger

	mu      sync.Mutex
	scenes  map[string]*Scene // never changed in place; see Replace
	order   []string
	ctx     context.Context // of Run; nil before
	over    bool            // Run has ended
	active  map[string]*run // by scene
	held    *devices.Phrase // why nothing may be started; nil where it may
	wg      sync.WaitGroup
	expects map[string][]time.Duration // how long each step took the last time
}

// Config is what an engine is made of.
type Config struct {
	Room    *room.Room
	Scenes  []Scene
	Journal *journal.Journal // also where runs under way are noted, so that a restart can resolve them
	Log     *slog.Logger
}

// New makes an engine. Scenes that reverse another get their steps here.
func New(c Config) *Engine {
	e := &Engine{
		room: c.Room, journal: c.Journal, log: c.Log,
		active: make(map[string]*run), expects: make(map[string][]time.Duration),
	}
	e.Replace(c.Scenes)
	return e
}

// Replace puts other scenes in the place of those there are. A run that is under way ends by the
// scene that it began with.
func (e *Engine) Replace(scenes []Scene) {
	all, order := make(map[string]*Scene), make([]string, 0, len(scenes))
	for i := range scenes {
		scenes[i].all = all
		all[scenes[i].ID] = &scenes[i]
		order = append(order, scenes[i].ID)
	}
	for _, s := range all {
		if forward := all[s.ReverseOf]; forward != nil {
			s.Steps = Reverse(forward.Steps, all)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id := range e.expects { // what changed takes another time
		if s := all[id]; s == nil || !reflect.DeepEqual(s.Steps, e.scenes[id].Steps) {
			delete(e.expects, id)
		}
	}
	e.scenes, e.order = all, order
}

// scene returns a scene as it is now; nil where there is none.
func (e *Engine) scene(id string) *Scene {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.scenes[id]
}

// Scene returns a scene as it runs: one that reverses another has its steps.
func (e *Engine) Scene(id string) (Scene, bool) {
	s := e.scene(id)
	if s == nil {
		return Scene{}, false
	}
	return *s, true
}

// Run resolves what an earlier life of the daemon left unfinished and then lets scenes run until
// ctx ends; runs under way then stop where they are and stay noted. Nothing can be started before.
func (e *Engine) Run(ctx context.Context) error {
	e.mu.Lock()
	e.ctx = ctx
	e.mu.Unlock()
	for _, left := range e.journal.Unfinished() {
		e.resolve(ctx, left)
	}
	<-ctx.Done()
	e.mu.Lock()
	e.over = true
	e.mu.Unlock()
	e.wg.Wait()
	return nil
}

// Start begins a run of a scene and returns it, or a Refusal: a scene does not run twice at a time.
// A scene and its reverse exclude each other; starting one ends the other first. The error is a
// *room.NotFound where there is no such scene.
func (e *Engine) Start(scene string, by journal.By) (room.Run, error) {
	s := e.scene(scene)
	if s == nil {
		e.mu.Lock()
		known := append([]string(nil), e.order...)
		e.mu.Unlock()
		sort.Strings(known)
		if len(scene) > 64 {
			scene = scene[:64] + "…"
		}
		return room.Run{}, &room.NotFound{What: fmt.Sprintf("no scene %q", scene), Known: strings.Join(known, ", ")}
	}
	if room.Asked(by) {
		e.room.Touch()
	}
	run, err := e.begin(s, by, 0, s.Steps)
	e.journal.Await()
	return run, err
}

// Hold ends every run where it is and lets none begin, for the reason given; nil lets them again.
// What is done stays done.
func (e *Engine) Hold(why *devices.Phrase) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = why
	if why == nil {
		return
	}
	for _, r := range e.active {
		r.cancel(&cancelled{*why})
	}
}

// begin begins a run, in place of those that it resolves: they are over when it is noted, not before.
func (e *Engine) begin(s *Scene, by journal.By, from int, steps []Step, resolved ...journal.Run) (room.Run, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.start(s, by, from, steps, func(room.Run) {}, resolved...)
}

// fingerprint tells one list of steps from another. A number of a step means nothing in other steps than
// those that it was noted of.
func fingerprint(steps []Step) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", steps))
	return hex.EncodeToString(sum[:8])
}

// start begins a run; then is told how it ended. The caller holds mu.
func (e *Engine) start(s *Scene, by journal.By, from int, steps []Step, then func(room.Run), resolved ...journal.Run) (room.Run, error) {
	if e.ctx == nil || e.over {
		return room.Run{}, &devices.Refusal{Reason: devices.Phrase{ZH: "控制器正在启动或停止", EN: "The controller is starting or stopping"}, For: time.Second}
	}
	if e.held != nil {
		return room.Run{}, &devices.Refusal{Reason: *e.held}
	}
	if e.active[s.ID] != nil {
		return room.Run{}, &devices.Refusal{Reason: devices.Phrase{ZH: "该场景正在运行", EN: "This scene is running already"}, For: time.Second}
	}
	var before *run
	for id, other := range e.active {
		if other.scene.ReverseOf == s.ID || s.ReverseOf == id {
			before = other
		}
	}
	ctx, cancel := context.WithCancelCause(e.ctx)
	r := &run{
		engine: e, scene: s, steps: steps, at: from, cancel: cancel, over: make(chan struct{}),
		expects: e.expects[s.ID], times: make([]time.Duration, len(steps)),
		shown: room.Run{
			ID: rand.Text()[:10], Scene: s.ID, By: by.String(), State: room.Running, Started: time.Now(),
			Steps: make([]room.RunStep, len(steps)),
		},
	}
	for i, step := range steps {
		r.shown.Steps[i] = room.RunStep{Name: step.Name, State: room.Waiting}
		if i < from {
			r.shown.Steps[i].State = room.Finished
		}
	}
	e.active[s.ID] = r
	r.post()
	r.note(resolved...)
	e.journal.Record(journal.Entry{Time: r.shown.Started, By: by, Scene: s.ID, Run: r.shown.ID, Outcome: "started"})
	e.wg.Go(func() {
		defer cancel(nil)
		if before != nil {
			before.cancel(errCancelled)
			<-before.over
		}
		r.play(ctx)
		e.finished(r)
		then(r.snapshot())
	})
	return r.snapshot(), nil
}

// finished takes a run off the list.
func (e *Engine) finished(r *run) {
	shown := r.snapshot()
	e.mu.Lock()
	delete(e.active, r.scene.ID)
	if shown.State == room.Finished && e.scenes[r.scene.ID] == r.scene {
		e.expects[r.scene.ID] = r.times
	}
	e.mu.Unlock()
	close(r.over)
	e.journal.Record(journal.Entry{
		Time: time.Now(), By: journal.By{Via: "scene", Name: r.scene.ID}, Scene: r.scene.ID, Run: shown.ID,
		Outcome: string(shown.State), Detail: shown.Reason.In("en"), Took: time.Since(shown.Started),
	})
}

// Cancel ends a run where it is; what is done stays done. It reports false where none is under way.
func (e *Engine) Cancel(scene string, by journal.By) bool {
	e.mu.Lock()
	r := e.active[scene]
	e.mu.Unlock()
	if r == nil {
		return false
	}
	e.journal.Record(journal.Entry{Time: time.Now(), By: by, Scene: scene, Run: r.snapshot().ID, Outcome: "cancel"})
	r.cancel(errCancelled)
	e.journal.Await()
	return true
}

// Decision is what a person chooses about a step that has failed.
type Decision string

// The decisions.
const (
	DecideRetry  Decision = "retry"
	DecideSkip   Decision = "skip"
	DecideUnwind Decision = "unwind"
	DecideStop   Decision = "stop"
)

// Decide answers a run that asks. It reports false where no run of the scene is asking.
func (e *Engine) Decide(scene string, d Decision, by journal.By) bool {
	e.mu.Lock()
	r := e.active[scene]
	e.mu.Unlock()
	if r == nil || !r.answer(d) {
		return false
	}
	e.journal.Record(journal.Entry{Time: time.Now(), By: by, Scene: scene, Run: r.snapshot().ID, Outcome: string(d)})
	e.journal.Await()
	return true
}

// Ready reports whether scenes can be started.
func (e *Engine) Ready() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ctx != nil && !e.over
}

// Active reports whether a run of the scene is under way.
func (e *Engine) Active(scene string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.active[scene] != nil
}

// Wait returns when no run of the scene is under way, or ctx ends.
func (e *Engine) Wait(ctx context.Context, scene string) error {
	e.mu.Lock()
	r := e.active[scene]
	e.mu.Unlock()
	if r == nil {
		return nil
	}
	select {
	case <-r.over:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx) //nolint:wrapcheck // ctx's own
	}
}

// readTime is how long a resolved run waits for the equipment to say how it is.
const readTime = 30 * time.Second

var cutOff = devices.Phrase{ZH: "控制器重启，运行中断", EN: "Cut off by a restart of the controller"}

// resolve does with a run that was cut off what its scene says, after the equipment has been read.
func (e *Engine) resolve(ctx context.Context, n journal.Run) {
	over := n
	over.Open, over.State, over.Ended = false, string(room.Cancelled), time.Now()
	s := e.scene(n.Scene)
	if s == nil || n.At > len(s.Steps) {
		e.journal.KeepRuns(over)
		e.log.Warn("a run that was cut off belongs to no scene of this room file; nothing was done", "scene", n.Scene)
		return
	}
	policy := s.OnRestart
	if n.Of != "" && n.Of != fingerprint(s.Steps) {
		e.log.Warn("the scene of a run that was cut off has other steps now; nothing is done", "scene", s.ID)
		policy = Leave
	}
	if n.Unwinding && policy == Finish {
		policy = Unwind // it was on its way back: finishing means to arrive there
	}
	by := journal.By{Via: "start", Name: s.ID}
	e.log.Info("resolving a run that was cut off", "scene", s.ID, "step", n.At+1, "policy", string(policy))
	if policy != Finish && policy != Unwind {
		e.journal.KeepRuns(over)
		shown := room.Run{ID: n.ID, Scene: s.ID, By: n.By, State: room.Cancelled, Started: n.Started, Ended: over.Ended, Reason: cutOff}
		for i, step := range s.Steps {
			state := room.Waiting
			if i < n.At {
				state = room.Finished
			}
			shown.Steps = append(shown.Steps, room.RunStep{Name: step.Name, State: state})
		}
		e.room.PostRun(shown)
		e.journal.Record(journal.Entry{Time: time.Now(), By: by, Scene: s.ID, Run: n.ID, Outcome: "left", Detail: cutOff.EN})
		return
	}
	e.awaitReadings(ctx, s.Steps)
	steps, from := s.Steps, n.At
	if policy == Unwind {
		// The step under way may have been done or not; undoing it is right either way.
		steps, from = Reverse(s.Steps[:min(n.At+1, len(s.Steps))], s.all), 0
	}
	if ctx.Err() != nil {
		return // the next start finds it again
	}
	if _, err := e.begin(s, by, from, steps, over); err != nil {
		e.journal.KeepRuns(over)
		e.log.Error("a run that was cut off could not be resolved", "scene", s.ID, "error", err)
	}
}

// awaitReadings waits until everything that the steps set has been read once, within reason.
func (e *Engine) awaitReadings(ctx context.Context, steps []Step) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	var wishes []room.Wish
	var collect func([]Step)
	collect = func(steps []Step) {
		for _, s := range steps {
			wishes = append(wishes, s.Set...)
			collect(s.Together)
		}
	}
	collect(steps)
	_ = e.room.Await(ctx, func() bool {
		for _, w := range wishes {
			if e.room.Awaited(w.Device, w.Property) {
				return false
			}
		}
		return true
	})
}
