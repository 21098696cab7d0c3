// Package modbus simulates Modbus units: relay boards with coils, relay boards with commands in
// registers, dimmers, sensors - all units of one line, over RS-485 with the silence between frames,
// or over Modbus TCP with an independent library's server.
package modbus

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

// The kinds of point.
const (
	coil     = "coil"
	discrete = "discrete" // an input of one bit
	register = "register" // a holding register
	input    = "input"    // an input register
	command  = "command"  // a holding register that takes commands for a relay, and reads 1 or 0
)

// point is a coil, register or input of a unit.
type point struct {
	unit    int
	kind    string
	address int
}

// place is where a device of the room file hangs.
type place struct {
	point
	driver    string
	low, high int    // the scale of a dimmer, from dark to full
	lamp      *point // the coil of its on and off; nil where it has none
	divide    float64
	signed    bool
}

// units is all units of a line.
type units struct {
	scale func(time.Duration) time.Duration
	born  time.Time

	mu      sync.Mutex
	values  map[point]uint16
	sizes   map[int]map[string]int // by unit and kind: how many points the unit has
	places  map[string]place       // by device id
	hidden  map[point]bool         // registers that can be written and not read
	mirrors map[point]point        // registers that can only be read, and tell what another was set to
	drifts  map[point]float64      // by how much an input wanders, in the register's own steps
	pulses  map[point]*time.Timer  // contacts that will change by themselves
	nak     bool
	mute    int // the unit that does not answer, 0 for none
	stuck   int // the unit that acknowledges and does nothing
}

// New makes the units that the devices of a line hang on. It is a sim.Factory; the equipment is a
// sim.Unit that plays them all, and a sim.Server.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	u := &units{
		scale: o.Scale, born: time.Now(),
		values: make(map[point]uint16), sizes: make(map[int]map[string]int), places: make(map[string]place),
		hidden: make(map[point]bool), mirrors: make(map[point]point),
		drifts: make(map[point]float64), pulses: make(map[point]*time.Timer),
	}
	for _, d := range devices {
		if err := u.add(d); err != nil {
			return nil, fmt.Errorf("device %s: %w", d.ID, err)
		}
	}
	return u, nil
}

// add makes the point that a device hangs on, and as much of the board round it as is sold.
func (u *units) add(d sim.Device) error {
	p := place{point: point{unit: number(d.With, "unit", 0)}, driver: d.Driver, divide: 1}
	size := 0
	switch d.Driver {
	case "modbus-coil":
		p.kind, p.address = coil, number(d.With, "coil", 0)
		size = (p.address/8 + 1) * 8 // boards have 8, 16, 24... relays
	case "modbus-command-relay":
		p.kind, p.address = command, number(d.With, "register", 0)
		size = (p.address+7)/8*8 + 1 // registers from 1; 0 is all relays
	case "modbus-dimmer":
		if err := u.dimmer(&p, d.With); err != nil {
			return err
		}
		size = p.address + 1
	case "modbus-sensor":
		p.address = number(d.With, "register", 0)
		p.kind = map[int]string{2: discrete, 3: register, 4: input}[number(d.With, "function", 4)]
		if with, ok := d.With["divide"].(float64); ok && with > 0 {
			p.divide = with
		} else {
			p.divide = float64(max(1, number(d.With, "divide", 1)))
		}
		p.signed, _ = d.With["signed"].(bool)
		size = p.address + 2
		u.furnish(p)
	default:
		return fmt.Errorf("no simulated unit for driver %s", d.Driver)
	}
	if p.kind == "" || p.unit < 1 || p.unit > 247 || p.address < 0 || p.address > math.MaxUint16 {
		return fmt.Errorf("no unit has %v", d.With)
	}
	u.enlarge(p.unit, p.kind, size)
	u.places[d.ID] = p
	return nil
}

// furnish gives a sensor what it measures in a comfortable room. The SHT20 module has temperature in
// register 1 and humidity in register 2.
func (u *units) furnish(p place) {
	if p.kind == discrete {
		return // nobody there
	}
	comfortable, wander := 23.0, 0.6
	if p.address == 2 {
		comfortable, wander = 45, 3
	}
	u.values[p.point] = uint16(comfortable * p.divide)
	u.drifts[p.point] = wander * p.divide
}

// weather is how long what a sensor measures takes to rise, fall and be back.
const weather = 17 * time.Minute

// value is what a point reads. The caller holds mu.
func (u *units) value(p point) uint16 {
	v := u.values[p]
	if wander, ok := u.drifts[p]; ok {
		phase := 2 * math.Pi * float64(time.Since(u.born)) / float64(u.scale(weather))
		v += uint16(int(math.Round(wander * math.Sin(phase))))
	}
	return v
}

