package room

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"lectern/devices"
)

// Replace makes the room another one while it runs: the members, guards and sources of c take the place
// of those that there are. A device that is in both - the very same one - goes on as it is, with its
// state and with the commands that it is carrying out; its name, its mains and its guards may change. A
// device that is no more is ended, and Replace returns when it has; a new one is begun. Commands under
// way keep what the guards have permitted them.
//
// Subscribers are not told what has gone: they are to begin anew. Where the error is not nil nothing
// has changed; it is as of New. Log and Journal of c are not looked at.
func (r *Room) Replace(c Config) error {
	r.lives.mu.Lock()
	defer r.lives.mu.Unlock()
	p, err := r.plan(c)
	if err != nil {
		return err
	}
	gone, fresh := r.adopt(p)
	for _, m := range gone {
		m.end()
	}
	for _, m := range gone {
		m.wait()
	}
	for _, m := range fresh {
		r.lives.begin(m)
	}
	return nil
}

// plan is what a room is to be made of. Members that are there already are in it as they are.
type plan struct {
	members map[string]*member
	order   []*member
	guards  []*Guard
	as      map[string]Member // how they are to be
}

// plan checks what a room is to be made of. It changes nothing.
func (r *Room) plan(c Config) (*plan, error) {
	p := &plan{members: make(map[string]*member), as: make(map[string]Member)}
	var faults []error
	for _, m := range c.Members {
		faults = append(faults, r.add(p, m))
	}
	groups := group(c.Sources)
	for _, on := range slices.Sorted(maps.Keys(groups)) {
		faults = append(faults, r.add(p, Member{ID: on, Device: r.chooser(on, groups[on])}))
	}
	for _, m := range p.order {
		if mains := p.as[m.ID].Mains; mains != "" && p.members[mains] == nil {
			faults = append(faults, fmt.Errorf("device %s: its mains %s is no device", m.ID, mains))
		}
	}
	for i := range c.Guards {
		g := &c.Guards[i]
		for _, m := range append(append([]Match(nil), g.Set...), g.Require...) {
			if _, _, err := lookup(p.members, p.order, m.Device, m.Property); err != nil {
				faults = append(faults, fmt.Errorf("guard %s: %w", g.ID, err))
			}
		}
		p.guards = append(p.guards, g)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("making the room: %w", err)
	}
	return p, nil
}

func (r *Room) add(p *plan, m Member) error {
	if _, twice := p.members[m.ID]; twice {
		return fmt.Errorf("device %s is there twice", m.ID)
	}
	made := r.member(m.ID)
	if made == nil || made.Device != m.Device {
		// A device that takes the place of another keeps its gate: a command on its way to the other may
		// still rest on a guard's permission.
		fresh := &member{Member: m, cells: make(map[string]*cell), gate: new(gate)}
		if made != nil {
			fresh.gate = made.gate
		}
		fresh.reach = &cell{device: &DeviceState{Device: m.ID, Fed: true}}
		for _, property := range m.properties() {
			fresh.cells[property.Name] = &cell{
				property: property, state: PropertyState{Device: m.ID, Property: property.Name, Quality: devices.Unknown},
			}
		}
		made = fresh
	}
	p.members[m.ID], p.as[m.ID] = made, m
	p.order = append(p.order, made)
	return nil
}

// chooser returns the chooser of some sources: the one there is, where it has the very same.
func (r *Room) chooser(on string, sources []Source) *chooser {
	if m := r.member(on); m != nil {
		if c, ok := m.Device.(*chooser); ok && reflect.DeepEqual(c.sources, sources) {
			return c
		}
	}
	return newChooser(r, sources)
}

