// Package topic simulates equipment on a broker that follows no maker's rule: it does on its topics what the
// room file says that it does.
package topic

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
	tellEvery  = time.Second
	lateTime   = 800 * time.Millisecond
)

// Things is all such equipment on one broker.
type Things struct {
	scale func(time.Duration) time.Duration

	mu     sync.Mutex
	things map[string]*thing // by the id of the room file
	fault  string
	ctx    context.Context //nolint:containedctx // the stage's: a cover tells its way until then
}

// thing is one piece of equipment.
type thing struct {
	kind    string // switch, dimmer, cover, sensor
	with    map[string]any
	on      bool
	number  float64
	motor   *sim.Motor
	telling bool
	visitor *sim.Visitor
}

// New makes the equipment of a line.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	h := &Things{scale: o.Scale, things: make(map[string]*thing)}
	for _, d := range devices {
		t := &thing{kind: strings.TrimPrefix(d.Driver, "mqtt-"), with: d.With, motor: &sim.Motor{Full: o.Scale(travelTime)}}
		if t.kind == "sensor" {
			t.number = 21.5
		}
		h.things[d.ID] = t
	}
	return h, nil
}

func (t *thing) word(key, otherwise string) string {
	if v, ok := t.with[key]; ok && fmt.Sprint(v) != "" {
		return fmt.Sprint(v)
	}
	return otherwise
}

func (t *thing) bound(key string, otherwise float64) float64 {
	if n, err := strconv.ParseFloat(t.word(key, ""), 64); err == nil {
		return n
	}
	return otherwise
}

// Join implements sim.Guest.
func (h *Things) Join(ctx context.Context, broker string) error {
	h.mu.Lock()
	h.ctx = ctx
	ids := slices.Sorted(maps.Keys(h.things))
	h.mu.Unlock()
	for _, id := range ids {
		t := h.things[id]
		visit := sim.Visit{ID: "thing-" + id, Hear: func(topic string, payload []byte) { h.hear(t, topic, string(payload)) }, Arrive: func() { h.greet(t) }}
		for _, key := range []string{"set", "position", "ask"} {
			if topic := t.word(key, ""); topic != "" {
				visit.Topics = append(visit.Topics, topic)
			}
		}
		if will := t.word("available", ""); will != "" {
			visit.Will = [2]string{will, "offline"}
		}
		visitor, err := sim.Arrive(ctx, broker, visit)
		if err != nil {
			return err //nolint:wrapcheck // says who
		}
		h.mu.Lock()
		t.visitor = visitor
		h.mu.Unlock()
		h.greet(t)
	}
	return nil
}

func (h *Things) greet(t *thing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.visitor == nil {
		return
	}
	if topic := t.word("available", ""); topic != "" {
		t.visitor.Say(topic, "online", true)
	}
	h.tell(t)
}

// hear takes a command or a question.
func (h *Things) hear(t *thing, topic, payload string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fault == "silence" || h.fault == "nak" {
		return
	}
	if topic == t.word("ask", "") {
		h.tell(t)
		return
	}
	switch t.kind {
	case "switch":
		switch payload {
		case t.word("on", "ON"):
			t.on = true
		case t.word("off", "OFF"):
			t.on = false
		}
	case "dimmer":
		if off := t.word("off", ""); off != "" && payload == off {
			t.on = false
			break
		}
		before, after, _ := strings.Cut(t.word("payload", "{level}"), "{level}")
		if n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimPrefix(payload, before), after), 64); err == nil {
			t.number, t.on = n, n != t.bound("min", 0)
		}
	case "cover":
		h.move(t, topic, payload)
		return
	}
	h.tell(t)
}

func (h *Things) move(t *thing, topic, payload string) {
	before, after, _ := strings.Cut(t.word("position_payload", "{position}"), "{position}")
	number, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimPrefix(payload, before), after), 64)
	switch {
	case err == nil && topic == t.word("position", t.word("set", "")):
		t.motor.GoTo(t.turned(number))
	case payload == t.word("up", "OPEN"):
		t.motor.GoTo(100)
	case payload == t.word("down", "CLOSE"):
		t.motor.GoTo(0)
	case payload == t.word("stop", "STOP"):
		t.motor.Stop()
	}
	h.tell(t)
	if _, way := t.motor.Place(); way != 0 && !t.telling {
		t.telling = true
		go h.tellWay(h.ctx, t)
	}
}

func (t *thing) turned(percent float64) float64 {
	if t.word("inverted", "false") == "true" {
		return 100 - percent
	}
	return percent
}

