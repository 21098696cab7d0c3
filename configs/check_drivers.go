package configs

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// user is something that hangs on a line: a device, or a relay of a motor.
type user struct {
	path   path
	kind   string
	driver string
	line   string
	with   *map[string]any
	store  *any                // where the decoded settings go
	codes  map[string][]string // what its inputs and outputs are called in the protocol

	known  Driver
	claims []string
	ok     bool // the driver is known and its settings are good
}

// drivers checks every driver for itself and then all that hang on one line together.
func (c *checker) drivers() {
	for i := range c.room.Devices {
		d, p := &c.room.Devices[i], path("/devices").at(i)
		if d.Driver != "" || c.has(p.key("line")) {
			c.users = append(c.users, user{path: p, kind: d.Kind, driver: d.Driver, line: d.Line, with: &d.With, store: &d.Settings,
				codes: map[string][]string{"input": portCodes(d.Inputs), "output": portCodes(d.Outputs)}})
		}
		if r := d.Relays; r != nil {
			for _, way := range []struct {
				key   string
				relay *Relay
			}{{"up", &r.Up}, {"down", &r.Down}} {
				c.users = append(c.users, user{
					path: p.key("relays").key(way.key), kind: "circuit", driver: way.relay.Driver, line: way.relay.Line,
					with: &way.relay.With, store: &way.relay.Settings,
				})
			}
		}
	}
	ids := make([]string, len(c.room.Lines))
	for i, l := range c.room.Lines {
		ids[i] = l.ID
	}
	for i := range c.users {
		u := &c.users[i]
		onLine := c.refer(u.path.key("line"), u.line, ids, "line")
		if !c.driver(u) {
			continue
		}
		if onLine {
			c.speaks(u, c.room.Lines[slices.Index(ids, u.line)].Kind)
		} else {
			u.line = ""
		}
		c.settings(u)
	}
	for _, l := range c.room.Lines {
		c.sharing(l.ID)
	}
}

// driver looks the driver up and checks that it can make what is asked of it.
func (c *checker) driver(u *user) bool {
	here := u.path.key("driver")
	if !c.usable(here) {
		return false
	}
	known, ok := c.catalogue.Driver(u.driver)
	if !ok {
		c.fault(c.value(here), fmt.Sprintf("unknown driver %s in %s", shown(u.driver), c.describe(u.path)), instead(u.driver, c.catalogue.Names(), "there is"))
		return false
	}
	u.known = known
	if c.isKind(u.kind) && !slices.Contains(known.Kinds, u.kind) {
		c.fault(c.value(here), fmt.Sprintf("driver %s in %s cannot make %s but only %s", u.driver, c.describe(u.path), a(u.kind), either(known.Kinds)), c.makers(u.kind))
		return false
	}
	return true
}

// isKind reports whether there is such a kind of device.
func (c *checker) isKind(kind string) bool {
	f, _ := reflect.TypeFor[Device]().FieldByName("Kind")
	return slices.Contains(strings.Split(f.Tag.Get("enum"), ","), kind)
}

// makers says which drivers can make a kind of device.
func (c *checker) makers(kind string) string {
	var can []string
	for _, name := range c.catalogue.Names() {
		if d, ok := c.catalogue.Driver(name); ok && slices.Contains(d.Kinds, kind) {
			can = append(can, name)
		}
	}
	switch len(can) {
	case 0:
		return "no driver can"
	case 1:
		return can[0] + " can"
	}
	return either(can) + " can"
}

// speaks checks that the driver speaks on such a line.
func (c *checker) speaks(u *user, kind string) {
	lines, _ := reflect.TypeFor[Line]().FieldByName("Kind")
	if !slices.Contains(strings.Split(lines.Tag.Get("enum"), ","), kind) || slices.Contains(u.known.Lines, kind) {
		return
	}
	c.fault(c.value(u.path.key("line")), fmt.Sprintf("driver %s in %s does not speak on line %q, which is %s", u.driver, c.describe(u.path), u.line, kind),
		"it speaks on "+either(u.known.Lines))
	u.line = "" // nothing more to say of it there
}

