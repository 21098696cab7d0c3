package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goburrow/modbus"

	"lectern/devices"
	"lectern/devices/line"
)

// probe finds the units of a bus. It reads, by the functions 1 to 4, and never writes.
func probe() *devices.Probe {
	return &devices.Probe{
		Protocol: "Modbus",
		// 9600 8N1 is what most boards come with, 19200 8E1 what the Modbus guide demands.
		Bauds: []int{9600, 19200, 38400, 115200, 57600, 4800, 2400}, Formats: []string{"8N1", "8E1"},
		Look: scan,
	}
}

// area is one of the four kinds of things that a unit has.
type area struct {
	function byte
	name     string
	read     func(m modbus.Client, address, quantity uint16) ([]byte, error)
}

func areas() []area {
	return []area{
		{modbus.FuncCodeReadCoils, "coils", func(m modbus.Client, a, q uint16) ([]byte, error) { return m.ReadCoils(a, q) }},
		{modbus.FuncCodeReadDiscreteInputs, "discrete inputs", func(m modbus.Client, a, q uint16) ([]byte, error) { return m.ReadDiscreteInputs(a, q) }},
		{modbus.FuncCodeReadHoldingRegisters, "holding registers", func(m modbus.Client, a, q uint16) ([]byte, error) { return m.ReadHoldingRegisters(a, q) }},
		{modbus.FuncCodeReadInputRegisters, "input registers", func(m modbus.Client, a, q uint16) ([]byte, error) { return m.ReadInputRegisters(a, q) }},
	}
}

// scan asks every unit for its first holding register: whatever it answers, if only that it has none,
// it is there. What is there is read.
func scan(ctx context.Context, l devices.Looking) error {
	for unit := l.From; unit <= l.To; unit++ {
		if err := ctx.Err(); err != nil {
			return err //nolint:wrapcheck // the caller ended it
		}
		l.Progress(fmt.Sprintf("unit %d of %d to %d", unit, l.From, l.To))
		b := newBoard(l.Line, unit)
		_, err := b.ask(ctx, "is anybody there", "", func(m modbus.Client) ([]byte, error) { return m.ReadHoldingRegisters(0, 1) })
		switch {
		case errors.Is(err, line.ErrNoReply), behindGateway(err):
			continue
		case errors.Is(err, line.ErrDown), errors.Is(err, line.ErrClosed), errors.Is(err, line.ErrExpired):
			return err
		case errors.Is(err, line.ErrGarbled):
			l.Found(fmt.Sprintf("unit %d", unit), "something answers, and not in Modbus: is the speed right, or are there two of them?")
			continue
		}
		l.Found(fmt.Sprintf("unit %d", unit), contents(ctx, b, l.Registers))
	}
	return nil
}

// behindGateway reports whether a gateway says that nobody answers behind it.
func behindGateway(err error) bool {
	var rejection *devices.Rejection
	return errors.As(err, &rejection) && (rejection.Code == fmt.Sprintf("exception %d", modbus.ExceptionCodeGatewayPathUnavailable) ||
		rejection.Code == fmt.Sprintf("exception %d", modbus.ExceptionCodeGatewayTargetDeviceFailedToRespond))
}

// contents reads what a unit has, as far as it lets itself be read.
func contents(ctx context.Context, b *board, most int) string {
	var parts []string
	for _, a := range areas() {
		values := make(map[int]string)
		unknown := false
		look(ctx, b, a, 0, most, values, &unknown)
		if len(values) > 0 {
			parts = append(parts, a.name+" "+spans(values))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("answers, and has nothing to read at 0 to %d", most-1)
	}
	return strings.Join(parts, "; ")
}

// look reads a span, and where the unit refuses it, both halves of it: boards refuse a span that goes
// beyond what they have.
func look(ctx context.Context, b *board, a area, from, n int, values map[int]string, unknown *bool) {
	if n <= 0 || *unknown || ctx.Err() != nil {
		return
	}
	data, err := b.ask(ctx, fmt.Sprintf("read %s %d to %d", a.name, from, from+n-1), "", func(m modbus.Client) ([]byte, error) {
		return a.read(m, uint16(from), uint16(n))
	})
	var rejection *devices.Rejection
	switch {
	case err == nil:
		for i := range n {
			if a.function == modbus.FuncCodeReadCoils || a.function == modbus.FuncCodeReadDiscreteInputs {
				values[from+i] = fmt.Sprint(data[i/8] >> (i % 8) & 1)
			} else {
				values[from+i] = fmt.Sprint(binary.BigEndian.Uint16(data[2*i:]))
			}
		}
	case errors.As(err, &rejection) && rejection.Code == fmt.Sprintf("exception %d", modbus.ExceptionCodeIllegalFunction), !errors.As(err, &rejection):
		*unknown = true // it has no such things, or has fallen silent
	case n > 1:
		look(ctx, b, a, from, n/2, values, unknown)
		look(ctx, b, a, from+n/2, n-n/2, values, unknown)
	}
}

// spans writes values by address: "0-3: 0 1 0 0, 8: 1".
func spans(values map[int]string) string {
	addresses := make([]int, 0, len(values))
	for a := range values {
		addresses = append(addresses, a)
	}
	slices.Sort(addresses)
	var parts []string
	for i := 0; i < len(addresses); {
		j := i
		for j+1 < len(addresses) && addresses[j+1] == addresses[j]+1 {
			j++
		}
		var shown []string
		for _, a := range addresses[i : j+1] {
			shown = append(shown, values[a])
		}
		span := fmt.Sprint(addresses[i])
		if j > i {
			span = fmt.Sprintf("%d-%d", addresses[i], addresses[j])
		}
		parts = append(parts, span+": "+strings.Join(shown, " "))
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
