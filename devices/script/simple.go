package script

import (
	"context"
	"fmt"
	"math"
	"strconv"

	"lectern/devices"
)

var (
	_ devices.Switch     = (*contact)(nil)
	_ devices.Dimmer     = (*dimmed)(nil)
	_ devices.Mover      = (*mover)(nil)
	_ devices.Positioner = (*positioner)(nil)
	_ devices.Sensor     = (*sensor)(nil)
	_ devices.Notifier   = (*contact)(nil)
	_ devices.Slow       = (*contact)(nil)
)

// contact is a relay or an outlet.
type contact struct{ *talk }

// On implements devices.Switch.
func (c *contact) On(ctx context.Context) (bool, error) {
	if !c.tells("power") {
		word, err := c.last("power", "power")
		return word == "on", err
	}
	got, err := c.ask(ctx, nil, "power")
	if err != nil {
		return false, err
	}
	word, err := c.wordOf("power", got["power"])
	return word == "on", err
}

// SetOn implements devices.Switch.
func (c *contact) SetOn(ctx context.Context, on bool) error {
	word := onWord(on)
	return c.set(ctx, word, nil, "power", word, "power")
}

func onWord(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// dimmed is a dimmed circuit.
type dimmed struct{ *talk }

// Level implements devices.Dimmer.
func (l *dimmed) Level(ctx context.Context) (int, error) {
	if !l.tells("level") {
		word, err := l.last("level", "level")
		percent, _ := strconv.Atoi(word)
		return percent, err
	}
	got, err := l.ask(ctx, nil, "level")
	if err != nil {
		return 0, err
	}
	return l.percentOf("level", got["level"])
}

// SetLevel implements devices.Dimmer.
func (l *dimmed) SetLevel(ctx context.Context, percent int) error {
	values, err := l.percentage("level", percent)
	if err != nil {
		return err
	}
	return l.set(ctx, "level", values, "level", strconv.Itoa(percent), "level")
}

// mover is a motor with its own control that does not say where it is.
type mover struct{ *talk }

// Move implements devices.Mover. All motions have one key, so that a stop takes the place of what
// waits.
func (m *mover) Move(ctx context.Context, to devices.Motion) error {
	switch to {
	case devices.Up, devices.Stop, devices.Down:
		return m.set(ctx, string(to), nil, "motion", string(to), "motion")
	}
	return fmt.Errorf("script %s: there is no motion %q", m.id, to)
}

// positioner is a motor that says where it is.
type positioner struct{ mover }

// Where implements devices.Positioner. A position that is no number means that the motor has lost its
// limits, where the table of values says none.
func (p *positioner) Where(ctx context.Context) (devices.Whereabouts, error) {
	got, err := p.ask(ctx, nil, "position", "motion")
	if err != nil {
		return devices.Whereabouts{}, err
	}
	word, err := p.wordOf("motion", got["motion"])
	if err != nil {
		return devices.Whereabouts{}, err
	}
	w := devices.Whereabouts{Motion: devices.Motion(word)}
	if p.textOf("position", got["position"]) == "" {
		return w, nil
	}
	w.Percent, err = p.percentOf("position", got["position"])
	w.Known = err == nil
	return w, err
}

// GoTo implements devices.Positioner.
func (p *positioner) GoTo(ctx context.Context, percent int) error {
	values, err := p.percentage("position", percent)
	if err != nil {
		return err
	}
	return p.set(ctx, "position", values, "position", strconv.Itoa(percent), "motion")
}

// sensor measures one thing.
type sensor struct{ *talk }

// Measure implements devices.Sensor. A word of the table stands for 0 or 1, or for another number.
func (s *sensor) Measure(ctx context.Context) (float64, error) {
	got, err := s.ask(ctx, nil, "value")
	if err != nil {
		return 0, err
	}
	if word, ok := s.values["value"].Words[s.plain("value", got["value"])]; ok {
		n, err := strconv.ParseFloat(word, 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return 0, garbled("value", got["value"], "its word means no number")
		}
		return n, nil
	}
	return s.numberOf("value", got["value"])
}
