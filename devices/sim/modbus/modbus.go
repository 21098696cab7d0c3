// Package modbus simulates Modbus units: relay boards with coils, relay boards with commands in
// registers, dimmers, sensors - all units of one line, over RS-485 with the silence between frames,
// or over Modbus TCP with an independent library's server.
package modbus

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

// Exception codes of the MODBUS Application Protocol, section 7.
const (
	illegalFunction = 1
	illegalAddress  = 2
	illegalValue    = 3
	deviceFailure   = 4
)

// point is a coil, register or input of a unit.
type point struct {
	unit    int
	kind    string // coil, command, register, input, discrete
	address int
}

// units is all units of a line.
type units struct {
	scale func(time.Duration) time.Duration

	mu     sync.Mutex
	values map[point]uint16
	boards map[int]map[string]int // unit, kind: how many points the board has
	where  map[string]point       // by device id
	given  map[string]map[string]any
	dims   map[string]bool // the device is a dimmer
	fault  string
	mute   int // the unit that does not answer, 0 for none
	stuck  int // the unit that acknowledges and does nothing
}

// New makes the units that the devices of a line hang on.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	u := &units{
		scale: o.Scale, values: make(map[point]uint16), boards: make(map[int]map[string]int),
		where: make(map[string]point), given: make(map[string]map[string]any), dims: make(map[string]bool),
	}
	for _, d := range devices {
		p := point{unit: number(d.With, "unit", 0)}
		size := 0
		switch d.Driver {
		case "modbus-coil":
			p.kind, p.address = "coil", number(d.With, "coil", 0)
			size = (p.address/8 + 1) * 8 // boards come with 8, 16, 24... relays
		case "modbus-command-relay":
			p.kind, p.address = "command", number(d.With, "register", 0)
			size = ((p.address-1)/8+1)*8 + 1
		case "modbus-dimmer":
			stride := number(d.With, "stride", 1)
			p.kind, p.address = "register", number(d.With, "base", 0)+stride*number(d.With, "channel", 0)
			if number(d.With, "read", 3) == 4 {
				return nil, fmt.Errorf("device %s: a simulated dimmer is read with function 3", d.ID)
			}
			u.values[p] = uint16(number(d.With, "min", 0))
			size = p.address + 1
		case "modbus-sensor":
			p.address = number(d.With, "register", 0)
			p.kind = map[int]string{2: "discrete", 3: "register", 4: "input"}[number(d.With, "function", 4)]
			size = p.address + 2
			u.values[p] = u.start(d)
		default:
			return nil, fmt.Errorf("device %s: no simulated unit for driver %s", d.ID, d.Driver)
		}
		if u.boards[p.unit] == nil {
			u.boards[p.unit] = make(map[string]int)
		}
		u.boards[p.unit][p.kind] = max(u.boards[p.unit][p.kind], size)
		u.where[d.ID], u.given[d.ID], u.dims[d.ID] = p, d.With, d.Driver == "modbus-dimmer"
	}
	return u, nil
}

// start is what a sensor reads at first: a comfortable room.
func (u *units) start(d sim.Device) uint16 {
	divide := max(1, number(d.With, "divide", 1))
	if number(d.With, "function", 4) == 2 {
		return 0
	}
	return uint16(23 * divide)
}

// number reads a setting that YAML or JSON may have given in several shapes.
func number(with map[string]any, key string, otherwise int) int {
	switch n := with[key].(type) {
	case int:
		return n
	case int64:
		return int(n)
	case uint64:
		return int(n)
	case float64:
		return int(n)
	case string:
		if v, err := strconv.ParseInt(n, 0, 32); err == nil {
			return int(v)
		}
	}
	return otherwise
}

// Frame implements sim.Unit: one RTU frame.
func (u *units) Frame(frame []byte) []byte {
	if len(frame) < 4 || sum(frame[:len(frame)-2]) != binary.LittleEndian.Uint16(frame[len(frame)-2:]) {
		return nil // what is garbled is not answered
	}
	unit := int(frame[0])
	body, exception := u.handle(unit, frame[1], frame[2:len(frame)-2])
	if body == nil && exception == 0 {
		return nil
	}
	reply := append([]byte{frame[0], frame[1]}, body...)
	if exception != 0 {
		reply = []byte{frame[0], frame[1] | 0x80, exception}
	}
	return binary.LittleEndian.AppendUint16(reply, sum(reply))
}

