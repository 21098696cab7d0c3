package room

import (
	"slices"

	"lectern/devices"
)

// Hold is what an emergency keeps as it is: while it stands, the devices of its wishes take nothing
// but what it wishes of them, whoever asks, and the circuits that feed them stay on. It is no way
// round a guard: what a guard refuses is refused in an emergency too.
type Hold struct {
	Wishes []Wish
	Reason devices.Phrase
}

// Hold puts a hold in force, in place of one that stands; nil ends it. Nothing moves by either.
func (r *Room) Hold(h *Hold) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.hold = h
	for _, m := range r.order {
		for _, c := range m.cells {
			r.relockHold(m, c)
		}
	}
	r.state.wake()
}

// Held returns the hold in force, or nil.
func (r *Room) Held() *Hold {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return r.hold
}

// refusedByHold says whether the hold in force has a property of a device in its hand, and which value
// alone it lets through, if any. The caller holds the state's mu.
func (r *Room) refusedByHold(m *member, property string) (held bool, but devices.Value) {
	if r.hold == nil {
		return false, but
	}
	for _, w := range r.hold.Wishes {
		if w.Device != m.ID {
			continue
		}
		held = true
		if w.Property == property {
			return true, w.Value
		}
	}
	if !held && property == "power" && len(m.feeds) > 0 && r.feedsHeld(m) {
		return true, devices.Bool(true)
	}
	return held, but
}

// feedsHeld reports whether a circuit feeds a device that the hold in force wishes something of,
// directly or by another circuit. The caller holds the state's mu.
func (r *Room) feedsHeld(circuit *member) bool {
	return slices.ContainsFunc(circuit.feeds, func(m *member) bool {
		wished := slices.ContainsFunc(r.hold.Wishes, func(w Wish) bool { return w.Device == m.ID })
		return wished || r.feedsHeld(m)
	})
}

// passHold refuses what would undo the hold in force.
func (r *Room) passHold(m *member, property string, v devices.Value) error {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if held, but := r.refusedByHold(m, property); held && v != but {
		return &devices.Refusal{Reason: r.hold.Reason}
	}
	return nil
}

// relockHold tells on a property what the hold in force would refuse. The caller holds the state's mu.
func (r *Room) relockHold(m *member, c *cell) {
	locks := slices.DeleteFunc(slices.Clone(c.state.Locks), func(l Lock) bool { return l.hold != nil })
	if held, but := r.refusedByHold(m, c.property.Name); held && c.property.Settable {
		l := Lock{Reason: r.hold.Reason, hold: r.hold}
		switch c.property.Kind {
		case devices.KindBool:
			if !but.IsZero() {
				l.Values = []devices.Value{devices.Bool(!but.Bool())}
			}
		case devices.KindEnum:
			for _, o := range c.property.Options {
				if v := devices.Word(o.Value); !but.IsZero() && v != but && !o.State {
					l.Values = append(l.Values, v)
				}
			}
		}
		locks = append(locks, l)
	}
	if !slices.EqualFunc(locks, c.state.Locks, sameLock) {
		c.state.Locks = locks
		r.state.touch(c)
	}
}
