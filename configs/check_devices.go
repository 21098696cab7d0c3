package configs

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// equipment checks what devices must be beyond what the tags say.
func (c *checker) equipment() {
	for i, d := range c.room.Devices {
		p := path("/devices").at(i)
		if c.bad(p) {
			continue
		}
		// On the broker these stand beside the devices.
		if here := p.key("id"); c.usable(here) && (d.ID == "scenes" || d.ID == "controller" || d.ID == "service" || strings.HasPrefix(d.ID, "line-")) {
			c.fault(c.value(here), fmt.Sprintf("the id %q is taken", d.ID), "scenes, controller, service and line-... are what the room itself has on the broker; take another")
		}
		switch d.Kind {
		case "curtain", "screen":
			c.motor(d, p)
		case "dimmer":
			c.levels(d, p)
		case "projector":
			c.ports(d.Inputs, p.key("inputs"), unlisted)
		case "matrix":
			c.ports(d.Inputs, p.key("inputs"), unlisted, unconnected)
			c.ports(d.Outputs, p.key("outputs"))
		}
		if c.refer(p.key("mains"), d.Mains, c.of("circuit"), "circuit") {
			c.fed(d, p)
		}
		if d.Kind == "player" || d.Kind == "recorder" {
			c.refer(p.key("volume"), d.Volume, c.of("amplifier"), "amplifier")
		}
		if l := d.Limit; l != nil && l.Max != nil && l.Start != nil && *l.Start > *l.Max {
			here := p.key("limit").key("start")
			c.fault(c.value(here), fmt.Sprintf("%s is %d, above its max of %d", c.owned(here), *l.Start, *l.Max), "start no louder than anyone may set")
		}
		if here := p.key("preview").key("url"); c.usable(here) {
			c.picture(d.Preview.URL, here)
		}
	}
}

// motor checks that a curtain or screen is driven in one way.
func (c *checker) motor(d Device, p path) {
	if d.Relays == nil {
		if c.bad(p.key("relays")) {
			return
		}
		for _, key := range []string{"driver", "line"} {
			if !c.has(p.key(key)) {
				c.fault(c.value(p), fmt.Sprintf("%s has no %q", c.describe(p), key), "add driver and line, or the two relays of a motor without its own control")
			}
		}
		return
	}
	for _, key := range []string{"driver", "line", "with"} {
		if c.has(p.key(key)) {
			c.fault(c.keyAt(p.key(key)), fmt.Sprintf("%s has %q beside relays", c.describe(p), key), "a motor has a driver, or two relays that each have theirs")
			c.spoil(p.key(key))
		}
	}
	if !c.has(p.key("travel")) {
		c.fault(c.keyAt(p.key("relays")), fmt.Sprintf("%s has relays and no %q", c.describe(p), "travel"), "add the time that it takes from one end to the other: nothing else tells when to switch the motor off")
	}
}

// levels checks that the levels of a dimmer rise, and that none is called off.
func (c *checker) levels(d Device, p path) {
	list := p.key("levels")
	if c.usable(list) && len(d.Levels) == 0 {
		c.fault(c.value(list), c.owned(list)+" is empty", "a dimmer has at least one level")
	}
	for i, l := range d.Levels {
		here := list.at(i)
		if c.usable(here.key("id")) && (l.ID == "off" || l.ID == unlisted) {
			c.fault(c.value(here.key("id")), fmt.Sprintf("the id %q in %s is taken", l.ID, c.owned(list)), "off is there by itself, and other means a brightness that is no level; take another")
		}
		if i == 0 || !c.usable(here.key("percent")) || !c.usable(list.at(i-1).key("percent")) {
			continue
		}
		if before := d.Levels[i-1].Percent; l.Percent <= before {
			c.fault(c.value(here.key("percent")), fmt.Sprintf("%s is %d%%, not brighter than the %d%% before it", c.describe(here), l.Percent, before), "write the levels from dark to bright")
		}
	}
}

// ports checks inputs or outputs: that there are some, that none has a reserved id, and that the
// equipment can tell them apart.
func (c *checker) ports(ports []Port, list path, reserved ...string) {
	if c.usable(list) && len(ports) == 0 {
		c.fault(c.value(list), c.owned(list)+" is empty", "add at least one, as {id: hdmi1}")
	}
	codes := make(map[string]int)
	for i, port := range ports {
		here := list.at(i)
		if c.usable(here.key("id")) && slices.Contains(reserved, port.ID) {
			c.fault(c.value(here.key("id")), fmt.Sprintf("the id %q in %s is taken", port.ID, c.owned(list)), "it means an input that is not listed, or none; take another")
		}
		code := port.Code
		if code == "" {
			code = port.ID
		}
		if c.bad(here) || c.bad(here.key("code")) || code == "" {
			continue
		}
		if other, twice := codes[code]; twice && port.ID != ports[other].ID {
			c.fault(c.value(here.key("code")), fmt.Sprintf("%s has the same code %s as %s", c.describe(here), shown(code), c.describe(list.at(other))), "each has a code of its own")
			continue
		}
		codes[code] = i
	}
}

// fed checks that no circuit feeds itself, by way of others or at once.
func (c *checker) fed(d Device, p path) {
	seen := []string{d.ID}
	for at := c.devices[d.Mains]; at != nil; at = c.devices[at.Mains] {
		if at.ID == d.ID {
			c.fault(c.value(p.key("mains")), fmt.Sprintf("%s is fed by itself: %s", c.describe(p), strings.Join(append(seen, at.ID), " by ")), "name the circuit before it, or leave mains out")
			return
		}
		if len(seen) > len(c.devices) {
			return // a circle that this device is not part of
		}
		seen = append(seen, at.ID)
	}
}

func (c *checker) picture(s string, p path) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		c.fault(c.value(p), fmt.Sprintf("%s is %s", c.owned(p), shown(s)), "write the address of a stream or picture, such as http://192.168.1.30/stream.mjpg")
	}
}
