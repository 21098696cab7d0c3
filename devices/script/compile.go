package script

import (
	"maps"
	"regexp"
	"slices"
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
