// Package zigbee2mqtt drives Zigbee equipment behind Zigbee2MQTT. Its topics follow a rule, so that a room file
// needs to say no more than the equipment's friendly name; everything else is the same as for any equipment on a
// broker (package topic).
//
// What Zigbee2MQTT is like (its guide: MQTT topics and messages; Device availability), and what it means here:
//
//   - The state of equipment is one JSON object on <base>/<friendly name>, commands are objects on .../set, and
//     .../get asks for what the equipment lets be read. Lamps and relays do, many covers and all sensors on
//     batteries do not: for those set retain: true in Zigbee2MQTT, so that their state outlives a connection.
//   - .../availability is retained and exists where the feature is switched on; the bridge itself says on
//     <base>/bridge/state whether it is there. Both come as a word or as an object.
//   - For some equipment it publishes the state that was asked for before the radio has confirmed it. Nothing
//     on the broker tells those apart.
//   - Brightness runs from 0 to 254. Positions are 100 for open; several makers turn that round, which
//     invert_cover in Zigbee2MQTT puts right, or inverted here.
package zigbee2mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/mqtt"
	"lectern/devices/topic"
)

const (
	facts = "Zigbee2MQTT guide: MQTT topics and messages (7fefbb9), Device availability (1636cbd)"
	// usualTime is what equipment takes to answer through a mesh.
	usualTime  = 5 * time.Second
	brightest  = 254
	stateWord  = "state"
	brightness = "brightness"
)

// Drivers describes the drivers.
func Drivers() []devices.Driver {
	lines := []line.Kind{line.MQTT}
	usual := Settings{Base: "zigbee2mqtt", Timeout: usualTime}
	return []devices.Driver{
		{
			Name: "zigbee-switch", Feedback: "asked where it can be, speaks up by itself", Equipment: "Zigbee relays and sockets behind Zigbee2MQTT", Facts: facts,
			Kinds: []string{"circuit", "light"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &Switch{Settings: usual, Property: stateWord, Get: true} },
			Claims:   func(s any) []string { set := s.(*Switch); return []string{set.Property + " of " + set.Name} },
			New:      func(e devices.Env, s any) (any, error) { return topic.NewSwitch(e, s.(*Switch).topics()) },
		},
		{
			Name: "zigbee-dimmer", Feedback: "asked where it can be, speaks up by itself", Equipment: "Zigbee lamps and dimmers behind Zigbee2MQTT", Facts: facts,
			Kinds: []string{"dimmer"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &Dimmer{Settings: usual, Get: true} },
			Claims:   func(s any) []string { return []string{brightness + " of " + s.(*Dimmer).Name} },
			New:      func(e devices.Env, s any) (any, error) { return topic.NewDimmer(e, s.(*Dimmer).topics()) },
		},
		{
			Name: "zigbee-cover", Feedback: "asked where it can be, speaks up by itself", Equipment: "Zigbee curtain motors behind Zigbee2MQTT", Facts: facts,
			Kinds: []string{"curtain", "screen"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &Cover{Settings: usual, Opening: "UP", Closing: "DOWN"} },
			Claims:   func(s any) []string { return []string{"position of " + s.(*Cover).Name} },
			New:      func(e devices.Env, s any) (any, error) { return topic.NewCover(e, s.(*Cover).topics()) },
		},
		{
			Name: "zigbee-sensor", Feedback: "asked where it can be, speaks up by itself", Equipment: "Zigbee sensors behind Zigbee2MQTT", Facts: facts,
			Kinds: []string{"sensor"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &Sensor{Settings: usual} },
			New:      func(e devices.Env, s any) (any, error) { return topic.NewSensor(e, s.(*Sensor).topics()) },
		},
	}
}

// Settings say which equipment is meant.
type Settings struct {
	Name    string        `yaml:"name" doc:"the friendly name in Zigbee2MQTT; it may have / in it"`
	Base    string        `yaml:"base" doc:"base_topic of Zigbee2MQTT; default zigbee2mqtt"`
	Timeout time.Duration `yaml:"timeout" doc:"how long it may take to say its new state; default 5s"`
}

// Validate says what is wrong with the settings.
func (s *Settings) Validate() error {
	err := errors.Join(mqtt.CheckTopic("name", s.Name), mqtt.CheckTopic("base", s.Base))
	if s.Timeout < 100*time.Millisecond || s.Timeout > time.Minute {
		err = errors.Join(err, fmt.Errorf("timeout %s: it is between 100ms and 1m", s.Timeout))
	}
	return err
}

func (s *Settings) under(what string) string { return s.Base + "/" + s.Name + "/" + what }

