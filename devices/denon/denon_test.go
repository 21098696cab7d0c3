package denon

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim"
	simulator "lectern/devices/sim/denon"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick makes trays and discs fast enough to wait for.
const quick = 100

// named returns one of the two drivers.
func named(t *testing.T, name string) devices.Driver {
	t.Helper()
	drivers := Drivers()
	at := slices.IndexFunc(drivers, func(d devices.Driver) bool { return d.Name == name })
	if at < 0 {
		t.Fatalf("there is no %s", name)
	}
	return drivers[at]
}

func pair(t *testing.T, name string, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: named(t, name), Factory: simulator.New, Kind: kind, With: with, Speed: quick})
}

func heard(p *devicetest.Pair) string {
	chunks, _, _ := p.Wire.Heard(0)
	return string(slices.Concat(chunks...))
}

func TestPlayersConform(t *testing.T) {
	t.Parallel()
	for _, d := range []dialect{denonWords(), tascamWords()} {
		for _, kind := range []line.Kind{line.Serial, line.TCP} {
			t.Run(d.name+" "+string(kind), func(t *testing.T) {
				t.Parallel()
				p := pair(t, d.name, kind, map[string]any{"wake": false})
				commands := make(map[devices.Transport]string)
				for what, command := range d.act {
					commands[what] = d.start + command + "\r"
				}
				devicetest.Player(t, devicetest.PlayerCase{
					Pair: p, NoMedia: "no-disc", Nak: "nak", Commands: commands, Chapter: p.Equipment.(*simulator.Player).Chapter,
					Calm: d.name == "tascam-bd", // half a second after each command, and the same code
				})
			})
		}
	}
}

func TestPlayAndEjectWakeASilentPlayerOverSerial(t *testing.T) {
	for _, c := range []struct {
		name, on string
		what     devices.Transport
		want     devices.Transport
	}{
		{"denon-bd", "@0PW00\r", devices.TransportPlay, devices.TransportPlay},
		{"tascam-bd", "!7PWR01\r", devices.TransportEject, devices.TransportOpen},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := pair(t, c.name, line.Serial, nil)
			player := p.Capability.(*Player)
			p.Nudge(t, "device", "transport", "standby")
			if got, err := player.Transport(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
				t.Errorf("in standby it says %q, %v", got, err)
			}
			if err := player.Act(devicetest.Asking(t), c.what); err != nil {
				t.Fatal(err)
			}
			if got, err := player.Transport(devicetest.Asking(t)); err != nil || got != c.want {
				t.Errorf("%v, %v", got, err)
			}
			if got := heard(p); strings.Count(got, c.on) != 1 {
				t.Errorf("on the wire %q", got)
			}
		})
	}
}

func TestASilentPlayerIsNotSwitchedOnByAnythingElse(t *testing.T) {
	for _, c := range []struct {
		wake bool
		what devices.Transport
	}{{true, devices.TransportStop}, {true, devices.TransportNext}, {false, devices.TransportPlay}, {false, devices.TransportEject}} {
		t.Run(string(c.what), func(t *testing.T) {
			t.Parallel()
			p := pair(t, "denon-bd", line.Serial, map[string]any{"wake": c.wake})
			p.Nudge(t, "device", "transport", "standby")
			if err := p.Capability.(*Player).Act(devicetest.Asking(t), c.what); !errors.Is(err, line.ErrNoReply) {
				t.Errorf("got %v", err)
			}
			if got := heard(p); strings.Contains(got, "@0PW00") {
				t.Errorf("on the wire %q", got)
			}
		})
	}
}

