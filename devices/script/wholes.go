package script

import (
	"maps"
	"slices"
	"strings"

	"lectern/devices"
	"lectern/devices/lamp"
)

// wholes checks what must be there all or not at all.
func (c *compiler) wholes() {
	for _, group := range c.p.kind.groups {
		has := 0
		for _, value := range group {
			if c.p.tells(value) {
				has++
			}
		}
		if has != 0 && has != len(group) {
			c.add([]string{"queries"}, "a %s tells %s together or none of them", c.s.kind, strings.Join(group, " and "))
		}
	}
	p := c.p
	switch c.p.kind.part {
	case "projector":
		c.lamp()
	case "motor":
		if (p.commands["position"] != nil) != p.tells("position") {
			c.add([]string{"commands"}, "a motor that can be sent to a position tells its position and motion, and the other way round; without, the height is reckoned from the travel")
		}
	case "player":
		sound := 0
		for _, name := range []string{"volume", "mute", "unmute"} {
			if p.commands[name] != nil {
				sound++
			}
		}
		if sound != 0 && sound != 3 {
			c.add([]string{"commands"}, "a volume needs volume, mute and unmute")
		}
		if len(p.commands) == sound {
			c.add([]string{"commands"}, "a %s needs at least one of play, stop, pause and so on", c.s.kind)
		}
	}
}

// lamp makes the clock of a lamp, and demands one where "off" is said while it is hot: a guard lets the
// mains go on that word.
func (c *compiler) lamp() {
	l := c.s.Protocol.Lamp
	if l == nil {
		cools := slices.Contains(slices.Collect(maps.Values(c.s.Protocol.Values["power"].Words)), string(devices.PowerCooling))
		if c.p.tells("power") && !cools {
			c.add([]string{"values", "power"}, "no word means cooling, so that off is said while the lamp is hot; add lamp: {warming: 30s, cooling: 90s}, with cooling: 0s where that is harmless")
		}
		return
	}
	if err := lamp.Check(l.Warming, l.Cooling); err != nil {
		c.add([]string{"lamp"}, "%v", err)
	}
	c.p.clock = lamp.NewClock(l.Warming, l.Cooling)
}

// leftOver finds arguments that no placeholder uses.
func (c *compiler) leftOver() {
	if len(c.list) > 0 {
		return // what uses them may be at fault
	}
	for _, name := range slices.Sorted(maps.Keys(c.s.Arguments)) {
		if !c.used[name] {
			takes := "no arguments"
			if len(c.used) > 0 {
				takes = strings.Join(slices.Sorted(maps.Keys(c.used)), ", ")
			}
			c.device([]string{name}, "%s: protocol %q has no placeholder {%s} for a %s; it takes %s", name, c.s.Protocol.ID, name, c.s.kind, takes)
		}
	}
}
