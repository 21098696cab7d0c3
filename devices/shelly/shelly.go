// Package shelly drives Shelly devices of the second generation and later (Plus, Pro, Gen3, Gen4), over MQTT.
//
// What they are like (Shelly API documentation, Gen2: RPC Protocol, Notifications, Switch, Light, Cover), and
// what it means here:
//
//   - A request is a JSON-RPC frame on <topic_prefix>/rpc. The response goes to <src>/rpc, src being whatever
//     the caller has called himself; every device of a room file calls itself by a name of its own.
//   - Responses bear the number of their request, so no answer can be taken for another.
//   - What changes by itself is notified on <topic_prefix>/events/rpc, only the attributes that have changed:
//     that is a reason to ask, not a state. It needs "RPC status notifications" in the device's MQTT settings,
//     which are on by default; "Enable RPC over MQTT" must be on as well.
//   - The last will stands on <topic_prefix>/online: true or false.
//   - A cover that is not calibrated has no position (current_pos is null) and cannot be sent to one.
package shelly

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/mqtt"
)

const (
	facts = "Shelly API documentation, Gen2: RPC Protocol, Notifications, Switch, Light, Cover, Input, Temperature, Humidity, Illuminance"
	// usualTime is what a device on mains and Wi-Fi takes at most.
	usualTime = 3 * time.Second
)

// Drivers describes the drivers.
func Drivers() []devices.Driver {
	lines := []line.Kind{line.MQTT}
	claims := func(component string) func(any) []string {
		return func(s any) []string {
			set := s.(*Settings)
			return []string{fmt.Sprintf("%s %d of %s", component, set.ID, set.TopicPrefix)}
		}
	}
	settings := func() any { return &Settings{Timeout: usualTime} }
	return []devices.Driver{
		{
			Name: "shelly-switch", Feedback: "asked, speaks up by itself", Equipment: "Shelly relays, Gen2 and later", Facts: facts,
			Kinds: []string{"circuit", "light"}, Lines: lines, Bus: mqtt.Bus, Settings: settings, Claims: claims("switch"),
			New: func(e devices.Env, s any) (any, error) {
				return join(e, *s.(*Settings), "switch", func(d device) any { return &relay{d} })
			},
		},
		{
			Name: "shelly-light", Feedback: "asked, speaks up by itself", Equipment: "Shelly dimmers, Gen2 and later", Facts: facts,
			Kinds: []string{"dimmer"}, Lines: lines, Bus: mqtt.Bus, Settings: settings, Claims: claims("light"),
			New: func(e devices.Env, s any) (any, error) {
				return join(e, *s.(*Settings), "light", func(d device) any { return &lamp{d} })
			},
		},
		{
			Name: "shelly-cover", Feedback: "asked, speaks up by itself", Equipment: "Shelly motor controls, Gen2 and later", Facts: facts,
			Kinds: []string{"curtain", "screen"}, Lines: lines, Bus: mqtt.Bus, Settings: settings, Claims: claims("cover"),
			New: func(e devices.Env, s any) (any, error) {
				return join(e, *s.(*Settings), "cover", func(d device) any { return &cover{d} })
			},
		},
		{
			Name: "shelly-sensor", Feedback: "asked, speaks up by itself", Equipment: "Shelly sensors and inputs on mains, Gen2 and later", Facts: facts,
			Kinds: []string{"sensor"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &SensorSettings{Settings: Settings{Timeout: usualTime}} },
			New: func(e devices.Env, s any) (any, error) {
				set := s.(*SensorSettings)
				return join(e, set.Settings, set.Component, func(d device) any { return &sensor{d} })
			},
		},
	}
}

// Settings say which component of which device is meant.
type Settings struct {
	TopicPrefix string        `yaml:"topic_prefix" doc:"as the device's MQTT settings show it: its own id, such as shellyplus1-a8032abe54dc, or what somebody wrote there"`
	ID          int           `yaml:"id" doc:"number of the switch, light, cover or sensor on the device, counted from 0"`
	Timeout     time.Duration `yaml:"timeout" doc:"how long it may take to answer; default 3s"`
}

// Validate says what is wrong with the settings.
func (s *Settings) Validate() error {
	err := mqtt.CheckTopic("topic_prefix", s.TopicPrefix)
	if s.ID < 0 || s.ID > 255 {
		err = errors.Join(err, fmt.Errorf("id %d: it is 0 to 255", s.ID))
	}
	if s.Timeout < 100*time.Millisecond || s.Timeout > time.Minute {
		err = errors.Join(err, fmt.Errorf("timeout %s: it is between 100ms and 1m", s.Timeout))
	}
	return err
}

// SensorSettings say which sensor is meant.
type SensorSettings struct {
	Settings  `yaml:",inline"`
	Component string `yaml:"component" doc:"temperature, humidity, illuminance or input"`
}

// Validate says what is wrong with the settings.
func (s *SensorSettings) Validate() error {
	err := s.Settings.Validate()
	if _, ok := measured[s.Component]; !ok {
		err = errors.Join(err, fmt.Errorf("component %q: it is temperature, humidity, illuminance or input", s.Component))
	}
	return err
}

// measured is where the value stands in the status of a sensor.
var measured = map[string]string{"temperature": "tC", "humidity": "rh", "illuminance": "lux", "input": "state"}

// device is what all capabilities have.
type device struct {
	*mqtt.Station
	line      *line.Line
	set       Settings
	component string // switch
	source    string // what this end calls itself
}

