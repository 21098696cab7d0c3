package modbus

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/equipment"
	"lectern/devices/line"
	sim "lectern/devices/sim/modbus"
)

func TestRelaysAnswerAsTheR4ManualSays(t *testing.T) {
	for reply, want := range map[string]struct {
		on  bool
		err error
	}{
		"01 03 02 00 01 79 84": {on: true},
		"01 03 02 00 00 B8 44": {on: false},
		"01 03 02 01 00 B9 D4": {err: line.ErrGarbled}, // a command, not a state: neither on nor off
	} {
		p := devicetest.NewPair(t, devicetest.PairConfig{
			Driver: driver(t, "modbus-command-relay"), Kind: line.TCP, With: map[string]any{"unit": 1, "register": 1},
			Factory: answering(frame(t, reply)),
		})
		on, err := p.Capability.(devices.Switch).On(devicetest.Asking(t))
		if on != want.on || !errors.Is(err, want.err) {
			t.Errorf("%s reads %v, %v; want %v, %v", reply, on, err, want.on, want.err)
		}
	}
}

// relayCurtain joins a relay curtain with a simulated R421A08: relay 1 takes it up, relay 2 down.
func relayCurtain(t *testing.T) (curtain devices.Device, p *devicetest.Pair) {
	t.Helper()
	relay := driver(t, "modbus-command-relay")
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: relay, Factory: sim.New, With: map[string]any{"unit": 1, "register": 1},
		Others: map[string]devicetest.PairOther{"down": {Driver: relay, With: map[string]any{"unit": 1, "register": 2}}},
	})
	p = pairs["device"]
	spec := equipment.Spec{ID: "curtain", Log: slog.New(slog.DiscardHandler)}
	curtain = equipment.NewRelayCurtain(spec, equipment.CurtainSpec{Travel: time.Minute},
		p.Capability.(devices.Switch), pairs["down"].Capability.(devices.Switch))
	curtain.Bind(deaf{})
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); _ = curtain.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-over })
	return curtain, p
}

// deaf is a devices.Reporter that hears nothing.
type deaf struct{}

func (deaf) Report(string, devices.Value, devices.Quality) {}
func (deaf) Reach(error)                                   {}
func (deaf) Lock(string, *devices.Refusal)                 {}

// TestACurtainOnAnR4BoardIsNeverDrivenBothWays looks at what was on the wire. The interlock itself is
// proved in equipment, for any devices.Switch; here it is that the two commands are the right way
// round: what the manual calls "open" drives the motor.
func TestACurtainOnAnR4BoardIsNeverDrivenBothWays(t *testing.T) {
	curtain, p := relayCurtain(t)
	for _, way := range []devices.Motion{devices.Up, devices.Down, devices.Up, devices.Stop} {
		if err := curtain.Set(devicetest.Asking(t), "motion", devices.Word(string(way))); err != nil && !errors.Is(err, devices.ErrAccepted) {
			t.Fatalf("%s: %v", way, err)
		}
		devicetest.Until(t, "the relays do as the curtain was told", func() bool {
			now := p.Equipment.Truth()
			return (now["device.power"] == "true") == (way == devices.Up) && (now["down.power"] == "true") == (way == devices.Down)
		})
	}
	var energised [3]bool
	driven := 0
	heard := heard(p)
	for len(heard) >= 8 { // every request of this board has eight bytes
		f := heard[:8]
		heard = heard[8:]
		if f[1] != 6 {
			continue
		}
		energised[f[3]] = f[4] == 1
		if f[4] == 1 {
			driven++
		}
		if energised[1] && energised[2] {
			t.Fatalf("% X drives the motor both ways", f)
		}
	}
	if driven != 3 {
		t.Errorf("the motor was driven %d times, want 3", driven)
	}
}
