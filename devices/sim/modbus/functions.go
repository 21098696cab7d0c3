package modbus

import (
	"encoding/binary"
	"math"
	"time"
)

// Exception codes of the MODBUS Application Protocol, section 7.
const (
	illegalFunction = 1
	illegalAddress  = 2
	illegalValue    = 3
	deviceFailure   = 4
)

// What Waveshare's relay boards have beside their coils (wiki, Modbus RTU Relay).
const (
	allCoils     = 0x00FF // function 05: all relays of the board
	flashOn      = 0x0200 // function 05: closes relay n for a time in tenths of a second
	flashOff     = 0x0400 // function 05: opens it for that time
	flashMost    = 0x7FFF
	versionAt    = 0x8000 // function 03
	version      = 200    // V2.00
	coilOn       = 0xFF00
	coilOff      = 0x0000
	coilToggle   = 0x5500
	readBitsMost = 2000
	readMost     = 125
)

// Frame implements sim.Unit: one RTU frame.
func (u *units) Frame(frame []byte) []byte {
	if len(frame) < 4 || sum(frame[:len(frame)-2]) != binary.LittleEndian.Uint16(frame[len(frame)-2:]) {
		return nil // what is garbled is not answered
	}
	body, exception := u.handle(int(frame[0]), frame[1], frame[2:len(frame)-2])
	var reply []byte
	switch {
	case exception != 0:
		reply = []byte{frame[0], frame[1] | 0x80, exception}
	case body != nil:
		reply = append([]byte{frame[0], frame[1]}, body...)
	default:
		return nil
	}
	return binary.LittleEndian.AppendUint16(reply, sum(reply))
}

// sum is the CRC of a frame, by the table-free loop of the serial line guide's appendix.
func sum(b []byte) uint16 {
	rest := uint16(math.MaxUint16)
	for _, x := range b {
		rest ^= uint16(x)
		for range 8 {
			lsb := rest & 1
			rest >>= 1
			if lsb == 1 {
				rest ^= 0xA001
			}
		}
	}
	return rest
}

// handle carries out one function and returns the data of the reply, or an exception; neither where
// no such unit answers.
func (u *units) handle(unit int, function byte, data []byte) (body []byte, exception byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	size := u.sizes[unit]
	switch {
	case size == nil || u.mute == unit:
		return nil, 0
	case u.nak:
		return nil, deviceFailure
	case function == 0 || function > 6 && function != 15 && function != 16:
		return nil, illegalFunction
	case len(data) < 4:
		return nil, illegalValue
	}
	address, word := int(binary.BigEndian.Uint16(data)), binary.BigEndian.Uint16(data[2:])
	switch function {
	case 1:
		return u.readBits(unit, coil, address, int(word))
	case 2:
		return u.readBits(unit, discrete, address, int(word))
	case 3, 4:
		return u.readWords(unit, function, address, int(word))
	case 5:
		exception = u.writeCoil(unit, address, word)
	case 6:
		exception = u.writeWords(unit, address, []uint16{word})
	case 15:
		count := int(word)
		switch {
		case count == 0 || len(data) < 5 || int(data[4]) != (count+7)/8 || len(data) != 5+int(data[4]):
			return nil, illegalValue
		case address+count > size[coil]:
			return nil, illegalAddress
		}
		for i := range count {
			u.actuate(point{unit, coil, address + i}, uint16(data[5+i/8]>>(i%8)&1))
		}
	case 16:
		count := int(word)
		if count == 0 || len(data) < 5 || int(data[4]) != 2*count || len(data) != 5+2*count {
			return nil, illegalValue
		}
		words := make([]uint16, count)
		for i := range words {
			words[i] = binary.BigEndian.Uint16(data[5+2*i:])
		}
		exception = u.writeWords(unit, address, words)
	}
	if exception != 0 {
		return nil, exception
	}
	return data[:4], 0
}

func (u *units) readBits(unit int, kind string, address, count int) ([]byte, byte) {
	if count < 1 || count > readBitsMost {
		return nil, illegalValue
	}
	if address+count > u.sizes[unit][kind] {
		return nil, illegalAddress
	}
	body := make([]byte, 1+(count+7)/8)
	body[0] = byte(len(body) - 1)
	for i := range count {
		if u.value(point{unit, kind, address + i}) != 0 {
			body[1+i/8] |= 1 << (i % 8)
		}
	}
	return body, 0
}

