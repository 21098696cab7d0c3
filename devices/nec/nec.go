// Package nec speaks the binary protocol of NEC and Sharp-NEC projectors, over RS-232 (8N1, the rate
// is chosen in the projector's menu) and over TCP port 7142 ("Projector Control Command Reference
// Manual", BDT140013 Revision 7.1; for older models "Control Commands for NEC Projector (Basic)").
//
// What the projectors are like, and what it means here:
//
//   - A request is 6 bytes and its data, the last a checksum. The reply bears the two first bytes of
//     the request, the first raised by 20h, or by A0h where the projector refuses (section 2.3). Its
//     third and fourth byte are the projector's control ID and model code, whatever they may be:
//     replies are told by the first two bytes, by what they repeat of the request, and by the
//     checksum.
//   - While it switches on or off, "cooling time included, no other command is accepted" (015, 016).
//     Meanwhile only its state is asked for, and the fault it told last stands.
//   - In power-saving standby it answers next to nothing, so nothing else is asked then.
//   - The manual gives 00h, 04h, 05h, 06h, 0Fh and 10h as states (305-3). Units in the field also tell
//     01h, 02h and 03h while they start. Any other is unknown, and unknown is not off.
//   - Models from before 2007 do not know 305-3. With `running_sense: true` they are asked by 004 and
//     078-3 instead.
//   - An input is chosen by a code (1A, A1) and read back as two numbers, the signal types of 078-3.
//     Which code leads to which numbers differs between models: older ones have 1A and 1B for HDMI,
//     newer ones A1 and A2, and both may report 01 21. The newer code is assumed; the setting
//     `inputs` says otherwise.
package nec

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	readTime    = 2 * time.Second        // for a question
	commandTime = 5 * time.Second        // for a command: an input is answered when it has been switched
	pacing      = 100 * time.Millisecond // between two requests; less makes older models drop them
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "nec", Feedback: "state, lamp, faults", Equipment: "NEC and Sharp-NEC projectors",
		Facts: "NEC Projector Control Command Reference Manual, BDT140013 Rev. 7.1; Control Commands for NEC Projector (Basic) Rev. 5.16",
		Kinds: []string{"projector"}, Lines: []line.Kind{line.Serial, line.TCP},
		Settings: func() any { return &Settings{} },
		// Running sense is known to old models as well.
		Probe: &devices.Probe{Protocol: "NEC", Bauds: []int{38400, 9600, 19200, 115200}, Ask: func(line.Kind, any) line.Exchange {
			return line.Exchange{Request: askRunning.encode(), Note: askRunning.name, Timeout: time.Second, Pause: pacing, Find: askRunning.find, Explain: explain}
		}},
		New: func(e devices.Env, settings any) (any, error) {
			// A projector says nothing unasked, so whatever nobody waits for is one piece of noise.
			whole := func(got []byte) int { return len(got) }
			if err := e.Line.Use(line.Session{Name: "NEC", Split: whole, Explain: explain}); err != nil {
				return nil, fmt.Errorf("nec: %w", err)
			}
			set := *settings.(*Settings)
			return &Projector{line: e.Line, sense: set.RunningSense, inputs: set.table()}, nil
		},
	}
}

// Settings are the driver's settings.
type Settings struct {
	RunningSense bool              `yaml:"running_sense" doc:"ask for the state with 004 RUNNING SENSE, for models from before 2007 that do not know 305-3; default false"`
	Inputs       map[string]string `yaml:"inputs" doc:"for input codes that the projector reports otherwise than usual: code to signal types, such as 1A: \"01 21\""`
}

// Validate says what is wrong with the settings.
func (s *Settings) Validate() error {
	said := make(map[signal]string)
	for _, code := range slices.Sorted(maps.Keys(s.Inputs)) {
		if _, err := inputCode(code); err != nil {
			return fmt.Errorf("inputs: %w", err)
		}
		types, err := signalTypes(s.Inputs[code])
		if err != nil {
			return fmt.Errorf("inputs: %s: %w", code, err)
		}
		if other, twice := said[types]; twice {
			return fmt.Errorf("inputs: %s and %s are both %q: what the projector reports must mean one of them", other, code, s.Inputs[code])
		}
		said[types] = code
	}
	return nil
}

// Projector is one projector.
type Projector struct {
	line   *line.Line
	sense  bool
	inputs map[signal]string

	mu    sync.Mutex
	fault devices.Fault // as told last
}

var _ devices.Projector = (*Projector)(nil)

// ask sends a request and returns the data of the reply.
func (p *Projector) ask(ctx context.Context, r request, limit time.Duration) ([]byte, error) {
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: r.encode(), Note: r.name, Timeout: limit, Pause: pacing, Find: r.find, Explain: explain,
	})
	if err != nil {
		return nil, fmt.Errorf("nec %s: %w", r.name, err)
	}
	data, err := decode(frame)
	if err != nil {
		return nil, fmt.Errorf("nec %s: %w", r.name, err)
	}
	return data, nil
}