// place is where the equipment says a value; readable are the keys that it can be asked for.
func (s *Settings) place(value string, readable ...string) topic.Place {
	p := topic.Place{
		State: s.Base + "/" + s.Name, Value: value, Available: s.under("availability"), Host: s.Base + "/bridge/state", Timeout: s.Timeout,
	}
	if len(readable) > 0 {
		ask := make(map[string]string)
		for _, key := range readable {
			ask[key] = ""
		}
		p.Ask, p.AskWith = s.under("get"), object(ask)
	}
	return p
}

// object writes a JSON object. Its values are words or placeholders; a placeholder is a number, without quotes.
func object(fields map[string]string) string {
	b, err := json.Marshal(fields)
	if err != nil { // there is no word that cannot be written
		return "{}"
	}
	return strings.NewReplacer(`"{level}"`, "{level}", `"{position}"`, "{position}").Replace(string(b))
}

// Switch says which relay is meant.
type Switch struct {
	Settings `yaml:",inline"`
	Property string `yaml:"property" doc:"state (default), or that of one of several gangs: state_left, state_l2"`
	Get      bool   `yaml:"get" doc:"whether it can be asked for its state; default true"`
}

// Validate says what is wrong with the settings.
func (s *Switch) Validate() error {
	err := s.Settings.Validate()
	if s.Property == "" || strings.ContainsAny(s.Property, `."`) {
		err = errors.Join(err, fmt.Errorf("property %q: it is a key of the equipment's state, such as state or state_left", s.Property))
	}
	return err
}

func (s *Switch) topics() topic.Switch {
	var readable []string
	if s.Get {
		readable = []string{s.Property}
	}
	return topic.Switch{
		Place: s.place(s.Property, readable...), Set: s.under("set"),
		On: object(map[string]string{s.Property: "ON"}), Off: object(map[string]string{s.Property: "OFF"}), StateOn: "ON", StateOff: "OFF",
	}
}

// Dimmer says which lamp is meant.
type Dimmer struct {
	Settings `yaml:",inline"`
	Get      bool `yaml:"get" doc:"whether it can be asked for its state; default true"`
}

func (d *Dimmer) topics() topic.Dimmer {
	var readable []string
	if d.Get {
		readable = []string{stateWord, brightness}
	}
	return topic.Dimmer{
		Place: d.place(brightness, readable...), Set: d.under("set"),
		Payload: object(map[string]string{stateWord: "ON", brightness: "{level}"}), Off: object(map[string]string{stateWord: "OFF"}),
		Max: brightest, Power: stateWord, PowerOff: "OFF",
	}
}

// Cover says which motor is meant.
type Cover struct {
	Settings `yaml:",inline"`
	Motion   string `yaml:"motion" doc:"the key that says what the motor does, such as moving or motor_state; left out: it does not, and is timed by its travel"`
	Opening  string `yaml:"opening" doc:"the word for opening there; default UP"`
	Closing  string `yaml:"closing" doc:"the word for closing there; default DOWN"`
	Inverted bool   `yaml:"inverted" doc:"its heights run the other way: 100 is closed"`
	Get      bool   `yaml:"get" doc:"whether it can be asked for its position; default false"`
}

func (c *Cover) topics() topic.Cover {
	var readable []string
	if c.Get {
		readable = []string{"position"}
	}
	command := func(word string) string { return object(map[string]string{stateWord: word}) }
	return topic.Cover{
		Place: c.place("position", readable...), Set: c.under("set"), Up: command("OPEN"), Stop: command("STOP"), Down: command("CLOSE"),
		PositionPayload: object(map[string]string{"position": "{position}"}), Inverted: c.Inverted,
		MotionValue: c.Motion, Opening: c.Opening, Closing: c.Closing,
	}
}

// Sensor says which value is meant.
type Sensor struct {
	Settings `yaml:",inline"`
	Value    string        `yaml:"value" doc:"the key of the value: temperature, humidity, occupancy, contact, illuminance"`
	Yes      string        `yaml:"yes" doc:"for presence and contact: the word that means yes; left out: true. A contact says true when it is closed"`
	MaxAge   time.Duration `yaml:"max_age" doc:"a value that was said longer ago is not believed; left out: availability decides"`
}

// Validate says what is wrong with the settings.
func (s *Sensor) Validate() error {
	err := s.Settings.Validate()
	if s.Value == "" {
		err = errors.Join(err, errors.New("value is missing: it is a key of the sensor's state, such as temperature or occupancy"))
	}
	if s.MaxAge != 0 && (s.MaxAge < time.Second || s.MaxAge > 30*24*time.Hour) {
		err = errors.Join(err, fmt.Errorf("max_age %s: it is between 1s and 720h", s.MaxAge))
	}
	return err
}

func (s *Sensor) topics() topic.Sensor {
	p := s.place(s.Value)
	p.MaxAge = s.MaxAge
	return topic.Sensor{Place: p, Yes: s.Yes, Divide: 1}
}
