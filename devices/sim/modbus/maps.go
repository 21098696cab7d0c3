package modbus

import "fmt"

// table is where a kind of dimmer or gateway keeps its circuits, as its maker's register list says.
type table struct {
	first    int // holding register of circuit 0's level
	told     int // holding register in which it tells the level; less than 0 where it does not
	step     int
	lamp     int // coil of circuit 0; less than 0 where there is none
	full     int // register value of full brightness
	circuits int
}

// tables are the units that can be played, by the word of the room file.
func tables() map[string]table {
	return map[string]table{
		"":                      {0, 0, 1, -1, 100, 65536},
		"wb-mdm3":               {0, 0, 1, 0, 100, 3},
		"wb-led":                {2000, 2000, 1, 0, 100, 4},
		"wb-mao4":               {16, 16, 1, 16, 100, 4},
		"wb-mao4-mv":            {0, 0, 1, -1, 10000, 4},
		"ddm845r":               {40, 40, 1, -1, 1023, 4},
		"ddm845r-all":           {44, 44, 1, -1, 100, 1},
		"ecodim-dali-gw2":       {3000, 3004, 5, -1, 254, 64},
		"ecodim-dali-gw2-group": {2000, -1, 5, -1, 254, 16},
		"ecodim-dali-gw2-all":   {1000, -1, 5, -1, 254, 1},
	}
}

// dimmer furnishes the place of a dimmed circuit from its settings.
func (u *units) dimmer(p *place, with map[string]any) error {
	name, _ := with["map"].(string)
	t, ok := tables()[name]
	channel := number(with, "channel", 0)
	if !ok || channel < 0 || channel >= t.circuits {
		return fmt.Errorf("no simulated dimmer has map %q and channel %d", name, channel)
	}
	base := number(with, "base", t.first)
	if t.told >= 0 {
		t.told += base - t.first
	}
	stride := number(with, "stride", t.step)
	p.kind, p.address = register, base+stride*channel
	p.low, p.high = number(with, "min", 0), number(with, "max", t.full)
	if p.low == p.high {
		return fmt.Errorf("min and max are both %d", p.low)
	}
	u.values[p.point] = uint16(p.low)
	if told := number(with, "read_base", t.told); told < 0 {
		u.hidden[p.point] = true
	} else if told += stride * channel; told != p.address {
		u.hidden[p.point] = true
		u.mirrors[point{p.unit, register, told}] = p.point
		u.enlarge(p.unit, register, told+1)
	}
	if lamp := number(with, "switch", t.lamp); lamp >= 0 {
		p.lamp = &point{p.unit, coil, lamp + channel}
		u.enlarge(p.unit, coil, lamp+channel+1)
	}
	return nil
}

// shines is the register value that a circuit shines with: that of dark while its coil is off.
func (u *units) shines(p place) uint16 {
	if p.lamp != nil && u.value(*p.lamp) == 0 {
		return uint16(p.low)
	}
	return u.value(p.point)
}

// enlarge makes a unit at least so large.
func (u *units) enlarge(unit int, kind string, size int) {
	if u.sizes[unit] == nil {
		u.sizes[unit] = make(map[string]int)
	}
	u.sizes[unit][kind] = max(u.sizes[unit][kind], size)
}

// isMirror reports whether a register can only be read.
func (u *units) isMirror(p point) bool { _, ok := u.mirrors[p]; return ok }
