package room

import (
	"context"
	"slices"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/journal"
)

// PropertyState is all that is known of one property.
type PropertyState struct {
	Device   string          `json:"device"`
	Property string          `json:"property"`
	Value    devices.Value   `json:"value"` // null: not known
	Quality  devices.Quality `json:"quality"`
	Seen     time.Time       `json:"seen,omitzero"`  // when the equipment last said so
	Since    time.Time       `json:"since,omitzero"` // when the value last changed
	// Remembered marks what an earlier life of the daemon saw: the equipment has not said anything in
	// this one. It is stale, and nobody judges by it.
	Remembered bool `json:"remembered,omitempty"`
	// Target is what somebody has asked for and the equipment has not confirmed yet.
	Target devices.Value `json:"target,omitzero"`
	// Locks say what would be refused now and why.
	Locks []Lock `json:"locks,omitempty"`
}

// Lock says that setting a property, or some values of it, would be refused now.
type Lock struct {
	Values []devices.Value `json:"values,omitempty"` // empty: all of them
	Reason devices.Phrase  `json:"reason"`
	Until  time.Time       `json:"until,omitzero"` // zero where nobody knows
	guard  *Guard
	hold   *Hold
}

// DeviceState says whether a device can be reached.
type DeviceState struct {
	Device string    `json:"device"`
	Online bool      `json:"online"`
	Fed    bool      `json:"fed"` // false: its mains circuit is off
	Since  time.Time `json:"since,omitzero"`
	Error  string    `json:"error,omitempty"`
	asked  bool
}

// Update is the whole state, or what has changed since the last one. Its slices belong to all who were given it:
// nobody changes them.
type Update struct {
	Revision   uint64          `json:"revision"`
	Since      uint64          `json:"-"` // the revision after which all of this is; with Revision it names the update
	Full       bool            `json:"full"`
	Properties []PropertyState `json:"properties,omitempty"`
	Devices    []DeviceState   `json:"devices,omitempty"`
	Lines      []line.Health   `json:"lines,omitempty"`
	Runs       []Run           `json:"runs,omitempty"`
	Reload     *Reload         `json:"reload,omitempty"`
	Automatic  []Automatic     `json:"automatic,omitempty"`
	Emergency  *Emergency      `json:"emergency,omitempty"`
	Staff      *Staff          `json:"staff,omitempty"`
	Storage    *journal.Health `json:"storage,omitempty"` // of journal and state on the disk
}

// store holds the cells in the order of their last change, so that what a subscriber has missed is
// found in time that depends on the changes and not on the size of the room.
type store struct {
	mu       sync.Mutex
	revision uint64
	told     Update // the last that a subscriber was given; the others mostly want the same
	oldest   *cell
	newest   *cell
	changed  chan struct{} // closed at the next change
	devices  map[string]*cell
	lines    map[string]*cell
	runs     map[string]*cell
	reload   *cell // nil before the first
	figures  Figures
	storage  *cell
	wishes   uint64
	journal  *journal.Journal

	automatic map[string]*cell // by kind and id
	emergency *cell
	staff     *cell     // nil before the first
	touched   time.Time // see Touch
}

// cell is one thing that changes: a property, a device's reach, the health of a line or of the storage, a
// run, something automatic, the emergency or the work of staff.
type cell struct {
	revision uint64
	older    *cell
	newer    *cell

	property devices.Property // of a property
	state    PropertyState
	wish     uint64 // whose target stands in state
	promised bool   // the equipment has accepted the target and is on its way there

	device  *DeviceState
	line    *line.Health
	run     *Run
	storage *journal.Health
	reload  *Reload

	automatic *Automatic
	emergency *Emergency
	staff     *Staff

	gone bool // what it was about is not in the room any more
}

func (s *store) init() {
	s.changed, s.figures = make(chan struct{}), newFigures()
	s.devices, s.lines, s.runs = make(map[string]*cell), make(map[string]*cell), make(map[string]*cell)
	s.automatic = make(map[string]*cell)
}

// touch gives a cell the next revision and tells the subscribers. The caller holds mu.
func (s *store) touch(c *cell) {
	if c.gone {
		return
	}
	s.unlink(c)
	c.older, c.newer = s.newest, nil
	if s.newest != nil {
		s.newest.newer = c
	} else {
		s.oldest = c
	}
	s.newest = c
	s.revision++
	c.revision = s.revision
	s.wake()
	s.keep(c)
}

