// Package room is the one place where a room's state is kept and its equipment is commanded.
//
// There is one way round. Whoever wants something - a finger, MQTT, a scene, a rule - calls Do.
// Do checks the value, asks the guards, hands the command to the equipment and says what became of
// it. Only equipment reports state, through the Reporter that it was bound to; every change gets
// the next revision and goes to every subscriber. A subscriber gets the whole state and then what
// has changed, atomically; one that is slow gets the latest, never a backlog.
//
// All methods of Room may be called from any goroutine.
package room

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/journal"
)

// commandTime bounds a command: nobody waits longer for an outcome.
const commandTime = 10 * time.Second

// refreshTime bounds how long a guard waits for equipment to say how it is.
const refreshTime = 3 * time.Second

// Member is a device as the room knows it.
type Member struct {
	ID     string
	Mains  string // the circuit that feeds it, "" for none
	Device devices.Device
	// Properties are those of the device with the words that people are shown now; nil for those that
	// the device was made with.
	Properties []devices.Property
}

func (m Member) properties() []devices.Property {
	if m.Properties != nil {
		return m.Properties
	}
	return m.Device.Properties()
}

// Config is what a room is made of.
type Config struct {
	Members []Member
	Guards  []Guard
	Sources []Source
	Journal *journal.Journal
	Log     *slog.Logger
}

// Room keeps the state and carries out commands.
type Room struct {
	log     *slog.Logger
	journal *journal.Journal
	lives   lives

	// What the room is made of is guarded by the state's mu; see Replace. The slices are never changed
	// in place.
	members map[string]*member
	order   []*member
	guards  []*Guard
	hold    *Hold // guarded by the state's mu

	state store
}

// member is a device at work.
type member struct {
	Member
	reach *cell
	cells map[string]*cell
	feeds []*member // the devices whose mains it switches
	gate  *gate
	lifetime

	told uint64 // the newest wish for it; of the state's mu
}

// New makes a room and binds its devices. It fails where two devices have one id, or where a
// guard, source or mains names something that is not there; a checked room file never does.
func New(c Config) (*Room, error) {
	r := &Room{log: c.Log, journal: c.Journal, members: make(map[string]*member)}
	r.state.init()
	p, err := r.plan(c)
	if err != nil {
		return nil, err
	}
	r.remember(p.members, c.Journal.Readings())
	r.adopt(p)
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.state.journal = c.Journal // from now on what is known is kept
	return r, nil
}

// NotFound says that a device or property is not in the room, and what is.
type NotFound struct{ What, Known string }

func (e *NotFound) Error() string { return e.What + "; there is " + e.Known }

// BadValue says that a property cannot take a value, and what it takes.
type BadValue struct{ Err error }

func (e *BadValue) Error() string { return e.Err.Error() }

// Unwrap returns what Property.Check said.
func (e *BadValue) Unwrap() error { return e.Err }

// Lookup finds a property; the error is a *NotFound that lists what there is.
func (r *Room) Lookup(device, property string) (devices.Device, devices.Property, error) {
	m, p, err := r.find(device, property)
	if err != nil {
		return nil, devices.Property{}, err
	}
	return m.Device, p, nil
}

func (r *Room) find(device, property string) (*member, devices.Property, error) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return lookup(r.members, r.order, device, property)
}

func lookup(members map[string]*member, order []*member, device, property string) (*member, devices.Property, error) {
	m, ok := members[device]
	if !ok {
		return nil, devices.Property{}, &NotFound{fmt.Sprintf("no device %q", clip(device)), strings.Join(ids(order), ", ")}
	}
	c, ok := m.cells[property]
	if !ok {
		names := make([]string, 0, len(m.cells))
		for name := range m.cells {
			names = append(names, name)
		}
		sort.Strings(names)
		return nil, devices.Property{}, &NotFound{fmt.Sprintf("device %s has no property %q", device, clip(property)), strings.Join(names, ", ")}
	}
	return m, c.property, nil
}

// member returns a device as it is now; nil where there is none.
func (r *Room) member(id string) *member {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return r.members[id]
}

// Devices lists the ids of all devices in the order of the room file, sources last.
func (r *Room) Devices() []string {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return ids(r.order)
}

func ids(order []*member) []string {
	all := make([]string, len(order))
	for i, m := range order {
		all[i] = m.ID
	}
	return all
}

// Properties lists what a device has; nil where there is no such device.
func (r *Room) Properties(device string) []devices.Property {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	m, ok := r.members[device]
	if !ok {
		return nil
	}
	return m.properties()
}

// clip bounds what a stranger wrote before it is repeated in an error.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}

// ViaEmergency is how the emergency asks: before everybody else on a line, and as bound by guards as
// everybody else.
const ViaEmergency = "emergency"

// Asked reports whether somebody from outside asks, and not something that the room does by itself.
func Asked(by journal.By) bool { return by.Via == "panel" || by.Via == "http" || by.Via == "mqtt" }

