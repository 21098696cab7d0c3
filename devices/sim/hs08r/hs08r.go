// Package hs08r plays HS-08R and HS-16R power sequencers (时序电源) on RS-232, as their protocol V1.1
// describes them: relays that switch at once or one after the other by stored delays, a write-only
// RS-485 port, and a front-panel switch that must be off for the serial port to work.
package hs08r

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

// step is the delay between two channels that a sequencer comes with.
const step = time.Second

const (
	frameLength = 10
	most        = 16 // channels

	fnRead    = 0x02
	fnWrite   = 0x10
	fnControl = 0x16

	success = 0xAA
	failure = 0xFF
)

// faults lists what Fault takes.
const faults = `"" (healed), nak (every command is answered with FF), ` +
	`stuck-N (channel N is acknowledged and does not switch), refuse-N (channel N is answered with FF)`

// relay is one channel. It is never switched by a timer of its own: what is due is brought up to
// date whenever somebody looks.
type relay struct {
	on       bool
	due      time.Time // when next takes effect; zero for never
	next     bool
	onDelay  time.Duration
	offDelay time.Duration
}

// unit is one sequencer.
type unit struct {
	address  byte
	channels int  // channel bytes in a status reply
	mute     bool // the line leads to the RS-485 port
	panel    bool // the switch on the front is on
	relays   [most + 1]relay
}

// channel is one device of the room file.
type channel struct {
	device string
	unit   *unit
	number int
}

// Rack is the sequencers on one line. It implements sim.Unit.
type Rack struct {
	options sim.Options

	mu       sync.Mutex
	units    []*unit
	channels []channel
	fault    string // "", "nak", "stuck" or "refuse"
	at       int    // the channel of stuck and refuse
}

// New makes the sequencers of one line. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	r := &Rack{options: o}
	for _, d := range devices {
		address, err := number(d, "unit", 1, 1, 255)
		if err != nil {
			return nil, err
		}
		n, err := number(d, "channel", 0, 1, most)
		if err != nil {
			return nil, err
		}
		count, err := number(d, "channels", 8, 1, most)
		if err != nil {
			return nil, err
		}
		u := r.unit(byte(address))
		u.channels = max(u.channels, count)
		if d.With["feedback"] == false {
			u.mute = true
		}
		r.channels = append(r.channels, channel{device: d.ID, unit: u, number: n})
	}
	return r, nil
}

// number reads a whole number of a device's settings.
func number(d sim.Device, key string, without, least, greatest int) (int, error) {
	n := without
	if v, ok := d.With[key]; ok {
		var err error
		if n, err = strconv.Atoi(fmt.Sprint(v)); err != nil {
			return 0, fmt.Errorf("simulated sequencer %s: %s %v is not a number", d.ID, key, v)
		}
	}
	if n < least || n > greatest {
		return 0, fmt.Errorf("simulated sequencer %s: %s %d is not %d to %d", d.ID, key, n, least, greatest)
	}
	return n, nil
}

// unit returns the sequencer at the address, made new where there is none.
func (r *Rack) unit(address byte) *unit {
	for _, u := range r.units {
		if u.address == address {
			return u
		}
	}
	u := &unit{address: address}
	for i := 1; i <= most; i++ {
		u.relays[i].onDelay = time.Duration(i) * step
		u.relays[i].offDelay = time.Duration(most+1-i) * step
	}
	r.units = append(r.units, u)
	return u
}

// Truth implements sim.Equipment.
func (r *Rack) Truth() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	truth := make(map[string]string)
	for _, c := range r.channels {
		r.advance(c.unit)
		truth[c.device+".power"] = strconv.FormatBool(c.unit.relays[c.number].on)
	}
	return truth
}

// Nudge implements sim.Equipment: power is a relay worked by hand, panel ("on", "off") is the switch
// on the front of the device's sequencer, which switches everything in sequence and, while on,
// keeps the serial port out.
func (r *Rack) Nudge(device, property, value string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.channels {
		if c.device != device {
			continue
		}
		r.advance(c.unit)
		on, ok := map[string]bool{"true": true, "on": true, "false": false, "off": false}[value]
		switch {
		case !ok:
			return fmt.Errorf("channel %s: %s %q is not true or false", device, property, value)
		case property == "power":
			c.unit.relays[c.number].on, c.unit.relays[c.number].due = on, time.Time{}
			return nil
		case property == "panel":
			c.unit.panel = on
			r.sequence(c.unit, on)
			return nil
		}
		return fmt.Errorf("channel %s has no %q: it has power and panel", device, property)
	}
	return fmt.Errorf("no simulated channel %q", device)
}

