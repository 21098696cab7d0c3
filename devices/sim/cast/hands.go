package cast

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"lectern/devices/sim"
)

// Truth is what all equipment really does; see sim.Equipment.
func (e *Ensemble) Truth() map[string]string {
	truth := make(map[string]string)
	for _, equipment := range e.equipment {
		for k, v := range equipment.Truth() {
			truth[k] = v
		}
	}
	return truth
}

// Nudge is a person at the equipment; see sim.Equipment.
func (e *Ensemble) Nudge(device, property, value string) error {
	equipment, ok := e.owner[device]
	if !ok {
		return fmt.Errorf("no simulated device %q; there is %s", device, strings.Join(e.Devices(), ", "))
	}
	return equipment.Nudge(device, property, value) //nolint:wrapcheck // says it all
}

// Fault makes a line (by its id; see sim.Wire.Fault) or the equipment of a device (by the device's
// id; see sim.Equipment) fail, until the name "" heals it. What several devices have in common - a
// board, a sequencer - fails for all of them. Where a line and a device have the same id, the name
// tells which is meant, and healing heals both.
func (e *Ensemble) Fault(where, name string) error {
	var fails [2]func(string) error // of the line, of the device
	if wire, ok := e.Wires[where]; ok {
		fails[0] = wire.Fault
	}
	if equipment, ok := e.owner[where]; ok {
		fails[1] = equipment.Fault
	}
	if fails[0] == nil && fails[1] == nil {
		return fmt.Errorf("no line and no simulated device %q; there is %s", where, strings.Join(append(e.Lines(), e.Devices()...), ", "))
	}
	var unknown []error
	for i, fail := range fails {
		if fail == nil {
			continue
		}
		if err := fail(name); err != nil {
			unknown = append(unknown, err)
			continue
		}
		e.note(where, i, name)
		if name != "" {
			return nil
		}
	}
	return errors.Join(unknown...)
}

func (e *Ensemble) note(where string, which int, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.faults[where]
	now[which] = name
	e.faults[where] = now
}

// Faults lists those that are at work, by where they were asked for.
func (e *Ensemble) Faults() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	at := make(map[string]string)
	for where, now := range e.faults {
		if text := strings.Trim(strings.Join(now[:], " "), " "); text != "" {
			at[where] = text
		}
	}
	return at
}

// Groups lists the simulated devices, those together that one equipment plays and that fail together.
func (e *Ensemble) Groups() [][]string {
	var groups [][]string
	var played []sim.Equipment
	for _, id := range e.Devices() {
		i := slices.Index(played, e.owner[id])
		if i < 0 {
			played, groups = append(played, e.owner[id]), append(groups, nil)
			i = len(groups) - 1
		}
		groups[i] = append(groups[i], id)
	}
	return groups
}

// Takes says which faults a device's equipment knows, as it says itself when it is asked for one that it
// does not know.
func (e *Ensemble) Takes(device string) string {
	equipment, ok := e.owner[device]
	if !ok {
		return ""
	}
	err := equipment.Fault("?")
	if err == nil {
		return ""
	}
	text := err.Error()
	for _, word := range []string{" takes ", " take "} {
		if _, names, ok := strings.Cut(text, word); ok {
			return names
		}
	}
	return text
}

// Lines lists the simulated lines, sorted.
func (e *Ensemble) Lines() []string { return sortedKeys(e.Wires) }

// Devices lists the simulated devices, sorted. A motor with two relays is two of them.
func (e *Ensemble) Devices() []string { return sortedKeys(e.owner) }

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
