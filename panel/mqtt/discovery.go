package mqtt

import (
	"encoding/json"
	"fmt"
	"strings"

	"lectern/devices"
)

// discoveryPrefix is where Home Assistant looks, unless it was told otherwise.
const discoveryPrefix = "homeassistant"

// component is one entity of a Home Assistant device payload. The keys are the long ones of its
// documentation, so that a person who reads the topic can look them up.
type component map[string]any

// birthTopic is where Home Assistant says that it has started.
const birthTopic = discoveryPrefix + "/status"

// available says when an entity can be used. The state says ready, init, disconnected or lost, and only
// the first will do; a payload for each would leave the others undecided.
func (g *Gateway) available(device string) []component {
	list := []component{{
		"topic": g.base + "/$state", "payload_available": "online", "payload_not_available": "offline",
		"value_template": "{{ 'online' if value == 'ready' else 'offline' }}",
	}}
	if device != "" {
		list = append(list, component{"topic": g.base + "/" + device + "/online", "payload_available": "true", "payload_not_available": "false"})
	}
	return list
}

// discovery makes the device payload of the room: one topic, all entities, on the Homie topics.
func (g *Gateway) discovery() message {
	room := g.Cfg.Room
	components := make(map[string]component)
	for _, id := range g.Room.Devices() {
		name, kind := g.device(id)
		for key, c := range g.entities(id, kind, g.Room.Properties(id)) {
			c["name"] = strings.TrimSpace(name + " " + fmt.Sprint(c["name"]))
			c["unique_id"] = room.ID + "_" + key
			c["availability_mode"] = "all"
			c["availability"] = g.available(id)
			components[key] = c
		}
	}
	for _, s := range g.Cfg.Scenes {
		components["scene_"+s.ID] = component{
			"platform": "button", "name": g.names.of(s.Name), "unique_id": room.ID + "_scene_" + s.ID,
			"command_topic": g.base + "/" + scenesNode + "/" + s.ID + "/set", "payload_press": "run", "qos": 1,
			"availability": g.available(""),
		}
	}
	for _, property := range []string{"lines-down", "devices-offline", "last-error"} {
		components["controller_"+property] = component{
			"platform": "sensor", "name": g.healthNodes()[controllerNode].Properties[property].Name, "unique_id": room.ID + "_controller_" + property,
			"state_topic": g.base + "/" + controllerNode + "/" + property, "entity_category": "diagnostic", "availability": g.available(""),
		}
	}
	topic := discoveryPrefix + "/device/lectern-" + room.ID + "/config"
	payload, err := json.Marshal(map[string]any{
		"device": component{
			"identifiers": []string{"lectern-" + room.ID}, "name": g.names.of(room.Name),
			"manufacturer": "Lectern", "model": "Room controller", "sw_version": g.Build,
		},
		"origin":     component{"name": "lectern", "sw_version": g.Build},
		"components": components,
	})
	if err != nil {
		g.Log.Error("writing the discovery payload", "error", err)
	}
	return message{topic: topic, payload: payload, qos: 1, retained: true}
}

// entities are the entities of one device, by a key that is unique in the room.
func (g *Gateway) entities(id, kind string, properties []devices.Property) map[string]component {
	made := make(map[string]component)
	byName := make(map[string]devices.Property)
	for _, p := range properties {
		byName[p.Name] = p
	}
	topic := func(property string) string { return g.base + "/" + id + "/" + property }
	if _, ok := byName["motion"]; ok {
		made[id] = component{
			"platform": "cover", "name": "", "qos": 1,
			"command_topic": topic("motion") + "/set", "payload_open": "up", "payload_close": "down", "payload_stop": "stop",
			"state_topic": topic("motion"), "state_opening": "up", "state_closing": "down", "state_stopped": "stop",
			"position_topic": topic("position"), "set_position_topic": topic("position") + "/set",
			"position_open": 100, "position_closed": 0,
		}
		if kind == "curtain" {
			made[id]["device_class"] = "curtain"
		}
		delete(byName, "motion")
		delete(byName, "position")
	}
	for name, p := range byName {
		if c := g.entity(kind, topic(name), p); c != nil {
			c["name"], c["qos"] = g.names.word(name), 1
			if p.Name == "power" || p.Name == "level" || p.Name == "selected" {
				c["name"] = "" // the thing itself
			}
			if p.Diagnostic {
				c["entity_category"] = "diagnostic"
			}
			made[id+"_"+name] = c
		}
		if p.Momentary { // no media player in MQTT discovery: a transport is buttons and a sensor
			for _, o := range p.Options {
				if !o.State {
					made[id+"_"+name+"_"+o.Value] = component{
						"platform": "button", "name": g.names.word(o.Value), "qos": 1, "command_topic": topic(name) + "/set", "payload_press": o.Value,
					}
				}
			}
		}
	}
	return made
}

