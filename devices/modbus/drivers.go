package modbus

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/goburrow/modbus"

	"lectern/devices"
	"lectern/devices/line"
)

// bus is the family of drivers that can share an RS-485 line with these.
const bus = "rs485"

// Drivers lists the drivers of this package.
func Drivers() []devices.Driver {
	lines := []line.Kind{line.Serial, line.TCP, line.ModbusTCP}
	return []devices.Driver{
		{
			Name: "modbus-coil", Equipment: "relay boards that are switched by coils (Waveshare Modbus RTU Relay and its like)",
			Facts: "Waveshare wiki, Modbus RTU Relay; MODBUS Application Protocol V1.1b3",
			Kinds: []string{"circuit", "light"}, Lines: lines, Bus: bus, Probe: probe(),
			Settings: func() any { return &CoilSettings{Write: modbus.FuncCodeWriteSingleCoil} },
			Claims: func(s any) []string {
				c := s.(*CoilSettings)
				return []string{fmt.Sprintf("unit %d coil %d", c.Unit, c.Coil)}
			},
			Poll: polls(func(s any) []place {
				c := s.(*CoilSettings)
				return []place{{row{byte(c.Unit), modbus.FuncCodeReadCoils}, c.Coil}}
			}),
			Unit: func(s any) (string, bool) { return unitOf(s.(*CoilSettings).Unit) },
			New: func(e devices.Env, s any) (any, error) {
				c := s.(*CoilSettings)
				return newCoil(newBoard(e.Line, c.Unit), *c), nil
			},
		},
		{
			Name: "modbus-command-relay", Equipment: "relay boards that are switched by commands in holding registers (Eletechsup R421A08 and its like)",
			Facts: "Eletechsup R4 series manual: function 06, command in the high byte",
			Kinds: []string{"circuit", "light"}, Lines: lines, Bus: bus, Probe: probe(),
			Settings: func() any { return &CommandSettings{On: 0x0100, Off: 0x0200} },
			Claims: func(s any) []string {
				c := s.(*CommandSettings)
				return []string{fmt.Sprintf("unit %d register %d", c.Unit, c.Register)}
			},
			Poll: polls(func(s any) []place {
				c := s.(*CommandSettings)
				return []place{{row{byte(c.Unit), modbus.FuncCodeReadHoldingRegisters}, c.Register}}
			}),
			Unit: func(s any) (string, bool) { return unitOf(s.(*CommandSettings).Unit) },
			New: func(e devices.Env, s any) (any, error) {
				c := s.(*CommandSettings)
				b := newBoard(e.Line, c.Unit)
				b.follow(modbus.FuncCodeReadHoldingRegisters, c.Register)
				return &command{board: b, set: *c}, nil
			},
		},
		{
			Name: "modbus-dimmer", Feedback: "reads back; DALI groups one-way", Equipment: "dimmers, 0-10 V outputs and DALI gateways with a register for each circuit (" + mapNames() + ")",
			Facts: "register tables of Wiren Board WB-MDM3, WB-LED, WB-MAO4, Razumdom DDM845R and Ecodim DALI-GW2",
			Kinds: []string{"dimmer"}, Lines: lines, Bus: bus, Probe: probe(),
			Settings: func() any { return &DimmerSettings{} },
			Claims: func(s any) []string {
				d := s.(*DimmerSettings)
				return d.circuit().claims(d.Unit)
			},
			Poll: polls(func(s any) []place {
				d := s.(*DimmerSettings)
				return d.circuit().places(d.Unit)
			}),
			Unit: func(s any) (string, bool) { return unitOf(s.(*DimmerSettings).Unit) },
			New: func(e devices.Env, s any) (any, error) {
				d := s.(*DimmerSettings)
				return newDimmer(newBoard(e.Line, d.Unit), d.circuit()), nil
			},
		},
		{
			Name: "modbus-sensor", Equipment: "sensors with a value in a register or a contact in a discrete input (SHT20 and its like)",
			Facts: "SHT20 RS-485 module manual; MODBUS Application Protocol V1.1b3",
			Kinds: []string{"sensor"}, Lines: lines, Bus: bus, Probe: probe(),
			Settings: func() any { return &SensorSettings{Function: modbus.FuncCodeReadInputRegisters, Divide: 1} },
			Poll: polls(func(s any) []place {
				m := s.(*SensorSettings)
				return []place{{row{byte(m.Unit), m.Function}, m.Register}}
			}),
			Unit: func(s any) (string, bool) { return unitOf(s.(*SensorSettings).Unit) },
			New: func(e devices.Env, s any) (any, error) {
				m := s.(*SensorSettings)
				b := newBoard(e.Line, m.Unit)
				b.follow(m.Function, m.Register)
				return &sensor{board: b, set: *m}, nil
			},
		},
	}
}

