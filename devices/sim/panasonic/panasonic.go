// Package panasonic simulates a Panasonic projector: commands between STX and ETX on its serial port,
// NTCONTROL on its network port, where it hangs up after each reply, and a lamp that takes its time.
package panasonic

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

const (
	warm  = 30 * time.Second
	cool  = 60 * time.Second
	hours = 1682
)

// Projector is the simulated projector.
type Projector struct {
	id             string
	network        bool
	user, password string
	number         string // its projector ID
	scale          func(time.Duration) time.Duration

	mu    sync.Mutex
	lamp  byte // as Q$S tells it: '0' standby, '1' being lit, '2' lit, '3' being put out
	until time.Time
	input string
	fault string
	dead  bool // the lamp did not light
}

// New makes the projector of a device.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d Panasonic projectors on one line: this simulator plays one", len(devices))
	}
	d := devices[0]
	word := func(key, usual string) string {
		if s, ok := d.With[key].(string); ok {
			return s
		}
		return usual
	}
	return &Projector{
		id: d.ID, network: strings.HasSuffix(d.Driver, "ntcontrol"), scale: o.Scale,
		user: word("user", "admin1"), password: word("password", ""), number: word("id", "01"),
		lamp: '0', input: "HD1",
	}, nil
}

func inputs() []string { return []string{"HD1", "HD2", "DL1", "DP1", "DVI", "RG1", "RG2", "VID"} }

// tick moves the state on by the clock. The caller holds mu.
func (p *Projector) tick() {
	if p.lamp != '1' && p.lamp != '3' || time.Now().Before(p.until) {
		return
	}
	switch {
	case p.lamp == '1' && p.fault == "no-lamp":
		p.lamp, p.dead = '0', true
	case p.lamp == '1':
		p.lamp = '2'
	default:
		p.lamp = '0'
	}
}

func (p *Projector) turn(on bool) {
	if on {
		p.lamp, p.until, p.dead = '1', time.Now().Add(p.scale(warm)), false
	} else {
		p.lamp, p.until = '3', time.Now().Add(p.scale(cool))
	}
}

// Serve implements sim.Stream.
func (p *Projector) Serve(ctx context.Context, conn io.ReadWriter) error {
	if p.network {
		return p.attend(ctx, conn)
	}
	return p.listen(ctx, conn)
}

// no is why a command is not carried out; each port has its own word for it.
type no int

const (
	yes no = iota
	unknown
	wrongValue
	notNow
)

// obey carries out a command.
func (p *Projector) obey(command string) (reply string, why no) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	if p.fault == "nak" {
		return "", notNow
	}
	name, value, _ := strings.Cut(command, ":")
	lit := p.lamp == '2'
	switch name {
	case "PON":
		if p.lamp == '1' || p.lamp == '3' { // "while the lamp is being controlled, PON is not accepted"
			return "", notNow
		}
		if !lit {
			p.turn(true)
		}
		return command, yes
	case "POF":
		if p.lamp == '1' || p.lamp == '3' {
			return "", notNow
		}
		if lit {
			p.turn(false)
		}
		return command, yes
	case "QPW":
		if p.lamp == '1' || lit {
			return "001", yes
		}
		return "000", yes // while it cools as well
	case "Q$S":
		if lit && p.fault == "dark" {
			return "0", yes
		}
		return string(p.lamp), yes
	case "Q$L":
		if value != "1" && value != "" {
			return "", wrongValue
		}
		return fmt.Sprintf("%06d", hours), yes
	case "QST":
		return fmt.Sprintf("%05d", hours), yes
	case "QIN", "IIS":
		return p.source(command, name, value)
	}
	return "", unknown
}

// source tells or chooses the input.
func (p *Projector) source(command, name, value string) (reply string, why no) {
	switch {
	case p.lamp != '2':
		return "", notNow
	case name == "QIN":
		return p.input, yes
	case !slices.Contains(inputs(), value):
		return "", wrongValue
	}
	p.input = value
	return command, yes
}

// wrong is the self-diagnosis.
func (p *Projector) wrong() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	bits := make([]byte, 16)
	if p.dead {
		bits[13] |= 0x10 // bit 20: lamp 1 lighting
	}
	if p.fault == "overheat" {
		bits[15] |= 0x10 // bit 4: intake air
	}
	return bits
}

// Truth implements sim.Equipment.
func (p *Projector) Truth() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	truth := map[string]string{
		p.id + ".power": map[byte]string{'0': "off", '1': "warming", '2': "on", '3': "cooling"}[p.lamp],
		p.id + ".lamp":  fmt.Sprint(hours),
	}
	if p.lamp == '2' {
		truth[p.id+".input"] = p.input
	}
	return truth
}

// Nudge implements sim.Equipment: somebody uses the remote control.
func (p *Projector) Nudge(_, property, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	switch {
	case property == "power" && value == "on":
		if p.lamp == '0' {
			p.turn(true)
		}
	case property == "power" && value == "off":
		if p.lamp == '2' {
			p.turn(false)
		}
	case property == "input" && slices.Contains(inputs(), value):
		p.input = value
	default:
		return fmt.Errorf("nobody can nudge %s to %q: power takes on, off; input takes %v", property, value, inputs())
	}
	return nil
}

// Fault implements sim.Equipment.
func (p *Projector) Fault(name string) error {
	if !slices.Contains([]string{"", "nak", "no-lamp", "overheat", "dark"}, name) {
		return fmt.Errorf("fault %q is not known: this projector takes nak, no-lamp, overheat, dark", name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault = name; name == "" {
		p.dead = false
	}
	return nil
}
