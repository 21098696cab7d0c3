package script

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/lamp"
	"lectern/devices/line"
)

// program is a protocol made ready for one device.
type program struct {
	id, bus  string
	kind     kindOf
	args     map[string]string
	codes    map[string][]string
	framer   *framer
	commands map[string]*message
	queries  []*message
	values   map[string]Value
	errors   []refused
	unasked  []matcher
	greet    []*message
	faults   map[string]devices.Phrase
	clock    *lamp.Clock // nil where the projector says it all
}

// message is something to send and what its reply looks like.
type message struct {
	name           string // for the trace: "on", "ask status"
	silent         bool   // nothing is sent, only waited for
	request        template
	reply          *pattern          // nil: nothing answers
	gives          map[string]string // group, by the value that it gives
	timeout, pause time.Duration
	only           line.Kind // a step of a greeting on this kind of line
	optional       bool
	secret         bool
}

// refused is an error reply.
type refused struct {
	matcher
	Refused
}

// compiler makes a program and keeps what is wrong.
type compiler struct {
	*faults
	s    *Settings
	p    *program
	used map[string]bool // arguments
	gone map[string]bool // placeholders that were said to be missing
}

// compile makes the program of a device, or says all that is wrong with its protocol and arguments.
func compile(s *Settings) (*program, []error) {
	kind, known := kinds()[s.kind]
	c := &compiler{
		faults: &faults{protocol: s.Protocol.ID}, s: s, used: make(map[string]bool), gone: make(map[string]bool),
		p: &program{
			id: s.Protocol.ID, bus: s.Protocol.Bus, kind: kind, codes: s.codes, values: s.Protocol.Values,
			args: make(map[string]string), commands: make(map[string]*message), faults: make(map[string]devices.Phrase),
		},
	}
	switch {
	case s.Protocol.ID == "":
		c.device(nil, "no protocol is named; write protocol: NAME, with NAME one of the protocols of the file")
		return nil, c.list
	case !known:
		c.device(nil, "a %q cannot be scripted", s.kind)
		return nil, c.list
	}
	if c.bounds(); len(c.list) > 0 {
		return nil, c.list
	}
	c.simulation()
	c.arguments()
	c.frame()
	c.values()
	c.commands()
	c.queries()
	c.answers()
	c.greeting()
	c.wholes()
	c.leftOver()
	return c.p, c.list
}

// bounds checks that nothing has more than a manual can need.
func (c *compiler) bounds() {
	p := c.s.Protocol
	for key, n := range map[string]int{
		"commands": len(p.Commands), "queries": len(p.Queries), "values": len(p.Values), "errors": len(p.Errors),
		"unasked": len(p.Unasked), "greet": len(p.Greet), "faults": len(p.Faults), "defaults": len(p.Defaults),
	} {
		if n > listMost {
			c.add([]string{key}, "there are %d; %d is the most", n, listMost)
		}
	}
	if len(c.s.Arguments) > listMost {
		c.device(nil, "there are %d arguments; %d is the most", len(c.s.Arguments), listMost)
	}
	c.times(nil, p.Timeout, p.Pause)
}

func (c *compiler) times(where []string, timeout, pause time.Duration) {
	if timeout < 0 || timeout > timeoutMost {
		c.add(append(where, "timeout"), "timeout %s: it is at most %s", timeout, timeoutMost)
	}
	if pause < 0 || pause > pauseMost {
		c.add(append(where, "pause"), "pause %s: it is at most %s", pause, pauseMost)
	}
}

var argumentName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// arguments puts together what the placeholders stand for.
func (c *compiler) arguments() {
	own := slices.Concat(slices.Collect(maps.Keys(sums)), everyValue())
	take := func(from map[string]string, fault func(name, text string)) {
		for _, name := range slices.Sorted(maps.Keys(from)) {
			switch {
			case !argumentName.MatchString(name):
				fault(name, "an argument is called by a-z, 0-9 and _")
			case slices.Contains(own, name):
				fault(name, "this is the name of a value or checksum; call the argument otherwise")
			case len(from[name]) > wordMost:
				fault(name, "it is too long")
			default:
				c.p.args[name] = from[name]
			}
		}
	}
	take(c.s.Protocol.Defaults, func(name, text string) { c.add([]string{"defaults", name}, "%s", text) })
	take(c.s.Arguments, func(name, text string) { c.device([]string{name}, "%s: %s", name, text) })
}

func (c *compiler) frame() {
	var err error
	if c.p.framer, err = newFramer(c.s.Protocol.Frame); err != nil {
		c.add([]string{"frame"}, "%v", err)
	}
}

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

