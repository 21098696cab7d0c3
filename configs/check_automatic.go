package configs

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

var (
	timeOfDay = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	weekdays  = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
)

// Fields reads the five fields of a cron line; nothing else that cron knows - zones, @daily - is taken,
// since a room has one clock and one way to say it.
func Fields(line string) (cron.Schedule, error) {
	if strings.ContainsAny(line, "@=") {
		return nil, fmt.Errorf("it has more than the five fields")
	}
	return cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(line) //nolint:wrapcheck // put into a fault
}

// holidays reads the days on which the schedule rests, those in files with them.
func (c *checker) holidays() {
	for i, written := range c.room.Holidays {
		here := path("/holidays").at(i)
		if c.bad(here) {
			continue
		}
		name, filed := strings.CutPrefix(written, "file:")
		if !filed {
			c.rest(written, "", here)
			continue
		}
		if !filepath.IsAbs(name) {
			name = filepath.Join(c.folder, name)
		}
		data, err := read(name, sizeMost)
		if err != nil {
			c.fault(c.value(here), fmt.Sprintf("the holidays in the file %s cannot be read: %v", name, err), "write file: and a path, relative to the room file, of a text with one date or range a line")
			continue
		}
		for n, line := range strings.Split(string(data), "\n") {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.TrimSpace(line); line != "" {
				c.rest(line, fmt.Sprintf(" in line %d of %s", n+1, name), here)
			}
		}
	}
}

// rest adds a day or range of days to those on which the schedule rests.
func (c *checker) rest(text, where string, here path) {
	span, why := days(text)
	if why != "" {
		c.fault(c.value(here), fmt.Sprintf("the holiday %s%s %s", shown(text), where, why), "write a day, 2027-02-05, or two with .. between them")
		return
	}
	c.room.Resting = append(c.room.Resting, span)
}

// days reads a day, or two with .. between them, or says why it cannot.
func days(text string) (Span, string) {
	first, last, ranged := strings.Cut(text, "..")
	if !ranged {
		last = first
	}
	span := Span{strings.TrimSpace(first), strings.TrimSpace(last)}
	for _, day := range []string{span.First, span.Last} {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return Span{}, "is no date"
		}
	}
	if span.Last < span.First {
		return Span{}, "ends before it begins"
	}
	return span, ""
}

// schedule checks what happens at a time of day.
func (c *checker) schedule() {
	ids := c.sceneIDs()
	for i, s := range c.room.Schedule {
		p := path("/schedule").at(i)
		if c.bad(p) {
			continue
		}
		at, line := p.key("at"), p.key("cron")
		switch {
		case c.has(at) && c.has(line):
			c.fault(c.keyAt(line), c.describe(p)+" has at and cron", "it has one of the two")
		case !c.has(at) && !c.has(line):
			c.fault(c.value(p), c.describe(p)+" has no time", `add at: "07:30", with days where it is not every day`)
		}
		for n, raw := range s.At {
			c.clock(fmt.Sprint(raw), at, at.at(n))
		}
		c.days(s, p)
		if c.usable(line) {
			c.cron(s.Cron, line)
		}
		c.some(p.key("set"), len(s.Set))
		if !c.has(p.key("set")) && !c.has(p.key("run")) {
			c.fault(c.value(p), c.describe(p)+" does nothing", "give it set, run or both")
		}
		for name, value := range s.Set {
			c.asks(name, Words{value}, p.key("set").key(name))
		}
		c.refer(p.key("run"), s.Run, ids, "scene")
	}
}

// days checks the days of a scheduled thing.
func (c *checker) days(s Scheduled, p path) {
	list := p.key("days")
	for n, day := range s.Days {
		if !c.bad(list.at(n)) && !slices.Contains(weekdays, day) {
			c.fault(c.value(list.at(n)), fmt.Sprintf("%s in %s is no day of the week", shown(day), c.describe(p)), instead(day, weekdays, "it is"))
		}
	}
	if c.usable(list) && len(s.Days) == 0 {
		c.fault(c.value(list), c.owned(list)+" is empty", "leave it out for every day")
	}
	for n, day := range s.Also {
		here := p.key("also").at(n)
		if _, err := time.Parse(time.DateOnly, day); err != nil && !c.bad(here) {
			c.fault(c.value(here), fmt.Sprintf("%s in %s is no date", shown(day), c.describe(p)), "write it as 2027-02-06")
		}
	}
	for _, key := range []string{"days", "also"} {
		if c.has(p.key("cron")) && c.has(p.key(key)) {
			c.fault(c.keyAt(p.key(key)), fmt.Sprintf("%s has cron and %s", c.describe(p), key), "cron says the days itself")
		}
	}
}

// clock checks a time of day; list is the key that it belongs to.
func (c *checker) clock(text string, list, here path) {
	if !c.bad(here) && !timeOfDay.MatchString(text) {
		c.fault(c.value(here), fmt.Sprintf("%s has %s, which is no time of day", c.owned(list), shown(text)), `write hours and minutes in quotes, such as "07:30"`)
	}
}