// entity is the entity for one property; nil for none.
func (g *Gateway) entity(kind, topic string, p devices.Property) component {
	words := func(want func(devices.Option) bool) []string {
		var words []string
		for _, o := range p.Options {
			if want(o) {
				words = append(words, o.Value)
			}
		}
		return words
	}
	switch {
	case p.Kind == devices.KindBool && p.Settable:
		platform := "switch"
		if kind == "light" {
			platform = "light"
		}
		return component{"platform": platform, "state_topic": topic, "command_topic": topic + "/set", "payload_on": "true", "payload_off": "false"}
	case p.Kind == devices.KindBool:
		c := component{"platform": "binary_sensor", "state_topic": topic, "payload_on": "true", "payload_off": "false"}
		if p.Name == "presence" {
			c["device_class"] = "occupancy"
		}
		return c
	case p.Name == "level" && p.Kind == devices.KindEnum:
		return dimmer(topic, words(func(o devices.Option) bool { return !o.State }))
	case p.Name == "power" && p.Kind == devices.KindEnum && p.Settable:
		// A switch knows on and off only; the sensor of the same topic tells warming and cooling.
		return component{
			"platform": "select", "state_topic": topic, "command_topic": topic + "/set",
			"options": words(func(devices.Option) bool { return true }),
		}
	case p.Kind == devices.KindEnum && p.Settable && !p.Momentary:
		return component{
			"platform": "select", "state_topic": topic, "command_topic": topic + "/set",
			"options": words(func(devices.Option) bool { return true }),
		}
	case (p.Kind == devices.KindInteger || p.Kind == devices.KindNumber) && p.Settable:
		c := component{"platform": "number", "state_topic": topic, "command_topic": topic + "/set", "min": p.Min, "max": p.Max, "step": max(p.Step, 1)}
		if p.Unit != "" {
			c["unit_of_measurement"] = p.Unit
		}
		return c
	default:
		c := component{"platform": "sensor", "state_topic": topic}
		if p.Unit != "" {
			c["unit_of_measurement"] = p.Unit
		}
		if p.Name == "temperature" || p.Name == "humidity" {
			c["device_class"], c["state_class"] = p.Name, "measurement"
		}
		return c
	}
}

// dimmer is a light whose brightness is the number of its level: off is 0, the brightest is the
// last. Home Assistant speaks numbers; the templates turn them into the room's own words.
func dimmer(topic string, levels []string) component {
	list, err := json.Marshal(levels)
	if err != nil || len(levels) < 2 {
		return nil
	}
	words := strings.ReplaceAll(string(list), `"`, `'`)
	return component{
		"platform": "light", "command_topic": topic + "/set", "state_topic": topic,
		"payload_on": levels[len(levels)-1], "payload_off": levels[0],
		"state_value_template":        fmt.Sprintf("{{ '%s' if value == '%s' else '%s' }}", levels[0], levels[0], levels[len(levels)-1]),
		"on_command_type":             "brightness",
		"brightness_scale":            len(levels) - 1,
		"brightness_command_topic":    topic + "/set",
		"brightness_command_template": fmt.Sprintf("{{ %s[value | int] }}", words),
		"brightness_state_topic":      topic,
		"brightness_value_template":   fmt.Sprintf("{{ %s.index(value) if value in %s else 0 }}", words, words),
	}
}
