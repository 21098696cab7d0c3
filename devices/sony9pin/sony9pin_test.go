package sony9pin

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
	sim "lectern/devices/sim/sony9pin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: sim.New, Kind: line.Serial})
}

func frame(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRecordersConform(t *testing.T) {
	devicetest.Player(t, devicetest.PlayerCase{Pair: pair(t), NoMedia: "no-tape", Nak: "nak", Calm: testing.Short()})
}

func TestVectors(t *testing.T) {
	for want, got := range map[string][]byte{
		"20 00 20": encode(0x20, 0x00), "20 01 21": encode(0x20, 0x01), "20 02 22": encode(0x20, 0x02), "20 0F 2F": encode(0x20, 0x0F),
		"20 10 30": encode(0x20, 0x10), "20 20 40": encode(0x20, 0x20), "21 11 40 72": encode(0x20, 0x11, 0x40),
		"24 31 13 58 16 02 D8": encode(0x20, 0x31, 0x13, 0x58, 0x16, 0x02), "61 20 0A 8B": encode(0x60, 0x20, 0x0A), "61 20 0F 90": encode(0x60, 0x20, 0x0F),
	} {
		if !bytes.Equal(got, frame(t, want)) {
			t.Errorf("% X, want %s", got, want)
		}
	}
}

func TestOnTheWire(t *testing.T) {
	p := pair(t)
	if err := p.Capability.(*Recorder).Act(devicetest.Asking(t), devices.TransportPlay); err != nil {
		t.Fatal(err)
	}
	chunks, _, _ := p.Wire.Heard(0)
	if got := bytes.Join(chunks, nil); !bytes.Equal(got, frame(t, "61 20 0A 8B 20 01 21")) {
		t.Errorf("on the wire % X", got)
	}
}

func TestLocalIsARejectionThatSaysWhere(t *testing.T) {
	p := pair(t)
	p.Fault(t, "local")
	rejection := new(devices.Rejection)
	if err := p.Capability.(*Recorder).Act(devicetest.Asking(t), devices.TransportPlay); !errors.As(err, &rejection) || rejection.Code != "LOCAL" {
		t.Errorf("%v", err)
	}
}

func TestSplitPassesOverWhatIsNoPacket(t *testing.T) {
	for _, c := range []struct {
		got  string
		want int
	}{
		{"10 01 11", 3}, {"10 01", 0}, {"11 12 01 24", 4}, {"FF 10 01 11", 1}, {"10 01 12", 1}, {"72 20 00 01 93", 5},
	} {
		if n := split(frame(t, c.got)); n != c.want {
			t.Errorf("%s is cut at %d, want %d", c.got, n, c.want)
		}
	}
}

func TestNAKsSayWhatIsWrong(t *testing.T) {
	for bits, want := range map[byte]string{0x01: "does not know", 0x04: "38400 8O1", 0x10: "38400 8O1", 0x80: "timed out"} {
		if r := rejection(bits); !strings.Contains(r.Reason.EN, want) || r.Reason.ZH == "" {
			t.Errorf("%02X: %v", bits, r)
		}
	}
}

func TestStatusBits(t *testing.T) {
	for want, set := range map[devices.Transport][2]byte{
		devices.TransportNoMedia: {0, 0x20}, devices.TransportPlay: {1, 0x01}, devices.TransportForward: {1, 0x04}, devices.TransportBack: {1, 0x08},
		devices.TransportPause: {2, 0x02}, devices.TransportStop: {1, 0x20},
	} {
		var s status
		s[set[0]] = set[1]
		if got := s.transport(); got != want {
			t.Errorf("byte %d %02X is %q, want %q", set[0], set[1], got, want)
		}
	}
	if got := (status{1: 0x03}).transport(); got != devices.TransportRecord {
		t.Errorf("record and play together is %q", got)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte{0x10, 0x01, 0x11})
	f.Add([]byte{0x7A, 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0x9B})
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		if isStatus(got[:n]) {
			_ = parseStatus(got[:n]).transport()
		}
		_ = explain(got[:n])
	})
}
