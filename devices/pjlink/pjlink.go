// Package pjlink speaks PJLink, classes 1 and 2, to projectors and displays of any make over TCP
// (JBMIA "PJLink Specifications" class 1 version 1.04 and class 2 version 2.10).
//
// The search and the notifications of class 2 go over UDP and are not spoken here.
package pjlink

import (
	"bytes"
	"context"
	"crypto/md5" //nolint:gosec // the specification demands it
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	replyTime = 3 * time.Second // the projector answers within 2 s (specification, section 4.1)
	helloTime = 5 * time.Second
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "pjlink", Equipment: "projectors and displays with PJLink class 1 or 2",
		Facts: "JBMIA PJLink Specifications, class 1 v1.04 and class 2 v2.10",
		Kinds: []string{"projector"}, Lines: []line.Kind{line.TCP}, Feedback: "state, lamp, faults",
		Settings: func() any { return &Settings{} }, Probe: probe(),
		New: func(e devices.Env, settings any) (any, error) {
			p := &Projector{line: e.Line, set: *settings.(*Settings)}
			if err := e.Line.Use(line.Session{Name: "PJLink", Split: split, Greet: p.greet, Explain: explain}); err != nil {
				return nil, fmt.Errorf("pjlink: %w", err)
			}
			return p, nil
		},
	}
}

// Settings are the driver's settings.
type Settings struct {
	Password string `yaml:"password" doc:"PJLink password, where the projector has one; from ${NAME} or file:"`
}

// Validate says what is wrong with the settings.
func (s *Settings) Validate() error {
	if len(s.Password) > 32 {
		return errors.New("password: PJLink takes at most 32 characters")
	}
	return nil
}

// split cuts the stream after each carriage return.
func split(got []byte) int { return bytes.IndexByte(got, '\r') + 1 }

// greet answers the projector's greeting. The digest goes with the first command of a connection,
// and only with that.
func (p *Projector) greet(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
	hello, err := do(ctx, line.Exchange{
		Note: "greeting", Timeout: helloTime,
		Accept: func(f []byte) bool { return bytes.HasPrefix(bytes.ToUpper(f), []byte("PJLINK")) },
	})
	if err != nil {
		return fmt.Errorf("%w; is this a PJLink port (4352), and PJLink switched on in the projector's menu?", err)
	}
	digest, err := authenticate(hello, p.set.Password)
	if err != nil {
		return err
	}
	answer, err := do(ctx, line.Exchange{
		Request: []byte(digest + "%1CLSS ?\r"), Note: "class, with digest", Timeout: replyTime,
		Secret: digest != "",
		Accept: func(f []byte) bool {
			return bytes.HasPrefix(bytes.ToUpper(f), []byte("%1CLSS=")) || bytes.HasPrefix(bytes.ToUpper(f), []byte("PJLINK ERRA"))
		},
	})
	if err != nil {
		return err
	}
	if bytes.HasPrefix(bytes.ToUpper(answer), []byte("PJLINK")) {
		return errPassword
	}
	return nil
}

var errLocked = errors.New("the projector asks for a password: give with.password of the device")

var errPassword = errors.New("the projector refused the password: check with.password of the device")

// authenticate reads the greeting and returns what goes before the first command.
func authenticate(hello []byte, password string) (string, error) {
	words := strings.Fields(string(hello))
	switch {
	case len(words) == 2 && words[1] == "0":
		return "", nil
	case len(words) == 3 && words[1] == "1":
		if password == "" {
			return "", errLocked
		}
		sum := md5.Sum([]byte(words[2] + password)) //nolint:gosec // the specification demands it
		return hex.EncodeToString(sum[:]), nil
	case len(words) == 2 && strings.EqualFold(words[1], "ERRA"):
		return "", errPassword
	}
	return "", fmt.Errorf("the projector greets with %q, which is not PJLink", clip(hello))
}

func clip(b []byte) string {
	if len(b) > 40 {
		b = b[:40]
	}
	return strings.TrimSpace(string(b))
}

// Projector is one projector or display.
type Projector struct {
	line *line.Line
	set  Settings
}

var _ devices.Projector = (*Projector)(nil)

// ask sends a command and returns its answer. Class and body are as in the specification: "1POWR".
func (p *Projector) ask(ctx context.Context, body, parameter string) (string, error) {
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: []byte("%" + body + " " + parameter + "\r"), Note: body[1:] + " " + parameter, Timeout: replyTime, Explain: explain,
		Accept: func(f []byte) bool { return accepts(f, body) },
	})
	if err != nil {
		return "", fmt.Errorf("pjlink %s %s: %w", body[1:], parameter, err)
	}
	value, err := decode(frame, body)
	if err != nil {
		return "", fmt.Errorf("pjlink %s %s: %w", body[1:], parameter, err)
	}
	return value, nil
}

