package sony

import (
	"context"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"lectern/devices/sim/beam"
)

// SDCP is the simulated projector on the network.
type SDCP struct {
	*beam.Beam
	// Idle is how long a connection is kept on which nothing is said. It is set before anybody connects.
	Idle      time.Duration
	community string
	met       atomic.Int64
}

// Met returns how many connections there have been.
func (p *SDCP) Met() int { return int(p.met.Load()) }

// Serve implements sim.Stream.
func (p *SDCP) Serve(ctx context.Context, conn io.ReadWriter) error {
	p.met.Add(1)
	var got []byte
	return listen(ctx, conn, p.Idle, func(b byte) error {
		got = append(got, b)
		if len(got) < 10 || len(got) < 10+int(got[9]) {
			return nil
		}
		reply := p.packet(got)
		got = got[:0]
		_, err := conn.Write(reply)
		return err //nolint:wrapcheck // the end of a connection
	})
}

// The errors of SDCP.
const (
	invalidItem       = 0x0101
	invalidData       = 0x0104
	notApplicableItem = 0x0180
	otherCommunity    = 0x0201
	invalidVersion    = 0x0301
)

// packet carries out a packet and returns the answer.
func (p *SDCP) packet(got []byte) []byte {
	item, data := uint16(got[7])<<8|uint16(got[8]), got[10:]
	answer := func(result byte, data ...byte) []byte {
		head := append([]byte{2, 0x0A}, p.community...)
		return append(append(head, result, got[7], got[8], byte(len(data))), data...)
	}
	refuse := func(code uint16) []byte { return answer(0, byte(code>>8), byte(code)) }
	switch {
	case got[0] != 2 || got[1] != 0x0A:
		return refuse(invalidVersion)
	case string(got[2:6]) != p.community:
		return refuse(otherCommunity)
	case p.Faulty() == beam.Nak:
		return refuse(notApplicableItem)
	case got[6] == 1:
		value, code := p.tell(item)
		if code != 0 {
			return refuse(code)
		}
		return answer(1, byte(value>>8), byte(value))
	case len(data) != 2:
		return refuse(invalidData)
	}
	if code := p.obey(item, uint16(data[0])<<8|uint16(data[1])); code != 0 {
		return refuse(code)
	}
	return answer(1)
}

// obey sets an item, or says with which error not.
func (p *SDCP) obey(item, value uint16) (code uint16) {
	input := strconv.FormatUint(uint64(value), 16)
	switch {
	case item == 0x0130 && value <= 1:
		if !p.Turn(value == 1) {
			return notApplicableItem
		}
		return 0
	case item == 0x0001 && p.Power() != beam.On:
		return notApplicableItem
	case item == 0x0001 && p.Has(input):
		p.Choose(input)
		return 0
	case item == 0x0001, item == 0x0130:
		return invalidData
	}
	return invalidItem
}

// tell answers a question, or says with which error not.
func (p *SDCP) tell(item uint16) (value, code uint16) {
	power := p.Power()
	switch {
	case item == 0x0102:
		return statusOf(power), 0
	case item == 0x0101:
		return errorBits(p.Beam), 0
	case item != 0x0001 && item != 0x0113:
		return 0, invalidItem
	case power != beam.On:
		return 0, notApplicableItem
	case item == 0x0113:
		return uint16(p.Hours()), 0
	}
	input, _ := strconv.ParseUint(p.Input(), 16, 16)
	return uint16(input), 0
}