func TestEjectClosesAnOpenTrayAndPlayIsAccepted(t *testing.T) {
	p := pair(t, "denon-bd", line.TCP, nil)
	player := p.Capability.(*Player)
	p.Nudge(t, "device", "transport", "open")
	if err := player.Act(devicetest.Asking(t), devices.TransportEject); err != nil {
		t.Fatal(err)
	}
	devicetest.Until(t, "it is closed", func() bool { return p.Equipment.Truth()["device.transport"] == "stop" })
	p.Nudge(t, "device", "transport", "open")
	if err := player.Act(devicetest.Asking(t), devices.TransportPlay); !errors.Is(err, devices.ErrAccepted) {
		t.Errorf("got %v", err)
	}
	devicetest.Until(t, "it plays", func() bool {
		got, err := player.Transport(devicetest.Asking(t))
		return err == nil && got == devices.TransportPlay
	})
}

func TestATrayAtFaultIsSaidAndCanStillBeTried(t *testing.T) {
	p := pair(t, "denon-bd", line.Serial, nil)
	p.Fault(t, "tray")
	no := new(devices.Rejection)
	if got, err := p.Capability.(*Player).Transport(devicetest.Asking(t)); !errors.As(err, &no) || no.Code != trayError || no.Reason.ZH == "" {
		t.Errorf("it says %q, %v", got, err)
	}
	if err := p.Capability.(*Player).Act(devicetest.Asking(t), devices.TransportEject); err != nil {
		t.Error(err)
	}
	if got := heard(p); !strings.HasSuffix(got, "@0PCDTRYOP\r") {
		t.Errorf("on the wire %q", got)
	}
}

// What cannot be the answer is not taken for it, and what nobody knows is no state.
func TestStrangeAnswersAreErrors(t *testing.T) {
	for what, script := range map[string]scripted{
		"a state of tomorrow":       {"@0?ST": "ack+@0STHOVER\r"},
		"a disc of tomorrow":        {"@0?ST": "ack+@0STDVHM\r", "@0?CD": "ack+@0CDXX\r"},
		"no acknowledgement":        {"@0?ST": "@0STPL\r"},
		"the answer to another":     {"@0?ST": "ack+@0CDCI\r"},
		"a player of another maker": {"@0?ST": "ack+!7SSTPL\r"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if got, err := played(t, script).Capability.(*Player).Transport(devicetest.Asking(t)); err == nil {
				t.Errorf("read %q", got)
			}
		})
	}
}

func TestABusyPlayerIsARejectionThatMayPass(t *testing.T) {
	p := played(t, scripted{"@0?ST": "\x06@0STPL\r", "@02354": "@0BDERBUSY\r"})
	no := new(devices.Rejection)
	if err := p.Capability.(*Player).Act(devicetest.Asking(t), devices.TransportStop); !errors.As(err, &no) || !no.Busy {
		t.Errorf("got %v", err)
	}
}

func TestAPlayerThatDoesNotStartIsGivenUp(t *testing.T) {
	p := played(t, scripted{"@0PW00": "\x06"})
	ctx, cancel := context.WithTimeout(devicetest.Asking(t), 5*time.Second)
	defer cancel()
	no := new(devices.Rejection)
	if err := p.Capability.(*Player).Act(ctx, devices.TransportPlay); !errors.As(err, &no) || !no.Busy {
		t.Errorf("got %v", err)
	}
	if got := heard(p); strings.Contains(got, "@02353") {
		t.Errorf("on the wire %q", got)
	}
}

// scripted is a player that answers each packet with a text, whatever it means.
type scripted map[string]string

func (scripted) Truth() map[string]string           { return nil }
func (scripted) Nudge(string, string, string) error { return nil }
func (scripted) Fault(string) error                 { return nil }

func (s scripted) Serve(_ context.Context, conn io.ReadWriter) error {
	var packet []byte
	for buf := make([]byte, 64); ; {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		for _, c := range buf[:n] {
			if c != '\r' {
				packet = append(packet, c)
				continue
			}
			if _, err := io.WriteString(conn, s[string(packet)]); err != nil {
				return err
			}
			packet = packet[:0]
		}
	}
}

func played(t *testing.T, script scripted) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: named(t, "denon-bd"), Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return script, nil },
	})
}
