// Package shelly simulates Shelly devices of the second generation on a broker: switches, lights, covers and
// sensors behind JSON-RPC, as the API documentation has their frames.
package shelly

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
	lateTime   = 800 * time.Millisecond
)

// House is all Shelly devices on one broker.
type House struct {
	mu    sync.Mutex
	units map[string]*unit // by topic prefix
	parts map[string]part  // by the id of the room file
	fault string
}

// unit is one device.
type unit struct {
	prefix     string
	components map[string]*component // "switch:0"
	visitor    *sim.Visitor
}

// component is a switch, light, cover or sensor of a device.
type component struct {
	on         bool
	brightness int
	motor      *sim.Motor
	value      float64
}

// part is what a device of the room file is of a unit.
type part struct {
	unit *unit
	kind string
	name string // "switch:0"
}

// New makes the devices of a line.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	h := &House{units: make(map[string]*unit), parts: make(map[string]part)}
	for _, d := range devices {
		prefix, _ := d.With["topic_prefix"].(string)
		if prefix == "" {
			return nil, fmt.Errorf("%s: no topic_prefix", d.ID)
		}
		u := h.units[prefix]
		if u == nil {
			u = &unit{prefix: prefix, components: make(map[string]*component)}
			h.units[prefix] = u
		}
		kind := strings.TrimPrefix(d.Driver, "shelly-")
		if named, ok := d.With["component"].(string); ok {
			kind = named
		}
		id := 0
		if written, ok := d.With["id"]; ok {
			id, _ = strconv.Atoi(fmt.Sprint(written))
		}
		name := fmt.Sprintf("%s:%d", kind, id)
		u.components[name] = &component{brightness: 100, motor: &sim.Motor{Full: o.Scale(travelTime)}, value: 21.5}
		h.parts[d.ID] = part{u, kind, name}
	}
	return h, nil
}

