// Package equipment is what people mean by a curtain, a projector, a lamp: devices built on the
// capabilities that protocols offer. It knows what is safe and what is meant - interlock, dead time,
// travel, warm-up, cool-down, limits, reading back - and knows no bytes.
//
// All equipment follows the same habits:
//
//   - State is read first and never written at start.
//   - It is polled; what speaks up by itself is asked again at once; while something is under way it
//     is asked more often. A person never waits for a poll: a command ends the poll under way.
//   - A set is confirmed by reading back. What the equipment then says is reported, whatever was
//     asked. Where the acknowledgement itself bears the value, that is reported at once, ahead of
//     the reading. Where nothing can be read the wish is reported as assumed.
//   - A poll that was asked before a set was over does not overwrite what the set found.
//   - Equipment without mains is not asked and not missed.
//
// Everything but curtains that are timed has base in it, in which one at a time has the turn to
// speak to the equipment. A timed curtain is owned by the one goroutine of its Run instead.
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
	Poll time.Duration // how often it is asked; 0 is two seconds
	Log  *slog.Logger  // nil logs nowhere
}

func (s Spec) withDefaults(poll time.Duration) Spec {
	if s.Poll <= 0 {
		s.Poll = poll
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return s
}

// errOver is what commands meet after Run has ended.
var errOver = errors.New("the room has been closed down")

// noMains is why equipment whose circuit is off refuses.
func noMains() *devices.Refusal {
	return &devices.Refusal{Lasting: true, Reason: devices.Phrase{ZH: "没有供电，请先打开系统电源", EN: "It has no mains power: switch the system on first"}}
}

// base is what all equipment has in common. The equipment embeds it and gives it read.
type base struct {
	spec    Spec
	report  *valve
	changed <-chan struct{} // of a devices.Notifier; nil where there is none
	slow    devices.Slow    // nil where no command takes long

	// read asks the equipment and reports. It is called with the turn. It says whether something is
	// under way, so that it is to be asked again soon.
	read func(ctx context.Context) (busy bool, err error)

	turn  turn
	again chan struct{} // ask for a poll now

	mu        sync.Mutex
	interrupt context.CancelFunc // ends the poll under way; nil where there is none
	over      bool
}

// setUp makes a base ready. The capability is asked whether it speaks up by itself.
func (b *base) setUp(spec Spec, properties []devices.Property, capability any) {
	b.spec = spec.withDefaults(pollUsual)
	b.again = make(chan struct{}, 1)
	b.report = &valve{properties: properties, locks: make(map[string]lockShown)}
	if n, ok := capability.(devices.Notifier); ok {
		b.changed = n.Changed()
	}
	b.slow, _ = capability.(devices.Slow)
}

// Properties implements devices.Device.
func (b *base) Properties() []devices.Property { return b.report.properties }

// Bind implements devices.Device.
func (b *base) Bind(r devices.Reporter) { b.report.to = r }

// SetFed tells whether the equipment's mains circuit is on. Off, it is not asked, not missed,
// reports nothing and refuses commands. It does not block.
func (b *base) SetFed(fed bool) {
	b.report.setOpen(fed)
	b.endPoll()
	b.pollSoon()
}

func (b *base) fed() bool { return b.report.open() }

// Patience implements devices.Slow for the capability.
func (b *base) Patience(property string) time.Duration {
	if b.slow == nil {
		return 0
	}
	return b.slow.Patience(property)
}

func (b *base) pollSoon() {
	select {
	case b.again <- struct{}{}:
	default:
	}
}

// Run implements devices.Device: it polls until ctx ends.
func (b *base) Run(ctx context.Context) error {
	defer b.end()
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
		if b.fed() && b.poll(ctx) {
			pause = min(pause, hurry)
		}
		timer.Reset(pause)
	}
}

func (b *base) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}

func (b *base) ended() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.over
}

// poll asks the equipment once, unless somebody wants something of it meanwhile.
func (b *base) poll(ctx context.Context) (busy bool) {
	if b.turn.enter(ctx, "", false) != nil {
		return false
	}
	defer b.turn.leave()
	asked, cancel := context.WithTimeout(ctx, pollTime)
	defer cancel()
	b.mu.Lock()
	b.interrupt = cancel
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.interrupt = nil
	}()
	busy, err := b.readNow(asked)
	if errors.Is(err, line.ErrExpired) && ctx.Err() == nil && !errors.Is(asked.Err(), context.Canceled) {
		b.report.Reach(err) // not asked for so long that what it said is old
	}
	return busy && err == nil
}

// endPoll ends the poll under way: whoever comes now asks himself, or at once after.
func (b *base) endPoll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.interrupt != nil {
		b.interrupt()
	}
}

// Refresh implements devices.Device.
func (b *base) Refresh(ctx context.Context) error {
	if !b.fed() {
		return nil
	}
	if b.ended() {
		return errOver
	}
	b.endPoll()
	if err := b.turn.enter(ctx, "", false); err != nil {
		return err
	}
	defer b.turn.leave()
	_, err := b.readNow(ctx)
	return err
}

// readNow reads and reports. The caller has the turn.
func (b *base) readNow(ctx context.Context) (busy bool, err error) {
	busy, err = b.read(ctx)
	var rejection *devices.Rejection
	switch {
	case !b.fed():
		return false, nil // its mains went while it was asked
	case err == nil:
		b.report.Reach(nil)
	case errors.Is(err, errNotAsked):
		return busy, nil
	case errors.Is(ctx.Err(), context.Canceled):
		// Interrupted, or the daemon ends: that says nothing of the equipment.
	case errors.As(err, &rejection) && rejection.Busy:
		// It answers, though not now. What it said last still stands.
	case errors.Is(err, line.ErrExpired), errors.Is(err, line.ErrSuperseded), errors.Is(err, line.ErrFull), errors.Is(err, line.ErrClosed):
		// It was not asked, because of others.
	default:
		b.report.Reach(err)
	}
	return busy, err
}

// errNotAsked is what a read returns that had reason not to ask.
var errNotAsked = errors.New("not asked now")

// believe says how far to believe what a capability returned together with err: a one-way
// capability answers with what it was last told and ErrSent, and with a Refusal before that.
func believe(err error) (devices.Quality, error) {
	var refusal *devices.Refusal
	switch {
	case err == nil:
		return devices.Reported, nil
	case errors.Is(err, devices.ErrSent):
		return devices.Assumed, nil
	case errors.As(err, &refusal):
		return devices.Unknown, nil
	}
	return devices.Unknown, err
}

// say reports a value as far as it is to be believed.
func (b *base) say(property string, v devices.Value, q devices.Quality) {
	if q == devices.Unknown {
		v = devices.Value{}
	}
	b.report.Report(property, v, q)
}

// lost reports whether an error means that the equipment does not answer.
func lost(err error) bool {
	return errors.Is(err, line.ErrDown) || errors.Is(err, line.ErrNoReply) || errors.Is(err, line.ErrSilent) || errors.Is(err, line.ErrGarbled)
}

// sleep waits, and reports false where ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
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
