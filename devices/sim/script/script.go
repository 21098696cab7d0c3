// Package script plays equipment of which nothing is known: it hears everything and says nothing. A
// scripted device whose settings say `simulate` is played by the equipment of that driver instead; see
// package cast.
package script

import (
	"fmt"

	"lectern/devices/sim"
)

// Silence is equipment that never answers. It implements sim.Unit.
type Silence struct{}

var _ sim.Unit = Silence{}

// New makes silent equipment. It is a sim.Factory.
func New(sim.Options, []sim.Device) (sim.Equipment, error) { return Silence{}, nil }

// Truth implements sim.Equipment: nobody knows what it does.
func (Silence) Truth() map[string]string { return nil }

// Nudge implements sim.Equipment.
func (Silence) Nudge(device, property, _ string) error {
	return fmt.Errorf("%s.%s: nothing plays this device; write simulate: and the driver whose equipment shall play it among its settings", device, property)
}

// Fault implements sim.Equipment. Worse than silent it cannot become.
func (Silence) Fault(name string) error {
	if name == "" {
		return nil
	}
	return fmt.Errorf("fault %q is not known: nothing plays this device", name)
}

// Frame implements sim.Unit.
func (Silence) Frame([]byte) []byte { return nil }
