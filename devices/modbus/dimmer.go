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
)

// DimmerSettings says which register a dimmed circuit is, and its scale. Where a map is named, what is
// not set is as in its table; where none is, as the defaults below say.
type DimmerSettings struct {
	Unit    int    `yaml:"unit" doc:"address of the dimmer, 1 to 247"`
	Channel int    `yaml:"channel" doc:"circuit, counted from 0; of a DALI gateway the ballast's or group's own number"`
	Map     string `yaml:"map" doc:"the unit's register table: wb-mdm3, wb-led, wb-mao4, wb-mao4-mv, ddm845r, ddm845r-all, ecodim-dali-gw2, ecodim-dali-gw2-group or ecodim-dali-gw2-all; what is set beside it goes before it"`

	Base     *int `yaml:"base" doc:"register of the first circuit; default 0"`
	Stride   *int `yaml:"stride" doc:"registers from one circuit to the next; default 1"`
	Min      *int `yaml:"min" doc:"register value for dark; default 0"`
	Max      *int `yaml:"max" doc:"register value for full; default 100"`
	Write    *int `yaml:"write" doc:"function that writes: 6 (default) or 16"`
	Read     *int `yaml:"read" doc:"function that reads: 3 (default) or 4"`
	ReadBase *int `yaml:"read_base" doc:"register in which the first circuit's level is read, where that is not base; -1 where it cannot be read"`
	Switch   *int `yaml:"switch" doc:"coil of the first circuit's on and off, where it has one beside the level; -1 (default) for none"`
}

// Validate says what is wrong with the settings.
func (s *DimmerSettings) Validate() error {
	m, known := findMap(s.Map)
	if !known {
		return fmt.Errorf("map %q is not known: there is %s", s.Map, mapNames())
	}
	c := s.circuit()
	err := errors.Join(checkUnit(s.Unit), checkAddress("register", c.register), checkAddress("min", c.min), checkAddress("max", c.max))
	if s.Channel < 0 || s.Channel >= m.circuits {
		err = errors.Join(err, fmt.Errorf("channel %d: it is 0 to %d", s.Channel, m.circuits-1))
	}
	if s.Stride != nil && *s.Stride < 1 || s.Base != nil && *s.Base < 0 {
		err = errors.Join(err, errors.New("stride is at least 1, base at least 0"))
	}
	if s.ReadBase != nil && *s.ReadBase < none || s.Switch != nil && *s.Switch < none {
		err = errors.Join(err, errors.New("read_base and switch are at least 0, or -1 where there is none"))
	}
	if c.readAt != none {
		err = errors.Join(err, checkAddress("register to read", c.readAt))
	}
	if c.coil != none {
		err = errors.Join(err, checkAddress("switch", c.coil))
	}
	if c.min == c.max {
		err = errors.Join(err, fmt.Errorf("min and max are both %d: there is nothing between dark and full", c.min))
	}
	if c.write != modbus.FuncCodeWriteSingleRegister && c.write != modbus.FuncCodeWriteMultipleRegisters {
		err = errors.Join(err, fmt.Errorf("write %d: it is 6 or 16", c.write))
	}
	if c.read != modbus.FuncCodeReadHoldingRegisters && c.read != modbus.FuncCodeReadInputRegisters {
		err = errors.Join(err, fmt.Errorf("read %d: it is 3 or 4", c.read))
	}
	return err
}

// claims lists what a circuit occupies of a unit.
func (c circuit) claims(unit int) []string {
	claims := []string{fmt.Sprintf("unit %d register %d", unit, c.register)}
	if c.coil != none {
		claims = append(claims, fmt.Sprintf("unit %d coil %d", unit, c.coil))
	}
	return claims
}

// places lists where a circuit that burns is read.
func (c circuit) places(unit int) (places []place) {
	if c.readAt == none {
		return nil
	}
	if c.coil != none {
		places = append(places, place{row{byte(unit), modbus.FuncCodeReadCoils}, c.coil})
	}
	return append(places, place{row{byte(unit), c.read}, c.readAt})
}

// raw turns percent into the register's scale, which may run downwards.
func (c circuit) raw(percent int) uint16 {
	return uint16(c.min + int(math.Round(float64(percent)*float64(c.max-c.min)/100)))
}

