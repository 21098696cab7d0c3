// Package topic drives any equipment on an MQTT broker whose topics and payloads can be said in the room file:
// a topic to set it, the payloads that do so, a topic on which it says its state, and where in the payload that
// stands.
//
// What equipment is free to leave out decides how far it is believed:
//
//   - With a state topic a command is done when the state says so. Without one the equipment is one-way: what
//     it was told is shown as assumed.
//   - With ask it is asked for its state. Without, its state is what it said last, retained or not, as long as
//     the broker is alive and its last will (available) does not say that it is gone.
//   - A cover that does not say whether it moves is timed by its travel, like a motor on two relays.
package topic

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/mqtt"
)

const (
	facts = "the equipment's own description of its topics; MQTT 3.1.1"
	// UsualTime is how long equipment may take to answer.
	UsualTime = 3 * time.Second
)

// The keys of news.
const (
	stateKey  = "state"
	powerKey  = "power"
	motionKey = "motion"
)

// Drivers describes the drivers.
func Drivers() []devices.Driver {
	lines := []line.Kind{line.MQTT}
	return []devices.Driver{
		{
			Name: "mqtt-switch", Feedback: "as it has; one-way without a state topic", Equipment: "anything that is switched on and off by MQTT messages", Facts: facts,
			Kinds: []string{"circuit", "light"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &Switch{Place: Place{Timeout: UsualTime}, On: "ON", Off: "OFF"} },
			Claims:   func(s any) []string { set := s.(*Switch); return []string{"topic " + set.Set + " " + set.Value} },
			New:      func(e devices.Env, s any) (any, error) { return NewSwitch(e, *s.(*Switch)) },
		},
		{
			Name: "mqtt-dimmer", Feedback: "as it has; one-way without a state topic", Equipment: "lamps whose brightness is set by MQTT messages", Facts: facts,
			Kinds: []string{"dimmer"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &Dimmer{Place: Place{Timeout: UsualTime}, Payload: level, Max: 100} },
			Claims:   func(s any) []string { set := s.(*Dimmer); return []string{"topic " + set.Set + " " + set.Value} },
			New:      func(e devices.Env, s any) (any, error) { return NewDimmer(e, *s.(*Dimmer)) },
		},
		{
			Name: "mqtt-cover", Feedback: "as it has; one-way without a state topic", Equipment: "curtain and screen motors that are moved by MQTT messages", Facts: facts,
			Kinds: []string{"curtain", "screen"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any {
				return &Cover{
					Place: Place{Timeout: UsualTime}, Up: "OPEN", Stop: "STOP", Down: "CLOSE", PositionPayload: position,
					Opening: "opening", Closing: "closing",
				}
			},
			Claims: func(s any) []string { return []string{"topic " + s.(*Cover).Set} },
			New:    func(e devices.Env, s any) (any, error) { return NewCover(e, *s.(*Cover)) },
		},
		{
			Name: "mqtt-sensor", Feedback: "as it has; one-way without a state topic", Equipment: "sensors that publish what they measure", Facts: facts,
			Kinds: []string{"sensor"}, Lines: lines, Bus: mqtt.Bus,
			Settings: func() any { return &Sensor{Place: Place{Timeout: UsualTime}, Divide: 1} },
			New:      func(e devices.Env, s any) (any, error) { return NewSensor(e, *s.(*Sensor)) },
		},
	}
}

// station takes a station for a device.
func station(e devices.Env, unit string, p Place, more ...feed) (*mqtt.Station, error) {
	c := codec{available: p.Available, host: p.Host}
	if p.State != "" {
		c.feeds = append(c.feeds, feed{p.State, p.Value, stateKey})
	}
	for _, f := range more {
		if f.topic != "" {
			c.feeds = append(c.feeds, f)
		}
	}
	s, err := mqtt.New(e.Line, mqtt.Config{Unit: unit, Follow: c.topics(), Read: c.read, Timeout: p.Timeout})
	if err != nil {
		return nil, fmt.Errorf("mqtt: %w", err)
	}
	return s, nil
}

// read returns what the equipment says of a key: asked, or as it said last.
func (p *Place) read(ctx context.Context, s *mqtt.Station, key string) (string, error) {
	if p.Ask != "" {
		return s.Ask(ctx, p.Ask, p.AskWith, key)
	}
	return s.Recall(ctx, p.State, key, p.MaxAge)
}

// told remembers what equipment was last told: all that is known of one-way equipment, and of a coarse scale the
// percentage that was meant.
type told struct {
	mu    sync.Mutex
	value int
	known bool
}

// note remembers a value that was sent, or taken, and returns err.
func (t *told) note(value int, err error) error {
	if err == nil || errors.Is(err, devices.ErrSent) {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.value, t.known = value, true
	}
	return err
}

func (t *told) recall() (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known {
		return 0, &devices.Refusal{Reason: devices.Phrase{ZH: "设备不报告状态", EN: "The equipment does not tell its state"}}
	}
	return t.value, devices.ErrSent
}

// contact is something that is on or off.
type contact struct {
	*mqtt.Station
	set  Switch
	told told
}

var (
	_ devices.Switch   = (*contact)(nil)
	_ devices.Notifier = (*contact)(nil)
)

// NewSwitch makes a devices.Switch of checked settings. It is also for the drivers of bridges, whose topics
// follow a rule.
func NewSwitch(e devices.Env, set Switch) (any, error) {
	s, err := station(e, set.Set, set.Place)
	if err != nil {
		return nil, err
	}
	return &contact{Station: s, set: set}, nil
}

// On implements devices.Switch.
func (c *contact) On(ctx context.Context) (bool, error) {
	if c.set.State == "" {
		v, err := c.told.recall()
		return v == 1, err
	}
	value, err := c.set.read(ctx, c.Station, stateKey)
	if err != nil {
		return false, err
	}
	switch value {
	case c.set.stateOn():
		return true, nil
	case c.set.stateOff():
		return false, nil
	}
	return false, fmt.Errorf("%s says %.40q, which is neither %q nor %q: see state_on and state_off in the room file", c.set.State, value, c.set.stateOn(), c.set.stateOff())
}

// SetOn implements devices.Switch.
func (c *contact) SetOn(ctx context.Context, on bool) error {
	payload, want, number := c.set.Off, c.set.stateOff(), 0
	if on {
		payload, want, number = c.set.On, c.set.stateOn(), 1
	}
	if c.set.State == "" {
		return c.told.note(number, c.Send(ctx, c.set.Set, payload))
	}
	return c.Tell(ctx, c.set.Set, payload, stateKey, func(v string) bool { return v == want })
}

// lamp is a dimmed lamp.
type lamp struct {
	*mqtt.Station
	set  Dimmer
	told told
}

var (
	_ devices.Dimmer   = (*lamp)(nil)
	_ devices.Notifier = (*lamp)(nil)
)

// NewDimmer makes a devices.Dimmer of checked settings; see NewSwitch.
func NewDimmer(e devices.Env, set Dimmer) (any, error) {
	power := feed{}
	if set.Power != "" {
		power = feed{set.State, set.Power, powerKey}
	}
	s, err := station(e, set.Set, set.Place, power)
	if err != nil {
		return nil, err
	}
	return &lamp{Station: s, set: set}, nil
}

// Level implements devices.Dimmer.
func (l *lamp) Level(ctx context.Context) (int, error) {
	if l.set.State == "" {
		return l.told.recall()
	}
	if l.set.Power == "" {
		value, err := l.set.read(ctx, l.Station, stateKey)
		if err != nil {
			return 0, err
		}
		return l.percent(value)
	}
	power, err := l.set.read(ctx, l.Station, powerKey)
	if err != nil || power == l.set.PowerOff {
		return 0, err
	}
	value, known := l.Held(stateKey) // it came with the power
	if !known {
		return 0, fmt.Errorf("%s says that it is on and no %s", l.set.State, l.set.Value)
	}
	return l.percent(value)
}

// percent reads a brightness. On a scale of less than a hundred steps several percentages are one number, and
// the one that was asked for is to be read again.
func (l *lamp) percent(text string) (int, error) {
	raw, err := number(text)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", l.set.State, err)
	}
	if asked, err := l.told.recall(); errors.Is(err, devices.ErrSent) && l.set.raw(asked) == raw {
		return asked, nil
	}
	return l.set.percent(raw), nil
}

