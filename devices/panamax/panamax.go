// Package panamax drives the outlets of Panamax and Furman power managers with a BlueBOLT card or
// their own RS-232 port (M4315-PRO, M4320-PRO and their like): 9600 baud, 8N1, or telnet on port 23.
// The facts come from excerpts of the M4315-PRO user guide and from drivers
// in the field (openHAB).
//
// What the units are like, and what it means here:
//
//   - They answer, and say by themselves what happens to an outlet, only with feedback on. It is
//     switched on with every connection, and on a serial line again after a silence, since the unit
//     may have lost its mains meanwhile. Our source gives the answer to that command ($FEEDBACK = ON)
//     but not its spelling, which is by analogy with !SET_DELAY; a unit that does not know it is spoken
//     to all the same, and must be given feedback by hand.
//   - "All on" and "all off" take the time of the stored delays, 12 s and 16 s as the units come, and
//     are acknowledged at the start. A device with `sequence: true` is that: it accepts, and is on or
//     off when all outlets are; between the two nobody can say. Most rooms are better served by a
//     scene that switches the outlets one by one, which people can follow and stop.
//   - Whether an outlet that is on already answers to being switched on is not said. Where no answer
//     comes, the outlet is read.
//   - A telnet password is not supported: leave it off at the card.
//
// The outlets of one unit share a line; the unit has no address.
package panamax

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// timeout bounds the wait for an answer. The guide gives none; eight lines take 0.13 s.
	timeout = 2 * time.Second

	outletsMost = 16
)

// Settings are what a room file says of one outlet, or of all.
type Settings struct {
	Outlet   int  `yaml:"outlet" doc:"1 to 8, as on the back of the unit"`
	Sequence bool `yaml:"sequence" doc:"in place of outlet: all outlets, by the delays that are stored in the unit"`
	Outlets  int  `yaml:"outlets" doc:"how many outlets the unit has, and tells of; default 8"`
}

// Validate checks the settings.
func (s *Settings) Validate() error {
	switch {
	case s.Outlets < 1 || s.Outlets > outletsMost:
		return fmt.Errorf("outlets %d: it is 1 to %d", s.Outlets, outletsMost)
	case s.Sequence && s.Outlet != 0:
		return errors.New("sequence is all outlets: leave out outlet, or sequence")
	case !s.Sequence && (s.Outlet < 1 || s.Outlet > s.Outlets):
		return fmt.Errorf("outlet %d: it is 1 to %d", s.Outlet, s.Outlets)
	}
	return nil
}

// name is what the device occupies on its line.
func (s *Settings) name() string {
	if s.Sequence {
		return "sequence"
	}
	return fmt.Sprintf("outlet %d", s.Outlet)
}

// Driver returns the driver "panamax".
func Driver() devices.Driver {
	return devices.Driver{
		Name:      "panamax",
		Feedback:  "state, speaks up by itself",
		Equipment: "Panamax and Furman power managers with RS-232 or BlueBOLT telnet (M4315-PRO, M4320-PRO)",
		Facts:     "Panamax M4315-PRO user guide, in excerpt; drivers in the field",
		Kinds:     []string{"circuit", "light"},
		Lines:     []line.Kind{line.Serial, line.TCP},
		Bus:       "panamax",
		Settings:  func() any { return &Settings{Outlets: 8} },
		Claims:    func(settings any) []string { return []string{settings.(*Settings).name()} },
		New:       create,
	}
}

// outlets is one outlet, or all of them in sequence. It implements devices.Switch.
type outlets struct {
	line     *line.Line
	settings Settings
	changed  chan struct{}
	lost     atomic.Bool // feedback is to be switched on again

	mu   sync.Mutex
	last map[int]bool // as last heard or read
}

var (
	_ devices.Switch   = (*outlets)(nil)
	_ devices.Notifier = (*outlets)(nil)
)

func create(env devices.Env, settings any) (any, error) {
	if err := env.Line.Use(line.Session{Name: "panamax", Split: split, Greet: greet, Explain: explain}); err != nil {
		return nil, fmt.Errorf("panamax: %w", err)
	}
	o := &outlets{line: env.Line, settings: *settings.(*Settings), changed: make(chan struct{}, 1), last: make(map[int]bool)}
	env.Line.Hear(o.hear)
	return o, nil
}

// greet switches feedback on. A unit that says nothing to that is no reason to close the line.
func greet(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
	_, err := do(ctx, feedbackOn())
	if err != nil && !errors.Is(err, line.ErrNoReply) {
		return fmt.Errorf("panamax feedback: %w", err)
	}
	return nil
}

func feedbackOn() line.Exchange {
	return line.Exchange{
		Request: []byte(cmdFeedback + "\r"), Note: "switch feedback on", Timeout: timeout / 2, Explain: explain,
		Accept: func(f []byte) bool { m := parse(f); return m.kind == feedback || m.kind == invalid },
	}
}

