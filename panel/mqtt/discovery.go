package mqtt

import (
	"encoding/json"
	"strings"

	"lectern/devices"
)

// discoveryPrefix is where Home Assistant looks, unless it was told otherwise.
const discoveryPrefix = "homeassistant"

// birthTopic is where Home Assistant says that it has started.
const birthTopic = discoveryPrefix + "/status"

// component is one entity of a Home Assistant device payload. The keys are the long ones of its
// documentation, so that a person who reads the topic can look them up.
type component map[string]any

// discovery is a device payload: one message with all entities of the room, on the Homie topics.
type discovery struct {
	Device     component            `json:"device"`
	Origin     component            `json:"origin"`
	Components map[string]component `json:"components"`
}

// discovery makes the device payload of the room.
func (g *Gateway) discovery() discovery {
	room := g.face().cfg.Room
	d := discovery{
		Device: component{
			"identifiers": []string{"lectern-" + room.ID}, "name": g.face().names.of(room.Name),
			"manufacturer": "Lectern", "model": "Room controller", "sw_version": g.Build,
		},
		Origin:     component{"name": "lectern", "sw_version": g.Build},
		Components: make(map[string]component),
	}
	add := func(key, name string, availability []component, c component) {
		c["name"], c["unique_id"] = strings.TrimSpace(name), room.ID+"_"+key
		c["availability"], c["availability_mode"] = availability, "all"
		d.Components[key] = c
	}
	for _, id := range g.Room.Devices() {
		name, kind := g.device(id)
		for _, e := range g.entities(id, kind, g.Room.Properties(id)) {
			add(e.key, name+" "+e.name, g.available(id), e.component)
		}
	}
	for _, s := range g.face().cfg.Scenes {
		add("scene_"+s.ID, g.face().names.of(s.Name), g.available(""), component{
			"platform": "button", "qos": 1, "command_topic": g.base + "/" + scenesNode + "/" + s.ID + "/set", "payload_press": "run",
		})
	}
	for _, property := range []string{"lines-down", "devices-offline", "last-error"} {
		add("controller_"+property, g.healthNodes()[controllerNode].Properties[property].Name, g.available(""), component{
			"platform": "sensor", "state_topic": g.base + "/" + controllerNode + "/" + property, "entity_category": "diagnostic",
			"value_template": plainText,
		})
	}
	g.staffEntities(add)
	return d
}

// discoveryMessage is a device payload on its topic.
func (g *Gateway) discoveryMessage(d discovery) message {
	payload, err := json.Marshal(d)
	if err != nil {
		g.Log.Error("writing the discovery payload", "error", err)
	}
	return message{topic: discoveryPrefix + "/device/lectern-" + g.face().cfg.Room.ID + "/config", payload: payload, qos: 1, retained: true}
}

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

// entity is one entity of a device, under a key that is unique in the room.
type entity struct {
	key, name string // the name without that of the device; "" for the thing itself
	component
}

// entities are the entities of one device.
func (g *Gateway) entities(id, kind string, properties []devices.Property) []entity {
	has := make(map[string]bool)
	for _, p := range properties {
		has[p.Name] = true
	}
	topic := func(property string) string { return g.base + "/" + id + "/" + property }
	var made []entity
	for _, p := range properties {
		key, name := id+"_"+p.Name, g.face().names.word(p.Name)
		switch {
		case p.Name == "motion" && p.Settable:
			made = append(made, entity{id, "", cover(kind, topic("motion"), topic("position"), has["position"])})
		case p.Name == "position" && has["motion"]: // of the cover
		case p.Momentary: // there is no media player in MQTT discovery: a transport is buttons and a sensor
			made = append(made, entity{key, name, enumSensor(topic(p.Name), wordsOf(p, func(o devices.Option) bool { return !o.Act }))})
			for _, act := range wordsOf(p, func(o devices.Option) bool { return !o.State }) {
				made = append(made, entity{key + "_" + act, g.face().names.word(act), component{
					"platform": "button", "qos": 1, "command_topic": topic(p.Name) + "/set", "payload_press": act,
				}})
			}
		case p.Name == "power" && p.Kind == devices.KindEnum && p.Settable:
			// A switch knows on and off; a sensor beside it tells warming and cooling.
			made = append(made,
				entity{key, "", powerSwitch(topic(p.Name))},
				entity{key + "_state", g.face().names.word("state"), enumSensor(topic(p.Name), wordsOf(p, nil))})
		case p.Name == "power" || p.Name == "level" || p.Name == "selected":
			made = append(made, entity{key, "", g.plainEntity(kind, topic(p.Name), p)})
		default:
			made = append(made, entity{key, name, g.plainEntity(kind, topic(p.Name), p)})
		}
	}
	return made
}

// wordsOf are the words of an enum that are wanted; nil wants all.
func wordsOf(p devices.Property, want func(devices.Option) bool) []string {
	var list []string
	for _, o := range p.Options {
		if want == nil || want(o) {
			list = append(list, o.Value)
		}
	}
	return list
}
