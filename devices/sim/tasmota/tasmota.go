// Package tasmota simulates devices that run Tasmota: relays, a lamp, shutters and sensors behind one topic,
// as the firmware's documentation has their messages.
package tasmota

import (
	"context"
	"encoding/json"
	"errors"
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
	tellEvery  = time.Second // while a shutter moves
	lateTime   = 800 * time.Millisecond
)

// House is all devices with Tasmota on one broker.
type House struct {
	scale func(time.Duration) time.Duration

	mu    sync.Mutex
	units map[string]*unit // by topic
	parts map[string]part  // by the id of the room file
	fault string
	ctx   context.Context //nolint:containedctx // the stage's: a shutter tells its way until then
}

// unit is one device: one firmware, one topic.
type unit struct {
	topic, pattern string
	relays         map[int]bool
	percent        int // of the lamp
	lamp           int // its relay; 0 for none
	shutters       map[int]*sim.Motor
	telling        map[int]bool // a shutter that is telling its way
	sensors        map[string]any
	command        string // the last
	visitor        *sim.Visitor
}

// part is what a device of the room file is of a unit.
type part struct {
	unit *unit
	kind string // switch, dimmer, shutter, sensor
	n    int
	path string
}

// New makes the devices of a line.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	h := &House{scale: o.Scale, units: make(map[string]*unit), parts: make(map[string]part)}
	for _, d := range devices {
		topic, _ := d.With["topic"].(string)
		if topic == "" {
			return nil, fmt.Errorf("%s: no topic", d.ID)
		}
		pattern, _ := d.With["full_topic"].(string)
		if pattern == "" {
			pattern = "%prefix%/%topic%/"
		}
		u := h.units[topic]
		if u == nil {
			u = &unit{topic: topic, pattern: pattern, relays: map[int]bool{}, shutters: map[int]*sim.Motor{}, telling: map[int]bool{}, sensors: map[string]any{}, percent: 100, command: "POWER"}
			h.units[topic] = u
		}
		p := part{unit: u, kind: strings.TrimPrefix(d.Driver, "tasmota-"), n: number(d.With)}
		switch p.kind {
		case "switch":
			u.relays[p.n] = false
		case "dimmer":
			u.relays[p.n], u.lamp = false, p.n
		case "shutter":
			u.shutters[p.n] = &sim.Motor{Full: o.Scale(travelTime)}
		case "sensor":
			p.path, _ = d.With["value"].(string)
			u.sense(p.path, 21.5)
		}
		h.parts[d.ID] = p
	}
	return h, nil
}

func number(with map[string]any) int {
	for _, key := range []string{"relay", "shutter"} {
		if n, err := strconv.Atoi(fmt.Sprint(with[key])); err == nil {
			return n
		}
	}
	return 1
}

// under is a topic of the unit.
func (u *unit) under(prefix, what string) string {
	return strings.NewReplacer("%prefix%", prefix, "%topic%", u.topic).Replace(u.pattern) + what
}

// sense sets what a sensor shows, at a path such as AM2301.Temperature.
func (u *unit) sense(path string, value any) {
	at := u.sensors
	keys := strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		next, ok := at[key].(map[string]any)
		if !ok {
			next = make(map[string]any)
			at[key] = next
		}
		at = next
	}
	at[keys[len(keys)-1]] = value
}

// Join implements sim.Guest.
func (h *House) Join(ctx context.Context, broker string) error {
	h.mu.Lock()
	h.ctx = ctx
	units := slices.Collect(maps.Values(h.units))
	h.mu.Unlock()
	for _, u := range units {
		visitor, err := sim.Arrive(ctx, broker, sim.Visit{
			ID: u.topic, Will: [2]string{u.under("tele", "LWT"), "Offline"}, Topics: []string{u.under("cmnd", "+")},
			Hear: func(topic string, payload []byte) {
				h.obey(u, strings.TrimPrefix(topic, u.under("cmnd", "")), string(payload))
			},
			Arrive: func() { h.greet(u) },
		})
		if err != nil {
			return err //nolint:wrapcheck // says who
		}
		h.mu.Lock()
		u.visitor = visitor
		h.mu.Unlock()
		h.greet(u)
	}
	return nil
}

func (h *House) greet(u *unit) {
	h.mu.Lock()
	v := u.visitor
	h.mu.Unlock()
	if v != nil {
		v.Say(u.under("tele", "LWT"), "Online", true)
	}
}

