// Package oppo plays an OPPO disc player on its control protocol, as the RS-232 and IP control
// documents of the BDP and UDP series have it: on a serial port it is a BDP-103, which answers short
// until a verbose mode is set; on TCP a UDP-203, which always puts the command's name before its
// answer. Its tray moves, discs take time to be read, and it speaks up in the verbose modes 2 and 3.
//
// Mode 3 would tell the time of the disc every second as well. This player takes the mode and leaves
// the time out.
package oppo

import (
	"fmt"
	"strconv"
	"sync"
	"time"

	"lectern/devices/sim"
)

// What takes time, in life.
const (
	startTime = 8 * time.Second // from standby until the disc is being read
	trayTime  = 3 * time.Second
	loadTime  = 6 * time.Second
)

// The disc: chapters of the same length.
const (
	chapters      = 12
	chapterLength = 5 * time.Minute
	discLength    = chapters * chapterLength
)

// The states, as QPL tells them.
const (
	stopped = "STOP"
	playing = "PLAY"
	paused  = "PAUSE"
	fast    = "FFWD"
	reverse = "FREV"
	slow    = "SFWD"
	slowRev = "SREV"
	open    = "OPEN"
	closing = "CLOSE"
	loading = "LOADING"
	noDisc  = "NO DISC"
)

// Player is the simulated player. It implements sim.Stream.
type Player struct {
	id      string
	options sim.Options

	mu      sync.Mutex
	on      bool
	state   string
	speed   int           // step of fast and slow, from 1
	disc    bool          // there is one, in the player or on its tray
	wanted  bool          // play when the disc is read
	place   time.Duration // on the disc, at the time since; a disc that was stopped resumes there
	since   time.Time
	next    *time.Timer // what happens by itself; nil where nothing does
	epoch   uint64      // counts states, so that a timer that comes too late does nothing
	volume  int
	muted   bool
	verbose int
	fault   string
	talks   map[*talk]bool
}

// New makes the player of a device. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d players on one line: an OPPO player needs a line of its own", len(devices))
	}
	p := &Player{
		id: devices[0].ID, options: o, on: true, state: stopped, disc: true, volume: 40,
		place: discLength / 2, since: time.Now(), talks: make(map[*talk]bool),
	}
	if o.Picture != nil {
		o.Picture(p.id, p.describe)
	}
	return p, nil
}

// rate is how fast the disc runs in a state, 0 where it does not.
func (p *Player) rate() float64 {
	step := float64(int(1) << p.speed)
	switch p.state {
	case playing:
		return 1
	case fast:
		return step
	case reverse:
		return -step
	case slow:
		return 1 / step
	case slowRev:
		return -1 / step
	}
	return 0
}

// now is where the disc stands now. The caller holds mu.
func (p *Player) now() time.Duration {
	elapsed := float64(time.Since(p.since)) * float64(time.Second) / float64(p.options.Scale(time.Second))
	return min(max(p.place+time.Duration(elapsed*p.rate()), 0), discLength)
}

func (p *Player) chapter() int { return min(int(p.now()/chapterLength)+1, chapters) }

// become changes the state and says so, and sees to it that what follows by itself does. The caller
// holds mu.
func (p *Player) become(state string, speed int) {
	p.seek(p.now())
	p.state, p.speed = state, speed
	switch state {
	case noDisc, open:
		p.place, p.wanted = 0, false
	case playing, stopped:
		p.wanted = false
	}
	p.plan()
	p.say(updateOf(state, speed))
}

// seek puts the disc to a place. The caller holds mu and plans anew.
func (p *Player) seek(to time.Duration) { p.place, p.since = to, time.Now() }

// plan sets the timer for what happens next by itself. The caller holds mu.
func (p *Player) plan() {
	switch rate := p.rate(); {
	case p.state == closing:
		p.after(trayTime, func() { p.become(loading, 0) })
	case p.state == loading:
		p.after(loadTime, p.read)
	case rate > 0:
		p.after(time.Duration(float64(discLength-p.place)/rate), func() {
			p.become(stopped, 0)
			p.seek(0)
		})
	case rate < 0:
		p.after(time.Duration(float64(p.place)/-rate), func() { p.become(playing, 0) })
	default:
		p.after(0, nil)
	}
}

// read ends the reading of a disc. The caller holds mu.
func (p *Player) read() {
	switch {
	case !p.disc:
		p.become(noDisc, 0)
	case p.wanted:
		p.become(playing, 0)
	default:
		p.become(stopped, 0)
	}
}

