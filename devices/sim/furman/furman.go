// Package furman plays Furman CN-1800S and CN-2400S SmartSequencers in a chain, as their
// communication protocol describes them: three banks each, sequences that are acknowledged at the
// start and announced at the end, and events for those who have enabled them.
package furman

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

const (
	// longest is what a unit's receive buffer holds.
	longest = 32
	// step is the delay from one bank to the next, as DIP switches may set it.
	step  = 3 * time.Second
	banks = 3
)

// faults lists what Fault takes.
const faults = `"" (healed), stuck-N (bank N of every unit is acknowledged and does not switch), ` +
	`deaf (the key switch is not at REMOTE: nothing is answered)`

// unit is one sequencer.
type unit struct {
	on     [banks + 1]bool
	events bool
	run    *time.Timer // the next step of a sequence; nil while there is none
}

// place is where a device of the room file hangs; bank 0 is all of a unit.
type place struct{ unit, bank int }

// Chain is the units on one line. It implements sim.Stream.
type Chain struct {
	options sim.Options
	lines   sim.Lines

	mu     sync.Mutex
	units  map[int]*unit
	places map[string]place
	deaf   bool
	stuck  int
}

// New makes the chain of one line. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	c := &Chain{options: o, units: make(map[int]*unit), places: make(map[string]place)}
	for _, d := range devices {
		p := place{}
		for key, into := range map[string]*int{"unit": &p.unit, "bank": &p.bank} {
			if v, given := d.With[key]; given {
				n, err := strconv.Atoi(fmt.Sprint(v))
				if err != nil || n < 0 || n > 99 {
					return nil, fmt.Errorf("simulated bank %s: %s %v is not a number", d.ID, key, v)
				}
				*into = n
			}
		}
		if p.bank > banks || p.bank == 0 && d.With["sequence"] != true {
			return nil, fmt.Errorf("simulated bank %s: it is none of %d and no sequence", d.ID, banks)
		}
		if c.units[p.unit] == nil {
			c.units[p.unit] = &unit{}
		}
		c.places[d.ID] = p
	}
	return c, nil
}

// Serve implements sim.Stream.
func (c *Chain) Serve(ctx context.Context, conn io.ReadWriter) error {
	return c.lines.Serve(ctx, conn, longest, c.obey) //nolint:wrapcheck // says it all
}

// Truth implements sim.Equipment. All banks of a unit together are "some" while only some are on.
func (c *Chain) Truth() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	truth := make(map[string]string)
	for device, p := range c.places {
		u := c.units[p.unit]
		if p.bank > 0 {
			truth[device+".power"] = strconv.FormatBool(u.on[p.bank])
			continue
		}
		on := 0
		for _, is := range u.on[1:] {
			if is {
				on++
			}
		}
		truth[device+".power"] = [banks + 1]string{"false", "some", "some", "true"}[on]
	}
	return truth
}

// Nudge implements sim.Equipment: power is somebody at the unit's own button, events "off" is the
// unit having lost its mains for a moment.
func (c *Chain) Nudge(device, property, value string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.places[device]
	if !ok {
		return fmt.Errorf("no simulated bank %q", device)
	}
	if property == "events" {
		c.units[p.unit].events = value == "on"
		return nil
	}
	on, err := strconv.ParseBool(value)
	if property != "power" || err != nil {
		return fmt.Errorf("bank %s has no %s %q: it has power (true, false) and events (on, off)", device, property, value)
	}
	for n := 1; n <= banks; n++ {
		if p.bank == 0 || p.bank == n {
			c.set(p.unit, n, on)
		}
	}
	return nil
}

// Fault implements sim.Equipment.
func (c *Chain) Fault(name string) error {
	stuck := 0
	if number, ok := strings.CutPrefix(name, "stuck-"); ok {
		stuck, _ = strconv.Atoi(number)
	}
	if name != "" && name != "deaf" && (stuck < 1 || stuck > banks) {
		return fmt.Errorf("fault %q is not known: sequencers take %s", name, faults)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf, c.stuck = name == "deaf", stuck
	return nil
}

// set switches a bank, and says so where it was otherwise before. The wording of events is not in the
// protocol; that they begin with an asterisk is. The caller holds mu.
func (c *Chain) set(number, bank int, on bool) {
	u := c.units[number]
	if c.stuck == bank || u.on[bank] == on {
		return
	}
	u.on[bank] = on
	if u.events {
		c.lines.Say(fmt.Sprintf("*%d BANK%d=%s\r", number, bank, onOff(on)))
	}
}

func onOff(on bool) string { return map[bool]string{true: "ON", false: "OFF"}[on] }

// stop ends a unit's sequence. The caller holds mu.
func (u *unit) stop() {
	if u.run != nil {
		u.run.Stop()
		u.run = nil
	}
}

// sequence switches the banks of a unit one after the other, off in the reverse order, and tells when
// it is done. The caller holds mu.
func (c *Chain) sequence(number int, on bool) {
	u := c.units[number]
	u.stop()
	next := 1
	var mine *time.Timer
	mine = time.AfterFunc(c.options.Scale(step), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if u.run != mine {
			return // a newer command came in the same moment
		}
		bank := next
		if !on {
			bank = banks + 1 - next
		}
		c.set(number, bank, on)
		if next++; next <= banks {
			mine.Reset(c.options.Scale(step))
			return
		}
		u.run = nil
		c.lines.Say("$SEQ_" + onOff(on) + "_DONE\r")
	})
	u.run = mine
}

// obey carries out a command and returns the answer. What is not understood is not answered.
func (c *Chain) obey(command string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	words := strings.Fields(command)
	if c.deaf || len(words) < 2 || len(words[0]) < 2 {
		return ""
	}
	number, err := strconv.Atoi(words[1])
	u := c.units[number]
	if err != nil || u == nil {
		return ""
	}
	acknowledged := fmt.Sprintf("$ACK %d,%s\r", number, words[0][1:])
	switch {
	case words[0] == "?BANK_STAT" && len(words) == 2:
		return fmt.Sprintf("$ACK %d BANK_STAT\rBANK1=%s\rBANK2=%s\rBANK3=%s\r\x04",
			number, onOff(u.on[1]), onOff(u.on[2]), onOff(u.on[3]))
	case (words[0] == "!SEQ_ON" || words[0] == "!SEQ_OFF") && len(words) == 2:
		c.sequence(number, words[0] == "!SEQ_ON")
	case (words[0] == "!BANK_ON" || words[0] == "!BANK_OFF") && len(words) == 3:
		bank, err := strconv.Atoi(words[2])
		if err != nil || bank < 1 || bank > banks {
			return ""
		}
		u.stop()
		c.set(number, bank, words[0] == "!BANK_ON")
	case words[0] == "!ALL_OFF" && len(words) == 2:
		u.stop()
		for bank := 1; bank <= banks; bank++ {
			c.set(number, bank, false)
		}
	case (words[0] == "!EVENTS_ENABLE" || words[0] == "!EVENTS_DISABLE") && len(words) == 2:
		u.events = words[0] == "!EVENTS_ENABLE"
	default:
		return ""
	}
	return acknowledged
}