// Fault implements sim.Equipment.
func (r *Rack) Fault(name string) error {
	kind, number, numbered := strings.Cut(name, "-")
	at := 0
	switch {
	case name == "" || name == "nak":
	case numbered && (kind == "stuck" || kind == "refuse"):
		var err error
		if at, err = strconv.Atoi(number); err == nil && at >= 1 && at <= most {
			break
		}
		fallthrough
	default:
		return fmt.Errorf("fault %q is not known: a sequencer takes %s", name, faults)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fault, r.at = kind, at
	return nil
}

// Frame implements sim.Unit. Commands that came without a pause between them are all carried out.
func (r *Rack) Frame(frame []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	var reply []byte
	for len(frame) >= frameLength {
		if frame[0] != 0x5B || frame[1] != 0xB5 {
			frame = frame[1:]
			continue
		}
		reply = append(reply, r.command([frameLength]byte(frame))...)
		frame = frame[frameLength:]
	}
	return reply
}

func (r *Rack) command(f [frameLength]byte) []byte {
	for _, u := range r.units {
		// Address 0 reaches whoever is there, to find out what its address is.
		asked := f[2] == 0 && f[3] == fnRead && f[4] == 0x20 && f[5] == 0x17
		if f[2] != u.address && !asked {
			continue
		}
		r.advance(u)
		reply := r.act(u, f)
		if u.mute {
			return nil
		}
		return reply
	}
	return nil
}

func (r *Rack) act(u *unit, f [frameLength]byte) []byte {
	register := binary.BigEndian.Uint16(f[4:6])
	switch {
	case f[3] == fnRead && register == 0x2016:
		reply := []byte{0x5B, 0xB5, u.address, fnRead, 0x20, 0x16}
		for i := 1; i <= u.channels; i++ {
			state := byte(0)
			if u.relays[i].on {
				state = 1
			}
			reply = append(reply, state)
		}
		for len(reply) < frameLength {
			reply = append(reply, 0)
		}
		return reply
	case f[3] == fnRead && register == 0x2017:
		return []byte{0x5B, 0xB5, u.address, fnRead, 0x20, 0x17, success, 0, 0, u.address}
	case f[3] == fnWrite && r.store(u, register, binary.BigEndian.Uint32(f[6:])),
		f[3] == fnControl && r.control(u, f):
		f[3] = success
	default:
		f[3] = failure
	}
	// The manual gives a meaning to the byte after the address alone; the rest comes back as it was.
	return f[:]
}

// store keeps a delay in milliseconds and reports whether the register is one.
func (r *Rack) store(u *unit, register uint16, value uint32) bool {
	if r.fault == "nak" || u.panel || register%2 != 0 {
		return false
	}
	delay := time.Duration(value) * time.Millisecond
	for _, bank := range []struct {
		base  uint16
		first int
		count int
		off   bool
	}{{0x4010, 1, 8, false}, {0x4020, 1, 8, true}, {0x4050, 9, 4, false}, {0x4060, 9, 4, true}} {
		i := int(register) - int(bank.base)
		if i < 0 || i/2 >= bank.count {
			continue
		}
		if bank.off {
			u.relays[bank.first+i/2].offDelay = delay
		} else {
			u.relays[bank.first+i/2].onDelay = delay
		}
		return true
	}
	return false
}

// control switches and reports whether the command is one.
func (r *Rack) control(u *unit, f [frameLength]byte) bool {
	if r.fault == "nak" || u.panel || f[9] != success || f[7] > 1 {
		return false
	}
	on, n := f[7] == 1, int(f[8])
	switch {
	case on && n == 0x12, !on && n == 0x10: // all, at once
		for i := range u.relays {
			r.set(u, i, on)
		}
	case on && n == 0x11, !on && n == 0x00:
		r.sequence(u, on)
	case n >= 1 && n < most:
		if r.fault == "refuse" && r.at == n {
			return false
		}
		r.set(u, n, on)
	default:
		return false
	}
	return true
}

func (r *Rack) set(u *unit, n int, on bool) {
	if r.fault == "stuck" && r.at == n {
		return
	}
	u.relays[n].on, u.relays[n].due = on, time.Time{}
}

// sequence starts switching everything by the stored delays, counted from now.
func (r *Rack) sequence(u *unit, on bool) {
	now := time.Now()
	for i := 1; i <= most; i++ {
		delay := u.relays[i].offDelay
		if on {
			delay = u.relays[i].onDelay
		}
		u.relays[i].next, u.relays[i].due = on, now.Add(r.options.Scale(delay))
	}
}

// advance switches what has become due.
func (r *Rack) advance(u *unit) {
	now := time.Now()
	for i := range u.relays {
		if due := u.relays[i].due; !due.IsZero() && !due.After(now) {
			r.set(u, i, u.relays[i].next)
			u.relays[i].due = time.Time{}
		}
	}
}
