// Package kramer plays a Kramer switcher that speaks Protocol 3000: a matrix of eight inputs and
// outputs with a volume at each output, on RS-232 and TCP, as the tables of the VP-81K, VS-62HA and
// VS-44H2A have it. A room file that routes with the legacy commands gets an old model: without
// ROUTE, and without its number in its answers.
package kramer

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"lectern/devices/sim"
)

// faults lists what Fault takes.
const faults = `"" (healed), nak (commands are answered ERR003), busy (commands are answered ERR006), ` +
	`restart (the mains were off for a moment)`

// Levels of an output reach from lowest to highest (VS-44H2A has -60 to 30, others reach lower).
const (
	lowest  = -100
	highest = 30
)

// device is one device of the room file.
type device struct {
	id      string
	volume  bool
	layer   string
	channel int
	floor   int
	ceiling int
}

// Switcher is one piece of equipment with everything on its line. It implements sim.Stream.
type Switcher struct {
	machine int
	legacy  bool
	stage   string // what it calls its output stage
	devices []device

	mu     sync.Mutex
	inputs int
	ties   map[string][]int // input of each output, by layer: video, audio, usb
	levels []int            // of each output
	mutes  []bool
	talks  map[*talk]bool
	fault  string
}

// New makes the equipment of one line. It is a sim.Factory.
func New(_ sim.Options, list []sim.Device) (sim.Equipment, error) {
	s := &Switcher{machine: 1, stage: "1", ties: make(map[string][]int), talks: make(map[*talk]bool)}
	outputs := 0
	for _, d := range list {
		one := device{id: d.ID, volume: d.Driver == "kramer-volume", layer: "all"}
		var in, out, number int
		for _, n := range []struct {
			key     string
			to      *int
			without int
		}{
			{"inputs", &in, 0}, {"outputs", &out, 0}, {"machine", &number, 0}, {"channel", &one.channel, 1},
			{"floor", &one.floor, -60}, {"ceiling", &one.ceiling, 0},
		} {
			var err error
			*n.to = n.without
			if v, ok := d.With[n.key]; ok {
				if *n.to, err = strconv.Atoi(fmt.Sprint(v)); err != nil {
					return nil, fmt.Errorf("simulated %s: %s %v is not a number", d.ID, n.key, v)
				}
			}
		}
		if in == 0 {
			in = 8
		}
		if out == 0 {
			out = 8
		}
		if one.ceiling <= one.floor || in < 1 || in > 99 || out < 1 || out > 99 || one.channel < 1 {
			return nil, fmt.Errorf("simulated %s: levels, channel or size out of range", d.ID)
		}
		if number != 0 {
			s.machine = number
		}
		if v, ok := d.With["layer"].(string); ok {
			one.layer = v
		}
		if d.With["stage"] == "OUT" {
			s.stage = "OUT"
		}
		s.legacy = s.legacy || d.With["command"] == "legacy"
		s.inputs, outputs = max(s.inputs, in), max(outputs, out, one.channel)
		s.devices = append(s.devices, one)
	}
	for _, layer := range []string{"video", "audio", "usb"} {
		s.ties[layer] = make([]int, outputs+1)
	}
	s.levels, s.mutes = slices.Repeat([]int{-30}, outputs+1), make([]bool, outputs+1)
	return s, nil
}

// shown is the layer whose ties a device's truth is.
func (d device) shown() string {
	if d.layer == "all" {
		return "video"
	}
	return d.layer
}

// Truth implements sim.Equipment.
func (s *Switcher) Truth() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	truth := make(map[string]string)
	for _, d := range s.devices {
		if d.volume {
			share := float64(s.levels[d.channel]-d.floor) / float64(d.ceiling-d.floor)
			truth[d.id+".volume"] = strconv.Itoa(int(math.Round(100 * min(max(share, 0), 1))))
			truth[d.id+".mute"] = strconv.FormatBool(s.mutes[d.channel])
			continue
		}
		for out, in := range s.ties[d.shown()] {
			if out == 0 {
				continue
			}
			truth[d.id+"."+strconv.Itoa(out)] = ""
			if in != 0 {
				truth[d.id+"."+strconv.Itoa(out)] = strconv.Itoa(in)
			}
		}
	}
	return truth
}

// Nudge implements sim.Equipment: somebody at the front panel, which every port hears of. A matrix
// has its outputs as properties, "" and "0" disconnect; a volume has volume and mute.
func (s *Switcher) Nudge(id, property, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := slices.IndexFunc(s.devices, func(d device) bool { return d.id == id })
	if at < 0 {
		return fmt.Errorf("no simulated device %q", id)
	}
	d := s.devices[at]
	switch on, toggles := map[string]bool{"true": true, "false": false}[value]; {
	case d.volume && property == "mute" && toggles:
		s.mutes[d.channel] = on
		s.report(s.muteOf(d.channel), nil)
	case d.volume && property == "volume":
		percent, err := strconv.Atoi(value)
		if err != nil || percent < 0 || percent > 100 {
			return fmt.Errorf("%s: volume %q is not 0 to 100", id, value)
		}
		s.levels[d.channel] = d.floor + int(math.Round(float64(percent*(d.ceiling-d.floor))/100))
		s.report(s.levelOf(d.channel), nil)
	case d.volume:
		return fmt.Errorf("%s: %s %q: it has volume and mute", id, property, value)
	default:
		out, wrong := strconv.Atoi(property)
		in, bad := 0, error(nil)
		if value != "" {
			in, bad = strconv.Atoi(value)
		}
		if wrong != nil || bad != nil || out < 1 || out >= len(s.levels) || in < 0 || in > s.inputs {
			return fmt.Errorf("%s: no output %q or input %q", id, property, value)
		}
		s.tie(d.layer, in, out)
		if d.layer == "usb" {
			s.report(fmt.Sprintf("ROUTE 3,%d,%d", out, in), nil)
			break
		}
		word := map[string]string{"all": "AV", "video": "VID", "audio": "AUD"}[d.layer]
		s.report(fmt.Sprintf("%s %d>%d", word, in, out), nil)
	}
	return nil
}

// tie changes a tie on a layer; all is video and audio.
func (s *Switcher) tie(layer string, in, out int) {
	for name, ties := range s.ties {
		if name == layer || layer == "all" && name != "usb" {
			ties[out] = in
		}
	}
}

func (s *Switcher) levelOf(channel int) string {
	return fmt.Sprintf("AUD-LVL %s,%d,%d", s.stage, channel, s.levels[channel])
}

func (s *Switcher) muteOf(channel int) string {
	state := 0
	if s.mutes[channel] {
		state = 1
	}
	return fmt.Sprintf("MUTE %d,%d", channel, state)
}

// Fault implements sim.Equipment. A restart is over at once: everything is kept, every port hears
// the start message.
func (s *Switcher) Fault(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch name {
	case "", "nak", "busy":
	case "restart":
		for t := range s.talks {
			t.pending = t.pending[:0]
			t.say("Kramer Electronics LTD. , VS-88UT 1.04\r\n")
		}
	default:
		return fmt.Errorf("fault %q is not known: the equipment takes %s", name, faults)
	}
	s.fault = name
	return nil
}

// report says to all ports what has happened, but to the one that did it.
func (s *Switcher) report(said string, but *talk) {
	for t := range s.talks {
		if t != but {
			t.say(s.framed(said))
		}
	}
}

// framed puts an answer between its prefix and its end.
func (s *Switcher) framed(body string) string {
	if s.legacy {
		return "~" + body + "\r\n"
	}
	return fmt.Sprintf("~%02d@%s\r\n", s.machine, body)
}
