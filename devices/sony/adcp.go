package sony

import (
	"context"
	"errors"
	"fmt"

	"lectern/devices"
	"lectern/devices/line"
)

// ADCPSettings are the settings of the driver sony-adcp.
type ADCPSettings struct {
	Password string `yaml:"password" doc:"the password, where the projector wants one (Projector from the factory); from ${NAME} or file:"`
	Spaced   bool   `yaml:"spaced" doc:"whether a space stands between the projector's random text and the password when they are hashed; sources differ, default false"`
}

// ADCP is a projector that speaks lines of text. Its methods may be called from any goroutine.
type ADCP struct {
	line *line.Line
	with ADCPSettings
}

var _ devices.Projector = (*ADCP)(nil)

func newADCP(e devices.Env, with ADCPSettings) (any, error) {
	p := &ADCP{line: e.Line, with: with}
	s := line.Session{Name: "ADCP", Split: splitLines, Explain: explainLine}
	if e.Line.Config().Kind == line.TCP { // a serial port has no greeting
		s.Greet = p.greet
	}
	if err := e.Line.Use(s); err != nil {
		return nil, fmt.Errorf("sony-adcp: %w", err)
	}
	return p, nil
}

// greet answers the projector's greeting: NOKEY, or a random text to be hashed with the password.
func (p *ADCP) greet(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
	hello, err := do(ctx, line.Exchange{
		Note: "greeting", Timeout: replyTime, Accept: func(b []byte) bool { return trim(b) != "" },
	})
	if err != nil {
		return fmt.Errorf("%w; is this the ADCP port (53595), and ADCP switched on in the projector's web page?", err)
	}
	random := trim(hello)
	switch {
	case random == "NOKEY":
		return nil
	case isRefusal(random):
		return textRejection(random)
	case p.with.Password == "":
		return errors.New("the projector asks for a password: give with.password of the device; it is Projector from the factory")
	}
	answer, err := do(ctx, line.Exchange{
		Request: []byte(digest(random, p.with.Password, p.with.Spaced) + "\r\n"), Note: "digest of the password", Secret: true, Timeout: replyTime,
		Accept: func(b []byte) bool { return isDone(trim(b)) || isRefusal(trim(b)) },
	})
	if err != nil {
		return err
	}
	if !isDone(trim(answer)) {
		return errors.New("the projector refused the password: check with.password of the device, and try with.spaced")
	}
	return nil
}

// ask sends a command or a question and returns the line that answers it. An error line is a
// *devices.Rejection. No answer says what it answers.
func (p *ADCP) ask(ctx context.Context, command string, wanted func(text string) bool) (string, error) {
	b, err := p.line.Do(ctx, line.Exchange{
		Request: []byte(command + "\r\n"), Note: command, Timeout: replyTime, Explain: explainLine,
		Accept: func(b []byte) bool { return wanted(trim(b)) || isRefusal(trim(b)) },
	})
	if err != nil {
		return "", fmt.Errorf("sony-adcp %s: %w", command, err)
	}
	if text := trim(b); isRefusal(text) {
		return "", fmt.Errorf("sony-adcp %s: %w", command, textRejection(text))
	}
	return trim(b), nil
}

// get asks for a value.
func (p *ADCP) get(ctx context.Context, name string) (string, error) {
	return p.ask(ctx, name+" ?", isValue)
}

// garbled says that an answer could not be read.
func garbled(name string, err error) error {
	return fmt.Errorf("sony-adcp %s ?: %w: %w", name, line.ErrGarbled, err)
}

// Status implements devices.Projector. The input and the lamp are asked only when it is on: in
// standby they are err_inactive.
func (p *ADCP) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	s := devices.ProjectorStatus{Lamp: -1}
	text, err := p.get(ctx, "power_status")
	if err != nil {
		return s, err
	}
	power, err := word(text)
	if err == nil {
		s.Power, err = textPower(power)
	}
	if err != nil {
		return s, garbled("power_status", err)
	}
	faults, err := optional(p.get(ctx, "error"))
	if err != nil {
		return s, err
	}
	if faults != "" {
		if s.Fault, err = textFault(faults); err != nil {
			return s, garbled("error", err)
		}
	}
	if s.Power != devices.PowerOn {
		return s, nil
	}
	input, err := optional(p.get(ctx, "input"))
	if err != nil {
		return s, err
	}
	if input != "" {
		if s.Input, err = word(input); err != nil {
			return s, garbled("input", err)
		}
	}
	timers, err := optional(p.get(ctx, "timer"))
	if err != nil {
		return s, err
	}
	if hours, none := hoursOf(timers); none == nil {
		s.Lamp = hours
	}
	return s, nil
}

// SetPower implements devices.Projector.
func (p *ADCP) SetPower(ctx context.Context, on bool) error {
	_, err := p.ask(ctx, fmt.Sprintf("power %q", map[bool]string{true: "on", false: "off"}[on]), isDone)
	return err
}

// SetInput implements devices.Projector.
func (p *ADCP) SetInput(ctx context.Context, code string) error {
	if !isInput(code) {
		return &devices.Refusal{Reason: devices.Phrase{
			ZH: fmt.Sprintf("配置错误：Sony信号源代码 %q 应为小写单词，例如 hdmi1", code),
			EN: fmt.Sprintf("The room file's code %q is no Sony input: write its word in lower case, such as hdmi1", code),
		}}
	}
	_, err := p.ask(ctx, fmt.Sprintf("input %q", code), isDone)
	return err
}