// unitOf names a unit. Nearly all boards come as unit 1.
func unitOf(unit int) (name string, factory bool) { return fmt.Sprintf("unit %d", unit), unit == 1 }

// checkUnit leaves out 0, by which all units are told something at once: none of them answers.
func checkUnit(unit int) error {
	if unit < 1 || unit > 247 {
		return fmt.Errorf("unit %d: a Modbus unit is 1 to 247", unit)
	}
	return nil
}

func checkAddress(what string, n int) error {
	if n < 0 || n > math.MaxUint16 {
		return fmt.Errorf("%s %d: it is 0 to 65535", what, n)
	}
	return nil
}

// CoilSettings says which coil a relay is.
type CoilSettings struct {
	Unit  int `yaml:"unit" doc:"address of the board, 1 to 247"`
	Coil  int `yaml:"coil" doc:"coil of the relay, counted from 0"`
	Write int `yaml:"write" doc:"function that writes: 5 (default) or 15 for boards that know only that"`
}

// Validate says what is wrong with the settings.
func (s *CoilSettings) Validate() error {
	err := errors.Join(checkUnit(s.Unit), checkAddress("coil", s.Coil))
	if s.Write != modbus.FuncCodeWriteSingleCoil && s.Write != modbus.FuncCodeWriteMultipleCoils {
		err = errors.Join(err, fmt.Errorf("write %d: it is 5 or 15", s.Write))
	}
	return err
}

// coil is a relay behind a coil.
type coil struct {
	board *board
	set   CoilSettings
}

var _ devices.Switch = (*coil)(nil)

func newCoil(b *board, set CoilSettings) *coil {
	b.follow(modbus.FuncCodeReadCoils, set.Coil)
	return &coil{board: b, set: set}
}

// On implements devices.Switch.
func (c *coil) On(ctx context.Context) (bool, error) {
	value, err := c.board.read(ctx, modbus.FuncCodeReadCoils, c.set.Coil)
	return value != 0, err
}

// SetOn implements devices.Switch.
func (c *coil) SetOn(ctx context.Context, on bool) error {
	_, err := c.board.ask(ctx, fmt.Sprintf("write coil %d %s", c.set.Coil, onOff(on)), "", func(m modbus.Client) ([]byte, error) {
		if c.set.Write == modbus.FuncCodeWriteMultipleCoils {
			return m.WriteMultipleCoils(uint16(c.set.Coil), 1, []byte{map[bool]byte{true: 1}[on]})
		}
		return m.WriteSingleCoil(uint16(c.set.Coil), map[bool]uint16{true: 0xFF00}[on])
	})
	return err
}