// sum is the CRC of a frame, by the table-free loop of the serial line guide's appendix.
func sum(b []byte) uint16 {
	register := uint16(math.MaxUint16)
	for _, x := range b {
		register ^= uint16(x)
		for i := 0; i < 8; i++ {
			lsb := register & 1
			register >>= 1
			if lsb == 1 {
				register ^= 0xA001
			}
		}
	}
	return register
}

// handle carries out one function and returns the data of the reply, or an exception; neither where
// no such unit answers.
func (u *units) handle(unit int, function byte, data []byte) (body []byte, exception byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	board := u.boards[unit]
	if board == nil || u.mute == unit {
		return nil, 0
	}
	if u.fault == "nak" {
		return nil, deviceFailure
	}
	if len(data) < 4 {
		return nil, illegalValue
	}
	address, word := int(binary.BigEndian.Uint16(data)), binary.BigEndian.Uint16(data[2:])
	switch function {
	case 1, 2:
		return u.readBits(unit, map[byte]string{1: "coil", 2: "discrete"}[function], address, int(word))
	case 3, 4:
		return u.readWords(unit, function, address, int(word))
	case 5:
		if word != 0 && word != 0xFF00 && word != 0x5500 {
			return nil, illegalValue
		}
		if address == 0xFF { // all relays of the board
			for a := range board["coil"] {
				u.writeCoil(unit, a, word)
			}
		} else if address >= board["coil"] {
			return nil, illegalAddress
		} else {
			u.writeCoil(unit, address, word)
		}
		return data[:4], 0
	case 6:
		if exception := u.writeWord(unit, address, word); exception != 0 {
			return nil, exception
		}
		return data[:4], 0
	case 15:
		count := int(word)
		if len(data) < 5 || int(data[4]) != (count+7)/8 || len(data) != 5+int(data[4]) || count == 0 {
			return nil, illegalValue
		}
		if address+count > board["coil"] {
			return nil, illegalAddress
		}
		for i := range count {
			u.writeCoil(unit, address+i, uint16(data[5+i/8]>>(i%8)&1)*0xFF00)
		}
		return data[:4], 0
	case 16:
		count := int(word)
		if len(data) < 5 || int(data[4]) != 2*count || len(data) != 5+2*count || count == 0 {
			return nil, illegalValue
		}
		for i := range count {
			if exception := u.writeWord(unit, address+i, binary.BigEndian.Uint16(data[5+2*i:])); exception != 0 {
				return nil, exception
			}
		}
		return data[:4], 0
	}
	return nil, illegalFunction
}

func (u *units) readBits(unit int, kind string, address, count int) ([]byte, byte) {
	if count < 1 || count > 2000 {
		return nil, illegalValue
	}
	if address+count > u.boards[unit][kind] {
		return nil, illegalAddress
	}
	body := make([]byte, 1+(count+7)/8)
	body[0] = byte(len(body) - 1)
	for i := range count {
		if u.values[point{unit, kind, address + i}] != 0 {
			body[1+i/8] |= 1 << (i % 8)
		}
	}
	return body, 0
}

func (u *units) readWords(unit int, function byte, address, count int) ([]byte, byte) {
	if count < 1 || count > 125 {
		return nil, illegalValue
	}
	kinds := []string{"register", "command"}
	if function == 4 {
		kinds = []string{"input"}
	}
	body := []byte{byte(2 * count)}
	for i := range count {
		found := false
		for _, kind := range kinds {
			if address+i < u.boards[unit][kind] {
				body = binary.BigEndian.AppendUint16(body, u.values[point{unit, kind, address + i}])
				found = true
				break
			}
		}
		if !found {
			return nil, illegalAddress
		}
	}
	return body, 0
}

func (u *units) writeCoil(unit, address int, word uint16) {
	p := point{unit, "coil", address}
	if u.stuck == unit {
		return
	}
	switch word {
	case 0xFF00:
		u.values[p] = 1
	case 0x5500: // Waveshare: toggle
		u.values[p] ^= 1
	default:
		u.values[p] = 0
	}
}

