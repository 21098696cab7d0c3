package hyperdeck

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reply is one of the deck's answers of one line.
type reply string

const (
	ok                   reply = "200 ok"
	syntaxError          reply = "100 syntax error"
	unsupportedParameter reply = "101 unsupported parameter"
	invalidValue         reply = "102 invalid value"
	unsupported          reply = "103 unsupported"
	diskFull             reply = "104 disk full"
	noDisk               reply = "105 no disk"
	timelineEmpty        reply = "107 timeline empty"
	internalError        reply = "108 internal error"
	outOfRange           reply = "109 out of range"
	noInput              reply = "110 no input"
	remoteDisabled       reply = "111 remote control disabled"
	invalidState         reply = "150 invalid state"
)

// takes lists the commands and their parameters.
var takes = map[string][]string{
	"help": nil, "?": nil, "commands": nil, "ping": nil, "quit": nil, "device info": nil, "transport info": nil, "disk list": {"slot id"},
	"remote": {"enable", "override"}, "watchdog": {"period"},
	"notify": {"transport", "slot", "remote", "configuration", "dropped frames", "display timecode", "timeline position"},
	"play":   {"speed", "loop", "single clip"}, "stop": nil, "record": {"name"}, "preview": {"enable"},
	"goto": {"clip id", "clip", "timeline", "timecode"}, "jog": {"timecode"}, "shuttle": {"speed"},
	"slot select": {"slot id", "video format"}, "slot info": {"slot id"},
	"clips get": {"version"}, "clips count": nil, "configuration": {"video input", "file format"},
}

// moves are the commands that remote control must be enabled for.
var moves = []string{"play", "stop", "record", "preview", "goto", "jog", "shuttle", "slot select"}

// hear carries out a command and answers; false where the connection is to end.
func (d *Deck) hear(t *talk, command []string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	name, rest, _ := strings.Cut(command[0], ":")
	name = strings.TrimSpace(name)
	t.say(d.obey(t, name, strings.TrimSpace(rest), command[1:]))
	if name == "quit" {
		t.hangUp()
		return false
	}
	t.feed(d.options.Scale)
	return true
}

func (d *Deck) obey(t *talk, name, rest string, more []string) string {
	names, known := takes[name]
	if !known {
		return string(syntaxError) + "\r\n"
	}
	if d.fault == "nak" {
		return string(internalError) + "\r\n"
	}
	given, bad := parameters(names, rest, more)
	if bad != "" {
		return string(bad) + "\r\n"
	}
	if slices.Contains(moves, name) {
		if !d.remote && !t.override {
			return string(remoteDisabled) + "\r\n"
		}
		return string(d.move(name, given)) + "\r\n"
	}
	return d.tell(t, name, given)
}

// parameters reads them from the rest of the first line, "speed: 200 loop: true", and from lines of
// their own.
func parameters(names []string, rest string, more []string) (given map[string]string, bad reply) {
	given = make(map[string]string)
	for _, text := range append([]string{rest}, more...) {
		for text != "" {
			name, value, ok := strings.Cut(text, ":")
			switch {
			case !ok:
				return nil, syntaxError
			case !slices.Contains(names, name):
				return nil, unsupportedParameter
			}
			// The value ends where the next name begins.
			value, end := strings.TrimSpace(value), -1
			for _, n := range names {
				if i := strings.Index(" "+value, " "+n+":"); i >= 0 && (end < 0 || i < end) {
					end = i
				}
			}
			text = ""
			if end >= 0 {
				value, text = strings.TrimSpace(value[:max(end-1, 0)]), value[end:]
			}
			if value == "" {
				return nil, syntaxError
			}
			given[name] = value
		}
	}
	return given, ""
}

// tell does the commands that move nothing.
func (d *Deck) tell(t *talk, name string, given map[string]string) string {
	switch name {
	case "help", "?":
		return block("201 help", "play, stop, record, goto, transport info, notify, remote, quit")
	case "device info":
		return block("204 device info", "protocol version: 1.11", "model: Simulated HyperDeck", "unique id: 0000", "slot count: 2")
	case "transport info":
		return block("208 transport info", d.transportLines()...)
	case "slot info":
		i, bad := d.slotID(given)
		if bad != "" {
			return string(bad) + "\r\n"
		}
		return block("202 slot info", d.slotLines(i)...)
	case "clips count":
		return block("214 clips count", fmt.Sprintf("clip count: %d", len(d.disk().clips)))
	case "clips get", "disk list":
		head := map[string]string{"clips get": "205 clips info", "disk list": "206 disk list"}[name]
		lines := []string{fmt.Sprintf("clip count: %d", len(d.disk().clips))}
		for i, c := range d.disk().clips {
			lines = append(lines, fmt.Sprintf("%d: %s.mov %s %s", i+1, c.name, timecode(d.disk().start(i+1)), timecode(c.length)))
		}
		return block(head, lines...)
	case "configuration":
		return block("211 configuration", "audio input: embedded", "video input: SDI", "file format: QuickTimeProResHQ")
	case "notify", "remote":
		if len(given) == 0 {
			return d.settings(t, name)
		}
	}
	return string(d.set(t, name, given)) + "\r\n"
}

// settings tells what a connection has set.
func (d *Deck) settings(t *talk, name string) string {
	if name == "remote" {
		return block("210 remote info", d.remoteLines(t)...)
	}
	var lines []string
	for _, what := range takes["notify"] {
		lines = append(lines, fmt.Sprintf("%s: %v", what, t.notify[what]))
	}
	return block("209 notify", lines...)
}

