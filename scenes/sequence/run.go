package sequence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// cancelled is why a run was ended.
type cancelled struct{ reason devices.Phrase }

func (c *cancelled) Error() string { return "cancelled: " + c.reason.In("en") }

var errCancelled = &cancelled{devices.Phrase{ZH: "已取消", EN: "Cancelled"}}

// patience is how long a step that was refused waits before it asks again, at least and at most.
const (
	patienceLeast = 250 * time.Millisecond
	patienceMost  = time.Second
)

// run is one run of a scene. The goroutine of play owns everything but shown.
type run struct {
	engine    *Engine
	scene     *Scene
	steps     []Step
	at        int // the step under way
	cancel    context.CancelCauseFunc
	over      chan struct{}
	unwinding bool
	began     time.Time       // the step under way
	expects   []time.Duration // how long each step took the last time; may be empty
	times     []time.Duration // how long each took this time

	mu       sync.Mutex
	shown    room.Run
	question chan Decision // that stands and is not answered; nil for none
}

func (r *run) snapshot() room.Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	shown := r.shown
	shown.Steps = slices.Clone(shown.Steps)
	return shown
}

func (r *run) post() { r.engine.room.PostRun(r.snapshot()) }

// show changes what panels see and tells them.
func (r *run) show(change func(*room.Run)) {
	r.mu.Lock()
	change(&r.shown)
	r.shown.Left = int(r.left().Round(time.Second) / time.Second)
	r.mu.Unlock()
	r.post()
}

func (r *run) showStep(i int, state room.RunState, reason devices.Phrase, until time.Time) {
	r.show(func(s *room.Run) {
		s.Steps[i].State, s.Steps[i].Reason, s.Steps[i].Until = state, reason, until
	})
	if state.Over() {
		r.engine.journal.Record(journal.Entry{
			Time: r.began, By: journal.By{Via: "scene", Name: r.scene.ID}, Scene: r.scene.ID, Run: r.shown.ID, Step: i + 1,
			Outcome: string(state), Detail: strings.TrimSuffix(r.steps[i].Name.In("en")+": "+reason.In("en"), ": "), Took: time.Since(r.began),
		})
	}
}

// failure is a step that was not done, with what people are told.
type failure struct {
	reason devices.Phrase
	err    error
}

func (f *failure) Error() string { return f.err.Error() }

// play carries the run out, from the step it stands at.
func (r *run) play(ctx context.Context) {
	for ; r.at < len(r.steps); r.at++ {
		step := r.steps[r.at]
		r.note()
		r.engine.journal.AwaitDisk() // a power failure from here on finds the run at this step
		began := time.Now()
		r.began = began
		r.showStep(r.at, room.Running, devices.Phrase{}, time.Time{})
		failed := r.attempt(ctx, r.at, step)
		if ctx.Err() != nil {
			r.cutShort(ctx)
			return
		}
		if failed != nil {
			goOn, again := r.fail(ctx, step, failed)
			if again {
				r.at--
				continue
			}
			if !goOn {
				return
			}
		} else {
			r.showStep(r.at, room.Finished, devices.Phrase{}, time.Time{})
		}
		if step.After > 0 && r.at < len(r.steps)-1 {
			r.pause(ctx, step.After)
		}
		r.times[r.at] = time.Since(began)
		if ctx.Err() != nil {
			r.at++ // this step is done; the next has not begun
			r.note()
			r.cutShort(ctx)
			return
		}
	}
	r.end(room.Finished, devices.Phrase{})
}

// end closes the run for good.
func (r *run) end(state room.RunState, reason devices.Phrase) {
	r.show(func(s *room.Run) { s.State, s.Reason, s.Ended, s.Left = state, reason, time.Now(), 0 })
	r.note()
}

// cutShort ends a run whose ctx has ended: cancelled by somebody, or stopped with the daemon, in
// which case it stays noted for the next start.
func (r *run) cutShort(ctx context.Context) {
	if by := new(cancelled); errors.As(context.Cause(ctx), &by) {
		r.end(room.Cancelled, by.reason)
		return
	}
	r.show(func(s *room.Run) { s.State, s.Reason, s.Ended = room.Cancelled, cutOff, time.Now() })
}

