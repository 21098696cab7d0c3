package mqtt

import (
	"encoding/json"
	"fmt"
	"strings"

	"lectern/devices"
)

// plainText takes an empty text's zero byte away, and what Home Assistant's 255 characters have no room for.
const plainText = `{{ value[:250] | replace('\x00', '') }}`

// plainEntity is the entity for a property that has nothing special about it.
func (g *Gateway) plainEntity(kind, topic string, p devices.Property) component {
	c := component{"state_topic": topic}
	if p.Settable {
		c["command_topic"], c["qos"] = topic+"/set", 1
	}
	if p.Diagnostic {
		c["entity_category"] = "diagnostic"
	}
	number := p.Kind == devices.KindInteger || p.Kind == devices.KindNumber
	if number && p.Unit != "" {
		c["unit_of_measurement"] = p.Unit
	}
	switch {
	case p.Kind == devices.KindBool && p.Settable:
		c["platform"], c["payload_on"], c["payload_off"] = "switch", "true", "false"
		if kind == "light" {
			c["platform"] = "light"
		}
	case p.Kind == devices.KindBool:
		c["platform"], c["payload_on"], c["payload_off"] = "binary_sensor", "true", "false"
		if class, ok := map[string]string{"presence": "occupancy", "contact": "opening"}[p.Name]; ok {
			c["device_class"] = class
		}
	case p.Name == "level" && p.Kind == devices.KindEnum && p.Settable:
		return dimmer(topic, wordsOf(p, func(o devices.Option) bool { return !o.State }))
	case p.Kind == devices.KindEnum && p.Settable:
		// All words: what is only ever reported must be among the options to be shown.
		c["platform"], c["options"] = "select", wordsOf(p, nil)
	case p.Kind == devices.KindEnum:
		return enumSensor(topic, wordsOf(p, nil))
	case number && p.Settable:
		c["platform"], c["min"], c["max"], c["step"] = "number", p.Min, p.Max, step(p)
	default:
		c["platform"] = "sensor"
		switch {
		case !number:
			c["value_template"] = plainText
		case p.Name == "lamp" && p.Unit == "h":
			c["device_class"], c["state_class"] = "duration", "total_increasing"
		case p.Unit == "s":
			c["device_class"] = "duration"
		case p.Name == "temperature" && p.Unit == "°C", p.Name == "humidity" && p.Unit == "%":
			c["device_class"], c["state_class"] = p.Name, "measurement"
		case p.Unit == "lx":
			c["device_class"], c["state_class"] = "illuminance", "measurement"
		}
	}
	return c
}

func step(p devices.Property) float64 {
	switch {
	case p.Step > 0:
		return p.Step
	case p.Kind == devices.KindInteger:
		return 1
	}
	return 0.1
}

// enumSensor shows a word of a list.
func enumSensor(topic string, options []string) component {
	return component{"platform": "sensor", "state_topic": topic, "device_class": "enum", "options": options}
}

// powerSwitch is the power of what warms up and cools down: it is on as soon as it is on its way there.
func powerSwitch(topic string) component {
	return component{
		"platform": "switch", "qos": 1, "command_topic": topic + "/set", "payload_on": "on", "payload_off": "off",
		"state_topic": topic, "state_on": "on", "state_off": "off",
		"value_template": "{{ 'on' if value in ['on', 'warming'] else 'off' if value in ['off', 'cooling'] else 'None' }}",
	}
}

// cover is a curtain or screen. Up is open; a screen that is up is out of the way.
func cover(kind, motion, position string, positioned bool) component {
	c := component{
		"platform": "cover", "qos": 1,
		"command_topic": motion + "/set", "payload_open": "up", "payload_close": "down", "payload_stop": "stop",
		"state_topic": motion, "state_opening": "up", "state_closing": "down", "state_stopped": "stop",
	}
	if positioned {
		c["position_topic"], c["set_position_topic"] = position, position+"/set"
		c["position_open"], c["position_closed"] = 100, 0
	}
	if kind == "curtain" {
		c["device_class"] = "curtain"
	}
	return c
}

// dimmer is a light whose brightness is the number of its level: off is 0, the brightest is the
// last. Home Assistant speaks numbers; the templates turn them into the room's own words.
func dimmer(topic string, levels []string) component {
	list, err := json.Marshal(levels)
	if err != nil || len(levels) < 2 {
		return component{"platform": "select", "qos": 1, "state_topic": topic, "command_topic": topic + "/set", "options": levels}
	}
	off, full, known := levels[0], levels[len(levels)-1], strings.ReplaceAll(string(list), `"`, `'`)
	return component{
		"platform": "light", "qos": 1, "command_topic": topic + "/set", "state_topic": topic,
		"payload_on": full, "payload_off": off,
		"state_value_template":        fmt.Sprintf("{{ '%s' if value == '%s' else '%s' }}", off, off, full),
		"on_command_type":             "brightness",
		"brightness_scale":            len(levels) - 1,
		"brightness_command_topic":    topic + "/set",
		"brightness_command_template": fmt.Sprintf("{{ %s[value | int] }}", known),
		"brightness_state_topic":      topic,
		"brightness_value_template":   fmt.Sprintf("{{ %s.index(value) if value in %s else 0 }}", known, known),
	}
}
