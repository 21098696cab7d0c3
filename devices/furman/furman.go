// Package furman drives the delayed outlets of Furman CN-1800S and CN-2400S SmartSequencers over
// RS-232: 19200 baud, 8N1, which a room file must say (`baud: 19200`). The facts come from
// excerpts of the "CN-1800S / CN-2400S communication protocol".
//
// What the units are like, and what it means here:
//
//   - A unit has three banks of outlets, DELAY 1 to 3. Several units are chained by SmartLink and hang
//     on the serial port of the first, which is unit 0. They are told apart by their number.
//   - DIP switch 8 of the first unit must be ON and its key switch at REMOTE, or it hears nothing.
//   - SEQ_ON and SEQ_OFF switch the banks by the delays that are set at the unit. They are acknowledged
//     at the start, and SEQ_ON_DONE or SEQ_OFF_DONE tells of the end, of whichever unit. A device with
//     `sequence: true` is that: it accepts, and is on or off when all banks are; between the two
//     nobody can say. Most rooms are better served by a scene that switches the banks one by one.
//   - With events enabled a unit says when something happens to it. They are enabled when the line
//     opens, and again after a silence. What the events say is not written down, so that one is only a
//     reason to ask.
//   - There is no error reply: what a unit does not take, it does not answer.
//
// Two things our excerpts leave open: how the values of the banks are spelled, and whether its end
// of text is the character of that name. Words and digits are read, and answers with and without.
package furman

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// timeout bounds the wait for an answer: the protocol has the unit drop a message that is not
	// complete after 500 ms, and gives no time for its own.
	timeout = time.Second

	unitMost = 99
	// eventTries is how often events are enabled in a row without an answer: a unit that does not know
	// the command is not asked with every poll.
	eventTries = 3
)

// Settings are what a room file says of one bank, or of a unit's sequence.
type Settings struct {
	Unit     int  `yaml:"unit" doc:"number of the sequencer in its chain; 0 (default) is the one with the cable"`
	Bank     int  `yaml:"bank" doc:"1 to 3, as DELAY 1 to 3 on the back"`
	Sequence bool `yaml:"sequence" doc:"in place of bank: all banks, by the delays that are set at the unit"`
}

// Validate checks the settings.
func (s *Settings) Validate() error {
	switch {
	case s.Unit < 0 || s.Unit > unitMost:
		return fmt.Errorf("unit %d: it is 0 to %d", s.Unit, unitMost)
	case s.Sequence && s.Bank != 0:
		return errors.New("sequence is all banks: leave out bank, or sequence")
	case !s.Sequence && (s.Bank < 1 || s.Bank > banks):
		return fmt.Errorf("bank %d: it is 1 to %d", s.Bank, banks)
	}
	return nil
}

func (s *Settings) unit() string { return fmt.Sprintf("unit %d", s.Unit) }

// name is what the device occupies on its line.
func (s *Settings) name() string {
	if s.Sequence {
		return s.unit() + " sequence"
	}
	return fmt.Sprintf("%s bank %d", s.unit(), s.Bank)
}

// Driver returns the driver "furman".
func Driver() devices.Driver {
	return devices.Driver{
		Name:      "furman",
		Feedback:  "state, speaks up by itself",
		Equipment: "Furman SmartSequencers (CN-1800S, CN-2400S)",
		Facts:     "Furman CN-1800S / CN-2400S communication protocol",
		Kinds:     []string{"circuit", "light"},
		Lines:     []line.Kind{line.Serial, line.TCP},
		Bus:       "furman",
		Settings:  func() any { return &Settings{} },
		Claims:    func(settings any) []string { return []string{settings.(*Settings).name()} },
		New:       create,
	}
}

// outlets is one bank of a unit, or all of them in sequence. It implements devices.Switch.
type outlets struct {
	line     *line.Line
	settings Settings
	changed  chan struct{}

	mu    sync.Mutex
	lost  bool // events are to be enabled
	tried int  // times that it was tried in a row
}

