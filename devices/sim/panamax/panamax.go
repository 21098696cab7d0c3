// Package panamax plays a Panamax M4315-PRO power manager, as its user guide describes it: eight
// outlets that are switched one by one, or all by stored delays, and that are spoken of - in answer
// and unasked - only while feedback is on.
package panamax

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

// longest is what the unit's buffer holds.
const longest = 32

// The delays that a unit comes with, in seconds.
var (
	onDelays  = []int{1, 2, 3, 4, 5, 6, 7, 12}
	offDelays = []int{16, 15, 14, 13, 12, 11, 6, 1}
)

// faults lists what Fault takes.
const faults = `"" (healed), nak (every command is answered $INVALID_PARAMETER), stuck-N (outlet N does not switch), ` +
	`terse (a switch that changes nothing is not answered)`

// outlet is one outlet.
type outlet struct {
	on       bool
	onDelay  time.Duration
	offDelay time.Duration
	later    *time.Timer // switches it by its delay; nil for none
}

// Manager is the unit on one line. It implements sim.Stream.
type Manager struct {
	options sim.Options
	lines   sim.Lines

	mu       sync.Mutex
	outlets  []*outlet      // from 0
	devices  map[string]int // the outlet of each device from 1, 0 for all
	feedback bool
	linefeed bool
	fault    string
	stuck    int
}

// New makes the unit of one line. It is a sim.Factory.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	m := &Manager{options: o, devices: make(map[string]int)}
	count := 8
	for _, d := range devices {
		n := 0
		for key, into := range map[string]*int{"outlet": &n, "outlets": &count} {
			v, given := d.With[key]
			if !given {
				continue
			}
			i, err := strconv.Atoi(fmt.Sprint(v))
			if err != nil || i < 1 || i > 16 {
				return nil, fmt.Errorf("simulated outlet %s: %s %v is not 1 to 16", d.ID, key, v)
			}
			*into = i
		}
		if n == 0 && d.With["sequence"] != true || n > count {
			return nil, fmt.Errorf("simulated outlet %s: it is none of %d and no sequence", d.ID, count)
		}
		m.devices[d.ID] = n
	}
	for i := range count {
		m.outlets = append(m.outlets, &outlet{
			onDelay: time.Duration(onDelays[i%8]) * time.Second, offDelay: time.Duration(offDelays[i%8]) * time.Second,
		})
	}
	return m, nil
}

// Serve implements sim.Stream.
func (m *Manager) Serve(ctx context.Context, conn io.ReadWriter) error {
	return m.lines.Serve(ctx, conn, longest, m.obey) //nolint:wrapcheck // says it all
}

// Truth implements sim.Equipment. All outlets together are "some" while only some are on.
func (m *Manager) Truth() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	truth := make(map[string]string)
	for device, n := range m.devices {
		if n > 0 {
			truth[device+".power"] = strconv.FormatBool(m.outlets[n-1].on)
			continue
		}
		on := 0
		for _, o := range m.outlets {
			if o.on {
				on++
			}
		}
		truth[device+".power"] = map[int]string{0: "false", len(m.outlets): "true"}[on]
		if truth[device+".power"] == "" {
			truth[device+".power"] = "some"
		}
	}
	return truth
}

// Nudge implements sim.Equipment: power is somebody at the unit's own web page, feedback "off" is the
// unit having lost its mains for a moment.
func (m *Manager) Nudge(device, property, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n, ok := m.devices[device]
	if !ok {
		return fmt.Errorf("no simulated outlet %q", device)
	}
	if property == "feedback" {
		m.feedback = value == "on"
		return nil
	}
	on, err := strconv.ParseBool(value)
	if property != "power" || err != nil {
		return fmt.Errorf("outlet %s has no %s %q: it has power (true, false) and feedback (on, off)", device, property, value)
	}
	for i := range m.outlets {
		if n == 0 || n == i+1 {
			m.set(i, on, true)
		}
	}
	return nil
}

// Fault implements sim.Equipment.
func (m *Manager) Fault(name string) error {
	stuck := 0
	if number, ok := strings.CutPrefix(name, "stuck-"); ok {
		stuck, _ = strconv.Atoi(number)
	}
	switch {
	case name == "", name == "nak", name == "terse", stuck > 0:
	default:
		return fmt.Errorf("fault %q is not known: a power manager takes %s", name, faults)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault, m.stuck = name, stuck
	return nil
}

// set switches an outlet at once, and says so where it was otherwise before. The caller holds mu.
func (m *Manager) set(i int, on, aloud bool) {
	o := m.outlets[i]
	if o.later != nil {
		o.later.Stop()
		o.later = nil
	}
	if m.stuck == i+1 || o.on == on {
		return
	}
	o.on = on
	if aloud && m.feedback {
		m.lines.Say(m.end(m.state(i)))
	}
}

// sequence begins to switch everything by the stored delays. The caller holds mu.
func (m *Manager) sequence(on bool) {
	for i, o := range m.outlets {
		delay := o.offDelay
		if on {
			delay = o.onDelay
		}
		if o.later != nil {
			o.later.Stop()
		}
		var mine *time.Timer
		mine = time.AfterFunc(m.options.Scale(delay), func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			if o.later == mine { // else a newer command came in the same moment
				m.set(i, on, true)
			}
		})
		o.later = mine
	}
}
