package kramer_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/kramer"
	"lectern/devices/line"
	"lectern/devices/sim"
	simulator "lectern/devices/sim/kramer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func driver(t *testing.T, name string) devices.Driver {
	t.Helper()
	all := kramer.Drivers()
	i := slices.IndexFunc(all, func(d devices.Driver) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("there is no driver %q", name)
	}
	return all[i]
}

func pair(t *testing.T, name string, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: driver(t, name), Factory: simulator.New, Kind: kind, With: with,
	})
}

func TestMatricesConform(t *testing.T) {
	for what, c := range map[string]struct {
		kind line.Kind
		with map[string]any
		calm bool
	}{
		"serial":  {line.Serial, nil, false},
		"tcp":     {line.TCP, map[string]any{"machine": 7, "layer": "video", "untie": "x"}, false},
		"audio":   {line.Serial, map[string]any{"layer": "audio"}, true},
		"usb":     {line.TCP, map[string]any{"layer": "usb"}, true},
		"legacy":  {line.Serial, map[string]any{"command": "legacy"}, true},
		"sound":   {line.TCP, map[string]any{"command": "legacy", "layer": "audio", "machine": 3}, true},
		"picture": {line.Serial, map[string]any{"command": "legacy", "layer": "video"}, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			devicetest.Selector(t, devicetest.SelectorCase{
				Pair: pair(t, "kramer", c.kind, c.with), Outputs: []string{"1", "3", "8"}, Inputs: []string{"1", "4", "8"},
				Unties: true, NoInput: "9", Nak: "nak", Calm: c.calm,
			})
		})
	}
}

func TestVolumesConform(t *testing.T) {
	for what, c := range map[string]struct {
		kind line.Kind
		with map[string]any
		calm bool
	}{
		"serial": {line.Serial, map[string]any{"floor": -80, "ceiling": 20}, false},
		"tcp":    {line.TCP, map[string]any{"floor": -100, "ceiling": 0, "stage": "OUT", "channel": 4, "machine": 2}, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			devicetest.Volume(t, devicetest.VolumeCase{Pair: pair(t, "kramer-volume", c.kind, c.with), Nak: "nak", Calm: c.calm})
		})
	}
}

func TestBusyIsARejectionThatMayPass(t *testing.T) {
	p := pair(t, "kramer", line.Serial, nil)
	p.Fault(t, "busy")
	var no *devices.Rejection
	err := p.Capability.(devices.Selector).Select(devicetest.Asking(t), "1", "1")
	if !errors.As(err, &no) || no.Code != "ERR006" || !no.Busy {
		t.Errorf("got %v", err)
	}
}

func TestPortsThatAreNotThereAreNotAskedFor(t *testing.T) {
	p := pair(t, "kramer", line.Serial, map[string]any{"inputs": 4, "outputs": 2})
	matrix := p.Capability.(devices.Selector)
	if err := matrix.Select(devicetest.Asking(t), "1", "4"); err != nil {
		t.Fatal(err)
	}
	_, before, _ := p.Wire.Heard(0)
	for _, err := range []error{matrix.Select(devicetest.Asking(t), "1", "5"), matrix.Select(devicetest.Asking(t), "3", "1")} {
		if !errors.As(err, new(*devices.Refusal)) {
			t.Errorf("got %v", err)
		}
	}
	for _, code := range []string{"", "hdmi", "01", "0", "-1", "1000", "*"} {
		if got, err := matrix.Selected(devicetest.Asking(t), code); err == nil {
			t.Errorf("output %q has input %q", code, got)
		}
	}
	if chunks, after, _ := p.Wire.Heard(before); after != before {
		t.Errorf("%q was sent", chunks)
	}
}

func TestAModelWithoutTheCommandSaysSo(t *testing.T) {
	// The equipment is an old one, and the room file thinks that it has ROUTE.
	p := devicetest.NewPair(t, devicetest.PairConfig{
		Driver: driver(t, "kramer"),
		Factory: func(o sim.Options, list []sim.Device) (sim.Equipment, error) {
			list[0].With = map[string]any{"command": "legacy"}
			return simulator.New(o, list)
		},
	})
	var no *devices.Rejection
	_, err := p.Capability.(devices.Selector).Selected(devicetest.Asking(t), "1")
	if !errors.As(err, &no) || no.Code != "ERR002" {
		t.Errorf("got %v", err)
	}
}