// adopt makes the room what the plan says, and returns who is no more and who is new.
func (r *Room) adopt(p *plan) (gone, fresh []*member) {
	for _, m := range p.order {
		if r.member(m.ID) != m {
			fresh = append(fresh, m)
			m.Device.Bind(&reporter{room: r, member: m})
		}
	}
	s, now := &r.state, time.Now()
	s.mu.Lock()
	for _, m := range r.order {
		if p.members[m.ID] == m {
			continue
		}
		gone = append(gone, m)
		m.feeds = nil
		s.remove(m.reach)
		for _, c := range m.cells {
			s.remove(c)
		}
		delete(s.devices, m.ID)
	}
	for _, m := range fresh {
		s.devices[m.ID] = m.reach
		s.touch(m.reach)
		for _, property := range p.as[m.ID].properties() {
			s.touch(m.cells[property.Name])
		}
	}
	moved := make(map[*member]bool) // to other mains
	for _, m := range p.order {
		moved[m] = m.Mains != p.as[m.ID].Mains
		m.Mains, m.Properties, m.feeds = p.as[m.ID].Mains, p.as[m.ID].Properties, nil
		for _, property := range m.properties() {
			m.cells[property.Name].property = property
		}
	}
	for _, m := range p.order {
		if feeder := p.members[m.Mains]; feeder != nil {
			feeder.feeds = append(feeder.feeds, m)
		}
	}
	r.members, r.order, r.guards = p.members, p.order, p.guards
	for _, m := range p.order {
		for _, c := range m.cells {
			if kept := slices.DeleteFunc(slices.Clone(c.state.Locks), func(l Lock) bool { return l.guard != nil }); len(kept) != len(c.state.Locks) {
				c.state.Locks = kept
				s.touch(c)
			}
		}
	}
	if len(gone)+len(fresh) > 0 || len(p.guards) > 0 {
		for _, m := range p.order {
			r.relock(m.ID, now)
		}
	}
	for _, m := range p.order {
		for _, c := range m.cells {
			r.relockHold(m, c) // an emergency goes on, with what is new in its hand too
		}
	}
	fed := make(map[*member]bool)
	for _, m := range p.order {
		fed[m] = r.isFed(m, moved[m])
	}
	s.wake() // who waits for something that has gone looks again
	s.mu.Unlock()
	for _, m := range p.order {
		r.setFed(m, fed[m])
	}
	return gone, fresh
}

// isFed works out whether a device has mains: as its circuit says; where that says nothing, as it was, or
// on a circuit that is new to it, that it has. The caller holds the state's mu.
func (r *Room) isFed(m *member, moved bool) bool {
	feeder := r.members[m.Mains]
	if feeder == nil {
		return true
	}
	if c := feeder.cells["power"]; c != nil && (c.state.Quality == devices.Reported || c.state.Quality == devices.Assumed) {
		return c.state.Value.Bool()
	}
	return moved || m.reach.device.Fed
}

// ForgetLine takes a line that is no more out of the state.
func (r *Room) ForgetLine(id string) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if c := r.state.lines[id]; c != nil {
		r.state.remove(c)
		delete(r.state.lines, id)
	}
}

// ForgetRuns takes what scenes did that are no more out of the state. A run that is still under way stays.
func (r *Room) ForgetRuns(known func(scene string) bool) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	for id, c := range r.state.runs {
		if !known(id) && c.run.State.Over() {
			r.state.remove(c)
			delete(r.state.runs, id)
		}
	}
}

// ForgetAutomatic takes something that the room does not do by itself any more out of the state.
func (r *Room) ForgetAutomatic(kind, id string) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if c := r.state.automatic[kind+" "+id]; c != nil {
		r.state.remove(c)
		delete(r.state.automatic, kind+" "+id)
	}
}

// ForgetEmergency takes an alarm that the room does not obey any more out of the state.
func (r *Room) ForgetEmergency() {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if c := r.state.emergency; c != nil {
		r.state.remove(c)
		r.state.emergency = nil
	}
}

// Choosers lists the devices that choosing a source makes, and what they have, before there is a room.
func Choosers(sources []Source) map[string][]devices.Property {
	all := make(map[string][]devices.Property)
	for on, some := range group(sources) {
		all[on] = newChooser(nil, some).Properties()
	}
	return all
}

// Reload is how the last reading of the room file ended.
type Reload struct {
	Time  time.Time `json:"time"`
	Wrong int       `json:"wrong"` // how many faults kept it from being taken; 0: it was
	// Faults may quote the room file, so they are not in the state, which anybody may read.
	Faults []string `json:"-"`
}

// PostReload tells how the last reading of the room file ended.
func (r *Room) PostReload(x Reload) {
	x.Wrong = len(x.Faults)
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if r.state.reload == nil {
		r.state.reload = &cell{}
	}
	r.state.reload.reload = &x
	r.state.touch(r.state.reload)
}

// Reloaded returns how the last reading of the room file ended; the zero value where there was none.
func (r *Room) Reloaded() Reload {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if r.state.reload == nil {
		return Reload{}
	}
	return *r.state.reload.reload
}

// Answer returns when everything that a command needs of the room could be had. It changes nothing.
func (r *Room) Answer() {
	r.state.mu.Lock()
	order := r.order
	r.state.mu.Unlock()
	for _, m := range order {
		m.gate.mu.Lock()
		//lint:ignore SA2001 that it could be had is the answer
		m.gate.mu.Unlock()
	}
}
