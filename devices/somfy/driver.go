// Package somfy drives Somfy Digital Network (SDN) motors on RS-485: Sonesse 30 and 50 RS485, Glydea
// and their like, which speak the protocol's third edition. The line runs at 4800 baud, 8O1, which a
// room file must say (`baud: 4800, format: 8O1`); nothing else can share it. The facts come from
// Somfy's "SDN Integration Guide", from wb-mqtt-serial's test frames and from the somfy_sdn project.
//
// What the motors are like, and what it means here:
//
//   - They count from the up limit: 0 % is up, 100 % is down. Lectern counts heights, so both are
//     turned over.
//   - A fitter may have set a motor to turn the other way, or a curtain may open at what the motor
//     calls down; drivers in the field disagree about which end is "open". The setting `reversed`
//     exchanges the two ends. Try "up" once at commissioning.
//   - The limits are set by a fitter and kept without mains. Without them a position reads FF and the
//     motor refuses to go anywhere.
//   - ACK and NACK name no command: one that comes late looks like the answer to the next. After a
//     time-out the line leaves the motor alone for a while. A stop alone is sent all the same, and
//     whoever minds reads back whether the motor stands.
//   - A motor answers within 5 to 255 ms, at random, and wants 10 ms of silence before the next frame.
//   - Motors of the second edition (older Sonesse 50) answer NACK to everything and are not supported.
package somfy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// timeout is the 255 ms that a motor may take, the 37 ms of the longest answer at 4800 baud, and
	// what an adapter on USB adds.
	timeout = 400 * time.Millisecond
	pause   = 10 * time.Millisecond
)

// Settings are what a room file says of one motor.
type Settings struct {
	Motor    string `yaml:"motor" doc:"the motor's address, three hex bytes as on its label: \"07.68.C0\""`
	Node     int    `yaml:"node" doc:"type of the motor: 2 Sonesse 30 (default), 6 Glydea, 7 Sonesse 50 AC, 8 Sonesse 50 DC, 0 any"`
	Reversed bool   `yaml:"reversed" doc:"true where the motor goes down when told up; default false"`
}

// Validate checks the settings.
func (s *Settings) Validate() error {
	_, err := parseAddress(s.Motor)
	if s.Node < 0 || s.Node > 15 {
		err = errors.Join(err, fmt.Errorf("node %d: it is 0 to 15", s.Node))
	}
	return err
}

// Driver returns the driver "somfy-sdn".
func Driver() devices.Driver {
	return devices.Driver{
		Name:      "somfy-sdn",
		Feedback:  "position and motion",
		Equipment: "Somfy SDN curtain and shade motors with RS-485 (Sonesse, Glydea)",
		Facts:     "Somfy SDN Integration Guide; frames of wb-mqtt-serial's tests",
		Kinds:     []string{"curtain", "screen"},
		Lines:     []line.Kind{line.Serial, line.TCP},
		Bus:       "somfy-sdn", // another speed and parity than everything else on RS-485
		Settings:  func() any { return &Settings{Node: 2} },
		Claims: func(settings any) []string {
			m, err := parseAddress(settings.(*Settings).Motor)
			if err != nil {
				return nil // Validate says what is wrong with it
			}
			return []string{unit(m)}
		},
		// The status and the position, as motors of the third edition tell them; see Where.
		Poll: devices.Apart(func(any) []devices.Frames {
			return []devices.Frames{{Asked: 11, Answered: 15}, {Asked: 11, Answered: 16}}
		}),
		New: func(env devices.Env, settings any) (any, error) {
			s := settings.(*Settings)
			m, err := parseAddress(s.Motor)
			if err != nil {
				return nil, err
			}
			return &motor{line: env.Line, address: m, kind: byte(s.Node), reversed: s.Reversed}, nil
		},
	}
}

// unit names a motor on its line, for errors and for the key that all its moves share.
func unit(m address) string { return "motor " + m.String() }

// motor is one motor. It implements devices.Positioner.
type motor struct {
	line     *line.Line
	address  address
	kind     byte
	reversed bool
}

var _ devices.Positioner = (*motor)(nil)

