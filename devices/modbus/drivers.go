package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

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
			Poll: func(any) []devices.Frames { return reading(modbus.FuncCodeReadCoils) },
			Unit: func(s any) (string, bool) { return unitOf(s.(*CoilSettings).Unit) },
			New: func(e devices.Env, s any) (any, error) {
				c := s.(*CoilSettings)
				return &coil{board: newBoard(e.Line, c.Unit), set: *c}, nil
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
			Poll: func(any) []devices.Frames { return reading(modbus.FuncCodeReadHoldingRegisters) },
			Unit: func(s any) (string, bool) { return unitOf(s.(*CommandSettings).Unit) },
			New: func(e devices.Env, s any) (any, error) {
				c := s.(*CommandSettings)
				return &command{board: newBoard(e.Line, c.Unit), set: *c}, nil
			},
		},
		{
			Name: "modbus-dimmer", Equipment: "dimmers and 0-10 V outputs with a register for each circuit",
			Facts: "register tables of Wiren Board WB-MDM3, WB-LED, WB-MAO4 and Razumdom DDM845R",
			Kinds: []string{"dimmer"}, Lines: lines, Bus: bus, Probe: probe(),
			Settings: func() any {
				return &DimmerSettings{Stride: 1, Max: 100, Write: modbus.FuncCodeWriteSingleRegister, Read: modbus.FuncCodeReadHoldingRegisters}
			},
			Claims: func(s any) []string {
				d := s.(*DimmerSettings)
				return []string{fmt.Sprintf("unit %d register %d", d.Unit, d.register())}
			},
			Poll: func(s any) []devices.Frames { return reading(s.(*DimmerSettings).Read) },
			Unit: func(s any) (string, bool) { return unitOf(s.(*DimmerSettings).Unit) },
			New: func(e devices.Env, s any) (any, error) {
				d := s.(*DimmerSettings)
				return newDimmer(newBoard(e.Line, d.Unit), *d), nil
			},
		},
		{
			Name: "modbus-sensor", Equipment: "sensors with a value in a register or a contact in a discrete input (SHT20 and its like)",
			Facts: "SHT20 RS-485 module manual; MODBUS Application Protocol V1.1b3",
			Kinds: []string{"sensor"}, Lines: lines, Bus: bus, Probe: probe(),
			Settings: func() any { return &SensorSettings{Function: modbus.FuncCodeReadInputRegisters, Divide: 1} },
			Poll:     func(s any) []devices.Frames { return reading(s.(*SensorSettings).Function) },
			Unit:     func(s any) (string, bool) { return unitOf(s.(*SensorSettings).Unit) },
			New: func(e devices.Env, s any) (any, error) {
				m := s.(*SensorSettings)
				return &sensor{board: newBoard(e.Line, m.Unit), set: *m}, nil
			},
		},
	}
}