// Join implements sim.Guest.
func (h *House) Join(ctx context.Context, broker string) error {
	h.mu.Lock()
	units := slices.Collect(maps.Values(h.units))
	h.mu.Unlock()
	for _, u := range units {
		visitor, err := sim.Arrive(ctx, broker, sim.Visit{
			ID: u.prefix, Will: [2]string{u.prefix + "/online", "false"}, Topics: []string{u.prefix + "/rpc"},
			Hear:   func(_ string, payload []byte) { h.obey(u, payload) },
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
		v.Say(u.prefix+"/online", "true", true)
	}
}

type frame struct {
	ID     json.RawMessage `json:"id"`
	Src    string          `json:"src"`
	Method string          `json:"method"`
	Params struct {
		ID         int      `json:"id"`
		On         *bool    `json:"on"`
		Brightness *int     `json:"brightness"`
		Pos        *float64 `json:"pos"`
	} `json:"params"`
}

// obey answers one request.
func (h *House) obey(u *unit, payload []byte) {
	var f frame
	if json.Unmarshal(payload, &f) != nil || len(f.ID) == 0 || f.Src == "" {
		return // without both there is nobody to answer
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fault == "silence" {
		return
	}
	namespace, method, _ := strings.Cut(f.Method, ".")
	name := fmt.Sprintf("%s:%d", strings.ToLower(namespace), f.Params.ID)
	c := u.components[name]
	answer := map[string]any{"id": f.ID, "src": u.prefix, "dst": f.Src}
	var result any
	code, message := 0, ""
	switch {
	case h.fault == "nak":
		code, message = -109, "not now"
	case c == nil:
		code, message = -105, fmt.Sprintf("Argument 'id', value %d not found!", f.Params.ID)
	default:
		result, code, message = h.do(u, name, c, method, f)
	}
	if code != 0 {
		answer["error"] = map[string]any{"code": code, "message": message}
	} else {
		answer["result"] = result
	}
	h.say(u, f.Src+"/rpc", answer)
}

// do carries out a method on a component.
func (h *House) do(u *unit, name string, c *component, method string, f frame) (result any, code int, message string) {
	kind, _, _ := strings.Cut(name, ":")
	switch {
	case method == "GetStatus":
		return h.status(name, c), 0, ""
	case method == "Set" && (kind == "switch" || kind == "light"):
		was := c.on
		if f.Params.Brightness != nil {
			if *f.Params.Brightness < 0 || *f.Params.Brightness > 100 {
				return nil, -103, "Argument 'brightness', value out of range!"
			}
			c.brightness = *f.Params.Brightness
		}
		if f.Params.On != nil {
			c.on = *f.Params.On
		}
		defer h.notify(u, name, c)
		if kind == "light" {
			return nil, 0, ""
		}
		return map[string]any{"was_on": was}, 0, ""
	case kind != "cover":
		return nil, 404, "No handler for " + f.Method
	case method == "GoToPosition" && h.fault == "uncalibrated":
		return nil, -109, "Cover is not calibrated!"
	case method == "GoToPosition" && f.Params.Pos != nil:
		c.motor.GoTo(*f.Params.Pos)
	case method == "Open":
		c.motor.GoTo(100)
	case method == "Close":
		c.motor.GoTo(0)
	case method == "Stop":
		c.motor.Stop()
	default:
		return nil, 404, "No handler for " + f.Method
	}
	h.notify(u, name, c)
	return nil, 0, ""
}

// status is the status of a component.
func (h *House) status(name string, c *component) map[string]any {
	kind, number, _ := strings.Cut(name, ":")
	id, _ := strconv.Atoi(number)
	switch kind {
	case "switch":
		return map[string]any{"id": id, "source": "MQTT", "output": c.on, "temperature": map[string]any{"tC": 41.2, "tF": 106.2}}
	case "light":
		return map[string]any{"id": id, "source": "MQTT", "output": c.on, "brightness": c.brightness}
	case "cover":
		state := map[string]string{"up": "opening", "down": "closing", "stop": "stopped"}[c.motor.Motion()]
		switch percent := c.motor.Percent(); {
		case state == "stopped" && percent == 100:
			state = "open"
		case state == "stopped" && percent == 0:
			state = "closed"
		}
		status := map[string]any{"id": id, "source": "MQTT", "state": state, "pos_control": h.fault != "uncalibrated", "current_pos": any(c.motor.Percent())}
		if h.fault == "uncalibrated" {
			status["current_pos"] = nil
		}
		return status
	case "input":
		return map[string]any{"id": id, "state": c.value != 0}
	}
	key := map[string]string{"temperature": "tC", "humidity": "rh", "illuminance": "lux"}[kind]
	return map[string]any{"id": id, key: c.value}
}

// notify tells everybody what has changed.
func (h *House) notify(u *unit, name string, c *component) {
	changed := h.status(name, c)
	for _, key := range []string{"temperature", "pos_control"} { // only what has changed
		delete(changed, key)
	}
	h.say(u, u.prefix+"/events/rpc", map[string]any{
		"src": u.prefix, "dst": u.prefix + "/events", "method": "NotifyStatus",
		"params": map[string]any{"ts": float64(time.Now().UnixMilli()) / 1000, name: changed},
	})
}

// say publishes, as the fault lets it. The caller holds mu.
func (h *House) say(u *unit, topic string, v map[string]any) {
	visitor := u.visitor
	b, err := json.Marshal(v)
	if err != nil || visitor == nil || h.fault == "offline" {
		return
	}
	switch h.fault {
	case "late":
		time.AfterFunc(lateTime, func() { visitor.Say(topic, string(b), false) })
		return
	case "twice":
		visitor.Say(topic, string(b), false)
	}
	visitor.Say(topic, string(b), false)
}

// Truth implements sim.Equipment.
func (h *House) Truth() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	truth := make(map[string]string)
	for id, p := range h.parts {
		c := p.unit.components[p.name]
		switch p.kind {
		case "switch":
			truth[id+".power"] = strconv.FormatBool(c.on)
		case "light":
			truth[id+".percent"] = "0"
			if c.on {
				truth[id+".percent"] = strconv.Itoa(c.brightness)
			}
		case "cover":
			truth[id+".motion"], truth[id+".position"] = c.motor.Motion(), strconv.Itoa(c.motor.Percent())
		default:
			truth[id+".value"] = strconv.FormatFloat(c.value, 'f', -1, 64)
		}
	}
	return truth
}

// Nudge implements sim.Equipment: somebody presses a button at the device, or the weather changes.
func (h *House) Nudge(device, property, value string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.parts[device]
	if !ok {
		return fmt.Errorf("no device %q", device)
	}
	c := p.unit.components[p.name]
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case p.kind == "switch" && property == "power":
		c.on = value == "true"
	case p.kind == "light" && property == "percent" && err == nil:
		if c.on = n > 0; c.on {
			c.brightness = int(n)
		}
	case p.kind == "cover" && property == "position" && err == nil:
		c.motor.Jump(n)
	case property == "value" && err == nil:
		c.value = n
	default:
		return fmt.Errorf("nobody can nudge %s.%s to %q", device, property, value)
	}
	h.notify(p.unit, p.name, c)
	return nil
}

// Fault implements sim.Equipment:
//
//	silence        the devices hear and say nothing
//	nak            they refuse every request
//	late           they answer late
//	twice          everything arrives twice, as QoS 1 allows
//	uncalibrated   covers have lost their ends
//	offline        the devices lose their power; healing brings them back
func (h *House) Fault(name string) error {
	if !slices.Contains([]string{"", "silence", "nak", "late", "twice", "uncalibrated", "offline"}, name) {
		return fmt.Errorf("fault %q is not known: Shelly devices take silence, nak, late, twice, uncalibrated, offline", name)
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