var (
	_ devices.Switch   = (*outlets)(nil)
	_ devices.Notifier = (*outlets)(nil)
)

func create(env devices.Env, settings any) (any, error) {
	if err := env.Line.Use(line.Session{Name: "furman", Split: split, Explain: explain}); err != nil {
		return nil, fmt.Errorf("furman: %w", err)
	}
	o := &outlets{line: env.Line, settings: *settings.(*Settings), changed: make(chan struct{}, 1), lost: true}
	env.Line.Hear(func(frame []byte) {
		if m := parse(frame); m.kind != done && m.kind != event {
			return
		}
		select {
		case o.changed <- struct{}{}:
		default: // one is waiting already
		}
	})
	return o, nil
}

// Changed implements devices.Notifier.
func (o *outlets) Changed() <-chan struct{} { return o.changed }

// ask sends a command or a question and returns the unit's answer.
func (o *outlets) ask(ctx context.Context, command, key string) (message, error) {
	frame, err := o.line.Do(ctx, line.Exchange{
		Unit: o.settings.unit(), Request: []byte(command + "\r"), Key: key, Timeout: timeout, Note: command, Explain: explain,
		Accept: func(f []byte) bool { return parse(f).acknowledges(o.settings.Unit, command) },
	})
	if err != nil {
		return message{}, fmt.Errorf("furman %s: %w", command, err)
	}
	return parse(frame), nil
}

// renew enables the events of a unit that may have lost its mains since. Without them it is polled.
func (o *outlets) renew(ctx context.Context) {
	o.mu.Lock()
	due := o.lost && o.tried < eventTries
	if due {
		o.tried++
	}
	o.mu.Unlock()
	if !due {
		return
	}
	if _, err := o.ask(ctx, cmdEvents(o.settings.Unit), ""); err == nil {
		o.setLost(false)
	}
}

func (o *outlets) setLost(lost bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lost, o.tried = lost, 0
}

// On implements devices.Switch. A sequence that is under way, or some of whose banks were switched
// alone, is neither on nor off: it returns a *devices.Refusal, so that it is shown as unknown - and
// true, since it is not off.
func (o *outlets) On(ctx context.Context) (bool, error) {
	o.renew(ctx)
	m, err := o.ask(ctx, askBanks(o.settings.Unit), "")
	if err != nil {
		if errors.Is(err, line.ErrNoReply) {
			o.setLost(true)
		}
		return false, err
	}
	if m.banks == nil {
		return false, fmt.Errorf("furman %s: it says neither on nor off of every bank: %w", o.settings.unit(), line.ErrGarbled)
	}
	if !o.settings.Sequence {
		return m.banks[o.settings.Bank], nil
	}
	on := 0
	for _, is := range m.banks {
		if is {
			on++
		}
	}
	if on == 0 || on == banks {
		return on > 0, nil
	}
	return true, &devices.Refusal{Reason: devices.Phrase{
		ZH: fmt.Sprintf("%d 组插座中有 %d 组已接通", banks, on),
		EN: fmt.Sprintf("%d of %d banks are on", on, banks),
	}}
}

// SetOn implements devices.Switch. For a sequence it returns devices.ErrAccepted when the unit has
// begun, unless all banks are already as asked.
func (o *outlets) SetOn(ctx context.Context, on bool) error {
	command := cmdBank(o.settings.Unit, o.settings.Bank, on)
	if o.settings.Sequence {
		command = cmdSequence(o.settings.Unit, on)
	}
	_, err := o.ask(ctx, command, o.settings.name())
	if err != nil || !o.settings.Sequence {
		return err
	}
	if is, err := o.On(ctx); err == nil && is == on {
		return nil
	}
	return fmt.Errorf("furman %s: the banks follow by their delays: %w", command, devices.ErrAccepted)
}
