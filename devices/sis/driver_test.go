package sis_test

import (
	"bytes"
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
	simulator "lectern/devices/sim/sis"
	"lectern/devices/sis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// driver returns one of the package's drivers.
func driver(t *testing.T, name string) devices.Driver {
	t.Helper()
	all := sis.Drivers()
	i := slices.IndexFunc(all, func(d devices.Driver) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("there is no driver %q", name)
	}
	return all[i]
}

func pair(t *testing.T, name string, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: driver(t, name), Factory: simulator.New, Kind: kind, With: with, Timeout: 200 * time.Millisecond,
	})
}

func TestMatricesConform(t *testing.T) {
	outputs, inputs := []string{"1", "3", "8"}, []string{"1", "4", "8"}
	for what, c := range map[string]struct {
		kind    line.Kind
		with    map[string]any
		outputs []string
		calm    bool
	}{
		"serial":   {line.Serial, nil, outputs, false},
		"tcp":      {line.TCP, map[string]any{"password": "sesame", "layer": "video"}, outputs, false},
		"audio":    {line.Serial, map[string]any{"layer": "audio"}, outputs, true},
		"switcher": {line.Serial, map[string]any{"switcher": true}, []string{"1"}, true},
		"untagged": {line.Serial, map[string]any{"tagged": false}, outputs, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			devicetest.Selector(t, devicetest.SelectorCase{
				Pair: pair(t, "extron-sis", c.kind, c.with), Outputs: c.outputs, Inputs: inputs,
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
		"tcp":       {line.TCP, map[string]any{"password": "sesame"}, true},
		"group":     {line.Serial, map[string]any{"group": 3}, false},
		"serial":    {line.Serial, nil, true},
		"group tcp": {line.TCP, map[string]any{"group": 3, "mute_group": 7, "floor_db": -40, "ceiling_db": 6}, true},
		"untagged":  {line.Serial, map[string]any{"tagged": false}, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			devicetest.Volume(t, devicetest.VolumeCase{
				Pair: pair(t, "extron-sis-volume", c.kind, c.with), Nak: "nak", Calm: c.calm,
			})
		})
	}
}

func TestBusyIsARejectionThatMayPass(t *testing.T) {
	p := pair(t, "extron-sis", line.Serial, nil)
	p.Fault(t, "busy")
	var no *devices.Rejection
	err := p.Capability.(devices.Selector).Select(devicetest.Asking(t), "1", "1")
	if !errors.As(err, &no) || no.Code != "E22" || !no.Busy {
		t.Errorf("got %v", err)
	}
}

func TestPortsThatAreNotThereAreNotAskedFor(t *testing.T) {
	p := pair(t, "extron-sis", line.Serial, map[string]any{"inputs": 4, "outputs": 2})
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
	for _, code := range []string{"", "hdmi", "01", "0", "-1", "1000"} {
		if got, err := matrix.Selected(devicetest.Asking(t), code); err == nil {
			t.Errorf("output %q has input %q", code, got)
		}
	}
	if chunks, after, _ := p.Wire.Heard(before); after != before {
		t.Errorf("%q was sent", chunks)
	}
}

// locked makes equipment whose password is sesame, whatever the room file says.
func locked(o sim.Options, list []sim.Device) (sim.Equipment, error) {
	list[0].With = map[string]any{"password": "sesame"}
	return simulator.New(o, list)
}

func TestAMissingOrWrongPasswordIsSaidAndNotShown(t *testing.T) {
	for what, given := range map[string]string{"missing": "", "wrong": "open-barley"} {
		t.Run(what, func(t *testing.T) {
			p := devicetest.NewPair(t, devicetest.PairConfig{
				Driver: driver(t, "extron-sis"), Factory: locked, Kind: line.TCP,
				With: map[string]any{"password": given},
			})
			_, err := p.Capability.(devices.Selector).Selected(devicetest.Asking(t), "1")
			if !errors.Is(err, line.ErrDown) || !strings.Contains(err.Error(), "set `password`") {
				t.Errorf("got %v", err)
			}
			entries, _ := p.Line.Trace(0)
			for _, e := range entries {
				if given != "" && (bytes.Contains(e.Bytes, []byte(given)) || strings.Contains(e.Note, given)) {
					t.Errorf("the trace shows %q %q", e.Bytes, e.Note)
				}
			}
		})
	}
}

func TestDevicesOnOneLineShareItsSession(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			pairs := devicetest.NewPairs(t, devicetest.PairConfig{
				Driver: driver(t, "extron-sis"), Factory: simulator.New, Kind: kind,
				With: map[string]any{"layer": "video"},
				Others: map[string]devicetest.PairOther{
					"sound":   {Driver: driver(t, "extron-sis"), With: map[string]any{"layer": "audio"}},
					"program": {Driver: driver(t, "extron-sis-volume"), With: map[string]any{"group": 1}},
				},
			})
			video, audio := pairs["device"].Capability.(devices.Selector), pairs["sound"].Capability.(devices.Selector)
			volume := pairs["program"].Capability.(devices.Volume)
			for _, err := range []error{
				video.Select(devicetest.Asking(t), "1", "2"), audio.Select(devicetest.Asking(t), "1", "3"),
				volume.SetVolume(devicetest.Asking(t), 20),
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
		})
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
		"\x1b3CV\r": "Vrb3\r\n",
		"2*1!":      "Out1 In7 All\r\nOut3 In2 All\r\n",
		"40V":       "Vol41\r\n",
		"1Z":        "Amt0\r\n",
		"V":         "Vol200\r\n",
		"1%":        "Out2 In5 Vid\r\n5\r\n",
	}
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: driver(t, "extron-sis"), Timeout: 100 * time.Millisecond,
		Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return script, nil },
		Others:  map[string]devicetest.PairOther{"volume": {Driver: driver(t, "extron-sis-volume")}},
	})
	matrix, volume := pairs["device"].Capability.(devices.Selector), pairs["volume"].Capability.(devices.Volume)
	_, selected := matrix.Selected(devicetest.Asking(t), "1")
	for what, err := range map[string]error{
		"tie": matrix.Select(devicetest.Asking(t), "1", "2"), "volume": volume.SetVolume(devicetest.Asking(t), 40),
		"mute": volume.SetMute(devicetest.Asking(t), true), "read a tie": selected,
	} {
		if !errors.Is(err, line.ErrNoReply) {
			t.Errorf("%s gave %v", what, err)
		}
	}
	if percent, _, err := volume.Volume(devicetest.Asking(t)); !errors.Is(err, line.ErrGarbled) {
		t.Errorf("a volume of 200 was read as %d%%, %v", percent, err)
	}
}

