package configs

import (
	"fmt"
	"slices"
	"strings"
)

// call is a scene that another one runs.
type call struct {
	scene string
	at    Pos
}

// scenes checks the scenes, and that they do not call each other in a circle.
func (c *checker) scenes() {
	ids := c.sceneIDs()
	calls := make(map[string][]call)
	for i, s := range c.room.Scenes {
		p := path("/scenes").at(i)
		if c.bad(p) {
			continue
		}
		steps, reverse := p.key("steps"), p.key("reverse_of")
		switch {
		case c.has(steps) && c.has(reverse):
			c.fault(c.keyAt(reverse), fmt.Sprintf("%s has steps and reverse_of", c.describe(p)), "it has one of the two")
		case !c.has(steps) && !c.has(reverse):
			c.fault(c.value(p), fmt.Sprintf("%s has no steps", c.describe(p)), "add steps, or reverse_of with the scene that it undoes")
		case c.usable(steps) && len(s.Steps) == 0:
			c.fault(c.value(steps), c.owned(steps)+" is empty", "add a step, such as - set: {door-lights.power: on}")
		}
		made := c.steps(s.Steps, steps, ids)
		if c.refer(reverse, s.ReverseOf, ids, "scene") {
			c.reverse(s, reverse)
			made = append(made, call{s.ReverseOf, c.value(reverse)})
		}
		if s.ID != "" && calls[s.ID] == nil {
			calls[s.ID] = made
		}
	}
	c.circles(calls, ids)
}

func (c *checker) sceneIDs() []string {
	var ids []string
	for _, s := range c.room.Scenes {
		if s.ID != "" {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// reverse checks that what a scene undoes can be undone.
func (c *checker) reverse(s Scene, p path) {
	if s.ReverseOf == s.ID {
		c.fault(c.value(p), fmt.Sprintf("scene %q is the reverse of itself", s.ID), "name the scene that it undoes")
		return
	}
	for _, other := range c.room.Scenes {
		if other.ID == s.ReverseOf && other.ReverseOf != "" {
			c.fault(c.value(p), fmt.Sprintf("scene %q is the reverse of %q, which is a reverse itself", s.ID, other.ID), "name a scene that has steps")
		}
	}
}

// steps checks a list of steps and returns the scenes that they run.
func (c *checker) steps(steps []Step, list path, ids []string) []call {
	var calls []call
	for i, s := range steps {
		p := list.at(i)
		if c.bad(p) {
			continue
		}
		var acts []string
		for _, act := range []string{"set", "wait", "pause", "scene", "together"} {
			if c.has(p.key(act)) {
				acts = append(acts, act)
			}
		}
		switch {
		case len(acts) == 0:
			c.fault(c.value(p), c.describe(p)+" does nothing", "give it one of set, wait, pause, scene and together")
		case len(acts) > 1:
			c.fault(c.keyAt(p.key(acts[1])), fmt.Sprintf("%s has %s", c.describe(p), strings.Join(acts, " and ")), "a step has one of set, wait, pause, scene and together; make it several")
		}
		c.some(p.key("set"), len(s.Set))
		c.some(p.key("wait"), len(s.Wait))
		if here := p.key("together"); c.usable(here) && len(s.Together) == 0 {
			c.fault(c.value(here), c.owned(here)+" is empty", "add the steps that are done side by side")
		}
		for name, value := range s.Set {
			c.asks(name, Words{value}, p.key("set").key(name))
		}
		for name, values := range s.Wait {
			c.tells(name, values, p.key("wait").key(name))
		}
		if c.refer(p.key("scene"), s.Scene, ids, "scene") {
			calls = append(calls, call{s.Scene, c.value(p.key("scene"))})
		}
		calls = append(calls, c.steps(s.Together, p.key("together"), ids)...)
		calls = append(calls, c.steps(s.Undo, p.key("undo"), ids)...)
	}
	return calls
}

// circles looks for scenes that call each other without end, and reports each circle once, where
// the call stands that closes it.
func (c *checker) circles(calls map[string][]call, ids []string) {
	done := make(map[string]bool)
	var way []string
	var follow func(id string)
	follow = func(id string) {
		if done[id] {
			return
		}
		way = append(way, id)
		for _, next := range calls[id] {
			at := slices.Index(way, next.scene)
			switch {
			case at < 0:
				follow(next.scene)
			case len(way)-at > 1 || !c.reversesItself(id): // that has been said in its own words
				circle := append(slices.Clone(way[at:]), next.scene)
				c.fault(next.at, "scenes run each other without end: "+strings.Join(circle, ", "), "take one of them out")
			}
		}
		way = way[:len(way)-1]
		done[id] = true
	}
	for _, id := range ids {
		follow(id)
	}
}

func (c *checker) reversesItself(id string) bool {
	return slices.ContainsFunc(c.room.Scenes, func(s Scene) bool { return s.ID == id && s.ReverseOf == id })
}

// rules checks what follows by itself.
func (c *checker) rules() {
	ids := c.sceneIDs()
	for i, r := range c.room.Rules {
		p := path("/rules").at(i)
		if c.bad(p) {
			continue
		}
		c.some(p.key("when"), len(r.When))
		c.some(p.key("set"), len(r.Set))
		if !c.has(p.key("set")) && !c.has(p.key("run")) {
			c.fault(c.value(p), c.describe(p)+" does nothing", "give it set, run or both")
		}
		for name, values := range r.When {
			c.tells(name, values, p.key("when").key(name))
		}
		for name, value := range r.Set {
			c.asks(name, Words{value}, p.key("set").key(name))
		}
		c.refer(p.key("run"), r.Run, ids, "scene")
	}
}
