package devicetest

import (
	"context"
	"errors"
	"testing"

	"lectern/devices"
)

// ProjectorCase is a projector to be proved. Its pair's device is called "device", and it is off. The
// equipment must be fast enough to warm up in a few seconds.
type ProjectorCase struct {
	*Pair
	// Inputs are two of the protocol's codes.
	Inputs [2]string
	// Nak is the equipment's fault in which it answers every command with its error reply.
	Nak string
	// Calm leaves out what a bad wire does, where another case of the driver proves it.
	Calm bool
	// Reckoned marks a projector that says on or off and nothing between, so that its driver reckons
	// (see the package lamp). It may call a transition longer than it is, never shorter.
	Reckoned bool
}

// Projector proves a projector.
func Projector(t *testing.T, c ProjectorCase) {
	t.Helper()
	beam, ok := c.Capability.(devices.Projector)
	if !ok {
		t.Fatalf("%T is no devices.Projector", c.Capability)
	}
	truth := func() any { return devices.Power(c.Equipment.Truth()["device.power"]) }
	read := func(ctx context.Context) (any, error) {
		s, err := beam.Status(ctx)
		return s.Power, err
	}
	rejected := func(t *testing.T, what string, err error) {
		t.Helper()
		rejection := new(devices.Rejection)
		if !errors.As(err, &rejection) || rejection.Code == "" || rejection.Reason.ZH == "" || rejection.Reason.EN == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	becomes := func(t *testing.T, want devices.Power) {
		t.Helper()
		Until(t, string(want), func() bool {
			before := truth()
			got, err := read(Asking(t))
			now := truth()
			late := c.Reckoned && (got == devices.PowerWarming && now == devices.PowerOn || got == devices.PowerCooling && now == devices.PowerOff)
			if err != nil || got != before && got != now && !late {
				t.Errorf("read %v, %v; the truth is %v", got, err, now)
			}
			return got == want
		})
	}
	t.Run("an input is rejected while it is off", func(t *testing.T) {
		rejected(t, "choosing", beam.SetInput(Asking(t), c.Inputs[0]))
	})
	t.Run("it warms up and is on", func(t *testing.T) {
		if err := beam.SetPower(Asking(t), true); err != nil {
			t.Fatal(err)
		}
		becomes(t, devices.PowerOn)
	})
	t.Run("it shows what is chosen, by us or at the projector", func(t *testing.T) {
		for _, input := range c.Inputs {
			if err := beam.SetInput(Asking(t), input); err != nil {
				t.Errorf("choosing %s: %v", input, err)
			}
			if s, err := beam.Status(Asking(t)); err != nil || s.Input != input || c.Equipment.Truth()["device.input"] != input || s.Lamp < 0 {
				t.Errorf("chose %s, reads %+v, %v", input, s, err)
			}
		}
		c.Nudge(t, "device", "input", c.Inputs[0])
		if s, err := beam.Status(Asking(t)); err != nil || s.Input != c.Inputs[0] {
			t.Errorf("after the remote control: %+v, %v", s, err)
		}
		rejected(t, "an input that is not there", beam.SetInput(Asking(t), "99"))
	})
	if c.Nak != "" {
		t.Run("an error reply is a rejection and changes nothing", func(t *testing.T) {
			c.Fault(t, c.Nak)
			rejected(t, "off", beam.SetPower(Asking(t), false))
			c.Fault(t, "")
			if got, err := read(Asking(t)); err != nil || got != devices.PowerOn {
				t.Errorf("it is %v, %v", got, err)
			}
		})
	}
	t.Run("it cools down, and is not lit meanwhile", func(t *testing.T) {
		if err := beam.SetPower(Asking(t), false); err != nil {
			t.Fatal(err)
		}
		if truth() == devices.PowerCooling {
			if err := beam.SetPower(Asking(t), true); err == nil && truth() == devices.PowerCooling {
				t.Error("a hot lamp took a command to light")
			}
		}
		becomes(t, devices.PowerOff)
	})
	t.Run("it sees the remote control", func(t *testing.T) {
		c.Nudge(t, "device", "power", "on")
		becomes(t, devices.PowerOn)
		c.Nudge(t, "device", "power", "off")
		becomes(t, devices.PowerOff)
	})
	t.Run("a lamp that does not light ends as off with a fault", func(t *testing.T) {
		c.Fault(t, "no-lamp")
		_ = beam.SetPower(Asking(t), true)
		Until(t, "off with a fault", func() bool {
			s, err := beam.Status(Asking(t))
			return err == nil && s.Power == devices.PowerOff && s.Fault.Code != "" && s.Fault.Text.ZH != "" && s.Fault.Text.EN != ""
		})
		c.Fault(t, "")
		becomes(t, devices.PowerOff)
	})
	if !c.Calm {
		OnABadWire(t, WireCase{Wire: c.Wire, Read: read, Truth: truth, Change: func() {}})
	}
}
