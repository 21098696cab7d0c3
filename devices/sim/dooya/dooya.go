// Package dooya plays Dooya curtain and screen motors on an RS-485 bus, as the "485 communication
// protocol A4" of the DT82, KT82 and DC series describes them: a stroke that the motor learns at its
// ends and forgets with the mains, echoes as acknowledgement, and error replies that are one byte
// longer.
package dooya

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

// travel is how long a motor needs from one end to the other at speed 1. A DT82 runs at about
// 20 cm/s, which is 15 s for a window of 3 m.
const travel = 15 * time.Second

// Function codes and control commands of the protocol.
const (
	header = 0x55

	fnRead    = 0x01
	fnWrite   = 0x02
	fnControl = 0x03

	cmdOpen   = 0x01
	cmdClose  = 0x02
	cmdStop   = 0x03
	cmdGoTo   = 0x04
	cmdForget = 0x07 // deletes the limits
	cmdReset  = 0x08 // factory settings, the limits included

	regPosition  = 0x02
	regDirection = 0x03
	regPull      = 0x04
	regStatus    = 0x05

	failure = 0xFF
)

// faults lists what Fault takes.
const faults = `"" (healed), nak (every control command is answered with its error reply), ` +
	`jammed (the motors acknowledge and do not move), mains-loss (the motors stop and forget their stroke)`

// motor is one motor. All its fields are guarded by the bus.
type motor struct {
	device string
	id     [2]byte

	place  float64   // per cent open, at the time of since
	since  time.Time // when place was true
	way    float64   // +1 opening, -1 closing, 0 standing
	target float64   // where the present motion ends
	stroke bool      // the limits are known

	direction byte // register 03
	pull      byte // register 04
}

// Bus is the Dooya motors on one line. It implements sim.Unit.
type Bus struct {
	travel time.Duration

	mu     sync.Mutex
	motors []*motor
	fault  string
}

// New makes the motors of one line. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	b := &Bus{travel: o.Scale(travel)}
	for _, d := range devices {
		text := strings.ReplaceAll(fmt.Sprint(d.With["id"]), " ", "")
		id, err := hex.DecodeString(text)
		if err != nil || len(id) != 2 {
			return nil, fmt.Errorf("simulated motor %s: id %v is not two hex bytes", d.ID, d.With["id"])
		}
		b.motors = append(b.motors, &motor{device: d.ID, id: [2]byte(id), since: time.Now(), stroke: true, pull: 1})
	}
	return b, nil
}

// Truth implements sim.Equipment: where each motor really stands, known to itself or not.
func (b *Bus) Truth() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	truth := make(map[string]string)
	for _, m := range b.motors {
		b.advance(m)
		truth[m.device+".position"] = strconv.Itoa(int(math.Round(m.place)))
		truth[m.device+".motion"] = [...]string{"down", "stop", "up"}[int(m.way)+1]
	}
	return truth
}

// Nudge implements sim.Equipment: position is somebody pulling at the curtain, motion somebody
// pressing the motor's own button.
func (b *Bus) Nudge(device, property, value string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.motors {
		if m.device != device {
			continue
		}
		b.advance(m)
		switch property {
		case "position":
			percent, err := strconv.Atoi(value)
			if err != nil || percent < 0 || percent > 100 {
				return fmt.Errorf("motor %s: position %q is not 0 to 100", device, value)
			}
			m.place, m.way = float64(percent), 0
			return nil
		case "motion":
			switch value {
			case "up":
				b.run(m, 100)
			case "down":
				b.run(m, 0)
			case "stop":
				m.way = 0
			default:
				return fmt.Errorf("motor %s: motion %q is not up, stop or down", device, value)
			}
			return nil
		}
		return fmt.Errorf("motor %s has no %q: it has position and motion", device, property)
	}
	return fmt.Errorf("no simulated motor %q", device)
}

// Fault implements sim.Equipment. A mains loss is over at once: what stays is a motor that stands
// where it was and does not know where that is, until it has run to an end.
func (b *Bus) Fault(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.motors {
		b.advance(m)
	}
	switch name {
	case "", "nak":
	case "jammed":
		for _, m := range b.motors {
			m.way = 0
		}
	case "mains-loss":
		for _, m := range b.motors {
			m.way, m.stroke = 0, false
		}
	default:
		return fmt.Errorf("fault %q is not known: the motors take %s", name, faults)
	}
	b.fault = name
	return nil
}

// Frame implements sim.Unit. What does not bear a valid checksum is passed over, as the bus carries
// frames of other protocols too.
func (b *Bus) Frame(frame []byte) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	var reply []byte
	for len(frame) >= 7 {
		n, err := length(frame)
		if err != nil || n > len(frame) || checksum(frame[:n-2]) != [2]byte(frame[n-2:n]) {
			frame = frame[1:]
			continue
		}
		reply = append(reply, b.command(frame[:n-2])...)
		frame = frame[n:]
	}
	return reply
}

