// Package tasmota drives relays, dimmers, shutters and sensors that run Tasmota, over MQTT.
//
// What Tasmota is like (tasmota/docs: MQTT, Commands, Blinds and Shutters), and what it means here:
//
//   - Topics follow the pattern FullTopic, which the owner of a device may change; the driver takes the
//     whole pattern. Commands go to the prefix cmnd, answers come from stat, and the rest from tele.
//   - A command is answered on .../RESULT, or with SetOption4 on a topic with the command's name. The same
//     topics bear what the device says by itself, so a question that must not be taken for something else is
//     put as Status 11 (relays and lamp) or Status 10 (shutters and sensors), which answers on a topic of its own.
//   - A device with one relay says POWER, one with several POWER1, POWER2; with SetOption26 one relay says
//     POWER1 as well. Relay 1 is known by both.
//   - States are not retained unless the owner wants it, and then they may be old. Retained states are not
//     believed: the device is asked.
//   - The last will stands on tele/.../LWT, retained: Online or Offline.
//   - Shutters say their way and place about once a second while they move: Direction is 1 when opening, -1
//     when closing and 0 at rest.
package tasmota

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/mqtt"
)

const (
	facts = "Tasmota documentation: MQTT, Commands, Blinds and Shutters (tasmota/docs dd5bad6, 004df99)"
	// usualTime is what a device on mains and Wi-Fi takes at most.
	usualTime = 3 * time.Second

	askState   = "11" // StatusSTS: relays and lamp
	askSensors = "10" // StatusSNS: shutters and sensors
)

// Drivers describes the drivers.
func Drivers() []devices.Driver {
	lines := []line.Kind{line.MQTT}
	return []devices.Driver{
		{
			Name: "tasmota-switch", Feedback: "asked, speaks up by itself", Equipment: "relays with Tasmota", Facts: facts,
			Kinds: []string{"circuit", "light"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &SwitchSettings{Place: usual(), Relay: 1} },
			Claims:   func(s any) []string { return s.(*SwitchSettings).claims() },
			New: func(e devices.Env, s any) (any, error) {
				set := s.(*SwitchSettings)
				return join(e, set.Place, func(d device) any { return &relay{device: d, key: powerKey(set.Relay)} })
			},
		},
		{
			Name: "tasmota-dimmer", Feedback: "asked, speaks up by itself", Equipment: "dimmers with Tasmota", Facts: facts,
			Kinds: []string{"dimmer"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &SwitchSettings{Place: usual(), Relay: 1} },
			Claims:   func(s any) []string { return s.(*SwitchSettings).claims() },
			New: func(e devices.Env, s any) (any, error) {
				set := s.(*SwitchSettings)
				return join(e, set.Place, func(d device) any { return &dimmer{relay{device: d, key: powerKey(set.Relay)}} })
			},
		},
		{
			Name: "tasmota-shutter", Feedback: "asked, speaks up by itself", Equipment: "curtain and screen motors with Tasmota", Facts: facts,
			Kinds: []string{"curtain", "screen"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &ShutterSettings{Place: usual(), Shutter: 1} },
			Claims: func(s any) []string {
				set := s.(*ShutterSettings)
				return []string{fmt.Sprintf("shutter %d of %s", set.Shutter, set.Topic)}
			},
			New: func(e devices.Env, s any) (any, error) {
				set := s.(*ShutterSettings)
				return join(e, set.Place, func(d device) any { return &shutter{device: d, number: set.Shutter} })
			},
		},
		{
			Name: "tasmota-sensor", Feedback: "asked, speaks up by itself", Equipment: "sensors with Tasmota", Facts: facts,
			Kinds: []string{"sensor"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &SensorSettings{Place: usual()} },
			New: func(e devices.Env, s any) (any, error) {
				set := s.(*SensorSettings)
				return join(e, set.Place, func(d device) any { return &sensor{device: d, path: set.Value} })
			},
		},
	}
}

// Place is where a device is found on the broker.
type Place struct {
	Topic     string        `yaml:"topic" doc:"the device's own topic, such as tasmota_4C11AE"`
	FullTopic string        `yaml:"full_topic" doc:"the pattern of its topics as FullTopic shows it; default %prefix%/%topic%/"`
	Timeout   time.Duration `yaml:"timeout" doc:"how long it may take to answer; default 3s"`
}

