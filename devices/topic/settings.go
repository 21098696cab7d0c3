package topic

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/mqtt"
)

// What stands in payloads for the value.
const (
	level    = "{level}"
	position = "{position}"
)

// Place is where equipment says how it is.
type Place struct {
	State     string        `yaml:"state" doc:"topic on which it says its state; left out: it does not"`
	Value     string        `yaml:"value" doc:"where the state stands in a JSON payload, such as state or sensors.temperature; left out: the payload is the state"`
	Ask       string        `yaml:"ask" doc:"topic by which it is asked for its state; left out: it cannot be asked"`
	AskWith   string        `yaml:"ask_with" doc:"payload of the question; default empty"`
	Available string        `yaml:"available" doc:"topic of its last will: online or offline, true or false, or JSON with state"`
	Host      string        `yaml:"host" doc:"the same of the bridge that it hangs on"`
	MaxAge    time.Duration `yaml:"max_age" doc:"a state that was said longer ago is not believed; left out: it is, whatever its age"`
	Timeout   time.Duration `yaml:"timeout" doc:"how long it may take to say its new state; default 3s"`
}

// Validate says what is wrong with the place.
func (p *Place) Validate() (err error) {
	for key, topic := range map[string]string{"state": p.State, "ask": p.Ask, "available": p.Available, "host": p.Host} {
		if topic != "" {
			err = errors.Join(err, mqtt.CheckTopic(key, topic))
		}
	}
	if p.State == "" && (p.Ask != "" || p.Value != "") {
		err = errors.Join(err, errors.New("state is missing: ask and value are of no use without the topic on which it answers"))
	}
	if p.Timeout < 100*time.Millisecond || p.Timeout > time.Minute {
		err = errors.Join(err, fmt.Errorf("timeout %s: it is between 100ms and 1m", p.Timeout))
	}
	if p.MaxAge != 0 && (p.MaxAge < time.Second || p.MaxAge > 30*24*time.Hour) {
		err = errors.Join(err, fmt.Errorf("max_age %s: it is between 1s and 720h", p.MaxAge))
	}
	return err
}

// Switch says how something is switched.
type Switch struct {
	Place    `yaml:",inline"`
	Set      string `yaml:"set" doc:"topic by which it is switched"`
	On       string `yaml:"on" doc:"payload that switches on; default ON"`
	Off      string `yaml:"off" doc:"payload that switches off; default OFF"`
	StateOn  string `yaml:"state_on" doc:"how it says that it is on; default as on"`
	StateOff string `yaml:"state_off" doc:"how it says that it is off; default as off"`
}

// Validate says what is wrong with the settings.
func (s *Switch) Validate() error {
	err := errors.Join(s.Place.Validate(), mqtt.CheckTopic("set", s.Set))
	if s.On == s.Off {
		err = errors.Join(err, fmt.Errorf("on and off are both %q", s.On))
	}
	if s.stateOn() == s.stateOff() {
		err = errors.Join(err, fmt.Errorf("state_on and state_off are both %q", s.stateOn()))
	}
	return err
}

func (s *Switch) stateOn() string  { return either(s.StateOn, s.On) }
func (s *Switch) stateOff() string { return either(s.StateOff, s.Off) }

// either is the first that is not empty.
func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Dimmer says how a lamp is dimmed.
type Dimmer struct {
	Place    `yaml:",inline"`
	Set      string `yaml:"set" doc:"topic by which it is dimmed"`
	Payload  string `yaml:"payload" doc:"what is sent, with {level} for the number; default {level}"`
	Off      string `yaml:"off" doc:"what is sent for dark; default the payload with min"`
	Min      int    `yaml:"min" doc:"number for dark; default 0"`
	Max      int    `yaml:"max" doc:"number for full; default 100"`
	Power    string `yaml:"power" doc:"where in the payload it says that it is off, where its brightness stays when it is"`
	PowerOff string `yaml:"power_off" doc:"the word for off there; default OFF"`
}

// Validate says what is wrong with the settings.
func (d *Dimmer) Validate() error {
	err := errors.Join(d.Place.Validate(), mqtt.CheckTopic("set", d.Set))
	if !strings.Contains(d.Payload, level) {
		err = errors.Join(err, fmt.Errorf("payload %q: it has %s in it for the number", d.Payload, level))
	}
	if d.Min == d.Max || max(d.Min, -d.Min, d.Max, -d.Max) > math.MaxUint16 {
		err = errors.Join(err, fmt.Errorf("min %d and max %d: there is nothing between dark and full, or too much", d.Min, d.Max))
	}
	if d.Power != "" && d.Off == "" {
		err = errors.Join(err, errors.New("off is missing: a lamp whose brightness stays when it is off is not switched off by it"))
	}
	if d.PowerOff == "" {
		d.PowerOff = "OFF"
	}
	return err
}

// raw turns percent into the lamp's scale, which may run downwards. What is not dark stays so.
func (d *Dimmer) raw(percent int) int {
	span := float64(d.Max - d.Min)
	raw := d.Min + int(math.Round(float64(percent)*span/100))
	if percent > 0 && raw == d.Min {
		raw += int(math.Copysign(1, span))
	}
	return raw
}

