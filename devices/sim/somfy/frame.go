package somfy

import (
	"encoding/binary"
	"math"
	"slices"
	"time"
)

// Messages of the motor control profile.
const (
	ctrlMove    = 0x01
	ctrlStop    = 0x02
	ctrlMoveTo  = 0x03
	getPosition = 0x0C
	getStatus   = 0x0E
	getAddress  = 0x40
	nack        = 0x6F
	ack         = 0x7F

	// ownType stands in the upper half of the type byte of what a Sonesse 30 says.
	ownType = 0x20
)

// Error codes of a NACK.
const (
	outOfRange     = 0x01
	unknownMessage = 0x10
	wrongLength    = 0x11
	nodeLocked     = 0x20
	limitsNotSet   = 0x22
	busy           = 0xFF
)

// Frame implements sim.Unit. What bears no valid checksum is passed over.
func (b *Bus) Frame(wire []byte) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	var reply []byte
	for len(wire) >= 11 {
		size := 0xFF - int(wire[1])
		wants := size >= 0x80
		size %= 0x80
		if size < 11 || size > len(wire) || total(wire[:size-2]) != binary.BigEndian.Uint16(wire[size-2:]) {
			wire = wire[1:]
			continue
		}
		upright := invert(wire[:size-2])
		reply = append(reply, b.message(upright[0], wants, [3]byte(upright[3:6]), [3]byte(upright[6:9]), upright[9:])...)
		wire = wire[size:]
	}
	return reply
}

// message carries out a message and returns what the motor says to it. Addresses are as they travel,
// with the last byte first.
func (b *Bus) message(code byte, wants bool, from, to [3]byte, data []byte) []byte {
	everybody := to == [3]byte{0xFF, 0xFF, 0xFF}
	for _, m := range b.motors {
		mine := backwards(m.id)
		if to != mine && !everybody {
			continue
		}
		b.advance(m)
		answer, body := b.act(m, code, data)
		if everybody {
			continue // it is done, and nobody answers
		}
		if !wants && (answer == ack || answer == nack) {
			return nil
		}
		return seal(answer, mine, from, body)
	}
	return nil
}

// act does what a message says and returns the message and data of the answer.
func (b *Bus) act(m *motor, code byte, data []byte) (answer byte, body []byte) {
	lengths := map[byte]int{ctrlMove: 3, ctrlStop: 1, ctrlMoveTo: 4, getPosition: 0, getStatus: 0, getAddress: 0}
	length, known := lengths[code]
	switch {
	case !known:
		return nack, []byte{unknownMessage}
	case len(data) != length:
		return nack, []byte{wrongLength}
	}
	switch code {
	case getAddress:
		return 0x60, nil
	case getPosition:
		if b.fault == "no-limits" {
			return 0x0D, []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF}
		}
		count := uint16(math.Round(m.down / 100 * pulses))
		return 0x0D, []byte{byte(count), byte(count >> 8), byte(math.Round(m.down)), 0xFF, 0xFF}
	case getStatus:
		return 0x0F, []byte{b.state(m), m.last, m.source, m.cause}
	}
	if no, refused := map[string]byte{"nak": outOfRange, "busy": busy, "locked": nodeLocked}[b.fault]; refused {
		return nack, []byte{no}
	}
	if no := b.control(m, code, data); no != 0 {
		return nack, []byte{no}
	}
	return ack, nil
}

// state is the first byte of a status.
func (b *Bus) state(m *motor) byte {
	switch {
	case m.way != 0:
		return 1
	case b.fault == "jammed":
		return 2
	case b.fault == "locked":
		return 3
	}
	return 0
}

// control moves the motor, or returns why not.
func (b *Bus) control(m *motor, code byte, data []byte) (no byte) {
	switch code {
	case ctrlStop:
		m.way, m.source, m.cause = 0, 1, 1
	case ctrlMove: // for as long as data[1] says, in units of 10 ms
		if data[0] > 2 {
			return outOfRange
		}
		if data[0] == 2 {
			m.way = 0
			return 0
		}
		far := 100 * float64(time.Duration(data[1])*10*time.Millisecond) / float64(max(b.travel, 1))
		if data[0] == 1 {
			far = -far
		}
		b.run(m, max(0, min(100, m.down+far)), 1)
	case ctrlMoveTo:
		if b.fault == "no-limits" {
			return limitsNotSet
		}
		switch {
		case data[0] == 0:
			b.run(m, 100, 1)
		case data[0] == 1:
			b.run(m, 0, 1)
		case data[0] == 4 && data[1] <= 100 && data[2] == 0:
			b.run(m, float64(data[1]), 1)
		default:
			return outOfRange
		}
	}
	return 0
}

// seal makes a frame of a motor ready for the wire.
func seal(code byte, from, to [3]byte, data []byte) []byte {
	upright := slices.Concat([]byte{code, byte(11 + len(data)), ownType}, from[:], to[:], data)
	wire := invert(upright)
	return binary.BigEndian.AppendUint16(wire, total(wire))
}

func invert(b []byte) []byte {
	turned := make([]byte, len(b))
	for i, x := range b {
		turned[i] = 0xFF - x
	}
	return turned
}

func backwards(id [3]byte) [3]byte { return [3]byte{id[2], id[1], id[0]} }

func total(b []byte) uint16 {
	sum := 0
	for _, x := range b {
		sum += int(x)
	}
	return uint16(sum)
}
