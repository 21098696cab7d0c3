// Package optoma speaks Optoma's RS-232 protocol to its projectors, on a serial port (9600 baud on
// most models, 19200 on some, 8N1) or on a TCP port that passes the same lines on.
//
// What the projectors are like, and what it means here:
//
//   - A command is ~0000 1: the projector's number (00 is any), a code, a space and a value. A write
//     is answered with P or F, a question with Ok and its value, and no answer says what it answers.
//     A projector with another number is silent; the setting `id` is for those that were given one.
//   - F is the answer to what the projector cannot do now, to what it does not know, and on some
//     models to what is so already. After an F the projector is therefore asked: what is as it was
//     wanted is done.
//   - It says by itself what its lamp does, as INFO lines: 1 warming up, 24 ready, 2 cooling down, 0
//     standby; others are faults. Older models never say 24, and what is said while nobody listens is
//     lost. The question for the power knows on and off only. What lies between is therefore reckoned
//     with the settings `warming` and `cooling` (see the package lamp), and an INFO line counts for
//     more.
//   - An input is chosen by one code and told by another: HDMI 1 is chosen by 1 and told as 7. The
//     room file has the code that chooses. What a model tells otherwise than most is in the setting
//     `inputs`.
//   - There is no question for faults. What was said last is shown until the projector starts anew.
package optoma

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/lamp"
	"lectern/devices/line"
)

const (
	replyTime = 2 * time.Second

	warmUsual = 30 * time.Second
	coolUsual = 90 * time.Second
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "optoma", Feedback: "on and off, lamp; transitions and faults by itself", Equipment: "Optoma projectors",
		Facts: "Optoma RS232 Protocol Function List of ZU650 and DS309; quirks as collected by optoma-mqtt",
		Kinds: []string{"projector"}, Lines: []line.Kind{line.Serial, line.TCP},
		Settings: func() any { return &Settings{Warming: warmUsual, Cooling: coolUsual} },
		Claims:   func(any) []string { return []string{"the projector"} },
		Probe: &devices.Probe{Protocol: "Optoma", Bauds: []int{9600, 19200, 115200}, Ask: func(_ line.Kind, settings any) line.Exchange {
			r := ask(askPower)
			return line.Exchange{
				Request: r.encode(settings.(*Settings).ID), Note: r.String(), Timeout: time.Second, Explain: explain, Find: line.FindFrame(split, r.accepts),
			}
		}},
		New: create,
	}
}

// Settings are the driver's settings.
type Settings struct {
	ID      int               `yaml:"id" doc:"the projector's number as in its menu, 1 to 99; default 0, which is any"`
	Warming time.Duration     `yaml:"warming" doc:"how long the lamp warms up at most, where the projector does not say that it is ready; default 30s"`
	Cooling time.Duration     `yaml:"cooling" doc:"how long the lamp cools at most, where the projector does not say that it is in standby; default 90s, 0s for one that may lose its mains at once"`
	Inputs  map[string]string `yaml:"inputs" doc:"for inputs that the projector tells otherwise than most: the code that chooses to the code that is told, such as 15: \"9\""`
}

// Validate says what is wrong with the settings.
func (s *Settings) Validate() error {
	if s.ID < 0 || s.ID > 99 {
		return fmt.Errorf("id %d: it is between 0 and 99", s.ID)
	}
	if err := lamp.Check(s.Warming, s.Cooling); err != nil {
		return err //nolint:wrapcheck // names the setting
	}
	return check(s.Inputs)
}

// Projector is one projector. Its methods may be called from any goroutine.
type Projector struct {
	line    *line.Line
	id      int
	inputs  inputs
	clock   *lamp.Clock
	changed chan struct{}

	mu    sync.Mutex
	fault devices.Fault // as said last
}

var (
	_ devices.Projector = (*Projector)(nil)
	_ devices.Notifier  = (*Projector)(nil)
)

func create(e devices.Env, settings any) (any, error) {
	if err := e.Line.Use(line.Session{Name: "Optoma", Split: split, Explain: explain}); err != nil {
		return nil, fmt.Errorf("optoma: %w", err)
	}
	s := settings.(*Settings)
	p := &Projector{
		line: e.Line, id: s.ID, inputs: newInputs(s.Inputs), clock: lamp.NewClock(s.Warming, s.Cooling),
		changed: make(chan struct{}, 1),
	}
	e.Line.Hear(p.hear)
	return p, nil
}

