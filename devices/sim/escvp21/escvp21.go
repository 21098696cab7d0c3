// Package escvp21 simulates an Epson business projector: ESC/VP21 on its serial port, ESC/VP.net on
// its socket. The lamp takes its time; the colon after PWR ON comes when it burns.
package escvp21

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

const (
	warmTime = 30 * time.Second
	coolTime = 60 * time.Second
	lineMost = 128
)

// Projector is the simulated projector.
type Projector struct {
	id    string
	scale func(time.Duration) time.Duration

	mu      sync.Mutex
	state   string // off, warming, on, cooling, fault
	until   time.Time
	input   string
	lamp    int
	fault   string
	moved   chan struct{} // closed when the state changes
	failure string        // code of ERR?
}

// New makes the projector of a device.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d projectors on one line: ESC/VP21 addresses none", len(devices))
	}
	return &Projector{id: devices[0].ID, scale: o.Scale, state: "off", input: "30", lamp: 1234, moved: make(chan struct{})}, nil
}

// advance moves the state on by the clock. The caller holds mu.
func (p *Projector) advance() {
	now := time.Now()
	for (p.state == "warming" || p.state == "cooling") && !now.Before(p.until) {
		switch {
		case p.state == "warming" && p.fault == "no-lamp":
			p.become("fault", 0)
			p.failure = "03"
		case p.state == "warming":
			p.become("on", 0)
		default:
			p.become("off", 0)
		}
	}
}

func (p *Projector) become(state string, d time.Duration) {
	p.state, p.until = state, time.Now().Add(p.scale(d))
	close(p.moved)
	p.moved = make(chan struct{})
}

// Serve implements sim.Stream.
func (p *Projector) Serve(ctx context.Context, conn io.ReadWriter) error {
	if _, tcp := conn.(net.Conn); tcp {
		hello := make([]byte, 16)
		if _, err := io.ReadFull(conn, hello); err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
		reply := append([]byte("ESC/VP.net"), 0x10, 0x03, 0, 0, 0x20, 0)
		if !bytes.Equal(hello[:10], reply[:10]) {
			return nil // not ours: the real one closes
		}
		if _, err := conn.Write(reply); err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
	}
	var command []byte
	buf := make([]byte, 64)
	for ctx.Err() == nil {
		n, err := conn.Read(buf)
		if err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
		for _, b := range buf[:n] {
			if b != '\r' {
				if len(command) < lineMost && b != '\n' {
					command = append(command, b)
				}
				continue
			}
			reply := p.obey(ctx, string(command))
			command = command[:0]
			if reply == "" {
				continue
			}
			if _, err := io.WriteString(conn, reply); err != nil {
				return err //nolint:wrapcheck // the end of a connection
			}
		}
	}
	return nil
}

const refused = "ERR\r:"

// obey carries out a command and returns what the projector answers, when it does.
func (p *Projector) obey(ctx context.Context, command string) string {
	p.mu.Lock()
	p.advance()
	state, fault := p.state, p.fault
	p.mu.Unlock()
	switch {
	case fault == "abnormal":
		return "" // no colon at all in an abnormal state
	case command == "":
		return ":"
	case fault == "nak":
		return refused
	case command == "PWR ON":
		return p.powerOn(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	name, argument, _ := strings.Cut(command, " ")
	on := state == "on"
	switch {
	case command == "PWR?":
		return "PWR=" + map[string]string{"off": "04", "warming": "02", "on": "01", "cooling": "03", "fault": "05"}[state] + "\r:"
	case command == "PWR OFF":
		if state == "warming" {
			return refused
		}
		if on {
			p.become("cooling", coolTime)
		}
		return ":"
	case command == "ERR?":
		code := p.failure
		if code == "" {
			code = "00"
		}
		if fault == "overheat" {
			code = "04"
		}
		return "ERR=" + code + "\r:"
	case command == "LAMP?" && on:
		return fmt.Sprintf("LAMP=%d\r:", p.lamp)
	case command == "SOURCE?" && on:
		return "SOURCE=" + p.input + "\r:"
	case name == "SOURCE" && on && slices.Contains(inputs(), argument):
		p.input = argument
		return ":"
	}
	return refused
}

func inputs() []string {
	return []string{"10", "11", "14", "1F", "21", "30", "41", "42", "52", "53", "56", "60", "70", "80", "A0", "C0"}
}

// powerOn strikes the lamp and answers when it burns.
func (p *Projector) powerOn(ctx context.Context) string {
	p.mu.Lock()
	switch p.state {
	case "cooling":
		p.mu.Unlock()
		return refused
	case "off", "fault":
		p.failure = ""
		p.become("warming", warmTime)
	}
	for p.state == "warming" {
		wait, moved := time.Until(p.until), p.moved
		p.mu.Unlock()
		timer := time.NewTimer(max(wait, time.Millisecond))
		select {
		case <-timer.C:
		case <-moved:
		case <-ctx.Done():
			timer.Stop()
			return ""
		}
		timer.Stop()
		p.mu.Lock()
		p.advance()
	}
	defer p.mu.Unlock()
	if p.state == "fault" {
		return "" // an abnormal state: no colon
	}
	return ":"
}

// Truth implements sim.Equipment.
func (p *Projector) Truth() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	power := p.state
	if power == "fault" {
		power = "off"
	}
	truth := map[string]string{p.id + ".power": power, p.id + ".lamp": fmt.Sprint(p.lamp)}
	if power == "on" {
		truth[p.id+".input"] = p.input
	}
	return truth
}

// Nudge implements sim.Equipment: somebody uses the remote control, or lamp hours pass.
func (p *Projector) Nudge(_, property, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.advance()
	switch {
	case property == "power" && value == "on":
		if p.state == "off" || p.state == "fault" {
			p.become("warming", warmTime)
		}
	case property == "power" && value == "off":
		if p.state == "on" {
			p.become("cooling", coolTime)
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
	if !slices.Contains([]string{"", "nak", "no-lamp", "overheat", "abnormal"}, name) {
		return fmt.Errorf("fault %q is not known: this projector takes nak, no-lamp, overheat, abnormal", name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = name
	if name == "" {
		p.failure = ""
		if p.state == "fault" {
			p.become("off", 0)
		}
	}
	return nil
}