// readWords reads registers. Like most small boards, a unit answers 4 as 3 where it has no input
// registers of its own.
func (u *units) readWords(unit int, function byte, address, count int) ([]byte, byte) {
	if count < 1 || count > readMost {
		return nil, illegalValue
	}
	size := u.sizes[unit]
	if function == 3 && address == versionAt && count == 1 && size[coil] > 0 {
		return []byte{2, 0, version}, 0
	}
	body := []byte{byte(2 * count)}
	for a := address; a < address+count; a++ {
		kind := register
		switch {
		case function == 4 && a < size[input]:
			kind = input
		case function == 3 && a < size[command]:
			kind = command
		}
		p := point{unit, kind, a}
		if a >= size[kind] || u.hidden[p] {
			return nil, illegalAddress
		}
		if set, ok := u.mirrors[p]; ok {
			p = set
		}
		body = binary.BigEndian.AppendUint16(body, u.value(p))
	}
	return body, 0
}

// actuate moves a contact, unless it is stuck.
func (u *units) actuate(p point, v uint16) {
	if u.stuck != p.unit {
		u.set(p, v)
	}
}

// flash moves a contact for a while, unless it is stuck.
func (u *units) flash(p point, v uint16, d time.Duration) {
	if u.stuck != p.unit {
		u.pulse(p, v, d)
	}
}

// writeCoil carries out function 05 as Waveshare's boards do.
func (u *units) writeCoil(unit, address int, word uint16) byte {
	relays := u.sizes[unit][coil]
	for base, closed := range map[int]uint16{flashOn: 1, flashOff: 0} {
		if address < base || address >= base+relays || address < relays {
			continue
		}
		if word > flashMost {
			return illegalValue
		}
		u.flash(point{unit, coil, address - base}, closed, time.Duration(word)*100*time.Millisecond)
		return 0
	}
	if word != coilOn && word != coilOff && word != coilToggle {
		return illegalValue
	}
	first, last := address, address
	switch {
	case relays == 0:
		return illegalAddress
	case address < relays:
	case address == allCoils:
		first, last = 0, relays-1
	default:
		return illegalAddress
	}
	for a := first; a <= last; a++ {
		p := point{unit, coil, a}
		u.actuate(p, map[uint16]uint16{coilOn: 1, coilOff: 0, coilToggle: u.values[p] ^ 1}[word])
	}
	return 0
}

// writeWords writes registers: commands of a relay board, the values of a dimmer. Nothing is written
// where one of them would not be taken.
func (u *units) writeWords(unit, address int, words []uint16) byte {
	size := u.sizes[unit]
	for i, word := range words {
		a := address + i
		switch {
		case a < size[command]:
			if word>>8 < 1 || word>>8 > 8 {
				return illegalValue
			}
		case a >= size[register], u.isMirror(point{unit, register, a}):
			return illegalAddress
		case !u.takes(unit, a, word):
			return illegalValue
		}
	}
	for i, word := range words {
		a := address + i
		if a < size[command] {
			u.command(unit, a, word)
			continue
		}
		u.actuate(point{unit, register, a}, word)
	}
	return 0
}

// takes reports whether a register may hold the value: that of a dimmer is within its scale.
func (u *units) takes(unit, address int, word uint16) bool {
	for _, p := range u.places {
		if p.driver != "modbus-dimmer" || p.unit != unit || p.address != address {
			continue
		}
		return int(word) >= min(p.low, p.high) && int(word) <= max(p.low, p.high)
	}
	return true
}

// command carries out a command of an Eletechsup R4 board (manual of the R421A08): the register is
// the relay, 0 being all; the high byte is the command, the low byte a delay in seconds. What the
// manual calls open is a relay that is energised.
func (u *units) command(unit, address int, word uint16) {
	relays := u.sizes[unit][command] - 1
	first, last := address, address
	if address == 0 {
		first, last = 1, relays
	}
	for a := first; a <= last; a++ {
		p := point{unit, command, a}
		switch word >> 8 {
		case 1, 7: // open; 7 with register 0: open all
			u.actuate(p, 1)
		case 2, 8: // close, close all
			u.actuate(p, 0)
		case 3: // toggle
			u.actuate(p, u.values[p]^1)
		case 4: // latch: this one and no other
			for other := 1; other <= relays; other++ {
				u.actuate(point{unit, command, other}, map[bool]uint16{true: 1}[other == a])
			}
		case 5: // momentary
			u.flash(p, 1, time.Second)
		case 6: // delay
			u.flash(p, 1, time.Duration(word&0xFF)*time.Second)
		}
	}
}