// Echoes implements devices.Echo: the reply to function 05 is the request, "returned after the coil state has been
// written" (MODBUS Application Protocol, 6.5); that to function 15 has the number of coils only.
func (c *coil) Echoes() bool { return c.set.Write == modbus.FuncCodeWriteSingleCoil }

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// CommandSettings says which register a relay is, and the commands that switch it. The manuals call
// a relay that is energised "open" and one that is not "close"; here on is energised.
//
// Of the other commands of an R4 board none is used: toggle depends on what was before, momentary is
// over before it is read back, and latch ("this one and no other") goes from one relay to the next
// without the pause that a motor needs, and takes every other relay of the board with it.
type CommandSettings struct {
	Unit     int `yaml:"unit" doc:"address of the board, 1 to 247"`
	Register int `yaml:"register" doc:"holding register of the relay; 1 is the first on R4 boards"`
	On       int `yaml:"on" doc:"command that closes the contact; default 0x0100, which R4 manuals call open; 0x0600 and a number of seconds closes it for so long"`
	Off      int `yaml:"off" doc:"command that opens the contact; default 0x0200, which R4 manuals call close"`
}

// Validate says what is wrong with the settings.
func (s *CommandSettings) Validate() error {
	return errors.Join(checkUnit(s.Unit), checkAddress("register", s.Register), checkAddress("on", s.On), checkAddress("off", s.Off))
}

// command is a relay behind commands in a holding register, that reads back as 1 or 0.
type command struct {
	board *board
	set   CommandSettings
}

var _ devices.Switch = (*command)(nil)

// On implements devices.Switch.
func (c *command) On(ctx context.Context) (bool, error) {
	state, err := c.board.read(ctx, modbus.FuncCodeReadHoldingRegisters, c.set.Register)
	if err != nil {
		return false, err
	}
	switch state {
	case 0, 1:
		return state == 1, nil
	default: // whatever it is, it is not "off"
		return false, fmt.Errorf("unit %d: register %d reads %d, and a relay reads 0 or 1: %w", c.set.Unit, c.set.Register, state, line.ErrGarbled)
	}
}

// SetOn implements devices.Switch.
func (c *command) SetOn(ctx context.Context, on bool) error {
	value := c.set.Off
	if on {
		value = c.set.On
	}
	_, err := c.board.ask(ctx, fmt.Sprintf("command %#04x to register %d (%s)", value, c.set.Register, onOff(on)), "", func(m modbus.Client) ([]byte, error) {
		return m.WriteSingleRegister(uint16(c.set.Register), uint16(value))
	})
	return err
}

// SensorSettings says where a sensor's value stands.
type SensorSettings struct {
	Unit     int     `yaml:"unit" doc:"address of the sensor, 1 to 247"`
	Register int     `yaml:"register" doc:"register, or discrete input with function 2"`
	Function int     `yaml:"function" doc:"4 input register (default), 3 holding register, 2 discrete input"`
	Signed   bool    `yaml:"signed" doc:"the register holds a signed number"`
	Divide   float64 `yaml:"divide" doc:"what the register is divided by; 10 for tenths; default 1"`
}

// Validate says what is wrong with the settings.
func (s *SensorSettings) Validate() error {
	err := errors.Join(checkUnit(s.Unit), checkAddress("register", s.Register))
	if s.Function < modbus.FuncCodeReadDiscreteInputs || s.Function > modbus.FuncCodeReadInputRegisters {
		err = errors.Join(err, fmt.Errorf("function %d: it is 4, 3 or 2", s.Function))
	}
	if s.Divide <= 0 {
		err = errors.Join(err, fmt.Errorf("divide %g: it is more than 0", s.Divide))
	}
	return err
}

// sensor is a value in a register.
type sensor struct {
	board *board
	set   SensorSettings
}

var _ devices.Sensor = (*sensor)(nil)

// Measure implements devices.Sensor.
func (s *sensor) Measure(ctx context.Context) (float64, error) {
	raw, err := s.board.read(ctx, s.set.Function, s.set.Register)
	if err != nil {
		return 0, err
	}
	if s.set.Function == modbus.FuncCodeReadDiscreteInputs {
		return float64(raw), nil
	}
	if s.set.Signed {
		return float64(int16(raw)) / s.set.Divide, nil
	}
	return float64(raw) / s.set.Divide, nil
}