// writeWord writes a dimmer's register, or carries out the command of a relay board (Eletechsup R4
// manual: the high byte is the command, register 0 means all).
func (u *units) writeWord(unit, address int, word uint16) byte {
	board := u.boards[unit]
	if relays := board["command"]; relays > 0 && address < relays {
		if u.stuck == unit {
			return 0
		}
		first, last := address, address
		if address == 0 {
			first, last = 1, relays-1
		}
		for a := first; a <= last; a++ {
			p := point{unit, "command", a}
			switch word >> 8 {
			case 1, 7:
				u.values[p] = 1
			case 2, 8:
				u.values[p] = 0
			case 3:
				u.values[p] ^= 1
			case 4:
				for other := 1; other < relays; other++ {
					u.values[point{unit, "command", other}] = 0
				}
				u.values[p] = 1
			case 5:
				u.pulse(p, time.Second)
			case 6:
				u.pulse(p, time.Duration(word&0xFF)*time.Second)
			default:
				return illegalValue
			}
		}
		return 0
	}
	if address >= board["register"] {
		return illegalAddress
	}
	for id, p := range u.where {
		if p == (point{unit, "register", address}) {
			low, high := number(u.given[id], "min", 0), number(u.given[id], "max", 100)
			if int(word) < min(low, high) || int(word) > max(low, high) {
				return illegalValue
			}
		}
	}
	if u.stuck != unit {
		u.values[point{unit, "register", address}] = word
	}
	return 0
}

// pulse closes a contact and opens it after a while. The caller holds mu.
func (u *units) pulse(p point, d time.Duration) {
	u.values[p] = 1
	time.AfterFunc(u.scale(d), func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.values[p] = 0
	})
}

// Truth implements sim.Equipment.
func (u *units) Truth() map[string]string {
	u.mu.Lock()
	defer u.mu.Unlock()
	truth := make(map[string]string)
	for id, p := range u.where {
		v := int(u.values[p])
		with := u.given[id]
		switch p.kind {
		case "coil", "command":
			truth[id+".power"] = strconv.FormatBool(v != 0)
		case "register":
			if u.dims[id] {
				low, high := number(with, "min", 0), number(with, "max", 100)
				truth[id+".percent"] = fmt.Sprint(int(math.Round(100 * float64(v-low) / float64(high-low))))
				continue
			}
			fallthrough
		default:
			truth[id+".value"] = strconv.FormatFloat(float64(int16(v))/float64(number(with, "divide", 1)), 'f', -1, 64)
		}
	}
	return truth
}

// Nudge implements sim.Equipment: a manual switch on the board, a dimmer's own knob, the weather.
func (u *units) Nudge(device, property, value string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	p, ok := u.where[device]
	if !ok {
		return fmt.Errorf("no simulated device %q", device)
	}
	with := u.given[device]
	switch property {
	case "power":
		u.values[p] = map[bool]uint16{true: 1}[value == "true" || value == "on"]
	case "percent":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 100 {
			return fmt.Errorf("percent %q: it is 0 to 100", value)
		}
		low, high := number(with, "min", 0), number(with, "max", 100)
		u.values[p] = uint16(low + int(math.Round(float64(n)*float64(high-low)/100)))
	case "value":
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("value %q: it is a number", value)
		}
		u.values[p] = uint16(int16(math.Round(f * float64(number(with, "divide", 1)))))
	default:
		return fmt.Errorf("%s has no %q; it has power, percent or value", device, property)
	}
	return nil
}

// Fault implements sim.Equipment.
func (u *units) Fault(name string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.fault, u.mute, u.stuck = "", 0, 0
	for prefix, to := range map[string]*int{"silent-unit-": &u.mute, "stuck-unit-": &u.stuck} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			unit, err := strconv.Atoi(rest)
			if err != nil || u.boards[unit] == nil {
				return fmt.Errorf("fault %q: there is no unit %s", name, rest)
			}
			*to = unit
			return nil
		}
	}
	if !slices.Contains([]string{"", "nak"}, name) {
		return fmt.Errorf("fault %q is not known: units take nak, silent-unit-N, stuck-unit-N", name)
	}
	u.fault = name
	return nil
}
