package configs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// guards checks the guards for themselves, and that they do not wait for each other.
func (c *checker) guards() {
	for i, g := range c.room.Guards {
		p := path("/guards").at(i)
		if c.bad(p) {
			continue
		}
		c.some(p.key("set"), len(g.Set))
		c.some(p.key("require"), len(g.Require))
		for name, values := range g.Set {
			c.asks(name, values, p.key("set").key(name))
		}
		for name, values := range g.Require {
			c.tells(name, values, p.key("require").key(name))
		}
	}
	c.deadlocks()
}

// state is a property with a value: "rack.power: on".
type state string

// states lists a property with each of its values in the one form that is compared.
func (c *checker) states(name string, values Words, u use) []state {
	device, property, _ := strings.Cut(name, ".")
	properties, _ := c.propertiesOf(device)
	info, ok := properties[property]
	if !ok {
		return nil
	}
	var list []state
	for _, raw := range values {
		if v, ok := info.read(raw, u); ok {
			list = append(list, state(name+": "+v))
		}
	}
	return list
}

// need is one line of what a guard requires: any of the states will do.
type need struct {
	guard int
	any   []state
}

// deadlocks looks for guards that wait for each other.
//
// A state that no guard guards can be had. A guarded state can be had where, for every guard on it
// and everything that the guard requires, at least one of the states that will do can be had. What
// is left when nothing more can be had is stuck: there must be a circle in it, since each of its
// states waits for another. Whether the room happens to be in one of these states when it starts
// makes no difference to the fault: once out of it, it is not got into again.
//
// Two guards that exclude each other - a only while b is off, b only while a is off - are no
// circle, as off can always be had.
func (c *checker) deadlocks() {
	needs := make(map[state][]need)
	for i, g := range c.room.Guards {
		for _, name := range slices.Sorted(maps.Keys(g.Set)) {
			for _, s := range c.states(name, g.Set[name], asked) {
				for _, required := range slices.Sorted(maps.Keys(g.Require)) {
					if any := c.states(required, g.Require[required], reported); any != nil {
						needs[s] = append(needs[s], need{i, any})
					}
				}
			}
		}
	}
	stuck := make(map[state]bool)
	for s := range needs {
		stuck[s] = true
	}
	waits := func(n need) bool {
		return !slices.ContainsFunc(n.any, func(s state) bool { return !stuck[s] })
	}
	for changed := true; changed; {
		changed = false
		for s := range stuck {
			if !slices.ContainsFunc(needs[s], waits) {
				delete(stuck, s)
				changed = true
			}
		}
	}
	told := make(map[state]bool)
	for _, s := range slices.Sorted(maps.Keys(stuck)) {
		var way []state
		var by []int
		for !told[s] && !slices.Contains(way, s) {
			n := needs[s][slices.IndexFunc(needs[s], waits)]
			way, by = append(way, s), append(by, n.guard)
			s = n.any[0]
		}
		if at := slices.Index(way, s); at >= 0 {
			c.deadlock(way[at:], by[at:])
		}
		for _, passed := range way {
			told[passed] = true
		}
	}
}

// deadlock reports one circle, beginning with the guard that stands first in the file.
func (c *checker) deadlock(circle []state, by []int) {
	first := slices.Index(by, slices.Min(by))
	circle = slices.Concat(circle[first:], circle[:first])
	who := slices.Compact(slices.Sorted(slices.Values(by)))
	ids := make([]string, len(who))
	for i, g := range who {
		ids[i] = fmt.Sprintf("%q", c.room.Guards[g].ID)
	}
	what := fmt.Sprintf("guard %s waits for itself: ", ids[0])
	if len(ids) > 1 {
		what = fmt.Sprintf("guards %s and %s wait for each other: ", strings.Join(ids[:len(ids)-1], ", "), ids[len(ids)-1])
	}
	what += string(circle[0]) + " needs "
	for _, s := range circle[1:] {
		what += string(s) + ", which needs "
	}
	what += string(circle[0])
	c.fault(c.value(path("/guards").at(slices.Min(by))), what, "none of them can ever be set; let one go without the other")
}
