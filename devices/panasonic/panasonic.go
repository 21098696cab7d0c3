// Package panasonic drives Panasonic projectors: over RS-232 (9600 baud, 8N1) with commands between
// STX and ETX, and over TCP port 1024 with NTCONTROL ("RS-232C Control Specifications" of the
// PT-DW10000/D10000, the PT-DZ12000 and the PT-FW300; "Control commands via LAN" and "via serial
// terminal" in the operating instructions of the PT-DS8500U, PT-RQ35K and PT-VW345NZ).
//
// What the projectors are like, and what it means here:
//
//   - A command is answered by itself, a query by the bare value, in which nothing tells what was
//     asked. A reply is taken only where it has the form of the value.
//   - Q$S tells what the lamp does: 0 standby, 1 being lit, 2 lit, 3 being put out. Where it says 0,
//     QPW is asked as well: a projector whose power is on and whose lamp is out is not called off.
//     Its state is unknown, and the fault says why. Models whose manual has no Q$S have
//     `lamp_status: false`; then QPW alone is believed, and warming and cooling are not seen.
//   - "No command can be sent or received for 60 seconds after the lamp starts lighting" (PT-DS8500U);
//     controllers in the field wait 8 s after PON and POF, and 2 s after IIS. So long the line is left
//     alone: `after_power` and `after_input`.
//   - "Wait until 0.5 seconds has elapsed after receiving the response" on the serial port.
//   - The hours are asked with Q$L:1 where a model can have several lamps, with Q$L where it has one,
//     and with QST where it has none (laser): `hours`.
//   - None of these manuals has a question for what is wrong, but for the PT-D10000 and PT-DW10000,
//     whose self-diagnosis `self_test: true` reads. Others tell it by PJLink alone.
//   - Over the network "the projector will automatically disconnect right after sending" its reply:
//     each exchange has a connection of its own.
package panasonic

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// Drivers describes both drivers.
func Drivers() []devices.Driver { return []devices.Driver{Serial(), NTControl()} }

const (
	readTime    = 3 * time.Second // for a query
	commandTime = 5 * time.Second
	afterPower  = 8 * time.Second
	afterInput  = 2 * time.Second
	afterMost   = 2 * time.Minute
)

// dialect is how commands are written on one of the two ports.
type dialect struct {
	frame func(command string) []byte
	body  func(frame []byte) (text string, ok bool)
	pause time.Duration // after any exchange
}

// manners are the settings that both drivers have.
type manners struct {
	lampStatus             bool
	hours                  string
	afterPower, afterInput time.Duration
}

func (m manners) validate() error {
	var err error
	if m.hours != "Q$L:1" && m.hours != "Q$L" && m.hours != "QST" {
		err = fmt.Errorf("hours %q: it is Q$L:1 for models with several lamps, Q$L with one, or QST for laser models", m.hours)
	}
	if m.afterPower < 0 || m.afterPower > afterMost {
		err = errors.Join(err, fmt.Errorf("after_power %s: it is between 0s and 2m", m.afterPower))
	}
	if m.afterInput < 0 || m.afterInput > afterMost {
		err = errors.Join(err, fmt.Errorf("after_input %s: it is between 0s and 2m", m.afterInput))
	}
	return err
}

// Projector is one projector.
type Projector struct {
	line     *line.Line
	speech   dialect
	set      manners
	selfTest []byte // the request; nil where the model has none
}

var (
	_ devices.Projector = (*Projector)(nil)
	_ devices.Slow      = (*Projector)(nil)
)

// Patience implements devices.Slow: a power command lasts until the projector may be spoken to again.
func (p *Projector) Patience(property string) time.Duration {
	if property == "power" {
		return p.set.afterPower + commandTime
	}
	return 0
}

// ask sends a command and returns the value of a query, "" for any other.
func (p *Projector) ask(ctx context.Context, command string, limit, pause time.Duration) (string, error) {
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: p.speech.frame(command), Note: command, Timeout: limit, Pause: max(pause, p.speech.pause),
		Accept: func(f []byte) bool {
			text, ok := p.speech.body(f)
			return ok && accepts(text, command)
		},
		Explain: func(f []byte) string {
			text, _ := p.speech.body(f)
			return explain(text, command)
		},
	})
	if err != nil {
		return "", fmt.Errorf("panasonic %s: %w", command, err)
	}
	text, _ := p.speech.body(frame)
	value, err := decode(text, command)
	if err != nil {
		return "", fmt.Errorf("panasonic %s: %w", command, err)
	}
	return value, nil
}

