// Package check is the equipment check: one press asks every device of a room how it is and, where the
// room is empty and a person says so, moves lights and curtains a little to see that they obey.
package check

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/meeting"
	"lectern/scenes/room"
)

const (
	askTime  = 8 * time.Second // for one device
	moveTime = 2 * time.Minute // for one device to go and come back
)

// Device is a device to be checked.
type Device struct{ ID, Kind string }

// Checker checks the equipment of one room, once at a time.
type Checker struct {
	Room *room.Room
	// Busy says whether a meeting has the room.
	Busy func() bool
	// Done takes what was found, and opens repair orders; it returns it with their numbers.
	Done func(found []meeting.Found, by string) []meeting.Found

	mu       sync.Mutex
	ctx      context.Context // of Run
	state    State
	devices  []Device
	presence []string
	worker   sync.WaitGroup
}

// State is how far a check has come.
type State struct {
	Running  bool
	Exercise bool
	By       string
	Started  time.Time
	Ended    time.Time
	Of       int
	Found    []meeting.Found // in the order of the room file, as far as it has come
}

// Why a check does not start.
var (
	ErrRunning  = errors.New("an equipment check is under way")
	ErrStopping = errors.New("the controller is starting or stopping")
	ErrPeople   = errors.New("there are people in the room, or a meeting has it: lights and curtains are moved in an empty room only")
)

// Renew says what is in the room from the next check on: its devices, in the order of the room file, and of them the
// sensors that see people, by id.
func (c *Checker) Renew(all []Device, presence []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.devices, c.presence = all, presence
}

// Sees reports whether the room has a sensor that sees people.
func (c *Checker) Sees() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.presence) > 0
}

// Run lets checks be started until ctx ends.
func (c *Checker) Run(ctx context.Context) error {
	c.mu.Lock()
	c.ctx = ctx
	c.mu.Unlock()
	<-ctx.Done()
	c.worker.Wait()
	return nil
}

// State returns how far the check has come, or the last one that was.
func (c *Checker) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.state
	s.Found = slices.Clone(s.Found)
	return s
}

// Empty reports whether nothing speaks against the room being empty: no sensor sees anybody, and no
// meeting has it. A sensor that does not answer has not said that it is.
func (c *Checker) Empty() bool {
	c.mu.Lock()
	presence := c.presence // replaced, never changed
	c.mu.Unlock()
	for _, id := range presence {
		p, _ := c.Room.Get(id, "presence")
		if p.Quality != devices.Reported || p.Value.Float() != 0 || p.Value.Bool() {
			return false
		}
	}
	return c.Busy == nil || !c.Busy()
}

// Start starts a check. Exercise moves lights and curtains; the caller has a person's word that the
// room is empty.
func (c *Checker) Start(exercise bool, by string) error {
	if exercise && !c.Empty() {
		return ErrPeople
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.ctx == nil || c.ctx.Err() != nil:
		return ErrStopping
	case c.state.Running:
		return ErrRunning
	}
	c.state = State{Running: true, Exercise: exercise, By: by, Started: time.Now(), Of: len(c.devices)}
	ctx, all := c.ctx, c.devices
	c.worker.Go(func() { c.check(ctx, all, exercise, by) })
	return nil
}

func (c *Checker) check(ctx context.Context, all []Device, exercise bool, by string) {
	fed := make(map[string]bool)
	for _, d := range c.Room.State().Devices {
		fed[d.Device] = d.Fed
	}
	for _, d := range all {
		f := meeting.Found{Device: d.ID, Result: "unfed"}
		if fed[d.ID] {
			f = c.one(ctx, d, exercise, by)
		}
		c.mu.Lock()
		c.state.Found = append(c.state.Found, f)
		c.mu.Unlock()
	}
	found := c.State().Found
	if c.Done != nil && ctx.Err() == nil {
		found = c.Done(found, by)
	}
	c.mu.Lock()
	c.state.Running, c.state.Ended, c.state.Found = false, time.Now(), found
	c.mu.Unlock()
}

// one asks one device, and moves it where that is wanted.
func (c *Checker) one(ctx context.Context, d Device, exercise bool, by string) meeting.Found {
	asked, cancel := context.WithTimeout(ctx, askTime)
	err := c.Room.Refresh(asked, d.ID)
	cancel()
	if err != nil {
		o := devices.OutcomeOf(err)
		return meeting.Found{Device: d.ID, Result: "failed", Reason: o.Reason, Detail: o.Detail}
	}
	if p, ok := c.Room.Get(d.ID, "fault"); ok && p.Quality == devices.Reported && p.Value.String() != "" {
		text := p.Value.String()
		return meeting.Found{Device: d.ID, Result: "failed", Reason: devices.Phrase{ZH: "设备报告故障：" + text, EN: "It reports a fault: " + text}}
	}
	f := meeting.Found{Device: d.ID, Result: "ok"}
	if exercise {
		c.exercise(ctx, d, by, &f)
	}
	return f
}

// exercise moves a light or a curtain away from where it is and back. What is not known cannot be put
// back, so it is left alone.
func (c *Checker) exercise(ctx context.Context, d Device, by string, f *meeting.Found) {
	property, other := c.elsewhere(d)
	if property == "" {
		return
	}
	before, _ := c.Room.Get(d.ID, property)
	ctx, cancel := context.WithTimeout(ctx, moveTime)
	defer cancel()
	f.Moved = true
	for _, v := range []devices.Value{other, before.Value} {
		// The way back is tried whatever became of the way there.
		if o := c.send(ctx, d.ID, property, v, by); !o.OK() && f.Result == "ok" {
			f.Result, f.Reason, f.Detail = "failed", o.Reason, o.Detail
		}
	}
}

func (c *Checker) send(ctx context.Context, device, property string, v devices.Value, by string) devices.Outcome {
	o, err := c.Room.Do(ctx, room.Command{Device: device, Property: property, Value: v, By: journal.By{Via: "check", Name: by}})
	if err != nil {
		return devices.OutcomeOf(err)
	}
	if o.Result != devices.Accepted {
		return o
	}
	err = c.Room.Await(ctx, func() bool {
		p, _ := c.Room.Get(device, property)
		return p.Value == v
	})
	if err != nil {
		return devices.Outcome{Result: devices.Failed, Reason: devices.Phrase{ZH: "设备没有到位", EN: "It did not get there"}, Detail: property + " " + v.String()}
	}
	return o
}

// nudge is how far a curtain is moved, in percent of its height.
const nudge = 10

// elsewhere says which property of a device is moved, and to what.
func (c *Checker) elsewhere(d Device) (property string, to devices.Value) {
	known := func(name string) (devices.Value, bool) {
		p, ok := c.Room.Get(d.ID, name)
		return p.Value, ok && !p.Value.IsZero() && (p.Quality == devices.Reported || p.Quality == devices.Assumed)
	}
	switch d.Kind {
	case "light":
		if v, ok := known("power"); ok {
			return "power", devices.Bool(!v.Bool())
		}
	case "dimmer":
		v, ok := known("level")
		if !ok {
			return "", devices.Value{}
		}
		for _, p := range c.Room.Properties(d.ID) {
			for _, o := range slices.Backward(p.Options) {
				if p.Name == "level" && !o.State && o.Value != v.String() {
					return "level", devices.Word(o.Value)
				}
			}
		}
	case "curtain":
		if v, ok := known("position"); ok && v.Int() >= nudge {
			return "position", devices.Int(v.Int() - nudge)
		} else if ok {
			return "position", devices.Int(v.Int() + nudge)
		}
	}
	return "", devices.Value{}
}
