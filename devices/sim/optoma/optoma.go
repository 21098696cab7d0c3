// Package optoma simulates an Optoma projector: commands with a number in front, P and F, answers
// that do not say what they answer, and INFO lines about its lamp.
package optoma

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"lectern/devices/sim"
	"lectern/devices/sim/beam"
)

const lineMost = 64

// Projector is the simulated projector.
type Projector struct {
	*beam.Beam
	number string
	older  bool // it never says that it is ready
	told   map[string]string
}

// New makes the projector of a device.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d projectors on one line: their answers could not be told apart", len(devices))
	}
	p := &Projector{Beam: beam.New(o, devices[0].ID, "1", "15", "16", "2", "5", "6", "10", "18", "20", "21", "22"), number: "01", told: told()}
	others, _ := devices[0].With["inputs"].(map[string]any)
	for code, as := range others { // a model that tells them otherwise than most
		p.told[code] = fmt.Sprint(as)
	}
	if id, ok := devices[0].With["id"].(int); ok && id > 0 {
		p.number = fmt.Sprintf("%02d", id)
	}
	return p, nil
}

// NewOlder makes a projector as New does, but of the models that never say INFO24.
func NewOlder(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	made, err := New(o, devices)
	if err != nil {
		return nil, err
	}
	made.(*Projector).older = true
	return made, nil
}

// told is what question 121 tells of the inputs of most models.
func told() map[string]string {
	return map[string]string{
		"1": "7", "15": "8", "16": "14", "2": "1", "5": "2", "6": "3", "10": "5", "18": "12", "20": "15", "21": "16", "22": "18",
	}
}

// Serve implements sim.Stream.
func (p *Projector) Serve(ctx context.Context, conn io.ReadWriter) error {
	ctx, cancel := context.WithCancel(ctx)
	var speaking sync.WaitGroup
	defer speaking.Wait()
	defer cancel()
	var one sync.Mutex // one line at a time
	say := func(text string) error {
		one.Lock()
		defer one.Unlock()
		_, err := io.WriteString(conn, text+"\r")
		return err //nolint:wrapcheck // the end of a connection
	}
	speaking.Go(func() {
		for power := p.Power(); ctx.Err() == nil; {
			was := power
			if power = p.Await(ctx, was); power == was {
				return
			}
			for _, n := range p.news(was, power) {
				if say("INFO"+n) != nil {
					return
				}
			}
		}
	})
	var text []byte
	buf := make([]byte, 64)
	for {
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
			answer := p.obey(string(text))
			text = text[:0]
			if answer == "" {
				continue
			}
			if err := say(answer); err != nil {
				return err
			}
		}
	}
}

// news is what the projector says by itself of a change of its lamp.
func (p *Projector) news(was, power string) []string {
	switch {
	case power == beam.Warming:
		return []string{"1"}
	case power == beam.On && p.older:
		return nil
	case power == beam.On:
		return []string{"24"}
	case power == beam.Cooling:
		return []string{"2"}
	case was == beam.Warming: // the lamp has not lit
		return []string{"4", "0"}
	}
	return []string{"0"}
}

const (
	done    = "P"
	refused = "F"
)

// obey carries out a command and returns the answer, "" for one to another projector.
func (p *Projector) obey(text string) string {
	if len(text) < 5 || text[0] != '~' {
		return refused
	}
	number, rest := text[1:3], text[3:]
	if number != "00" && number != p.number {
		return ""
	}
	code, value, ok := strings.Cut(rest, " ")
	if !ok || p.Faulty() == beam.Nak {
		return refused
	}
	power := p.Power()
	switch {
	case code == "00" && (value == "0" || value == "1"):
		on := value == "1"
		if is := power == beam.On || power == beam.Warming; is == on || !p.Turn(on) {
			return refused // what is so already is refused as well
		}
		return done
	case code == "124":
		if power == beam.On || power == beam.Warming {
			return "Ok1"
		}
		return "Ok0"
	case power != beam.On:
		return refused
	case code == "12" && p.Has(value) && value != p.Input():
		p.Choose(value)
		return done
	case code == "121":
		return "Ok" + p.told[p.Input()]
	case code == "108":
		return fmt.Sprintf("Ok%07d/%07d", p.Hours()-34, 34)
	case code == "151":
		return "OkSimulated"
	}
	return refused
}
