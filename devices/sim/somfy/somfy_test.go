package somfy

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

func bus(t testing.TB) *Bus {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{
		{ID: "shade", Kind: "screen", With: map[string]any{"motor": "07.68.C0"}},
		{ID: "curtain", Kind: "curtain", With: map[string]any{"motor": "010203", "reversed": true}},
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

func says(t *testing.T, b *Bus, request, want string) {
	t.Helper()
	if got := b.Frame(unhex(t, request)); !bytes.Equal(got, unhex(t, want)) {
		t.Errorf("asked %s, got % X, want %s", request, got, want)
	}
}

func truth(t *testing.T, b *Bus, key, want string) {
	t.Helper()
	if got := b.Truth()[key]; got != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

func nudge(t *testing.T, b *Bus, device, property, value string) {
	t.Helper()
	if err := b.Nudge(device, property, value); err != nil {
		t.Error(err)
	}
}

const (
	acknowledged = "80 F4 DF 3F 97 F8 00 00 FF 05 20"
	askPosition  = "F3 74 FD 00 00 FF 3F 97 F8 05 31"
	toUp         = "FC 70 FD 00 00 FF 3F 97 F8 FE FF FF FF 09 31"
	toDown       = "FC 70 FD 00 00 FF 3F 97 F8 FF FF FF FF 09 32"
	stop         = "FD 73 FD 00 00 FF 3F 97 F8 FE 06 38"
)

// The report of wb-mqtt-serial's test: 43 % from the top is pulse 442.
func TestAPositionIsReportedAsInTheField(t *testing.T) {
	b := bus(t)
	nudge(t, b, "shade", "position", "57")
	got := b.Frame(unhex(t, askPosition))
	if want := unhex(t, "F2 EF DF 3F 97 F8 00 00 FF 45 FE D4 00 00 07 A4"); !bytes.Equal(got, want) {
		t.Errorf("got % X, want % X", got, want)
	}
}

func TestAMotorRunsToItsLimitAndStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bus(t)
		says(t, b, toUp, acknowledged)
		truth(t, b, "shade.motion", "up")
		time.Sleep(travel / 4)
		truth(t, b, "shade.position", "25")
		says(t, b, stop, acknowledged)
		time.Sleep(travel)
		truth(t, b, "shade.position", "25")
		truth(t, b, "shade.motion", "stop")
		says(t, b, toUp, acknowledged)
		time.Sleep(travel)
		truth(t, b, "shade.position", "100")
		truth(t, b, "curtain.position", "0")
	})
}

func TestAMotorThatWasFittedTheOtherWayRoundGoesUpWhenToldDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bus(t)
		b.Frame(request(ctrlMoveTo, [3]byte{3, 2, 1}, 0, 0, 0, 0))
		truth(t, b, "curtain.motion", "up")
		time.Sleep(travel)
		truth(t, b, "curtain.position", "100")
		nudge(t, b, "curtain", "motion", "down")
		time.Sleep(travel / 2)
		nudge(t, b, "curtain", "motion", "stop")
		truth(t, b, "curtain.position", "50")
	})
}

// request makes a request of the master to the address, last byte first.
func request(code byte, to [3]byte, data ...byte) []byte {
	f := append([]byte{code, 0x80 | byte(11+len(data)), 2, 0xFF, 0xFF, 0}, to[:]...)
	wire := invert(append(f, data...))
	sum := total(wire)
	return append(wire, byte(sum>>8), byte(sum))
}

func TestAMomentaryMoveEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bus(t)
		nudge(t, b, "shade", "position", "50")
		says(t, b, "FE 71 FD 00 00 FF 3F 97 F8 FF 00 FF 07 37", acknowledged)
		truth(t, b, "shade.motion", "down")
		time.Sleep(travel)
		truth(t, b, "shade.position", "37") // 2.55 s of 20
		b.Frame(request(ctrlMove, [3]byte{0xC0, 0x68, 7}, 2, 0, 0))
		truth(t, b, "shade.motion", "stop")
	})
}

func TestEverybodyHearsABroadcastAndNobodyAnswers(t *testing.T) {
	b := bus(t)
	if got := b.Frame(request(ctrlMoveTo, [3]byte{0xFF, 0xFF, 0xFF}, 4, 50, 0, 0)); got != nil {
		t.Errorf("answered % X", got)
	}
	truth(t, b, "shade.motion", "up")
	truth(t, b, "curtain.motion", "up")
}

func TestACommandWithoutTheAckBitIsNotAnswered(t *testing.T) {
	b := bus(t)
	f := unhex(t, toUp)
	f[1] |= 0x80 // inverted
	sum := total(f[:len(f)-2])
	f[len(f)-2], f[len(f)-1] = byte(sum>>8), byte(sum)
	if got := b.Frame(f); got != nil {
		t.Errorf("answered % X", got)
	}
	truth(t, b, "shade.motion", "up")
}

func TestFaultsRefuseAndJam(t *testing.T) {
	b := bus(t)
	code := func(request []byte) byte {
		t.Helper()
		got := b.Frame(request)
		if len(got) != 12 || got[0] != 0xFF-nack {
			t.Fatalf("answered % X", got)
		}
		return 0xFF - got[9]
	}
	for fault, want := range map[string]byte{"nak": outOfRange, "busy": busy, "locked": nodeLocked, "no-limits": limitsNotSet} {
		if err := b.Fault(fault); err != nil {
			t.Error(err)
		}
		if got := code(unhex(t, toUp)); got != want {
			t.Errorf("%s: NACK %02X, want %02X", fault, got, want)
		}
	}
	if err := b.Fault("jammed"); err != nil {
		t.Error(err)
	}
	says(t, b, toUp, acknowledged)
	truth(t, b, "shade.motion", "stop")
	if err := b.Fault(""); err != nil {
		t.Error(err)
	}
	shade := [3]byte{0xC0, 0x68, 7}
	for want, request := range map[byte][]byte{
		unknownMessage: request(0x66, shade), wrongLength: request(ctrlMoveTo, shade, 4), outOfRange: request(ctrlMoveTo, shade, 4, 101, 0, 0),
	} {
		if got := code(request); got != want {
			t.Errorf("NACK %02X, want %02X", got, want)
		}
	}
	if err := b.Fault("tired"); err == nil || !strings.Contains(err.Error(), "no-limits") {
		t.Errorf("an unknown fault gave %v", err)
	}
	for _, n := range [][3]string{{"shade", "position", "101"}, {"shade", "motion", "sideways"}, {"shade", "colour", "red"}, {"door", "position", "1"}} {
		if err := b.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("nudging %v was taken", n)
		}
	}
}

func TestSettingsThatAreNoAddressAreRefused(t *testing.T) {
	for _, id := range []any{nil, "0768", "zz.zz.zz", 123456} {
		if _, err := New(sim.Options{}, []sim.Device{{ID: "x", With: map[string]any{"motor": id}}}); err == nil {
			t.Errorf("motor %v was taken", id)
		}
	}
}

func FuzzFrame(f *testing.F) {
	f.Add(unhex(f, toDown))
	f.Add(unhex(f, askPosition))
	fuzz.Run(f, func(t *testing.T, wire []byte) {
		b := bus(t)
		_ = b.Frame(wire)
		if len(wire) > 0 && len(wire) < 20 { // past the checksum
			_ = b.Frame(request(wire[0], [3]byte{0xC0, 0x68, 7}, wire[1:]...))
		}
	})
}
