package configs

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
)

// meetings checks where meetings are known from and what they run.
func (c *checker) meetings() {
	p, m := path("/meetings"), &c.room.Meetings
	if !c.has(p) || c.bad(p) {
		return
	}
	if _, ok := c.room.Panel.PINs["staff"]; !ok && !c.bad("/panel") && !c.bad(path("/panel").key("pins")) {
		c.fault(c.value(p), "meetings are for staff, and panel.pins.staff is missing", "run lectern pin and write what it prints, in quotes")
	}
	if here := p.key("calendar"); c.usable(here) {
		m.Calendar = c.calendar(here, m.Calendar)
	}
	for _, phase := range []struct{ key, scene string }{
		{"preparing", m.Phases.Preparing}, {"session", m.Phases.Session}, {"break", m.Phases.Break}, {"ended", m.Phases.Ended},
	} {
		if here := p.key("phases").key(phase.key); c.usable(here) {
			c.refer(here, phase.scene, c.sceneIDs(), "scene")
		}
	}
	band := *m
	if c.bad(p.key("low")) || c.bad(p.key("high")) {
		return
	}
	if c.fill(reflect.ValueOf(&band), p); band.Low >= band.High {
		at := p.key("low")
		if !c.has(at) {
			at = p.key("high")
		}
		c.fault(c.value(at), fmt.Sprintf("the room should be from %d to %d °C, which is nothing", band.Low, band.High), "low is less than high")
	}
}

// calendar checks an address, which is not shown: that of a private calendar is its key.
func (c *checker) calendar(p path, written string) string {
	address, ok := c.secret(written, p)
	if !ok {
		return written
	}
	if u, err := url.Parse(address); err == nil && u.Scheme != "" {
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			c.fault(c.value(p), c.owned(p)+" is no address that can be fetched", "write https://host/path.ics, or the path of a file; of webcal: the same with https:")
		}
		return address
	}
	if strings.HasPrefix(address, "//") {
		c.fault(c.value(p), c.owned(p)+" is no address that can be fetched", "write https://host/path.ics, or the path of a file")
		return address
	}
	return c.file(p, address, ".ics")
}
