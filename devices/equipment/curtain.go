package equipment

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// CurtainSpec says more of a curtain or screen.
type CurtainSpec struct {
	Travel   time.Duration // from one end to the other; 0 is twenty seconds
	DeadTime time.Duration // between the two directions; 500 ms at least
}

// heightSlack is how far, in percent, a motor may stop from where it was sent.
const heightSlack = 2

// curtainProperties are the same whatever moves the curtain.
func curtainProperties() []devices.Property {
	return []devices.Property{
		{Name: "motion", Kind: devices.KindEnum, Settable: true, Options: devices.Words(string(devices.Up), string(devices.Stop), string(devices.Down))},
		{Name: "position", Kind: devices.KindInteger, Settable: true, Continuous: true, Unit: "%", Max: 100},
	}
}

// NewCurtain makes a curtain or screen with a motor that has its own control. A motor that does not
// know where it is (no devices.Positioner) is timed by its travel.
func NewCurtain(spec Spec, more CurtainSpec, motor devices.Mover) devices.Device {
	if p, ok := motor.(devices.Positioner); ok {
		c := &curtain{motor: p}
		c.setUp(spec, curtainProperties(), motor)
		c.read = c.ask
		return c
	}
	return newTimed(spec, more, &plainMotor{motor: motor}, curtainProperties())
}

// curtain is moved by a motor that knows where it is.
type curtain struct {
	base
	motor devices.Positioner
	where devices.Whereabouts // as last read; with the turn

	stopping sync.Mutex
	stops    int // how many stops were asked for
}

func (c *curtain) ask(ctx context.Context) (busy bool, err error) {
	w, err := c.motor.Where(ctx)
	q, err := believe(err)
	if err != nil {
		return false, fmt.Errorf("reading: %w", err)
	}
	c.where = w
	c.say("motion", devices.Word(string(w.Motion)), q)
	if !w.Known {
		q = devices.Unknown
	}
	c.say("position", devices.Int(w.Percent), q)
	return w.Motion != devices.Stop, nil
}

// Set implements devices.Device. A stop is sent at once, whatever else is under way; and what was
// asked before it is not sent after it.
func (c *curtain) Set(ctx context.Context, property string, v devices.Value) error {
	asked := c.stopsAsked(0)
	stopped := func() bool { return c.stopsAsked(0) != asked }
	switch {
	case property == "motion" && v.String() == string(devices.Stop):
		return c.stop(ctx)
	case property == "motion":
		to := devices.Motion(v.String())
		return c.carryOut(ctx, wish{
			property: property, value: v,
			send: func(ctx context.Context) error {
				return c.unlessStopped(ctx, asked, func() error { return c.motor.Move(ctx, to) })
			},
			met:   func() bool { return c.where.Motion == to || c.isAtEnd(to) },
			unmet: func() devices.Phrase { return c.astray(string(to)) },
			void:  stopped,
		})
	case property == "position":
		there := false
		err := c.carryOut(ctx, wish{
			property: property, value: v,
			send: func(ctx context.Context) error {
				return c.unlessStopped(ctx, asked, func() error { return c.motor.GoTo(ctx, v.Int()) })
			},
			met: func() bool {
				there = c.where.Motion == devices.Stop && c.isAt(v.Int())
				return there || c.where.Motion != devices.Stop
			},
			unmet: func() devices.Phrase { return c.astray(v.String() + " %") },
			void:  stopped,
		})
		if err == nil && !there {
			return devices.ErrAccepted // it is on its way
		}
		return err
	}
	return noSuch(property)
}

// stopsAsked counts stops, and adds some.
func (c *curtain) stopsAsked(more int) int {
	c.stopping.Lock()
	defer c.stopping.Unlock()
	c.stops += more
	return c.stops
}

// unlessStopped sends a motion unless a stop was asked for since. Where the stop came while the
// motion was on its way to the wire, nobody knows which of the two arrived last: it is stopped again.
func (c *curtain) unlessStopped(ctx context.Context, asked int, send func() error) error {
	if c.stopsAsked(0) != asked {
		return line.ErrSuperseded
	}
	err := send()
	if c.stopsAsked(0) == asked {
		return err
	}
	if stopped := c.motor.Move(line.WithUrgency(ctx, line.Halt), devices.Stop); stopped != nil {
		return fmt.Errorf("stopping again: %w", stopped)
	}
	return line.ErrSuperseded
}

// stop waits for no turn and needs no mains that anybody knows of.
func (c *curtain) stop(ctx context.Context) error {
	if c.ended() {
		return errOver
	}
	c.stopsAsked(1)
	c.endPoll()
	c.turn.dismiss()
	w := wish{
		property: "motion", value: devices.Word(string(devices.Stop)),
		send: func(ctx context.Context) error {
			return c.motor.Move(line.WithUrgency(ctx, line.Halt), devices.Stop)
		},
		met:   func() bool { return c.where.Motion == devices.Stop },
		unmet: func() devices.Phrase { return c.astray("stop") },
	}
	if err := w.send(ctx); err != nil {
		if lost(err) {
			c.report.Reach(err)
		}
		c.pollSoon()
		return fmt.Errorf("%s: stopping: %w", c.spec.ID, err)
	}
	if !c.fed() {
		return nil // there is nobody to confirm it
	}
	return c.withTurn(ctx, "motion", true, func() error { return c.confirm(ctx, w) })
}

func (c *curtain) isAt(percent int) bool {
	return c.where.Known && max(c.where.Percent-percent, percent-c.where.Percent) <= heightSlack
}

func (c *curtain) isAtEnd(to devices.Motion) bool {
	return c.where.Motion == devices.Stop && c.where.Known && c.where.Percent == map[devices.Motion]int{devices.Up: 100, devices.Down: 0}[to]
}

func (c *curtain) astray(asked string) devices.Phrase {
	return devices.Phrase{ZH: "电机应答了，但没有执行", EN: fmt.Sprintf("The motor acknowledged %s but does %s", asked, c.where.Motion)}
}