// Move implements devices.Mover.
func (m *motor) Move(ctx context.Context, way devices.Motion) error {
	switch way {
	case devices.Up, devices.Down:
		to := byte(toDownLimit)
		if (way == devices.Up) != m.reversed {
			to = toUpLimit
		}
		return m.moveTo(ctx, string(way), to, 0, func(w devices.Whereabouts) bool { return arrived(w, way) })
	case devices.Stop:
		// The guide calls the byte reserved; drivers in the field send 0 or 1.
		code, refused, err := m.tell(ctx, "stop", true, messageStop, 0x01)
		if err == nil && refused {
			err = fmt.Errorf("somfy stop: %w", rejection(code))
		}
		return err
	}
	return fmt.Errorf("somfy: motion %q is not up, stop or down", way)
}

// arrived reports whether a motor is where a motion would have taken it, or on its way there.
func arrived(w devices.Whereabouts, way devices.Motion) bool {
	if w.Motion != devices.Stop {
		return w.Motion == way
	}
	return w.Known && w.Percent == map[devices.Motion]int{devices.Up: 100, devices.Down: 0}[way]
}

// GoTo implements devices.Positioner.
func (m *motor) GoTo(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("somfy: position %d%% is not 0 to 100", percent)
	}
	below := 100 - percent
	if m.reversed {
		below = percent
	}
	return m.moveTo(ctx, fmt.Sprintf("go to %d%%", percent), toPercent, byte(below), func(w devices.Whereabouts) bool {
		return w.Known && w.Motion == devices.Stop && w.Percent == percent
	})
}

// moveTo sends a motor to a limit or a position. Motors in the field also refuse to go where they
// stand already, which nobody would call an error: where there is a NACK, the motor is asked.
func (m *motor) moveTo(ctx context.Context, word string, to, percent byte, there func(devices.Whereabouts) bool) error {
	code, refused, err := m.tell(ctx, word, false, messageMoveTo, to, percent, 0, 0)
	if err != nil || !refused {
		return err
	}
	w, err := m.Where(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("somfy %s was refused: %w", word, err)
	case there(w):
		return nil
	case !w.Known:
		return &devices.Refusal{Reason: noLimits}
	}
	return fmt.Errorf("somfy %s: %w", word, rejection(code))
}

// tell gives a command and returns the error code where the motor refuses it.
func (m *motor) tell(ctx context.Context, word string, sure bool, message byte, data ...byte) (code byte, refused bool, err error) {
	f, err := m.ask(ctx, word+" "+unit(m.address), unit(m.address), sure, messageAck, 0, message, data...)
	if err != nil {
		return 0, false, err
	}
	code, refused = f.refused()
	return code, refused, nil
}

// ask does one exchange: a message, and the answer with so much data that is expected to it.
func (m *motor) ask(ctx context.Context, note, key string, sure bool, answer byte, least int, message byte, data ...byte) (frame, error) {
	got, err := m.line.Do(ctx, line.Exchange{
		Unit: unit(m.address), Request: encode(message, m.kind, m.address, data...),
		Find: find(m.address, answer, least), Sure: sure, Key: key, Timeout: timeout, Pause: pause,
		Note: note, Explain: explain,
	})
	if err != nil {
		return frame{}, fmt.Errorf("somfy: %w", err)
	}
	f, _ := parse(got)
	return f, nil
}

// Where implements devices.Positioner. The status is read first: where it says that the motor
// stands, the position that follows is the one it stands at.
func (m *motor) Where(ctx context.Context) (devices.Whereabouts, error) {
	state, err := m.read(ctx, "status", messageAskState, messageState, 2)
	if err != nil {
		return devices.Whereabouts{}, err
	}
	place, err := m.read(ctx, "position", messageAskPlace, messagePlace, 3)
	if err != nil {
		return devices.Whereabouts{}, err
	}
	var w devices.Whereabouts
	if w.Motion, err = motion(state[0], state[1], m.reversed); err == nil {
		w.Percent, w.Known, err = height(place[2], m.reversed) // after two bytes that count pulses
	}
	if err != nil {
		return devices.Whereabouts{}, fmt.Errorf("somfy %s: %w", unit(m.address), err)
	}
	return w, nil
}

func (m *motor) read(ctx context.Context, word string, question, answer byte, least int) ([]byte, error) {
	f, err := m.ask(ctx, "read "+word+" of "+unit(m.address), "", false, answer, least, question)
	if err != nil {
		return nil, err
	}
	if code, refused := f.refused(); refused {
		return nil, fmt.Errorf("somfy read %s of %s: %w", word, unit(m.address), rejection(code))
	}
	return f.data, nil
}