// TestEquipmentThatWasOffIsTaggedAgain: with the mains the equipment forgets its verbose mode, and
// its answers could not be told from one another.
func TestEquipmentThatWasOffIsTaggedAgain(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			p := pair(t, "extron-sis", kind, nil)
			matrix := p.Capability.(devices.Selector)
			if err := matrix.Select(devicetest.Asking(t), "2", "3"); err != nil {
				t.Fatal(err)
			}
			changed := p.Capability.(devices.Notifier).Changed()
			p.Fault(t, "restart")
			p.Fault(t, "")
			if kind == line.Serial {
				select {
				case <-changed: // a restart is worth a look
				case <-devicetest.Asking(t).Done():
					t.Fatal("the copyright line went unheard")
				}
			}
			read := func() error {
				got, err := matrix.Selected(devicetest.Asking(t), "2")
				if err == nil && got != "3" {
					t.Errorf("read %q", got)
				}
				return err
			}
			if kind == line.Serial { // the first question finds the mode set again
				if err := read(); err != nil {
					t.Error(err)
				}
			}
			devicetest.Until(t, "a reading", func() bool { return read() == nil })
			p.Nudge(t, "device", "2", "5")
			select {
			case <-changed: // it is in verbose mode 3 again, or nobody would have said so
			case <-devicetest.Asking(t).Done():
				t.Error("the front panel went unheard")
			}
		})
	}
}

func TestCommandsKeepTheirPause(t *testing.T) {
	p := pair(t, "extron-sis-volume", line.TCP, nil)
	volume := p.Capability.(devices.Volume)
	if _, _, err := volume.Volume(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	const commands = 5
	began := time.Now()
	for i := range commands {
		if err := volume.SetVolume(devicetest.Asking(t), 10*i); err != nil {
			t.Fatal(err)
		}
	}
	if took, least := time.Since(began), (commands-1)*100*time.Millisecond; took < least {
		t.Errorf("%d commands took %s, with their pauses they take %s", commands, took, least)
	}
}

func TestALineIsEitherTaggedOrNot(t *testing.T) {
	l := line.New(line.Config{ID: "l", Kind: line.TCP}, nil)
	d := driver(t, "extron-sis")
	if _, err := d.New(devices.Env{Line: l}, devicetest.DecodeSettings(t, d, nil)); err != nil {
		t.Fatal(err)
	}
	_, err := d.New(devices.Env{Line: l}, devicetest.DecodeSettings(t, d, map[string]any{"tagged": false}))
	if err == nil || !strings.Contains(err.Error(), "tagged") {
		t.Errorf("got %v", err)
	}
}

func TestClaimsKeepTwoDevicesFromTheSameThing(t *testing.T) {
	for _, c := range []struct {
		driver string
		with   map[string]any
		want   []string
	}{
		{"extron-sis", nil, []string{"video of the matrix", "audio of the matrix"}},
		{"extron-sis", map[string]any{"layer": "video"}, []string{"video of the matrix"}},
		{"extron-sis", map[string]any{"layer": "audio"}, []string{"audio of the matrix"}},
		{"extron-sis-volume", nil, []string{"the volume"}},
		{"extron-sis-volume", map[string]any{"group": 3}, []string{"group 3", "group 4"}},
		{"extron-smp", nil, []string{"the recorder"}},
	} {
		d := driver(t, c.driver)
		if got := d.Claims(devicetest.DecodeSettings(t, d, c.with)); !slices.Equal(got, c.want) {
			t.Errorf("%s %v claims %q", c.driver, c.with, got)
		}
	}
}