// obey carries out one command.
func (h *House) obey(u *unit, command, payload string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	u.command = strings.ToUpper(command)
	name := strings.TrimRight(command, "0123456789")
	n, err := strconv.Atoi(strings.TrimPrefix(command, name))
	if err != nil {
		n = 1
	}
	switch h.fault {
	case "silence":
		return
	case "nak":
		h.say(u, "RESULT", `{"Command":"Error"}`)
		return
	}
	_, isRelay := u.relays[n]
	motor := u.shutters[n]
	switch upper := strings.ToUpper(name); {
	case upper == "POWER" && isRelay:
		h.power(u, n, strings.ToUpper(payload))
	case upper == "DIMMER" && u.lamp > 0:
		h.dim(u, payload)
	case upper == "STATUS" && (payload == "10" || payload == "8"):
		h.object(u, "STATUS"+payload, map[string]any{"StatusSNS": u.sensorStatus()})
	case upper == "STATUS" && payload == "11":
		h.object(u, "STATUS11", map[string]any{"StatusSTS": u.state()})
	case strings.HasPrefix(upper, "SHUTTER") && motor != nil:
		h.shutter(u, n, strings.TrimPrefix(upper, "SHUTTER"), payload)
	default:
		h.say(u, "RESULT", `{"Command":"Unknown"}`)
	}
}

// clock is how the firmware writes the time.
func clock() string { return time.Now().Format("2006-01-02T15:04:05") }

// sensorStatus is what tele/SENSOR and Status 10 show.
func (u *unit) sensorStatus() map[string]any {
	shown := maps.Clone(u.sensors)
	shown["Time"] = clock()
	for n, motor := range u.shutters {
		shown["Shutter"+strconv.Itoa(n)] = shutterState(motor)
	}
	return shown
}

// state is what tele/STATE and Status 11 show.
func (u *unit) state() map[string]any {
	shown := map[string]any{"Time": clock(), "Uptime": "0T00:10:11", "Sleep": 50}
	for n, on := range u.relays {
		shown[u.relayName(n)] = onOff(on)
	}
	if u.lamp > 0 {
		shown[dimmer] = u.percent
	}
	return shown
}

func shutterState(motor *sim.Motor) map[string]any {
	_, way := motor.Place()
	return map[string]any{"Position": motor.Percent(), "Direction": way, "Target": motor.Target(), "Tilt": 0}
}

// relayName is how a relay is called: the only one has no number.
func (u *unit) relayName(n int) string {
	if len(u.relays) == 1 && n == 1 {
		return "POWER"
	}
	return "POWER" + strconv.Itoa(n)
}

func onOff(on bool) string { return map[bool]string{true: "ON", false: "OFF"}[on] }

func (h *House) power(u *unit, n int, payload string) {
	switch payload {
	case "ON", "1":
		u.relays[n] = true
	case "OFF", "0":
		u.relays[n] = false
	case "TOGGLE", "2":
		u.relays[n] = !u.relays[n]
	}
	h.tellPower(u, n)
}

// tellPower says a relay's state on both topics.
func (h *House) tellPower(u *unit, n int) {
	name := u.relayName(n)
	object := map[string]any{name: onOff(u.relays[n])}
	if n == u.lamp {
		object[dimmer] = u.percent
	}
	h.object(u, "RESULT", object)
	h.say(u, name, onOff(u.relays[n]))
}

const dimmer = "Dimmer"

func (h *House) dim(u *unit, payload string) {
	if percent, err := strconv.Atoi(payload); err == nil {
		u.relays[u.lamp] = percent > 0
		if percent > 0 {
			u.percent = min(percent, 100)
		}
		h.say(u, u.relayName(u.lamp), onOff(percent > 0))
	}
	h.object(u, "RESULT", map[string]any{u.relayName(u.lamp): onOff(u.relays[u.lamp]), dimmer: u.percent})
}

func (h *House) shutter(u *unit, n int, command, payload string) {
	motor := u.shutters[n]
	switch command {
	case "OPEN":
		motor.GoTo(100)
	case "CLOSE":
		motor.GoTo(0)
	case "STOP":
		if _, way := motor.Place(); way == 0 {
			return // it has nothing to say
		}
		motor.Stop()
	case "POSITION":
		if percent, err := strconv.Atoi(payload); err == nil {
			motor.GoTo(float64(min(100, max(0, percent))))
		}
	}
	h.tellShutter(u, n)
	if _, way := motor.Place(); way != 0 && !u.telling[n] {
		u.telling[n] = true
		go h.tellWay(h.ctx, u, n)
	}
}

