package pjlink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	port = "4352" // of PJLink, TCP and UDP
	// SearchTime is how long answers to a search are to be waited for: a projector takes up to ten
	// seconds of its own choice (PJLink class 2, section 4, which collects for thirty).
	SearchTime = 30 * time.Second
)

// probe asks a projector what it is. Its questions are of class 1, which every projector knows.
func probe() *devices.Probe {
	return &devices.Probe{
		Protocol: "PJLink",
		Session: func(settings any) line.Session {
			p := &Projector{set: *settings.(*Settings)}
			return line.Session{Name: "PJLink", Split: split, Explain: explain, Greet: func(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
				err := p.greet(ctx, do)
				if errors.Is(err, errLocked) || errors.Is(err, errPassword) {
					return nil // it is a projector all the same, and what is asked of it next says so
				}
				return err
			}}
		},
		Look: func(ctx context.Context, l devices.Looking) error {
			what, err := describe(ctx, &Projector{line: l.Line, set: *l.Settings.(*Settings)})
			if err != nil {
				return err
			}
			l.Found("", what)
			return nil
		},
	}
}

// describe asks for class, name, maker, model and power.
func describe(ctx context.Context, p *Projector) (string, error) {
	class, err := p.ask(ctx, "1CLSS", "?")
	if errors.Is(err, errPassword) {
		return "a projector that wants another password, or one at all: give with.password of the device", nil
	}
	if err != nil {
		return "", err
	}
	parts := []string{"class " + class}
	for _, q := range []struct{ body, word string }{{"1NAME", "name"}, {"1INF1", "maker"}, {"1INF2", "model"}, {"1INFO", "about"}, {"1POWR", "power"}} {
		value, err := optional(p.ask(ctx, q.body, "?"))
		if err != nil {
			return "", err
		}
		if q.body == "1POWR" {
			value = map[string]string{"0": "off", "1": "on", "2": "cooling", "3": "warming"}[value]
		}
		if value != "" {
			parts = append(parts, q.word+" "+value)
		}
	}
	return strings.Join(parts, ", "), nil
}

// Search asks all class 2 projectors of the network to say that they are there, until ctx ends. Where
// is host:port of a broadcast address; answers come to the same port of this machine, or to local.
func Search(ctx context.Context, local, where string, found func(address, mac string)) error {
	seen := make(map[string]bool)
	err := line.Search(ctx, local, where, []byte("%2SRCH\r"), func(from string, answer []byte) {
		mac, ok := acknowledged(answer)
		if ok && !seen[from] {
			seen[from] = true
			found(from+":"+port, mac)
		}
	})
	if err != nil {
		return fmt.Errorf("PJLink: %w", err)
	}
	return nil
}

// acknowledged reads the answer to a search: %2ACKN= and the hardware address.
func acknowledged(answer []byte) (mac string, ok bool) {
	text := string(bytes.TrimRight(answer, "\r\n"))
	if len(text) < 7 || !strings.EqualFold(text[:7], "%2ACKN=") {
		return "", false
	}
	return text[7:], true
}