func (p *Projector) query(ctx context.Context, command string) (string, error) {
	return p.ask(ctx, command, readTime, 0)
}

// Status implements devices.Projector.
func (p *Projector) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	s := devices.ProjectorStatus{Lamp: -1}
	var err error
	if s.Power, s.Fault, err = p.power(ctx); err != nil {
		return s, err
	}
	if p.selfTest != nil {
		fault, err := p.diagnose(ctx)
		if err != nil {
			return s, err
		}
		if fault.Code != "" {
			s.Fault = fault
		}
	}
	if s.Power != devices.PowerOn {
		return s, nil
	}
	if s.Input, err = optional(p.query(ctx, "QIN")); err != nil {
		return s, err
	}
	hours, err := optional(p.query(ctx, p.set.hours))
	if err != nil {
		return s, err
	}
	s.Lamp = hoursOf(hours)
	return s, nil
}

// power asks what the lamp does, and where that leaves a doubt, whether the power is on.
func (p *Projector) power(ctx context.Context) (devices.Power, devices.Fault, error) {
	lamp := "0"
	if p.set.lampStatus {
		var err error
		if lamp, err = p.query(ctx, "Q$S"); err != nil {
			return devices.PowerUnknown, devices.Fault{}, err
		}
	}
	switch lamp {
	case "1":
		return devices.PowerWarming, devices.Fault{}, nil
	case "2":
		return devices.PowerOn, devices.Fault{}, nil
	case "3":
		return devices.PowerCooling, devices.Fault{}, nil
	}
	main, err := p.query(ctx, "QPW")
	switch {
	case err != nil:
		return devices.PowerUnknown, devices.Fault{}, err
	case main == "000":
		return devices.PowerOff, devices.Fault{}, nil
	case !p.set.lampStatus:
		return devices.PowerOn, devices.Fault{}, nil
	}
	return devices.PowerUnknown, devices.Fault{Code: "QPW=001 Q$S=0", Text: devices.Phrase{
		ZH: "已通电，但灯泡未点亮", EN: "The power is on and the lamp is out",
	}}, nil
}

// optional takes a refused query for an empty answer: not every model and state has all of them.
func optional(value string, err error) (string, error) {
	var rejection *devices.Rejection
	if errors.As(err, &rejection) {
		return "", nil
	}
	return value, err
}

// noHours is what a projector tells that cannot tell its hours (PT-D10000, 2.127).
const noHours = 65535

func hoursOf(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n == noHours {
		return -1
	}
	return n
}

// SetPower implements devices.Projector. It returns when the projector may be spoken to again.
func (p *Projector) SetPower(ctx context.Context, on bool) error {
	command := "POF"
	if on {
		command = "PON"
	}
	if _, err := p.ask(ctx, command, commandTime, p.set.afterPower); err != nil {
		return err
	}
	rest := time.NewTimer(p.set.afterPower)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done(): // it has been accepted all the same
	}
	return nil
}

// SetInput implements devices.Projector. The code is the manual's: "HD1", "DL1:HD2".
func (p *Projector) SetInput(ctx context.Context, code string) error {
	code = strings.ToUpper(code)
	if !isInput(code) {
		return &devices.Refusal{Reason: devices.Phrase{
			ZH: "信号源代码无效: " + strconv.Quote(code), EN: fmt.Sprintf("%q is no input code: write the manual's, such as HD1", code),
		}}
	}
	_, err := p.ask(ctx, "IIS:"+code, commandTime, p.set.afterInput)
	return err
}

// isInput reports whether a word, in capitals, has the form of an input code.
func isInput(code string) bool {
	parts := strings.Split(code, ":") // DL1:HD2 is the second HDMI socket of a box at DIGITAL LINK
	if len(parts) > 2 {
		return false
	}
	for _, part := range parts {
		if len(part) < 2 || len(part) > 4 || strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			return false
		}
	}
	return true
}