// attempt does a step, again as often as it allows.
func (r *run) attempt(ctx context.Context, i int, s Step) *failure {
	var failed *failure
	for try := 0; try <= s.Retry && ctx.Err() == nil; try++ {
		if failed = r.do(ctx, i, s); failed == nil {
			return nil
		}
		r.engine.log.Warn("a step failed", "scene", r.scene.ID, "step", i+1, "try", try+1, "error", failed.err)
	}
	return failed
}

func within(s Step) time.Duration {
	if s.Within > 0 {
		return s.Within
	}
	return stepTime
}

// do does a step once.
func (r *run) do(ctx context.Context, i int, s Step) *failure {
	switch {
	case len(s.Set) > 0:
		for _, w := range s.Set {
			if failed := r.set(ctx, i, w, within(s)); failed != nil {
				return failed
			}
		}
	case len(s.Wait) > 0:
		return r.wait(ctx, i, s)
	case s.Pause > 0:
		r.showStep(i, room.Running, devices.Phrase{}, time.Now().Add(s.Pause))
		r.pause(ctx, s.Pause)
	case s.Scene != "":
		for _, inner := range r.scene.all[s.Scene].Steps {
			if failed := r.attempt(ctx, i, inner); failed != nil && inner.OnFailure != Skip {
				return failed
			}
			r.pause(ctx, inner.After)
		}
	case len(s.Together) > 0:
		failures := make([]*failure, len(s.Together))
		var wg sync.WaitGroup
		for k, part := range s.Together {
			wg.Go(func() {
				if failed := r.attempt(ctx, i, part); part.OnFailure != Skip {
					failures[k] = failed
				}
			})
		}
		wg.Wait()
		for _, failed := range failures {
			if failed != nil {
				return failed
			}
		}
	}
	return nil
}

// set sets one property. What is refused for now is asked again until the time is over: a projector
// that has yet to cool down delays its mains, it does not break the scene.
func (r *run) set(ctx context.Context, i int, w room.Wish, limit time.Duration) *failure {
	deadline := time.Now().Add(limit)
	for {
		outcome, err := r.engine.room.Do(ctx, room.Command{
			Device: w.Device, Property: w.Property, Value: w.Value, By: journal.By{Via: "scene", Name: r.scene.ID},
		})
		if err != nil { // the room has become another since the run began
			return &failure{reason: devices.Phrase{ZH: "房间文件已更改，没有此设备或取值", EN: "The room file has changed: there is no such device or value any more"}, err: err}
		}
		if outcome.OK() || ctx.Err() != nil {
			return nil
		}
		wait := min(max(time.Duration(outcome.Retry)*time.Second, patienceLeast), patienceMost)
		if outcome.Result != devices.Refused || outcome.Lasting || time.Now().Add(wait).After(deadline) {
			return &failure{
				reason: outcome.Reason,
				err:    fmt.Errorf("%s.%s to %s: %s: %s", w.Device, w.Property, w.Value, outcome.Result, outcome.Detail),
			}
		}
		r.showStep(i, room.Running, outcome.Reason, deadline)
		r.pause(ctx, wait)
	}
}

func (r *run) wait(ctx context.Context, i int, s Step) *failure {
	limit := within(s)
	r.showStep(i, room.Running, devices.Phrase{}, time.Now().Add(limit))
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := r.engine.room.Await(limited, func() bool {
		for _, m := range s.Wait {
			p, _ := r.engine.room.Get(m.Device, m.Property)
			// An old reading proves nothing about now.
			known := p.Quality == devices.Reported || p.Quality == devices.Assumed
			if !known || !slices.Contains(m.Values, p.Value) {
				return false
			}
		}
		return true
	})
	if err != nil {
		return &failure{
			reason: devices.Phrase{ZH: "等待超时", EN: "It did not happen in time"},
			err:    fmt.Errorf("waiting %s for %v: %w", limit, s.Wait, err),
		}
	}
	return nil
}