// command carries out a request, given without its checksum, and returns the reply.
func (b *Bus) command(request []byte) []byte {
	id := [2]byte(request[1:3])
	if id == [2]byte{0, 0} { // to everyone, and nobody answers
		for _, m := range b.motors {
			b.act(m, request)
		}
		return nil
	}
	for _, m := range b.motors {
		if m.id == id {
			return b.act(m, request)
		}
	}
	return nil
}

func (b *Bus) act(m *motor, request []byte) []byte {
	b.advance(m)
	switch request[3] {
	case fnRead:
		return b.read(m, request)
	case fnWrite:
		switch request[4] {
		case regDirection:
			m.direction = request[6]
		case regPull:
			m.pull = request[6]
		default:
			return nil
		}
		return seal(append(answer(m, fnWrite), request[4:6]...)) // register and length come back
	}
	if b.control(m, request) {
		return seal(append([]byte(nil), request...))
	}
	return seal(append(append([]byte(nil), request[:5]...), failure))
}

// read answers with length and data. The fifth byte is the number of data bytes, where the request
// had the register.
func (b *Bus) read(m *motor, request []byte) []byte {
	var data byte
	switch request[4] {
	case regPosition:
		data = failure
		if m.stroke {
			data = byte(math.Round(m.place))
		}
	case regDirection:
		data = m.direction
	case regPull:
		data = m.pull
	case regStatus:
		data = map[float64]byte{0: 0, 1: 1, -1: 2}[m.way]
	default:
		return nil
	}
	return seal(append(answer(m, fnRead), 1, data))
}

// control reports whether the motor does as it is told.
func (b *Bus) control(m *motor, request []byte) bool {
	if b.fault == "nak" {
		return false
	}
	switch request[4] {
	case cmdOpen:
		if m.stroke && m.way == 0 && m.place == 100 {
			return false // open already
		}
		b.run(m, 100)
	case cmdClose:
		if m.stroke && m.way == 0 && m.place == 0 {
			return false
		}
		b.run(m, 0)
	case cmdStop:
		m.way = 0
	case cmdGoTo:
		if !m.stroke || request[5] > 100 {
			return false
		}
		b.run(m, float64(request[5]))
	case cmdForget, cmdReset:
		m.way, m.stroke = 0, false
	default:
		return false
	}
	return true
}

// run starts a motion.
func (b *Bus) run(m *motor, target float64) {
	m.target = target
	switch {
	case b.fault == "jammed" || target == m.place:
		m.way = 0
		b.learn(m)
	case target > m.place:
		m.way = 1
	default:
		m.way = -1
	}
}

// advance brings a motor's place up to the present.
func (b *Bus) advance(m *motor) {
	now := time.Now()
	moved := m.way * 100 * float64(now.Sub(m.since)) / float64(max(b.travel, 1))
	m.since = now
	if m.way == 0 {
		return
	}
	m.place += moved
	if m.way > 0 && m.place >= m.target || m.way < 0 && m.place <= m.target {
		m.place, m.way = m.target, 0
		b.learn(m)
	}
}

// learn finds the stroke again where a motor has come to an end of its travel.
func (b *Bus) learn(m *motor) {
	if b.fault != "jammed" && (m.place == 0 || m.place == 100) {
		m.stroke = true
	}
}

// length returns how long the request at the start of a frame is, checksum included.
func length(frame []byte) (int, error) {
	if frame[0] != header {
		return 0, errors.New("no header")
	}
	switch frame[3] {
	case fnRead:
		return 8, nil
	case fnWrite:
		if frame[5] == 0 {
			return 0, errors.New("nothing to write")
		}
		return 8 + int(frame[5]), nil
	case fnControl:
		if frame[4] == cmdGoTo {
			return 8, nil
		}
		return 7, nil
	}
	return 0, errors.New("unknown function")
}

func answer(m *motor, function byte) []byte { return []byte{header, m.id[0], m.id[1], function} }

func seal(frame []byte) []byte {
	sum := checksum(frame)
	return append(frame, sum[0], sum[1])
}

// checksum is CRC-16 with the polynomial 8005, taken bit by bit as a wire does it: each bit enters at
// the bottom of a reflected register that starts full.
func checksum(frame []byte) [2]byte {
	var register uint16 = 0xFFFF
	for _, b := range frame {
		for bit := range 8 {
			in := uint16(b>>bit) & 1
			out := register & 1
			register >>= 1
			if in != out {
				register ^= 0xA001
			}
		}
	}
	return [2]byte{byte(register), byte(register >> 8)}
}
