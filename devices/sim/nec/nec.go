// Package nec simulates an NEC projector with its binary protocol, on a serial port or a socket: a
// lamp that takes its time, a projector that takes no command meanwhile, and replies that bear the
// control ID and the model code, as those of real units do.
package nec

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"lectern/devices/sim"
)

const (
	warm = 30 * time.Second
	cool = 60 * time.Second
	// tired is after how long without a byte a frame that has begun is given up.
	tired = time.Second

	controlID = 0x01
	modelCode = 0x60

	runHours = 5 // of the lamp
)

// Operation states of 305-3.
const (
	standby = 0x00
	warming = 0x03
	running = 0x04
	cooling = 0x05
	faulty  = 0x06
)

// Projector is the simulated projector.
type Projector struct {
	id    string
	old   bool // of the years before 305-3 and 037-4
	types map[byte][2]byte
	scale func(time.Duration) time.Duration

	mu    sync.Mutex
	state byte
	until time.Time
	input byte
	fault string
	dark  bool // the lamp did not light
}

// New makes the projector of a device.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d NEC projectors on one line: its requests address none", len(devices))
	}
	old, _ := devices[0].With["running_sense"].(bool)
	p := &Projector{id: devices[0].ID, old: old, scale: o.Scale, state: standby, input: 0xA1, types: map[byte][2]byte{
		0x01: {1, 1}, 0x02: {2, 1}, 0x06: {1, 2}, 0x0B: {1, 3}, 0x10: {1, 4},
		0xA1: {1, 0x21}, 0xA2: {2, 0x21}, 0xA6: {1, 0x22}, 0xBF: {1, 0x27},
	}}
	if old {
		p.input, p.types = 0x1A, map[byte][2]byte{0x01: {1, 1}, 0x02: {2, 1}, 0x06: {1, 2}, 0x0B: {1, 3}, 0x1A: {1, 6}, 0x1B: {2, 6}}
	}
	told, _ := devices[0].With["inputs"].(map[string]any)
	for code, as := range told { // a model that says another signal for the same socket than most do
		var in, number, kind byte
		if _, err := fmt.Sscanf(fmt.Sprint(code, " ", as), "%X %X %X", &in, &number, &kind); err != nil {
			return nil, fmt.Errorf("inputs %q: %q: it is two bytes in hexadecimal: %w", code, as, err)
		}
		maps.DeleteFunc(p.types, func(_ byte, pair [2]byte) bool { return pair == [2]byte{number, kind} })
		p.types[in], p.input = [2]byte{number, kind}, in
	}
	return p, nil
}

// tick moves the state on by the clock. The caller holds mu.
func (p *Projector) tick() {
	if p.state != warming && p.state != cooling || time.Now().Before(p.until) {
		return
	}
	switch {
	case p.state == warming && p.fault == "no-lamp":
		p.state, p.dark = faulty, true
	case p.state == warming:
		p.state = running
	default:
		p.state = standby
	}
}

func (p *Projector) turn(on bool) {
	if on {
		p.state, p.until, p.dark = warming, time.Now().Add(p.scale(warm)), false
	} else {
		p.state, p.until = cooling, time.Now().Add(p.scale(cool))
	}
}

// Serve implements sim.Stream.
func (p *Projector) Serve(ctx context.Context, conn io.ReadWriter) error {
	var frame []byte
	var last time.Time
	buf := make([]byte, 64)
	for ctx.Err() == nil {
		n, err := conn.Read(buf)
		if err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
		if time.Since(last) > tired {
			frame = frame[:0]
		}
		last = time.Now()
		frame = append(frame, buf[:n]...)
		for len(frame) >= 6 && len(frame) >= 6+int(frame[4]) {
			whole := 6 + int(frame[4])
			reply := p.obey(frame[:whole])
			frame = frame[whole:]
			if reply == nil {
				continue
			}
			if _, err := conn.Write(reply); err != nil {
				return err //nolint:wrapcheck // the end of a connection
			}
		}
	}
	return nil
}

func sum(b []byte) (s byte) {
	for _, c := range b {
		s += c
	}
	return s
}

