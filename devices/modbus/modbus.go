// Package modbus speaks Modbus to relay boards, dimmers and sensors, over RS-485 (RTU), over TCP with
// RTU frames, and over Modbus TCP.
//
// Frames are built, checked and taken apart by goburrow/modbus; its transports are not used. They
// sleep before they read, never drain, and after one late reply answer every question with the
// answer to the one before. The frames travel on a line.Line instead, and what comes back is looked
// for by unit, function and checksum, so that noise and the late replies of others are passed over.
//
// What tells a reply from a late one:
//
//   - A Modbus TCP reply bears its question's transaction number.
//   - An RTU reply to a write of one coil or register repeats address and value.
//   - An RTU reply to a read bears nothing but unit, function and length. After a time-out the line
//     leaves the unit alone until a late reply must have come; only what is sure, as above, is sent
//     meanwhile.
package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/goburrow/modbus"

	"lectern/devices"
	"lectern/devices/line"
)

// board is one unit on one line, as one device sees it.
type board struct {
	line     *line.Line
	unit     byte
	packager modbus.Packager
	mbap     bool // Modbus TCP in place of RTU
	plan     *plan
}

func newBoard(l *line.Line, unit int) *board {
	b := &board{line: l, unit: byte(unit), mbap: l.Config().Kind == line.ModbusTCP, plan: planOf(l)}
	if b.mbap {
		h := modbus.NewTCPClientHandler("")
		h.SlaveId = b.unit
		b.packager = h
	} else {
		h := modbus.NewRTUClientHandler("")
		h.SlaveId = b.unit
		b.packager = h
	}
	return b
}

// ask makes one request through goburrow's client. Note says what it asks, key what it sets.
func (b *board) ask(ctx context.Context, note, key string, request func(modbus.Client) ([]byte, error)) ([]byte, error) {
	return b.send(&transporter{ctx: ctx, board: b, note: note, key: key}, request)
}

func (b *board) send(t *transporter, request func(modbus.Client) ([]byte, error)) ([]byte, error) {
	data, err := request(modbus.NewClient2(b.packager, t))
	var exception *modbus.ModbusError
	if errors.As(err, &exception) {
		return nil, fmt.Errorf("unit %d: %s: %w", b.unit, t.note, rejection(exception.ExceptionCode))
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // the line says unit and request
	}
	return data, nil
}

// transporter carries one request of goburrow's client over the line. It lives for one call, and so
// may keep the call's context.
type transporter struct {
	ctx       context.Context
	board     *board
	note, key string
	question  string // see line.Exchange; empty for what changes something
}

// Send implements modbus.Transporter.
func (t *transporter) Send(request []byte) ([]byte, error) {
	x := line.Exchange{Unit: fmt.Sprint(t.board.unit), Request: request, Key: t.key, Note: t.note, Question: t.question}
	if !t.board.mbap {
		x.Sure = repeats(request[1])
		x.Find = func(got []byte) (int, int, error) { return findRTU(got, request) }
		x.Explain = explainRTU
		return t.board.line.Do(t.ctx, x) //nolint:wrapcheck // the line says it all
	}
	// Each packager of goburrow counts its own transactions from 1, and every device has one: two
	// devices on a line would use the same numbers. The line's numbers are the line's alone. In the
	// reply goburrow gets its own number back, since it compares the two.
	numbered := append([]byte(nil), request...)
	binary.BigEndian.PutUint16(numbered, t.board.line.Number())
	x.Request, x.Sure = numbered, true
	x.Find = func(got []byte) (int, int, error) { return findMBAP(got, numbered) }
	x.Explain = explainMBAP
	reply, err := t.board.line.Do(t.ctx, x)
	if err != nil {
		return nil, err //nolint:wrapcheck // the line says it all
	}
	copy(reply[:2], request[:2])
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
		r.Reason = devices.Phrase{ZH: "模块忙，请稍后再试", EN: "The unit is busy, try again"}
	case modbus.ExceptionCodeGatewayPathUnavailable, modbus.ExceptionCodeGatewayTargetDeviceFailedToRespond:
		r.Reason = devices.Phrase{ZH: "网关后面的模块没有应答", EN: "The unit behind the gateway does not answer: check its power and wiring"}
	default:
		r.Reason = devices.Phrase{ZH: "模块报告故障", EN: "The unit reports a failure"}
	}
	return r
}
