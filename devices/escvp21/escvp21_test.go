package escvp21

import (
	"bytes"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
	sim "lectern/devices/sim/escvp21"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, kind line.Kind, speed float64) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: sim.New, Kind: kind, Speed: speed, With: map[string]any{"ignition": "3s"}})
}

func TestProjectorsConform(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			devicetest.Projector(t, devicetest.ProjectorCase{Pair: pair(t, kind, 100), Inputs: [2]string{"30", "A0"}, Nak: "nak", Calm: kind == line.TCP})
		})
	}
}

func TestWireVectors(t *testing.T) {
	p := pair(t, line.Serial, 1000)
	beam := p.Capability.(devices.Projector)
	if _, err := beam.Status(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	if err := beam.SetPower(devicetest.Asking(t), true); err != nil {
		t.Fatal(err)
	}
	if err := beam.SetInput(devicetest.Asking(t), "30"); err != nil {
		t.Fatal(err)
	}
	chunks, _, _ := p.Wire.Heard(0)
	if got := string(bytes.Join(chunks, nil)); got != "PWR?\rERR?\rPWR ON\rSOURCE 30\r" {
		t.Errorf("on the wire %q", got)
	}
}

func TestTCPBeginsWithTheHandshake(t *testing.T) {
	p := pair(t, line.TCP, 1000)
	if _, err := p.Capability.(devices.Projector).Status(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	chunks, _, _ := p.Wire.Heard(0)
	want := []byte{0x45, 0x53, 0x43, 0x2F, 0x56, 0x50, 0x2E, 0x6E, 0x65, 0x74, 0x10, 0x03, 0, 0, 0, 0}
	if got := bytes.Join(chunks, nil); !bytes.HasPrefix(got, want) {
		t.Errorf("on the wire % X", got)
	}
}

func TestPowerCodes(t *testing.T) {
	for code, want := range map[string]devices.Power{
		"00": devices.PowerOff, "01": devices.PowerOn, "02": devices.PowerWarming, "03": devices.PowerCooling,
		"04": devices.PowerOff, "05": devices.PowerOff, "09": devices.PowerOff,
	} {
		if got, ok := powerOf(code); !ok || got != want {
			t.Errorf("%s is %q", code, got)
		}
	}
	if _, ok := powerOf("77"); ok {
		t.Error("an unknown code is known")
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		frame string
		query bool
		want  bool
	}{
		{"PWR=01\r:", true, true},
		{"LAMP=5\r:", true, false},  // late
		{"PWR=01\r:", false, false}, // late
		{":", false, true},
		{":", true, false},
		{"ERR\r:", true, true},
		{"ERR\r:", false, true},
		{"IMEVENT=0001 02 00000000 00000000 T1 F1\r:", false, false},
		{"IMEVENT=0001\r:", true, false},
		{"\r\nPWR=01\r:", true, true},
	} {
		if got := accepts([]byte(c.frame), "PWR", c.query); got != c.want {
			t.Errorf("%q: %v", c.frame, got)
		}
	}
	rejection := new(devices.Rejection)
	if _, err := decode([]byte("ERR\r:"), "PWR", true); !errors.As(err, &rejection) || !rejection.Busy {
		t.Errorf("%v", err)
	}
	if v, err := decode([]byte("PWR=01\r:"), "PWR", true); v != "01" || err != nil {
		t.Errorf("%q %v", v, err)
	}
}

func TestAnAbnormalStateIsNoReply(t *testing.T) {
	p := pair(t, line.Serial, 1000)
	p.Fault(t, "abnormal")
	if _, err := p.Capability.(devices.Projector).Status(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("%v", err)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("PWR=01\r:"))
	f.Add([]byte("ESC/VP.net\x10\x03\x00\x00\x20\x00PWR=01\r:"))
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		_ = accepts(got[:n], "PWR", true)
		_, _ = decode(got[:n], "PWR", true)
		_ = explain(got[:n])
	})
}
