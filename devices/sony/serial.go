package sony

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	restTime  = 50 * time.Millisecond // between two commands
	wakeUsual = 3 * time.Second
	wakeMost  = time.Minute
	// knockTime is waited for the answer to a command that may only wake the projector.
	knockTime = 500 * time.Millisecond
)

// The keys of the remote control.
const (
	keyOn  item = 0x172E
	keyOff item = 0x172F
)

// How a projector on a serial line is switched.
const (
	powerKey    = "key"
	powerSilent = "silent-key"
	powerItem   = "item"
)

// SerialSettings are the settings of the driver sony-serial.
type SerialSettings struct {
	Power string        `yaml:"power" doc:"how it goes on and off: key (the keys of the remote control, acknowledged; the default), silent-key (not acknowledged) or item (0130)"`
	Wake  time.Duration `yaml:"wake" doc:"after how long power on is sent once more, for deep standby; default 3s, 0s for once"`
}

// Validate says what is wrong with the settings.
func (s *SerialSettings) Validate() error {
	if s.Power != powerKey && s.Power != powerSilent && s.Power != powerItem {
		return fmt.Errorf("power %q: it is key, silent-key or item", s.Power)
	}
	if s.Wake < 0 || s.Wake > wakeMost {
		return fmt.Errorf("wake %s: it is between 0s and %s", s.Wake, wakeMost)
	}
	return nil
}

// Serial is a projector on its serial port. Its methods may be called from any goroutine.
type Serial struct {
	line *line.Line
	with SerialSettings
}

var (
	_ devices.Projector = (*Serial)(nil)
	_ devices.Slow      = (*Serial)(nil)
	_ items             = (*Serial)(nil)
)

func newSerial(e devices.Env, with SerialSettings) (any, error) {
	if err := e.Line.Use(line.Session{Name: "Sony serial", Split: splitFrames, Explain: explainFrame}); err != nil {
		return nil, fmt.Errorf("sony-serial: %w", err)
	}
	return &Serial{line: e.Line, with: with}, nil
}

// ask sends a frame and returns the value of its answer.
func (p *Serial) ask(ctx context.Context, f frame, limit time.Duration) (uint16, error) {
	b, err := p.line.Do(ctx, line.Exchange{
		Request: f.encode(), Note: f.note(), Timeout: limit, Pause: restTime, Explain: explainFrame,
		Accept: func(b []byte) bool {
			got, ok := parseFrame(b)
			return ok && got.answers(f)
		},
	})
	if err != nil {
		return 0, fmt.Errorf("sony-serial %s: %w", f.note(), err)
	}
	got, _ := parseFrame(b)
	if got.kind == kindAck && got.item != 0 {
		return 0, fmt.Errorf("sony-serial %s: %w", f.note(), rejection(uint16(got.item)))
	}
	return got.value, nil
}

func (f frame) note() string {
	if f.kind == kindGet || f.item == keyOn || f.item == keyOff {
		return f.item.String()
	}
	return fmt.Sprintf("%s %04X", f.item, f.value)
}

func (p *Serial) get(ctx context.Context, i item) (uint16, error) {
	return p.ask(ctx, frame{item: i, kind: kindGet}, replyTime)
}

func (p *Serial) set(ctx context.Context, i item, value uint16) error {
	_, err := p.ask(ctx, frame{item: i, kind: kindSet, value: value}, replyTime)
	return err
}

// Status implements devices.Projector.
func (p *Serial) Status(ctx context.Context) (devices.ProjectorStatus, error) { return status(ctx, p) }

// SetInput implements devices.Projector.
func (p *Serial) SetInput(ctx context.Context, code string) error { return setInput(ctx, p, code) }

// Patience implements devices.Slow: waking takes its time.
func (p *Serial) Patience(property string) time.Duration {
	if property == "power" {
		return p.with.Wake + 4*replyTime
	}
	return 0
}

// SetPower implements devices.Projector.
func (p *Serial) SetPower(ctx context.Context, on bool) error {
	if !on || p.with.Wake == 0 {
		return p.turn(ctx, on, replyTime)
	}
	began := time.Now()
	err := p.turn(ctx, true, knockTime)
	switch {
	case err == nil:
		if code, err := p.get(ctx, itemStatus); err == nil && (code == 1 || code == 2 || code == 3) {
			return nil // it has begun
		}
	case !errors.Is(err, line.ErrNoReply):
		return err
	}
	again := time.NewTimer(time.Until(began.Add(p.with.Wake)))
	defer again.Stop()
	select {
	case <-again.C:
	case <-ctx.Done():
		return fmt.Errorf("sony-serial: waking the projector: %w", context.Cause(ctx))
	}
	return p.turn(ctx, true, replyTime)
}

// turn sends the command for the power once.
func (p *Serial) turn(ctx context.Context, on bool, limit time.Duration) error {
	f := frame{item: keyOff, kind: kindSet}
	if on {
		f.item = keyOn
	}
	if p.with.Power == powerItem {
		f = frame{item: itemPower, kind: kindSet}
		if on {
			f.value = 1
		}
	}
	if p.with.Power != powerSilent {
		_, err := p.ask(ctx, f, limit)
		return err
	}
	_, err := p.line.Do(ctx, line.Exchange{Request: f.encode(), Note: f.note(), OneWay: true, Pause: restTime})
	if err != nil {
		return fmt.Errorf("sony-serial %s: %w", f.note(), err)
	}
	return nil
}
