// Package hyperdeck plays a disk recorder on the HyperDeck Ethernet protocol, version 1.11: it
// introduces itself, takes commands of one or several lines, answers with the codes of the manual and
// tells connections that have asked for it what happens. It has two slots; the first has a disk with
// clips in it, the second is empty.
package hyperdeck

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"lectern/devices/sim"
)

const (
	clipsAtFirst = 8
	clipAtFirst  = 4 // that it stands at
	clipLength   = 20 * time.Minute
	// recordMost is what the disk takes beside the clips on it.
	recordMost = 2 * time.Hour
	playSpeed  = 100
	nudgeSpeed = 400 // of the deck's own search buttons
)

// The statuses of transport info.
const (
	stopped   = "stopped"
	preview   = "preview"
	playing   = "play"
	forward   = "forward"
	rewinding = "rewind"
	jogging   = "jog"
	shuttling = "shuttle"
	recording = "record"
)

// clip is a recording on the disk.
type clip struct {
	name   string
	length time.Duration
}

// slot is a place for a disk.
type slot struct {
	mounted bool
	clips   []clip
	left    time.Duration // that can be recorded
}

// Deck is the simulated recorder. It implements sim.Stream.
type Deck struct {
	id      string
	options sim.Options

	mu     sync.Mutex
	status string
	speed  int           // percent
	place  time.Duration // on the timeline of all clips, at the time since
	since  time.Time
	next   *time.Timer // the end of the timeline; nil where nothing runs
	epoch  uint64      // counts states, so that a timer that comes too late does nothing
	slots  [2]slot
	active int // index of the slot that is played and recorded
	loop   bool
	single bool
	remote bool // enabled at the front panel
	input  bool // there is a signal to record
	fault  string
	talks  map[*talk]bool
}

// New makes the recorder of a device. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d recorders at one address: each has an address of its own", len(devices))
	}
	d := &Deck{
		id: devices[0].ID, options: o, status: stopped, since: time.Now(), remote: true, input: true, talks: make(map[*talk]bool),
	}
	d.slots[0] = slot{mounted: true, left: recordMost}
	for i := range clipsAtFirst {
		d.slots[0].clips = append(d.slots[0].clips, clip{fmt.Sprintf("Lecture_%04d", i+1), clipLength})
	}
	d.place = d.disk().middle()
	if o.Picture != nil {
		o.Picture(d.id, d.describe)
	}
	return d, nil
}

// disk is the active slot. The caller holds mu, here and below.
func (d *Deck) disk() *slot { return &d.slots[d.active] }

func (s *slot) length() time.Duration {
	var all time.Duration
	for _, c := range s.clips {
		all += c.length
	}
	return all
}

// start is where a clip, counted from 1, begins on the timeline.
func (s *slot) start(number int) time.Duration {
	var at time.Duration
	for _, c := range s.clips[:number-1] {
		at += c.length
	}
	return at
}

// middle is a place with clips and time to either side.
func (s *slot) middle() time.Duration { return s.start(clipAtFirst) + clipLength/2 }

// clipAt is the number of the clip at a place, 0 without any.
func (s *slot) clipAt(place time.Duration) int {
	for i := range s.clips {
		if place < s.start(i+1)+s.clips[i].length {
			return i + 1
		}
	}
	return len(s.clips)
}

func (d *Deck) elapsed() time.Duration {
	return time.Duration(float64(time.Since(d.since)) * float64(time.Second) / float64(d.options.Scale(time.Second)))
}

// now is where the deck stands on its timeline.
func (d *Deck) now() time.Duration {
	place := d.place + time.Duration(float64(d.elapsed())*float64(d.speed)/playSpeed)
	if d.status == recording {
		return place
	}
	return min(max(place, 0), d.disk().length())
}

func (d *Deck) clip() int {
	if d.status == recording {
		return len(d.disk().clips)
	}
	return d.disk().clipAt(d.now())
}

// become changes what the deck does and tells who wants to know.
func (d *Deck) become(status string, speed int) {
	d.settle()
	d.status, d.speed = status, speed
	d.plan()
	d.announce(transportNews)
}

// settle writes down where the deck has got to, and ends a recording.
func (d *Deck) settle() {
	at := d.now()
	if s := d.disk(); d.status == recording && len(s.clips) > 0 {
		last := &s.clips[len(s.clips)-1]
		last.length = at - s.start(len(s.clips))
		s.left -= last.length
	}
	d.place, d.since = at, time.Now()
}

// seek puts the deck to a place on its timeline.
func (d *Deck) seek(to time.Duration) {
	d.place, d.since = min(max(to, 0), d.disk().length()), time.Now()
	d.plan()
	d.announce(transportNews)
}

