package sis_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim"
)

func TestRecordersConform(t *testing.T) {
	for what, c := range map[string]struct {
		kind line.Kind
		with map[string]any
		calm bool
	}{
		"serial": {line.Serial, nil, false},
		"tcp":    {line.TCP, map[string]any{"password": "sesame"}, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			devicetest.Player(t, devicetest.PlayerCase{
				Pair: pair(t, "extron-smp", c.kind, c.with), Nak: "nak", Calm: c.calm,
				Commands: map[devices.Transport]string{
					devices.TransportRecord: "\x1bY1RCDR\r", devices.TransportPause: "\x1bY2RCDR\r", devices.TransportStop: "\x1bY0RCDR\r",
				},
			})
		})
	}
}

// The tables have the state as a bare digit, recorders in the field tag it.
func TestARecorderThatDoesNotTagItsStateIsRead(t *testing.T) {
	p := pair(t, "extron-smp", line.TCP, nil)
	deck := p.Capability.(devices.Player)
	p.Fault(t, "bare")
	for _, want := range []devices.Transport{devices.TransportRecord, devices.TransportPause, devices.TransportStop} {
		if err := deck.Act(devicetest.Asking(t), want); err != nil {
			t.Fatal(err)
		}
		if got, err := deck.Transport(devicetest.Asking(t)); err != nil || got != want {
			t.Errorf("it says %q, %v; want %q", got, err, want)
		}
	}
}

func TestWhatIsNotRecordedCannotBePaused(t *testing.T) {
	p := pair(t, "extron-smp", line.TCP, nil)
	deck := p.Capability.(devices.Player)
	no := new(devices.Rejection)
	if err := deck.Act(devicetest.Asking(t), devices.TransportPause); !errors.As(err, &no) || no.Reason.ZH == "" {
		t.Errorf("got %v", err)
	}
	if slices.Contains(deck.Transports(), devices.TransportPlay) {
		t.Error("it plays")
	}
}

// What the front panel does in the same moment is no success, and a state that is in no table is none.
func TestOnlyTheAskedStateIsDone(t *testing.T) {
	p := devicetest.NewPair(t, devicetest.PairConfig{
		Driver: driver(t, "extron-smp"), Timeout: 100 * time.Millisecond,
		Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) {
			return scripted{"\x1b3CV\r": "Vrb3\r\n", "\x1bY1RCDR\r": "RcdrY0\r\n", "\x1bYRCDR\r": "RcdrY7\r\n"}, nil
		},
	})
	deck := p.Capability.(devices.Player)
	if got, err := deck.Transport(devicetest.Asking(t)); !errors.Is(err, line.ErrGarbled) {
		t.Errorf("state 7 was read as %q, %v", got, err)
	}
	if err := deck.Act(devicetest.Asking(t), devices.TransportRecord); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("a stop was taken for a record: %v", err)
	}
}
