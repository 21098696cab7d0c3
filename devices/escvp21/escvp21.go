// Package escvp21 speaks Epson's ESC/VP21 to business projectors, over RS-232 and over TCP
// (ESC/VP.net).
//
// Commands are ASCII in upper case, ended by a carriage return. The projector answers everything
// with a colon when it is ready for the next command, and must not be spoken to before ("ESC/VP21
// Command User's Guide for Business Projectors", p. 7).
package escvp21

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	usualTime = 5 * time.Second   // for an answer; the guide's figure for all but power and source
	offTime   = 10 * time.Second  // for PWR OFF
	onTime    = 100 * time.Second // for PWR ON: the colon comes after ignition, on the third try at the latest
	prompt    = ':'
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "escvp21", Equipment: "Epson business projectors",
		Facts: "Epson ESC/VP21 Command User's Guide for Business Projectors, Rev. F",
		Kinds: []string{"projector"}, Lines: []line.Kind{line.Serial, line.TCP}, Feedback: "state, lamp, faults",
		Settings: func() any { return &Settings{Ignition: onTime} },
		Probe:    &devices.Probe{Protocol: "ESC/VP21", Bauds: []int{9600}, Ask: question},
		New: func(e devices.Env, settings any) (any, error) {
			if err := e.Line.Use(session(e.Line.Config().Kind)); err != nil {
				return nil, fmt.Errorf("escvp21: %w", err)
			}
			return &Projector{line: e.Line, ignition: settings.(*Settings).Ignition}, nil
		},
	}
}

// probeTime is how long a projector is waited for that may not be there; the guide's time for an answer
// is for one that is busy.
const probeTime = time.Second

// question is how a projector is found: over TCP by the hello, else by its power. The return before it
// ends whatever the questions of other protocols have left.
func question(kind line.Kind, _ any) line.Exchange {
	x := line.Exchange{
		Request: []byte("\rPWR?\r"), Note: "PWR?", Timeout: probeTime, Explain: explain,
		Find: line.FindFrame(split, func(f []byte) bool { return strings.HasPrefix(body(f), "PWR=") }),
	}
	if kind == line.TCP {
		x.Request, x.Note = []byte(hello), "ESC/VP.net hello"
		x.Find = line.FindFrame(split, func(f []byte) bool { return bytes.HasPrefix(f, []byte("ESC/VP.net")) })
		x.Explain = func([]byte) string { return "ESC/VP.net answers" }
	}
	return x
}

// Settings are the driver's settings.
type Settings struct {
	Ignition time.Duration `yaml:"ignition" doc:"how long the lamp may take to light, in which the projector must not be spoken to; default 100s, for three tries"`
}

// Validate says what is wrong with the settings.
func (s *Settings) Validate() error {
	if s.Ignition < time.Second || s.Ignition > 5*time.Minute {
		return fmt.Errorf("ignition %s: it is between 1s and 5m", s.Ignition)
	}
	return nil
}

// hello opens ESC/VP.net, and its answer has 0x20 (OK) in place of the last but one byte.
const hello = "ESC/VP.net\x10\x03\x00\x00\x00\x00"

const (
	helloLength = 16
	helloStatus = 14
	helloOK     = 0x20
)

func session(kind line.Kind) line.Session {
	s := line.Session{Name: "ESC/VP21", Split: split, Explain: explain}
	if kind == line.TCP {
		s.Greet = greet
	}
	return s
}

// greet opens the session over TCP.
func greet(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
	answer, err := do(ctx, line.Exchange{
		Request: []byte(hello), Note: "ESC/VP.net hello", Timeout: usualTime,
		Accept: func(f []byte) bool { return len(f) == helloLength && bytes.HasPrefix(f, []byte("ESC/VP.net")) },
	})
	if err != nil {
		return err
	}
	if status := answer[helloStatus]; status != helloOK {
		return fmt.Errorf("the projector refused the session with status %#02x: a password may be set in its network menu, or its single session be in use", status)
	}
	return nil
}

// split cuts the stream after each colon; the answer to the hello has no colon and a fixed length.
func split(got []byte) int {
	if bytes.HasPrefix(got, []byte("ESC/VP.net")) {
		if len(got) < helloLength {
			return 0
		}
		return helloLength
	}
	return bytes.IndexByte(got, prompt) + 1
}

// Projector is one projector.
type Projector struct {
	line     *line.Line
	ignition time.Duration
}

var (
	_ devices.Projector = (*Projector)(nil)
	_ devices.Slow      = (*Projector)(nil)
)

// Patience implements devices.Slow: the colon after PWR ON comes when the lamp burns.
func (p *Projector) Patience(property string) time.Duration {
	if property == "power" {
		return p.ignition
	}
	return 0
}

// ask sends a command and returns the value that a query has.
func (p *Projector) ask(ctx context.Context, command string, limit time.Duration) (string, error) {
	name := strings.TrimRight(command, "?")
	query := strings.HasSuffix(command, "?")
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: []byte(command + "\r"), Note: command, Timeout: limit, Explain: explain,
		Accept: func(f []byte) bool { return accepts(f, name, query) },
	})
	if err != nil {
		return "", fmt.Errorf("escvp21 %s: %w", command, err)
	}
	value, err := decode(frame, name, query)
	if err != nil {
		return "", fmt.Errorf("escvp21 %s: %w", command, err)
	}
	return value, nil
}

// accepts tells the answer to a command from what the projector says by itself (IMEVENT=...) and
// from the late answer to another query.
func accepts(frame []byte, name string, query bool) bool {
	text := body(frame)
	switch {
	case strings.HasPrefix(text, "IMEVENT="):
		return false
	case text == "ERR":
		return true
	case query:
		return strings.HasPrefix(text, name+"=")
	}
	return text == ""
}

