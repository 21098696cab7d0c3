package hs08r_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/hs08r"
	"lectern/devices/line"
	simulator "lectern/devices/sim/hs08r"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, kind line.Kind, with map[string]any) (*devicetest.Pair, devices.Switch) {
	t.Helper()
	p := devicetest.NewPair(t, devicetest.PairConfig{
		Driver: hs08r.Driver(), Factory: simulator.New, Kind: kind, With: with,
	})
	return p, p.Capability.(devices.Switch)
}

func truth(t *testing.T, p *devicetest.Pair, want string) {
	t.Helper()
	if got := p.Equipment.Truth()["device.power"]; got != want {
		t.Errorf("the channel's power is %s, want %s", got, want)
	}
}

func reads(t *testing.T, s devices.Switch, want bool) {
	t.Helper()
	if got, err := s.On(devicetest.Asking(t)); err != nil || got != want {
		t.Errorf("read %v, %v; want %v", got, err, want)
	}
}

func TestChannelsConform(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p, _ := pair(t, kind, map[string]any{"channel": 3})
			devicetest.Switch(t, devicetest.SwitchCase{Pair: p, Nak: "nak", Calm: testing.Short()})
		})
	}
}

func TestAChannelThatCannotSwitchIsReadAsItIs(t *testing.T) {
	p, s := pair(t, line.Serial, map[string]any{"channel": 3})
	p.Fault(t, "stuck-3")
	if err := s.SetOn(devicetest.Asking(t), true); err != nil {
		t.Error(err) // the unit acknowledges
	}
	reads(t, s, false)
	p.Fault(t, "stuck-4")
	if err := s.SetOn(devicetest.Asking(t), true); err != nil {
		t.Error(err)
	}
	reads(t, s, true)
}

func TestARefusedChannelIsARejectionThatNamesThePanelSwitch(t *testing.T) {
	p, s := pair(t, line.TCP, map[string]any{"channel": 8, "unit": 255})
	rejected := func() {
		t.Helper()
		var no *devices.Rejection
		err := s.SetOn(devicetest.Asking(t), true)
		if !errors.As(err, &no) || no.Code != "FF" || !strings.Contains(no.Reason.EN, "OFF") || no.Reason.ZH == "" {
			t.Errorf("got %v", err)
		}
		truth(t, p, "false")
	}
	p.Fault(t, "refuse-8")
	rejected()
	p.Fault(t, "")
	p.Nudge(t, "device", "panel", "on")
	p.Nudge(t, "device", "power", "false") // before the sequence comes to it
	rejected()
}

func TestAllChannelsOfAUnitShareALine(t *testing.T) {
	others := make(map[string]devicetest.PairOther)
	for _, n := range []int{2, 9, 12} {
		others[strconv.Itoa(n)] = devicetest.PairOther{
			Driver: hs08r.Driver(), With: map[string]any{"channel": n, "channels": 12},
		}
	}
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: hs08r.Driver(), Factory: simulator.New, With: map[string]any{"channel": 1, "channels": 12}, Others: others,
	})
	for id, p := range pairs {
		if err := p.Capability.(devices.Switch).SetOn(devicetest.Asking(t), id == "9" || id == "12"); err != nil {
			t.Errorf("channel %s: %v", id, err)
		}
	}
	for id, p := range pairs {
		reads(t, p.Capability.(devices.Switch), id == "9" || id == "12")
	}
}

func TestTheRS485PortIsOneWay(t *testing.T) {
	p, s := pair(t, line.Serial, map[string]any{"channel": 3, "feedback": false})
	if on, err := s.On(devicetest.Asking(t)); !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("before anything was sent it is %v, %v", on, err)
	}
	for _, on := range []bool{true, false, true} {
		if err := s.SetOn(devicetest.Asking(t), on); !errors.Is(err, devices.ErrSent) {
			t.Errorf("setting gave %v", err)
		}
		devicetest.Until(t, "the relay", func() bool {
			return p.Equipment.Truth()["device.power"] == strconv.FormatBool(on)
		})
		if got, err := s.On(devicetest.Asking(t)); got != on || !errors.Is(err, devices.ErrSent) {
			t.Errorf("after %v it is %v, %v", on, got, err)
		}
	}
}

// TestAChannelBeyondTheStatusIsAssumed: a unit that keeps to ten bytes tells of four channels only.
func TestAChannelBeyondTheStatusIsAssumed(t *testing.T) {
	p, s := pair(t, line.Serial, map[string]any{"channel": 5, "channels": 4})
	if err := s.SetOn(devicetest.Asking(t), true); err != nil {
		t.Error(err) // acknowledged
	}
	truth(t, p, "true")
	if got, err := s.On(devicetest.Asking(t)); !got || !errors.Is(err, devices.ErrSent) {
		t.Errorf("it is %v, %v", got, err)
	}
}

func TestTheDriverClaimsItsChannel(t *testing.T) {
	d := hs08r.Driver()
	got := d.Claims(devicetest.DecodeSettings(t, d, map[string]any{"unit": 2, "channel": 7}))
	if !slices.Equal(got, []string{"unit 2 channel 7"}) {
		t.Errorf("claims %q", got)
	}
}
