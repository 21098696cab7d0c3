// Package benq speaks BenQ's own protocol to its projectors, over RS-232 (9600 or 115200 baud by
// model and menu, 8N1) and over TCP port 8000.
//
// What the projectors are like, and what it means here:
//
//   - A command is *pow=on# between two carriage returns, a question *pow=?#; the answer repeats it
//     in capitals: *POW=ON#. The three errors are *Illegal format#, *Unsupported item# and *Block
//     item#, the last for what cannot be done in this state. Some models leave out the star, the hash
//     or both.
//   - On a serial port there is a prompt ">", and many models echo the command before they answer;
//     on the network most do neither. An echo is known by its letters: it is what was sent, in lower
//     case. That decides by itself on the models that are known; where one answers in lower case, the
//     setting `echo` says yes or no.
//   - pow=? knows ON and OFF. A projector says OFF at once when it begins to cool, and takes hardly
//     any command while it cools or warms up; some models then refuse or do not answer even pow=?.
//     What lies between is reckoned with the settings `warming` and `cooling`, see the package lamp.
//     A refused pow=? means that the transition goes on.
//   - Inputs are words, written in lower case here: hdmi, hdmi2, rgb, rgb2, vid, svid. Some models
//     tell an input by a number although it is chosen by its word; the setting `inputs` has what is
//     read for each word.
//   - A command that comes while the one before is being worked on is dropped without a word.
//   - The protocol has no question for faults. A projector that goes off while it is to warm up is
//     reported as one.
package benq

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/lamp"
	"lectern/devices/line"
)

const (
	replyTime = 2 * time.Second
	// restTime is kept between two commands. The manuals do not say how long a projector works on
	// one; integrators keep to a tenth of a second and more.
	restTime = 100 * time.Millisecond

	warmUsual = 30 * time.Second
	coolUsual = 90 * time.Second
)

// Whether the projector repeats a command before it answers.
const (
	echoAuto = "auto"
	echoYes  = "yes"
	echoNo   = "no"
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "benq", Feedback: "on and off, lamp; transitions are reckoned", Equipment: "BenQ projectors",
		Facts: "BenQ RS232 Command Control guide for LH770 and MH680/TH680; quirks of models as collected by the library benqprojector.py",
		Kinds: []string{"projector"}, Lines: []line.Kind{line.Serial, line.TCP},
		Settings: func() any { return &Settings{Echo: echoAuto, Warming: warmUsual, Cooling: coolUsual} },
		Claims:   func(any) []string { return []string{"the projector"} },
		Probe:    &devices.Probe{Protocol: "BenQ", Bauds: []int{115200, 9600, 57600, 38400, 19200}, Ask: isThere},
		New:      create,
	}
}

// Settings are the driver's settings.
type Settings struct {
	Echo    string            `yaml:"echo" enum:"auto,yes,no" doc:"whether the projector repeats each command before it answers; auto, the default, tells by itself"`
	Warming time.Duration     `yaml:"warming" doc:"how long the lamp warms up, which the projector does not say; default 30s"`
	Cooling time.Duration     `yaml:"cooling" doc:"how long the lamp cools after the projector says off; default 90s, 0s for one that may lose its mains at once"`
	Inputs  map[string]string `yaml:"inputs" doc:"for inputs that the projector tells otherwise than they are chosen: the code to what is told, such as hdmi: \"6\""`
}

// Validate says what is wrong with the settings.
func (s *Settings) Validate() error {
	if s.Echo != echoAuto && s.Echo != echoYes && s.Echo != echoNo {
		return fmt.Errorf("echo %q: it is auto, yes or no", s.Echo)
	}
	seen := make(map[string]string)
	for _, code := range slices.Sorted(maps.Keys(s.Inputs)) {
		read := strings.ToLower(s.Inputs[code])
		if other, ok := seen[read]; ok {
			return fmt.Errorf("inputs: %s and %s are both told as %q: nobody could tell them apart", other, code, read)
		}
		if !named(code) {
			return fmt.Errorf("inputs: an input %q: it is a word in lower case, such as hdmi2", code)
		}
		seen[read] = code
	}
	return lamp.Check(s.Warming, s.Cooling) //nolint:wrapcheck // names the setting
}

// isThere asks for the power. The projector may repeat the question, which is no answer.
func isThere(line.Kind, any) line.Exchange {
	r := request{name: "pow", value: question}
	return line.Exchange{
		Request: r.encode(), Note: r.String(), Timeout: time.Second, Pause: restTime, Explain: explain,
		Find: line.FindFrame(split, func(f []byte) bool {
			text := strings.ToLower(body(f))
			return strings.HasPrefix(text, "pow=") && text != r.String()
		}),
	}
}