func (r *run) pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// answer answers the question that stands, once: what comes second is no answer to the next. It reports
// false where none stands.
func (r *run) answer(d Decision) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.question == nil {
		return false
	}
	r.question <- d
	r.question = nil
	return true
}

// fail deals with a step that has failed, and says whether to go on with the next or do it again.
func (r *run) fail(ctx context.Context, s Step, failed *failure) (goOn, again bool) {
	policy := s.OnFailure
	if r.unwinding && policy != Ask {
		policy = Skip // on the way back as much is undone as can be
	}
	if policy == Ask {
		r.showStep(r.at, room.Asking, failed.reason, time.Time{})
		question := make(chan Decision, 1)
		r.show(func(s *room.Run) { s.State, r.question = room.Asking, question })
		select {
		case d := <-question:
			r.show(func(s *room.Run) { s.State = room.Running })
			policy = map[Decision]Policy{DecideSkip: Skip, DecideUnwind: Unwind}[d]
			if d == DecideRetry {
				return true, true
			}
		case <-ctx.Done():
			r.cutShort(ctx)
			return false, false
		}
	}
	switch policy {
	case Skip:
		r.showStep(r.at, room.Skipped, failed.reason, time.Time{})
		return true, false
	case Unwind:
		r.showStep(r.at, room.Broken, failed.reason, time.Time{})
		r.unwind(ctx, failed)
		return false, false
	}
	r.showStep(r.at, room.Broken, failed.reason, time.Time{})
	r.end(room.Broken, failed.reason)
	return false, false
}

// unwind undoes the steps that are done and the one that has failed, which may be done in part.
func (r *run) unwind(ctx context.Context, failed *failure) {
	r.unwinding = true
	r.note()
	r.show(func(s *room.Run) { s.State, s.Reason = room.Unwinding, failed.reason })
	for i := r.at; i >= 0; i-- {
		r.began = time.Now()
		if r.shown.Steps[i].State == room.Skipped {
			continue
		}
		for _, undo := range undoing(r.steps[i], r.scene.all) {
			if back := r.attempt(ctx, i, undo); back != nil {
				r.engine.log.Error("a step could not be undone", "scene", r.scene.ID, "step", i+1, "error", back.err)
				r.showStep(i, room.Broken, back.reason, time.Time{})
				continue
			}
			if ctx.Err() != nil {
				r.cutShort(ctx)
				return
			}
		}
		if r.shown.Steps[i].State != room.Broken {
			r.showStep(i, room.Undone, devices.Phrase{}, time.Time{})
		}
		if i > 0 {
			r.pause(ctx, r.steps[i-1].After)
		}
	}
	r.end(room.Undone, failed.reason)
}

// note has the journal keep where the run stands, before anything is done about it, together with the
// runs that it takes the place of.
func (r *run) note(instead ...journal.Run) {
	shown := r.snapshot()
	steps, err := json.Marshal(shown.Steps)
	if err != nil {
		r.engine.log.Error("noting a run", "scene", r.scene.ID, "error", err)
	}
	r.engine.journal.KeepRuns(append(instead, journal.Run{
		ID: shown.ID, Scene: r.scene.ID, By: shown.By, State: string(shown.State), At: r.at, Started: shown.Started, Ended: shown.Ended,
		Unwinding: r.unwinding, Open: !shown.State.Over(), Steps: steps, Of: fingerprint(r.scene.Steps),
	})...)
}

// left reckons how long the steps that wait will take: as long as the last time, or their pauses.
func (r *run) left() time.Duration {
	var sum time.Duration
	for i, s := range r.steps {
		if r.shown.Steps[i].State == room.Waiting || r.shown.Steps[i].State == room.Running {
			least := s.After + s.Pause
			if i < len(r.expects) {
				least = max(least, r.expects[i])
			}
			sum += least
		}
	}
	return sum
}