// reading is how long the RTU frames are by which one coil, input or register is read: unit, function,
// address, quantity and checksum; unit, function, length, data and checksum.
func reading(function int) []devices.Frames {
	if function == modbus.FuncCodeReadCoils || function == modbus.FuncCodeReadDiscreteInputs {
		return []devices.Frames{{Asked: 8, Answered: 6}}
	}
	return []devices.Frames{{Asked: 8, Answered: 7}}
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

// On implements devices.Switch.
func (c *coil) On(ctx context.Context) (bool, error) {
	data, err := c.board.ask(ctx, fmt.Sprintf("read coil %d", c.set.Coil), "", func(m modbus.Client) ([]byte, error) {
		return m.ReadCoils(uint16(c.set.Coil), 1)
	})
	if err != nil {
		return false, err
	}
	return data[0]&1 != 0, nil
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

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// CommandSettings says which register a relay is, and the commands that switch it. The manuals call
// a relay that is energised "open" and one that is not "close"; here on is energised.
type CommandSettings struct {
	Unit     int `yaml:"unit" doc:"address of the board, 1 to 247"`
	Register int `yaml:"register" doc:"holding register of the relay; 1 is the first on R4 boards"`
	On       int `yaml:"on" doc:"command that closes the contact; default 0x0100, which R4 manuals call open"`
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
	data, err := c.board.ask(ctx, fmt.Sprintf("read register %d", c.set.Register), "", func(m modbus.Client) ([]byte, error) {
		return m.ReadHoldingRegisters(uint16(c.set.Register), 1)
	})
	if err != nil {
		return false, err
	}
	return binary.BigEndian.Uint16(data) == 1, nil
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

// DimmerSettings says which register a dimmed circuit is, and its scale.
type DimmerSettings struct {
	Unit    int `yaml:"unit" doc:"address of the dimmer, 1 to 247"`
	Base    int `yaml:"base" doc:"register of the first circuit"`
	Stride  int `yaml:"stride" doc:"registers from one circuit to the next; default 1"`
	Channel int `yaml:"channel" doc:"circuit, counted from 0"`
	Min     int `yaml:"min" doc:"register value for dark; default 0"`
	Max     int `yaml:"max" doc:"register value for full; default 100"`
	Write   int `yaml:"write" doc:"function that writes: 6 (default) or 16"`
	Read    int `yaml:"read" doc:"function that reads: 3 (default) or 4"`
}

func (s *DimmerSettings) register() int { return s.Base + s.Stride*s.Channel }

// Validate says what is wrong with the settings.
func (s *DimmerSettings) Validate() error {
	err := errors.Join(checkUnit(s.Unit), checkAddress("register", s.register()), checkAddress("min", s.Min), checkAddress("max", s.Max))
	if s.Stride < 1 || s.Channel < 0 || s.Base < 0 {
		err = errors.Join(err, errors.New("stride is at least 1, base and channel at least 0"))
	}
	if s.Min == s.Max {
		err = errors.Join(err, fmt.Errorf("min and max are both %d: there is nothing between dark and full", s.Min))
	}
	if s.Write != modbus.FuncCodeWriteSingleRegister && s.Write != modbus.FuncCodeWriteMultipleRegisters {
		err = errors.Join(err, fmt.Errorf("write %d: it is 6 or 16", s.Write))
	}
	if s.Read != modbus.FuncCodeReadHoldingRegisters && s.Read != modbus.FuncCodeReadInputRegisters {
		err = errors.Join(err, fmt.Errorf("read %d: it is 3 or 4", s.Read))
	}
	return err
}

// raw turns percent into the register's scale, which may run downwards.
func (s *DimmerSettings) raw(percent int) uint16 {
	return uint16(s.Min + int(math.Round(float64(percent)*float64(s.Max-s.Min)/100)))
}

func (s *DimmerSettings) percent(raw uint16) int {
	p := math.Round(100 * float64(int(raw)-s.Min) / float64(s.Max-s.Min))
	return int(min(100, max(0, p)))
}

// dimmer is a circuit behind a register.
type dimmer struct {
	board *board
	set   DimmerSettings
	// asked is the last percent that was acknowledged, -1 before. On a scale of less than a hundred
	// steps several percents are one value, and the one that was asked for is to be read again.
	asked atomic.Int32
}

func newDimmer(b *board, s DimmerSettings) *dimmer {
	d := &dimmer{board: b, set: s}
	d.asked.Store(-1)
	return d
}

var _ devices.Dimmer = (*dimmer)(nil)

// Level implements devices.Dimmer.
func (d *dimmer) Level(ctx context.Context) (int, error) {
	register := uint16(d.set.register())
	data, err := d.board.ask(ctx, fmt.Sprintf("read register %d", register), "", func(m modbus.Client) ([]byte, error) {
		if d.set.Read == modbus.FuncCodeReadInputRegisters {
			return m.ReadInputRegisters(register, 1)
		}
		return m.ReadHoldingRegisters(register, 1)
	})
	if err != nil {
		return 0, err
	}
	raw := binary.BigEndian.Uint16(data)
	if asked := int(d.asked.Load()); asked >= 0 && d.set.raw(asked) == raw {
		return asked, nil
	}
	return d.set.percent(raw), nil
}

// SetLevel implements devices.Dimmer.
func (d *dimmer) SetLevel(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("unit %d: level %d%% is not 0 to 100", d.set.Unit, percent)
	}
	register, raw := uint16(d.set.register()), d.set.raw(percent)
	// A newer level takes the place of one that still waits: a finger drags over all of them.
	key := fmt.Sprintf("unit %d register %d", d.set.Unit, register)
	_, err := d.board.ask(ctx, fmt.Sprintf("write register %d = %d", register, raw), key, func(m modbus.Client) ([]byte, error) {
		if d.set.Write == modbus.FuncCodeWriteMultipleRegisters {
			return m.WriteMultipleRegisters(register, 1, binary.BigEndian.AppendUint16(nil, raw))
		}
		return m.WriteSingleRegister(register, raw)
	})
	if err == nil {
		d.asked.Store(int32(percent))
	}
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
	register := uint16(s.set.Register)
	data, err := s.board.ask(ctx, fmt.Sprintf("read register %d with function %d", register, s.set.Function), "", func(m modbus.Client) ([]byte, error) {
		switch s.set.Function {
		case modbus.FuncCodeReadDiscreteInputs:
			return m.ReadDiscreteInputs(register, 1)
		case modbus.FuncCodeReadHoldingRegisters:
			return m.ReadHoldingRegisters(register, 1)
		}
		return m.ReadInputRegisters(register, 1)
	})
	if err != nil {
		return 0, err
	}
	if s.set.Function == modbus.FuncCodeReadDiscreteInputs {
		return float64(data[0] & 1), nil
	}
	raw := binary.BigEndian.Uint16(data)
	if s.set.Signed {
		return float64(int16(raw)) / s.set.Divide, nil
	}
	return float64(raw) / s.set.Divide, nil
}
