package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"syscall"
	"time"

	"github.com/simonvetter/modbus"
)

// portTries is how often a free port is looked for before somebody else has it every time.
const portTries = 5

// ServeTCP implements sim.Server. The protocol is spoken by an independent library; the units behind
// it are the same that Frame plays.
func (u *units) ServeTCP(ctx context.Context, address string) (bound string, err error) {
	for range portTries {
		if bound, err = u.serve(ctx, address); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return bound, err
}

func (u *units) serve(ctx context.Context, address string) (bound string, err error) {
	// The library opens its own listener and does not tell its port, so a free one is found first.
	probe, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("finding a port for Modbus TCP: %w", err)
	}
	bound = probe.Addr().String()
	if err := probe.Close(); err != nil {
		return "", fmt.Errorf("finding a port for Modbus TCP: %w", err)
	}
	server, err := modbus.NewServer(&modbus.ServerConfiguration{
		URL: "tcp://" + bound, Timeout: time.Hour, MaxClients: 16, Logger: log.New(io.Discard, "", 0),
	}, (*handler)(u))
	if err != nil {
		return "", fmt.Errorf("serving Modbus TCP: %w", err)
	}
	if err := server.Start(); err != nil {
		return "", fmt.Errorf("serving Modbus TCP at %s: %w", bound, err)
	}
	context.AfterFunc(ctx, func() { _ = server.Stop() })
	return bound, nil
}

// handler is what the library asks.
type handler units

// ask passes a request on as the body of an RTU frame would be.
func (h *handler) ask(unit, function uint8, address, word uint16, more ...byte) ([]byte, error) {
	data := binary.BigEndian.AppendUint16(nil, address)
	data = append(binary.BigEndian.AppendUint16(data, word), more...)
	body, exception := (*units)(h).handle(int(unit), function, data)
	switch {
	case exception == illegalFunction:
		return nil, modbus.ErrIllegalFunction
	case exception == illegalAddress:
		return nil, modbus.ErrIllegalDataAddress
	case exception == illegalValue:
		return nil, modbus.ErrIllegalDataValue
	case exception != 0:
		return nil, modbus.ErrServerDeviceFailure
	case body == nil:
		// A TCP server must answer something; a gateway says that nobody is behind it.
		return nil, modbus.ErrGWTargetFailedToRespond
	}
	return body, nil
}

func bits(body []byte, count uint16) []bool {
	made := make([]bool, count)
	for i := range made {
		made[i] = body[1+i/8]>>(i%8)&1 != 0
	}
	return made
}

func words(body []byte, count uint16) []uint16 {
	made := make([]uint16, count)
	for i := range made {
		made[i] = binary.BigEndian.Uint16(body[1+2*i:])
	}
	return made
}

// HandleCoils implements modbus.RequestHandler. The library does not tell 05 from 0F with one coil;
// the units do the same for both.
func (h *handler) HandleCoils(r *modbus.CoilsRequest) ([]bool, error) {
	if !r.IsWrite {
		body, err := h.ask(r.UnitId, 1, r.Addr, r.Quantity)
		if err != nil {
			return nil, err
		}
		return bits(body, r.Quantity), nil
	}
	if len(r.Args) == 1 {
		_, err := h.ask(r.UnitId, 5, r.Addr, map[bool]uint16{true: coilOn, false: coilOff}[r.Args[0]])
		return r.Args, err
	}
	packed := make([]byte, 1+(len(r.Args)+7)/8)
	packed[0] = byte(len(packed) - 1)
	for i, on := range r.Args {
		if on {
			packed[1+i/8] |= 1 << (i % 8)
		}
	}
	_, err := h.ask(r.UnitId, 15, r.Addr, r.Quantity, packed...)
	return r.Args, err
}

// HandleDiscreteInputs implements modbus.RequestHandler.
func (h *handler) HandleDiscreteInputs(r *modbus.DiscreteInputsRequest) ([]bool, error) {
	body, err := h.ask(r.UnitId, 2, r.Addr, r.Quantity)
	if err != nil {
		return nil, err
	}
	return bits(body, r.Quantity), nil
}

// HandleHoldingRegisters implements modbus.RequestHandler. As with coils, 06 and 10 with one
// register are the same.
func (h *handler) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	if !r.IsWrite {
		body, err := h.ask(r.UnitId, 3, r.Addr, r.Quantity)
		if err != nil {
			return nil, err
		}
		return words(body, r.Quantity), nil
	}
	if len(r.Args) == 1 {
		_, err := h.ask(r.UnitId, 6, r.Addr, r.Args[0])
		return r.Args, err
	}
	packed := []byte{byte(2 * len(r.Args))}
	for _, word := range r.Args {
		packed = binary.BigEndian.AppendUint16(packed, word)
	}
	_, err := h.ask(r.UnitId, 16, r.Addr, r.Quantity, packed...)
	return r.Args, err
}

// HandleInputRegisters implements modbus.RequestHandler.
func (h *handler) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	body, err := h.ask(r.UnitId, 4, r.Addr, r.Quantity)
	if err != nil {
		return nil, err
	}
	return words(body, r.Quantity), nil
}
