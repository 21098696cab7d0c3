package room

import (
	"context"
	"slices"
	"sync"
	"time"

	"lectern/devices"
)

// Source is something that can be shown: values that several devices take together, such as the
// projector's input and the matrix's route.
type Source struct {
	ID   string
	On   string // the device under which the choice is offered
	Name devices.Phrase
	Set  []Wish // in the order in which they are done
}

// Wish is a property with a value that it should take.
type Wish struct {
	Device   string
	Property string
	Value    devices.Value
}

// none is what is selected when the equipment is set to no source that the room file knows.
const none = "none"

func group(sources []Source) map[string][]Source {
	groups := make(map[string][]Source)
	for _, s := range sources {
		groups[s.On] = append(groups[s.On], s)
	}
	return groups
}

// chooser is the device that source selection looks like. It has no wire of its own: it does its
// work through the room, so that guards, locks and the journal see every part of it.
type chooser struct {
	room    *Room
	sources []Source

	mu     sync.Mutex
	report devices.Reporter
}

func newChooser(r *Room, sources []Source) *chooser { return &chooser{room: r, sources: sources} }

var _ devices.Device = (*chooser)(nil)

// Properties implements devices.Device.
func (c *chooser) Properties() []devices.Property {
	options := make([]devices.Option, 0, len(c.sources)+1)
	for _, s := range c.sources {
		options = append(options, devices.Option{Value: s.ID, Label: s.Name})
	}
	options = append(options, devices.Option{Value: none, State: true, Label: devices.Phrase{ZH: "无", EN: "None"}})
	return []devices.Property{{Name: "selected", Kind: devices.KindEnum, Settable: true, Options: options}}
}

// Bind implements devices.Device.
func (c *chooser) Bind(r devices.Reporter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report = r
}

// Run implements devices.Device: it says which source the equipment is set to, whenever that may
// have changed.
func (c *chooser) Run(ctx context.Context) error {
	c.look()
	follow := c.room.Subscribe(0)
	for {
		u, err := follow.Next(ctx)
		if err != nil {
			return nil //nolint:nilerr // ctx has ended, as it should
		}
		if slices.ContainsFunc(u.Properties, c.concerns) {
			c.look()
			c.keep()
		}
	}
}

func (c *chooser) concerns(p PropertyState) bool {
	return slices.ContainsFunc(c.sources, func(s Source) bool {
		return slices.ContainsFunc(s.Set, func(w Wish) bool { return w.Device == p.Device && w.Property == p.Property })
	})
}

// look works out which source is selected: the one of which everything holds, and of several the
// one that says most. It is known only as well as the least known of its parts.
func (c *chooser) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	selected, most := none, 0
	quality, online := devices.Reported, true
	for _, s := range c.sources {
		holds, worst := true, devices.Reported
		for _, w := range s.Set {
			p, _ := c.room.Get(w.Device, w.Property)
			if p.Value.IsZero() {
				online = false
			}
			holds = holds && p.Value == w.Value
			worst = worse(worst, p.Quality)
		}
		if holds && len(s.Set) > most {
			selected, most, quality = s.ID, len(s.Set), worst
		}
		if !holds && most == 0 {
			quality = worse(quality, worst)
		}
	}
	c.report.Reach(nil) // it has no wire of its own that could fail
	if most == 0 && !online {
		c.report.Report("selected", devices.Value{}, devices.Unknown)
		return
	}
	c.report.Report("selected", devices.Word(selected), quality)
}

// keep gives up a choice that was accepted when a part of it will not come any more: the projector that was to take
// its input when it is warm has been switched off.
func (c *chooser) keep() {
	m := c.room.member(c.sources[0].On)
	if m == nil {
		return
	}
	chosen := m.cells["selected"]
	target, wish := c.room.state.promised(chosen)
	i := slices.IndexFunc(c.sources, func(s Source) bool { return wish != 0 && s.ID == target.String() })
	if i >= 0 && slices.ContainsFunc(c.sources[i].Set, func(w Wish) bool {
		p, _ := c.room.Get(w.Device, w.Property)
		return p.Value != w.Value && p.Target != w.Value
	}) {
		c.room.state.reached(chosen, wish)
	}
}

func worse(a, b devices.Quality) devices.Quality {
	order := []devices.Quality{devices.Reported, devices.Assumed, devices.Stale, devices.Unknown}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// Set implements devices.Device. Nothing is touched where a part of the source is locked; after
// that the parts are set one after the other, and the first that is not done ends it.
func (c *chooser) Set(ctx context.Context, _ string, v devices.Value) error {
	i := slices.IndexFunc(c.sources, func(s Source) bool { return s.ID == v.String() })
	for _, w := range c.sources[i].Set {
		p, _ := c.room.Get(w.Device, w.Property)
		for _, l := range p.Locks {
			if len(l.Values) == 0 || slices.Contains(l.Values, w.Value) {
				return &devices.Refusal{Reason: l.Reason, For: max(0, time.Until(l.Until))}
			}
		}
	}
	var weaker error
	for _, w := range c.sources[i].Set {
		err := c.room.set(ctx, w)
		if o := devices.OutcomeOf(err); !o.OK() {
			return err
		}
		if err != nil {
			weaker = err // sent or accepted: no worse, but not confirmed
		}
	}
	c.look()
	return weaker
}

// set does one part of a larger command, with the error that it ended in.
func (r *Room) set(ctx context.Context, w Wish) error {
	m, property, err := r.find(w.Device, w.Property)
	if err != nil {
		return err
	}
	return r.perform(ctx, m, property, w.Value, byOf(ctx))
}

// Refresh implements devices.Device.
func (c *chooser) Refresh(context.Context) error {
	c.look()
	return nil
}