// join takes a station for a device and makes its capability.
func join(e devices.Env, s Settings, component string, capability func(device) any) (any, error) {
	// Of two controllers on a broker neither must hear the other's answers.
	d := device{line: e.Line, set: s, component: component, source: fmt.Sprintf("lectern-%s-%s", e.Device, rand.Text()[:8])}
	c := codec{prefix: s.TopicPrefix, source: d.source, component: fmt.Sprintf("%s:%d", component, s.ID)}
	station, err := mqtt.New(e.Line, mqtt.Config{Unit: s.TopicPrefix, Follow: c.topics(), Read: c.read, Timeout: s.Timeout})
	if err != nil {
		return nil, fmt.Errorf("shelly: %w", err)
	}
	d.Station = station
	return capability(d), nil
}

// call asks the component to do something, or how it is, and returns the result.
func (d *device) call(ctx context.Context, method string, params map[string]any) (any, error) {
	number := d.line.Number()
	frame, err := encode(number, d.source, namespaces[d.component]+"."+method, d.set.ID, params)
	if err != nil {
		return nil, err
	}
	result, err := d.Ask(ctx, d.set.TopicPrefix+"/rpc", frame, mqtt.Answer(number))
	if err != nil {
		return nil, err
	}
	return mqtt.Decode([]byte(result))
}

// namespaces are the components as methods call them.
var namespaces = map[string]string{
	"switch": "Switch", "light": "Light", "cover": "Cover",
	"temperature": "Temperature", "humidity": "Humidity", "illuminance": "Illuminance", "input": "Input",
}

// status asks how the component is and returns a value of its status.
func (d *device) status(ctx context.Context) (any, error) { return d.call(ctx, "GetStatus", nil) }

func (d *device) lacks(key string) error {
	return fmt.Errorf("%s: the status of %s %d has no %s", d.set.TopicPrefix, d.component, d.set.ID, key)
}

// relay is a switch.
type relay struct{ device }

var (
	_ devices.Switch   = (*relay)(nil)
	_ devices.Notifier = (*relay)(nil)
)

// On implements devices.Switch.
func (r *relay) On(ctx context.Context) (bool, error) {
	status, err := r.status(ctx)
	if err != nil {
		return false, err
	}
	output, ok := mqtt.Field(status, "output")
	if !ok {
		return false, r.lacks("output")
	}
	return output == "true", nil
}

// SetOn implements devices.Switch.
func (r *relay) SetOn(ctx context.Context, on bool) error {
	_, err := r.call(ctx, "Set", map[string]any{"on": on})
	return err
}

// lamp is a light.
type lamp struct{ device }

var (
	_ devices.Dimmer   = (*lamp)(nil)
	_ devices.Notifier = (*lamp)(nil)
)

// Level implements devices.Dimmer.
func (l *lamp) Level(ctx context.Context) (int, error) {
	status, err := l.status(ctx)
	if err != nil {
		return 0, err
	}
	output, ok := mqtt.Field(status, "output")
	if !ok {
		return 0, l.lacks("output")
	}
	if output != "true" {
		return 0, nil
	}
	brightness, ok := mqtt.Field(status, "brightness")
	if !ok {
		return 0, l.lacks("brightness")
	}
	return mqtt.Percent(brightness)
}

// SetLevel implements devices.Dimmer.
func (l *lamp) SetLevel(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("level %d%% is not 0 to 100", percent)
	}
	params := map[string]any{"on": percent > 0}
	if percent > 0 {
		params["brightness"] = percent
	}
	_, err := l.call(ctx, "Set", params)
	return err
}

// cover is a motor.
type cover struct{ device }

var (
	_ devices.Positioner = (*cover)(nil)
	_ devices.Notifier   = (*cover)(nil)
)

// Where implements devices.Positioner.
func (c *cover) Where(ctx context.Context) (devices.Whereabouts, error) {
	status, err := c.status(ctx)
	if err != nil {
		return devices.Whereabouts{}, err
	}
	return whereabouts(status)
}

// Move implements devices.Mover.
func (c *cover) Move(ctx context.Context, m devices.Motion) error {
	method := map[devices.Motion]string{devices.Up: "Open", devices.Down: "Close", devices.Stop: "Stop"}[m]
	if method == "" {
		return fmt.Errorf("a cover cannot be moved %q", m)
	}
	_, err := c.call(ctx, method, nil)
	return err
}

// GoTo implements devices.Positioner.
func (c *cover) GoTo(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("height %d%% is not 0 to 100", percent)
	}
	w, err := c.Where(ctx)
	if err != nil {
		return err
	}
	if !w.Known {
		return &devices.Refusal{Reason: devices.Phrase{
			ZH: "电机尚未校准，请先在 Shelly 中校准", EN: "The motor is not calibrated: calibrate it in the Shelly first",
		}}
	}
	_, err = c.call(ctx, "GoToPosition", map[string]any{"pos": percent})
	return err
}

// sensor measures one thing.
type sensor struct{ device }

var (
	_ devices.Sensor   = (*sensor)(nil)
	_ devices.Notifier = (*sensor)(nil)
)

// Measure implements devices.Sensor.
func (s *sensor) Measure(ctx context.Context) (float64, error) {
	status, err := s.status(ctx)
	if err != nil {
		return 0, err
	}
	key := measured[s.component]
	value, ok := mqtt.Field(status, key)
	if !ok { // null where the sensor has failed
		return 0, s.lacks(key)
	}
	return mqtt.Number(value)
}
