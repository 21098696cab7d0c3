package sequence

import (
	"context"
	"errors"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// Act does what something automatic says: it sets properties, one after the other, and starts a scene.
// Did is told what became of it, where a scene was started when its run has ended. All is tried, and
// the first that is not done is what is told.
func (e *Engine) Act(ctx context.Context, set []room.Wish, scene string, by journal.By, did func(devices.Outcome)) {
	worst := devices.Outcome{Result: devices.Done}
	for _, w := range set {
		outcome, err := e.room.Do(ctx, room.Command{Device: w.Device, Property: w.Property, Value: w.Value, By: by})
		if err != nil {
			outcome = devices.OutcomeOf(err)
		}
		if !outcome.OK() {
			e.log.Warn("something automatic was not done", "by", by.String(), "device", w.Device, "property", w.Property, "outcome", string(outcome.Result), "detail", outcome.Detail)
			if worst.OK() {
				worst = outcome
			}
		}
	}
	if scene == "" {
		did(worst)
		return
	}
	s := e.scene(scene)
	err := error(&room.NotFound{What: "no scene " + scene})
	if s != nil {
		e.mu.Lock()
		_, err = e.start(s, by, 0, s.Steps, func(r room.Run) {
			if worst.OK() {
				worst = ended(r)
			}
			did(worst)
		})
		e.mu.Unlock()
	}
	switch {
	case err == nil:
		return
	case worst.OK():
		worst = devices.OutcomeOf(err)
	}
	e.log.Warn("something automatic could not start its scene", "by", by.String(), "scene", scene, "error", err)
	did(worst)
}

// ended is what a run has ended in, as an outcome.
func ended(r room.Run) devices.Outcome {
	if r.State == room.Finished {
		return devices.OutcomeOf(nil)
	}
	o := devices.OutcomeOf(errors.New(string(r.State)))
	if r.Reason != (devices.Phrase{}) {
		o.Reason = r.Reason
	}
	return o
}
