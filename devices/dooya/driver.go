// Package dooya drives Dooya curtain and screen motors with an RS-485 port (DT82, KT82, DC series):
// 9600 baud, 8N1, each motor with an id of two bytes. The facts come from the maker's
// "485 communication protocol A4".
//
// What the motors are like, and what it means here:
//
//   - 0 % is closed (down), 100 % is open (up), as everywhere in Lectern.
//   - A motor measures its stroke between its two ends and forgets it with the mains. Until it has
//     run to an end once, its position reads FF and it takes no position to go to.
//   - It acknowledges by repeating the command, and refuses by a reply that is one byte longer. It
//     also "refuses" to open when it is open already, which nobody would call an error.
//   - Nothing in the answer to a read tells which register it is of. The line sees to it that a
//     late answer meets no other question.
package dooya

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// timeout bounds the wait for a reply. The motors answer within a few frames' time; drivers in the
// field (wb-mqtt-serial) allow 100 ms, which leaves nothing for an adapter on USB.
const timeout = 200 * time.Millisecond

// Settings are what a room file says of one motor.
type Settings struct {
	ID string `yaml:"id" doc:"the motor's id, two hex bytes: \"12 34\". New motors are FE FE; several on one bus need ids of their own"`
}

// Validate checks the settings.
func (s *Settings) Validate() error {
	_, err := parseID(s.ID)
	return err
}

// Driver returns the driver "dooya".
func Driver() devices.Driver {
	return devices.Driver{
		Name:      "dooya",
		Equipment: "Dooya curtain and screen motors with RS-485 (DT82, KT82, DC series)",
		Facts:     "Dooya 485 communication protocol A4",
		Kinds:     []string{"curtain", "screen"},
		Lines:     []line.Kind{line.Serial, line.TCP},
		Bus:       "rs485",
		Feedback:  "position and motion",
		Settings:  func() any { return &Settings{} },
		Claims: func(settings any) []string {
			m, err := parseID(settings.(*Settings).ID)
			if err != nil {
				return nil // Validate says what is wrong with it
			}
			return []string{unit(m)}
		},
		// The status, then the position, as of a motor that may move; see Where.
		Poll: devices.Apart(func(any) []devices.Frames {
			return []devices.Frames{{Asked: longLength, Answered: longLength}, {Asked: longLength, Answered: longLength}}
		}),
		Unit: func(settings any) (string, bool) {
			m, err := parseID(settings.(*Settings).ID)
			return unit(m), err == nil && m == id{0xFE, 0xFE}
		},
		Probe: &devices.Probe{Protocol: "Dooya RS-485", Bauds: []int{9600}, Ask: ask},
		New: func(env devices.Env, settings any) (any, error) {
			m, err := parseID(settings.(*Settings).ID)
			if err != nil {
				return nil, err
			}
			return &motor{line: env.Line, id: m}, nil
		},
	}
}

// ask is how a motor is found: its status is read. One whose id nobody knows is asked for by the id that
// new ones have.
func ask(_ line.Kind, settings any) line.Exchange {
	m, err := parseID(settings.(*Settings).ID)
	if err != nil {
		m = id{0xFE, 0xFE}
	}
	return line.Exchange{
		Unit: unit(m), Request: encode(m, functionRead, registerStatus, 1), Find: findRead(m), Timeout: timeout,
		Note: "read status of " + unit(m), Explain: explain,
	}
}

// unit names a motor on its line, for errors and for the key that all its moves share.
func unit(m id) string { return "motor " + m.String() }

// A motor that stood where it was before for so many readings in a row is at rest, and then so many times in a row asked
// only where it is: a motor that was told to move may take a moment to begin.
const (
	calmLeast = 3
	restMost  = 10
)

// motor is one motor. It implements devices.Positioner.
type motor struct {
	line *line.Line
	id   id

	mu    sync.Mutex
	stood devices.Whereabouts // as it was found last
	calm  int                 // for how many readings in a row it has stood there
	rests int                 // how many times it is yet to be asked only where it is
}

// found takes in all that a motor has told.
func (m *motor) found(w devices.Whereabouts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case !w.Known || w.Motion != devices.Stop:
		m.calm = 0
	case w == m.stood:
		m.calm++
	default:
		m.calm = 1
	}
	if m.stood, m.rests = w, 0; m.calm >= calmLeast {
		m.rests = restMost
	}
}

// stir has the motor asked for all it can tell: it was told to move.
func (m *motor) stir() { m.found(devices.Whereabouts{}) }

// stands returns how the motor was found standing, if it is to be asked only where it is.
func (m *motor) stands() (w devices.Whereabouts, yes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rests == 0 {
		return w, false
	}
	m.rests--
	return m.stood, true
}

var _ devices.Positioner = (*motor)(nil)