// set writes a point; what was to happen to it by itself happens no more. The caller holds mu.
func (u *units) set(p point, v uint16) {
	if t := u.pulses[p]; t != nil {
		t.Stop()
		delete(u.pulses, p)
	}
	u.values[p] = v
}

// pulse sets a contact and turns it round after a while. The caller holds mu.
func (u *units) pulse(p point, v uint16, d time.Duration) {
	u.set(p, v)
	var mine *time.Timer
	mine = time.AfterFunc(u.scale(d), func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.pulses[p] == mine { // else a newer command came in the same moment
			u.set(p, v^1)
		}
	})
	u.pulses[p] = mine
}

// number reads a setting that YAML or JSON may have given in several shapes.
func number(with map[string]any, key string, otherwise int) int {
	switch n := with[key].(type) {
	case int:
		return n
	case int64:
		return int(n)
	case uint64:
		return int(n)
	case float64:
		return int(n)
	case string:
		if v, err := strconv.ParseInt(n, 0, 32); err == nil {
			return int(v)
		}
	}
	return otherwise
}

// Truth implements sim.Equipment.
func (u *units) Truth() map[string]string {
	u.mu.Lock()
	defer u.mu.Unlock()
	truth := make(map[string]string)
	for id, p := range u.places {
		v := u.value(p.point)
		switch p.driver {
		case "modbus-coil", "modbus-command-relay":
			truth[id+".power"] = strconv.FormatBool(v != 0)
		case "modbus-dimmer":
			truth[id+".percent"] = strconv.Itoa(int(math.Round(100 * float64(int(u.shines(p))-p.low) / float64(p.high-p.low))))
		case "modbus-sensor":
			measured := float64(v)
			if p.signed {
				measured = float64(int16(v))
			}
			truth[id+".value"] = strconv.FormatFloat(measured/p.divide, 'f', -1, 64)
		}
	}
	return truth
}

// Nudge implements sim.Equipment: a manual switch on the board, a dimmer's own knob, the weather.
func (u *units) Nudge(device, property, value string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	p, ok := u.places[device]
	if !ok {
		return fmt.Errorf("no simulated device %q", device)
	}
	has := map[string]string{
		"modbus-coil": "power", "modbus-command-relay": "power", "modbus-dimmer": "percent", "modbus-sensor": "value",
	}[p.driver]
	if property != has {
		return fmt.Errorf("%s has no %q, it has %s", device, property, has)
	}
	switch property {
	case "power":
		on, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("power %q: it is true or false", value)
		}
		u.set(p.point, map[bool]uint16{true: 1}[on])
	case "percent":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 100 {
			return fmt.Errorf("percent %q: it is 0 to 100", value)
		}
		if p.lamp != nil {
			u.set(*p.lamp, map[bool]uint16{true: 1}[n > 0])
		}
		if p.lamp == nil || n > 0 { // else it keeps its level for when it is switched on again
			u.set(p.point, uint16(p.low+int(math.Round(float64(n)*float64(p.high-p.low)/100))))
		}
	case "value":
		f, err := strconv.ParseFloat(value, 64)
		least, most := 0.0, float64(math.MaxUint16)
		if p.signed {
			least, most = math.MinInt16, math.MaxInt16
		}
		raw := math.Round(f * p.divide)
		if err != nil || !(raw >= least && raw <= most) {
			return fmt.Errorf("value %q: it is a number that the register holds", value)
		}
		delete(u.drifts, p.point) // it stays at what somebody made it
		u.set(p.point, uint16(int(raw)))
	}
	return nil
}

// faults lists what Fault takes.
const faults = `"" (healed), nak, silent-unit-N, stuck-unit-N`

// Fault implements sim.Equipment:
//
//	nak             every unit answers every request with exception 4
//	silent-unit-N   unit N does not answer
//	stuck-unit-N    unit N acknowledges and does nothing
func (u *units) Fault(name string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	nak, mute, stuck := name == "nak", 0, 0
	if rest, ok := strings.CutPrefix(name, "silent-unit-"); ok {
		mute, _ = strconv.Atoi(rest)
	} else if rest, ok := strings.CutPrefix(name, "stuck-unit-"); ok {
		stuck, _ = strconv.Atoi(rest)
	}
	if name != "" && !nak && u.sizes[mute+stuck] == nil {
		return fmt.Errorf("fault %q is not known, or there is no such unit: units take %s", name, faults)
	}
	u.nak, u.mute, u.stuck = nak, mute, stuck
	return nil
}
