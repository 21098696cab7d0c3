// Package pjlink simulates a projector with PJLink class 1 and 2: greeting and digest, power that
// takes its time, inputs, lamp hours, and a connection that is closed after thirty idle seconds.
package pjlink

import (
	"context"
	"crypto/md5" //nolint:gosec // the specification demands it
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

const (
	warm     = 30 * time.Second
	cool     = 60 * time.Second
	idleMost = 30 * time.Second
	lineMost = 136
)

// Projector is the simulated projector.
type Projector struct {
	id       string
	password string
	scale    func(time.Duration) time.Duration

	mu    sync.Mutex
	power byte // '0' standby, '1' on, '2' cooling, '3' warm-up
	until time.Time
	input string
	muted string
	hours int
	fault string
	error bool // the lamp has failed
}

// New makes the projector of a device.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d projectors at one address", len(devices))
	}
	password, _ := devices[0].With["password"].(string)
	return &Projector{id: devices[0].ID, password: password, scale: o.Scale, power: '0', input: "31", muted: "30", hours: 321}, nil
}

func inputs() []string { return []string{"11", "12", "21", "31", "32", "33", "51", "6A"} }

// tick moves the state on by the clock. The caller holds mu.
func (p *Projector) tick() {
	if (p.power == '2' || p.power == '3') && !time.Now().Before(p.until) {
		switch {
		case p.power == '3' && p.fault == "no-lamp":
			p.power, p.error = '0', true
		case p.power == '3':
			p.power = '1'
		default:
			p.power = '0'
		}
	}
}

func (p *Projector) turn(on bool) {
	if on {
		p.power, p.until, p.error = '3', time.Now().Add(p.scale(warm)), false
	} else {
		p.power, p.until = '2', time.Now().Add(p.scale(cool))
	}
}

// Serve implements sim.Stream.
func (p *Projector) Serve(ctx context.Context, conn io.ReadWriter) error {
	digest, greeting := "", "PJLINK 0\r"
	if p.password != "" {
		random := fmt.Sprintf("%08x", rand.Uint32())
		digest = fmt.Sprintf("%x", md5.Sum([]byte(random+p.password))) //nolint:gosec // as above
		greeting = "PJLINK 1 " + random + "\r"
	}
	if _, err := io.WriteString(conn, greeting); err != nil {
		return err //nolint:wrapcheck // the end of a connection
	}
	closer, _ := conn.(net.Conn)
	var text []byte
	buf := make([]byte, 64)
	for ctx.Err() == nil {
		if closer != nil {
			_ = closer.SetReadDeadline(time.Now().Add(idleMost))
		}
		n, err := conn.Read(buf)
		if err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
		for _, b := range buf[:n] {
			if b != '\r' {
				if len(text) <= lineMost {
					text = append(text, b)
				}
				continue
			}
			command := string(text)
			text = text[:0]
			if digest != "" {
				rest, ok := strings.CutPrefix(command, digest)
				if !ok {
					_, err := io.WriteString(conn, "PJLINK ERRA\r")
					return err //nolint:wrapcheck // the end of a connection
				}
				command, digest = rest, "" // only the first command of a connection carries it
			}
			if reply := p.obey(command); reply != "" {
				if _, err := io.WriteString(conn, reply+"\r"); err != nil {
					return err //nolint:wrapcheck // the end of a connection
				}
			}
		}
	}
	return nil
}

// obey answers one line; a malformed one is not answered.
func (p *Projector) obey(text string) string {
	if len(text) < 8 || len(text) > lineMost || text[0] != '%' || text[6] != ' ' || (text[1] != '1' && text[1] != '2') {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	class, body, parameter := text[1], strings.ToUpper(text[2:6]), text[7:]
	head := "%" + string(class) + body + "="
	if p.fault == "nak" {
		return head + "ERR4"
	}
	return head + p.answer(class, body, parameter)
}

func (p *Projector) answer(class byte, body, parameter string) string {
	on := p.power == '1'
	switch body + " " + parameter {
	case "POWR ?":
		return string(p.power)
	case "POWR 1":
		if p.power == '2' {
			return "ERR3"
		}
		if p.power == '0' {
			p.turn(true)
		}
		return "OK"
	case "POWR 0":
		if p.power == '3' {
			return "ERR3"
		}
		if on {
			p.turn(false)
		}
		return "OK"
	case "CLSS ?":
		return "2"
	case "NAME ?":
		return "Simulated"
	case "INF1 ?", "INF2 ?", "INFO ?":
		return "Lectern"
	case "LAMP ?":
		return fmt.Sprintf("%d %s", p.hours, map[bool]string{true: "1", false: "0"}[on])
	case "INST ?":
		if class == '1' {
			return strings.Join(inputs()[:len(inputs())-1], " ")
		}
		return strings.Join(inputs(), " ")
	case "ERST ?":
		switch {
		case p.error:
			return "020000"
		case p.fault == "overheat":
			return "002000"
		}
		return "000000"
	case "INPT ?":
		if !on {
			return "ERR3"
		}
		return p.input
	case "AVMT ?":
		if !on {
			return "ERR3"
		}
		return p.muted
	}
	switch body {
	case "INPT":
		if !slices.Contains(inputs(), parameter) || class == '1' && parameter == "6A" {
			return "ERR2"
		}
		if !on {
			return "ERR3"
		}
		p.input = parameter
		return "OK"
	case "AVMT":
		if !slices.Contains([]string{"10", "11", "20", "21", "30", "31"}, parameter) {
			return "ERR2"
		}
		if !on {
			return "ERR3"
		}
		p.muted = parameter
		return "OK"
	case "POWR", "CLSS", "LAMP", "INST", "ERST":
		return "ERR2"
	}
	return "ERR1"
}

// Truth implements sim.Equipment.
func (p *Projector) Truth() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tick()
	truth := map[string]string{
		p.id + ".power": map[byte]string{'0': "off", '1': "on", '2': "cooling", '3': "warming"}[p.power],
		p.id + ".lamp":  fmt.Sprint(p.hours),
	}
	if p.power == '1' {
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
		if p.power == '0' {
			p.turn(true)
		}
	case property == "power" && value == "off":
		if p.power == '1' {
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
	if !slices.Contains([]string{"", "nak", "no-lamp", "overheat"}, name) {
		return fmt.Errorf("fault %q is not known: this projector takes nak, no-lamp, overheat", name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault = name; name == "" {
		p.error = false
	}
	return nil
}
