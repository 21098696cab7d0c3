package equipment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	deadLeast  = 500 * time.Millisecond
	travelTime = 20 * time.Second // where the room file gives none
	overrun    = 10               // percent of the travel that a motor is driven on at an end, to be sure of it
	driveTime  = 5 * time.Second  // bounds the exchanges of one step
	farewell   = time.Second      // for stopping a motor when the daemon ends
	stubborn   = time.Second      // between two tries to stop a motor that does not answer
	stride     = 250 * time.Millisecond
)

// drive is what turns a motor that is timed. Its methods are called by one goroutine.
type drive interface {
	// start drives one way. It fails, with nothing driven, unless the other way is known to be off.
	start(ctx context.Context, way devices.Motion) error
	// halt ends all driving, and fails unless that is known.
	halt(ctx context.Context) error
	// check tells which way is driven; ErrSent where that cannot be known.
	check(ctx context.Context) (devices.Motion, error)
}

// timed is a curtain or screen whose height is reckoned from the time that its motor has run. One
// goroutine, Run, owns the motor; everybody else sends it orders. That is the interlock's first half:
// no two orders are ever carried out at a time. The second is drive.start, which reads before it
// writes.
type timed struct {
	spec   Spec
	more   CurtainSpec
	drive  drive
	report devices.Reporter
	orders chan order
	fed    chan bool

	// Of Run's goroutine alone:
	way      devices.Motion // which way the motor is driven
	last     devices.Motion // which way it was driven last
	since    time.Time      // of way
	from     float64        // height when it began
	known    bool           // whether height means anything
	height   float64        // percent when the motor last stood
	goal     float64        // where it is to stop; 100 and 0 are the ends
	released time.Time      // when the motor was last let go
	pending  *order         // waits for the dead time to pass
	unfed    bool
	troubled bool // the motor could not be stopped; it is tried again
}

// order is a wish for the motor.
type order struct {
	ctx   context.Context
	way   devices.Motion // Up, Down or Stop; "" goes to a height
	goal  float64
	read  bool // only look
	reply chan error
}

// NewRelayCurtain makes a curtain or screen from two relays. They are never both closed, and after
// one has opened the other stays open for the dead time: a motor that is reversed under way breaks,
// and one that is driven both ways burns.
func NewRelayCurtain(spec Spec, more CurtainSpec, up, down devices.Switch) devices.Device {
	return newTimed(spec, more, &relayPair{up: up, down: down})
}

func newTimed(spec Spec, more CurtainSpec, d drive) *timed {
	if spec.Poll <= 0 {
		spec.Poll = pollUsual
	}
	if more.Travel <= 0 {
		more.Travel = travelTime
	}
	more.DeadTime = max(more.DeadTime, deadLeast)
	return &timed{spec: spec, more: more, drive: d, orders: make(chan order), fed: make(chan bool, 1), way: devices.Stop, last: devices.Stop}
}

// Properties implements devices.Device.
func (*timed) Properties() []devices.Property { return curtainProperties() }

// Bind implements devices.Device.
func (t *timed) Bind(r devices.Reporter) { t.report = r }

// SetFed tells whether the motor's mains is on.
func (t *timed) SetFed(fed bool) {
	for {
		select {
		case t.fed <- fed:
			return
		default:
		}
		select {
		case <-t.fed: // an older word that nobody has heard
		default:
		}
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
	return t.send(order{ctx: ctx, read: true, reply: make(chan error, 1)})
}

func (t *timed) send(o order) error {
	select {
	case t.orders <- o:
	case <-o.ctx.Done():
		return fmt.Errorf("%s is busy: %w: %w", t.spec.ID, line.ErrExpired, context.Cause(o.ctx))
	}
	select {
	case err := <-o.reply:
		return err
	case <-o.ctx.Done():
		// The order stands, and what becomes of it is reported; the caller just knows no more.
		return fmt.Errorf("%s: %w", t.spec.ID, context.Cause(o.ctx))
	}
}

// Run implements devices.Device.
func (t *timed) Run(ctx context.Context) error {
	defer t.leave()
	t.look(ctx)
	for {
		timer := time.NewTimer(t.next())
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case fed := <-t.fed:
			t.unfed = !fed
			if t.unfed {
				// Without mains the motor stands, wherever that is.
				t.stands(devices.Stop, false)
				t.abandon(&devices.Refusal{Reason: noMains})
			}
		case o := <-t.orders:
			t.obey(ctx, o)
		case <-timer.C:
			t.tick(ctx)
		}
		timer.Stop()
	}
}

// next is when something is to be done by itself.
func (t *timed) next() time.Duration {
	switch {
	case t.unfed:
		return t.spec.Poll
	case t.troubled:
		return stubborn
	case t.pending != nil:
		return max(0, time.Until(t.released.Add(t.more.DeadTime)))
	case t.way != devices.Stop:
		return min(stride, max(0, time.Until(t.arrival())))
	}
	return t.spec.Poll
}

