// Package somfy plays Somfy SDN motors on an RS-485 bus, as the "SDN Integration Guide" describes
// them: inverted bytes, addresses that travel backwards, answers only to those who are asked, and
// positions that are counted from the up limit.
package somfy

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

// travel is how long a motor needs from one limit to the other at speed 1. A shade of 2 m takes about
// so long.
const travel = 20 * time.Second

// pulses is how many counts of its encoder a motor has between its limits.
const pulses = 1028

// faults lists what Fault takes.
const faults = `"" (healed), nak (every command is answered NACK 01), busy (NACK FF), locked (NACK 20), ` +
	`jammed (the motors acknowledge and do not move), no-limits (the motors have lost their limits)`

// motor is one motor. All its fields are guarded by the bus.
type motor struct {
	device   string
	id       [3]byte // as on the label
	reversed bool    // it was fitted the other way round

	down   float64   // per cent from what the motor calls its up limit, at the time of since
	since  time.Time // when down was true
	way    float64   // +1 going down, -1 going up, 0 standing
	last   byte      // direction of the last motion: 0 down, 1 up, FF never moved
	target float64   // where the present motion ends
	source byte      // of the last motion: 1 network, 2 somebody at the motor
	cause  byte      // why it stands: 0 target reached, 1 told to
}

// Bus is the motors on one line. It implements sim.Unit.
type Bus struct {
	travel time.Duration

	mu     sync.Mutex
	motors []*motor
	fault  string
}

// New makes the motors of one line. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	b := &Bus{travel: o.Scale(travel)}
	for _, d := range devices {
		text, ok := d.With["motor"].(string)
		id, err := hex.DecodeString(strings.NewReplacer(".", "", ":", "", " ", "").Replace(text))
		if !ok || err != nil || len(id) != 3 {
			return nil, fmt.Errorf("simulated motor %s: address %v is not three hex bytes; write it with dots or in quotes", d.ID, d.With["motor"])
		}
		m := &motor{device: d.ID, id: [3]byte(id), since: time.Now(), last: 0xFF, down: 100}
		if m.reversed, _ = d.With["reversed"].(bool); m.reversed {
			m.down = 0
		}
		b.motors = append(b.motors, m)
	}
	return b, nil
}

// height turns a place in per cent from the motor's up limit into a height, and the other way round.
func (m *motor) height(place float64) float64 {
	if m.reversed {
		return place
	}
	return 100 - place
}

// Truth implements sim.Equipment.
func (b *Bus) Truth() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	truth := make(map[string]string)
	for _, m := range b.motors {
		b.advance(m)
		truth[m.device+".position"] = strconv.Itoa(int(math.Round(m.height(m.down))))
		motion := "stop"
		if m.way != 0 {
			motion = map[bool]string{true: "down", false: "up"}[(m.way > 0) != m.reversed]
		}
		truth[m.device+".motion"] = motion
	}
	return truth
}

// Nudge implements sim.Equipment: position is somebody pulling at the shade, motion somebody at the
// wall switch of the motor.
func (b *Bus) Nudge(device, property, value string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.motors {
		if m.device != device {
			continue
		}
		b.advance(m)
		switch property {
		case "position":
			percent, err := strconv.Atoi(value)
			if err != nil || percent < 0 || percent > 100 {
				return fmt.Errorf("motor %s: position %q is not 0 to 100", device, value)
			}
			m.down, m.way = m.height(float64(percent)), 0
			return nil
		case "motion":
			height, ok := map[string]float64{"up": 100, "down": 0}[value]
			switch {
			case ok:
				b.run(m, m.height(height), 2)
			case value == "stop":
				m.way, m.source, m.cause = 0, 2, 1
			default:
				return fmt.Errorf("motor %s: motion %q is not up, stop or down", device, value)
			}
			return nil
		}
		return fmt.Errorf("motor %s has no %q: it has position and motion", device, property)
	}
	return fmt.Errorf("no simulated motor %q", device)
}

// Fault implements sim.Equipment.
func (b *Bus) Fault(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch name {
	case "", "nak", "busy", "locked":
	case "jammed", "no-limits":
		for _, m := range b.motors {
			b.advance(m)
			m.way = 0
		}
	default:
		return fmt.Errorf("fault %q is not known: the motors take %s", name, faults)
	}
	b.fault = name
	return nil
}

// run starts a motion.
func (b *Bus) run(m *motor, target float64, source byte) {
	m.target, m.source, m.cause = target, source, 0
	switch {
	case b.fault == "jammed" || target == m.down:
		m.way = 0
	case target > m.down:
		m.way, m.last = 1, 0
	default:
		m.way, m.last = -1, 1
	}
}

// advance brings a motor's place up to the present.
func (b *Bus) advance(m *motor) {
	now := time.Now()
	moved := m.way * 100 * float64(now.Sub(m.since)) / float64(max(b.travel, 1))
	m.since = now
	if m.way == 0 {
		return
	}
	m.down += moved
	if m.way > 0 && m.down >= m.target || m.way < 0 && m.down <= m.target {
		m.down, m.way = m.target, 0
	}
}