func usual() Place { return Place{FullTopic: "%prefix%/%topic%/", Timeout: usualTime} }

// Validate says what is wrong with the place.
func (p *Place) Validate() error {
	err := mqtt.CheckTopic("topic", p.Topic)
	if !strings.Contains(p.FullTopic, "%prefix%") || !strings.Contains(p.FullTopic, "%topic%") || strings.ContainsAny(p.FullTopic, "+#") {
		err = errors.Join(err, fmt.Errorf("full_topic %q: it has %%prefix%% and %%topic%% in it, as the device's command FullTopic shows", p.FullTopic))
	}
	if p.Timeout < 100*time.Millisecond || p.Timeout > time.Minute {
		err = errors.Join(err, fmt.Errorf("timeout %s: it is between 100ms and 1m", p.Timeout))
	}
	return err
}

// under is a topic of the device.
func (p *Place) under(prefix, what string) string {
	base := strings.NewReplacer("%prefix%", prefix, "%topic%", p.Topic).Replace(p.FullTopic)
	return strings.TrimSuffix(base, "/") + "/" + what
}

// SwitchSettings say which relay of a device is meant. A dimmer has one as well: its lamp's.
type SwitchSettings struct {
	Place `yaml:",inline"`
	Relay int `yaml:"relay" doc:"relay, counted from 1; default 1. A lamp comes after the relays"`
}

func (s *SwitchSettings) claims() []string {
	return []string{fmt.Sprintf("relay %d of %s", s.Relay, s.Topic)}
}

// Validate says what is wrong with the settings.
func (s *SwitchSettings) Validate() error {
	err := s.Place.Validate()
	if s.Relay < 1 || s.Relay > 32 {
		err = errors.Join(err, fmt.Errorf("relay %d: it is 1 to 32", s.Relay))
	}
	return err
}

// ShutterSettings say which shutter of a device is meant.
type ShutterSettings struct {
	Place   `yaml:",inline"`
	Shutter int `yaml:"shutter" doc:"shutter, counted from 1; default 1"`
}

// Validate says what is wrong with the settings.
func (s *ShutterSettings) Validate() error {
	err := s.Place.Validate()
	if s.Shutter < 1 || s.Shutter > 16 {
		err = errors.Join(err, fmt.Errorf("shutter %d: it is 1 to 16", s.Shutter))
	}
	return err
}

// SensorSettings say which value of a device is meant.
type SensorSettings struct {
	Place `yaml:",inline"`
	Value string `yaml:"value" doc:"where it stands in what Status 10 shows under StatusSNS: AM2301.Temperature, Switch1"`
}

// Validate says what is wrong with the settings.
func (s *SensorSettings) Validate() error {
	err := s.Place.Validate()
	if s.Value == "" {
		err = errors.Join(err, errors.New("value is missing: ask the device Status 10 and write where the value stands under StatusSNS, such as AM2301.Temperature"))
	}
	return err
}

// device is what all capabilities have.
type device struct {
	*mqtt.Station
	place Place
}

// join takes a station for a device and makes its capability.
func join(e devices.Env, p Place, capability func(device) any) (any, error) {
	c := codec{place: p}
	station, err := mqtt.New(e.Line, mqtt.Config{
		Unit: p.Topic, Follow: c.topics(), Read: c.read, Timeout: p.Timeout,
	})
	if err != nil {
		return nil, fmt.Errorf("tasmota: %w", err)
	}
	return capability(device{station, p}), nil
}

// status asks for a status and returns what its answer has at a path.
func (d *device) status(ctx context.Context, number, path string) (string, error) {
	text, err := d.Ask(ctx, d.place.under("cmnd", "Status"), number, statusKey+number)
	if err != nil {
		return "", err
	}
	return d.find(text, number, path)
}

// find finds a value in the answer to a status.
func (d *device) find(text, number, path string) (string, error) {
	v, err := mqtt.Decode([]byte(text))
	if err != nil {
		return "", err
	}
	value, ok := mqtt.Field(v, path)
	if !ok {
		return "", fmt.Errorf("%s shows no %s in Status %s: check its configuration, and relay, shutter or value in the room file", d.place.Topic, path, number)
	}
	return value, nil
}

// relay is a relay.
type relay struct {
	device
	key string // POWER2
}

