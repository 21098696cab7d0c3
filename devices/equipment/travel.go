package equipment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

func (t *travel) goalIsEnd() bool { return t.goal == 0 || t.goal == 100 }

// end is the height at the end of a way.
func end(way devices.Motion) float64 { return map[devices.Motion]float64{devices.Up: 100}[way] }

// arrival is when the motor is to be let go. To an end it is driven for a full travel and a little
// more wherever it seems to be, so that what the reckoning has gathered of errors ends there.
func (t *timed) arrival() time.Time {
	if t.zeroing || t.goalIsEnd() {
		return t.since.Add(t.more.Travel + t.more.Travel*overrun/100)
	}
	return t.since.Add(time.Duration(math.Abs(t.goal-t.from) / 100 * float64(t.more.Travel)))
}

// heightAt is where the curtain is at a time.
func (t *timed) heightAt(at time.Time) float64 {
	gone := 100 * float64(at.Sub(t.since)) / float64(t.more.Travel)
	switch t.way {
	case devices.Up:
		return max(0, min(100, t.from+gone))
	case devices.Down:
		return min(100, max(0, t.from-gone))
	}
	return t.height
}

// learn notes that a motor that has run one way for a full travel is at the end.
func (t *timed) learn(at time.Time) {
	if t.way != devices.Stop && at.Sub(t.since) >= t.more.Travel {
		t.known, t.from = true, end(t.way)
	}
}

// arrive lets the motor go where it was sent, or turns it round to the height beyond the end.
func (t *timed) arrive(ctx context.Context) {
	goOn, goal := t.zeroing, t.goal
	if t.goalIsEnd() && !t.zeroing && !t.seeing {
		t.stands(time.Now()) // it has stopped by itself
		return
	}
	if !toldToStand(t.halt(ctx)) || !goOn {
		return
	}
	o := order{ctx: ctx, number: t.number, goal: goal, reply: make(chan error, 1)}
	t.obey(ctx, o)
	select {
	case err := <-o.reply:
		if err != nil && !errors.Is(err, devices.ErrSent) && !errors.Is(err, devices.ErrAccepted) {
			t.spec.Log.Warn("the way back from the end was not begun", "error", err)
		}
	default: // it waits for the dead time
	}
}

// obey begins to carry out an order. A new order takes the place of those that wait.
func (t *timed) obey(ctx context.Context, o order) {
	if o.read {
		o.reply <- t.look(ctx)
		return
	}
	if o.way == devices.Stop { // always sent, even where the motor seems to stand
		t.abandon(line.ErrSuperseded)
		o.reply <- t.halt(ctx)
		return
	}
	switch {
	case !t.report.open():
		o.reply <- noMains()
		return
	case t.outdated(o):
		o.reply <- fmt.Errorf("%s: %w", t.spec.ID, line.ErrSuperseded)
		return
	case o.ctx.Err() != nil:
		o.reply <- fmt.Errorf("%s: %w: %w", t.spec.ID, line.ErrExpired, context.Cause(o.ctx))
		return
	}
	t.abandon(line.ErrSuperseded)
	if !t.troubled {
		// What the relays have done since the last look others may know.
		err := t.look(ctx)
		if t.outdated(o) {
			err = line.ErrSuperseded // that is why the look was ended
		} else if err != nil {
			err = unreadable(err)
		}
		if err != nil {
			o.reply <- fmt.Errorf("%s: %w", t.spec.ID, err)
			return
		}
	}
	now := time.Now()
	t.learn(now)
	if o.way == "" && t.known && !t.troubled && math.Abs(o.goal-t.heightAt(now)) < 0.5 {
		o.reply <- t.halt(ctx) // there already
		return
	}
	way, zeroing := t.choose(o, now)
	if t.way == way && !t.troubled && !t.foreign { // on its way already: it only stops elsewhere
		t.goal, t.zeroing, t.number = o.goal, zeroing, o.number
		o.reply <- t.begun(o)
		return
	}
	if t.way != devices.Stop || t.troubled {
		if err := t.halt(ctx); !toldToStand(err) {
			o.reply <- err
			return
		}
	}
	if t.last != way && time.Since(t.released) < t.more.DeadTime {
		t.pending = &o
		return
	}
	t.begin(ctx, o)
}

// choose says which way an order leads. Of a curtain whose height is not known the ends are: it goes
// to the one that is nearer to the goal first.
func (t *timed) choose(o order, now time.Time) (way devices.Motion, zeroing bool) {
	if o.way != "" {
		return o.way, false
	}
	up := o.goal >= 50
	if t.known {
		up = o.goal > t.heightAt(now)
	}
	way = devices.Down
	if up {
		way = devices.Up
	}
	return way, !t.known && o.goal != end(way)
}

// begun is the outcome of an order that has set the motor going.
func (t *timed) begun(o order) error {
	switch {
	case !t.seeing:
		return devices.ErrSent
	case o.way == "":
		return devices.ErrAccepted // it is on its way
	}
	return nil
}

// abandon gives up an order that waits.
func (t *timed) abandon(why error) {
	if t.pending != nil {
		t.pending.reply <- why
		t.pending = nil
	}
}

