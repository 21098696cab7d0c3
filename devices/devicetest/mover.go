package devicetest

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"lectern/devices"
)

// MoverCase is a motor to be proved. Its pair's device is called "device".
type MoverCase struct {
	*Pair
	// Nak is the equipment's fault in which it answers every command with its error reply; empty where it
	// has none.
	Nak string
	// Lost is the fault after which it does not know where it is, until it has run to an end;
	// empty where it always knows.
	Lost string
	// Calm leaves out what a bad wire does, where another case of the driver proves it.
	Calm bool
}

// Positioner proves a motor that knows where it is.
func Positioner(t *testing.T, c MoverCase) {
	t.Helper()
	motor, ok := c.Capability.(devices.Positioner)
	if !ok {
		t.Fatalf("%T is no devices.Positioner", c.Capability)
	}
	truth := func() devices.Whereabouts {
		now := c.Equipment.Truth()
		percent, err := strconv.Atoi(now["device.position"])
		if err != nil {
			t.Errorf("the equipment says position %q", now["device.position"])
		}
		return devices.Whereabouts{Percent: percent, Known: true, Motion: devices.Motion(now["device.motion"])}
	}
	stands := func(percent int) func() bool {
		return func() bool {
			return truth() == devices.Whereabouts{Percent: percent, Known: true, Motion: devices.Stop}
		}
	}
	where := func(t *testing.T, want devices.Whereabouts) {
		t.Helper()
		agrees(t, c.Capability, func(ctx context.Context) (any, error) { return motor.Where(ctx) }, func() any { return want })
	}
	done := func(t *testing.T, what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}

	t.Run("moves to both ends and between", func(t *testing.T) {
		done(t, "up", motor.Move(Asking(t), devices.Up))
		Until(t, "open", stands(100))
		where(t, truth())
		done(t, "up at the top", motor.Move(Asking(t), devices.Up))
		where(t, truth())
		for _, percent := range []int{40, 41, 1, 99} {
			done(t, "go to "+strconv.Itoa(percent), motor.GoTo(Asking(t), percent))
			Until(t, strconv.Itoa(percent)+"%", stands(percent))
			where(t, truth())
		}
		done(t, "down", motor.Move(Asking(t), devices.Down))
		Until(t, "closed", stands(0))
		where(t, truth())
		done(t, "down at the bottom", motor.Move(Asking(t), devices.Down))
		for _, percent := range []int{100, 0} {
			done(t, "go to an end", motor.GoTo(Asking(t), percent))
			Until(t, "the end", stands(percent))
		}
	})
	t.Run("stops on the way", func(t *testing.T) {
		c.Nudge(t, "device", "position", "20")
		where(t, devices.Whereabouts{Percent: 20, Known: true, Motion: devices.Stop}) // the word of the nudge is not taken for that of the way up
		done(t, "up", motor.Move(Asking(t), devices.Up))
		agrees(t, c.Capability, func(ctx context.Context) (any, error) {
			w, err := motor.Where(ctx)
			return w.Motion, err
		}, func() any { return devices.Up })
		done(t, "stop", motor.Move(Asking(t), devices.Stop))
		Until(t, "it stands", func() bool { return truth().Motion == devices.Stop }) // what it says on its way may be taken for the answer
		if w := truth(); w.Percent == 100 {
			t.Errorf("it was stopped and is at %+v", w)
		}
		where(t, truth())
		done(t, "stop where it stands", motor.Move(Asking(t), devices.Stop))
	})
	t.Run("tells what somebody did to it", func(t *testing.T) {
		c.Nudge(t, "device", "position", "73")
		where(t, devices.Whereabouts{Percent: 73, Known: true, Motion: devices.Stop})
	})
	t.Run("refuses what is no position", func(t *testing.T) {
		for _, percent := range []int{-1, 101} {
			if err := motor.GoTo(Asking(t), percent); err == nil {
				t.Errorf("%d%% was taken", percent)
			}
		}
		if err := motor.Move(Asking(t), "sideways"); err == nil {
			t.Error("a motion that is none was taken")
		}
	})
	t.Run("an error reply is a rejection and moves nothing", func(t *testing.T) {
		if c.Nak == "" {
			t.Skip("the equipment has no error reply")
		}
		c.Nudge(t, "device", "position", "50")
		c.Fault(t, c.Nak)
		defer c.Fault(t, "")
		for what, err := range map[string]error{
			"up": motor.Move(Asking(t), devices.Up), "down": motor.Move(Asking(t), devices.Down), "go to": motor.GoTo(Asking(t), 30),
		} {
			if !errors.As(err, new(*devices.Rejection)) {
				t.Errorf("%s gave %v", what, err)
			}
		}
		if !stands(50)() {
			t.Errorf("it is at %+v", truth())
		}
	})
	if c.Lost != "" {
		t.Run("without its limits it does not pretend", func(t *testing.T) {
			c.Nudge(t, "device", "position", "50")
			c.Fault(t, c.Lost)
			c.Fault(t, "")
			if w, err := motor.Where(Asking(t)); err != nil || w.Known {
				t.Errorf("it says %+v, %v", w, err)
			}
			if err := motor.GoTo(Asking(t), 30); !errors.As(err, new(*devices.Refusal)) {
				t.Errorf("going to a position gave %v", err)
			}
			done(t, "down", motor.Move(Asking(t), devices.Down))
			Until(t, "closed", stands(0))
			where(t, devices.Whereabouts{Percent: 0, Known: true, Motion: devices.Stop})
		})
	}
	place := 50
	if c.Calm || testing.Short() {
		return
	}
	OnABadWire(t, WireCase{
		Heard: drained(c.Capability),

		Wire:  c.Wire,
		Read:  func(ctx context.Context) (any, error) { return motor.Where(ctx) },
		Truth: func() any { return truth() },
		Change: func() {
			place = (place + 37) % 101
			c.Nudge(t, "device", "position", strconv.Itoa(place))
		},
	})
}
