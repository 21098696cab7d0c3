package configs

import (
	"fmt"
	"regexp"
)

var wandering = regexp.MustCompile(`^/dev/tty(USB|ACM)[0-9]+$`)

// warnings says what will work and could be better.
func (c *checker) warnings() {
	for i, l := range c.room.Lines {
		if wandering.MatchString(l.Port) {
			here := path("/lines").at(i).key("port")
			c.warn(c.value(here), fmt.Sprintf("%s is %s, which may be another adapter after the next start", c.owned(here), l.Port), "use its name in /dev/serial/by-id")
		}
	}
	for i := range c.room.Protocols {
		if p := path("/protocols").at(i); !c.borrowed(p) {
			c.warn(c.value(p), fmt.Sprintf("no device has %s, so nothing in it was checked", c.describe(p)), "name it in the settings of a device: with: {protocol: NAME}")
		}
	}
	for i, d := range c.room.Devices {
		p := path("/devices").at(i)
		switch d.Kind {
		case "projector":
			if d.Mains != "" && c.devices[d.Mains] != nil && !c.guarded(d) {
				c.warn(c.value(p.key("mains")), fmt.Sprintf("nothing keeps %s from losing its mains while its lamp is hot", c.describe(p)),
					fmt.Sprintf("add a guard: set {%s.power: off}, require {%s.power: off}", d.Mains, d.ID))
			}
		case "curtain":
			if !c.has(p.key("travel")) && d.Relays == nil {
				c.warn(c.value(p), c.describe(p)+" has no travel: its way takes as long as the motor says", "measure how long it takes from one end to the other and add it")
			}
		}
	}
}

// guarded reports whether a guard lets a projector's mains off only when the projector says off.
func (c *checker) guarded(d Device) bool {
	for _, g := range c.room.Guards {
		set, require := d.Mains+".power", d.ID+".power"
		for _, s := range c.states(set, g.Set[set], asked) {
			needs := c.states(require, g.Require[require], reported)
			if s == state(set+": off") && len(needs) == 1 && needs[0] == state(require+": off") {
				return true
			}
		}
	}
	return false
}
