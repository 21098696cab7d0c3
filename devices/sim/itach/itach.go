// Package itach plays a Global Caché emitter on TCP, as the iTach API 1.5 has it, with equipment in
// front of its connectors that knows its own codes and nothing else: players, switchers, projectors
// and lamps that obey what reaches them and never answer.
package itach

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"lectern/devices/sim"
)

// faults lists what Fault takes.
const faults = `"" (healed), nak (every emission is refused), busy (another controller is sending), ` +
	`busy-briefly (it ends after two tries), stopped (another controller stops every emission)`

// device is a piece of equipment with an infrared receiver.
type device struct {
	id     string
	driver string
	where  string            // module:port of the emitter that it can see
	codes  map[string]string // what it does by the pulses that it knows
	state  map[string]string // what it really does
	heard  int
}

// Box is the emitter with everything before it. It implements sim.Stream.
type Box struct {
	options sim.Options
	model   string
	modules map[string]bool

	mu      sync.Mutex
	devices []*device
	fault   string
	tries   int // while busy-briefly
}

// New makes the equipment of one line. It is a sim.Factory.
func New(o sim.Options, list []sim.Device) (sim.Equipment, error) {
	b := &Box{options: o, model: "itach", modules: map[string]bool{"1": true}}
	for _, d := range list {
		module, port := text(d.With, "module", "1"), text(d.With, "port", "")
		one := &device{id: d.ID, driver: d.Driver, where: module + ":" + port, codes: make(map[string]string), state: make(map[string]string)}
		b.modules[module] = true
		b.model = text(d.With, "model", b.model)
		codes, _ := d.With["codes"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(codes)) {
			signal, err := known(fmt.Sprint(codes[name]))
			if err != nil {
				return nil, fmt.Errorf("simulated %s: code %s: %w", d.ID, name, err)
			}
			if _, twice := one.codes[signal]; !twice {
				one.codes[signal] = name
			}
		}
		switch d.Driver {
		case "itach-player":
			one.state["transport"] = "stop"
			one.state["chapter"] = "5"
		case "itach-switch":
			one.state["power"] = "false"
		case "itach-projector":
			one.state["power"], one.state["input"] = "off", ""
		}
		b.devices = append(b.devices, one)
	}
	return b, nil
}

func text(with map[string]any, key, without string) string {
	if v, ok := with[key]; ok {
		return fmt.Sprint(v)
	}
	return without
}

// known makes the signal that a receiver knows a code by: its pulses, which a receiver sees once. The
// carrier and the repetitions are the remote control's affair.
func known(code string) (string, error) {
	if rest, ok := strings.CutPrefix(code, "sendir,"); ok {
		parts := strings.SplitN(rest, ",", 6)
		if len(parts) < 6 {
			return "", fmt.Errorf("sendir is cut short: %q", code)
		}
		return spell(parts[5]), nil
	}
	var pulses []string
	for i, word := range strings.Fields(code) {
		n, err := strconv.ParseUint(word, 16, 32)
		if err != nil {
			return "", fmt.Errorf("%q is no hex", word)
		}
		if i >= 4 {
			pulses = append(pulses, strconv.FormatUint(n, 10))
		}
	}
	return strings.Join(pulses, ","), nil
}

// spell writes the letters of a compressed code out.
func spell(code string) string {
	var pairs []string // as they come
	var seen []string  // different ones
	var number, half string
	flush := func() {
		switch {
		case number == "":
		case half == "":
			half = number
		default:
			pair := half + "," + number
			if half = ""; !slices.Contains(seen, pair) {
				seen = append(seen, pair)
			}
			pairs = append(pairs, pair)
		}
		number = ""
	}
	for _, c := range code {
		switch {
		case c >= '0' && c <= '9':
			number += string(c)
		case c >= 'A' && c <= 'O':
			if flush(); int(c-'A') < len(seen) {
				pairs = append(pairs, seen[c-'A'])
			}
		default:
			flush()
		}
	}
	flush()
	return strings.Join(pairs, ",")
}

// Truth implements sim.Equipment. Beside what equipment does, "emissions" counts the codes that it
// has heard and knows.
func (b *Box) Truth() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	truth := make(map[string]string)
	for _, d := range b.devices {
		for property, value := range d.state {
			truth[d.id+"."+property] = value
		}
		truth[d.id+".emissions"] = strconv.Itoa(d.heard)
	}
	return truth
}

// Nudge implements sim.Equipment: somebody with the equipment's own remote control. Nobody hears of it.
func (b *Box) Nudge(id, property, value string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.devices {
		if d.id == id {
			d.state[property] = value
			return nil
		}
	}
	return fmt.Errorf("no simulated device %q", id)
}

// Fault implements sim.Equipment.
func (b *Box) Fault(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch name {
	case "", "nak", "busy", "busy-briefly", "stopped":
		b.fault, b.tries = name, 0
		return nil
	}
	return fmt.Errorf("fault %q is not known: the emitter takes %s", name, faults)
}

// shine lets everything before a connector see a code.
func (b *Box) shine(where, pulses string) {
	for _, d := range b.devices {
		name, ok := d.codes[pulses]
		if !ok || d.where != where {
			continue
		}
		d.heard++
		d.obey(name)
	}
}

// obey does what a button of the equipment's remote control does.
func (d *device) obey(button string) {
	switch {
	case d.driver == "itach-player":
		d.play(button)
	case button == "power-on" && d.driver == "itach-switch":
		d.state["power"] = "true"
	case button == "power-off" && d.driver == "itach-switch":
		d.state["power"] = "false"
	case button == "power-on":
		d.state["power"] = "on"
	case button == "power-off":
		d.state["power"] = "off"
	case d.driver == "itach-projector":
		d.state["input"] = button
	default:
		in, output, ok := strings.Cut(button, ">")
		if !ok {
			output = "1"
		}
		if in == "none" {
			in = ""
		}
		d.state[output] = in
	}
}

func (d *device) play(button string) {
	chapter, _ := strconv.Atoi(d.state["chapter"])
	switch button {
	case "next":
		d.state["chapter"] = strconv.Itoa(chapter + 1)
	case "previous":
		d.state["chapter"] = strconv.Itoa(max(1, chapter-1))
	case "eject":
		if d.state["transport"] == "open" {
			d.state["transport"] = "stop"
			return
		}
		d.state["transport"] = "open"
	default:
		d.state["transport"] = button
	}
}
