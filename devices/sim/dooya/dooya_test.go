package dooya

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

func bus(t *testing.T) *Bus {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{
		{ID: "curtain", Kind: "curtain", With: map[string]any{"id": "12 34"}},
		{ID: "screen", Kind: "screen", With: map[string]any{"id": "0101"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Bus)
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// says sends a frame of the manual and expects a reply of the manual, "" for none.
func says(t *testing.T, b *Bus, request, want string) {
	t.Helper()
	if got := b.Frame(unhex(t, request)); !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("asked %s, got % X, the manual has %s", request, got, want)
	}
}

func truth(t *testing.T, b *Bus, key, want string) {
	t.Helper()
	if got := b.Truth()[key]; got != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

func TestAMotorRunsItsTravelAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bus(t)
		says(t, b, "55 12 34 03 01 AD 8A", "55 12 34 03 01 AD 8A")
		truth(t, b, "curtain.motion", "up")
		time.Sleep(travel / 2)
		truth(t, b, "curtain.position", "50")
		says(t, b, "55 12 34 01 05 01 29 7D", "55 12 34 01 01 01 2B BD")
		says(t, b, "55 12 34 03 03 2C 4B", "55 12 34 03 03 2C 4B")
		time.Sleep(travel)
		truth(t, b, "curtain.position", "50")
		truth(t, b, "curtain.motion", "stop")
		says(t, b, "55 12 34 03 04 1E C8 E5", "55 12 34 03 04 1E C8 E5")
		truth(t, b, "curtain.motion", "down")
		time.Sleep(travel)
		says(t, b, "55 12 34 01 02 01 2B 4D", "55 12 34 01 01 1E 6A 75")
		truth(t, b, "screen.position", "0")
	})
}

func TestOpeningWhatIsOpenIsTheLongerErrorReply(t *testing.T) {
	b := bus(t)
	if err := b.Nudge("screen", "position", "100"); err != nil {
		t.Fatal(err)
	}
	open := seal([]byte{header, 1, 1, fnControl, cmdOpen})
	if got, want := b.Frame(open), unhex(t, "55 01 01 03 01 FF 81 F2"); !bytes.Equal(got, want) {
		t.Errorf("got % X, want % X", got, want)
	}
}

func TestTheStrokeIsLostWithTheMainsAndLearntAtAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bus(t)
		if err := b.Fault("mains-loss"); err != nil {
			t.Fatal(err)
		}
		if err := b.Fault(""); err != nil {
			t.Fatal(err)
		}
		says(t, b, "55 12 34 01 02 01 2B 4D", "55 12 34 01 01 FF AA 3D")
		says(t, b, "55 12 34 03 04 1E C8 E5", "55 12 34 03 04 FF 08 AD")
		truth(t, b, "curtain.motion", "stop")
		says(t, b, "55 12 34 03 01 AD 8A", "55 12 34 03 01 AD 8A")
		time.Sleep(travel)
		says(t, b, "55 12 34 03 04 1E C8 E5", "55 12 34 03 04 1E C8 E5")
	})
}

func TestEverybodyHearsABroadcastAndNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bus(t)
		says(t, b, "55 00 00 03 01 E9 3C", "")
		time.Sleep(travel / 5)
		says(t, b, "55 00 00 03 03 68 FD", "")
		for _, device := range []string{"curtain", "screen"} {
			truth(t, b, device+".position", "20")
			truth(t, b, device+".motion", "stop")
		}
	})
}

func TestRegistersAreWrittenAndRead(t *testing.T) {
	b := bus(t)
	says(t, b, "55 12 34 02 03 01 01 9D 5B", "55 12 34 02 03 01 DA DD")
	if got := b.Frame(seal([]byte{header, 0x12, 0x34, fnRead, regDirection, 1})); len(got) != 8 || got[5] != 1 {
		t.Errorf("the direction reads % X", got)
	}
}

func TestFaultsRefuseAndJam(t *testing.T) {
	b := bus(t)
	if err := b.Fault("nak"); err != nil {
		t.Fatal(err)
	}
	if got := b.Frame(unhex(t, "55 12 34 03 01 AD 8A")); len(got) != 8 || got[5] != failure {
		t.Errorf("refused with % X", got)
	}
	truth(t, b, "curtain.motion", "stop")
	if err := b.Fault("jammed"); err != nil {
		t.Fatal(err)
	}
	says(t, b, "55 12 34 03 01 AD 8A", "55 12 34 03 01 AD 8A")
	truth(t, b, "curtain.motion", "stop")
	if err := b.Fault("tired"); err == nil || !strings.Contains(err.Error(), "mains-loss") {
		t.Errorf("an unknown fault gave %v", err)
	}
	for _, n := range [][3]string{{"curtain", "position", "101"}, {"curtain", "motion", "sideways"}, {"curtain", "colour", "red"}, {"door", "position", "1"}} {
		if err := b.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("nudging %v was taken", n)
		}
	}
}

func TestSettingsThatAreNoIDAreRefused(t *testing.T) {
	for _, id := range []any{nil, "12", "zz zz"} {
		if _, err := New(sim.Options{}, []sim.Device{{ID: "x", With: map[string]any{"id": id}}}); err == nil {
			t.Errorf("id %v was taken", id)
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{0x55, 0x12, 0x34, 3, 1, 0xAD, 0x8A})
	f.Add([]byte{0x55, 0x12, 0x34, 2, 3, 0xFF, 0xAD, 0x8A})
	fuzz.Run(f, func(t *testing.T, frame []byte) {
		e, err := New(sim.Options{}, []sim.Device{{ID: "m", With: map[string]any{"id": "12 34"}}})
		if err != nil {
			t.Fatal(err)
		}
		b := e.(*Bus)
		_ = b.Frame(frame)
		if len(frame) >= 4 { // past the checksum
			_ = b.Frame(seal(append([]byte{0x55, 0x12, 0x34}, frame[:4]...)))
		}
	})
}
