// Package equipment is what people mean by a curtain, a projector, a lamp: devices built on the
// capabilities that protocols offer. It knows what is safe and what is meant - interlock, dead time,
// travel, warm-up, cool-down, limits, reading back - and knows no bytes.
//
// All equipment follows the same habits:
//
//   - State is read first and never written at start.
//   - It is polled; what speaks up by itself is asked again at once; while something is under way it
//     is asked more often.
//   - A set is confirmed by reading back. What the equipment then says is reported, whatever was asked.
//   - A poll that was asked before a set was over does not overwrite what the set found.
//   - Equipment without mains is not asked and not missed.
package equipment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	pollUsual  = 2 * time.Second
	pollTime   = 8 * time.Second        // bounds one poll
	hurry      = 500 * time.Millisecond // poll while something is under way
	settleTime = 150 * time.Millisecond // before a read-back is asked again
	settleMost = 8                      // read-backs after a set
)

// Spec is what all equipment is told.
type Spec struct {
	ID   string
	Name devices.Phrase
	Poll time.Duration // 0 is two seconds
	Log  *slog.Logger
}

// NoMains is why equipment whose circuit is off refuses.
var noMains = devices.Phrase{ZH: "没有供电,请先打开系统电源", EN: "It has no mains power: switch the system on first"}

// base is what all equipment has in common. The equipment embeds it and gives it read.
type base struct {
	spec    Spec
	report  devices.Reporter
	changed <-chan struct{} // of a devices.Notifier; nil where there is none
	read    func(ctx context.Context) (busy bool, err error)

	turn  chan struct{} // held while the equipment is being set or read; capacity one
	again chan struct{} // ask for a poll now

	mu    sync.Mutex
	unfed bool
}

// init makes a base ready. The capability is asked whether it speaks up by itself.
func (b *base) init(spec Spec, capability any) {
	if spec.Poll <= 0 {
		spec.Poll = pollUsual
	}
	if spec.Log == nil {
		spec.Log = slog.New(slog.DiscardHandler)
	}
	b.spec, b.turn, b.again = spec, make(chan struct{}, 1), make(chan struct{}, 1)
	if n, ok := capability.(devices.Notifier); ok {
		b.changed = n.Changed()
	}
}

// Bind implements devices.Device.
func (b *base) Bind(r devices.Reporter) { b.report = r }

// SetFed tells whether the equipment's mains circuit is on. Off, it is not asked, not missed and
// refuses commands.
func (b *base) SetFed(fed bool) {
	b.mu.Lock()
	b.unfed = !fed
	b.mu.Unlock()
	b.pollSoon()
}

func (b *base) fed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.unfed
}

func (b *base) pollSoon() {
	select {
	case b.again <- struct{}{}:
	default:
	}
}

// Run implements devices.Device: it polls until ctx ends.
func (b *base) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-b.changed:
		case <-b.again:
		}
		pause := b.spec.Poll
		if b.fed() {
			asked, cancel := context.WithTimeout(ctx, pollTime)
			if busy, err := b.ask(asked); busy && err == nil {
				pause = min(pause, hurry)
			}
			cancel()
		}
		timer.Reset(pause)
	}
}

// Refresh implements devices.Device.
func (b *base) Refresh(ctx context.Context) error {
	if !b.fed() {
		return nil
	}
	_, err := b.ask(ctx)
	return err
}

// ask reads the equipment and reports, unless it is being set: then the set will.
func (b *base) ask(ctx context.Context) (busy bool, err error) {
	if err := b.enter(ctx); err != nil {
		return false, err
	}
	defer b.leave()
	return b.readNow(ctx)
}

// readNow reads and reports. The caller has the turn.
func (b *base) readNow(ctx context.Context) (busy bool, err error) {
	busy, err = b.read(ctx)
	if !b.fed() {
		return false, nil // its mains went while it was asked
	}
	switch {
	case err == nil:
		b.report.Reach(nil)
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		// The daemon ends; that says nothing of the equipment.
	default:
		b.report.Reach(err)
	}
	return busy, err
}

// enter waits for the turn.
func (b *base) enter(ctx context.Context) error {
	select {
	case b.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%s is busy: %w: %w", b.spec.ID, line.ErrExpired, context.Cause(ctx))
	}
}

func (b *base) leave() { <-b.turn }

// set does what all sets have in common: it takes the turn, refuses without mains, and afterwards
// asks for a poll soon, since a set is the best reason to look.
func (b *base) set(ctx context.Context, do func() error) error {
	if !b.fed() {
		return &devices.Refusal{Reason: noMains}
	}
	if err := b.enter(ctx); err != nil {
		return err
	}
	defer b.pollSoon()
	defer b.leave()
	err := do()
	if lost(err) {
		b.report.Reach(err)
	}
	return err
}

// confirm reads back until the wish is fulfilled, and gives up after a moment: relays and
// sequencers acknowledge before they have moved.
func (b *base) confirm(ctx context.Context, fulfilled func() bool, otherwise func() error) error {
	for try := 0; ; try++ {
		if _, err := b.readNow(ctx); err != nil {
			return fmt.Errorf("set, but not confirmed: %w", err)
		}
		if fulfilled() {
			return nil
		}
		if try == settleMost || !sleep(ctx, settleTime) {
			return otherwise()
		}
	}
}

// sleep waits, and reports false where ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func noSuch(property string) error { return fmt.Errorf("there is no property %q to set", property) }

// patience says how long a command to a capability may take.
func patience(capability any, property string) time.Duration {
	if s, ok := capability.(devices.Slow); ok {
		return s.Patience(property)
	}
	return 0
}