func (c *checker) cron(line string, here path) {
	made, err := Fields(line)
	switch {
	case err != nil:
		c.fault(c.value(here), fmt.Sprintf("%s is %s, which cron cannot read: %v", c.owned(here), shown(line), err), `write five fields, such as "0 8-18 * * 1-5": minute, hour, day of month, month, day of week`)
	case made.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero():
		c.fault(c.value(here), fmt.Sprintf("%s is %s, which never comes", c.owned(here), shown(line)), "write a day that a month has")
	}
}

// autoOff checks what ends a meeting that nobody is in.
func (c *checker) autoOff() {
	ids := c.sceneIDs()
	var eyes []string
	for _, d := range c.room.Devices {
		if d.Kind == "sensor" && d.Measures == "presence" {
			eyes = append(eyes, d.ID)
		}
	}
	for i, a := range c.room.AutoOff {
		p := path("/auto_off").at(i)
		if c.bad(p) {
			continue
		}
		presence, absent, untouched := p.key("presence"), p.key("absent"), p.key("untouched")
		switch {
		case c.has(absent) && !c.has(presence):
			c.fault(c.keyAt(absent), c.describe(p)+" has absent and no presence", "name the sensors that see whether somebody is there")
		case c.has(presence) && !c.has(absent):
			c.fault(c.keyAt(presence), c.describe(p)+" has presence and no absent", "say for how long nobody must have been seen, such as absent: 20m")
		case !c.has(absent) && !c.has(untouched):
			c.fault(c.value(p), c.describe(p)+" would end a meeting at once", "give it presence with absent, untouched, or all of them")
		}
		for n, id := range a.Presence {
			here := presence.at(n)
			if !c.bad(here) && !slices.Contains(eyes, id) {
				c.fault(c.value(here), fmt.Sprintf("%s in %s is no sensor that measures presence", shown(id), c.describe(p)), hint(eyes))
			}
		}
		if c.usable(presence) && len(a.Presence) == 0 {
			c.fault(c.value(presence), c.owned(presence)+" is empty", "name a sensor, or leave it out")
		}
		for key, text := range map[string]string{"from": a.From, "to": a.To} {
			if here := p.key(key); c.has(here) {
				c.clock(text, here, here)
			}
		}
		if c.has(p.key("to")) && !c.has(p.key("from")) {
			c.fault(c.keyAt(p.key("to")), c.describe(p)+" has to and no from", "say from when it acts, or leave both out")
		}
		c.refer(p.key("run"), a.Run, ids, "scene")
	}
}

// emergency checks what the fire alarm makes the room do.
func (c *checker) emergency() {
	p, e := path("/emergency"), c.room.Emergency
	if e == nil || c.bad(p) {
		return
	}
	when, set := p.key("when"), p.key("set")
	if c.usable(when) && len(e.When) != 1 {
		c.fault(c.value(when), c.owned(when)+" is not one contact", "write one, such as {fire-alarm.contact: on}")
	}
	for name, values := range e.When {
		here := when.key(name)
		device, property, _ := strings.Cut(name, ".")
		if d := c.devices[device]; d != nil && (d.Kind != "sensor" || property != "contact") {
			c.fault(c.keyAt(here), fmt.Sprintf("%s is no contact", name), "an alarm comes by a sensor that measures contact")
			continue
		}
		c.tells(name, values, here)
		if !c.bad(here) && len(values) > 1 {
			c.fault(c.value(here), name+" would mean an alarm whatever it says", "write the one value that means alarm")
		}
	}
	c.some(set, len(e.Set))
	for name, value := range e.Set {
		here := set.key(name)
		c.asks(name, Words{value}, here)
		device, property, _ := strings.Cut(name, ".")
		properties, _ := c.propertiesOf(device)
		switch {
		case c.bad(here):
		case c.devices[device] == nil && properties != nil:
			c.fault(c.keyAt(here), fmt.Sprintf("%s is a choice of sources", name), "set what the choice sets")
		case slices.Contains(properties[property].Acts, fmt.Sprint(value)):
			c.fault(c.value(here), fmt.Sprintf("%s is done once and cannot be kept", fmt.Sprint(value)), "set something that can be kept while the alarm lasts")
		default:
			c.starved(e, device, here)
		}
	}
}

// starved checks that the emergency does not take the mains from a device of which it wishes something.
func (c *checker) starved(e *Emergency, device string, p path) {
	seen := make(map[string]bool)
	for d := c.devices[device]; d != nil && d.Mains != "" && !seen[d.ID]; d = c.devices[d.Mains] {
		seen[d.ID] = true
		name := d.Mains + ".power"
		if v, set := e.Set[name]; set && slices.Equal(c.states(name, Words{v}, asked), []state{state(name + ": off")}) {
			c.fault(c.keyAt(p), fmt.Sprintf("the emergency switches off %s, which feeds %q", d.Mains, d.ID), "leave the one or the other out")
		}
	}
}
