package room

import (
	"slices"
	"time"

	"lectern/devices"
	"lectern/scenes/journal"
)

// reporter is where one device says what it saw.
type reporter struct {
	room   *Room
	member *member
}

// sleeper is equipment that can be told that its mains is off; see equipment.
type sleeper interface{ SetFed(fed bool) }

// Report implements devices.Reporter.
func (p *reporter) Report(property string, v devices.Value, q devices.Quality) {
	c, ok := p.member.cells[property]
	if !ok {
		p.room.log.Error("a device reported a property that it does not have", "device", p.member.ID, "property", property)
		return
	}
	r, now := p.room, time.Now()
	r.state.mu.Lock()
	woken := c.wake()
	before := c.state
	c.state.Value, c.state.Quality = v, q
	if q == devices.Reported || q == devices.Assumed {
		c.state.Seen = now
	}
	if before.Value != v {
		c.state.Since = now
	}
	// A poll that finds everything as it was is no change; only the time moves on.
	changed := woken || before.Value != v || before.Quality != q
	if changed {
		r.state.touch(c)
		r.state.keepPromise(c, before.Value)
		r.state.come(p.member)
		r.relock(p.member.ID, now)
	} else {
		r.state.keep(c)
	}
	feeds := p.member.feeds
	r.state.mu.Unlock()
	if changed && property == "power" && len(feeds) > 0 {
		p.room.feed(feeds, v, q)
	}
}

// Reach implements devices.Reporter.
func (p *reporter) Reach(err error) {
	r, now := p.room, time.Now()
	r.state.mu.Lock()
	c := p.member.reach
	d := c.device
	text := ""
	if err != nil {
		text = err.Error()
	}
	turned := !d.asked || d.Online != (err == nil)
	if turned {
		d.Since = now
	}
	changed := turned || d.Error != text
	d.asked, d.Online, d.Error = true, err == nil, text
	if changed {
		r.state.touch(c)
	}
	if err != nil {
		p.age(devices.Stale)
		r.relock(p.member.ID, now)
	}
	r.state.mu.Unlock()
	if turned {
		outcome := "online"
		if err != nil {
			outcome = "offline"
			r.log.Warn("device does not answer", "device", p.member.ID, "error", err)
		} else {
			r.log.Info("device answers", "device", p.member.ID)
		}
		r.journal.Record(journal.Entry{Time: now, By: journal.By{Via: "equipment"}, Device: p.member.ID, Outcome: outcome, Detail: text})
	}
}

// age lowers the quality of everything that the device has said. The caller holds the state's mu.
func (p *reporter) age(to devices.Quality) {
	for _, c := range p.member.cells {
		if c.state.Quality == devices.Reported || c.state.Quality == devices.Assumed {
			c.state.Quality = to
			p.room.state.touch(c)
		}
	}
}

// Lock implements devices.Reporter.
func (p *reporter) Lock(property string, why *devices.Refusal) {
	c, ok := p.member.cells[property]
	if !ok {
		return
	}
	s := &p.room.state
	s.mu.Lock()
	defer s.mu.Unlock()
	locks := slices.DeleteFunc(slices.Clone(c.state.Locks), func(l Lock) bool { return l.guard == nil && l.hold == nil })
	if why != nil {
		l := Lock{Reason: why.Reason}
		if why.For > 0 {
			l.Until = time.Now().Add(why.For).Truncate(time.Second)
		}
		locks = append(locks, l)
		if why.Lasting && c.promised { // what was accepted for later does not come about any more
			s.forget(c)
		}
	}
	if !slices.EqualFunc(locks, c.state.Locks, sameLock) {
		c.state.Locks = locks
		s.touch(c)
	}
}

func sameLock(a, b Lock) bool {
	return a.Reason == b.Reason && a.Until.Equal(b.Until) && a.guard == b.guard && a.hold == b.hold && slices.Equal(a.Values, b.Values)
}

// feed tells the devices behind a circuit whether they have mains. Only a circuit that itself says
// that it is off takes the mains away: unknown is not off.
func (r *Room) feed(feeds []*member, v devices.Value, q devices.Quality) {
	if q != devices.Reported && q != devices.Assumed {
		return
	}
	for _, m := range feeds {
		r.setFed(m, v.Bool())
	}
}

func (r *Room) setFed(m *member, fed bool) {
	r.state.mu.Lock()
	c := m.reach
	changed := c.device.Fed != fed
	if changed {
		c.device.Fed, c.device.Since = fed, time.Now()
		r.state.touch(c)
		if !fed {
			for _, c := range m.cells {
				c.wake()
				c.state.Value, c.state.Quality, c.state.Locks = devices.Value{}, devices.Unknown, nil
				r.relockHold(m, c)
				r.state.forget(c)
				r.state.touch(c)
			}
			r.relock(m.ID, time.Now())
		}
	}
	r.state.mu.Unlock()
	if s, ok := m.Device.(sleeper); ok && changed {
		s.SetFed(fed)
	}
}
