package script

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// commands makes the commands that the kind of device has.
func (c *compiler) commands() {
	for _, name := range slices.Sorted(maps.Keys(c.s.Protocol.Commands)) {
		where := []string{"commands", name}
		if !slices.Contains(everyCommand(), name) {
			c.add(where, "there is no such command; a %s has %s", c.s.kind, strings.Join(c.p.kind.commands(), ", "))
			continue
		}
		if !slices.Contains(c.p.kind.commands(), name) {
			continue // for another kind of device, with which it is checked
		}
		m := c.s.Protocol.Commands[name]
		made := c.message(where, text{m.Send, m.Hex, m.Reply, m.ReplyHex}, m.Timeout, m.Pause, c.p.kind.sets[name])
		made.name = name
		c.p.commands[name] = made
	}
	for _, name := range c.p.kind.needs {
		if _, ok := c.s.Protocol.Commands[name]; !ok {
			c.add([]string{"commands"}, "a %s needs the command %q", c.s.kind, name)
		}
	}
}

// text is what a message has in the file.
type text struct{ send, hex, reply, replyHex string }

// message makes a message. The values are the placeholders in it that are no arguments.
func (c *compiler) message(where []string, t text, timeout, pause time.Duration, values []string) *message {
	m := &message{timeout: timeout, pause: pause}
	c.times(where, timeout, pause)
	if m.timeout == 0 {
		m.timeout = c.s.Protocol.Timeout
	}
	if m.timeout == 0 {
		m.timeout = usualTime
	}
	if m.pause == 0 {
		m.pause = c.s.Protocol.Pause
	}
	var err error
	switch {
	case t.send != "" && t.hex != "":
		c.add(where, "it has send and hex; it takes one of them")
		return m
	case t.hex != "":
		m.request, err = parseHex(t.hex, false)
		where = append(slices.Clone(where), "hex")
	case t.send != "":
		m.request, err = parseText(t.send)
		where = append(slices.Clone(where), "send")
	default:
		m.silent = true
	}
	if err != nil {
		c.add(where, "%v", err)
		return m
	}
	if !m.silent && c.present(where, m.request.names(), values) {
		c.tried(where, values, func(of lookup) error { _, err := m.request.render(of); return err })
	}
	if !m.silent {
		where = where[:len(where)-1]
	}
	m.reply = c.pattern(where, t, values)
	return m
}

// pattern makes the pattern of a reply and tries it.
func (c *compiler) pattern(where []string, t text, values []string) *pattern {
	key := "reply"
	if t.replyHex != "" {
		key = "reply_hex"
	}
	where = append(slices.Clone(where), key)
	p, err := parsePattern(t.reply, t.replyHex)
	switch {
	case err != nil:
		c.add(where, "%v", err)
		return nil
	case p == nil:
		return nil
	case c.p.bus == "" && c.p.framer == nil:
		c.add(where, "the protocol has no frame: nothing tells where a reply ends")
	case !p.isHex && c.p.framer == nil:
		c.add(where, "text on a bus needs a frame, which tells where a reply ends; or write reply_hex")
	}
	names := p.names()
	if p.isHex { // what stands for nothing is captured
		names = slices.DeleteFunc(names, func(n string) bool {
			_, argument := c.p.args[n]
			return !argument && !slices.Contains(values, n)
		})
	}
	if c.present(where, names, values) {
		c.tried(where, values, func(of lookup) error { _, err := p.bind(of); return err })
	}
	return p
}

// present checks that all placeholders stand for something.
func (c *compiler) present(where []string, names, values []string) bool {
	good := true
	for _, name := range names {
		if slices.Contains(values, name) {
			continue
		}
		c.used[name] = true
		if _, ok := c.p.args[name]; ok {
			continue
		}
		good = false
		if !c.gone[name] {
			c.gone[name] = true
			also := ""
			if len(values) > 0 {
				also = "no value that it sets (" + strings.Join(values, ", ") + ") and "
			}
			c.device(nil, "%s %q of protocol %q has {%s}, which is %sno argument: give it here, or under defaults", singular(where[0]), where[1], c.s.Protocol.ID, name, also)
		}
	}
	return good
}

