package jvc

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
	simulator "lectern/devices/sim/jvc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Kind: kind, With: with, Speed: 100})
}

func heard(p *devicetest.Pair) string {
	chunks, _, _ := p.Wire.Heard(0)
	return string(slices.Concat(chunks...))
}

func TestRecordersConform(t *testing.T) {
	t.Parallel()
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			devicetest.Player(t, devicetest.PlayerCase{
				Pair: pair(t, kind, nil), NoMedia: "no-tape", Nak: "nak",
				Commands: map[devices.Transport]string{
					devices.TransportPlay: "\x3A", devices.TransportStop: "\x3F", devices.TransportPause: "\x4F",
					devices.TransportForward: "\xAB", devices.TransportBack: "\xAC", devices.TransportRecord: "\xFA\xCA",
				},
			})
		})
	}
}

func TestWhatIsSaidOnTheWire(t *testing.T) {
	for operate, want := range map[bool]string{
		true: "\xF6\x7B\xD7\xFA\xCA\xD7\x3F", false: "\xF6\xD7\xFA\xCA\xD7\x3F",
	} {
		p := pair(t, line.Serial, map[string]any{"operate": operate})
		for _, what := range []devices.Transport{devices.TransportRecord, devices.TransportStop} {
			if err := p.Capability.(*Deck).Act(devicetest.Asking(t), what); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
		if got := heard(p); got != want {
			t.Errorf("operate %v: on the wire % X, want % X", operate, got, want)
		}
	}
}

// With its mains a recorder forgets the table, and what it then answers NAK was not done.
func TestARecorderThatWasOffIsGivenTheTableAgain(t *testing.T) {
	p := pair(t, line.Serial, nil)
	deck := p.Capability.(*Deck)
	if _, err := deck.Transport(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	p.Fault(t, "restart")
	if err := deck.Act(devicetest.Asking(t), devices.TransportStop); err != nil {
		t.Error(err)
	}
	if got := heard(p); got != "\xF6\xD7\xD7\xF6\xD7\x3F" {
		t.Errorf("on the wire % X", got)
	}
}

func TestARecorderInErrorIsCleared(t *testing.T) {
	p := pair(t, line.Serial, map[string]any{"operate": false})
	deck := p.Capability.(*Deck)
	p.Fault(t, "error")
	if got, err := deck.Transport(devicetest.Asking(t)); err != nil || got != devices.TransportStop {
		t.Errorf("it says %q, %v", got, err)
	}
	if err := deck.Act(devicetest.Asking(t), devices.TransportPlay); err != nil {
		t.Error(err)
	}
	if got := heard(p); got != "\xF6\xD7\xD7\x41\x3A" {
		t.Errorf("on the wire % X", got)
	}
}

func TestOnlyPlayRecordAndEjectSwitchItOn(t *testing.T) {
	for _, c := range []struct {
		operate bool
		what    devices.Transport
		want    string
	}{
		{true, devices.TransportPlay, "play"}, {true, devices.TransportRecord, "record"}, {true, devices.TransportEject, "open"},
		{true, devices.TransportStop, "standby"}, {false, devices.TransportPlay, "standby"},
	} {
		p := devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, With: map[string]any{"operate": c.operate}})
		p.Nudge(t, "device", "transport", "standby")
		err := p.Capability.(*Deck).Act(devicetest.Asking(t), c.what)
		if got := p.Equipment.Truth()["device.transport"]; got != c.want || (err == nil) != (c.want != "standby") {
			t.Errorf("operate %v, %s: it is %s, %v", c.operate, c.what, got, err)
		}
	}
}

func TestRejectionsSayWhyAndSendNothing(t *testing.T) {
	for fault, c := range map[string]struct {
		what devices.Transport
		code string
	}{
		"protected": {devices.TransportRecord, "REC INHIBIT"}, "no-tape": {devices.TransportRecord, "CASSETTE OUT"},
	} {
		p := pair(t, line.Serial, nil)
		p.Fault(t, fault)
		no := new(devices.Rejection)
		if err := p.Capability.(*Deck).Act(devicetest.Asking(t), c.what); !errors.As(err, &no) || no.Code != c.code {
			t.Errorf("%s: %v", fault, err)
		}
		if got := heard(p); strings.Contains(got, "\xFA") {
			t.Errorf("%s: on the wire % X", fault, got)
		}
	}
}

func TestAMalfunctionIsTheReason(t *testing.T) {
	p := played(t, scripted{cmdTableOn: "\x0A", cmdSense: "\x80\xC8\x00\x18\x00", cmdStop: "\x0B"})
	no := new(devices.Rejection)
	if err := p.Capability.(*Deck).Act(devicetest.Asking(t), devices.TransportStop); !errors.As(err, &no) || no.Code != "WARNING" {
		t.Errorf("got %v", err)
	}
}

func TestBetweenTwoModesIsARejectionThatMayPass(t *testing.T) {
	p := played(t, scripted{cmdTableOn: "\x0A", cmdSense: "\x80\x00\x00\x08\x00"})
	no := new(devices.Rejection)
	if got, err := p.Capability.(*Deck).Transport(devicetest.Asking(t)); !errors.As(err, &no) || !no.Busy {
		t.Errorf("it says %q, %v", got, err)
	}
}

func TestARecorderWithoutTablesIsSpokenToAllTheSame(t *testing.T) {
	p := played(t, scripted{cmdTableOn: "\x0B", cmdSense: "\x80\xC0\x00\x18\x00", cmdStop: "\x0A"})
	if err := p.Capability.(*Deck).Act(devicetest.Asking(t), devices.TransportStop); err != nil {
		t.Error(err)
	}
}

func TestStrangeAnswersAreErrors(t *testing.T) {
	for what, answer := range map[string]string{
		"a bit that is always 0": "\x80\xC0\x00\x18\x40", "an acknowledgement alone": "\x0A", "too little": "\x80\xC0\x00", "noise": "\x55\x80\xC0\x00\x18\x00",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := played(t, scripted{cmdTableOn: "\x0A", cmdSense: answer})
			if got, err := p.Capability.(*Deck).Transport(devicetest.Asking(t)); err == nil {
				t.Errorf("read %q", got)
			}
		})
	}
}

// scripted is a recorder that answers each byte with some, whatever it means.
type scripted map[byte]string

func (scripted) Truth() map[string]string           { return nil }
func (scripted) Nudge(string, string, string) error { return nil }
func (scripted) Fault(string) error                 { return nil }

func (s scripted) Serve(_ context.Context, conn io.ReadWriter) error {
	for buf := make([]byte, 64); ; {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		for _, c := range buf[:n] {
			if _, err := io.WriteString(conn, s[c]); err != nil {
				return err
			}
		}
	}
}

func played(t *testing.T, script scripted) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: Driver(), Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return script, nil },
	})
}
