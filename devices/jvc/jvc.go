// Package jvc drives JVC's VHS recorders with RS-232, SR-9090U, SR-365U and those with the SA-K97U
// interface board (SR-9240E, SR-L910): 9600 baud, eight data bits, one stop bit. The parity is odd on
// most models and none on some (VR-510U); it is the line's `format`.
//
// What the recorders are like, and what it means here:
//
//   - A command is one byte, and so is its answer: ACK, NAK or ERROR. "Confirm that ACK has been
//     returned before transmitting the next command", and keep 50 ms between two.
//   - The commands are understood after JVC TABLE 1 ON, which is lost with the mains. It is sent on
//     every connection, and again whenever a command is answered NAK, which is then given once more:
//     what was answered NAK was not done.
//   - In the error state "no command can be accepted and only STATUS SENSE will be returned". It is
//     cleared before a command.
//   - A record is two commands, REC/DUB REQUEST and REC.
//   - There is no checksum. A status is believed where every bit that the manual has as fixed is so,
//     and where nothing that the recorder does not say stands before it.
//   - The recorders say by themselves when a cassette is out, and nothing else; they are polled.
//
// What a recorder that is switched off answers is in no manual, so off is never reported. With
// `operate: true`, which is the default, play, record and eject send OPERATE ON first.
package jvc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// "The recommended maximum waiting time for the ACK" is about 50 ms (SR-HD1500 manual p. 83); a
	// serial device server adds its own.
	replyTime = time.Second
	restTime  = 50 * time.Millisecond // between two commands
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "jvc-vhs", Equipment: "JVC VHS recorders with RS-232",
		Facts: "JVC SR-9090U manual p. 55-63 and SR-9240E manual p. 47-52 (SA-K97U interface board); pacing from SR-MV55U manual p. 73",
		Kinds: []string{"recorder", "player"}, Lines: []line.Kind{line.Serial, line.TCP},
		Settings: func() any { return &Settings{Operate: true} },
		New: func(e devices.Env, settings any) (any, error) {
			d := &Deck{line: e.Line, set: *settings.(*Settings)}
			if err := e.Line.Use(line.Session{Name: "JVC VHS", Split: split, Greet: greet(e.Line.Config().Kind), Explain: explain}); err != nil {
				return nil, fmt.Errorf("jvc: %w", err)
			}
			return d, nil
		},
	}
}

// Settings are the driver's settings.
type Settings struct {
	Operate bool `yaml:"operate" doc:"whether play, record and eject switch the recorder on first (OPERATE ON); default true"`
}

// Deck is one recorder. Its methods may be called from any goroutine.
type Deck struct {
	line *line.Line
	set  Settings
}

var _ devices.Player = (*Deck)(nil)

func exchange(command byte, note string) line.Exchange {
	x := line.Exchange{
		Request: []byte{command}, Note: note, Timeout: replyTime, Pause: restTime, Explain: explain, Find: findAnswer,
	}
	if command == cmdSense {
		x.Find = findStatus
	}
	return x
}

// greet has the recorder take the commands of this table. It may be off while the port is there, and
// one that does not know tables has its commands all the same.
func greet(kind line.Kind) func(context.Context, func(context.Context, line.Exchange) ([]byte, error)) error {
	return func(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
		_, err := do(ctx, exchange(cmdTableOn, "table 1 on"))
		if err != nil && (kind != line.Serial || !errors.Is(err, line.ErrNoReply)) {
			return fmt.Errorf("jvc: %w", err)
		}
		return nil
	}
}

// tell sends a command and returns what was answered, which for a sense is the status. A NAK may mean
// that the recorder has lost the table, and an error that it waits to be cleared: both are cured once.
func (d *Deck) tell(ctx context.Context, command byte, note string) ([]byte, error) {
	var answer byte
	for try := range 2 {
		frame, err := d.line.Do(ctx, exchange(command, note))
		if err != nil {
			return nil, fmt.Errorf("jvc %s: %w", note, err)
		}
		if answer = frame[0]; answer != saidNak && answer != saidError {
			return frame, nil
		}
		if try > 0 {
			break
		}
		cure := exchange(cmdTableOn, "table 1 on")
		if answer == saidError {
			cure = exchange(cmdClearError, "clear the error")
		}
		cured, err := d.line.Do(ctx, cure)
		if err != nil {
			return nil, fmt.Errorf("jvc %s: %w", note, err)
		}
		if cured[0] != saidAck {
			break
		}
	}
	return nil, fmt.Errorf("jvc %s: %w", note, rejectedAnswer(answer))
}

func (d *Deck) sense(ctx context.Context) (status, error) {
	frame, err := d.tell(ctx, cmdSense, "status sense")
	if err != nil {
		return status{}, err
	}
	return status(frame), nil
}

// Transport implements devices.Player.
func (d *Deck) Transport(ctx context.Context) (devices.Transport, error) {
	s, err := d.sense(ctx)
	if err != nil {
		return "", err
	}
	t, ok := s.transport()
	if !ok {
		no := reject("MODE", "录像机正在切换状态", "The recorder is between two modes")
		no.Busy = true
		return "", fmt.Errorf("jvc status sense % X: %w", s[:], no)
	}
	return t, nil
}

// Transports implements devices.Player.
func (*Deck) Transports() []devices.Transport {
	return []devices.Transport{
		devices.TransportPlay, devices.TransportStop, devices.TransportPause, devices.TransportBack, devices.TransportForward,
		devices.TransportRecord, devices.TransportEject,
	}
}

// Act implements devices.Player. The status is asked first: a NAK would not say why.
func (d *Deck) Act(ctx context.Context, t devices.Transport) error {
	command, ok := commandOf(t)
	if !ok {
		return fmt.Errorf("a JVC VHS recorder cannot be asked for %q", t)
	}
	if d.set.Operate && (t == devices.TransportPlay || t == devices.TransportRecord || t == devices.TransportEject) {
		// One that is on already, or has no such command, may answer as it likes.
		if _, err := d.tell(ctx, cmdOperateOn, "operate on"); err != nil && !errors.As(err, new(*devices.Rejection)) {
			return err
		}
	}
	s, err := d.sense(ctx)
	if err != nil {
		return err
	}
	if s.inError() {
		if _, err := d.tell(ctx, cmdClearError, "clear the error"); err != nil {
			return err
		}
	}
	switch {
	case s.tapeOut():
		return fmt.Errorf("jvc %s: %w", t, rejectedTapeOut())
	case t == devices.TransportRecord && s.protected():
		return fmt.Errorf("jvc %s: %w", t, rejectedProtected())
	case t == devices.TransportRecord:
		if _, err := d.tell(ctx, cmdRecRequest, "record request"); err != nil {
			return err
		}
	}
	_, err = d.tell(ctx, command, string(t))
	if errors.As(err, new(*devices.Rejection)) && s.fault() {
		return fmt.Errorf("jvc %s: %w", t, rejectedFault())
	}
	return err
}