// arrival is when the motor is to be let go.
func (t *timed) arrival() time.Time {
	distance := 100.0
	if t.known {
		distance = max(t.goal-t.from, t.from-t.goal)
	}
	run := time.Duration(distance / 100 * float64(t.more.Travel))
	if t.goal == 0 || t.goal == 100 || !t.known {
		run += t.more.Travel * overrun / 100
	}
	return t.since.Add(run)
}

// now is the height at this moment.
func (t *timed) now() float64 {
	gone := 100 * float64(time.Since(t.since)) / float64(t.more.Travel)
	switch t.way {
	case devices.Up:
		return min(100, t.from+gone)
	case devices.Down:
		return max(0, t.from-gone)
	}
	return t.height
}

// tick does what is due by itself.
func (t *timed) tick(ctx context.Context) {
	switch {
	case t.unfed:
	case t.troubled:
		_ = t.halt(ctx)
	case t.pending != nil:
		o := *t.pending
		t.pending = nil
		t.begin(ctx, o)
	case t.way != devices.Stop && !time.Now().Before(t.arrival()):
		t.arrive(ctx)
	case t.way != devices.Stop:
		t.tell()
	default:
		t.look(ctx)
	}
}

// arrive lets the motor go where it was sent. At an end the height is known again.
func (t *timed) arrive(ctx context.Context) {
	goal, wanted := t.goal, t.goal
	if !t.known { // a full travel to an end, on the way to a height
		goal = map[devices.Motion]float64{devices.Up: 100, devices.Down: 0}[t.way]
	}
	if t.halt(ctx) != nil {
		return
	}
	t.height, t.known = goal, true
	t.tell()
	if goal != wanted {
		t.obey(ctx, order{ctx: ctx, goal: wanted, reply: make(chan error, 1)})
	}
}

// obey begins to carry out an order. A new order takes the place of one that waits.
func (t *timed) obey(ctx context.Context, o order) {
	if o.read {
		o.reply <- t.look(ctx)
		return
	}
	if t.unfed {
		o.reply <- &devices.Refusal{Reason: noMains}
		return
	}
	t.abandon(line.ErrSuperseded)
	if o.way == devices.Stop {
		o.reply <- t.halt(ctx)
		return
	}
	if o.way == "" {
		if t.known && max(o.goal-t.now(), t.now()-o.goal) < 0.5 {
			o.reply <- t.halt(ctx)
			return
		}
		// Of a height that is not known the ends are: up first, where curtains are out of the way.
		o.way = devices.Up
		if t.known && o.goal < t.now() || !t.known && o.goal == 0 {
			o.way = devices.Down
		}
	}
	if t.way == o.way && !t.troubled { // on its way already: it only stops elsewhere
		t.from, t.since, t.goal = t.now(), time.Now(), o.goal
		o.reply <- nil
		return
	}
	if t.way != devices.Stop || t.troubled {
		if err := t.halt(ctx); err != nil {
			o.reply <- err
			return
		}
	}
	if t.last != o.way && time.Since(t.released) < t.more.DeadTime {
		t.pending = &o
		return
	}
	t.begin(ctx, o)
}

// abandon gives up an order that waits.
func (t *timed) abandon(why error) {
	if t.pending != nil {
		t.pending.reply <- why
		t.pending = nil
	}
}

// begin drives the motor.
func (t *timed) begin(ctx context.Context, o order) {
	if o.ctx.Err() != nil {
		o.reply <- fmt.Errorf("%s: %w: %w", t.spec.ID, line.ErrExpired, context.Cause(o.ctx))
		return
	}
	driving, cancel := context.WithTimeout(line.WithUrgency(ctx, line.Person), driveTime)
	defer cancel()
	began := time.Now()
	if err := t.drive.start(driving, o.way); err != nil && !errors.Is(err, devices.ErrSent) {
		// Whether the motor turns is not known now, so it is made to stand.
		t.reach(err)
		t.last, t.released = o.way, time.Now()
		if halted := t.halt(ctx); halted != nil {
			err = errors.Join(err, halted)
		}
		o.reply <- fmt.Errorf("moving %s: %w", o.way, err)
		return
	}
	t.report.Reach(nil)
	t.from, t.way, t.last, t.since, t.goal = t.height, o.way, o.way, began, o.goal
	t.tell()
	o.reply <- nil
}

// halt lets the motor go, and notes where it stands. Where that fails it is tried until it works:
// a motor that may be turning is not left alone.
func (t *timed) halt(ctx context.Context) error {
	stopping, cancel := context.WithTimeout(line.WithUrgency(ctx, line.Halt), driveTime)
	defer cancel()
	err := t.drive.halt(stopping)
	if errors.Is(err, devices.ErrSent) {
		err = nil
	}
	t.released = time.Now()
	if err != nil {
		t.troubled = true
		t.reach(err)
		return fmt.Errorf("stopping: %w", err)
	}
	t.troubled = false
	t.report.Reach(nil)
	t.stands(devices.Stop, t.known)
	return nil
}

// stands notes that the motor stands where it has come to.
func (t *timed) stands(way devices.Motion, known bool) {
	t.height = t.now()
	t.way, t.known = way, known
	t.tell()
}

