package modbus

import (
	"slices"
	"strings"

	"github.com/goburrow/modbus"
)

// none stands for a register or coil that a unit has not.
const none = -1

// registerMap says where a kind of unit keeps its circuits, and on which scale.
type registerMap struct {
	name     string
	base     int // register of the first circuit's level
	readBase int // register in which it is read back; none where it cannot be
	stride   int // registers from one circuit to the next
	coil     int // coil of the first circuit's on and off; none where the level is all
	min, max int
	circuits int // how many there are
}

// registerMaps are the units whose tables are known. All of them are written with function 06 and read
// with 03. The sources are the maker's tables as wb-mqtt-serial has them (templates/config-NAME, commit
// 7f7a2d4).
func registerMaps() []registerMap {
	return []registerMap{
		// Wiren Board, dimmer for mains lamps, 3 circuits: config-wb-mdm3. Level 0 to 100 % in holding
		// registers 0 to 2, on and off in coils 0 to 2.
		{name: "wb-mdm3", base: 0, readBase: 0, stride: 1, coil: 0, max: 100, circuits: 3},
		// Wiren Board, LED dimmer, 4 circuits: config-wb-led. Registers 2000 to 2003, coils 0 to 3.
		{name: "wb-led", base: 2000, readBase: 2000, stride: 1, coil: 0, max: 100, circuits: 4},
		// Wiren Board, 0-10 V outputs, 4 of them: config-wb-mao4. Level in percent of what is set as the
		// lowest and highest voltage in holding registers 16 to 19, on and off in coils 16 to 19.
		{name: "wb-mao4", base: 16, readBase: 16, stride: 1, coil: 16, max: 100, circuits: 4},
		// The same outputs as plain voltages in millivolts: holding registers 0 to 3.
		{name: "wb-mao4-mv", base: 0, readBase: 0, stride: 1, coil: none, max: 10000, circuits: 4},
		// Razumdom, 0-10 V dimmer, 4 outputs: config-ddm845r. Registers 0x28 to 0x2B, 0 to 0x3FF.
		{name: "ddm845r", base: 0x28, readBase: 0x28, stride: 1, coil: none, max: 0x3FF, circuits: 4},
		// All four of its outputs together, in percent: register 0x2C.
		{name: "ddm845r-all", base: 0x2C, readBase: 0x2C, stride: 1, coil: none, max: 100, circuits: 1},
		// Ecodim, DALI gateway: config-ecodim-dali-gw2. The level of ballast n is written to 3000+5n and
		// read from 3004+5n, 0 to 254 on DALI's own curve (255 means "as it is" there). The gateway
		// buffers what it tells for the seconds in register 38, 5 as it comes: set it to 0 or 1.
		{name: "ecodim-dali-gw2", base: 3000, readBase: 3004, stride: 5, coil: none, max: 254, circuits: 64},
		// Its groups, 2000+5n, can be told and not read.
		{name: "ecodim-dali-gw2-group", base: 2000, readBase: none, stride: 5, coil: none, max: 254, circuits: 16},
		// Everything on its DALI bus together, 1000, likewise.
		{name: "ecodim-dali-gw2-all", base: 1000, readBase: none, stride: 5, coil: none, max: 254, circuits: 1},
	}
}

// plainMap is a unit of no known table: one register for each circuit, 0 to 100 %. How many circuits
// it has nobody knows.
var plainMap = registerMap{stride: 1, coil: none, max: 100, circuits: 1 << 16}

func findMap(name string) (registerMap, bool) {
	if name == "" {
		return plainMap, true
	}
	maps := registerMaps()
	i := slices.IndexFunc(maps, func(m registerMap) bool { return m.name == name })
	if i < 0 {
		return plainMap, false
	}
	return maps[i], true
}

// mapNames lists the known tables, for people.
func mapNames() string {
	var names []string
	for _, m := range registerMaps() {
		names = append(names, m.name)
	}
	return strings.Join(names, ", ")
}

// circuit is one circuit of a unit: where it is, and its scale.
type circuit struct {
	register int // where its level is written
	readAt   int // where it is read; none where it cannot be
	coil     int // its on and off; none where the level is all
	min, max int
	write    int // function that writes the level
	read     int // function that reads it
}

// circuit puts the settings over the map that they name.
func (s *DimmerSettings) circuit() circuit {
	m, _ := findMap(s.Map)
	or := func(set *int, otherwise int) int {
		if set != nil {
			return *set
		}
		return otherwise
	}
	first := or(s.Base, m.base)
	second := m.readBase
	if s.Base != nil && m.readBase != none {
		second = first + m.readBase - m.base // as far from it as before
	}
	second = or(s.ReadBase, second)
	away := or(s.Stride, m.stride) * s.Channel
	c := circuit{
		register: first + away, readAt: none, coil: none, min: or(s.Min, m.min), max: or(s.Max, m.max),
		write: or(s.Write, modbus.FuncCodeWriteSingleRegister), read: or(s.Read, modbus.FuncCodeReadHoldingRegisters),
	}
	if second != none {
		c.readAt = second + away
	}
	if coil := or(s.Switch, m.coil); coil != none {
		c.coil = coil + s.Channel // coils stand one by one, whatever the stride of the registers
	}
	return c
}
