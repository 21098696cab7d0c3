// Package modbus speaks Modbus to relay boards, dimmers and sensors, over RS-485 (RTU), over TCP with
// RTU frames, and over Modbus TCP.
//
// Frames are built, checked and taken apart by goburrow/modbus; its transports are not used. They
// sleep before they read, never drain, and after one late reply answer every question with the
// answer to the one before. The frames travel on a line.Line instead, and what comes back is looked
// for by unit, function and checksum, so that noise and the late replies of others are passed over.
package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/goburrow/modbus"

	"lectern/devices"
	"lectern/devices/line"
)

// replyTime is how long a unit may take. Relay boards and dimmers answer in a few milliseconds; slow
// gateways take a hundred.
const replyTime = 200 * time.Millisecond

// board is one unit on one line.
type board struct {
	line *line.Line
	unit byte
	mbap bool // Modbus TCP in place of RTU
	name string
}

func newBoard(l *line.Line, unit int) *board {
	return &board{line: l, unit: byte(unit), mbap: l.Config().Kind == line.ModbusTCP, name: fmt.Sprint(unit)}
}

// ask makes one request through goburrow's client. Note says what it asks, key what it sets.
func (b *board) ask(ctx context.Context, note, key string, request func(modbus.Client) ([]byte, error)) ([]byte, error) {
	var packager modbus.Packager
	if b.mbap {
		h := modbus.NewTCPClientHandler("")
		h.SlaveId = b.unit
		packager = h
	} else {
		h := modbus.NewRTUClientHandler("")
		h.SlaveId = b.unit
		packager = h
	}
	data, err := request(modbus.NewClient2(packager, &transporter{ctx: ctx, board: b, note: note, key: key}))
	var exception *modbus.ModbusError
	if errors.As(err, &exception) {
		return nil, fmt.Errorf("unit %d: %s: %w", b.unit, note, rejection(exception.ExceptionCode))
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // the line says unit and request
	}
	return data, nil
}

// transporter carries one request of goburrow's client over the line.
type transporter struct {
	ctx       context.Context
	board     *board
	note, key string
}

// Send implements modbus.Transporter.
func (t *transporter) Send(request []byte) ([]byte, error) {
	x := line.Exchange{
		Unit: t.board.name, Request: request, Key: t.key, Note: t.note, Timeout: t.board.line.Config().Timeout,
	}
	if x.Timeout <= 0 || x.Timeout > replyTime {
		x.Timeout = replyTime
	}
	if !t.board.mbap {
		x.Find = func(got []byte) (int, int, error) { return findRTU(got, request) }
		x.Explain = explainRTU
		return t.board.line.Do(t.ctx, x) //nolint:wrapcheck // the line says it all
	}
	// goburrow counts transactions for each client, and there is one for each request here. A number
	// drawn anew keeps a late reply from being taken for the answer to a later question.
	drawn := append([]byte(nil), request...)
	binary.BigEndian.PutUint16(drawn, uint16(rand.Uint32()))
	x.Request = drawn
	x.Find = func(got []byte) (int, int, error) { return findMBAP(got, drawn) }
	x.Explain = explainMBAP
	reply, err := t.board.line.Do(t.ctx, x)
	if err != nil {
		return nil, err //nolint:wrapcheck // the line says it all
	}
	copy(reply[:2], request[:2]) // as goburrow numbered it
	return reply, nil
}

// rejection puts an exception code into words (MODBUS Application Protocol V1.1b3, section 7).
func rejection(code byte) *devices.Rejection {
	r := &devices.Rejection{Code: fmt.Sprintf("exception %d", code)}
	switch code {
	case modbus.ExceptionCodeIllegalFunction:
		r.Reason = devices.Phrase{ZH: "模块不支持此功能码", EN: "The unit does not know this function: check the driver"}
	case modbus.ExceptionCodeIllegalDataAddress:
		r.Reason = devices.Phrase{ZH: "模块没有这个地址", EN: "The unit has no such address: check coil or register in the room file"}
	case modbus.ExceptionCodeIllegalDataValue:
		r.Reason = devices.Phrase{ZH: "模块不接受这个值", EN: "The unit does not take this value: check the range in the room file"}
	case modbus.ExceptionCodeServerDeviceBusy, modbus.ExceptionCodeAcknowledge:
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "模块忙,请稍后再试", EN: "The unit is busy, try again"}
	case modbus.ExceptionCodeGatewayPathUnavailable, modbus.ExceptionCodeGatewayTargetDeviceFailedToRespond:
		r.Reason = devices.Phrase{ZH: "网关后面的模块没有应答", EN: "The unit behind the gateway does not answer: check its power and wiring"}
	default:
		r.Reason = devices.Phrase{ZH: "模块报告故障", EN: "The unit reports a failure"}
	}
	return r
}