// settings decodes and checks the driver's settings.
func (c *checker) settings(u *user) {
	here := u.path.key("with")
	node := c.spots[here].value
	if c.bad(here) || u.known.Settings == nil {
		if node != nil && u.known.Settings == nil {
			c.fault(c.keyAt(here), fmt.Sprintf("driver %s in %s takes no settings", u.driver, c.describe(u.path)), "leave with out")
		}
		return
	}
	made := u.known.Settings()
	if _, ok := made.(interface{ Bus() string }); ok {
		defer func() {
			if !u.ok {
				u.line = "" // nobody knows with whom it can share it
			}
		}()
	}
	before := len(c.faults)
	if node != nil {
		node = c.open(node, here)
		if opened, ok := c.anything(node, here).(map[string]any); ok {
			*u.with = opened // simulated equipment reads it, and must know the same password
		}
		c.decode(node, reflect.ValueOf(made).Elem(), here)
	}
	if len(c.faults) > before {
		return
	}
	if v, ok := made.(interface {
		For(string, map[string][]string)
	}); ok {
		v.For(u.kind, u.codes)
	}
	if v, ok := made.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			c.unsettled(u, err)
			return
		}
	}
	*u.store, u.ok = made, true
	if v, ok := made.(interface{ Bus() string }); ok {
		u.known.Bus = v.Bus()
	}
	if u.known.Claims != nil {
		u.claims = u.known.Claims(made)
	}
}

// portCodes lists the protocol's words for inputs or outputs.
func portCodes(ports []Port) []string {
	var list []string
	for _, p := range ports {
		list = append(list, cmp.Or(p.Code, p.ID))
	}
	return list
}

// unsettled keeps what a driver finds wrong with its settings. An error, or each of several that are
// joined, may say where: the keys that lead to it. What is wrong with a thing that devices borrow is
// said once, whoever has borrowed it.
func (c *checker) unsettled(u *user, err error) {
	list := []error{err}
	if several, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // joined errors are not wrapped
		list = several.Unwrap()
	}
	for _, err := range list {
		at := u.path.key("with")
		var placed interface{ Where() []string }
		if errors.As(err, &placed) {
			at = c.follow(at, placed.Where())
		}
		text := err.Error()
		if strings.HasPrefix(string(at), string(u.path)) {
			text = fmt.Sprintf("%s: driver %s: %v", c.describe(u.path), u.driver, err)
		}
		c.fault(c.value(at), text, "")
	}
}

// follow goes the way that keys lead, through what is borrowed, as far as the file has it.
func (c *checker) follow(p path, keys []string) path {
	for _, key := range keys {
		next := p.key(key)
		if to, ok := c.lender[next]; ok {
			next = to
		}
		if !c.has(next) {
			break
		}
		p = next
	}
	return p
}

// sharing checks that what hangs on one line can hang there together: that the drivers go together
// and that no two want the same unit, register, channel or motor.
func (c *checker) sharing(line string) {
	var first *user
	claimed := make(map[string]*user)
	for i := range c.users {
		u := &c.users[i]
		if u.line != line || u.line == "" || u.known.Name == "" {
			continue
		}
		if first == nil {
			first = u
		} else if why := together(first, u); why != "" {
			c.fault(c.value(u.path.key("line")), fmt.Sprintf("%s cannot share line %q with %s in line %d: %s",
				c.describe(u.path), line, c.describe(first.path), c.value(first.path).Line, why), "give it a line of its own")
			continue
		}
		for _, claim := range u.claims {
			other := claimed[claim]
			if other == nil {
				claimed[claim] = u
				continue
			}
			c.fault(c.value(u.path.key("with")), fmt.Sprintf("%s wants %s on line %q, which %s in line %d has",
				c.describe(u.path), claim, line, c.describe(other.path), c.value(other.path).Line), "two cannot have the same")
			break // what else they both want says no more
		}
	}
}

// together says why two drivers cannot share a line; "" where they can. A driver without a bus has
// the line for itself, unless it says which part of it each device has.
func together(one, other *user) string {
	switch {
	case one.driver == other.driver && one.known.Bus != other.known.Bus:
		return "they have different protocols"
	case one.known.Bus != other.known.Bus || one.known.Bus == "" && one.driver != other.driver:
		return fmt.Sprintf("drivers %s and %s do not go together", one.driver, other.driver)
	case one.known.Bus == "" && one.ok && other.ok && (len(one.claims) == 0 || len(other.claims) == 0):
		return fmt.Sprintf("%s speaks with one device only", one.driver)
	}
	return ""
}
