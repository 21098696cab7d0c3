// Package benq simulates a BenQ projector: commands between carriage returns, a prompt and an echo on
// its serial port and neither on its socket, answers in capitals, and a power that is said to be OFF
// as soon as the lamp begins to cool.
package benq

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"

	"lectern/devices/sim"
	"lectern/devices/sim/beam"
)

const lineMost = 64

// Projector is the simulated projector.
type Projector struct {
	*beam.Beam
	echo string
}

// New makes the projector of a device.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d projectors on one line: BenQ's protocol addresses none", len(devices))
	}
	echo, _ := devices[0].With["echo"].(string)
	return &Projector{Beam: beam.New(o, devices[0].ID, "hdmi", "hdmi2", "rgb", "rgb2", "vid", "svid", "network"), echo: echo}, nil
}

// Serve implements sim.Stream.
func (p *Projector) Serve(ctx context.Context, conn io.ReadWriter) error {
	_, network := conn.(net.Conn)
	var text []byte
	buf := make([]byte, 64)
	for ctx.Err() == nil {
		n, err := conn.Read(buf)
		if err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
		for _, c := range buf[:n] {
			if c != '\r' {
				if len(text) < lineMost {
					text = append(text, c)
				}
				continue
			}
			out := p.hear(string(text), network)
			text = text[:0]
			if _, err := io.WriteString(conn, out); err != nil {
				return err //nolint:wrapcheck // the end of a connection
			}
		}
	}
	return nil
}

// hear takes what stood before a carriage return and returns all that the projector says to it.
func (p *Projector) hear(text string, network bool) string {
	prompt := ">"
	if network {
		prompt = ""
	}
	if text == "" {
		return prompt
	}
	var out strings.Builder
	if p.echo != "no" && (!network || p.echo == "yes") {
		out.WriteString(prompt + text + "\r\n")
	}
	out.WriteString("*" + p.obey(text) + "#\r\n" + prompt)
	return out.String()
}

const (
	illegal     = "Illegal format"
	unsupported = "Unsupported item"
	blocked     = "Block item"
)

// obey carries out a command and returns the answer without its star and hash.
func (p *Projector) obey(text string) string {
	if !strings.HasPrefix(text, "*") || !strings.HasSuffix(text, "#") {
		return illegal
	}
	name, value, ok := strings.Cut(strings.ToLower(strings.Trim(text, "*#")), "=")
	if !ok {
		return illegal
	}
	if p.Faulty() == beam.Nak {
		return blocked
	}
	power := p.Power()
	said := func(value string) string { return strings.ToUpper(name + "=" + value) }
	switch name {
	case "pow":
		return p.obeyPower(power, value)
	case "sour", "ltim", "modelname", "blank", "freeze", "mute", "vol":
		if power != beam.On {
			return blocked
		}
	}
	switch {
	case name == "sour" && value == "?":
		return said(p.Input())
	case name == "sour" && p.Has(value):
		p.Choose(value)
		return said(value)
	case name == "ltim" && value == "?":
		return said(fmt.Sprint(p.Hours()))
	case name == "modelname" && value == "?":
		return said("SIMULATED")
	}
	return unsupported
}

// obeyPower does what has to do with the power. OFF is said as soon as it is on its way there.
func (p *Projector) obeyPower(power, value string) string {
	switch value {
	case "?":
		if power == beam.On || power == beam.Warming {
			return "POW=ON"
		}
		return "POW=OFF"
	case "on", "off":
		if !p.Turn(value == "on") {
			return blocked
		}
		return "POW=" + strings.ToUpper(value)
	}
	return unsupported
}