func TestDevicesOnOneLineShareItsSession(t *testing.T) {
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: driver(t, "kramer"), Factory: simulator.New, Kind: line.TCP, With: map[string]any{"layer": "video"},
		Others: map[string]devicetest.PairOther{
			"sound":   {Driver: driver(t, "kramer"), With: map[string]any{"layer": "audio"}},
			"program": {Driver: driver(t, "kramer-volume")},
		},
	})
	video, audio := pairs["device"].Capability.(devices.Selector), pairs["sound"].Capability.(devices.Selector)
	for _, err := range []error{
		video.Select(devicetest.Asking(t), "1", "2"), audio.Select(devicetest.Asking(t), "1", "3"),
		pairs["program"].Capability.(devices.Volume).SetVolume(devicetest.Asking(t), 20),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	truth := pairs["device"].Equipment.Truth()
	if truth["device.1"] != "2" || truth["sound.1"] != "3" || truth["program.volume"] != "20" {
		t.Errorf("the truth is %v", truth)
	}
	// What is none of its business does not make a device look.
	changed := pairs["sound"].Capability.(devices.Notifier).Changed()
	pairs["program"].Nudge(t, "program", "volume", "40")
	pairs["sound"].Nudge(t, "device", "1", "5")
	if _, err := video.Selected(devicetest.Asking(t), "1"); err != nil {
		t.Error(err)
	}
	select {
	case <-changed:
		t.Error("the audio layer was notified of video and volume")
	default:
	}
}

func TestARestartIsWorthALook(t *testing.T) {
	p := pair(t, "kramer", line.Serial, nil)
	if _, err := p.Capability.(devices.Selector).Selected(devicetest.Asking(t), "1"); err != nil {
		t.Fatal(err)
	}
	p.Fault(t, "restart")
	select {
	case <-p.Capability.(devices.Notifier).Changed():
	case <-devicetest.Asking(t).Done():
		t.Error("the start message went unheard")
	}
}

// scripted is equipment that answers each command, as it arrives, with a text, whatever it means.
type scripted map[string]string

func (scripted) Truth() map[string]string           { return nil }
func (scripted) Nudge(string, string, string) error { return nil }
func (scripted) Fault(string) error                 { return nil }

func (s scripted) Serve(_ context.Context, conn io.ReadWriter) error {
	var heard string
	for buf := make([]byte, 64); ; {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		heard += string(buf[:n])
		if answer, ok := s[heard]; ok {
			heard = ""
			if _, err := io.WriteString(conn, answer); err != nil {
				return err
			}
		}
	}
}

// TestOnlyWhatWasAskedIsDone: what the front panel does in the same moment is no success.
func TestOnlyWhatWasAskedIsDone(t *testing.T) {
	script := scripted{
		"#ROUTE 12,1,2\r":    "~01@ROUTE 12,1,7\r\n~01@ROUTE 12,3,2\r\n~01@MUTE ERR003\r\n",
		"#ROUTE 12,1,4\r":    "~01@VID 4>1\r\n", // as the VS-42 does
		"#AUD-LVL 1,1,-36\r": "~01@AUD-LVL 1,1,-35\r\n~01@AUD-LVL 1,2,-36\r\n",
		"#MUTE 1,1\r":        "~01@MUTE 1,0\r\n~01@MUTE 2,1\r\n",
	}
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: driver(t, "kramer"), Timeout: 100 * time.Millisecond,
		Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return script, nil },
		Others:  map[string]devicetest.PairOther{"volume": {Driver: driver(t, "kramer-volume")}},
	})
	matrix, volume := pairs["device"].Capability.(devices.Selector), pairs["volume"].Capability.(devices.Volume)
	for what, err := range map[string]error{
		"a route": matrix.Select(devicetest.Asking(t), "1", "2"), "volume": volume.SetVolume(devicetest.Asking(t), 40),
		"mute": volume.SetMute(devicetest.Asking(t), true),
	} {
		if !errors.Is(err, line.ErrNoReply) {
			t.Errorf("%s gave %v", what, err)
		}
	}
	if err := matrix.Select(devicetest.Asking(t), "1", "4"); err != nil {
		t.Errorf("acknowledged in other words: %v", err)
	}
}

func TestClaimsKeepTwoDevicesFromTheSameThing(t *testing.T) {
	for _, c := range []struct {
		driver string
		with   map[string]any
		want   []string
	}{
		{"kramer", nil, []string{"video of the matrix", "audio of the matrix"}},
		{"kramer", map[string]any{"layer": "usb"}, []string{"usb of the matrix"}},
		{"kramer", map[string]any{"layer": "video", "machine": 2}, []string{"machine 2 video of the matrix"}},
		{"kramer-volume", nil, []string{"volume of output 1"}},
	} {
		d := driver(t, c.driver)
		if got := d.Claims(devicetest.DecodeSettings(t, d, c.with)); !slices.Equal(got, c.want) {
			t.Errorf("%s %v claims %q", c.driver, c.with, got)
		}
	}
}
