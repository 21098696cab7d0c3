// Package jvc plays a JVC VHS recorder, an SR-9090U, on RS-232, as its manual has it: single bytes,
// each answered with one, after JVC TABLE 1 ON. It says by itself when a cassette is out.
//
// The manual does not say what a recorder answers that is switched off. This one answers NAK to
// everything but the table and OPERATE ON.
//
// The tape runs at the speed of life, however fast the mechanics are played.
package jvc

import (
	"fmt"
	"sync"
	"time"

	"lectern/devices/sim"
)

const (
	ejectTime  = 4 * time.Second // in life, until the cassette is out
	tapeLength = 2 * time.Hour
	windSpeed  = 60 // of forward and back from stop; a search has seekSpeed
	seekSpeed  = 7
)

// mode is what the recorder does.
type mode string

const (
	stopped   mode = "stop"
	playing   mode = "play"
	still     mode = "still"
	winding   mode = "wind"
	rewinding mode = "rewind"
	searching mode = "search"
	reviewing mode = "search back"
	recording mode = "record"
	waiting   mode = "record pause"
	ejecting  mode = "eject"
)

// Deck is the simulated recorder. It implements sim.Stream.
type Deck struct {
	id      string
	options sim.Options

	mu        sync.Mutex
	on        bool
	table     bool // it takes the commands of table 1
	armed     bool // by a record request
	failed    bool // its error state
	mode      mode
	tape      bool
	protected bool
	place     time.Duration // of the tape, at the time since
	since     time.Time
	fault     string
	next      *time.Timer
	talks     map[*talk]bool
}

// New makes the recorder of a device. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d recorders on one line: a recorder needs a line of its own", len(devices))
	}
	d := &Deck{
		id: devices[0].ID, options: o, on: true, mode: stopped, tape: true, place: tapeLength / 2, since: time.Now(),
		talks: make(map[*talk]bool),
	}
	if o.Picture != nil {
		o.Picture(d.id, d.describe)
	}
	return d, nil
}

// settle lets the tape run until now, and stops it at its ends. The caller holds mu.
func (d *Deck) settle() {
	rate := map[mode]int{
		playing: 1, recording: 1, winding: windSpeed, rewinding: -windSpeed, searching: seekSpeed, reviewing: -seekSpeed,
	}[d.mode]
	d.place += time.Duration(rate) * time.Since(d.since)
	d.since = time.Now()
	if d.place < 0 || d.place > tapeLength {
		d.place = min(max(d.place, 0), tapeLength)
		d.mode = stopped
	}
}

// become changes the mode. The caller holds mu.
func (d *Deck) become(m mode) {
	d.settle()
	d.mode = m
	if d.next != nil {
		d.next.Stop()
		d.next = nil
	}
}

// eject puts the cassette out, and says so when it is. The caller holds mu.
func (d *Deck) eject() {
	d.become(ejecting)
	d.next = time.AfterFunc(d.options.Scale(ejectTime), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.mode != ejecting {
			return
		}
		d.mode, d.tape = stopped, false
		for t := range d.talks {
			t.say(0x03)
		}
	})
}

// transport is the mode in the words of the API. The caller holds mu.
func (d *Deck) transport() string {
	switch {
	case !d.on:
		return "standby"
	case !d.tape:
		return "no-media"
	}
	return map[mode]string{
		stopped: "stop", playing: "play", still: "pause", waiting: "pause", winding: "forward", searching: "forward",
		rewinding: "back", reviewing: "back", recording: "record", ejecting: "open",
	}[d.mode]
}

// Truth implements sim.Equipment.
func (d *Deck) Truth() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle()
	return map[string]string{d.id + ".transport": d.transport()}
}

// describe is what the picture of the recorder shows.
func (d *Deck) describe() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.settle()
	s := int(d.place.Seconds())
	return fmt.Sprintf("%s\n%d:%02d:%02d", d.transport(), s/3600, s/60%60, s%60)
}

// Nudge implements sim.Equipment: somebody presses the recorder's own buttons, takes the cassette out
// or puts it in. What that leads to has happened when it returns.
func (d *Deck) Nudge(device, property, value string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	to, known := map[string]mode{
		"play": playing, "stop": stopped, "pause": still, "forward": winding, "back": rewinding, "record": recording,
		"open": ejecting, "no-media": stopped, "standby": stopped,
	}[value]
	switch {
	case device != d.id:
		return fmt.Errorf("there is no recorder %q here", device)
	case property != "transport":
		return fmt.Errorf("nobody can change the %s of a recorder: transport", property)
	case !known:
		return fmt.Errorf("nobody can bring a recorder to %q: play, stop, pause, forward, back, record, open, no-media, standby", value)
	}
	d.on, d.tape = value != "standby", value != "no-media"
	d.become(to)
	return nil
}

// faults lists what Fault takes.
const faults = `"" (healed), nak (everything is answered NAK), no-tape (somebody has taken the cassette), ` +
	`protected (the cassette's safety tab is out), error (it is in its error state), restart (its mains were off)`

// Fault implements sim.Equipment.
func (d *Deck) Fault(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.fault
	switch name {
	case "", "nak", "protected":
	case "no-tape":
		d.become(stopped)
		d.tape = false
	case "error":
		d.failed = true
	case "restart":
		d.become(stopped)
		d.table, d.armed, d.failed = false, false, false
	default:
		return fmt.Errorf("fault %q is not known: a JVC recorder takes %s", name, faults)
	}
	d.fault = name
	d.protected = name == "protected"
	if before == "no-tape" && name != "no-tape" {
		d.tape = true
	}
	return nil
}