// SetLevel implements devices.Dimmer.
func (l *lamp) SetLevel(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("level %d%% is not 0 to 100", percent)
	}
	raw := l.set.raw(percent)
	payload := strings.ReplaceAll(l.set.Payload, level, strconv.Itoa(raw))
	if percent == 0 && l.set.Off != "" {
		payload = l.set.Off
	}
	switch {
	case l.set.State == "":
		return l.told.note(percent, l.Send(ctx, l.set.Set, payload))
	case percent == 0 && l.set.Power != "":
		return l.Tell(ctx, l.set.Set, payload, powerKey, func(v string) bool { return v == l.set.PowerOff })
	}
	return l.told.note(percent, l.Tell(ctx, l.set.Set, payload, stateKey, func(v string) bool {
		got, err := number(v)
		return err == nil && got == raw
	}))
}

// motor is a cover that says where it is and what it does.
type motor struct {
	mover
}

// mover is a cover that does not say what it does.
type mover struct {
	*mqtt.Station
	set Cover
}

var (
	_ devices.Positioner = (*motor)(nil)
	_ devices.Notifier   = (*motor)(nil)
	_ devices.Mover      = (*mover)(nil)
)

// NewCover makes a devices.Positioner of checked settings, or a devices.Mover where the equipment does not say
// what it does; see NewSwitch.
func NewCover(e devices.Env, set Cover) (any, error) {
	motion := feed{}
	if set.tellsMotion() {
		motion = feed{set.motionTopic(), set.MotionValue, motionKey}
	}
	s, err := station(e, set.Set, set.Place, motion)
	if err != nil {
		return nil, err
	}
	if set.tellsMotion() {
		return &motor{mover{s, set}}, nil
	}
	return &mover{s, set}, nil
}