func (d *Dimmer) percent(raw int) int {
	p := math.Round(100 * float64(raw-d.Min) / float64(d.Max-d.Min))
	return int(min(100, max(0, p)))
}

func number(text string) (int, error) {
	f, err := mqtt.Number(text)
	return int(math.Round(f)), err
}

// Cover says how a motor is moved.
type Cover struct {
	Place           `yaml:",inline"`
	Set             string `yaml:"set" doc:"topic by which it is moved"`
	Up              string `yaml:"up" doc:"payload that opens; default OPEN"`
	Stop            string `yaml:"stop" doc:"payload that stops; default STOP"`
	Down            string `yaml:"down" doc:"payload that closes; default CLOSE"`
	Position        string `yaml:"position" doc:"topic by which it is sent to a height; default as set"`
	PositionPayload string `yaml:"position_payload" doc:"what is sent, with {position} for 0 (closed) to 100 (open); default {position}"`
	Inverted        bool   `yaml:"inverted" doc:"its heights run the other way: 100 is closed"`
	Motion          string `yaml:"motion" doc:"topic on which it says what it does, where that is not state"`
	MotionValue     string `yaml:"motion_value" doc:"where that stands in a JSON payload; with neither, the motor is timed by its travel"`
	Opening         string `yaml:"opening" doc:"the word for opening there; default opening"`
	Closing         string `yaml:"closing" doc:"the word for closing there; default closing"`
}

// Validate says what is wrong with the settings.
func (c *Cover) Validate() error {
	err := errors.Join(c.Place.Validate(), mqtt.CheckTopic("set", c.Set))
	for key, topic := range map[string]string{"position": c.Position, "motion": c.Motion} {
		if topic != "" {
			err = errors.Join(err, mqtt.CheckTopic(key, topic))
		}
	}
	if c.Up == c.Stop || c.Stop == c.Down || c.Up == c.Down {
		err = errors.Join(err, fmt.Errorf("up %q, stop %q and down %q: each is another payload", c.Up, c.Stop, c.Down))
	}
	if !strings.Contains(c.PositionPayload, position) {
		err = errors.Join(err, fmt.Errorf("position_payload %q: it has %s in it for the height", c.PositionPayload, position))
	}
	if c.tellsMotion() && c.State == "" {
		err = errors.Join(err, errors.New("state is missing: a motor that says what it does says where it is as well"))
	}
	return err
}

// payload is what is sent for a motion.
func (c *Cover) payload(to devices.Motion) (string, error) {
	switch to {
	case devices.Up:
		return c.Up, nil
	case devices.Stop:
		return c.Stop, nil
	case devices.Down:
		return c.Down, nil
	}
	return "", fmt.Errorf("a cover cannot be moved %q", to)
}

func (c *Cover) tellsMotion() bool { return c.Motion != "" || c.MotionValue != "" }

func (c *Cover) motionTopic() string { return either(c.Motion, c.State) }

func (c *Cover) positionTopic() string { return either(c.Position, c.Set) }

func (c *Cover) turned(percent int) int {
	if c.Inverted {
		return 100 - percent
	}
	return percent
}

// Sensor says where a sensor says what it measures.
type Sensor struct {
	Place  `yaml:",inline"`
	Yes    string  `yaml:"yes" doc:"for presence and contact: the word that means yes; left out: on, true, open, 1"`
	Divide float64 `yaml:"divide" doc:"what the number is divided by; default 1"`
}

// Validate says what is wrong with the settings.
func (s *Sensor) Validate() error {
	err := s.Place.Validate()
	if s.State == "" {
		err = errors.Join(err, errors.New("state is missing: it is the topic on which the sensor publishes"))
	}
	if s.Divide <= 0 {
		err = errors.Join(err, fmt.Errorf("divide %g: it is more than 0", s.Divide))
	}
	return err
}

// feed is where one value comes from.
type feed struct{ topic, path, key string }

// codec reads what one piece of equipment says.
type codec struct {
	feeds           []feed
	available, host string
}

func (c codec) topics() (topics []string) {
	for _, f := range c.feeds {
		topics = append(topics, f.topic)
	}
	for _, t := range []string{c.available, c.host} {
		if t != "" {
			topics = append(topics, t)
		}
	}
	return topics
}

// read says what a message tells.
func (c codec) read(m line.Message) (news []mqtt.News) {
	if len(m.Payload) == 0 || m.Topic == "" { // a retained state was taken away; a connection was made
		return nil
	}
	switch m.Topic {
	case c.available:
		return mqtt.Available(mqtt.Online, m.Payload)
	case c.host:
		return mqtt.Available(mqtt.Host, m.Payload)
	}
	var object any
	for _, f := range c.feeds {
		if f.topic != m.Topic {
			continue
		}
		value, ok := strings.TrimSpace(string(m.Payload)), true
		if f.path != "" {
			if object == nil {
				var err error
				if object, err = mqtt.Decode(m.Payload); err != nil {
					return news
				}
			}
			value, ok = mqtt.Field(object, f.path)
		}
		if ok {
			news = append(news, mqtt.News{Key: f.key, Value: value})
		}
	}
	return news
}