// body is a frame without its end, and without what stands before its last line.
func body(frame []byte) string {
	text := strings.Trim(string(bytes.TrimRight(frame, ":")), "\r\n ")
	if i := strings.LastIndexAny(text, "\r\n"); i >= 0 {
		text = text[i+1:]
	}
	return text
}

var errForm = errors.New("not an ESC/VP21 answer")

// decode reads an answer.
func decode(frame []byte, name string, query bool) (string, error) {
	text := body(frame)
	if text == "ERR" {
		return "", &devices.Rejection{Code: "ERR", Busy: true, Reason: devices.Phrase{
			ZH: "投影机现在不接受此命令", EN: "The projector does not take this command now",
		}}
	}
	if !query {
		return "", nil
	}
	value, ok := strings.CutPrefix(text, name+"=")
	if !ok {
		return "", fmt.Errorf("%w: %q", errForm, text)
	}
	return value, nil
}

// powers are the codes of PWR? (guide, section "PWR?").
func powerOf(code string) (devices.Power, bool) {
	switch code {
	case "00", "04", "05", "09": // standby, with network, after a fault, with audio and video
		return devices.PowerOff, true
	case "01":
		return devices.PowerOn, true
	case "02":
		return devices.PowerWarming, true
	case "03":
		return devices.PowerCooling, true
	}
	return devices.PowerUnknown, false
}

// Status implements devices.Projector. In standby most queries are answered with ERR; they are not
// asked.
func (p *Projector) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	s := devices.ProjectorStatus{Lamp: -1}
	code, err := p.ask(ctx, "PWR?", usualTime)
	if err != nil {
		return s, err
	}
	power, ok := powerOf(code)
	if !ok {
		return s, fmt.Errorf("escvp21 PWR?: unknown state %q", code)
	}
	s.Power = power
	if power == devices.PowerOn {
		if s.Input, err = optional(p.ask(ctx, "SOURCE?", usualTime)); err != nil {
			return s, err
		}
		hours, err := optional(p.ask(ctx, "LAMP?", usualTime))
		if err != nil {
			return s, err
		}
		if n, err := strconv.Atoi(hours); err == nil && n >= 0 {
			s.Lamp = n
		}
	}
	fault, err := optional(p.ask(ctx, "ERR?", usualTime))
	if err != nil {
		return s, err
	}
	s.Fault = faultOf(fault)
	if s.Fault.Code == "" && code == "05" {
		s.Fault = devices.Fault{Code: "PWR=05", Text: devices.Phrase{ZH: "异常待机", EN: "Standby after a fault"}}
	}
	return s, nil
}

// optional takes a rejected query for an empty answer: not every model and state has all of them.
func optional(value string, err error) (string, error) {
	var rejection *devices.Rejection
	if errors.As(err, &rejection) {
		return "", nil
	}
	return value, err
}

// SetPower implements devices.Projector. Switching on occupies the line until the lamp burns, as the
// guide demands; see Patience.
func (p *Projector) SetPower(ctx context.Context, on bool) error {
	if on {
		_, err := p.ask(ctx, "PWR ON", p.ignition)
		return err
	}
	_, err := p.ask(ctx, "PWR OFF", offTime)
	return err
}

// SetInput implements devices.Projector.
func (p *Projector) SetInput(ctx context.Context, code string) error {
	_, err := p.ask(ctx, "SOURCE "+strings.ToUpper(code), usualTime)
	return err
}

// faultOf puts a code of ERR? into words.
func faultOf(code string) devices.Fault {
	words := map[string]devices.Phrase{
		"01": {ZH: "风扇故障", EN: "Fan"},
		"03": {ZH: "开机时灯泡未点亮", EN: "The lamp did not light"},
		"04": {ZH: "内部温度过高", EN: "Too hot inside"},
		"06": {ZH: "灯泡故障", EN: "Lamp"},
		"07": {ZH: "灯泡盖打开", EN: "Lamp cover open"},
		"08": {ZH: "滤光片故障", EN: "Cinema filter"},
		"09": {ZH: "电容未连接", EN: "Capacitor disconnected"},
		"0A": {ZH: "自动光圈故障", EN: "Auto iris"},
		"0B": {ZH: "子系统故障", EN: "Subsystem"},
		"0C": {ZH: "气流不足，请清洁滤网", EN: "Low air flow: clean the filter"},
		"0D": {ZH: "气流传感器故障", EN: "Air flow sensor"},
		"0E": {ZH: "镇流器电源故障", EN: "Ballast power supply"},
		"0F": {ZH: "快门故障", EN: "Shutter"},
		"10": {ZH: "制冷片故障", EN: "Peltier cooling"},
		"11": {ZH: "水泵故障", EN: "Pump"},
		"12": {ZH: "固定光圈故障", EN: "Static iris"},
		"13": {ZH: "电源故障", EN: "Power supply"},
		"14": {ZH: "排气快门故障", EN: "Exhaust shutter"},
		"15": {ZH: "检测到障碍物", EN: "Obstacle"},
		"16": {ZH: "接口板故障", EN: "Interface board"},
	}
	code = strings.ToUpper(code)
	if code == "" || code == "00" {
		return devices.Fault{}
	}
	text, ok := words[code]
	if !ok {
		text = devices.Phrase{ZH: "未知故障", EN: "Unknown fault"}
	}
	return devices.Fault{Code: code, Text: text}
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	text := body(frame)
	if name, value, ok := strings.Cut(text, "="); ok && name == "PWR" {
		if power, ok := powerOf(value); ok {
			return "power is " + string(power)
		}
	}
	switch text {
	case "":
		return "ready"
	case "ERR":
		return "refused"
	}
	return text
}
