// Package zigbee2mqtt simulates Zigbee2MQTT and the equipment in its mesh: states as objects, set and get,
// availability and the state of the bridge, as its guide has them.
package zigbee2mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

const (
	travelTime = 20 * time.Second
	tellEvery  = time.Second // while a cover moves
	lateTime   = 800 * time.Millisecond
	full       = 254
)

// Mesh is all equipment behind one bridge.
type Mesh struct {
	base  string
	scale func(time.Duration) time.Duration

	mu      sync.Mutex
	things  map[string]*thing // by friendly name
	parts   map[string]part   // by the id of the room file
	fault   string
	visitor *sim.Visitor
	ctx     context.Context //nolint:containedctx // the stage's: a cover tells its way until then
}

// thing is one piece of equipment.
type thing struct {
	name   string
	state  map[string]any
	motor  *sim.Motor
	motion string // the key that says what the motor does
	readonly,
	unread bool // it cannot be asked
	telling bool
}

// part is what a device of the room file is of a thing.
type part struct {
	thing *thing
	kind  string
	key   string
}

// New makes the equipment of a line.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	m := &Mesh{base: "zigbee2mqtt", scale: o.Scale, things: make(map[string]*thing), parts: make(map[string]part)}
	for _, d := range devices {
		name := text(d.With, "name", "")
		if name == "" {
			return nil, fmt.Errorf("%s: no name", d.ID)
		}
		m.base = text(d.With, "base", m.base)
		t := m.things[name]
		if t == nil {
			t = &thing{name: name, state: map[string]any{"linkquality": 120}}
			m.things[name] = t
		}
		if get, ok := d.With["get"].(bool); ok {
			t.unread = !get
		}
		p := part{thing: t, kind: strings.TrimPrefix(d.Driver, "zigbee-")}
		switch p.kind {
		case "switch":
			p.key = text(d.With, "property", "state")
			t.state[p.key] = "OFF"
		case "dimmer":
			t.state["state"], t.state["brightness"] = "OFF", full
		case "cover":
			t.motor, t.motion = &sim.Motor{Full: o.Scale(travelTime)}, text(d.With, "motion", "")
			_, asked := d.With["get"]
			t.unread = !asked || t.unread
			t.place()
		case "sensor":
			p.key, t.unread, t.readonly = text(d.With, "value", "temperature"), true, true
			t.state[p.key] = any(21.5)
		}
		m.parts[d.ID] = p
	}
	return m, nil
}

func text(with map[string]any, key, otherwise string) string {
	if s, ok := with[key].(string); ok && s != "" {
		return s
	}
	return otherwise
}

// place writes where the motor is into the state.
func (t *thing) place() {
	percent := t.motor.Percent()
	t.state["position"], t.state["state"] = percent, map[bool]string{true: "OPEN", false: "CLOSE"}[percent > 0]
	if t.motion != "" {
		t.state[t.motion] = map[string]string{"up": "UP", "stop": "STOP", "down": "DOWN"}[t.motor.Motion()]
	}
}

// Join implements sim.Guest: the bridge is one client for everything behind it.
func (m *Mesh) Join(ctx context.Context, broker string) error {
	m.mu.Lock()
	m.ctx = ctx
	m.mu.Unlock()
	visitor, err := sim.Arrive(ctx, broker, sim.Visit{
		ID: m.base + "-bridge", Will: [2]string{m.base + "/bridge/state", `{"state":"offline"}`}, Topics: []string{m.base + "/#"},
		Hear: m.hear, Arrive: m.greet,
	})
	if err != nil {
		return err //nolint:wrapcheck // says who
	}
	m.mu.Lock()
	m.visitor = visitor
	m.mu.Unlock()
	m.greet()
	return nil
}

// greet says that the bridge and its equipment are there, and the states that it has cached.
func (m *Mesh) greet() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.visitor == nil {
		return
	}
	m.visitor.Say(m.base+"/bridge/state", `{"state":"online"}`, true)
	for i, name := range slices.Sorted(maps.Keys(m.things)) {
		m.visitor.Say(m.base+"/"+name+"/availability", []string{"online", `{"state":"online"}`}[i%2], true) // both shapes are in use
		m.tell(m.things[name])
	}
}

// hear takes a message on any of the bridge's topics.
func (m *Mesh) hear(topic string, payload []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	rest := strings.TrimPrefix(topic, m.base+"/")
	name, set := strings.CutSuffix(rest, "/set")
	if !set {
		var get bool
		if name, get = strings.CutSuffix(rest, "/get"); !get {
			return
		}
	}
	t := m.things[name]
	var object map[string]any
	if t == nil || m.fault == "silence" || m.fault == "nak" || json.Unmarshal(payload, &object) != nil {
		return // an error is logged by the bridge, and told to nobody
	}
	switch {
	case !set && !t.unread:
		m.tell(t)
	case set && !t.readonly:
		m.set(t, object)
	}
}