// Command is one wish.
type Command struct {
	Device   string
	Property string
	Value    any // as it came: JSON, YAML or text; checked against the property
	By       journal.By
}

// Do carries out a command and says what became of it, in bounded time, when the journal has it safe
// or could not have it so within its own bound. The error is a *NotFound
// or a *BadValue and means that nothing was tried; everything that happens at the equipment is an
// outcome.
func (r *Room) Do(ctx context.Context, c Command) (devices.Outcome, error) {
	m, property, err := r.find(c.Device, c.Property)
	if err != nil {
		return devices.Outcome{}, err
	}
	value, err := property.Check(c.Value)
	if err != nil {
		return devices.Outcome{}, &BadValue{fmt.Errorf("%s: %w", c.Device, err)}
	}
	if Asked(c.By) {
		r.Touch()
	}
	outcome := devices.OutcomeOf(r.perform(ctx, m, property, value, c.By))
	outcome.Lasting = outcome.Lasting && !r.isComing(m)
	r.journal.Await()
	return outcome, nil
}

// isComing reports whether the mains of a device is being switched on: a sequencer takes its time, and who
// waits for that does not wait for nothing.
func (r *Room) isComing(m *member) bool {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	for m = r.members[m.Mains]; m != nil; m = r.members[m.Mains] {
		if c := m.cells["power"]; c != nil && c.state.Target.Bool() {
			return true
		}
	}
	return false
}

// perform carries out a command and tells the journal what became of it.
func (r *Room) perform(ctx context.Context, m *member, property devices.Property, value devices.Value, by journal.By) error {
	started := time.Now()
	err := r.carryOut(ctx, m, property, value, by)
	outcome := devices.OutcomeOf(err)
	r.state.countCommand(by, outcome.Result, time.Since(started))
	r.journal.Record(journal.Entry{
		Time: started, By: by, Device: m.ID, Property: property.Name, Value: value.String(),
		Outcome: string(outcome.Result), Detail: outcome.Detail, Took: time.Since(started),
	})
	if !outcome.OK() {
		r.log.Info("command not done", "device", m.ID, "property", property.Name, "value", value.String(),
			"by", by.String(), "outcome", string(outcome.Result), "detail", outcome.Detail)
	}
	return err
}

func (r *Room) carryOut(ctx context.Context, m *member, property devices.Property, value devices.Value, by journal.By) error {
	if err := r.passHold(m, property.Name, value); err != nil {
		return err
	}
	leave, err := r.pass(ctx, m, property, value)
	if err != nil {
		return err
	}
	defer leave()
	limit := commandTime
	if slow, ok := m.Device.(devices.Slow); ok {
		limit = max(limit, slow.Patience(property.Name))
	}
	urgency := line.Person
	if by.Via == ViaEmergency {
		urgency = line.Halt
	}
	ctx, cancel := context.WithTimeout(line.WithUrgency(withBy(ctx, by), urgency), limit)
	defer cancel()
	if property.Momentary {
		return m.Device.Set(ctx, property.Name, value) //nolint:wrapcheck // becomes the outcome
	}
	c := m.cells[property.Name]
	mine := r.state.target(c, value)
	r.giveUp(m, c, mine)
	err = m.Device.Set(ctx, property.Name, value)
	if errors.Is(err, devices.ErrAccepted) && !r.isOvertaken(m, c, mine) {
		r.state.promise(m, c, mine)
		if choice, ok := m.Device.(*chooser); ok {
			choice.keep() // a part may have been given up before the whole was accepted
		}
	} else {
		r.state.reached(c, mine)
	}
	return err //nolint:wrapcheck // becomes the outcome
}

// giveUp forgets where a device was on its way to when it is now told something else: a curtain that
// is stopped does not go to the height that was asked for before.
func (r *Room) giveUp(m *member, now *cell, wish uint64) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	m.told = max(m.told, wish)
	for _, c := range m.cells {
		if c != now && c.promised && c.property.Continuous {
			r.state.forget(c)
		}
	}
}

// isOvertaken reports whether a device that has accepted where to go has been told something else
// meanwhile: two people may be at one curtain.
func (r *Room) isOvertaken(m *member, c *cell, wish uint64) bool {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	return c.property.Continuous && m.told > wish
}

type byKey struct{}

func withBy(ctx context.Context, by journal.By) context.Context {
	return context.WithValue(ctx, byKey{}, by)
}

// byOf returns who asked for what ctx carries out.
func byOf(ctx context.Context) journal.By {
	by, _ := ctx.Value(byKey{}).(journal.By)
	return by
}

// Refresh has a device asked how it is, now, and returns why it did not answer. The error is a *NotFound
// where there is no such device. It changes nothing.
func (r *Room) Refresh(ctx context.Context, device string) error {
	m, ok := r.members[device]
	if !ok {
		return &NotFound{fmt.Sprintf("no device %q", clip(device)), strings.Join(r.Devices(), ", ")}
	}
	return m.Device.Refresh(line.WithUrgency(ctx, line.Person)) //nolint:wrapcheck // names itself
}
