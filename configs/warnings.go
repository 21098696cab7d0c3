package configs

import (
	"cmp"
	"fmt"
	"net"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

var wandering = regexp.MustCompile(`^/dev/tty(USB|ACM)[0-9]+$`)

// warnings says what will work and could be better: what an experienced installer would say on seeing
// the file. None of it keeps a room from running.
func (c *checker) warnings() {
	c.linePorts()
	c.spareProtocols()
	for i, d := range c.room.Devices {
		c.deviceWarnings(d, path("/devices").at(i))
	}
	if len(c.faults) > 0 {
		return // these are put right first; half of what follows would be said of slips
	}
	c.masters()
	c.busy()
	c.hurried()
	c.factoryUnits()
	c.demoPINs()
	c.ending()
	c.languages()
}

func (c *checker) linePorts() {
	for i, l := range c.room.Lines {
		if wandering.MatchString(l.Port) {
			here := path("/lines").at(i).key("port")
			c.warn(c.value(here), fmt.Sprintf("%s is %s, which may be another adapter after the next start", c.owned(here), l.Port), "use its name in /dev/serial/by-id")
		}
	}
}

// spareProtocols warns of protocols that no device has: nothing in them is checked.
func (c *checker) spareProtocols() {
	for i := range c.room.Protocols {
		if p := path("/protocols").at(i); !c.borrowed(p) {
			c.warn(c.value(p), fmt.Sprintf("no device has %s, so nothing in it was checked", c.describe(p)), "name it in the settings of a device: with: {protocol: NAME}")
		}
	}
}

func (c *checker) deviceWarnings(d Device, p path) {
	switch d.Kind {
	case "projector":
		if d.Mains == "" || c.devices[d.Mains] == nil {
			return
		}
		if !c.guarded(d) {
			c.warn(c.value(p.key("mains")), fmt.Sprintf("nothing keeps %s from losing its mains while its lamp is hot", c.describe(p)),
				fmt.Sprintf("add a guard: set {%s.power: off}, require {%s.power: off}", d.Mains, d.ID))
		}
		if cool := p.key("transition").key("cool"); !c.has(cool) {
			c.warn(c.value(p), fmt.Sprintf("%s has mains of its own and no cool-down time: %s is assumed", c.describe(p), short(d.Transition.Cool)),
				"look it up in its manual and add transition: {cool: ...}")
		} else if d.Transition.Cool == 0 {
			c.warn(c.value(cool), fmt.Sprintf("%s cools down in no time, and has mains of its own", c.describe(p)), "look the time up in its manual, unless it has no lamp")
		}
	case "curtain", "screen":
		if !c.has(p.key("travel")) && d.Relays == nil {
			c.warn(c.value(p), c.describe(p)+" has no travel: its way takes as long as the motor says", "measure how long it takes from one end to the other and add it")
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

// masters looks for two lines that may be one wire: each would talk into what the other asks. That a
// serial line and a gateway end on the same bus cannot be seen from here.
func (c *checker) masters() {
	ports, hosts := make(map[string]int), make(map[string]int)
	for i, l := range c.room.Lines {
		p := path("/lines").at(i)
		if l.Kind == "serial" {
			real, err := filepath.EvalSymlinks(l.Port)
			if err != nil {
				continue // not plugged in here; the file may be checked anywhere
			}
			if other, twice := ports[real]; twice {
				c.warn(c.value(p.key("port")), fmt.Sprintf("lines %q and %q are both %s here: two masters on one wire", c.room.Lines[other].ID, l.ID, real), "put what hangs on both on one line")
				continue
			}
			ports[real] = i
			continue
		}
		host, _, err := net.SplitHostPort(l.Address)
		if err != nil || !slices.ContainsFunc(c.users, func(u user) bool { return u.line == l.ID && u.known.Bus == "rs485" }) {
			continue
		}
		if other, twice := hosts[host]; twice {
			c.warn(c.value(p.key("address")), fmt.Sprintf("lines %q and %q lead to %s: where both end on one RS-485 bus there are two masters on it", c.room.Lines[other].ID, l.ID, host),
				"put what hangs on one bus on one line")
			continue
		}
		hosts[host] = i
	}
}

// busy looks for lines that cannot carry their polls.
func (c *checker) busy() {
	for i, l := range c.room.Lines {
		if load, ok := loadOf(c.room, l, c.catalogue); ok && load.Percent > busyMost {
			c.warn(c.value(path("/lines").at(i)), fmt.Sprintf("%s; with more than %d %% people wait", load, busyMost), "poll less often, raise baud, or put some of it on a line of its own")
		}
	}
}

// hurried looks for time-outs that end before the last character of a reply can be there.
func (c *checker) hurried() {
	for i, l := range c.room.Lines {
		if l.Kind != "serial" || l.Timeout <= 0 {
			continue
		}
		polled := make(map[string][]any)
		for _, u := range c.users {
			if u.line == l.ID && u.ok && u.known.Poll != nil {
				polled[u.driver] = append(polled[u.driver], *u.store)
			}
		}
		longest := 0
		for driver, settings := range polled {
			d, _ := c.catalogue.Driver(driver)
			for _, f := range d.Poll(settings) {
				longest = max(longest, f.Answered)
			}
		}
		// The unit thinks for at least the silence between two frames.
		least := l.character() * time.Duration(2*longest+7) / 2
		if longest > 0 && l.Timeout < least {
			here := path("/lines").at(i).key("timeout")
			c.warn(c.value(here), fmt.Sprintf("%s is %s, and a reply of %d bytes cannot be there before %s at %d baud", c.owned(here), l.Timeout, longest, least.Round(100*time.Microsecond), l.Baud),
				"leave it out, or write at least "+(least+100*time.Millisecond).Round(10*time.Millisecond).String())
		}
	}
}

// factoryUnits looks for units of different drivers that share the number they leave the factory with:
// more likely two boards of which one was never given its own than one board with two drivers.
func (c *checker) factoryUnits() {
	first := make(map[string]*user)
	for i := range c.users {
		u := &c.users[i]
		if !u.ok || u.known.Unit == nil || u.line == "" {
			continue
		}
		unit, factory := u.known.Unit(*u.store)
		key := u.line + " " + unit
		other := first[key]
		switch {
		case !factory:
		case other == nil:
			first[key] = u
		case other.driver != u.driver:
			c.warn(c.value(u.path.key("with")), fmt.Sprintf("%s is %s on line %q, as %s in line %d is with another driver, and boards come from the factory as that: two of them answer at once",
				c.describe(u.path), unit, u.line, c.describe(other.path), c.value(other.path).Line), "give one of them another number, unless they are one board")
		}
	}
}

// languages looks for names that lack a language which the room otherwise has.
func (c *checker) languages() {
	has, lacks := make(map[string]int), make(map[string][]path)
	c.eachName(reflect.ValueOf(c.room).Elem(), "", func(n Name, p path) {
		for language, text := range map[string]string{"zh": n.ZH, "en": n.EN} {
			if strings.TrimSpace(text) != "" {
				has[language]++
			} else {
				lacks[language] = append(lacks[language], p)
			}
		}
	})
	for _, l := range []struct{ id, word, other string }{{"zh", "Chinese", "English"}, {"en", "English", "Chinese"}} {
		missing := lacks[l.id]
		slices.SortStableFunc(missing, func(a, b path) int { return cmp.Compare(c.value(a).Line, c.value(b).Line) })
		if len(missing) > 0 && (has[l.id] > 0 || c.room.Room.Language == l.id) {
			n := fmt.Sprintf("%d names have", len(missing))
			if len(missing) == 1 {
				n = "a name has"
			}
			c.warn(c.value(missing[0]), fmt.Sprintf("%s no %s, the first of them %s: the panel shows the %s", n, l.word, c.owned(missing[0]), l.other), "write {zh: ..., en: ...}")
		}
	}
}

// eachName visits every name that the file has.
func (c *checker) eachName(v reflect.Value, p path, visit func(Name, path)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.eachName(v.Elem(), p, visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.eachName(v.Index(i), p.at(i), visit)
		}
	case reflect.Struct:
		if n, ok := v.Interface().(Name); ok {
			if c.has(p) {
				visit(n, p)
			}
			return
		}
		for _, f := range fields(v.Type()) {
			c.eachName(v.FieldByIndex(f.Index), p.key(f.name), visit)
		}
	}
}
