package configs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// property looks up the "device.property" that is the key at p. Ok is false where there is none, or
// where what is wrong with the device has been said; a fault tells.
func (c *checker) property(name string, p path) (info PropertyInfo, ok bool) {
	device, property, dotted := strings.Cut(name, ".")
	if !dotted || device == "" || property == "" {
		c.fault(c.keyAt(p), fmt.Sprintf("%s is no device.property", shown(name)), "write the device's id, a dot and the property, such as door-lights.power")
		return info, false
	}
	properties, known := c.propertiesOf(device)
	if !known {
		c.fault(c.keyAt(p), fmt.Sprintf("there is no device %s", shown(device)), instead(device, c.everyDevice, "there is"))
		return info, false
	}
	if properties == nil {
		if d := c.devices[device]; d != nil && d.Kind == "camera" {
			c.fault(c.keyAt(p), fmt.Sprintf("camera %q has no properties", device), "it is a picture only")
		}
		return info, false // of an unknown kind, or a sensor of nothing: said already
	}
	info, ok = properties[property]
	if !ok {
		c.fault(c.keyAt(p), fmt.Sprintf("device %q has no property %s", device, shown(property)),
			instead(property, slices.Sorted(maps.Keys(properties)), "it has"))
	}
	return info, ok
}

// propertiesOf lists the properties of a device, or of where sources are chosen.
func (c *checker) propertiesOf(device string) (properties map[string]PropertyInfo, known bool) {
	if d := c.devices[device]; d != nil {
		return PropertiesOf(*d), true
	}
	properties = SelectionOf(c.room.Sources, device)
	return properties, properties != nil
}

// listDevices lists the ids of everything that has properties.
func (c *checker) listDevices() []string {
	var ids []string
	for _, d := range c.room.Devices {
		if d.ID != "" {
			ids = append(ids, d.ID)
		}
	}
	choosers := make(map[string]bool)
	for _, s := range c.room.Sources {
		choosers[cmp.Or(s.On, "sources")] = true
	}
	return append(ids, slices.Sorted(maps.Keys(choosers))...)
}

// asks checks a property with the values that it may be asked to take.
func (c *checker) asks(name string, raws Words, p path) {
	if c.bad(p) {
		return
	}
	info, ok := c.property(name, p)
	if !ok {
		return
	}
	if !info.Settable {
		c.fault(c.keyAt(p), fmt.Sprintf("%s can be read but not set", name), "")
		return
	}
	for i, raw := range raws {
		c.right(name, info, raw, asked, p.at(i))
	}
}

// tells checks a property with the values that it may report.
func (c *checker) tells(name string, raws Words, p path) {
	if c.bad(p) {
		return
	}
	info, ok := c.property(name, p)
	if !ok {
		return
	}
	for i, raw := range raws {
		c.right(name, info, raw, reported, p.at(i))
	}
}

// right checks one value of a property.
func (c *checker) right(name string, info PropertyInfo, raw any, u use, p path) {
	switch raw.(type) {
	case nil, []any, map[string]any:
		c.fault(c.value(p), fmt.Sprintf("%s cannot be a list, a mapping or nothing", name), "it takes "+info.takes(u))
		return
	}
	if _, ok := info.read(raw, u); ok {
		return
	}
	word := fmt.Sprint(raw)
	what := fmt.Sprintf("%s cannot be %s", name, shown(word))
	switch {
	case u == asked && slices.Contains(info.States, word):
		what = fmt.Sprintf("%s can be %s but not be set to it", name, shown(word))
	case u == reported && slices.Contains(info.Acts, word):
		what = fmt.Sprintf("%s can be set to %s but never is it", name, shown(word))
	}
	if info.Kind == propertyEnum && info.words(u) != nil {
		c.fault(c.value(p), what, instead(word, info.words(u), "it takes"))
		return
	}
	c.fault(c.value(p), what, "it takes "+info.takes(u))
}

// some checks that a mapping of properties that is there has something in it.
func (c *checker) some(p path, n int) {
	if c.usable(p) && n == 0 {
		c.fault(c.value(p), c.owned(p)+" is empty", "write at least one device.property: value")
	}
}

// sources checks what can be shown.
func (c *checker) sources() {
	for i, s := range c.room.Sources {
		p := path("/sources").at(i)
		if c.bad(p) {
			continue
		}
		if on := p.key("on"); c.usable(on) && !idPattern.MatchString(s.On) {
			c.fault(c.value(on), fmt.Sprintf("%s is no id", shown(s.On)), "an id is 1 to 32 of a-z, 0-9 and -")
		}
		c.some(p.key("set"), len(s.Set))
		for name, value := range s.Set {
			c.asks(name, Words{value}, p.key("set").key(name))
			if device, _, _ := strings.Cut(name, "."); c.devices[device] == nil && SelectionOf(c.room.Sources, device) != nil {
				c.fault(c.keyAt(p.key("set").key(name)), fmt.Sprintf("%s sets %s, which is a choice of sources itself", c.describe(p), name), "set what the choice sets")
			}
		}
		c.refer(p.key("volume"), s.Volume, c.of("amplifier"), "amplifier")
		c.refer(p.key("player"), s.Player, c.of("player", "recorder"), "player or recorder")
	}
	for i, d := range c.room.Devices {
		if d.ID != "" && SelectionOf(c.room.Sources, d.ID) != nil {
			c.fault(c.value(path("/devices").at(i).key("id")), fmt.Sprintf("device %q has the id under which sources are chosen", d.ID), "give it another, or give the sources another with on")
		}
	}
}
