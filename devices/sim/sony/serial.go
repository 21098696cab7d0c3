package sony

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"

	"lectern/devices/sim/beam"
)

// asleep is the fault of a projector in deep standby: the next frame wakes it, and is lost.
const asleep = "asleep"

// Serial is the simulated projector on its serial port.
type Serial struct {
	*beam.Beam
	silent bool // it does not acknowledge the keys
	asleep atomic.Bool
}

// Fault implements sim.Equipment.
func (p *Serial) Fault(name string) error {
	p.asleep.Store(name == asleep)
	if name == asleep {
		return nil
	}
	if err := p.Beam.Fault(name); err != nil {
		return fmt.Errorf("%w, %s", err, asleep)
	}
	return nil
}

// Serve implements sim.Stream.
func (p *Serial) Serve(ctx context.Context, conn io.ReadWriter) error {
	var got []byte
	return listen(ctx, conn, 0, func(b byte) error {
		if got = append(got, b); got[0] != 0xA9 {
			got = got[:0]
		}
		if len(got) < 8 {
			return nil
		}
		reply := p.frame([8]byte(got))
		got = got[:0]
		if reply == nil {
			return nil
		}
		_, err := conn.Write(reply)
		return err //nolint:wrapcheck // the end of a connection
	})
}

// seal puts start, check sum and end around five bytes.
func seal(item uint16, kind byte, value uint16) []byte {
	b := []byte{0xA9, byte(item >> 8), byte(item), kind, byte(value >> 8), byte(value), 0, 0x9A}
	b[6] = b[1] | b[2] | b[3] | b[4] | b[5]
	return b
}

func ack(code uint16) []byte { return seal(code, 3, 0) }

// The errors in an acknowledgement.
const (
	undefined     = 0x0101
	selectError   = 0x0105
	notApplicable = 0x010A
	checksumError = 0xF010
)

// frame carries out a frame and returns the answer, nil for none.
func (p *Serial) frame(f [8]byte) []byte {
	item, value := uint16(f[1])<<8|uint16(f[2]), uint16(f[4])<<8|uint16(f[5])
	switch {
	case p.asleep.Swap(false):
		return nil
	case f[6] != f[1]|f[2]|f[3]|f[4]|f[5] || f[7] != 0x9A:
		return ack(checksumError)
	case p.Faulty() == beam.Nak:
		return ack(notApplicable)
	case f[3] == 1:
		got, code := p.tell(item)
		if code != 0 {
			return ack(code)
		}
		return seal(item, 2, got)
	case f[3] != 0:
		return ack(undefined)
	}
	switch item {
	case 0x172E, 0x172F:
		done := p.Turn(item == 0x172E)
		if p.silent {
			return nil
		}
		return ack(map[bool]uint16{true: 0, false: notApplicable}[done])
	case 0x0130:
		if !p.Turn(value == 1) {
			return ack(notApplicable)
		}
		return ack(0)
	case 0x0001:
		code := strconv.FormatUint(uint64(value), 16)
		switch {
		case p.Power() != beam.On:
			return ack(notApplicable)
		case !p.Has(code):
			return ack(selectError)
		}
		p.Choose(code)
		return ack(0)
	}
	return ack(undefined)
}

// tell answers a question, or says with which error not.
func (p *Serial) tell(item uint16) (value, code uint16) {
	power := p.Power()
	switch {
	case item == 0x0102:
		return statusOf(power), 0
	case item == 0x0101:
		return errorBits(p.Beam), 0
	case item != 0x0001 && item != 0x0113:
		return 0, undefined
	case power != beam.On:
		return 0, notApplicable
	case item == 0x0113:
		return uint16(p.Hours()), 0
	}
	input, _ := strconv.ParseUint(p.Input(), 16, 16)
	return uint16(input), 0
}