// tellWay says where a shutter is until it stands.
func (h *House) tellWay(ctx context.Context, u *unit, n int) {
	tick := time.NewTicker(max(h.scale(tellEvery), 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		h.mu.Lock()
		_, way := u.shutters[n].Place()
		h.tellShutter(u, n)
		u.telling[n] = way != 0
		h.mu.Unlock()
		if way == 0 {
			return
		}
	}
}

func (h *House) tellShutter(u *unit, n int) {
	h.object(u, "RESULT", map[string]any{"Shutter" + strconv.Itoa(n): shutterState(u.shutters[n])})
}

func (h *House) object(u *unit, topic string, v map[string]any) {
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	h.say(u, topic, string(b))
}

// say publishes on a stat topic, as the fault lets it. The caller holds mu.
func (h *House) say(u *unit, what, payload string) {
	visitor := u.visitor
	if visitor == nil || h.fault == "offline" {
		return
	}
	topic := u.under("stat", what)
	if h.fault == "setoption4" && what == "RESULT" {
		topic = u.under("stat", u.command)
	}
	switch h.fault {
	case "late":
		time.AfterFunc(lateTime, func() { visitor.Say(topic, payload, false) })
		return
	case "twice":
		visitor.Say(topic, payload, false)
	}
	visitor.Say(topic, payload, h.fault == "retain")
}

// Truth implements sim.Equipment.
func (h *House) Truth() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	truth := make(map[string]string)
	for id, p := range h.parts {
		switch p.kind {
		case "switch":
			truth[id+".power"] = strconv.FormatBool(p.unit.relays[p.n])
		case "dimmer":
			truth[id+".percent"] = "0"
			if p.unit.relays[p.n] {
				truth[id+".percent"] = strconv.Itoa(p.unit.percent)
			}
		case "shutter":
			motor := p.unit.shutters[p.n]
			truth[id+".motion"], truth[id+".position"] = motor.Motion(), strconv.Itoa(motor.Percent())
		case "sensor":
			at := any(p.unit.sensors)
			for key := range strings.SplitSeq(p.path, ".") {
				object, _ := at.(map[string]any)
				at = object[key]
			}
			truth[id+".value"] = fmt.Sprint(at)
		}
	}
	return truth
}

// Nudge implements sim.Equipment: somebody presses the button on the device, or the weather changes.
func (h *House) Nudge(device, property, value string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.parts[device]
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case !ok:
		return fmt.Errorf("no device %q", device)
	case p.kind == "switch" && property == "power":
		p.unit.relays[p.n] = value == "true"
		h.tellPower(p.unit, p.n)
	case p.kind == "dimmer" && property == "percent" && err == nil:
		p.unit.relays[p.n] = n > 0
		if n > 0 {
			p.unit.percent = int(n)
		}
		h.tellPower(p.unit, p.n)
	case p.kind == "shutter" && property == "position" && err == nil:
		p.unit.shutters[p.n].Jump(n)
		h.tellShutter(p.unit, p.n)
	case p.kind == "sensor" && property == "value" && err == nil:
		p.unit.sense(p.path, n)
	default:
		return fmt.Errorf("nobody can nudge %s.%s to %q", device, property, value)
	}
	return nil
}

// Fault implements sim.Equipment:
//
//	silence      the devices hear and say nothing
//	nak          they refuse every command
//	late         they answer late
//	twice        everything arrives twice, as QoS 1 allows
//	setoption4   answers come on a topic with another name
//	retain       states are retained
//	offline      the devices lose their power; healing brings them back
func (h *House) Fault(name string) error {
	if !slices.Contains([]string{"", "silence", "nak", "late", "twice", "setoption4", "retain", "offline"}, name) {
		return fmt.Errorf("fault %q is not known: devices with Tasmota take silence, nak, late, twice, setoption4, retain, offline", name)
	}
	h.mu.Lock()
	before := h.fault
	h.fault = name
	units := slices.Collect(maps.Values(h.units))
	h.mu.Unlock()
	var faults []error
	for _, u := range units {
		switch {
		case u.visitor == nil:
		case name == "offline" && before != "offline":
			u.visitor.Vanish()
		case name != "offline" && before == "offline":
			faults = append(faults, u.visitor.Return())
		}
	}
	return errors.Join(faults...)
}