// accepts tells the answer to a command from a late answer to another.
func accepts(frame []byte, body string) bool {
	text := strings.ToUpper(string(frame))
	return strings.HasPrefix(text, "%"+body+"=") || strings.HasPrefix(text, "PJLINK ERRA")
}

// decode reads an answer.
func decode(frame []byte, body string) (string, error) {
	text := strings.TrimSuffix(string(frame), "\r")
	if strings.HasPrefix(strings.ToUpper(text), "PJLINK") {
		return "", errPassword
	}
	if len(text) < len(body)+2 {
		return "", fmt.Errorf("not a PJLink answer: %q", clip(frame))
	}
	value := text[len(body)+2:]
	r := &devices.Rejection{Code: strings.ToUpper(value)}
	switch r.Code {
	case "ERR1":
		r.Reason = devices.Phrase{ZH: "投影机不支持此命令", EN: "The projector does not know this command"}
	case "ERR2":
		r.Reason = devices.Phrase{ZH: "投影机没有此信号源或参数", EN: "The projector has no such input or value"}
	case "ERR3":
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机现在不接受此命令(待机、预热或冷却中)", EN: "The projector does not take this now: it is off, warming up or cooling down"}
	case "ERR4":
		r.Reason = devices.Phrase{ZH: "投影机故障", EN: "The projector reports a failure"}
	default:
		return value, nil
	}
	return "", r
}

// optional takes a rejected query for an empty answer: a display has no lamp, and in standby there is
// no input.
func optional(value string, err error) (string, error) {
	var rejection *devices.Rejection
	if errors.As(err, &rejection) {
		return "", nil
	}
	return value, err
}

// Status implements devices.Projector.
func (p *Projector) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	s := devices.ProjectorStatus{Lamp: -1}
	power, err := p.ask(ctx, "1POWR", "?")
	if err != nil {
		return s, err
	}
	switch power {
	case "0":
		s.Power = devices.PowerOff
	case "1":
		s.Power = devices.PowerOn
	case "2":
		s.Power = devices.PowerCooling
	case "3":
		s.Power = devices.PowerWarming
	default:
		return s, fmt.Errorf("pjlink POWR ?: unknown state %q", clip([]byte(power)))
	}
	if s.Power == devices.PowerOn {
		if s.Input, err = optional(p.ask(ctx, "1INPT", "?")); err != nil {
			return s, err
		}
	}
	lamp, err := optional(p.ask(ctx, "1LAMP", "?"))
	if err != nil {
		return s, err
	}
	if hours := strings.Fields(lamp); len(hours) > 0 {
		if n, err := strconv.Atoi(hours[0]); err == nil && n >= 0 {
			s.Lamp = n
		}
	}
	faults, err := optional(p.ask(ctx, "1ERST", "?"))
	if err != nil {
		return s, err
	}
	s.Fault = faultOf(faults)
	return s, nil
}

// SetPower implements devices.Projector. The projector acknowledges at once and comes in its own time.
func (p *Projector) SetPower(ctx context.Context, on bool) error {
	_, err := p.ask(ctx, "1POWR", map[bool]string{true: "1", false: "0"}[on])
	return err
}

// SetInput implements devices.Projector. Inputs beyond class 1 (6 internal, letters) are chosen with
// class 2.
func (p *Projector) SetInput(ctx context.Context, code string) error {
	body := "1INPT"
	if len(code) == 2 && (code[0] > '5' || code[1] > '9') {
		body = "2INPT"
	}
	_, err := p.ask(ctx, body, strings.ToUpper(code))
	return err
}

// faultOf reads the six digits of ERST: fan, lamp, temperature, cover, filter, other; 2 is an error
// and 1 a warning. The worst is told.
func faultOf(digits string) devices.Fault {
	names := []devices.Phrase{
		{ZH: "风扇", EN: "fan"}, {ZH: "灯泡", EN: "lamp"}, {ZH: "温度", EN: "temperature"},
		{ZH: "机盖", EN: "cover"}, {ZH: "滤网", EN: "filter"}, {ZH: "其他", EN: "other"},
	}
	if len(digits) != len(names) {
		return devices.Fault{}
	}
	for _, grade := range []struct {
		digit byte
		word  devices.Phrase
	}{{'2', devices.Phrase{ZH: "故障", EN: "Error"}}, {'1', devices.Phrase{ZH: "警告", EN: "Warning"}}} {
		if i := strings.IndexByte(digits, grade.digit); i >= 0 {
			return devices.Fault{Code: digits, Text: devices.Phrase{
				ZH: names[i].ZH + grade.word.ZH, EN: grade.word.EN + ": " + names[i].EN,
			}}
		}
	}
	return devices.Fault{}
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	text := strings.TrimSuffix(string(frame), "\r")
	if value, ok := strings.CutPrefix(text, "%1POWR="); ok {
		switch value {
		case "0":
			return "power is off"
		case "1":
			return "power is on"
		case "2":
			return "power is cooling"
		case "3":
			return "power is warming"
		}
	}
	return text
}
