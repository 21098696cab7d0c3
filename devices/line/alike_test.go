package line_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"lectern/devices/line"
)

// alike has several ask the same of a unit while one of them is under way, and returns what they were told.
func alike(t *testing.T, r rig, u *unit, ctx context.Context, others int, during func()) (told []error) {
	t.Helper()
	ask := echo(1, 7)
	ask.Question = "all"
	told = make([]error, 1+others)
	var wg sync.WaitGroup
	one := func(ctx context.Context, i int) {
		wg.Go(func() {
			frame, err := r.Do(ctx, ask)
			if err == nil && !bytes.Equal(frame, ask.Request) {
				t.Errorf("% X", frame)
			}
			if err == nil {
				frame[0] = 99 // it is his own
			}
			told[i] = err
		})
	}
	seen := len(u.frames())
	one(limit(t), 0)
	until(t, "the first question is there", func() bool { return len(u.frames()) > seen })
	for i := range others {
		one(ctx, 1+i)
	}
	until(t, "the others wait", func() bool { return r.Waiting() == others })
	during()
	wg.Wait()
	return told
}

func TestWhatPollsAskAlikeIsAskedOnce(t *testing.T) {
	u := &unit{address: 1, hold: make(chan struct{})}
	r := bus(t, u)
	for _, err := range alike(t, r, u, limit(t), 5, func() { u.hold <- struct{}{} }) {
		if err != nil {
			t.Error(err)
		}
	}
	if got := u.frames(); len(got) != 1 {
		t.Errorf("it was asked %d times", len(got))
	}
}

// Who presses wants to know how it is after he pressed. All who did so before the question was written hear its answer.
func TestWhatAPersonAsksIsNotAnsweredByWhatWasAskedBefore(t *testing.T) {
	u := &unit{address: 1, hold: make(chan struct{})}
	r := bus(t, u)
	for _, err := range alike(t, r, u, person(t), 3, func() { u.hold <- struct{}{}; u.hold <- struct{}{} }) {
		if err != nil {
			t.Error(err)
		}
	}
	if got := u.frames(); len(got) != 2 {
		t.Errorf("it was asked %d times", len(got))
	}
}

func TestSilenceIsAnAnswerToAllWhoAskAlike(t *testing.T) {
	u := &unit{address: 1, hold: make(chan struct{}, 1), mute: true}
	r := bus(t, u)
	for _, err := range alike(t, r, u, limit(t), 5, func() { u.hold <- struct{}{} }) {
		if !errors.Is(err, line.ErrNoReply) {
			t.Error(err)
		}
	}
	if got := u.frames(); len(got) != 1 {
		t.Errorf("it was asked %d times", len(got))
	}
	if h := r.Health(); h.Units[0].Failures != 1 || h.Units[0].Silent {
		t.Errorf("%+v", h.Units[0])
	}
}

// The same frame without a question is a command, and two presses are two.
func TestCommandsAreNotTakenForOne(t *testing.T) {
	u := &unit{address: 1}
	r := bus(t, u)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := r.Do(limit(t), echo(1, 7)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := u.frames(); len(got) != 8 {
		t.Errorf("it heard %d", len(got))
	}
}
