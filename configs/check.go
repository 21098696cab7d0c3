package configs

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a small machine may have no list of timezones, and a good file must not be at fault for it
)

// checker holds a decoded room file against everything that it must be beyond its form. Every check
// runs, whatever the others have found; what is already known to be wrong is not said twice.
type checker struct {
	*document
	room      *Room
	catalogue Catalogue

	devices map[string]*Device // by id, the first of each
	users   []user             // everything that hangs on a line

	everyDevice []string
}

func (c *checker) check() {
	c.tags(reflect.ValueOf(c.room).Elem(), "")
	c.names(reflect.ValueOf(c.room).Elem(), "")
	c.about()
	c.ids()
	c.lines()
	c.equipment()
	c.drivers()
	c.sources()
	c.guards()
	c.scenes()
	c.rules()
	c.holidays()
	c.schedule()
	c.autoOff()
	c.emergency()
	c.panel()
	c.meetings()
	c.staff()
	c.facilities()
}

// about checks what the room says of itself.
func (c *checker) about() {
	p := path("").key("room")
	c.id(c.room.Room.ID, p)
	c.timezone(p.key("timezone"), c.room.Room.Timezone)
}

func (c *checker) timezone(p path, zone string) {
	if !c.usable(p) {
		return
	}
	if _, err := time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		c.fault(c.value(p), fmt.Sprintf("there is no timezone %s", shown(zone)), "write an IANA name, such as Asia/Shanghai or Europe/Berlin")
	}
}

var idPattern = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// id checks the id of the thing at p.
func (c *checker) id(id string, p path) {
	if here := p.key("id"); c.has(here) && !c.bad(here) && !idPattern.MatchString(id) {
		c.fault(c.value(here), fmt.Sprintf("%s is no id", shown(id)), "an id is 1 to 32 of a-z, 0-9 and -")
	}
}

// ids checks all ids: their form, and that no two things of a sort have the same.
func (c *checker) ids() {
	c.devices = make(map[string]*Device)
	for i := range c.room.Devices {
		if d := &c.room.Devices[i]; c.devices[d.ID] == nil {
			c.devices[d.ID] = d
		}
	}
	c.everyDevice = c.listDevices()
	unique(c, "/lines", c.room.Lines, func(l Line) string { return l.ID })
	unique(c, "/protocols", c.room.Protocols, func(p Protocol) string { return p.ID })
	unique(c, "/devices", c.room.Devices, func(d Device) string { return d.ID })
	unique(c, "/sources", c.room.Sources, func(s Source) string { return s.ID })
	unique(c, "/guards", c.room.Guards, func(g Guard) string { return g.ID })
	unique(c, "/scenes", c.room.Scenes, func(s Scene) string { return s.ID })
	unique(c, "/schedule", c.room.Schedule, func(s Scheduled) string { return s.ID })
	unique(c, "/auto_off", c.room.AutoOff, func(a AutoOff) string { return a.ID })
	unique(c, "/rules", c.room.Rules, func(r Rule) string { return r.ID })
	for i, d := range c.room.Devices {
		p := path("/devices").at(i)
		unique(c, p.key("levels"), d.Levels, func(l Level) string { return l.ID })
		unique(c, p.key("inputs"), d.Inputs, func(in Port) string { return in.ID })
		unique(c, p.key("outputs"), d.Outputs, func(out Port) string { return out.ID })
	}
}

// unique checks the ids of the things in one list.
func unique[T any](c *checker, list path, things []T, id func(T) string) {
	first := make(map[string]path)
	for i, thing := range things {
		p := list.at(i)
		c.id(id(thing), p)
		here := p.key("id")
		if !c.has(here) || c.bad(here) {
			continue
		}
		if other, twice := first[id(thing)]; twice {
			_, noun := list.up()
			c.fault(c.value(here), fmt.Sprintf("the id %s stands twice in %s, first in line %d", shown(id(thing)), noun, c.value(other).Line), "give one of them another")
			continue
		}
		first[id(thing)] = here
	}
}

// names checks that every name that is given has words in it.
func (c *checker) names(v reflect.Value, p path) {
	c.eachName(v, p, func(n Name, p path) {
		spoiled := c.bad(p) || c.bad(p.key("zh")) || c.bad(p.key("en"))
		if !spoiled && strings.TrimSpace(n.ZH+n.EN) == "" {
			c.fault(c.value(p), c.owned(p)+" has no words", "write {zh: 射灯, en: Spotlight}, or one of the two")
		}
	})
}

// usable reports whether the file has a value at p that no fault has been found in.
func (c *checker) usable(p path) bool { return c.has(p) && !c.bad(p) }

// refer checks that the value at p is one of the ids of what it should name; noun says what.
func (c *checker) refer(p path, id string, ids []string, noun string) bool {
	if !c.usable(p) {
		return false
	}
	if slices.Contains(ids, id) {
		return true
	}
	if d := c.devices[id]; d != nil && noun != "line" && noun != "scene" {
		c.fault(c.value(p), fmt.Sprintf("%s names %q, which is %s and no %s", c.owned(p), id, a(d.Kind), noun), hint(ids))
	} else if len(ids) == 0 {
		c.fault(c.value(p), fmt.Sprintf("%s names the %s %s, which is not there", c.owned(p), noun, shown(id)), hint(ids))
	} else {
		c.fault(c.value(p), fmt.Sprintf("%s names the %s %s, which is not there", c.owned(p), noun, shown(id)), instead(id, ids, "there is"))
	}
	return false
}

// hint lists what could be named.
func hint(ids []string) string {
	if len(ids) == 0 {
		return "the room has none"
	}
	return "there is " + either(ids)
}

// of lists the ids of the devices of some kinds.
func (c *checker) of(kinds ...string) []string {
	var ids []string
	for _, d := range c.room.Devices {
		if slices.Contains(kinds, d.Kind) {
			ids = append(ids, d.ID)
		}
	}
	return ids
}