// hear takes what the unit says by itself. Only what is new is news: the rest of an answer to
// somebody else's question passes by here too.
func (o *outlets) hear(frame []byte) {
	m := parse(frame)
	if m.kind != outlet || !o.settings.Sequence && m.outlet != o.settings.Outlet {
		return
	}
	o.mu.Lock()
	was, known := o.last[m.outlet]
	o.last[m.outlet] = m.on
	o.mu.Unlock()
	if known && was == m.on {
		return
	}
	select {
	case o.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// Changed implements devices.Notifier.
func (o *outlets) Changed() <-chan struct{} { return o.changed }

// On implements devices.Switch. A sequence that is under way, or some of whose outlets were switched
// alone, is neither on nor off: it returns a *devices.Refusal, so that it is shown as unknown - and
// true, since it is not off.
func (o *outlets) On(ctx context.Context) (bool, error) {
	said, err := o.read(ctx)
	if err != nil {
		return false, err
	}
	if !o.settings.Sequence {
		return said[o.settings.Outlet], nil
	}
	on := 0
	for n := 1; n <= o.settings.Outlets; n++ {
		if said[n] {
			on++
		}
	}
	if on == 0 || on == o.settings.Outlets {
		return on > 0, nil
	}
	return true, &devices.Refusal{Reason: devices.Phrase{
		ZH: fmt.Sprintf("%d 个插座中有 %d 个已接通", o.settings.Outlets, on),
		EN: fmt.Sprintf("%d of %d outlets are on", on, o.settings.Outlets),
	}}
}

// read asks for all outlets.
func (o *outlets) read(ctx context.Context) (map[int]bool, error) {
	o.renew(ctx)
	frame, err := o.line.Do(ctx, line.Exchange{
		Request: []byte(askOutlets + "\r"), Find: findStates(o.settings.Outlets),
		Timeout: timeout, Note: "read all outlets", Explain: explain,
	})
	if err != nil {
		if errors.Is(err, line.ErrNoReply) {
			o.lost.Store(true)
		}
		return nil, fmt.Errorf("panamax read %s: %w", o.settings.name(), err)
	}
	said := states(frame)
	if len(said) < o.settings.Outlets {
		return nil, fmt.Errorf("panamax read %s: %w", o.settings.name(), rejection())
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for n, on := range said {
		o.last[n] = on
	}
	return said, nil
}

// renew switches feedback on again on a serial line where the unit has been silent. On TCP a silence
// ends the connection, and the next one is greeted.
func (o *outlets) renew(ctx context.Context) {
	if o.line.Config().Kind != line.Serial || !o.lost.CompareAndSwap(true, false) {
		return
	}
	_, _ = o.line.Do(ctx, feedbackOn()) // what comes next tells whether it was any good
}

// SetOn implements devices.Switch. For a sequence it returns devices.ErrAccepted when the unit has
// begun, unless all outlets are already as asked.
func (o *outlets) SetOn(ctx context.Context, on bool) error {
	o.renew(ctx)
	command, mine := cmdAll(on), func(m message) bool { return m.kind == power && m.on == on }
	if !o.settings.Sequence {
		command = cmdSwitch(o.settings.Outlet, on)
		mine = func(m message) bool { return m.kind == outlet && m.outlet == o.settings.Outlet && m.on == on }
	}
	frame, err := o.line.Do(ctx, line.Exchange{
		Request: []byte(command + "\r"), Key: o.settings.name(), Timeout: timeout, Note: command, Explain: explain,
		Accept: func(f []byte) bool { m := parse(f); return m.kind == invalid || mine(m) },
	})
	switch {
	case errors.Is(err, line.ErrNoReply):
		return o.judge(ctx, command, on, err)
	case err != nil:
		return fmt.Errorf("panamax %s: %w", command, err)
	case parse(frame).kind == invalid:
		return fmt.Errorf("panamax %s: %w", command, rejection())
	case !o.settings.Sequence:
		return nil
	}
	if is, err := o.On(ctx); err == nil && is == on {
		return nil
	}
	return fmt.Errorf("panamax %s: the outlets follow by their delays: %w", command, devices.ErrAccepted)
}

// judge finds out what became of a command that was not answered as it should be.
func (o *outlets) judge(ctx context.Context, command string, on bool, silence error) error {
	is, err := o.On(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("panamax %s: %w", command, silence)
	case is == on:
		return nil
	}
	return fmt.Errorf("panamax %s: %w", command, &devices.Rejection{Code: "read-back", Reason: devices.Phrase{
		ZH: "电源管理器没有执行，插座状态未变", EN: "The power manager did not do it; the outlet is as it was",
	}})
}