// wake lets everybody who waits look again. The caller holds mu.
func (s *store) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// unlink takes a cell out of the list, if it is in. The caller holds mu.
func (s *store) unlink(c *cell) {
	if c.newer == nil && c.older == nil && s.newest != c {
		return
	}
	if c.older != nil {
		c.older.newer = c.newer
	} else {
		s.oldest = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		s.newest = c.older
	}
	c.older, c.newer = nil, nil
}

// remove takes a cell out for good. Nobody is told: whoever follows the state is to begin anew. The
// caller holds mu.
func (s *store) remove(c *cell) {
	s.unlink(c)
	c.gone = true
}

// since collects what has changed after a revision, oldest first. The caller holds mu.
func (s *store) since(revision uint64) Update {
	u := Update{Revision: s.revision, Since: revision, Full: revision == 0}
	from := s.newest
	if from == nil || from.revision <= revision {
		return u
	}
	for from.older != nil && from.older.revision > revision {
		from = from.older
	}
	for c := from; c != nil; c = c.newer {
		switch {
		case c.device != nil:
			u.Devices = append(u.Devices, *c.device)
		case c.line != nil:
			u.Lines = append(u.Lines, *c.line)
		case c.run != nil:
			u.Runs = append(u.Runs, c.run.clone())
		case c.reload != nil:
			u.Reload = c.reload
		case c.automatic != nil:
			u.Automatic = append(u.Automatic, *c.automatic)
		case c.emergency != nil:
			now := *c.emergency
			u.Emergency = &now
		case c.staff != nil:
			u.Staff = c.staff
		case c.storage != nil:
			u.Storage = c.storage
		default:
			u.Properties = append(u.Properties, c.state)
		}
	}
	return u
}

// news is since for subscribers, most of whom have seen the same. The caller holds mu.
func (s *store) news(seen uint64) Update {
	if s.revision > seen && (s.told.Since != seen || s.told.Revision != s.revision || seen == 0) {
		s.told = s.since(seen)
	}
	if s.revision <= seen {
		return Update{Revision: s.revision}
	}
	return s.told
}

// State returns the whole state.
func (r *Room) State() Update {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return r.state.since(0)
}

// Silent lists the devices that have their mains and do not answer.
func (r *Room) Silent() []DeviceState {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	var silent []DeviceState
	for c := r.state.oldest; c != nil; c = c.newer {
		if c.device != nil && c.device.Fed && !c.device.Online {
			silent = append(silent, *c.device)
		}
	}
	return silent
}

// Get returns what is known of one property; false where there is no such property.
func (r *Room) Get(device, property string) (PropertyState, bool) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	m, ok := r.members[device]
	if !ok {
		return PropertyState{}, false
	}
	c, ok := m.cells[property]
	if !ok {
		return PropertyState{}, false
	}
	return c.state, true
}

// Subscription follows the state of a room. It needs no closing and is for one goroutine.
type Subscription struct {
	room *Room
	seen uint64
}

// Subscribe starts to follow the state. A subscriber that has seen a revision before may say so and
// gets only what has changed since; 0 gets everything first.
func (r *Room) Subscribe(seen uint64) *Subscription {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if seen > r.state.revision { // from another life of the daemon
		seen = 0
	}
	return &Subscription{room: r, seen: seen}
}

// Next waits for a change and returns everything that has changed since the last call, each thing
// once with its latest state. It returns at once the first time where there is anything to tell.
// The error is ctx's.
func (s *Subscription) Next(ctx context.Context) (Update, error) {
	return s.NextSettled(ctx, func() time.Duration { return 0 })
}

// NextSettled is Next, but where there is nothing new but what somebody has asked for it waits for what comes of that, for
// as long as patience says in that moment, and returns both in one. Most equipment has answered before a millisecond or two
// are over.
func (s *Subscription) NextSettled(ctx context.Context, patience func() time.Duration) (Update, error) {
	var over <-chan time.Time
	for {
		seen := s.seen
		u, fresh, changed := s.look()
		if fresh && !u.isAsked() {
			return u, nil
		}
		if fresh {
			if over == nil {
				most := patience()
				if most <= 0 {
					return u, nil
				}
				timer := time.NewTimer(most)
				defer timer.Stop()
				over = timer.C
			}
			s.seen = seen // until it is told
		}
		select {
		case <-changed:
		case <-over:
			u, _ := s.Look()
			return u, nil
		case <-ctx.Done():
			return Update{}, context.Cause(ctx)
		}
	}
}

