package devicetest

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"lectern/devices"
)

// SwitchCase is a contact to be proved. Its pair's device is called "device".
type SwitchCase struct {
	*Pair
	// Nak is the equipment's fault in which it answers every command with its error reply.
	Nak string
	// Calm leaves out what a bad wire does, where another case of the driver proves it.
	Calm bool
}

// Switch proves a contact that can be read back.
func Switch(t *testing.T, c SwitchCase) {
	t.Helper()
	contact, ok := c.Capability.(devices.Switch)
	if !ok {
		t.Fatalf("%T is no devices.Switch", c.Capability)
	}
	truth := func() any { return c.Equipment.Truth()["device.power"] == "true" }
	read := func(ctx context.Context) (any, error) { return contact.On(ctx) }
	agrees := func(t *testing.T, want bool) {
		t.Helper()
		agrees(t, c.Capability, read, truth)
		if truth() != want {
			t.Errorf("the truth is %v, want %v", truth(), want)
		}
	}
	t.Run("switches and reads", func(t *testing.T) {
		for _, on := range []bool{true, true, false, false, true} {
			if err := contact.SetOn(Asking(t), on); err != nil {
				t.Errorf("switching to %v: %v", on, err)
			}
			agrees(t, on)
		}
	})
	t.Run("reads what somebody did to it", func(t *testing.T) {
		c.Nudge(t, "device", "power", "false")
		agrees(t, false)
	})
	if c.Nak != "" {
		t.Run("an error reply is a rejection and changes nothing", func(t *testing.T) {
			c.Fault(t, c.Nak)
			rejection := new(devices.Rejection)
			if err := contact.SetOn(Asking(t), true); !errors.As(err, &rejection) || rejection.Code == "" || rejection.Reason.ZH == "" || rejection.Reason.EN == "" {
				t.Errorf("switching: %v", err)
			}
			if got, err := read(Asking(t)); err == nil && got != truth() {
				t.Errorf("read %v, the truth is %v", got, truth())
			}
			c.Fault(t, "")
			agrees(t, false)
		})
	}
	if !c.Calm && !testing.Short() {
		OnABadWire(t, WireCase{Heard: drained(c.Capability), Wire: c.Wire, Read: read, Truth: truth, Change: func() {
			c.Nudge(t, "device", "power", strconv.FormatBool(truth() != true))
		}})
	}
}

// DimmerCase is a dimmed circuit to be proved. Its pair's device is called "device".
type DimmerCase struct {
	*Pair
	// Nak is the equipment's fault in which it answers every command with its error reply.
	Nak string
	// Calm leaves out what a bad wire does, where another case of the driver proves it.
	Calm bool
}

// Dimmer proves a dimmed circuit.
func Dimmer(t *testing.T, c DimmerCase) {
	t.Helper()
	lamp, ok := c.Capability.(devices.Dimmer)
	if !ok {
		t.Fatalf("%T is no devices.Dimmer", c.Capability)
	}
	truth := func() any {
		percent, err := strconv.Atoi(c.Equipment.Truth()["device.percent"])
		if err != nil {
			t.Error(err)
		}
		return percent
	}
	read := func(ctx context.Context) (any, error) { return lamp.Level(ctx) }
	agrees := func(t *testing.T, want int) {
		t.Helper()
		agrees(t, c.Capability, read, truth)
		if truth() != want {
			t.Errorf("the truth is %v, want %d", truth(), want)
		}
	}
	t.Run("every percentage reads back as it was set", func(t *testing.T) {
		for percent := 0; percent <= 100; percent++ {
			if err := lamp.SetLevel(Asking(t), percent); err != nil {
				t.Errorf("dimming to %d: %v", percent, err)
			}
			agrees(t, percent)
		}
	})
	t.Run("refuses what is no level", func(t *testing.T) {
		before := truth().(int)
		for _, percent := range []int{-1, 101} {
			if err := lamp.SetLevel(Asking(t), percent); err == nil {
				t.Errorf("%d%% was taken", percent)
			}
		}
		agrees(t, before)
	})
	t.Run("reads what somebody did to it", func(t *testing.T) {
		c.Nudge(t, "device", "percent", "42")
		agrees(t, 42)
	})
	if c.Nak != "" {
		t.Run("an error reply is a rejection and changes nothing", func(t *testing.T) {
			c.Fault(t, c.Nak)
			rejection := new(devices.Rejection)
			if err := lamp.SetLevel(Asking(t), 7); !errors.As(err, &rejection) {
				t.Errorf("dimming: %v", err)
			}
			if got, err := read(Asking(t)); err == nil && got != truth() {
				t.Errorf("read %v, the truth is %v", got, truth())
			}
			c.Fault(t, "")
			agrees(t, 42)
		})
	}
	if !c.Calm && !testing.Short() {
		OnABadWire(t, WireCase{Heard: drained(c.Capability), Wire: c.Wire, Read: read, Truth: truth, Change: func() {
			c.Nudge(t, "device", "percent", strconv.Itoa((truth().(int)+13)%101))
		}})
	}
}

// SensorCase is a sensor to be proved. Its pair's device is called "device".
type SensorCase struct {
	*Pair
	// Values are what it is made to measure, at least two.
	Values []float64
	// Nak is the equipment's fault in which it answers every question with its error reply.
	Nak string
	// Calm leaves out what a bad wire does, where another case of the driver proves it.
	Calm bool
}

// Sensor proves a sensor.
func Sensor(t *testing.T, c SensorCase) {
	t.Helper()
	gauge, ok := c.Capability.(devices.Sensor)
	if !ok {
		t.Fatalf("%T is no devices.Sensor", c.Capability)
	}
	truth := func() any {
		f, err := strconv.ParseFloat(c.Equipment.Truth()["device.value"], 64)
		if err != nil {
			t.Error(err)
		}
		return f
	}
	read := func(ctx context.Context) (any, error) { return gauge.Measure(ctx) }
	at := 0
	change := func() {
		at = (at + 1) % len(c.Values)
		c.Nudge(t, "device", "value", strconv.FormatFloat(c.Values[at], 'f', -1, 64))
	}
	t.Run("measures what is", func(t *testing.T) {
		for range c.Values {
			change()
			if agrees(t, c.Capability, read, truth); truth() != c.Values[at] {
				t.Errorf("the truth is %v, want %v", truth(), c.Values[at])
			}
		}
	})
	if c.Nak != "" {
		t.Run("an error reply is a rejection and no value", func(t *testing.T) {
			c.Fault(t, c.Nak)
			rejection := new(devices.Rejection)
			if got, err := read(Asking(t)); !errors.As(err, &rejection) {
				t.Errorf("measured %v, %v", got, err)
			}
			c.Fault(t, "")
			if got, err := read(Asking(t)); err != nil || got != truth() {
				t.Errorf("measured %v, %v; the truth is %v", got, err, truth())
			}
		})
	}
	if !c.Calm && !testing.Short() {
		OnABadWire(t, WireCase{Heard: drained(c.Capability), Wire: c.Wire, Read: read, Truth: truth, Change: change})
	}
}