// plan sets the timer for the end of what runs.
func (d *Deck) plan() {
	d.epoch++
	if d.next != nil {
		d.next.Stop()
		d.next = nil
	}
	left, over := time.Duration(0), func() { d.become(stopped, 0) }
	switch {
	case d.speed == 0:
		return
	case d.status == recording:
		left = d.disk().left
	case d.speed > 0:
		end := d.disk().length()
		if n := d.disk().clipAt(d.place); d.single && n > 0 {
			end = d.disk().start(n) + d.disk().clips[n-1].length
		}
		if left = end - d.place; d.loop {
			over = func() { d.seek(0) }
		}
	default:
		left = d.place
	}
	mine := d.epoch
	wait := float64(left) * playSpeed / float64(max(d.speed, -d.speed))
	d.next = time.AfterFunc(d.options.Scale(time.Duration(wait)), func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.epoch == mine {
			over()
		}
	})
}

// record begins a new clip.
func (d *Deck) record(name string) {
	s := d.disk()
	if name == "" {
		name = fmt.Sprintf("Capture%04d", len(s.clips))
	}
	d.settle()
	s.clips = append(s.clips, clip{name: name})
	d.place, d.since = s.start(len(s.clips)), time.Now()
	d.status, d.speed = recording, playSpeed
	d.plan()
	d.announce(transportNews)
}

// setMounted puts the disk of the active slot in or takes it out.
func (d *Deck) setMounted(mounted bool) {
	if d.disk().mounted == mounted {
		return
	}
	if !mounted {
		d.become(stopped, 0)
	}
	d.disk().mounted = mounted
	d.announce(slotNews)
	d.announce(transportNews)
}

func (d *Deck) setRemote(enabled bool) {
	if d.remote != enabled {
		d.remote = enabled
		d.announce(remoteNews)
	}
}

// Clip tells at which clip the deck stands, counted from 1.
func (d *Deck) Clip() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clip()
}

// Truth implements sim.Equipment.
func (d *Deck) Truth() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	word := map[string]string{
		stopped: "stop", preview: "stop", playing: "play", recording: "record", forward: "forward", rewinding: "back", jogging: "play", shuttling: "forward",
	}[d.status]
	switch {
	case !d.disk().mounted:
		word = "no-media"
	case d.speed < 0:
		word = "back"
	case d.speed == 0 && word != "stop":
		word = "pause"
	}
	return map[string]string{d.id + ".transport": word}
}

// describe is what the picture of the deck shows.
func (d *Deck) describe() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.disk().mounted {
		return "NO DISK"
	}
	return fmt.Sprintf("%s CLIP %d\n%s", d.status, d.clip(), timecode(d.now()))
}

// timecode writes a time in hours, minutes, seconds and frames of 40 ms.
func timecode(at time.Duration) string {
	s := int(at / time.Second)
	return fmt.Sprintf("%02d:%02d:%02d:%02d", s/3600, s/60%60, s%60, int(at%time.Second/(40*time.Millisecond)))
}

// Nudge implements sim.Equipment: somebody presses the recorder's own buttons, takes the disk out or
// puts it back.
func (d *Deck) Nudge(device, property, value string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if device != d.id {
		return fmt.Errorf("there is no recorder %q here", device)
	}
	if property != "transport" {
		return fmt.Errorf("nobody can change the %s of a recorder: transport", property)
	}
	states := map[string]struct {
		status string
		speed  int
	}{
		"stop": {stopped, 0}, "play": {playing, playSpeed}, "pause": {playing, 0}, "forward": {forward, nudgeSpeed}, "back": {rewinding, -nudgeSpeed},
	}
	state, ok := states[value]
	if !ok && value != "no-media" && value != "record" {
		return fmt.Errorf("nobody can bring a recorder to %q: stop, play, pause, forward, back, record, no-media", value)
	}
	d.setMounted(value != "no-media")
	switch value {
	case "no-media":
	case "record":
		d.record("")
	default:
		// Whoever presses a button wants to see something: not the last frame of the last clip.
		d.settle()
		d.status = stopped
		if s := d.disk(); len(s.clips) >= clipsAtFirst && (d.clip() == 1 || d.clip() == len(s.clips)) {
			d.place = s.middle()
		}
		d.become(state.status, state.speed)
	}
	return nil
}

// faults lists what Fault takes.
const faults = `"" (healed), nak (every command is answered 108), no-media (somebody has taken the disk), no-input (no signal to record), ` +
	`remote-disabled (at the front panel), disk-full, refused (new connections are answered 120)`

// Fault implements sim.Equipment.
func (d *Deck) Fault(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch name {
	case "", "nak", "no-media", "no-input", "remote-disabled", "disk-full", "refused":
	default:
		return fmt.Errorf("fault %q is not known: this recorder takes %s", name, faults)
	}
	d.fault = name
	d.setMounted(name != "no-media")
	d.setRemote(name != "remote-disabled")
	d.input = name != "no-input"
	return nil
}

// number writes a number that may not be there.
func number(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n)
}