// tellWay says where a cover is until it stands.
func (h *Things) tellWay(ctx context.Context, t *thing) {
	tick := time.NewTicker(max(h.scale(tellEvery), 10*time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		h.mu.Lock()
		h.tell(t)
		_, way := t.motor.Place()
		t.telling = way != 0
		h.mu.Unlock()
		if way == 0 {
			return
		}
	}
}

// tell publishes the state on the topics that the room file names. The caller holds mu.
func (h *Things) tell(t *thing) {
	said := make(map[string]map[string]any) // by topic and path
	put := func(topic, path string, v any) {
		if topic == "" {
			return
		}
		if said[topic] == nil {
			said[topic] = make(map[string]any)
		}
		said[topic][path] = v
	}
	state, value := t.word("state", ""), t.word("value", "")
	switch t.kind {
	case "switch":
		word := t.word("state_off", t.word("off", "OFF"))
		if t.on {
			word = t.word("state_on", t.word("on", "ON"))
		}
		put(state, value, word)
	case "dimmer":
		put(state, value, t.number)
		if power := t.word("power", ""); power != "" {
			word := t.word("power_off", "OFF")
			if t.on {
				word = "ON"
			}
			put(state, power, word)
		}
	case "cover":
		put(state, value, t.turned(float64(t.motor.Percent())))
		if t.word("motion", "")+t.word("motion_value", "") != "" {
			word := map[string]string{"up": t.word("opening", "opening"), "down": t.word("closing", "closing"), "stop": "stopped"}[t.motor.Motion()]
			put(t.word("motion", state), t.word("motion_value", ""), word)
		}
	case "sensor":
		put(state, value, t.number*t.bound("divide", 1))
	}
	for topic, values := range said {
		h.say(t, topic, payload(values))
	}
}

// payload writes values at their paths, or the only value as it is.
func payload(values map[string]any) string {
	if plain, ok := values[""]; ok {
		return fmt.Sprint(plain)
	}
	root := make(map[string]any)
	for path, v := range values {
		keys := strings.Split(path, ".")
		at := root
		for _, key := range keys[:len(keys)-1] {
			next, ok := at[key].(map[string]any)
			if !ok {
				next = make(map[string]any)
				at[key] = next
			}
			at = next
		}
		at[keys[len(keys)-1]] = v
	}
	b, err := json.Marshal(root)
	if err != nil {
		return ""
	}
	return string(b)
}

// say publishes, retained, as the fault lets it.
func (h *Things) say(t *thing, topic, text string) {
	visitor := t.visitor
	if visitor == nil || h.fault == "offline" {
		return
	}
	switch h.fault {
	case "late":
		time.AfterFunc(lateTime, func() { visitor.Say(topic, text, true) })
		return
	case "twice":
		visitor.Say(topic, text, true)
	}
	visitor.Say(topic, text, true)
}

// Truth implements sim.Equipment.
func (h *Things) Truth() map[string]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	truth := make(map[string]string)
	for id, t := range h.things {
		switch t.kind {
		case "switch":
			truth[id+".power"] = strconv.FormatBool(t.on)
		case "dimmer":
			low, high := t.bound("min", 0), t.bound("max", 100)
			percent := 0
			if t.on {
				percent = int(100*(t.number-low)/(high-low) + 0.5)
			}
			truth[id+".percent"] = strconv.Itoa(percent)
		case "cover":
			truth[id+".motion"], truth[id+".position"] = t.motor.Motion(), strconv.Itoa(t.motor.Percent())
		case "sensor":
			truth[id+".value"] = strconv.FormatFloat(t.number, 'f', -1, 64)
		}
	}
	return truth
}

// Nudge implements sim.Equipment: somebody presses a button at the equipment, or the weather changes.
func (h *Things) Nudge(device, property, value string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.things[device]
	if !ok {
		return fmt.Errorf("no device %q", device)
	}
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case t.kind == "switch" && property == "power":
		t.on = value == "true"
	case t.kind == "dimmer" && property == "percent" && err == nil:
		low, high := t.bound("min", 0), t.bound("max", 100)
		t.on = n > 0
		t.number = float64(int(low + n*(high-low)/100 + 0.5))
	case t.kind == "cover" && property == "position" && err == nil:
		t.motor.Jump(n)
	case t.kind == "sensor" && property == "value" && err == nil:
		t.number = n
	default:
		return fmt.Errorf("nobody can nudge %s.%s to %q", device, property, value)
	}
	h.tell(t)
	return nil
}

// Fault implements sim.Equipment:
//
//	silence    the equipment hears and says nothing
//	nak        it takes no command, and has no way to say so
//	late       states come late
//	twice      everything arrives twice, as QoS 1 allows
//	offline    the equipment loses its power; healing brings it back
func (h *Things) Fault(name string) error {
	if !slices.Contains([]string{"", "silence", "nak", "late", "twice", "offline"}, name) {
		return fmt.Errorf("fault %q is not known: such equipment takes silence, nak, late, twice, offline", name)
	}
	h.mu.Lock()
	before := h.fault
	h.fault = name
	things := slices.Collect(maps.Values(h.things))
	h.mu.Unlock()
	for _, t := range things {
		switch {
		case t.visitor == nil:
		case name == "offline" && before != "offline":
			t.visitor.Vanish()
		case name != "offline" && before == "offline":
			if err := t.visitor.Return(); err != nil {
				return err //nolint:wrapcheck // says who
			}
		}
	}
	return nil
}