// look reads what the motor does: somebody may be at the relays themselves.
func (t *timed) look(ctx context.Context) error {
	if t.unfed {
		return nil
	}
	reading, cancel := context.WithTimeout(ctx, driveTime)
	defer cancel()
	way, err := t.drive.check(reading)
	switch {
	case errors.Is(err, devices.ErrSent):
		t.tell()
		return nil
	case errors.Is(err, errBothWays):
		// The one case in which something is written that nobody asked for: both contacts are
		// closed, and a motor burns.
		t.spec.Log.Error("both directions of a motor are on; opening both", "device", t.spec.ID)
		t.known = false
		return errors.Join(err, t.halt(ctx))
	case err != nil:
		t.reach(err)
		return err
	}
	t.report.Reach(nil)
	if way != t.way { // moved by someone else: where it is now nobody knows
		t.height, t.known = 0, false
		t.from, t.since, t.way, t.goal = 0, time.Now(), way, map[devices.Motion]float64{devices.Up: 100}[way]
		if way != devices.Stop {
			t.last = way
		} else {
			t.released = time.Now()
		}
	}
	t.tell()
	return nil
}

func (t *timed) reach(err error) {
	if lost(err) || errors.Is(err, context.DeadlineExceeded) {
		t.report.Reach(err)
	}
}

// tell reports motion and height.
func (t *timed) tell() {
	t.report.Report("motion", devices.Word(string(t.way)), devices.Reported)
	if !t.known {
		t.report.Report("position", devices.Value{}, devices.Unknown)
		return
	}
	t.report.Report("position", devices.Int(int(t.now()+0.5)), devices.Assumed)
}

// leave ends a motion that was begun here, when the daemon ends: nobody would stop it at its goal.
func (t *timed) leave() {
	t.abandon(line.ErrClosed)
	if t.way == devices.Stop && !t.troubled || t.unfed {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if err := t.drive.halt(line.WithUrgency(ctx, line.Halt)); err != nil && !errors.Is(err, devices.ErrSent) {
		t.spec.Log.Error("a motor could not be stopped at the end", "device", t.spec.ID, "error", err)
	}
}

// relayPair drives a motor by two contacts.
type relayPair struct{ up, down devices.Switch }

var errBothWays = errors.New("both directions are on")

func (r *relayPair) contacts(way devices.Motion) (this, other devices.Switch) {
	if way == devices.Up {
		return r.up, r.down
	}
	return r.down, r.up
}

func (r *relayPair) start(ctx context.Context, way devices.Motion) error {
	this, other := r.contacts(way)
	on, err := other.On(ctx)
	if err != nil {
		return fmt.Errorf("reading the other direction, without which nothing is driven: %w", err)
	}
	if on {
		return fmt.Errorf("the other direction is still on: %w", errBothWays)
	}
	if err := this.SetOn(ctx, true); err != nil {
		return fmt.Errorf("closing the contact: %w", err)
	}
	on, err = this.On(ctx)
	if err != nil {
		return fmt.Errorf("reading the contact back: %w", err)
	}
	if !on {
		return errors.New("the relay acknowledged but its contact is open")
	}
	return nil
}

// halt opens both contacts, whatever is known of them, and reads both.
func (r *relayPair) halt(ctx context.Context) error {
	err := errors.Join(r.up.SetOn(ctx, false), r.down.SetOn(ctx, false))
	if err != nil {
		return fmt.Errorf("opening the contacts: %w", err)
	}
	for try := 0; ; try++ {
		up, upErr := r.up.On(ctx)
		down, downErr := r.down.On(ctx)
		if err := errors.Join(upErr, downErr); err != nil {
			return fmt.Errorf("reading the contacts back: %w", err)
		}
		if !up && !down {
			return nil
		}
		if try == settleMost || !sleep(ctx, settleTime) {
			return errors.New("a contact stays closed: cut the motor's mains by hand")
		}
	}
}

func (r *relayPair) check(ctx context.Context) (devices.Motion, error) {
	up, err := r.up.On(ctx)
	if err != nil {
		return devices.Stop, fmt.Errorf("reading the upward contact: %w", err)
	}
	down, err := r.down.On(ctx)
	if err != nil {
		return devices.Stop, fmt.Errorf("reading the downward contact: %w", err)
	}
	switch {
	case up && down:
		return devices.Stop, errBothWays
	case up:
		return devices.Up, nil
	case down:
		return devices.Down, nil
	}
	return devices.Stop, nil
}

// plainMotor is a motor with its own interlock that cannot say where it is.
type plainMotor struct{ motor devices.Mover }

func (p *plainMotor) start(ctx context.Context, way devices.Motion) error {
	return p.motor.Move(ctx, way) //nolint:wrapcheck // begin says what it was
}

func (p *plainMotor) halt(ctx context.Context) error {
	return p.motor.Move(ctx, devices.Stop) //nolint:wrapcheck // halt says what it was
}

func (*plainMotor) check(context.Context) (devices.Motion, error) {
	return devices.Stop, devices.ErrSent
}
