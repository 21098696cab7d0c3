package equipment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// CurtainSpec says more of a curtain or screen.
type CurtainSpec struct {
	Travel   time.Duration // from one end to the other
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
		c.init(spec, motor)
		c.read = c.ask
		return c
	}
	return newTimed(spec, more, &plainMotor{motor: motor})
}

// curtain is moved by a motor that knows where it is.
type curtain struct {
	base
	motor devices.Positioner
	where devices.Whereabouts // as last read
}

// Properties implements devices.Device.
func (*curtain) Properties() []devices.Property { return curtainProperties() }

func (c *curtain) ask(ctx context.Context) (busy bool, err error) {
	w, err := c.motor.Where(ctx)
	if err != nil {
		return false, fmt.Errorf("reading: %w", err)
	}
	c.where = w
	c.report.Report("motion", devices.Word(string(w.Motion)), devices.Reported)
	if w.Known {
		c.report.Report("position", devices.Int(w.Percent), devices.Reported)
	} else {
		c.report.Report("position", devices.Value{}, devices.Unknown)
	}
	return w.Motion != devices.Stop, nil
}

// Set implements devices.Device. A stop is sent at once, whatever else is under way.
func (c *curtain) Set(ctx context.Context, property string, v devices.Value) error {
	switch {
	case property == "motion" && v.String() == string(devices.Stop):
		if !c.fed() {
			return &devices.Refusal{Reason: noMains}
		}
		if err := c.motor.Move(line.WithUrgency(ctx, line.Halt), devices.Stop); err != nil {
			c.reachable(err)
			return fmt.Errorf("stopping: %w", err)
		}
		return c.set(ctx, func() error {
			return c.confirm(ctx, func() bool { return c.where.Motion == devices.Stop }, func() error { return c.astray("stop") })
		})
	case property == "motion":
		to, end := devices.Motion(v.String()), 0
		if to == devices.Up {
			end = 100
		}
		return c.set(ctx, func() error {
			if err := c.motor.Move(ctx, to); err != nil {
				return fmt.Errorf("moving %s: %w", to, err)
			}
			return c.confirm(ctx, func() bool { return c.where.Motion == to || c.where.Known && c.where.Percent == end },
				func() error { return c.astray(string(to)) })
		})
	case property == "position":
		return c.set(ctx, func() error {
			if err := c.motor.GoTo(ctx, v.Int()); err != nil {
				return fmt.Errorf("going to %d %%: %w", v.Int(), err)
			}
			return c.confirm(ctx, func() bool {
				return c.where.Motion != devices.Stop || c.where.Known && max(c.where.Percent-v.Int(), v.Int()-c.where.Percent) <= heightSlack
			}, func() error { return c.astray(v.String() + " %") })
		})
	}
	return noSuch(property)
}

func (c *curtain) astray(asked string) error {
	return &devices.Rejection{Code: "read-back", Reason: devices.Phrase{
		ZH: "电机应答了,但没有执行", EN: fmt.Sprintf("The motor acknowledged %s but does %s", asked, c.where.Motion),
	}}
}

// reachable reports an error that says that nobody answers.
func (b *base) reachable(err error) {
	if lost(err) {
		b.report.Reach(err)
	}
}

// lost reports whether an error means that the equipment does not answer.
func lost(err error) bool {
	return errors.Is(err, line.ErrDown) || errors.Is(err, line.ErrNoReply) || errors.Is(err, line.ErrSilent) || errors.Is(err, line.ErrGarbled)
}
