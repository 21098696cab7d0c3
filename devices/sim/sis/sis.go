// Package sis plays Extron equipment that speaks the Simple Instruction Set: a matrix or switcher
// with a volume and the group masters of a DSP in one housing, or a recorder of the SMP 300 series, on
// RS-232 and on telnet, as the command tables of the DTP CrossPoint, DMP 128, SW and SMP series have
// them. Over telnet it greets, asks for a password where it has one and starts in verbose mode 0; on a
// serial port it does neither and starts in mode 1.
package sis

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

// hesitation is how long a command may stand unfinished: "pauses of 10 seconds or longer between
// command characters result in a timeout" (SW4 3G, timeout).
const hesitation = 10 * time.Second

// faults lists what Fault takes.
const faults = `"" (healed), nak (commands are answered E14), busy (commands are answered E22), ` +
	`bare (a recorder tells its state without a tag, as its table has it), restart (the mains were off for a moment)`

// What the layers of a matrix are called in an answer.
const (
	wordAll   = "All"
	wordVideo = "Vid"
	wordAudio = "Aud"
)

// device is one device of the room file.
type device struct {
	id      string
	volume  bool
	records bool
	audio   bool // a matrix device of layer audio
	video   bool // one of layer video
	group   int
	mute    int // group that mutes
	floor   int // dB
	ceiling int
}

// Frame is one piece of equipment with everything on its line. It implements sim.Stream.
type Frame struct {
	options  sim.Options
	password string
	switcher bool
	devices  []device

	mu      sync.Mutex
	inputs  int
	video   []int // input of each output
	audio   []int
	presets map[int][2][]int
	volume  int
	muted   bool
	groups  map[int]int   // faders in tenths of a dB, and mutes
	state   int           // of the recorder: 0 stopped, 1 recording, 2 paused
	length  time.Duration // of the recording until since
	since   time.Time
	talks   map[*talk]bool
	fault   string
}

// New makes the equipment of one line. It is a sim.Factory.
func New(o sim.Options, list []sim.Device) (sim.Equipment, error) {
	f := &Frame{
		options: o, presets: make(map[int][2][]int), volume: 30,
		groups: make(map[int]int), talks: make(map[*talk]bool),
	}
	outputs := 0
	for _, d := range list {
		one := device{id: d.ID, volume: d.Driver == "extron-sis-volume", records: d.Driver == "extron-smp"}
		var in, out int
		for _, number := range []struct {
			key     string
			to      *int
			without int
		}{
			{"inputs", &in, 8}, {"outputs", &out, 8}, {"group", &one.group, 0}, {"mute_group", &one.mute, 0},
			{"floor_db", &one.floor, -60}, {"ceiling_db", &one.ceiling, 0},
		} {
			var err error
			*number.to = number.without
			if v, ok := d.With[number.key]; ok {
				if *number.to, err = strconv.Atoi(fmt.Sprint(v)); err != nil {
					return nil, fmt.Errorf("simulated %s: %s %v is not a number", d.ID, number.key, v)
				}
			}
		}
		if one.ceiling <= one.floor || in > 999 || out > 999 {
			return nil, fmt.Errorf("simulated %s: floor, ceiling or size out of range", d.ID)
		}
		if one.group != 0 {
			if one.mute == 0 {
				one.mute = one.group + 1
			}
			f.groups[one.group], f.groups[one.mute] = one.tenths(30), 0
		}
		if !one.volume && !one.records {
			one.audio, one.video = d.With["layer"] == "audio", d.With["layer"] == "video"
			f.inputs, outputs = max(f.inputs, in), max(outputs, out)
			f.switcher = f.switcher || d.With["switcher"] == true
		}
		if p, ok := d.With["password"].(string); ok && p != "" {
			f.password = p
		}
		f.devices = append(f.devices, one)
	}
	if f.switcher {
		outputs = 1
	}
	f.video, f.audio = make([]int, outputs+1), make([]int, outputs+1)
	return f, nil
}

// tenths is where the fader of a group stands for a percentage of its device.
func (d device) tenths(percent int) int {
	return 10*d.floor + int(math.Round(float64(percent)*float64(d.ceiling-d.floor)/10))
}

// Truth implements sim.Equipment. The one output of a switcher is called 1.
func (f *Frame) Truth() map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	truth := make(map[string]string)
	for _, d := range f.devices {
		switch {
		case d.records:
			truth[d.id+".transport"] = transports[f.state]
		case d.volume && d.group == 0:
			truth[d.id+".volume"], truth[d.id+".mute"] = strconv.Itoa(f.volume), strconv.FormatBool(f.muted)
		case d.volume:
			share := float64(f.groups[d.group]-10*d.floor) / float64(10*(d.ceiling-d.floor))
			truth[d.id+".volume"] = strconv.Itoa(int(math.Round(100 * min(max(share, 0), 1))))
			truth[d.id+".mute"] = strconv.FormatBool(f.groups[d.mute] != 0)
		default:
			ties := f.video
			if d.audio {
				ties = f.audio
			}
			for out := 1; out < len(ties); out++ {
				input := ""
				if ties[out] != 0 {
					input = strconv.Itoa(ties[out])
				}
				truth[d.id+"."+strconv.Itoa(out)] = input
			}
		}
	}
	return truth
}

