// Package pioneer plays an industrial DVD player, a Pioneer DVD-V7400, on its RS-232 protocol, as the
// command manuals of the DVD-V5000, V7400 and V8000 have it: several commands may stand in one string,
// and the string is answered when the last of them has been executed.
//
// A disc runs at the speed of life, however fast the mechanics are played.
package pioneer

import (
	"fmt"
	"sync"
	"time"

	"lectern/devices/sim"
)

// What takes time, in life.
const (
	spinUpTime = 8 * time.Second
	stopTime   = 3 * time.Second
	trayTime   = 3 * time.Second
	seekTime   = time.Second
)

const (
	chapters      = 12
	chapterLength = 5 * time.Minute
	scanSpeed     = 8
)

// mode is what the player does.
type mode string

const (
	open   mode = "open"
	park   mode = "park"
	setUp  mode = "set-up"
	unload mode = "unload"
	play   mode = "play"
	still  mode = "still"
	pause  mode = "pause"
	search mode = "search"
	scan   mode = "scan"
	rescan mode = "scan back"
)

// code is the active mode as ?P tells it. A scan does not say which way.
func (m mode) code() string {
	return map[mode]string{
		open: "P00", park: "P01", setUp: "P02", unload: "P03", play: "P04", still: "P05", pause: "P06", search: "P07", scan: "P08", rescan: "P08",
	}[m]
}

// runs reports whether the disc can be played, held and searched in the mode ("random access").
func (m mode) runs() bool {
	return m == play || m == still || m == pause || m == scan || m == rescan
}

// Player is the simulated player. It implements sim.Stream.
type Player struct {
	id      string
	options sim.Options

	mu     sync.Mutex
	mode   mode
	disc   bool          // there is one, in the player or on its tray
	place  time.Duration // on the disc, at the time since
	since  time.Time
	speed  int    // register of SP
	search string // what the argument of a search is: CH, TR, TI
	failed string // the last error
	fault  string
	epoch  uint64 // counts modes, so that what takes time does not overwrite what came since
}

// New makes the player of a device. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d players on one line: a player needs a line of its own", len(devices))
	}
	p := &Player{
		id: devices[0].ID, options: o, mode: park, disc: true, search: "CH", failed: "E00",
		place: chapters / 2 * chapterLength, since: time.Now(),
	}
	if o.Picture != nil {
		o.Picture(p.id, p.describe)
	}
	return p, nil
}

// now is where the disc stands. The caller holds mu.
func (p *Player) now() time.Duration {
	rate := map[mode]int{play: 1, scan: scanSpeed, rescan: -scanSpeed}[p.mode]
	return min(max(p.place+time.Duration(rate)*time.Since(p.since), 0), chapters*chapterLength-1)
}

func (p *Player) chapter() int { return int(p.now()/chapterLength) + 1 }

// become changes the mode. The caller holds mu.
func (p *Player) become(m mode) {
	p.place, p.since = p.now(), time.Now()
	p.epoch++
	p.mode = m
}

// Chapter tells at which chapter the disc stands, counted from 1.
func (p *Player) Chapter() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chapter()
}

// transport is the mode in the words of the API. The caller holds mu.
func (p *Player) transport() string {
	if p.mode == park && !p.disc {
		return "no-media"
	}
	return map[mode]string{
		open: "open", park: "stop", setUp: "stop", unload: "stop", play: "play", search: "play", still: "pause", pause: "pause",
		scan: "forward", rescan: "back",
	}[p.mode]
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
	return fmt.Sprintf("%s CHAPTER %d\n%02d:%02d:%02d", p.mode, p.chapter(), s/3600, s/60%60, s%60)
}

// Nudge implements sim.Equipment: somebody presses the player's own buttons, takes the disc out or
// puts it back. What that leads to has happened when it returns.
func (p *Player) Nudge(device, property, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	to, known := map[string]mode{
		"play": play, "stop": park, "pause": still, "forward": scan, "back": rescan, "open": open, "no-media": park,
	}[value]
	switch {
	case device != p.id:
		return fmt.Errorf("there is no player %q here", device)
	case property != "transport":
		return fmt.Errorf("nobody can change the %s of a player: transport", property)
	case !known:
		return fmt.Errorf("nobody can bring a player to %q: play, stop, pause, forward, back, open, no-media", value)
	}
	p.disc = value != "no-media"
	p.become(to)
	return nil
}

// faults lists what Fault takes.
const faults = `"" (healed), nak (every string is answered E04), no-disc (somebody has taken the disc)`

// Fault implements sim.Equipment.
func (p *Player) Fault(name string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.fault
	switch name {
	case "", "nak":
	case "no-disc":
		p.disc = false
		p.become(park)
	default:
		return fmt.Errorf("fault %q is not known: a Pioneer player takes %s", name, faults)
	}
	p.fault = name
	if before == "no-disc" && name != "no-disc" {
		p.disc = true
	}
	return nil
}
