package pioneer

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim"
	simulator "lectern/devices/sim/pioneer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick makes trays and discs fast enough to wait for.
const quick = 200

func pair(t *testing.T, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Kind: kind, With: with, Speed: quick})
}

func heard(p *devicetest.Pair) string {
	chunks, _, _ := p.Wire.Heard(0)
	return string(slices.Concat(chunks...))
}

func TestPlayersConform(t *testing.T) {
	t.Parallel()
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p := pair(t, kind, nil)
			devicetest.Player(t, devicetest.PlayerCase{
				Pair: p, NoMedia: "no-disc", Nak: "nak", Chapter: p.Equipment.(*simulator.Player).Chapter,
				Unsaid: []devices.Transport{devices.TransportForward, devices.TransportBack},
				Commands: map[devices.Transport]string{
					devices.TransportPlay: "PL\r", devices.TransportStop: "99RJ\r", devices.TransportPause: "ST\r",
					devices.TransportForward: "NF\r", devices.TransportBack: "NR\r", devices.TransportNext: "SL\r", devices.TransportPrevious: "SL\r",
				},
			})
		})
	}
}

func TestWhatIsSaidOnTheWire(t *testing.T) {
	p := pair(t, line.Serial, map[string]any{"still": false})
	player := p.Capability.(*Player)
	for _, what := range []devices.Transport{
		devices.TransportPlay, devices.TransportPause, devices.TransportNext, devices.TransportPrevious, devices.TransportPrevious,
	} {
		if err := player.Act(devicetest.Asking(t), what); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	const want = "?P\rPL\r?P\rPA\r?P\r?C\rCH2SL\r?P\r?C\rCH1SL\r?P\r?C\rCH1SL\r"
	if got := heard(p); got != want {
		t.Errorf("on the wire %q, want %q", got, want)
	}
}

// The player does not say which way it scans. What was begun from here is known until it ends.
func TestAScanThatSomebodyElseBeganHasNoDirection(t *testing.T) {
	p := pair(t, line.Serial, nil)
	player := p.Capability.(*Player)
	says := func(want devices.Transport) {
		t.Helper()
		if got, err := player.Transport(devicetest.Asking(t)); err != nil || got != want {
			t.Errorf("it says %q, %v; want %q", got, err, want)
		}
	}
	p.Nudge(t, "device", "transport", "back")
	says(devices.TransportPlay)
	if err := player.Act(devicetest.Asking(t), devices.TransportForward); err != nil {
		t.Fatal(err)
	}
	says(devices.TransportForward)
	p.Nudge(t, "device", "transport", "play")
	says(devices.TransportPlay)
	p.Nudge(t, "device", "transport", "back")
	says(devices.TransportPlay)
}

func TestEjectOpensAndClosesTheTray(t *testing.T) {
	p := pair(t, line.Serial, nil)
	player := p.Capability.(*Player)
	for _, want := range []devices.Transport{devices.TransportOpen, devices.TransportStop} {
		if err := player.Act(devicetest.Asking(t), devices.TransportEject); err != nil {
			t.Fatal(err)
		}
		if got, err := player.Transport(devicetest.Asking(t)); err != nil || got != want {
			t.Errorf("it says %q, %v; want %q", got, err, want)
		}
	}
}

func TestStopNeverOpensTheTray(t *testing.T) {
	p := pair(t, line.Serial, nil)
	for range 3 {
		if err := p.Capability.(*Player).Act(devicetest.Asking(t), devices.TransportStop); err != nil {
			t.Error(err)
		}
	}
	if got := p.Equipment.Truth()["device.transport"]; got != "stop" {
		t.Errorf("it is %s", got)
	}
}

func TestRejectionsSayWhy(t *testing.T) {
	p := pair(t, line.Serial, nil)
	for state, c := range map[string]struct {
		what devices.Transport
		want string
	}{
		"open": {devices.TransportStop, "tray is open"}, "stop": {devices.TransportForward, "press play"}, "no-media": {devices.TransportPlay, "no disc"},
	} {
		p.Nudge(t, "device", "transport", state)
		no := new(devices.Rejection)
		if err := p.Capability.(*Player).Act(devicetest.Asking(t), c.what); !errors.As(err, &no) || !strings.Contains(no.Reason.EN, c.want) {
			t.Errorf("%s: %v", state, err)
		}
	}
}

func TestNextGoesByTracksOnACD(t *testing.T) {
	p := played(t, scripted{"?P": "P04", "?C": "E04", "?R": "05", "TR6SL": "R"})
	if err := p.Capability.(*Player).Act(devicetest.Asking(t), devices.TransportNext); err != nil {
		t.Error(err)
	}
}

// A player that does not know ?D says that it is empty when it is asked to play.
func TestAnEmptyPlayerIsRememberedUntilTheTrayOpens(t *testing.T) {
	p := played(t, scripted{"?P": "P01 P01 P01 P00 P01", "?D": "E04", "PL": "E11"})
	player := p.Capability.(*Player)
	says := func(want devices.Transport) {
		t.Helper()
		if got, err := player.Transport(devicetest.Asking(t)); err != nil || got != want {
			t.Errorf("it says %q, %v; want %q", got, err, want)
		}
	}
	says(devices.TransportStop)
	no := new(devices.Rejection)
	if err := player.Act(devicetest.Asking(t), devices.TransportPlay); !errors.As(err, &no) || no.Code != noDisc {
		t.Errorf("got %v", err)
	}
	says(devices.TransportNoMedia)
	says(devices.TransportOpen)
	says(devices.TransportStop)
}

func TestStrangeAnswersAreErrors(t *testing.T) {
	for what, script := range map[string]scripted{
		"a mode of tomorrow":    {"?P": "P42"},
		"the answer to another": {"?P": "R"},
		"a late number":         {"?P": "05"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			if got, err := played(t, script).Capability.(*Player).Transport(devicetest.Asking(t)); err == nil {
				t.Errorf("read %q", got)
			}
		})
	}
}

// scripted is a player that answers each string with a text, whatever it means; where there are
// several, with one after the other and then with the last.
type scripted map[string]string

func (scripted) Truth() map[string]string           { return nil }
func (scripted) Nudge(string, string, string) error { return nil }
func (scripted) Fault(string) error                 { return nil }

func (s scripted) Serve(_ context.Context, conn io.ReadWriter) error {
	var text []byte
	for buf := make([]byte, 64); ; {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		for _, c := range buf[:n] {
			if c != '\r' {
				text = append(text, c)
				continue
			}
			if answer, ok := s[string(text)]; ok {
				if first, rest, more := strings.Cut(answer, " "); more {
					answer, s[string(text)] = first, rest
				}
				if _, err := io.WriteString(conn, answer+"\r"); err != nil {
					return err
				}
			}
			text = text[:0]
		}
	}
}

func played(t *testing.T, script scripted) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: Driver(), Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return script, nil },
	})
}
