package equipment

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"lectern/devices/line"
)

// turn lets one at a time speak to the equipment, in the order in which they came. Of those that
// wait to set the same property only the newest remains: nobody wants the volume of a second ago.
type turn struct {
	mu      sync.Mutex
	held    bool
	waiting []*waiter
}

// waiter waits for the turn.
type waiter struct {
	property string
	act      bool // twice is two acts: it does not give way to a newer one
	answer   chan error
}

// enter waits for the turn. It fails with line.ErrSuperseded where a newer wish for the property
// came, and with line.ErrExpired where ctx ended first. Property "" is no wish at all, but a look.
func (t *turn) enter(ctx context.Context, property string, act bool) error {
	t.mu.Lock()
	if !t.held {
		t.held = true
		t.mu.Unlock()
		return nil
	}
	w := &waiter{property: property, act: act, answer: make(chan error, 1)}
	at := len(t.waiting)
	if property != "" && !act {
		for i, older := range t.waiting {
			if older.property == property && !older.act {
				older.answer <- fmt.Errorf("%s: %w", property, line.ErrSuperseded)
				t.waiting, at = slices.Delete(t.waiting, i, i+1), i
				break
			}
		}
	}
	t.waiting = slices.Insert(t.waiting, at, w)
	t.mu.Unlock()

	select {
	case err := <-w.answer:
		return err
	case <-ctx.Done():
	}
	t.mu.Lock()
	i := slices.Index(t.waiting, w)
	if i >= 0 {
		t.waiting = slices.Delete(t.waiting, i, i+1)
	}
	t.mu.Unlock()
	if i < 0 { // it was decided in the same moment
		if err := <-w.answer; err != nil {
			return err
		}
		t.leave()
	}
	return fmt.Errorf("waiting for the command before: %w: %w", line.ErrExpired, context.Cause(ctx))
}

// leave passes the turn on.
func (t *turn) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.held = false
		return
	}
	t.waiting[0].answer <- nil
	t.waiting = t.waiting[1:]
}

// wanted reports whether somebody waits to set the property.
func (t *turn) wanted(property string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.waiting, func(w *waiter) bool { return w.property == property })
}

// dismiss sends away all that wait to set something.
func (t *turn) dismiss() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = slices.DeleteFunc(t.waiting, func(w *waiter) bool {
		if w.property == "" {
			return false
		}
		w.answer <- fmt.Errorf("%s: %w", w.property, line.ErrSuperseded)
		return true
	})
}
