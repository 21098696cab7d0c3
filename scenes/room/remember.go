package room

import (
	"time"

	"lectern/devices"
	"lectern/scenes/journal"
)

// keep has the journal note how a property is. The caller holds mu.
func (s *store) keep(c *cell) {
	if c.state.Property == "" || c.state.Remembered {
		return
	}
	s.journal.Keep(journal.Reading{
		Device: c.state.Device, Property: c.state.Property, Value: c.state.Value.Any(),
		Quality: c.state.Quality, Seen: c.state.Seen, Since: c.state.Since,
	})
}

// remember shows what the life before saw last, as stale, until the equipment has been read. What
// the room file no longer has, or has in another way, is passed over; so are sources, which are worked
// out from what the equipment says.
func (r *Room) remember(members map[string]*member, readings []journal.Reading) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	now := time.Now()
	for _, was := range readings {
		m := members[was.Device]
		if m == nil {
			continue
		}
		c := m.cells[was.Property]
		if _, worked := m.Device.(*chooser); worked || c == nil || was.Quality == devices.Unknown {
			continue
		}
		v, err := c.property.Read(was.Value)
		if err != nil {
			continue
		}
		if was.Seen.After(now) { // the clock was ahead
			was.Seen = now
		}
		c.state.Value, c.state.Quality, c.state.Remembered = v, devices.Stale, true
		c.state.Seen, c.state.Since = was.Seen, was.Since
		r.state.touch(c)
	}
}

// Awaited reports whether the equipment has yet to say in this life of the daemon how a property is.
// Of what has no mains nothing can be awaited.
func (r *Room) Awaited(device, property string) bool {
	p, ok := r.Get(device, property)
	if !ok || p.Quality != devices.Unknown && !p.Remembered {
		return false
	}
	return r.Fed(device)
}

// wake ends remembering: the equipment has spoken, and what was before counts as unknown. So nothing
// that holds for a time counts the time before. The caller holds mu.
func (c *cell) wake() (remembered bool) {
	if !c.state.Remembered {
		return false
	}
	c.state.Value, c.state.Quality, c.state.Remembered = devices.Value{}, devices.Unknown, false
	c.state.Seen, c.state.Since = time.Time{}, time.Time{}
	return true
}