// after does something later, unless something else has happened by then. The caller holds mu.
func (p *Player) after(wait time.Duration, do func()) {
	p.epoch++
	if p.next != nil {
		p.next.Stop()
		p.next = nil
	}
	if do == nil {
		return
	}
	mine := p.epoch
	p.next = time.AfterFunc(p.options.Scale(wait), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.epoch == mine {
			do()
		}
	})
}

// setPower switches between on and standby. The caller holds mu.
func (p *Player) setPower(on bool) {
	if p.on == on {
		return
	}
	p.on = on
	p.place, p.speed, p.wanted, p.since = 0, 0, false, time.Now()
	if !on {
		p.state = stopped
		p.after(0, nil)
		p.say("UPW 0")
		return
	}
	p.say("UPW 1")
	p.state = loading
	p.after(startTime, p.read)
}

// Chapter tells at which chapter the disc stands, counted from 1.
func (p *Player) Chapter() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chapter()
}

// transport is the state in the words of the API. The caller holds mu.
func (p *Player) transport() string {
	if !p.on {
		return "standby"
	}
	return map[string]string{
		stopped: "stop", closing: "stop", loading: "stop", playing: "play", paused: "pause", fast: "forward", slow: "forward",
		reverse: "back", slowRev: "back", open: "open", noDisc: "no-media",
	}[p.state]
}

// Truth implements sim.Equipment.
func (p *Player) Truth() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return map[string]string{
		p.id + ".transport": p.transport(), p.id + ".volume": strconv.Itoa(p.volume), p.id + ".mute": strconv.FormatBool(p.muted),
	}
}

// describe is what the picture of the player shows.
func (p *Player) describe() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on {
		return "STANDBY"
	}
	at := p.now()
	s, frame := int(at.Seconds()), int(at%time.Second/(40*time.Millisecond))
	return fmt.Sprintf("%s CHAPTER %d\n%02d:%02d:%02d:%02d", p.state, p.chapter(), s/3600, s/60%60, s%60, frame)
}

// Nudge implements sim.Equipment: somebody presses the player's own buttons, takes the disc out or
// puts it back. What that leads to has happened when it returns.
func (p *Player) Nudge(device, property, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if device != p.id {
		return fmt.Errorf("there is no player %q here", device)
	}
	switch property {
	case "transport":
		return p.nudgeTransport(value)
	case "volume":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 100 {
			return fmt.Errorf("volume %q: it is 0 to 100", value)
		}
		p.setVolume(n)
		return nil
	case "mute":
		muted, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("mute %q: it is true or false", value)
		}
		p.setMute(muted)
		return nil
	}
	return fmt.Errorf("nobody can change the %s of a player: transport, volume and mute", property)
}

func (p *Player) nudgeTransport(value string) error {
	states := map[string]string{
		"play": playing, "stop": stopped, "pause": paused, "forward": fast, "back": reverse, "open": open, "no-media": noDisc,
	}
	state, ok := states[value]
	switch {
	case value == "standby":
		p.setPower(false)
		return nil
	case !ok:
		return fmt.Errorf("nobody can bring a player to %q: play, stop, pause, forward, back, open, no-media, standby", value)
	}
	if !p.on {
		p.on = true
		p.say("UPW 1")
	}
	p.disc = state != noDisc
	if state == reverse && p.now() < chapterLength {
		p.seek(discLength / 2) // somewhere to run back from
	}
	p.become(state, map[string]int{fast: 1, reverse: 1}[state])
	return nil
}

func (p *Player) setVolume(percent int) {
	p.volume, p.muted = percent, false
	p.say("UVL " + strconv.Itoa(percent))
}

func (p *Player) setMute(muted bool) {
	p.muted = muted
	p.say("UVL " + p.loudness())
}

// loudness is the volume as the player tells it.
func (p *Player) loudness() string {
	if p.muted {
		return "MUTE"
	}
	return strconv.Itoa(p.volume)
}

// faults lists what Fault takes.
const faults = `"" (healed), nak (every command is answered ER), no-disc (somebody has taken the disc), ` +
	`restart (its mains were off: it is in standby, and its verbose mode is gone)`

// Fault implements sim.Equipment.
func (p *Player) Fault(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.fault
	switch name {
	case "", "nak":
	case "no-disc":
		p.disc = false
		p.become(noDisc, 0)
	case "restart":
		p.setPower(false)
		p.verbose = 0
		for t := range p.talks {
			t.hangUp()
		}
	default:
		return fmt.Errorf("fault %q is not known: an OPPO player takes %s", name, faults)
	}
	p.fault = name
	if before == "no-disc" && name != "no-disc" {
		p.disc = true
		p.become(stopped, 0)
	}
	return nil
}