// Move implements devices.Mover. What the motor then does is not seen.
func (m *mover) Move(ctx context.Context, to devices.Motion) error {
	payload, err := m.set.payload(to)
	if err != nil {
		return err
	}
	return m.Send(ctx, m.set.Set, payload)
}

// Move implements devices.Mover.
func (m *motor) Move(ctx context.Context, to devices.Motion) error {
	payload, err := m.set.payload(to)
	if err != nil {
		return err
	}
	return m.start(ctx, m.set.Set, payload)
}

// start sends a command and sees to it that what is read next is what came of it. Where a motor has got to and
// whether it moves may be two messages, in either order: it is the second that a command changes at once.
func (m *motor) start(ctx context.Context, topic, payload string) error {
	if m.set.Ask == "" {
		return m.Start(ctx, topic, payload, motionKey)
	}
	_, err := m.Order(ctx, topic, payload, m.set.Ask, m.set.AskWith, stateKey)
	return err
}

// Where implements devices.Positioner.
func (m *motor) Where(ctx context.Context) (devices.Whereabouts, error) {
	w := devices.Whereabouts{Motion: devices.Stop}
	value, err := m.set.read(ctx, m.Station, stateKey)
	if err != nil {
		return w, err
	}
	percent, err := mqtt.Percent(value)
	if err != nil {
		return w, fmt.Errorf("%s: %w", m.set.State, err)
	}
	w.Percent, w.Known = m.set.turned(percent), true
	motion, known := m.Held(motionKey)
	switch {
	case !known:
		return w, fmt.Errorf("%s: %w: it has said where it is and not whether it moves", m.set.motionTopic(), line.ErrNoReply)
	case motion == m.set.Opening:
		w.Motion = devices.Up
	case motion == m.set.Closing:
		w.Motion = devices.Down
	}
	return w, nil
}

// GoTo implements devices.Positioner.
func (m *motor) GoTo(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("height %d%% is not 0 to 100", percent)
	}
	payload := strings.ReplaceAll(m.set.PositionPayload, position, strconv.Itoa(m.set.turned(percent)))
	return m.start(ctx, m.set.positionTopic(), payload)
}

// gauge is a sensor.
type gauge struct {
	*mqtt.Station
	set Sensor
}

var (
	_ devices.Sensor   = (*gauge)(nil)
	_ devices.Notifier = (*gauge)(nil)
)

// NewSensor makes a devices.Sensor of checked settings; see NewSwitch.
func NewSensor(e devices.Env, set Sensor) (any, error) {
	s, err := station(e, set.State, set.Place)
	if err != nil {
		return nil, err
	}
	return &gauge{s, set}, nil
}

// Measure implements devices.Sensor.
func (g *gauge) Measure(ctx context.Context) (float64, error) {
	value, err := g.set.read(ctx, g.Station, stateKey)
	if err != nil {
		return 0, err
	}
	if g.set.Yes != "" {
		return map[bool]float64{true: 1}[value == g.set.Yes], nil
	}
	f, err := mqtt.Number(value)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", g.set.State, err)
	}
	return f / g.set.Divide, nil
}
