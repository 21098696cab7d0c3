// Package denon plays a disc player of the family that Denon Professional (DN-500BD MKII, start @0)
// and TASCAM (BD-MP4K, start !7) sell, as the protocol guides of both makers have it. A Denon player
// on a serial port acknowledges with single bytes, as its guide says; on TCP, and TASCAM's on both,
// with words, as TASCAM's guide says and Denon players do. Its tray moves and discs take time to be
// read; it says by itself what has changed, twice, since nobody acknowledges it; it turns away what
// comes sooner than 30 ms after its last answer.
//
// A disc runs at the speed of life, however fast the mechanics are played.
package denon

import (
	"fmt"
	"sync"
	"time"

	"lectern/devices/sim"
)

// What takes time, in life.
const (
	startTime = 12 * time.Second // from standby to the home menu
	loadTime  = 8 * time.Second  // from the tray's closing until the disc is read
)

const (
	chapters      = 12
	chapterLength = 5 * time.Minute
	speeds        = 5 // of forward and back; the next press is play again
)

// mode is what the player does.
type mode string

const (
	home    mode = "home" // stopped: the home menu is shown
	playing mode = "play"
	paused  mode = "pause"
	fast    mode = "forward"
	reverse mode = "back"
)

// Player is the simulated player. It implements sim.Stream.
type Player struct {
	id      string
	tascam  bool
	options sim.Options

	mu      sync.Mutex
	on      bool
	mode    mode
	speed   int
	disc    bool // there is one, in the player or on its tray
	open    bool
	loading bool
	wanted  bool          // play when the disc is read
	place   time.Duration // on the disc, at the time since
	since   time.Time
	muted   bool
	fault   string
	epoch   uint64 // counts what is under way, so that a timer that comes too late does nothing
	next    *time.Timer
	talks   map[*talk]bool
}

// New makes the player of a device. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d players on one line: a player needs a line of its own", len(devices))
	}
	p := &Player{
		id: devices[0].ID, tascam: devices[0].Driver == "tascam-bd", options: o, on: true, mode: home, disc: true,
		place: chapters / 2 * chapterLength, since: time.Now(), talks: make(map[*talk]bool),
	}
	if o.Picture != nil {
		o.Picture(p.id, p.describe)
	}
	return p, nil
}

// now is where the disc stands. The caller holds mu.
func (p *Player) now() time.Duration {
	rate := map[mode]int{playing: 1, fast: 2 << p.speed, reverse: -2 << p.speed}[p.mode]
	to := p.place + time.Duration(rate)*time.Since(p.since)
	return min(max(to, 0), chapters*chapterLength-1)
}

func (p *Player) chapter() int { return int(p.now()/chapterLength) + 1 }

// seek puts the disc to a place. The caller holds mu.
func (p *Player) seek(to time.Duration) { p.place, p.since = to, time.Now() }

// become changes what the player does, and says so. The caller holds mu.
func (p *Player) become(m mode, speed int) {
	p.seek(p.now())
	p.mode, p.speed = m, speed
	p.say(p.stateWord() + p.state())
}

// move opens or closes the tray, and says so. The caller holds mu.
func (p *Player) move(open bool) {
	p.mode, p.open, p.loading, p.wanted = home, open, !open, false
	p.seek(0)
	p.say(p.stateWord() + p.state())
	p.say(p.discWord() + p.discState())
	p.after(0, nil)
	if !open {
		p.after(loadTime, p.loaded)
	}
}

// loaded ends the reading of a disc. The caller holds mu.
func (p *Player) loaded() {
	p.loading = false
	p.say(p.discWord() + p.discState())
	if p.disc && p.wanted {
		p.become(playing, 0)
	}
	p.wanted = false
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
	p.on, p.mode, p.wanted, p.loading = on, home, false, on
	p.seek(0)
	p.after(0, nil)
	if on {
		p.after(startTime, p.loaded)
		return
	}
	for t := range p.talks {
		t.hangUp() // "power-off drops the link"
	}
}

// Chapter tells at which chapter the disc stands, counted from 1.
func (p *Player) Chapter() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chapter()
}

// transport is what the player does in the words of the API. The caller holds mu.
func (p *Player) transport() string {
	switch {
	case !p.on:
		return "standby"
	case p.open:
		return "open"
	case !p.disc && !p.loading:
		return "no-media"
	case p.mode == home:
		return "stop"
	}
	return string(p.mode)
}

// Truth implements sim.Equipment.
func (p *Player) Truth() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return map[string]string{p.id + ".transport": p.transport()}
}

// describe is what the picture of the player shows.
func (p *Player) describe() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := int(p.now().Seconds())
	return fmt.Sprintf("%s CHAPTER %d\n%02d:%02d:%02d", p.transport(), p.chapter(), s/3600, s/60%60, s%60)
}

// Nudge implements sim.Equipment: somebody presses the player's own buttons, takes the disc out or
// puts it back. What that leads to has happened when it returns.
func (p *Player) Nudge(device, property, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	to, known := map[string]mode{
		"play": playing, "stop": home, "pause": paused, "forward": fast, "back": reverse, "open": home, "no-media": home, "standby": home,
	}[value]
	switch {
	case device != p.id:
		return fmt.Errorf("there is no player %q here", device)
	case property != "transport":
		return fmt.Errorf("nobody can change the %s of a player: transport", property)
	case !known:
		return fmt.Errorf("nobody can bring a player to %q: play, stop, pause, forward, back, open, no-media, standby", value)
	case value == "standby":
		p.setPower(false)
		return nil
	}
	p.after(0, nil)
	before := p.discState()
	p.on, p.loading, p.wanted = true, false, false
	p.open, p.disc = value == "open", value != "no-media"
	if to == reverse && p.now() < chapterLength {
		p.seek(chapters / 2 * chapterLength) // somewhere to run back from
	}
	p.become(to, 0)
	if now := p.discState(); now != before {
		p.say(p.discWord() + now)
	}
	return nil
}

// faults lists what Fault takes.
const faults = `"" (healed), nak (every packet is answered nack), no-disc (somebody has taken the disc), ` +
	`tray (the tray is at fault)`

// Fault implements sim.Equipment.
func (p *Player) Fault(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.fault
	switch name {
	case "", "nak", "tray":
	case "no-disc":
		p.disc = false
		p.become(home, 0)
	default:
		return fmt.Errorf("fault %q is not known: the player takes %s", name, faults)
	}
	p.fault = name
	if before == "no-disc" && name != "no-disc" {
		p.disc = true
	}
	if before != name {
		p.say(p.discWord() + p.discState())
	}
	return nil
}