// Status implements devices.Projector.
func (p *Projector) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	state := p.basic
	if p.sense {
		state = p.running
	}
	s, settled, err := state(ctx)
	if err != nil {
		return s, err
	}
	if !settled {
		s.Fault = p.lastFault()
		return s, nil
	}
	errorState := s.Fault
	data, err := optional(p.ask(ctx, askErrors, readTime))
	if err != nil {
		return s, err
	}
	if s.Fault = faultOf(data); s.Fault.Code == "" {
		s.Fault = errorState
	}
	p.keepFault(s.Fault)
	if s.Power == devices.PowerOn {
		s.Lamp, err = p.lamp(ctx)
	}
	return s, err
}

// basic reads the state with 305-3. It is settled where the projector takes other questions.
func (p *Projector) basic(ctx context.Context) (s devices.ProjectorStatus, settled bool, err error) {
	s.Lamp = -1
	data, err := p.ask(ctx, askBasic, readTime)
	if err != nil {
		return s, false, err
	}
	var known bool
	code := data[1]
	if s.Power, known = powerOf(code); !known {
		return s, false, nil
	}
	switch s.Power {
	case devices.PowerOn:
		s.Input = p.inputs[signal{data[3], data[4]}]
	case devices.PowerOff:
		if code == standbyError {
			s.Fault = devices.Fault{Code: fmt.Sprintf("%02X", code), Text: devices.Phrase{ZH: "异常待机", EN: "Standby after a fault"}}
		}
		return s, code != standbySaving, nil
	}
	return s, s.Power == devices.PowerOn, nil
}

// running reads the state with 004 and 078-3.
func (p *Projector) running(ctx context.Context) (s devices.ProjectorStatus, settled bool, err error) {
	s.Lamp = -1
	data, err := p.ask(ctx, askRunning, readTime)
	if err != nil {
		return s, false, err
	}
	if s.Power = senseOf(data[0]); s.Power != devices.PowerOn {
		return s, s.Power == devices.PowerOff, nil
	}
	data, err = optional(p.ask(ctx, askInput, readTime))
	if len(data) > 3 {
		s.Input = p.inputs[signal{data[2], data[3]}]
	}
	return s, true, err
}

// lamp asks for the hours of the first lamp, or of the light source that a laser model has: by 037-4,
// and where a model does not know that, by 037.
func (p *Projector) lamp(ctx context.Context) (hours int, err error) {
	data, err := optional(p.ask(ctx, askLamp, readTime))
	if err != nil {
		return -1, err
	}
	if data != nil {
		return hoursOf(data[2:6]), nil
	}
	if data, err = optional(p.ask(ctx, askInformation, readTime)); err != nil || data == nil {
		return -1, err
	}
	return hoursOf(data[82:86]), nil
}

// hoursOf reads seconds, low byte first; -1 is what a projector tells that does not count.
func hoursOf(seconds []byte) int {
	n := int32(binary.LittleEndian.Uint32(seconds)) //nolint:gosec // the manual's number is signed
	if n < 0 {
		return -1
	}
	return int(n) / 3600
}

// optional takes a refused question for an empty answer: not every model and state has all of them.
func optional(data []byte, err error) ([]byte, error) {
	var rejection *devices.Rejection
	if errors.As(err, &rejection) {
		return nil, nil
	}
	return data, err
}

func (p *Projector) lastFault() devices.Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

func (p *Projector) keepFault(f devices.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
}

// SetPower implements devices.Projector. The projector acknowledges and comes in its own time.
func (p *Projector) SetPower(ctx context.Context, on bool) error {
	r := powerOff
	if on {
		r = powerOn
	}
	_, err := p.ask(ctx, r, commandTime)
	return err
}

// SetInput implements devices.Projector. The code is the manual's, two hexadecimal digits: "1A".
func (p *Projector) SetInput(ctx context.Context, code string) error {
	n, err := inputCode(code)
	if err != nil {
		return &devices.Refusal{Reason: devices.Phrase{ZH: "投影机没有信号源 " + strconv.Quote(code), EN: err.Error()}}
	}
	data, err := p.ask(ctx, chooseInput(n), commandTime)
	if err != nil {
		return err
	}
	if data[0] != 0 { // FFh: "ended with error", the input is not there
		return fmt.Errorf("nec input %s: %w", code, &devices.Rejection{
			Code:   fmt.Sprintf("%02X", data[0]),
			Reason: devices.Phrase{ZH: "投影机没有此信号源", EN: "The projector has no such input"},
		})
	}
	return nil
}