// tried does something with samples of the values: both ends of a number, every code of the room.
func (c *compiler) tried(where []string, values []string, do func(lookup) error) {
	samples := []map[string]string{{}}
	for _, value := range values {
		var more []map[string]string
		for _, s := range samples {
			for _, v := range c.samples(value) {
				one := maps.Clone(s)
				one[value] = v
				more = append(more, one)
			}
		}
		if samples = more; len(samples) > listMost {
			samples = samples[:listMost]
		}
	}
	for _, s := range samples {
		err := do(func(name string) (string, bool) {
			if v, ok := s[name]; ok {
				return v, true
			}
			v, ok := c.p.args[name]
			return v, ok
		})
		if err != nil {
			c.add(where, "%v", err)
			return
		}
	}
}

func (c *compiler) samples(value string) []string {
	if slices.Contains(percents, value) {
		return []string{c.p.toWire(value, 0), c.p.toWire(value, 100)}
	}
	var wires []string
	for _, code := range c.s.codes[value] {
		wire, err := c.p.codeOf(value, code)
		if err != nil {
			c.add([]string{"values", value}, "%v", err)
			continue
		}
		wires = append(wires, wire)
	}
	if len(wires) == 0 {
		wires = []string{"10"}
	}
	return wires
}

// queries makes the queries that give something to the kind of device.
func (c *compiler) queries() {
	giver := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(c.s.Protocol.Queries)) {
		where := []string{"queries", name}
		q := c.s.Protocol.Queries[name]
		gives, others := c.gives(where, q)
		if len(gives) == 0 && others {
			continue // for another kind of device
		}
		made := c.message(where, text{q.Send, q.Hex, q.Reply, q.ReplyHex}, q.Timeout, q.Pause, c.p.kind.asks)
		made.name, made.gives = "ask "+name, gives
		switch {
		case made.silent:
			c.add(where, "it asks nothing; write send or hex")
		case q.Reply == "" && q.ReplyHex == "":
			c.add(where, "it has no reply; write reply or reply_hex")
		case len(gives) == 0 && made.reply != nil:
			c.add(where, "its reply gives no value; a %s has %s", c.s.kind, strings.Join(c.p.kind.values, ", "))
		}
		for value := range gives {
			if giver[value] != "" {
				c.add(where, "it gives %s, and so does %q; one of them", value, giver[value])
			}
			giver[value] = name
			c.meaning(value)
		}
		c.p.queries = append(c.p.queries, made)
	}
	if c.s.kind == "sensor" && len(giver) == 0 {
		c.add([]string{"queries"}, "a sensor needs a query that gives value")
	}
}

// gives finds which values the kind of device gets from a query, and whether others do.
func (c *compiler) gives(where []string, q Query) (gives map[string]string, others bool) {
	gives = make(map[string]string)
	p, err := parsePattern(q.Reply, q.ReplyHex)
	if err != nil || p == nil {
		return gives, false // said where the message is made
	}
	m, err := p.bind(func(name string) (string, bool) {
		switch v, ok := c.p.args[name]; {
		case ok:
			return v, true
		case slices.Contains(c.p.kind.asks, name):
			return c.samples(name)[0], true
		}
		return "1", !p.isHex // whether it stands for anything is said where the message is made
	})
	if err != nil {
		return gives, false
	}
	groups := p.captures(m)
	add := func(value, group string) {
		if slices.Contains(c.p.kind.values, value) {
			gives[value] = group
		} else {
			others = others || slices.Contains(everyValue(), value)
		}
	}
	for _, group := range groups {
		add(group, group)
	}
	for _, value := range slices.Sorted(maps.Keys(q.Take)) {
		here := append(slices.Clone(where), "take", value)
		t, err := parseText(q.Take[value])
		if err == nil && !c.present(where, t.names(), nil) {
			continue
		}
		group := []byte(nil)
		if err == nil {
			group, err = t.render(func(name string) (string, bool) { v, ok := c.p.args[name]; return v, ok })
		}
		switch {
		case err != nil:
			c.add(here, "take: %v", err)
		case !slices.Contains(everyValue(), value):
			c.add(here, "take: there is no value %q; a %s has %s", value, c.s.kind, strings.Join(c.p.kind.values, ", "))
		case !slices.Contains(groups, string(group)):
			c.add(here, "take: the reply has no group %q; it has %s", group, strings.Join(groups, ", "))
		default:
			add(value, string(group))
		}
	}
	return gives, others
}