// obey answers one frame; one with a wrong checksum is not answered.
func (p *Projector) obey(frame []byte) []byte {
	if sum(frame[:len(frame)-1]) != frame[len(frame)-1] {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	data, code := p.answer(int(frame[0])<<8|int(frame[1]), frame[5:len(frame)-1])
	head := frame[0] + 0x20
	if code != 0 {
		head, data = frame[0]+0xA0, []byte{byte(code >> 8), byte(code)}
	}
	reply := append([]byte{head, frame[1], controlID, modelCode, byte(len(data))}, data...)
	return append(reply, sum(reply))
}

// Error replies of section 2.4, ERR1 before ERR2. None of them is 00h 00h, which stands for success here.
const (
	notOfThisModel = 0x0001
	badValue       = 0x0100
	isOff          = 0x020D
	cannotNow      = 0x020E
)

// answer carries out a command and returns the data of the reply, or a code of section 2.4.
func (p *Projector) answer(command int, data []byte) (reply []byte, code int) {
	busy := p.state == warming || p.state == cooling
	switch {
	case p.fault == "nak":
		return nil, cannotNow
	case command == 0x00BF && !p.old && string(data) == "\x02":
		return p.basic(), 0
	case command == 0x0081:
		return []byte{p.sense()}, 0
	case busy: // 015, 016: nothing else is taken meanwhile
		return nil, cannotNow
	}
	switch command {
	case 0x0088:
		return p.errors(), 0
	case 0x0085:
		if string(data) != "\x02" {
			return nil, notOfThisModel
		}
		reply = make([]byte, 16)
		copy(reply[2:4], p.signal())
		return reply, 0
	case 0x0200:
		if p.state != running {
			p.turn(true)
		}
		return nil, 0
	case 0x0201:
		if p.state == running {
			p.turn(false)
		}
		return nil, 0
	case 0x0203:
		return p.choose(data)
	case 0x0396:
		if p.old {
			return nil, notOfThisModel
		}
		if len(data) != 2 || data[0] != 0 || data[1] != 1 {
			return nil, badValue
		}
		return binary.LittleEndian.AppendUint32([]byte{0, 1}, runHours*3600), 0
	case 0x038A:
		reply = make([]byte, 98)
		copy(reply, "Simulated")
		binary.LittleEndian.PutUint32(reply[82:], runHours*3600)
		return reply, 0
	}
	return nil, notOfThisModel
}

// choose is 018 INPUT SW CHANGE.
func (p *Projector) choose(data []byte) (reply []byte, code int) {
	switch {
	case p.state != running:
		return nil, isOff
	case len(data) != 2 || data[0] != 1:
		return nil, badValue
	}
	if _, ok := p.types[data[1]]; !ok {
		return []byte{0xFF}, 0 // no signal switch was made
	}
	p.input = data[1]
	return []byte{0}, 0
}

// signal is selection signal types 1 and 2.
func (p *Projector) signal() []byte {
	if p.state != running {
		return []byte{0xFF, 0xFF}
	}
	types := p.types[p.input]
	return types[:]
}

// basic is the reply of 305-3.
func (p *Projector) basic() []byte {
	reply := make([]byte, 16)
	reply[0], reply[1] = 2, p.state
	copy(reply[3:5], p.signal())
	return reply
}

// sense is the status of 004.
func (p *Projector) sense() byte {
	return map[byte]byte{standby: 0, faulty: 0, warming: 0x82, running: 0x02, cooling: 0xA0}[p.state]
}

// errors are the 12 bytes of 009.
func (p *Projector) errors() []byte {
	reply := make([]byte, 12)
	if p.dark {
		reply[0] |= 0x40
	}
	switch p.fault {
	case "overheat":
		reply[0] |= 0x02
	case "filter":
		reply[3] |= 0x04
	}
	return reply
}

// Truth implements sim.Equipment.
func (p *Projector) Truth() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	power := map[byte]string{standby: "off", faulty: "off", warming: "warming", running: "on", cooling: "cooling"}[p.state]
	truth := map[string]string{p.id + ".power": power, p.id + ".lamp": fmt.Sprint(runHours)}
	if p.state == running {
		truth[p.id+".input"] = fmt.Sprintf("%02X", p.input)
	}
	return truth
}

// Nudge implements sim.Equipment: somebody uses the remote control.
func (p *Projector) Nudge(_, property, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	var inputs []string
	for code := range p.types {
		inputs = append(inputs, fmt.Sprintf("%02X", code))
	}
	slices.Sort(inputs)
	switch {
	case property == "power" && value == "on":
		if p.state == standby || p.state == faulty {
			p.turn(true)
		}
	case property == "power" && value == "off":
		if p.state == running {
			p.turn(false)
		}
	case property == "input" && slices.Contains(inputs, value):
		_, _ = fmt.Sscanf(value, "%02X", &p.input)
	default:
		return fmt.Errorf("nobody can nudge %s to %q: power takes on, off; input takes %v", property, value, inputs)
	}
	return nil
}

// Fault implements sim.Equipment.
func (p *Projector) Fault(name string) error {
	if !slices.Contains([]string{"", "nak", "no-lamp", "overheat", "filter"}, name) {
		return fmt.Errorf("fault %q is not known: this projector takes nak, no-lamp, overheat, filter", name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault = name; name == "" {
		p.dark = false
		if p.state == faulty {
			p.state = standby
		}
	}
	return nil
}