func create(e devices.Env, settings any) (any, error) {
	if err := e.Line.Use(line.Session{Name: "BenQ", Split: split, Explain: explain}); err != nil {
		return nil, fmt.Errorf("benq: %w", err)
	}
	s := settings.(*Settings)
	p := &Projector{line: e.Line, echo: s.Echo, clock: lamp.NewClock(s.Warming, s.Cooling), inputs: make(map[string]string)}
	for code, read := range s.Inputs {
		p.inputs[strings.ToLower(read)] = code
	}
	return p, nil
}

// Projector is one projector. Its methods may be called from any goroutine.
type Projector struct {
	line   *line.Line
	echo   string
	clock  *lamp.Clock
	inputs map[string]string // the word that chooses an input, by what is read for it
}

var _ devices.Projector = (*Projector)(nil)

// ask sends a request and returns the value of the answer. An error answer is a *devices.Rejection.
func (p *Projector) ask(ctx context.Context, r request) (string, error) {
	l := &listener{request: r, echo: p.echo}
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: r.encode(), Note: r.String(), Timeout: replyTime, Pause: restTime, Explain: explain, Accept: l.accepts,
	})
	if err != nil {
		return "", fmt.Errorf("benq %s: %w", r, err)
	}
	value, err := decode(frame)
	if err != nil {
		return "", fmt.Errorf("benq %s: %w", r, err)
	}
	return value, nil
}

// Status implements devices.Projector. Beside pow=? a projector is asked nothing unless it is on.
func (p *Projector) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	s := devices.ProjectorStatus{Lamp: -1}
	var err error
	if s.Power, err = p.power(ctx); err != nil {
		return s, err
	}
	s.Reckoned = p.clock.Reckoned()
	if p.clock.Failed() {
		s.Fault = devices.Fault{Code: "POW=OFF", Text: devices.Phrase{
			ZH: "预热时自行关机，灯泡可能未点亮", EN: "It went off while it was to warm up: the lamp may not have lit",
		}}
	}
	if s.Power != devices.PowerOn {
		return s, nil
	}
	input, err := optional(p.ask(ctx, request{"sour", question}))
	if err != nil {
		return s, err
	}
	s.Input = strings.ToLower(input)
	if code, ok := p.inputs[s.Input]; ok {
		s.Input = code
	}
	hours, err := optional(p.ask(ctx, request{"ltim", question}))
	if err != nil {
		return s, err
	}
	if n, err := strconv.Atoi(hours); err == nil && n >= 0 {
		s.Lamp = n
	}
	return s, nil
}

// power asks for the power and reckons what it means.
func (p *Projector) power(ctx context.Context) (devices.Power, error) {
	value, err := p.ask(ctx, request{"pow", question})
	var rejection *devices.Rejection
	if errors.As(err, &rejection) && rejection.Busy {
		if power := p.clock.Power(); power == devices.PowerWarming || power == devices.PowerCooling {
			return power, nil
		}
	}
	if err != nil {
		return devices.PowerUnknown, err
	}
	switch {
	case strings.EqualFold(value, "on"):
		return p.clock.Said(true), nil
	case strings.EqualFold(value, "off"):
		return p.clock.Said(false), nil
	}
	return devices.PowerUnknown, fmt.Errorf("benq pow=?: %w: %q is neither ON nor OFF", line.ErrGarbled, clip(value))
}

// optional takes a rejected question for an empty answer: not every model has all of them.
func optional(value string, err error) (string, error) {
	var rejection *devices.Rejection
	if errors.As(err, &rejection) {
		return "", nil
	}
	return value, err
}

// SetPower implements devices.Projector.
func (p *Projector) SetPower(ctx context.Context, on bool) error {
	if _, err := p.ask(ctx, request{"pow", map[bool]string{true: "on", false: "off"}[on]}); err != nil {
		return err
	}
	p.clock.Told(on)
	return nil
}

// SetInput implements devices.Projector.
func (p *Projector) SetInput(ctx context.Context, code string) error {
	if !named(code) {
		return &devices.Refusal{Reason: devices.Phrase{
			ZH: fmt.Sprintf("配置错误：BenQ信号源代码 %q 应为小写，例如 hdmi2", code),
			EN: fmt.Sprintf("The room file's code %q is no BenQ input: write it in lower case, such as hdmi2", code),
		}}
	}
	_, err := p.ask(ctx, request{"sour", code})
	return err
}