func (c circuit) percent(raw uint16) int {
	p := math.Round(100 * float64(int(raw)-c.min) / float64(c.max-c.min))
	return int(min(100, max(0, p)))
}

// dimmer is a circuit behind a register, and perhaps a coil beside it. While the coil is off the lamp
// is dark, whatever the register says: a unit may keep the level for when it is switched on again.
type dimmer struct {
	circuit
	board *board
	lit   *coil // its on and off; nil where there is none
	// asked is the last percent that was acknowledged, -1 before. On a scale of less than a hundred
	// steps several percents are one value, and the one that was asked for is to be read again.
	asked atomic.Int32
}

func newDimmer(b *board, c circuit) *dimmer {
	d := &dimmer{board: b, circuit: c}
	if c.coil != none {
		d.lit = &coil{board: b, set: CoilSettings{Coil: c.coil, Write: modbus.FuncCodeWriteSingleCoil}}
	}
	for _, p := range c.places(int(b.unit)) {
		b.plan.add(p)
	}
	d.asked.Store(-1)
	return d
}

var _ devices.Dimmer = (*dimmer)(nil)

// Level implements devices.Dimmer. A circuit that cannot be read returns what was last sent together
// with an error that wraps devices.ErrSent: a value to be shown as assumed. Before anything was sent
// it returns a *devices.Refusal: the level is unknown, and not for want of an answer.
func (d *dimmer) Level(ctx context.Context) (int, error) {
	asked := int(d.asked.Load())
	if d.readAt == none {
		if asked < 0 {
			return 0, &devices.Refusal{Reason: devices.Phrase{ZH: "该调光回路无法回读亮度", EN: "This circuit's level cannot be read back"}}
		}
		return asked, fmt.Errorf("unit %d: register %d as last told: %w", d.board.unit, d.register, devices.ErrSent)
	}
	if d.lit != nil {
		on, err := d.lit.On(ctx)
		if err != nil || !on {
			return 0, err
		}
	}
	raw, err := d.board.read(ctx, d.read, d.readAt)
	if err != nil {
		return 0, err
	}
	if asked >= 0 && d.raw(asked) == raw {
		return asked, nil
	}
	return d.percent(raw), nil
}

// SetLevel implements devices.Dimmer. Dark is the coil off where there is one; else the level is
// written first, so that the lamp comes on at the new one. It returns devices.ErrSent for a circuit
// that cannot be read.
func (d *dimmer) SetLevel(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("unit %d: level %d%% is not 0 to 100", d.board.unit, percent)
	}
	if d.lit == nil || percent > 0 {
		if err := d.put(ctx, d.raw(percent)); err != nil {
			return err
		}
	}
	if d.lit != nil {
		if err := d.lit.SetOn(ctx, percent > 0); err != nil {
			return err
		}
	}
	if d.readAt == none {
		d.asked.Store(int32(percent))
		return fmt.Errorf("unit %d: register %d: %w", d.board.unit, d.register, devices.ErrSent)
	}
	if d.lit == nil || percent > 0 {
		d.asked.Store(int32(percent))
	}
	return nil
}

// Echoes implements devices.Echo: the reply to function 06 is the request, "returned after the register contents have
// been written" (MODBUS Application Protocol, 6.6); that to function 16 has the number of registers only.
func (d *dimmer) Echoes() bool {
	return d.write == modbus.FuncCodeWriteSingleRegister && d.readAt == d.register
}

// put writes the register. A newer level takes the place of one that still waits: a finger drags
// over all of them.
func (d *dimmer) put(ctx context.Context, raw uint16) error {
	key := fmt.Sprintf("unit %d register %d", d.board.unit, d.register)
	_, err := d.board.ask(ctx, fmt.Sprintf("write register %d = %d", d.register, raw), key, func(m modbus.Client) ([]byte, error) {
		if d.write == modbus.FuncCodeWriteMultipleRegisters {
			return m.WriteMultipleRegisters(uint16(d.register), 1, binary.BigEndian.AppendUint16(nil, raw))
		}
		return m.WriteSingleRegister(uint16(d.register), raw)
	})
	return err
}
