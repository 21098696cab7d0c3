package equipment

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	deadLeast  = 500 * time.Millisecond
	travelTime = 20 * time.Second // where the room file gives none
	overrun    = 10               // percent of the travel that a motor is driven on at an end, to be sure of it
	driveTime  = 5 * time.Second  // bounds the exchanges of one step
	farewell   = 2 * time.Second  // for stopping a motor when the daemon ends
	stubborn   = time.Second      // between two tries to stop a motor that does not answer, at first
	tired      = 30 * time.Second // and at last
)

// drive is what turns a motor that is timed. Its methods are called by one goroutine.
type drive interface {
	// start drives one way and returns when that is known, or with ErrSent where it cannot be. It
	// fails, with nothing driven, unless the other way is known to be off.
	start(ctx context.Context, way devices.Motion) error
	// halt ends all driving and tells since when the motor stands. It fails unless that is known,
	// with ErrSent where it cannot be.
	halt(ctx context.Context) (since time.Time, err error)
	// check tells which way is driven; errNotAsked where that cannot be known.
	check(ctx context.Context) (devices.Motion, error)
}

// timed is a curtain or screen whose height is reckoned from the time that its motor has run. One
// goroutine, Run, owns the motor; everybody else sends it orders. That is the interlock's first half:
// no two orders are ever carried out at a time. The second is the drive, which reads before it
// writes and believes only what it has read.
//
// An order ends the poll under way, and a stop ends whatever is under way: nobody waits for a wire
// before a motor is stopped.
type timed struct {
	spec   Spec
	more   CurtainSpec
	drive  drive
	report *valve
	orders chan order
	fed    chan struct{} // SetFed was called
	over   chan struct{} // Run has ended

	mu        sync.Mutex
	count     uint64 // of orders
	newest    uint64 // the last wish: what was asked before is not carried out any more
	stopped   uint64 // the last stop
	interrupt context.CancelFunc
	starting  bool // what interrupt ends is the start of a motion, not a poll

	travel // of Run's goroutine alone
}

// travel is what is known of the motor and of where it goes.
type travel struct {
	way     devices.Motion // which way the motor is driven
	last    devices.Motion // which way it was driven last
	since   time.Time      // of way
	from    float64        // height when it began
	height  float64        // percent when the motor last stood
	known   bool           // whether heights mean anything
	zeroing bool           // on a full travel to an end, after which it goes to the goal
	foreign bool           // moved by someone else, who will stop it as well
	goal    float64        // where it is to stop; 100 and 0 are the ends

	released time.Time     // when the motor was last known to be let go
	pending  *order        // waits for the dead time to pass
	number   uint64        // of the order that is carried out
	troubled bool          // the motor could not be stopped; it is tried again
	pause    time.Duration // until then
	seeing   bool          // what the motor does is read, not assumed
	fault    string
}

// order is a wish for the motor.
type order struct {
	ctx    context.Context
	number uint64
	way    devices.Motion // Up, Down or Stop; "" goes to a height
	goal   float64
	read   bool // only look
	reply  chan error
}

// NewRelayCurtain makes a curtain or screen from two relays. They are never both closed, and after
// one has opened the other stays open for the dead time: a motor that is reversed under way breaks,
// and one that is driven both ways burns. Both relays must be readable.
func NewRelayCurtain(spec Spec, more CurtainSpec, up, down devices.Switch) devices.Device {
	properties := append(curtainProperties(), devices.Property{Name: "fault", Kind: devices.KindText, Diagnostic: true})
	t := newTimed(spec, more, newRelayPair(up, down), properties)
	t.seeing = true
	return t
}

func newTimed(spec Spec, more CurtainSpec, d drive, properties []devices.Property) *timed {
	if more.Travel <= 0 {
		more.Travel = travelTime
	}
	more.DeadTime = max(more.DeadTime, deadLeast)
	return &timed{
		spec: spec.withDefaults(pollUsual), more: more, drive: d,
		report: &valve{properties: properties, locks: make(map[string]lockShown)},
		orders: make(chan order), fed: make(chan struct{}, 1), over: make(chan struct{}),
		travel: travel{way: devices.Stop, last: devices.Stop},
	}
}

// Properties implements devices.Device.
func (t *timed) Properties() []devices.Property { return t.report.properties }

// Bind implements devices.Device.
func (t *timed) Bind(r devices.Reporter) { t.report.to = r }

// SetFed tells whether the motor's mains is on. It does not block.
func (t *timed) SetFed(fed bool) {
	t.report.setOpen(fed)
	select {
	case t.fed <- struct{}{}:
	default:
	}
}