// set does the commands that concern the connection.
func (d *Deck) set(t *talk, name string, given map[string]string) reply {
	switch name {
	case "ping", "quit":
		return ok
	case "notify":
		for what, text := range given {
			on, err := strconv.ParseBool(text)
			if err != nil {
				return invalidValue
			}
			t.notify[what] = on
		}
		return ok
	case "remote":
		for what, text := range given {
			on, err := strconv.ParseBool(text)
			switch {
			case err != nil:
				return invalidValue
			case what == "enable":
				d.setRemote(on)
			default:
				t.override = on
			}
		}
		return ok
	case "watchdog":
		seconds, err := strconv.Atoi(given["period"])
		if err != nil || seconds < 0 || seconds > 3600 {
			return invalidValue
		}
		t.period = time.Duration(seconds) * time.Second
		return ok
	}
	return unsupported
}

// slotID reads which slot is meant; without the parameter the active one.
func (d *Deck) slotID(given map[string]string) (index int, bad reply) {
	text, some := given["slot id"]
	if !some {
		return d.active, ""
	}
	id, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, invalidValue
	case id < 1 || id > len(d.slots):
		return 0, outOfRange
	}
	return id - 1, ""
}

// move does the commands that remote control must be enabled for.
func (d *Deck) move(name string, given map[string]string) reply {
	if name == "slot select" {
		i, bad := d.slotID(given)
		if bad != "" {
			return bad
		}
		d.become(stopped, 0)
		d.active, d.place = i, 0
		d.announce(slotNews)
		return ok
	}
	busy := d.status == recording
	switch {
	case name == "preview":
		on, err := strconv.ParseBool(given["enable"])
		switch {
		case err != nil:
			return invalidValue
		case busy:
			return invalidState
		case on:
			d.become(preview, 0)
		default:
			d.become(stopped, 0)
		}
		return ok
	case !d.disk().mounted:
		return noDisk
	case name == "stop":
		d.become(stopped, 0)
		return ok
	case name == "record":
		return d.capture(given["name"])
	case busy:
		return invalidState
	case len(d.disk().clips) == 0:
		return timelineEmpty
	}
	switch name {
	case "goto":
		return d.goTo(given)
	case "jog":
		to, bad := d.timeOf(given["timecode"])
		if bad == "" {
			d.become(jogging, 0)
			d.seek(to)
			return ok
		}
		return bad
	}
	return d.run(name, given)
}

func (d *Deck) capture(name string) reply {
	switch {
	case d.status == recording:
		return ok
	case !d.input:
		return noInput
	case d.fault == "disk-full" || d.disk().left <= 0:
		return diskFull
	}
	d.record(name)
	return ok
}

// run does play and shuttle.
func (d *Deck) run(name string, given map[string]string) reply {
	speed := playSpeed
	if text, some := given["speed"]; some {
		n, err := strconv.Atoi(text)
		if err != nil || n < -5000 || n > 5000 {
			return invalidValue
		}
		speed = n
	}
	for what, to := range map[string]*bool{"loop": &d.loop, "single clip": &d.single} {
		on, err := strconv.ParseBool(given[what])
		if _, some := given[what]; some && err != nil {
			return invalidValue
		}
		*to = on
	}
	status := playing
	switch {
	case name == "shuttle":
		status = shuttling
	case speed > playSpeed:
		status = forward
	case speed < 0:
		status = rewinding
	}
	if speed > 0 && d.now() >= d.disk().length() {
		d.place = 0 // from its end it starts again
		d.since = time.Now()
	}
	d.become(status, speed)
	return ok
}

// goTo goes to a clip, an end or a timecode.
func (d *Deck) goTo(given map[string]string) reply {
	if len(given) != 1 {
		return syntaxError
	}
	s := d.disk()
	d.settle()
	if text, some := given["clip id"]; some {
		n, err := strconv.Atoi(text)
		if err != nil {
			return invalidValue
		}
		if text[0] == '+' || text[0] == '-' {
			n += d.clip()
		}
		if n < 1 || n > len(s.clips) {
			return outOfRange
		}
		d.seek(s.start(n))
		return ok
	}
	if text, some := given["timecode"]; some {
		to, bad := d.timeOf(text)
		if bad == "" {
			d.seek(to)
			return ok
		}
		return bad
	}
	from, to := time.Duration(0), s.length()
	text, some := given["clip"]
	if some {
		from = s.start(d.clip())
		to = from + s.clips[d.clip()-1].length - time.Nanosecond
	} else {
		text = given["timeline"]
	}
	switch text {
	case "start":
		d.seek(from)
	case "end":
		d.seek(to)
	default:
		return invalidValue
	}
	return ok
}

// timeOf reads a timecode, or a step of one from where the deck stands.
func (d *Deck) timeOf(text string) (at time.Duration, bad reply) {
	plain := strings.TrimLeft(text, "+-")
	var h, m, s, f int
	if n, err := fmt.Sscanf(plain, "%d:%d:%d:%d", &h, &m, &s, &f); err != nil || n != 4 || h < 0 || h > 99 || m < 0 || m > 59 || s < 0 || s > 59 || f < 0 || f > 24 {
		return 0, invalidValue
	}
	at = time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(f)*40*time.Millisecond
	switch text[0] {
	case '+':
		at = d.now() + at
	case '-':
		at = d.now() - at
	}
	if at < 0 || at > d.disk().length() {
		return 0, outOfRange
	}
	return at, ""
}