// begin drives the motor, which stands.
func (t *timed) begin(ctx context.Context, o order) {
	if o.ctx.Err() != nil {
		o.reply <- fmt.Errorf("%s: %w: %w", t.spec.ID, line.ErrExpired, context.Cause(o.ctx))
		return
	}
	way, zeroing := t.choose(o, time.Now())
	driving, done := t.interruptible(line.WithUrgency(ctx, line.Person), driveTime, &o)
	err := t.drive.start(driving, way)
	stopped := errors.Is(driving.Err(), context.Canceled)
	done()
	var refusal *devices.Refusal
	if errors.As(err, &refusal) && !stopped { // nothing was sent
		t.reach(err)
		o.reply <- fmt.Errorf("%s: moving %s: %w", t.spec.ID, way, err)
		return
	}
	if err != nil && !errors.Is(err, devices.ErrSent) || stopped {
		// Whether the motor turns is not known now, so it is made to stand.
		t.reach(err)
		t.last = way
		halted := t.halt(ctx)
		if stopped {
			err = line.ErrSuperseded
		}
		o.reply <- fmt.Errorf("%s: moving %s: %w", t.spec.ID, way, errors.Join(err, halted))
		return
	}
	t.report.Reach(nil)
	t.from, t.way, t.last, t.since = t.height, way, way, time.Now()
	t.goal, t.zeroing, t.foreign, t.number = o.goal, zeroing, false, o.number
	t.tell()
	o.reply <- t.begun(o)
}

// toldToStand reports whether halt has succeeded, as far as anybody can know.
func toldToStand(err error) bool { return err == nil || errors.Is(err, devices.ErrSent) }

// halt lets the motor go, and notes where it stands. Where that fails it is tried until it works:
// a motor that may be turning is not left alone.
func (t *timed) halt(ctx context.Context) error {
	stopping, cancel := context.WithTimeout(line.WithUrgency(ctx, line.Halt), driveTime)
	defer cancel()
	since, err := t.drive.halt(stopping)
	t.released = time.Now()
	if err != nil && !errors.Is(err, devices.ErrSent) {
		t.pause = min(max(2*t.pause, stubborn), tired)
		if !t.troubled {
			t.pause = stubborn
			t.spec.Log.Error("a motor could not be stopped; it is tried again", "error", err)
		}
		t.troubled = true
		if errors.Is(err, errContactStays) {
			t.fault = err.Error()
		}
		t.reach(err)
		t.tell()
		return fmt.Errorf("%s: stopping: %w", t.spec.ID, err)
	}
	t.troubled = false
	if t.fault == errContactStays.Error() {
		t.fault = ""
	}
	t.report.Reach(nil)
	t.stands(since)
	return err // nil or ErrSent
}

// stands notes where the motor stood when it came to stand.
func (t *timed) stands(at time.Time) {
	t.learn(at)
	t.height = t.heightAt(at)
	t.way, t.zeroing, t.foreign = devices.Stop, false, false
	t.tell()
}

// look reads what the motor does: somebody may be at the relays themselves.
func (t *timed) look(ctx context.Context) error {
	if !t.report.open() {
		return nil
	}
	limit := driveTime
	if t.way != devices.Stop && !t.foreign {
		limit = min(limit, max(time.Millisecond, time.Until(t.arrival()))) // it must not make the motor late
	}
	reading, done := t.interruptible(ctx, limit, nil)
	way, err := t.drive.check(reading)
	cutShort := reading.Err() != nil
	done()
	switch {
	case errors.Is(err, errNotAsked):
		t.report.Reach(nil) // one-way: nothing says that it is not there
		t.tell()
		return nil
	case errors.Is(err, errBothWays):
		return t.free(ctx)
	case err != nil:
		if !cutShort || limit == driveTime && !errors.Is(err, context.Canceled) {
			t.reach(err)
		}
		t.tell()
		return fmt.Errorf("%s: %w", t.spec.ID, err)
	}
	t.report.Reach(nil)
	if way != t.way {
		t.movedByOthers(way)
	}
	t.tell()
	return nil
}

// free opens both contacts of a motor that is driven both ways. It is the one case in which
// something is written that nobody asked for, even at the start: the motor burns meanwhile.
func (t *timed) free(ctx context.Context) error {
	t.spec.Log.Error("both directions of a motor are on; both are opened")
	t.fault = "both directions were on and were opened: have the relays and their wiring looked at"
	t.known = false
	t.abandon(errBothWays)
	if err := t.halt(ctx); err != nil {
		return errors.Join(errBothWays, err)
	}
	t.known = false
	t.tell()
	return nil
}

// movedByOthers notes that the motor does what nobody asked for here: where the curtain is nobody
// knows now, until it has run to an end.
func (t *timed) movedByOthers(way devices.Motion) {
	now := time.Now()
	t.learn(now.Add(-hurry)) // it may have stood for as long as the last look is ago
	t.height = t.heightAt(now)
	t.known = t.known && way == devices.Stop && (t.height == 0 || t.height == 100)
	t.from, t.since, t.way, t.zeroing = t.height, now, way, false
	t.foreign = way != devices.Stop
	if t.foreign {
		t.last, t.goal = way, end(way)
		t.abandon(line.ErrSuperseded)
	} else {
		t.released = now
	}
}

// reach reports an error that says that nobody answers.
func (t *timed) reach(err error) {
	if lost(err) || errors.Is(err, context.DeadlineExceeded) {
		t.report.Reach(err)
	}
}

// tell reports motion and height.
func (t *timed) tell() {
	q := devices.Reported
	if !t.seeing {
		q = devices.Assumed
	}
	if t.troubled {
		t.report.Report("motion", devices.Value{}, devices.Unknown) // nobody knows whether it stands
	} else {
		t.report.Report("motion", devices.Word(string(t.way)), q)
	}
	now := time.Now()
	t.learn(now)
	if t.known {
		t.report.Report("position", devices.Int(int(math.Round(t.heightAt(now)))), devices.Assumed)
	} else {
		t.report.Report("position", devices.Value{}, devices.Unknown)
	}
	if t.seeing {
		t.report.Report("fault", devices.Text(t.fault), devices.Reported)
	}
}
