package script

import (
	"context"
	"errors"
	"fmt"

	"lectern/devices"
)

var (
	_ devices.Projector = (*projector)(nil)
	_ devices.Selector  = (*matrix)(nil)
)

// projector is a projector or display.
type projector struct{ *talk }

// Status implements devices.Projector. The input and the lamp are asked while it is on; in standby
// most equipment rejects such questions. A rejected one is a value that is not known.
func (p *projector) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	s := devices.ProjectorStatus{Lamp: -1}
	if !p.tells("power") {
		return s, unread()
	}
	got, err := p.ask(ctx, nil, "power")
	var no *devices.Rejection
	if errors.As(err, &no) && no.Busy && p.inTransition() {
		s.Power, s.Reckoned = p.clock.Power(), p.clock.Reckoned()
		return s, nil
	}
	if err != nil {
		return s, err
	}
	word, err := p.wordOf("power", got["power"])
	if err != nil {
		return s, err
	}
	s.Power = p.reckoned(devices.Power(word))
	s.Reckoned = p.clock != nil && p.clock.Reckoned()
	if p.clock != nil && p.clock.Failed() {
		s.Fault = devices.Fault{Code: "off", Text: devices.Phrase{
			ZH: "预热时自行关机，灯泡可能未点亮", EN: "It went off while it was to warm up: the lamp may not have lit",
		}}
	}
	want := []string{"fault"}
	if s.Power == devices.PowerOn {
		want = []string{"input", "lamp", "fault"}
	}
	for _, value := range want {
		c, ok := got[value]
		if !ok && p.tells(value) {
			more, err := p.ask(ctx, nil, value)
			if errors.As(err, new(*devices.Rejection)) {
				continue
			}
			if err != nil {
				return s, err
			}
			for name, one := range more {
				got[name] = one
			}
			c, ok = more[value]
		}
		if ok {
			if err := p.take(&s, value, c); err != nil {
				return s, err
			}
		}
	}
	return s, nil
}

// reckoned is what the power means that a projector tells, where it does not say all of it.
func (p *projector) reckoned(power devices.Power) devices.Power {
	switch {
	case p.clock == nil:
		return power
	case power == devices.PowerOn || power == devices.PowerOff:
		return p.clock.Said(power == devices.PowerOn)
	}
	p.clock.Is(power)
	return power
}

func (p *projector) inTransition() bool {
	if p.clock == nil {
		return false
	}
	power := p.clock.Power()
	return power == devices.PowerWarming || power == devices.PowerCooling
}

// take puts what a projector says beside its power into its status.
func (p *projector) take(s *devices.ProjectorStatus, value string, c captured) error {
	switch value {
	case "input":
		s.Input = p.textOf(value, c)
	case "lamp":
		hours, err := p.numberOf(value, c)
		if err != nil {
			return err
		}
		if hours >= 0 {
			s.Lamp = int(hours)
		}
	case "fault":
		code := p.textOf(value, c)
		if code == "" {
			return nil
		}
		words, ok := p.faults[code]
		if !ok {
			words = devices.Phrase{ZH: "未知故障", EN: "Unknown fault"}
		}
		s.Fault = devices.Fault{Code: code, Text: words}
	}
	return nil
}

// SetPower implements devices.Projector. It returns when the command is acknowledged, which is when the
// lamp is lit only where the equipment waits for that with its reply.
func (p *projector) SetPower(ctx context.Context, on bool) error {
	word := onWord(on)
	err := p.set(ctx, word, nil, "power", word, "")
	if p.clock != nil && (err == nil || errors.Is(err, devices.ErrSent)) {
		p.clock.Told(on)
	}
	return err
}

// SetInput implements devices.Projector.
func (p *projector) SetInput(ctx context.Context, code string) error {
	values, err := p.coded(map[string]string{"input": code})
	if err != nil {
		return err
	}
	return p.set(ctx, "input", values, "input", code, "")
}

// matrix routes inputs to outputs.
type matrix struct{ *talk }

// Selected implements devices.Selector.
func (m *matrix) Selected(ctx context.Context, output string) (string, error) {
	if !m.tells("input") {
		return m.last("input", "output "+output)
	}
	values, err := m.coded(map[string]string{"output": output})
	if err != nil {
		return "", err
	}
	got, err := m.ask(ctx, values, "input")
	if err != nil {
		return "", err
	}
	return m.textOf("input", got["input"]), nil
}

// Select implements devices.Selector. Without a command untie, an output is untied by the word for no
// input, where the table of values has one.
func (m *matrix) Select(ctx context.Context, output, input string) error {
	command, codes := "select", map[string]string{"output": output, "input": input}
	if input == "" {
		codes["input"] = none
		if m.commands["untie"] != nil {
			command = "untie"
		} else if wire, err := m.codeOf("input", none); err != nil || wire == none {
			return &devices.Refusal{Reason: devices.Phrase{ZH: "该矩阵不能断开输出", EN: "This matrix cannot untie an output"}}
		}
	}
	values, err := m.coded(codes)
	if err != nil {
		return fmt.Errorf("routing: %w", err)
	}
	return m.set(ctx, command, values, "input", input, "output "+output)
}