// Nudge implements sim.Equipment: somebody at the front panel, which every connection in a verbose
// mode hears of. A matrix has its outputs as properties, "" and "0" untie; a volume has volume and
// mute.
func (f *Frame) Nudge(id, property, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.IndexFunc(f.devices, func(d device) bool { return d.id == id })
	if at < 0 {
		return fmt.Errorf("no simulated device %q", id)
	}
	d := f.devices[at]
	var said string
	switch on, toggles := map[string]bool{"true": true, "false": false}[value]; {
	case d.records:
		state := slices.Index(transports[:], value)
		if property != "transport" || state < 0 {
			return fmt.Errorf("%s: %s %q: its transport is stop, record or pause", id, property, value)
		}
		said = f.record(state)
	case d.volume && property == "mute" && toggles:
		said = f.mute(d, on)
	case d.volume && property == "volume":
		percent, err := strconv.Atoi(value)
		if err != nil || percent < 0 || percent > 100 {
			return fmt.Errorf("%s: volume %q is not 0 to 100", id, value)
		}
		said = f.fade(d, percent)
	case d.volume:
		return fmt.Errorf("%s: %s %q: it has volume and mute", id, property, value)
	default:
		out, wrong := strconv.Atoi(property)
		in, bad := 0, error(nil)
		if value != "" {
			in, bad = strconv.Atoi(value)
		}
		if wrong != nil || bad != nil || out < 1 || out >= len(f.video) || in < 0 || in > f.inputs {
			return fmt.Errorf("%s: no output %q or input %q", id, property, value)
		}
		word := wordAll
		if d.audio {
			word = wordAudio
		} else if d.video {
			word = wordVideo
		}
		said = f.tie(in, out, word)
	}
	f.report(said, nil)
	return nil
}

// fade and mute turn the knobs of a device, and tie changes a tie. They return what is said of it.
func (f *Frame) fade(d device, percent int) string {
	if d.group == 0 {
		f.volume = percent
		return fmt.Sprintf("Vol%d", percent)
	}
	f.groups[d.group] = d.tenths(percent)
	return f.fader(d.group)
}

func (f *Frame) mute(d device, on bool) string {
	state := 0
	if on {
		state = 1
	}
	if d.group == 0 {
		f.muted = on
		return fmt.Sprintf("Amt%d", state)
	}
	f.groups[d.mute] = state
	return f.fader(d.mute)
}

func (f *Frame) fader(group int) string {
	return fmt.Sprintf("GrpmD%02d*%+06d", group, f.groups[group])
}

func (f *Frame) tie(in, out int, word string) string {
	if word != wordAudio {
		f.video[out] = in
	}
	if word != wordVideo {
		f.audio[out] = in
	}
	if f.switcher {
		return fmt.Sprintf("In%d %s", in, word)
	}
	return fmt.Sprintf("Out%d In%d %s", out, in, word)
}

// Fault implements sim.Equipment. A restart is over at once: ties and faders are kept, the verbose
// mode is not, serial ports hear the copyright line and telnet connections are dead.
func (f *Frame) Fault(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch name {
	case "", "nak", "busy", "bare":
	case "restart":
		for t := range f.talks {
			t.mode = 1
			t.pending = t.pending[:0]
			if t.tcp {
				t.hangUp()
				continue
			}
			t.say(f.copyright() + "\r\n")
		}
	default:
		return fmt.Errorf("fault %q is not known: the equipment takes %s", name, faults)
	}
	f.fault = name
	return nil
}

// copyright is how the equipment introduces itself. The sign is one byte of Latin-1, as on the wire.
func (f *Frame) copyright() string {
	return "\xA9 Copyright 2012, Extron Electronics, " + f.model() + ", V1.07, 60-1381-01"
}

func (f *Frame) model() string {
	switch {
	case slices.ContainsFunc(f.devices, func(d device) bool { return d.records }):
		return "SMP 351"
	case f.switcher:
		return "SW" + strconv.Itoa(f.inputs)
	case len(f.video) == 1:
		return "DMP 128"
	}
	return fmt.Sprintf("CrossPoint %dx%d", f.inputs, len(f.video)-1)
}

// report says to all in verbose mode 1 or 3 what has happened, but to the one who did it.
func (f *Frame) report(said string, but *talk) {
	for t := range f.talks {
		if t != but && t.in && (t.mode == 1 || t.mode == 3) {
			t.say(said + "\r\n")
		}
	}
}

// digits reads a number of a command; -1 where it is none.
func digits(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || strings.HasPrefix(text, "+") {
		return -1
	}
	return n
}