// Move implements devices.Mover.
func (m *motor) Move(ctx context.Context, way devices.Motion) error {
	defer m.stir()
	m.stir()
	var command byte
	var word string
	switch way {
	case devices.Up:
		command, word = commandOpen, "open"
	case devices.Down:
		command, word = commandClose, "close"
	case devices.Stop:
		command, word = commandStop, "stop"
	default:
		return fmt.Errorf("dooya: motion %q is not up, stop or down", way)
	}
	// Sure, as the acknowledgement repeats the command: a stop does not wait for late answers to reads.
	f, err := m.line.Do(ctx, line.Exchange{
		Unit: unit(m.id), Request: encode(m.id, functionControl, command),
		Find: findControl(m.id, command), Sure: true, Key: unit(m.id), Timeout: timeout,
		Note: word + " " + unit(m.id), Explain: explain,
	})
	if err != nil {
		return fmt.Errorf("dooya %s: %w", word, err)
	}
	if !isError(f) {
		return nil
	}
	// The one error that the manual shows is "open" to a motor that is open. It does not say that
	// there is no other, so the motor must be where it was told to go, or it has refused.
	w, err := m.Where(ctx)
	if err != nil {
		return fmt.Errorf("dooya %s was refused: %w", word, err)
	}
	if !arrived(w, way) {
		return refusal()
	}
	return nil
}

// refusal is what becomes of an error reply that nothing else explains.
func refusal() error {
	return &devices.Rejection{Code: "FF", Reason: devices.Phrase{
		ZH: "电机拒绝执行，请检查电机", EN: "The motor refused to move; have it looked at",
	}}
}

// arrived reports whether a motor is where a motion would have taken it.
func arrived(w devices.Whereabouts, way devices.Motion) bool {
	if w.Motion != devices.Stop {
		return w.Motion == way
	}
	switch way {
	case devices.Up:
		return w.Known && w.Percent == 100
	case devices.Down:
		return w.Known && w.Percent == 0
	}
	return true
}

// GoTo implements devices.Positioner. The ends are reached by open and close, which a motor takes
// even where it has lost its stroke, and by which it finds it again.
func (m *motor) GoTo(ctx context.Context, percent int) error {
	defer m.stir()
	m.stir()
	switch {
	case percent < 0 || percent > 100:
		return fmt.Errorf("dooya: position %d%% is not 0 to 100", percent)
	case percent == 0:
		return m.Move(ctx, devices.Down)
	case percent == 100:
		return m.Move(ctx, devices.Up)
	}
	f, err := m.line.Do(ctx, line.Exchange{
		Unit: unit(m.id), Request: encode(m.id, functionControl, commandGoTo, byte(percent)),
		Find: findGoTo(m.id, byte(percent)), Sure: true, Key: unit(m.id), Timeout: timeout,
		Note: fmt.Sprintf("move %s to %d%%", unit(m.id), percent), Explain: explain,
	})
	if err != nil {
		return fmt.Errorf("dooya go to %d%%: %w", percent, err)
	}
	if !isError(f) {
		return nil
	}
	// The manual shows this error for a motor without a stroke, which then does not move.
	w, err := m.Where(ctx)
	if err != nil {
		return fmt.Errorf("dooya go to %d%% was refused: %w", percent, err)
	}
	if w.Known {
		return refusal()
	}
	return &devices.Refusal{Reason: devices.Phrase{
		ZH: "电机断电后丢失了行程，请先完全打开或完全关闭一次",
		EN: "The motor has lost its stroke; open or close it fully once, then choose a position",
	}}
}

// Where implements devices.Positioner. The status is read first: where it says that the motor
// stands, the position that follows is the one it stands at. A motor that stood and was not told to move since is only asked
// where it is; where that is elsewhere, somebody has a remote control, and it is asked for all.
func (m *motor) Where(ctx context.Context) (devices.Whereabouts, error) {
	if stood, yes := m.stands(); yes {
		w, err := m.place(ctx)
		switch w.Motion = devices.Stop; {
		case err != nil:
			return devices.Whereabouts{}, err
		case w == stood:
			return w, nil
		}
	}
	w, err := m.all(ctx)
	if err != nil {
		m.stir()
		return devices.Whereabouts{}, err
	}
	m.found(w)
	return w, nil
}

// all reads what the motor does and where it is.
func (m *motor) all(ctx context.Context) (devices.Whereabouts, error) {
	status, err := m.read(ctx, registerStatus, "status")
	if err != nil {
		return devices.Whereabouts{}, err
	}
	does, err := motion(status)
	if err != nil {
		return devices.Whereabouts{}, fmt.Errorf("dooya %s: %w", unit(m.id), err)
	}
	w, err := m.place(ctx)
	w.Motion = does
	return w, err
}

// place reads where the motor is.
func (m *motor) place(ctx context.Context) (w devices.Whereabouts, err error) {
	place, err := m.read(ctx, registerPosition, "position")
	if err != nil {
		return w, err
	}
	if w.Percent, w.Known, err = position(place); err != nil {
		return devices.Whereabouts{}, fmt.Errorf("dooya %s: %w", unit(m.id), err)
	}
	return w, nil
}

// read asks for one register. Should the answer come too late, the line leaves the motor alone until
// it is over, so that it is not taken for the answer to the next read: the two look the same, and
// "stands still" would be "closed".
func (m *motor) read(ctx context.Context, register byte, word string) (byte, error) {
	f, err := m.line.Do(ctx, line.Exchange{
		Unit: unit(m.id), Request: encode(m.id, functionRead, register, 1),
		Find: findRead(m.id), Timeout: timeout,
		Note: "read " + word + " of " + unit(m.id), Explain: explain,
	})
	if err != nil {
		return 0, fmt.Errorf("dooya read %s: %w", word, err)
	}
	return f[5], nil
}