var (
	_ devices.Switch   = (*relay)(nil)
	_ devices.Notifier = (*relay)(nil)
)

// On implements devices.Switch.
func (r *relay) On(ctx context.Context) (bool, error) {
	value, err := r.status(ctx, askState, r.key)
	return value == "ON", err
}

// SetOn implements devices.Switch.
func (r *relay) SetOn(ctx context.Context, on bool) error {
	word := map[bool]string{true: "ON", false: "OFF"}[on]
	return r.Tell(ctx, r.place.under("cmnd", r.key), word, r.key, func(v string) bool { return v == word })
}

// dimmer is a lamp whose brightness is set. Dark is its relay off: Tasmota keeps the brightness for the next
// time, and so does not say 0.
type dimmer struct{ relay }

var _ devices.Dimmer = (*dimmer)(nil)

// Level implements devices.Dimmer.
func (d *dimmer) Level(ctx context.Context) (int, error) {
	text, err := d.Ask(ctx, d.place.under("cmnd", "Status"), askState, statusKey+askState)
	if err != nil {
		return 0, err
	}
	if on, err := d.find(text, askState, d.key); err != nil || on != "ON" {
		return 0, err
	}
	percent, err := d.find(text, askState, dimmerKey)
	if err != nil {
		return 0, err
	}
	return mqtt.Percent(percent)
}

// SetLevel implements devices.Dimmer.
func (d *dimmer) SetLevel(ctx context.Context, percent int) error {
	switch {
	case percent < 0 || percent > 100:
		return fmt.Errorf("level %d%% is not 0 to 100", percent)
	case percent == 0:
		return d.SetOn(ctx, false)
	}
	word := strconv.Itoa(percent)
	if err := d.Tell(ctx, d.place.under("cmnd", dimmerKey), word, dimmerKey, func(v string) bool { return v == word }); err != nil {
		return err
	}
	// With SetOption20 a brightness does not switch the lamp on.
	if on, known := d.Held(d.key); known && on == "ON" {
		return nil
	}
	return d.SetOn(ctx, true)
}

// shutter is a motor.
type shutter struct {
	device
	number int
}

var (
	_ devices.Positioner = (*shutter)(nil)
	_ devices.Notifier   = (*shutter)(nil)
)

// Where implements devices.Positioner.
func (s *shutter) Where(ctx context.Context) (devices.Whereabouts, error) {
	text, err := s.Ask(ctx, s.place.under("cmnd", "Status"), askSensors, statusKey+askSensors)
	if err != nil {
		return devices.Whereabouts{}, err
	}
	path := shutterKey + strconv.Itoa(s.number)
	position, err := s.find(text, askSensors, path+".Position")
	if err != nil {
		return devices.Whereabouts{}, err
	}
	direction, err := s.find(text, askSensors, path+".Direction")
	if err != nil {
		return devices.Whereabouts{}, err
	}
	return whereabouts(position, direction)
}

// Move implements devices.Mover. What becomes of it is asked: at its end, or told to stop where it stands, a
// shutter has nothing to say by itself.
func (s *shutter) Move(ctx context.Context, m devices.Motion) error {
	name := map[devices.Motion]string{devices.Up: "ShutterOpen", devices.Down: "ShutterClose", devices.Stop: "ShutterStop"}[m]
	if name == "" {
		return fmt.Errorf("a shutter cannot be moved %q", m)
	}
	return s.order(ctx, name, "")
}

// GoTo implements devices.Positioner.
func (s *shutter) GoTo(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("height %d%% is not 0 to 100", percent)
	}
	return s.order(ctx, "ShutterPosition", strconv.Itoa(percent))
}

func (s *shutter) order(ctx context.Context, command, payload string) error {
	topic := s.place.under("cmnd", command+strconv.Itoa(s.number))
	_, err := s.Order(ctx, topic, payload, s.place.under("cmnd", "Status"), askSensors, statusKey+askSensors)
	return err
}

// sensor is one value of a device.
type sensor struct {
	device
	path string
}

var _ devices.Sensor = (*sensor)(nil)

// Measure implements devices.Sensor.
func (s *sensor) Measure(ctx context.Context) (float64, error) {
	value, err := s.status(ctx, askSensors, s.path)
	if err != nil {
		return 0, err
	}
	return mqtt.Number(value)
}
