package devicetest

import (
	"context"
	"errors"
	"testing"

	"lectern/devices"
)

// SelectorCase is a matrix or switcher to be proved. Its pair's device is called "device".
type SelectorCase struct {
	*Pair
	// Outputs and Inputs are codes that the equipment has, at least one output and three inputs.
	Outputs, Inputs []string
	// Unties says whether an output can be without an input.
	Unties bool
	// NoInput is a code that the equipment rejects; empty where the driver knows by itself.
	NoInput string
	// Nak is the equipment's fault in which it answers every command with its error reply.
	Nak string
	// Calm leaves out what a bad wire does, where another case of the driver proves it.
	Calm bool
}

// Selector proves a matrix or switcher.
func Selector(t *testing.T, c SelectorCase) {
	t.Helper()
	matrix, ok := c.Capability.(devices.Selector)
	if !ok {
		t.Fatalf("%T is no devices.Selector", c.Capability)
	}
	truth := func(output string) string { return c.Equipment.Truth()["device."+output] }
	agrees := func(t *testing.T, output, want string) {
		t.Helper()
		got, err := matrix.Selected(Asking(t), output)
		if err != nil || got != want || truth(output) != want {
			t.Errorf("output %s: read %q, %v; the truth is %q, want %q", output, got, err, truth(output), want)
		}
	}
	t.Run("selects and reads every output", func(t *testing.T) {
		for i, output := range c.Outputs {
			input := c.Inputs[i%len(c.Inputs)]
			if err := matrix.Select(Asking(t), output, input); err != nil {
				t.Errorf("input %s to output %s: %v", input, output, err)
			}
		}
		for i, output := range c.Outputs {
			agrees(t, output, c.Inputs[i%len(c.Inputs)])
		}
	})
	if c.Unties {
		t.Run("unties", func(t *testing.T) {
			if err := matrix.Select(Asking(t), c.Outputs[0], ""); err != nil {
				t.Error(err)
			}
			agrees(t, c.Outputs[0], "")
		})
	}
	t.Run("reads and reports what somebody did to it", func(t *testing.T) {
		agrees(t, c.Outputs[0], truth(c.Outputs[0])) // the connection is up
		heard := drained(c.Capability)
		c.Nudge(t, "device", c.Outputs[0], c.Inputs[2])
		notified(t, heard)
		agrees(t, c.Outputs[0], c.Inputs[2])
	})
	t.Run("an error reply is a rejection and changes nothing", func(t *testing.T) {
		before := truth(c.Outputs[0])
		rejected := func(err error) {
			t.Helper()
			if !errors.As(err, new(*devices.Rejection)) {
				t.Errorf("got %v", err)
			}
			if truth(c.Outputs[0]) != before {
				t.Errorf("output %s changed to %q", c.Outputs[0], truth(c.Outputs[0]))
			}
		}
		if c.NoInput != "" {
			rejected(matrix.Select(Asking(t), c.Outputs[0], c.NoInput))
		}
		c.Fault(t, c.Nak)
		defer c.Fault(t, "")
		rejected(matrix.Select(Asking(t), c.Outputs[0], c.Inputs[0]))
		if got, err := matrix.Selected(Asking(t), c.Outputs[0]); err == nil {
			t.Errorf("read %q", got)
		}
	})
	next := 0
	if c.Calm || testing.Short() {
		return
	}
	OnABadWire(t, WireCase{
		Heard: drained(c.Capability),

		Wire:  c.Wire,
		Read:  func(ctx context.Context) (any, error) { return matrix.Selected(ctx, c.Outputs[0]) },
		Truth: func() any { return truth(c.Outputs[0]) },
		Change: func() {
			next++
			c.Nudge(t, "device", c.Outputs[0], c.Inputs[next%len(c.Inputs)])
		},
	})
}

// drained returns the channel of a capability that notifies, emptied; nil for any other.
func drained(capability any) <-chan struct{} {
	n, ok := capability.(devices.Notifier)
	if !ok {
		return nil
	}
	select {
	case <-n.Changed():
	default:
	}
	return n.Changed()
}

// notified waits for a notification, where the capability gives any.
func notified(t *testing.T, heard <-chan struct{}) {
	t.Helper()
	if heard == nil {
		return
	}
	select {
	case <-heard:
	case <-Asking(t).Done():
		t.Error("it spoke up and nobody was notified")
	}
}