// Set implements devices.Device.
func (t *timed) Set(ctx context.Context, property string, v devices.Value) error {
	o := order{ctx: ctx, reply: make(chan error, 1)}
	switch property {
	case "motion":
		o.way = devices.Motion(v.String())
		o.goal = map[devices.Motion]float64{devices.Up: 100}[o.way]
	case "position":
		o.goal = v.Float()
	default:
		return noSuch(property)
	}
	return t.send(o)
}

// Refresh implements devices.Device.
func (t *timed) Refresh(ctx context.Context) error {
	if !t.report.open() {
		return nil
	}
	return t.send(order{ctx: ctx, read: true, reply: make(chan error, 1)})
}

// send hands an order to Run and waits for its outcome.
func (t *timed) send(o order) error {
	t.mu.Lock()
	t.count++
	o.number = t.count
	stop := o.way == devices.Stop
	if stop {
		t.stopped = o.number
	}
	if !o.read {
		t.newest = o.number
	}
	if t.interrupt != nil && (stop || !t.starting) {
		t.interrupt()
	}
	t.mu.Unlock()
	select {
	case t.orders <- o:
	case <-o.ctx.Done():
		return fmt.Errorf("%s is busy: %w: %w", t.spec.ID, line.ErrExpired, context.Cause(o.ctx))
	case <-t.over:
		return errOver
	}
	select {
	case err := <-o.reply:
		return err
	case <-o.ctx.Done():
		// The order may be carried out yet, and what becomes of it is reported.
		return fmt.Errorf("%s: %w", t.spec.ID, context.Cause(o.ctx))
	}
}

// outdated reports whether a newer wish has taken the order's place.
func (t *timed) outdated(o order) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return o.number < t.newest
}

// interruptible returns a ctx for a step that an order may end: a poll by any, the start of a motion
// by a stop that came after the motion was asked for.
func (t *timed) interruptible(ctx context.Context, limit time.Duration, starting *order) (context.Context, context.CancelFunc) {
	step, cancel := context.WithTimeout(ctx, limit)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.interrupt, t.starting = cancel, starting != nil
	if starting != nil && starting.number < t.stopped {
		cancel()
	}
	return step, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.interrupt = nil
		cancel()
	}
}

// Run implements devices.Device.
func (t *timed) Run(ctx context.Context) error {
	defer close(t.over)
	defer t.leave()
	t.released = time.Now() // what was before nobody knows: the first motion keeps the dead time too
	if !t.seeing {
		t.tell()
	}
	_ = t.look(ctx)
	for {
		timer := time.NewTimer(t.next())
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-t.fed:
			t.mains(ctx)
		case o := <-t.orders:
			t.obey(ctx, o)
		case <-timer.C:
			t.tick(ctx)
		}
		timer.Stop()
	}
}

// mains deals with the motor's mains having come or gone. Without it the motor stands, and must not
// start by itself when it comes back.
func (t *timed) mains(ctx context.Context) {
	if t.report.open() {
		_ = t.look(ctx)
		return
	}
	t.abandon(noMains())
	if t.way != devices.Stop && !t.foreign || t.troubled {
		_ = t.halt(ctx)
		t.known = false // it has stood for longer than that
	}
}

// next is when something is to be done by itself.
func (t *timed) next() time.Duration {
	switch {
	case t.troubled:
		return t.pause
	case t.pending != nil:
		return max(0, time.Until(t.released.Add(t.more.DeadTime)))
	case t.way != devices.Stop && t.foreign:
		return hurry
	case t.way != devices.Stop:
		return min(hurry, max(0, time.Until(t.arrival())))
	}
	return t.spec.Poll
}

// tick does what is due by itself.
func (t *timed) tick(ctx context.Context) {
	switch {
	case t.troubled:
		_ = t.halt(ctx)
	case t.pending != nil:
		o := *t.pending
		t.pending = nil
		t.begin(ctx, o)
	case t.way != devices.Stop && !t.foreign && !time.Now().Before(t.arrival()):
		t.arrive(ctx)
	default:
		_ = t.look(ctx)
	}
}

// leave ends a motion that was begun here, when the daemon ends: nobody would stop it at its goal.
// A motor with end switches of its own is left to them.
func (t *timed) leave() {
	t.abandon(errOver)
	if !t.troubled && (t.way == devices.Stop || t.foreign || !t.seeing && t.goalIsEnd()) {
		return
	}
	ctx, cancel := context.WithTimeout(line.WithUrgency(context.Background(), line.Halt), farewell)
	defer cancel()
	if _, err := t.drive.halt(ctx); err != nil && !errors.Is(err, devices.ErrSent) {
		t.spec.Log.Error("a motor could not be stopped at the end", "error", err)
	}
}