// hear takes what the projector says by itself.
func (p *Projector) hear(frame []byte) {
	m := parse(frame)
	if m.kind != info || m.text == signalLost {
		return
	}
	power, ofLamp := powerSaid(m.text)
	p.mu.Lock()
	switch {
	case !ofLamp:
		p.fault = faultOf(m.text)
	case power == devices.PowerWarming:
		p.fault = devices.Fault{}
	}
	p.mu.Unlock()
	if ofLamp {
		p.clock.Is(power)
	}
	select {
	case p.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// Changed implements devices.Notifier.
func (p *Projector) Changed() <-chan struct{} { return p.changed }

// do sends a request and returns the value of the answer. F is a *devices.Rejection.
func (p *Projector) do(ctx context.Context, r request) (string, error) {
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: r.encode(p.id), Note: r.String(), Timeout: replyTime, Explain: explain, Accept: r.accepts,
	})
	if err != nil {
		return "", fmt.Errorf("optoma %s: %w", r, err)
	}
	m := parse(frame)
	if m.kind == fail {
		return "", fmt.Errorf("optoma %s: %w", r, rejection())
	}
	return m.text, nil
}

func rejected(err error) bool { return errors.As(err, new(*devices.Rejection)) }

// isOn asks for the power, of which the projector knows on and off.
func (p *Projector) isOn(ctx context.Context) (bool, error) {
	text, err := p.do(ctx, ask(askPower))
	if err != nil {
		return false, err
	}
	on, err := powerOf(text)
	if err != nil {
		return false, fmt.Errorf("optoma power: %w: %w", line.ErrGarbled, err)
	}
	return on, nil
}

// source asks for the input and returns the code that chooses it.
func (p *Projector) source(ctx context.Context) (string, error) {
	told, err := p.do(ctx, ask(askSource))
	if err != nil {
		return "", err
	}
	return p.inputs.code(told), nil
}

// Status implements devices.Projector. Beside the power a projector is asked nothing unless it is on:
// in standby most models refuse.
func (p *Projector) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	s := devices.ProjectorStatus{Lamp: -1}
	on, err := p.isOn(ctx)
	if err != nil {
		return s, err
	}
	s.Power, s.Reckoned = p.clock.Said(on), p.clock.Reckoned()
	s.Fault = p.faulty()
	if s.Power != devices.PowerOn {
		return s, nil
	}
	if s.Input, err = p.source(ctx); err != nil && !rejected(err) {
		return s, err
	}
	hours, err := p.do(ctx, ask(askLamp))
	if err != nil && !rejected(err) {
		return s, err
	}
	if n, none := hoursOf(hours); err == nil && none == nil {
		s.Lamp = n
	}
	return s, nil
}

// faulty returns the fault that was said last, or what the clock makes of a projector that says none.
func (p *Projector) faulty() devices.Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault.Code == "" && p.clock.Failed() {
		return notLit()
	}
	return p.fault
}

// SetPower implements devices.Projector.
func (p *Projector) SetPower(ctx context.Context, on bool) error {
	_, err := p.do(ctx, request{code: setPower, value: map[bool]string{true: "1", false: "0"}[on]})
	if rejected(err) {
		if is, failed := p.isOn(ctx); failed == nil && is == on {
			return nil
		}
	}
	if err != nil {
		return err
	}
	if on {
		p.mu.Lock()
		p.fault = devices.Fault{}
		p.mu.Unlock()
	}
	p.clock.Told(on)
	return nil
}

// SetInput implements devices.Projector.
func (p *Projector) SetInput(ctx context.Context, code string) error {
	if !isCode(code) {
		return &devices.Refusal{Reason: devices.Phrase{
			ZH: fmt.Sprintf("配置错误：Optoma信号源代码 %q 应为数字，例如 15", code),
			EN: fmt.Sprintf("The room file's code %q is no Optoma input: write its number, such as 15", code),
		}}
	}
	_, err := p.do(ctx, request{code: setInput, value: code})
	if rejected(err) {
		if shown, failed := p.source(ctx); failed == nil && shown == code {
			return nil
		}
	}
	return err
}
