// Package beam holds what all simulated projectors have in common: a lamp that takes its time to
// come and go, inputs, and the people at the remote control. What they say of it, and on which wire,
// is each protocol's own.
package beam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

const (
	warmTime = 30 * time.Second
	coolTime = 60 * time.Second
	hours    = 1234
)

// The states of a lamp.
const (
	Off     = "off"
	Warming = "warming"
	On      = "on"
	Cooling = "cooling"
)

// The faults that every simulated projector takes.
const (
	Nak      = "nak"      // it refuses whatever it is asked
	NoLamp   = "no-lamp"  // the lamp does not light
	Overheat = "overheat" // it says that it is too hot
)

// Beam is a projector without a protocol. It implements sim.Equipment; its methods may be called from
// any goroutine.
type Beam struct {
	id     string
	scale  func(time.Duration) time.Duration
	inputs []string

	mu     sync.Mutex
	power  string
	until  time.Time // of a transition
	input  string
	fault  string
	failed bool          // the lamp has not lit
	moved  chan struct{} // closed when the power changes by a command
}

// New makes a projector that is off, with the inputs by the protocol's codes; the first is chosen.
func New(o sim.Options, id string, inputs ...string) *Beam {
	return &Beam{id: id, scale: o.Scale, inputs: inputs, input: inputs[0], power: Off, moved: make(chan struct{})}
}

// advance moves the lamp on by the clock. The caller holds mu.
func (b *Beam) advance() {
	if b.power != Warming && b.power != Cooling || time.Now().Before(b.until) {
		return
	}
	switch {
	case b.power == Warming && b.fault == NoLamp:
		b.power, b.failed = Off, true
	case b.power == Warming:
		b.power = On
	default:
		b.power = Off
	}
}

// Power returns what the lamp does.
func (b *Beam) Power() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance()
	return b.power
}

// Turn lights the lamp or puts it out, and reports whether it could: a lamp that is on its way is let
// go there, and neither way from there.
func (b *Beam) Turn(on bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance()
	return b.turn(on)
}

func (b *Beam) turn(on bool) bool {
	switch {
	case on && b.power == Off:
		b.power, b.until, b.failed = Warming, time.Now().Add(b.scale(warmTime)), false
	case !on && b.power == On:
		b.power, b.until = Cooling, time.Now().Add(b.scale(coolTime))
	case on && b.power == Cooling, !on && b.power == Warming:
		return false
	default:
		return true
	}
	close(b.moved)
	b.moved = make(chan struct{})
	return true
}

// Await returns what the lamp does as soon as that is something else than it was, or ctx has ended.
func (b *Beam) Await(ctx context.Context, was string) string {
	for {
		b.mu.Lock()
		b.advance()
		power, until, moved := b.power, b.until, b.moved
		b.mu.Unlock()
		if power != was || ctx.Err() != nil {
			return power
		}
		wait := time.Hour
		if power == Warming || power == Cooling {
			wait = max(time.Until(until), time.Millisecond)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-moved:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// Input returns the code of the input that is shown.
func (b *Beam) Input() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.input
}

// Has reports whether the projector has the input.
func (b *Beam) Has(code string) bool { return slices.Contains(b.inputs, code) }

// Choose shows another input.
func (b *Beam) Choose(code string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.input = code
}

// Hours returns the hours of the lamp.
func (*Beam) Hours() int { return hours }

// Faulty returns the fault of the equipment, "" for none.
func (b *Beam) Faulty() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fault
}

// Unlit reports whether the lamp has not lit when it was last asked to.
func (b *Beam) Unlit() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance()
	return b.failed
}

// Truth implements sim.Equipment.
func (b *Beam) Truth() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance()
	truth := map[string]string{b.id + ".power": b.power, b.id + ".lamp": fmt.Sprint(hours)}
	if b.power == On {
		truth[b.id+".input"] = b.input
	}
	return truth
}

// Nudge implements sim.Equipment: somebody uses the remote control.
func (b *Beam) Nudge(_, property, value string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.advance()
	switch {
	case property == "power" && (value == On || value == Off):
		b.turn(value == On)
	case property == "input" && b.Has(value):
		b.input = value
	default:
		return fmt.Errorf("nobody can nudge %s to %q: power takes on, off; input takes %s", property, value, strings.Join(b.inputs, ", "))
	}
	return nil
}

// Fault implements sim.Equipment.
func (b *Beam) Fault(name string) error {
	if name != "" && name != Nak && name != NoLamp && name != Overheat {
		return fmt.Errorf("fault %q is not known: this projector takes %s, %s, %s", name, Nak, NoLamp, Overheat)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault = name; name == "" {
		b.failed = false
	}
	return nil
}
