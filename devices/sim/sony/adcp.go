package sony

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"

	"lectern/devices/sim/beam"
)

const lineMost = 256

// ADCP is the simulated projector that speaks lines of text.
type ADCP struct {
	*beam.Beam
	password string
	spaced   bool
}

var errStranger = errors.New("wrong password")

// Serve implements sim.Stream.
func (p *ADCP) Serve(ctx context.Context, conn io.ReadWriter) error {
	say := func(text string) error {
		_, err := io.WriteString(conn, text+"\r\n")
		return err //nolint:wrapcheck // the end of a connection
	}
	due := "" // the digest that must come first
	if _, network := conn.(net.Conn); network {
		hello := "NOKEY"
		if p.password != "" {
			hello = fmt.Sprintf("%08x", rand.Uint32())
			salted := hello + p.password
			if p.spaced {
				salted = hello + " " + p.password
			}
			due = fmt.Sprintf("%x", sha256.Sum256([]byte(salted)))
		}
		if err := say(hello); err != nil {
			return err
		}
	}
	var text []byte
	return listen(ctx, conn, idleMost, func(b byte) error {
		if b != '\n' {
			if len(text) < lineMost && b != '\r' {
				text = append(text, b)
			}
			return nil
		}
		got := string(text)
		text = text[:0]
		switch {
		case due == "":
			return say(p.obey(got))
		case got == due:
			due = ""
			return say("ok")
		}
		_ = say("err_auth")
		return errStranger
	})
}

// obey carries out a line and returns the answer.
func (p *ADCP) obey(text string) string {
	name, argument, _ := strings.Cut(text, " ")
	if p.Faulty() == beam.Nak {
		return "err_inactive"
	}
	power := p.Power()
	value := strings.Trim(argument, `"`)
	if argument != "?" && value == argument {
		return "err_option" // words stand in quotes
	}
	switch name {
	case "power_status":
		return map[string]string{beam.Off: `"standby"`, beam.Warming: `"startup"`, beam.On: `"on"`, beam.Cooling: `"cooling1"`}[power]
	case "error":
		switch errorBits(p.Beam) {
		case 0x01:
			return `["err_light_src"]`
		case 0x08:
			return `["err_temp"]`
		}
		return `["no_err"]`
	case "power":
		switch {
		case value != "on" && value != "off":
			return "err_val"
		case !p.Turn(value == "on"):
			return "err_inactive"
		}
		return "ok"
	case "timer":
		return fmt.Sprintf(`[{"operation":%d},{"light_src":%d}]`, p.Hours()+100, p.Hours())
	case "input":
	default:
		return "err_cmd"
	}
	switch {
	case power != beam.On:
		return "err_inactive"
	case argument == "?":
		return fmt.Sprintf("%q", p.Input())
	case !p.Has(value):
		return "err_val"
	}
	p.Choose(value)
	return "ok"
}
