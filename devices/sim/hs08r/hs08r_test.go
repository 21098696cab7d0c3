package hs08r

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices/devicetest/fuzz"
	"lectern/devices/sim"
)

func rack(t *testing.T, with ...map[string]any) *Rack {
	t.Helper()
	devices := []sim.Device{
		{ID: "projector-mains", With: map[string]any{"unit": 1, "channel": 1}},
		{ID: "rack", With: map[string]any{"unit": 1, "channel": 8}},
	}
	for _, w := range with {
		devices = append(devices, sim.Device{ID: "other", With: w})
	}
	e, err := New(sim.Options{}, devices)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Rack)
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// says sends a frame and expects the beginning of a reply, "" for silence.
func says(t *testing.T, r *Rack, request, want string) {
	t.Helper()
	got, begins := r.Frame(unhex(t, request)), unhex(t, want)
	if !bytes.HasPrefix(got, begins) || len(begins) == 0 && len(got) > 0 {
		t.Errorf("asked %s, got % X, want %s", request, got, want)
	}
}

func truth(t *testing.T, r *Rack, key, want string) {
	t.Helper()
	if got := r.Truth()[key]; got != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

func TestChannelsSwitchAndTheStatusTells(t *testing.T) {
	r := rack(t)
	says(t, r, "5B B5 01 16 00 00 00 01 08 AA", "5B B5 01 AA")
	truth(t, r, "rack.power", "true")
	truth(t, r, "projector-mains.power", "false")
	says(t, r, "5B B5 01 02 20 16 00 00 00 00", "5B B5 01 02 20 16 00 00 00 00 00 00 00 01")
	says(t, r, "5B B5 01 16 00 00 00 00 08 AA", "5B B5 01 AA")
	truth(t, r, "rack.power", "false")
	says(t, r, "5B B5 01 16 00 00 00 01 12 AA", "5B B5 01 AA") // all on
	truth(t, r, "projector-mains.power", "true")
	says(t, r, "5B B5 01 16 00 00 00 00 10 AA", "5B B5 01 AA") // all off
	truth(t, r, "projector-mains.power", "false")
	says(t, r, "5B B5 00 02 20 17 AA 00 00 00", "5B B5 01 02 20 17 AA 00 00 01")
	says(t, r, "5B B5 02 16 00 00 00 01 08 AA", "") // another unit
	says(t, r, "5B B5 01 16 00 00 00 01 13 AA", "5B B5 01 FF")
	says(t, r, "5B B5 01 16 00 00 00 01 01 AA 5B B5 01 16 00 00 00 01 08 AA", "5B B5 01 AA")
	truth(t, r, "projector-mains.power", "true")
	truth(t, r, "rack.power", "true")
}

func TestSequencesRunByTheStoredDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rack(t)
		says(t, r, "5B B5 01 10 40 1E 00 00 0B B8", "5B B5 01 AA") // channel 8 on after 3 s
		says(t, r, "5B B5 01 16 00 00 00 01 11 AA", "5B B5 01 AA")
		truth(t, r, "projector-mains.power", "false")
		time.Sleep(time.Second)
		truth(t, r, "projector-mains.power", "true")
		truth(t, r, "rack.power", "false")
		time.Sleep(2 * time.Second)
		truth(t, r, "rack.power", "true")
		says(t, r, "5B B5 01 16 00 00 00 00 00 AA", "5B B5 01 AA")
		time.Sleep(9 * time.Second)
		truth(t, r, "rack.power", "false")
		truth(t, r, "projector-mains.power", "true")
	})
}

func TestTheFrontPanelSwitchKeepsTheSerialPortOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rack(t)
		if err := r.Nudge("rack", "panel", "on"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		truth(t, r, "rack.power", "true")
		says(t, r, "5B B5 01 16 00 00 00 00 08 AA", "5B B5 01 FF")
		truth(t, r, "rack.power", "true")
		if err := r.Nudge("rack", "panel", "off"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		truth(t, r, "rack.power", "false")
		says(t, r, "5B B5 01 16 00 00 00 01 08 AA", "5B B5 01 AA")
	})
}

func TestFaultsOfOneChannel(t *testing.T) {
	r := rack(t)
	for _, c := range []struct{ fault, answer string }{
		{"stuck-8", "5B B5 01 AA"}, {"refuse-8", "5B B5 01 FF"}, {"nak", "5B B5 01 FF"},
	} {
		if err := r.Fault(c.fault); err != nil {
			t.Fatal(err)
		}
		says(t, r, "5B B5 01 16 00 00 00 01 08 AA", c.answer)
		truth(t, r, "rack.power", "false")
	}
	for _, unknown := range []string{"stuck", "stuck-0", "stuck-17", "refuse-x", "tired"} {
		if err := r.Fault(unknown); err == nil || !strings.Contains(err.Error(), "stuck-N") {
			t.Errorf("%q gave %v", unknown, err)
		}
	}
}

func TestTheRS485PortOnlyListens(t *testing.T) {
	r := rack(t, map[string]any{"unit": 2, "channel": 3, "feedback": false})
	says(t, r, "5B B5 02 16 00 00 00 01 03 AA", "")
	truth(t, r, "other.power", "true")
	says(t, r, "5B B5 02 02 20 16 00 00 00 00", "")
}

func TestSettingsAndNudgesOutOfRangeAreRefused(t *testing.T) {
	for _, with := range []map[string]any{{}, {"channel": 17}, {"channel": "x"}, {"channel": 1, "unit": 0}} {
		if _, err := New(sim.Options{}, []sim.Device{{ID: "x", With: with}}); err == nil {
			t.Errorf("%v was taken", with)
		}
	}
	r := rack(t)
	for _, n := range [][3]string{{"rack", "power", "half"}, {"rack", "colour", "on"}, {"door", "power", "on"}} {
		if err := r.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("nudging %v was taken", n)
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{0x5B, 0xB5, 1, 0x16, 0, 0, 0, 1, 8, 0xAA})
	f.Add([]byte{0x5B, 0xB5, 1, 0x10, 0x40, 0x66, 0, 1, 8, 0xAA})
	fuzz.Run(f, func(t *testing.T, frame []byte) {
		e, err := New(sim.Options{}, []sim.Device{{ID: "x", With: map[string]any{"channel": 1}}})
		if err != nil {
			t.Fatal(err)
		}
		r := e.(*Rack)
		_ = r.Frame(frame)
		_ = r.Frame(append([]byte{0x5B, 0xB5, 1}, frame...))
	})
}