// isAsked reports whether an update says no more than what somebody has asked for and is under way.
func (u *Update) isAsked() bool {
	others := len(u.Devices) + len(u.Lines) + len(u.Runs) + len(u.Automatic)
	if len(u.Properties) == 0 || others > 0 || u.Reload != nil || u.Emergency != nil || u.Staff != nil || u.Storage != nil {
		return false
	}
	return !slices.ContainsFunc(u.Properties, func(p PropertyState) bool { return p.Target.IsZero() })
}

// Look is Next that does not wait; false where nothing has changed.
func (s *Subscription) Look() (Update, bool) {
	u, fresh, _ := s.look()
	return u, fresh
}

func (s *Subscription) look() (u Update, fresh bool, changed <-chan struct{}) {
	s.room.state.mu.Lock()
	defer s.room.state.mu.Unlock()
	u = s.room.state.news(s.seen)
	fresh = u.Revision > s.seen
	s.seen = max(s.seen, u.Revision)
	return u, fresh, s.room.state.changed
}

// Await waits until the condition holds, asking it after every change. The condition may call Get
// and State. The error is ctx's.
func (r *Room) Await(ctx context.Context, holds func() bool) error {
	for {
		r.state.mu.Lock()
		changed := r.state.changed
		r.state.mu.Unlock()
		if holds() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx) //nolint:wrapcheck // ctx's own
		}
	}
}

// PostRun tells how a run of a scene is getting on. The room keeps the latest run of each scene.
func (r *Room) PostRun(run Run) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	c := r.state.runs[run.Scene]
	if c == nil {
		c = &cell{}
		r.state.runs[run.Scene] = c
	}
	fresh := run.clone()
	r.state.countRun(c.run, fresh)
	c.run = &fresh
	r.state.touch(c)
}

// target notes what is asked for and returns a number to take it back with.
func (s *store) target(c *cell, v devices.Value) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wishes++
	c.wish, c.promised, c.state.Target = s.wishes, false, v
	s.touch(c)
	return s.wishes
}

// reached takes a target back unless a newer wish has taken its place.
func (s *store) reached(c *cell, wish uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.wish == wish {
		s.forget(c)
	}
}

// promiseMost is how long an accepted target stands at most. Lamps take two minutes, and a long curtain
// less; what has not come about by then will not.
const promiseMost = 5 * time.Minute

// promise leaves a target standing that the equipment has accepted, until it is reached or nothing
// points to it any more.
func (s *store) promise(m *member, c *cell, wish uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.wish != wish:
	case c.state.Value == c.state.Target:
		s.forget(c)
	default:
		c.promised = true
		time.AfterFunc(promiseMost, func() { s.reached(c, wish) })
		s.come(m)
	}
}

// promised returns what a device has accepted and is on its way to, and the number of that wish; zero where there is
// nothing.
func (s *store) promised(c *cell) (target devices.Value, wish uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !c.promised {
		return devices.Value{}, 0
	}
	return c.state.Target, c.wish
}

const (
	// heightSlack is how far, in percent, a curtain may stop from where it was sent and be there.
	heightSlack = 2
	// standTime is longer than a curtain stands where it turns round.
	standTime = 10 * time.Second
)

// come looks at the height that a curtain was sent to, when the curtain has come to stand: it is there,
// though a little beside, or will not get there if it goes on standing. The caller holds mu.
func (s *store) come(m *member) {
	motion, height := m.cells["motion"], m.cells["position"]
	if motion == nil || height == nil || !height.promised || motion.state.Value != devices.Word(string(devices.Stop)) {
		return
	}
	if off := height.state.Value.Int() - height.state.Target.Int(); !height.state.Value.IsZero() && max(off, -off) <= heightSlack {
		s.forget(height)
		return
	}
	wish, since := height.wish, motion.state.Since
	time.AfterFunc(standTime, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if height.wish == wish && motion.state.Since.Equal(since) {
			s.forget(height)
		}
	})
}

// forget takes a target back. The caller holds mu.
func (s *store) forget(c *cell) {
	if c.wish != 0 {
		c.wish, c.promised, c.state.Target = 0, false, devices.Value{}
		s.touch(c)
	}
}

// keepPromise looks at an accepted target after the value has changed: it is reached, or the equipment
// has settled on something else. A number passes many others on its way, and a word that nobody can
// ask for (warming) is no place to settle. The caller holds mu.
func (s *store) keepPromise(c *cell, before devices.Value) {
	v := c.state.Value
	if !c.promised || v.IsZero() || v == before && v != c.state.Target {
		return
	}
	number := c.property.Kind == devices.KindInteger || c.property.Kind == devices.KindNumber
	if v == c.state.Target || !number && c.property.Asks(v) {
		s.forget(c)
	}
}