func (m *Mesh) set(t *thing, object map[string]any) {
	if t.motor != nil {
		switch object["state"] {
		case "OPEN":
			t.motor.GoTo(100)
		case "CLOSE":
			t.motor.GoTo(0)
		case "STOP":
			t.motor.Stop()
		}
		if percent, ok := object["position"].(float64); ok {
			t.motor.GoTo(min(100, max(0, percent)))
		}
		m.tell(t)
		if _, way := t.motor.Place(); way != 0 && !t.telling {
			t.telling = true
			go m.tellWay(m.ctx, t)
		}
		return
	}
	for key, v := range object {
		if _, has := t.state[key]; !has {
			continue
		}
		if v == "TOGGLE" {
			v = map[bool]string{true: "OFF", false: "ON"}[t.state[key] == "ON"]
		}
		t.state[key] = v
	}
	m.tell(t)
}

// tellWay says where a cover is until it stands.
func (m *Mesh) tellWay(ctx context.Context, t *thing) {
	tick := time.NewTicker(max(m.scale(tellEvery), 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		m.mu.Lock()
		m.tell(t)
		_, way := t.motor.Place()
		t.telling = way != 0
		m.mu.Unlock()
		if way == 0 {
			return
		}
	}
}

// tell publishes a state, as the fault lets it. What cannot be asked is retained. The caller holds mu.
func (m *Mesh) tell(t *thing) {
	if t.motor != nil {
		t.place()
	}
	b, err := json.Marshal(t.state)
	visitor := m.visitor
	if err != nil || visitor == nil || m.fault == "offline" {
		return
	}
	topic := m.base + "/" + t.name
	switch m.fault {
	case "late":
		time.AfterFunc(lateTime, func() { visitor.Say(topic, string(b), t.unread) })
		return
	case "twice":
		visitor.Say(topic, string(b), t.unread)
	}
	visitor.Say(topic, string(b), t.unread)
}

// Truth implements sim.Equipment.
func (m *Mesh) Truth() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	truth := make(map[string]string)
	for id, p := range m.parts {
		switch p.kind {
		case "switch":
			truth[id+".power"] = strconv.FormatBool(p.thing.state[p.key] == "ON")
		case "dimmer":
			truth[id+".percent"] = "0"
			if p.thing.state["state"] == "ON" {
				n, _ := strconv.ParseFloat(fmt.Sprint(p.thing.state["brightness"]), 64)
				truth[id+".percent"] = strconv.Itoa(int(n*100/full + 0.5))
			}
		case "cover":
			truth[id+".motion"], truth[id+".position"] = p.thing.motor.Motion(), strconv.Itoa(p.thing.motor.Percent())
		case "sensor":
			truth[id+".value"] = fmt.Sprint(p.thing.state[p.key])
		}
	}
	return truth
}

// Nudge implements sim.Equipment: somebody presses a button at the equipment, or the weather changes.
func (m *Mesh) Nudge(device, property, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.parts[device]
	if !ok {
		return fmt.Errorf("no device %q", device)
	}
	t := p.thing
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case p.kind == "switch" && property == "power":
		t.state[p.key] = map[bool]string{true: "ON", false: "OFF"}[value == "true"]
	case p.kind == "dimmer" && property == "percent" && err == nil:
		t.state["state"] = map[bool]string{true: "ON", false: "OFF"}[n > 0]
		if n > 0 {
			t.state["brightness"] = int(n*full/100 + 0.5)
		}
	case p.kind == "cover" && property == "position" && err == nil:
		t.motor.Jump(n)
	case p.kind == "sensor" && property == "value" && err == nil:
		t.state[p.key] = n
	default:
		return fmt.Errorf("nobody can nudge %s.%s to %q", device, property, value)
	}
	m.tell(t)
	return nil
}

// Fault implements sim.Equipment:
//
//	silence    the equipment does not answer
//	nak        it takes no command; the bridge keeps that to itself
//	late       states come late
//	twice      everything arrives twice, as QoS 1 allows
//	offline    the bridge loses its power; healing brings it back
func (m *Mesh) Fault(name string) error {
	if !slices.Contains([]string{"", "silence", "nak", "late", "twice", "offline"}, name) {
		return fmt.Errorf("fault %q is not known: Zigbee equipment takes silence, nak, late, twice, offline", name)
	}
	m.mu.Lock()
	before, visitor := m.fault, m.visitor
	m.fault = name
	m.mu.Unlock()
	switch {
	case visitor == nil:
	case name == "offline" && before != "offline":
		visitor.Vanish()
	case name != "offline" && before == "offline":
		return visitor.Return()
	}
	return nil
}
