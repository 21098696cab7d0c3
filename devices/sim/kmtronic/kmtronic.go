// Package kmtronic plays a KMtronic relay board on RS-232, as the manual of the R2S8CR describes it:
// three bytes switch a relay and nothing answers, three others ask for the states of all, which come
// as one byte each.
package kmtronic

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"lectern/devices/sim"
)

// most is how many relays the largest board has.
const most = 8

// faults lists what Fault takes.
const faults = `"" (healed), stuck-N (relay N does not switch)`

// Board is the board on one line. It implements sim.Unit.
type Board struct {
	mu     sync.Mutex
	on     [most + 1]bool
	count  int
	mute   bool           // nothing that it says arrives
	relays map[string]int // by device id
	stuck  int            // the relay that does not switch, 0 for none
}

// New makes the board of one line. It is a sim.Factory.
func New(_ sim.Options, devices []sim.Device) (sim.Equipment, error) {
	b := &Board{relays: make(map[string]int)}
	for _, d := range devices {
		count, err := number(d, "channels", most)
		if err != nil {
			return nil, err
		}
		n, err := number(d, "relay", 0)
		if err != nil {
			return nil, err
		}
		if n > count {
			return nil, fmt.Errorf("simulated relay %s: relay %d of a board with %d", d.ID, n, count)
		}
		b.count = max(b.count, count)
		b.relays[d.ID] = n
		if d.With["feedback"] == false {
			b.mute = true
		}
	}
	return b, nil
}

// number reads a setting from 1 to most.
func number(d sim.Device, key string, without int) (int, error) {
	n := without
	if v, ok := d.With[key]; ok {
		n, _ = strconv.Atoi(fmt.Sprint(v))
	}
	if n < 1 || n > most {
		return 0, fmt.Errorf("simulated relay %s: %s %v is not 1 to %d", d.ID, key, d.With[key], most)
	}
	return n, nil
}

// Truth implements sim.Equipment.
func (b *Board) Truth() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	truth := make(map[string]string)
	for device, n := range b.relays {
		truth[device+".power"] = strconv.FormatBool(b.on[n])
	}
	return truth
}

// Nudge implements sim.Equipment: somebody else's program on the board.
func (b *Board) Nudge(device, property, value string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, ok := b.relays[device]
	if !ok {
		return fmt.Errorf("no simulated relay %q", device)
	}
	on, err := strconv.ParseBool(value)
	if property != "power" || err != nil {
		return fmt.Errorf("relay %s has no %s %q: it has power, true or false", device, property, value)
	}
	b.on[n] = on
	return nil
}

// Fault implements sim.Equipment.
func (b *Board) Fault(name string) error {
	stuck := 0
	if name != "" {
		number, ok := strings.CutPrefix(name, "stuck-")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 1 || n > most {
			return fmt.Errorf("fault %q is not known: a board takes %s", name, faults)
		}
		stuck = n
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stuck = stuck
	return nil
}

// Frame implements sim.Unit. Commands that came without a pause between them are all carried out.
func (b *Board) Frame(frame []byte) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	var reply []byte
	for len(frame) >= 3 {
		if frame[0] != 0xFF {
			frame = frame[1:]
			continue
		}
		reply = append(reply, b.command(frame[1], frame[2])...)
		frame = frame[3:]
	}
	if b.mute {
		return nil
	}
	return reply
}

func (b *Board) command(what, value byte) []byte {
	switch {
	case what >= 1 && int(what) <= b.count && value <= 1:
		b.set(int(what), value == 1)
	case what == 0x09 && value == 0:
		states := make([]byte, b.count)
		for i := range states {
			if b.on[i+1] {
				states[i] = 1
			}
		}
		return states
	case what == 0x0A: // all at once, relay 1 being the lowest bit
		for i := range b.count {
			b.set(i+1, value>>i&1 == 1)
		}
	}
	return nil
}

func (b *Board) set(n int, on bool) {
	if b.stuck != n {
		b.on[n] = on
	}
}