// answers makes the error replies, what is said unasked, and the words for faults.
func (c *compiler) answers() {
	for i, e := range c.s.Protocol.Errors {
		if m, ok := c.heard([]string{"errors", number(i)}, e.Reply, e.ReplyHex); ok {
			c.p.errors = append(c.p.errors, refused{m, e})
		}
	}
	for i, u := range c.s.Protocol.Unasked {
		if m, ok := c.heard([]string{"unasked", number(i)}, u.Reply, u.ReplyHex); ok {
			c.p.unasked = append(c.p.unasked, m)
		}
	}
	for _, f := range c.s.Protocol.Faults {
		c.p.faults[f.Code] = devices.Phrase{ZH: f.ZH, EN: f.EN}
	}
	if c.p.bus != "" && len(c.p.unasked) > 0 {
		c.add([]string{"unasked"}, "on a bus nothing is heard that was not asked; leave it out")
	}
}

func (c *compiler) heard(where []string, reply, inHex string) (matcher, bool) {
	p := c.pattern(where, text{reply: reply, replyHex: inHex}, nil)
	if p == nil {
		if reply == "" && inHex == "" {
			c.add(where, "it has no reply; write reply or reply_hex")
		}
		return matcher{}, false
	}
	m, err := p.bind(c.p.known(nil))
	return m, err == nil // an error was said already
}

func (c *compiler) greeting() {
	for i, g := range c.s.Protocol.Greet {
		where := []string{"greet", number(i)}
		m := c.message(where, text{g.Send, g.Hex, g.Reply, g.ReplyHex}, g.Timeout, 0, nil)
		m.name, m.only, m.optional, m.secret = "greet "+number(i+1), line.Kind(g.Only), g.Optional, g.Secret
		switch {
		case m.silent && m.reply == nil:
			c.add(where, "it says nothing and waits for nothing; write send, hex, reply or reply_hex")
		case g.Only != "" && g.Only != "serial" && g.Only != "tcp":
			c.add(where, "only is serial or tcp")
		}
		c.p.greet = append(c.p.greet, m)
	}
	if c.p.bus != "" && len(c.p.greet) > 0 {
		c.add([]string{"greet"}, "equipment on a bus is not greeted; leave it out")
	}
}

// wholes checks what must be there all or not at all.
func (c *compiler) wholes() {
	for _, group := range c.p.kind.groups {
		has := 0
		for _, value := range group {
			if c.p.tells(value) {
				has++
			}
		}
		if has != 0 && has != len(group) {
			c.add([]string{"queries"}, "a %s tells %s together or none of them", c.s.kind, strings.Join(group, " and "))
		}
	}
	p := c.p
	switch c.p.kind.part {
	case "projector":
		c.lamp()
	case "motor":
		if (p.commands["position"] != nil) != p.tells("position") {
			c.add([]string{"commands"}, "a motor that can be sent to a position tells its position and motion, and the other way round; without, the height is reckoned from the travel")
		}
	case "player":
		sound := 0
		for _, name := range []string{"volume", "mute", "unmute"} {
			if p.commands[name] != nil {
				sound++
			}
		}
		if sound != 0 && sound != 3 {
			c.add([]string{"commands"}, "a volume needs volume, mute and unmute")
		}
		if len(p.commands) == sound {
			c.add([]string{"commands"}, "a %s needs at least one of play, stop, pause and so on", c.s.kind)
		}
	}
}

// lamp makes the clock of a lamp, and demands one where "off" is said while it is hot: a guard lets the
// mains go on that word.
func (c *compiler) lamp() {
	l := c.s.Protocol.Lamp
	if l == nil {
		cools := slices.Contains(slices.Collect(maps.Values(c.s.Protocol.Values["power"].Words)), string(devices.PowerCooling))
		if c.p.tells("power") && !cools {
			c.add([]string{"values", "power"}, "no word means cooling, so that off is said while the lamp is hot; add lamp: {warming: 30s, cooling: 90s}, with cooling: 0s where that is harmless")
		}
		return
	}
	if err := lamp.Check(l.Warming, l.Cooling); err != nil {
		c.add([]string{"lamp"}, "%v", err)
	}
	c.p.clock = lamp.NewClock(l.Warming, l.Cooling)
}

// leftOver finds arguments that no placeholder uses.
func (c *compiler) leftOver() {
	if len(c.list) > 0 {
		return // what uses them may be at fault
	}
	for _, name := range slices.Sorted(maps.Keys(c.s.Arguments)) {
		if !c.used[name] {
			takes := "no arguments"
			if len(c.used) > 0 {
				takes = strings.Join(slices.Sorted(maps.Keys(c.used)), ", ")
			}
			c.device([]string{name}, "%s: protocol %q has no placeholder {%s} for a %s; it takes %s", name, c.s.Protocol.ID, name, c.s.kind, takes)
		}
	}
}
