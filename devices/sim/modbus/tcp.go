package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/simonvetter/modbus"
)

// ServeTCP serves the units over Modbus TCP at a host:port (port 0 for any) until ctx ends, and
// returns the address. The protocol is spoken by an independent library.
func (u *units) ServeTCP(ctx context.Context, address string) (bound string, err error) {
	// The library opens its own listener and does not tell its port, so a free one is found first.
	probe, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("finding a port for Modbus TCP: %w", err)
	}
	bound = probe.Addr().String()
	if err := probe.Close(); err != nil {
		return "", fmt.Errorf("finding a port for Modbus TCP: %w", err)
	}
	server, err := modbus.NewServer(&modbus.ServerConfiguration{URL: "tcp://" + bound, Timeout: time.Hour, MaxClients: 16}, (*handler)(u))
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
func (h *handler) ask(unit, function uint8, address, word uint16, more []byte) ([]byte, error) {
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

// HandleCoils implements modbus.RequestHandler.
func (h *handler) HandleCoils(r *modbus.CoilsRequest) ([]bool, error) {
	if !r.IsWrite {
		body, err := h.ask(r.UnitId, 1, r.Addr, r.Quantity, nil)
		if err != nil {
			return nil, err
		}
		return bits(body, r.Quantity), nil
	}
	for i, on := range r.Args {
		word := uint16(0)
		if on {
			word = 0xFF00
		}
		if _, err := h.ask(r.UnitId, 5, r.Addr+uint16(i), word, nil); err != nil {
			return nil, err
		}
	}
	return r.Args, nil
}

// HandleDiscreteInputs implements modbus.RequestHandler.
func (h *handler) HandleDiscreteInputs(r *modbus.DiscreteInputsRequest) ([]bool, error) {
	body, err := h.ask(r.UnitId, 2, r.Addr, r.Quantity, nil)
	if err != nil {
		return nil, err
	}
	return bits(body, r.Quantity), nil
}

// HandleHoldingRegisters implements modbus.RequestHandler.
func (h *handler) HandleHoldingRegisters(r *modbus.HoldingRegistersRequest) ([]uint16, error) {
	if !r.IsWrite {
		body, err := h.ask(r.UnitId, 3, r.Addr, r.Quantity, nil)
		if err != nil {
			return nil, err
		}
		return words(body, r.Quantity), nil
	}
	var failed error
	for i, word := range r.Args {
		_, err := h.ask(r.UnitId, 6, r.Addr+uint16(i), word, nil)
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return nil, modbus.ErrIllegalDataValue
	}
	return r.Args, nil
}

// HandleInputRegisters implements modbus.RequestHandler.
func (h *handler) HandleInputRegisters(r *modbus.InputRegistersRequest) ([]uint16, error) {
	body, err := h.ask(r.UnitId, 4, r.Addr, r.Quantity, nil)
	if err != nil {
		return nil, err
	}
	return words(body, r.Quantity), nil
}
