package pjlink

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
	sim "lectern/devices/sim/pjlink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: sim.New, Kind: line.TCP, With: with, Speed: 100})
}

func TestProjectorsConform(t *testing.T) {
	for name, with := range map[string]map[string]any{"open": {}, "with a password": {"password": "JBMIAProjectorLink"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			devicetest.Projector(t, devicetest.ProjectorCase{Pair: pair(t, with), Inputs: [2]string{"31", "6A"}, Nak: "nak", Calm: name == "open"})
		})
	}
}

// The example of the specification, section 5.1.
func TestDigestOfTheSpecification(t *testing.T) {
	digest, err := authenticate([]byte("PJLINK 1 498e4a67\r"), "JBMIAProjectorLink")
	if err != nil || digest != "5d8409bc1c3fa39749434aa3a5c38682" {
		t.Errorf("%s, %v", digest, err)
	}
}

func TestGreetings(t *testing.T) {
	for hello, want := range map[string]string{
		"PJLINK 0\r": "", "PJLINK 1 498e4a67\r": "asks for a password", "PJLINK ERRA\r": "refused the password", "SSH-2.0-x\r": "not PJLink",
	} {
		_, err := authenticate([]byte(hello), "")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", hello, err)
		}
	}
}

func TestWrongPasswordSaysSo(t *testing.T) {
	p := devicetest.NewPairs(t, devicetest.PairConfig{Driver: Driver(), Factory: sim.New, Kind: line.TCP, With: map[string]any{"password": "right"}})["device"]
	wrong := line.New(line.Config{ID: "wrong", Kind: line.TCP, Address: p.Wire.Address()}, slog.New(slog.DiscardHandler))
	made, err := Driver().New(devices.Env{Line: wrong}, &Settings{Password: "guess"})
	if err != nil {
		t.Fatal(err)
	}
	devicetest.RunLine(t, wrong)
	if _, err := made.(devices.Projector).Status(devicetest.Asking(t)); err == nil || !strings.Contains(err.Error(), "refused the password") {
		t.Errorf("%v", err)
	}
}

func TestDialogueOfTheSpecification(t *testing.T) {
	p := pair(t, nil)
	beam := p.Capability.(devices.Projector)
	if _, err := beam.Status(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	if err := beam.SetPower(devicetest.Asking(t), true); err != nil {
		t.Fatal(err)
	}
	chunks, _, _ := p.Wire.Heard(0)
	if got := string(bytes.Join(chunks, nil)); got != "%1CLSS ?\r%1POWR ?\r%1LAMP ?\r%1ERST ?\r%1POWR 1\r" {
		t.Errorf("on the wire %q", got)
	}
}

func TestErrorsAreRejectionsInBothLanguages(t *testing.T) {
	for _, code := range []string{"ERR1", "ERR2", "ERR3", "ERR4"} {
		rejection := new(devices.Rejection)
		_, err := decode([]byte("%1INPT="+code+"\r"), "1INPT")
		if !errors.As(err, &rejection) || rejection.Code != code || rejection.Reason.ZH == "" || rejection.Reason.EN == "" || rejection.Busy != (code == "ERR3") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

func TestFaultDigits(t *testing.T) {
	for digits, want := range map[string]string{"000000": "", "010000": "Warning: lamp", "012000": "Error: temperature", "": "", "0000": ""} {
		if got := faultOf(digits).Text.EN; got != want {
			t.Errorf("%q is %q", digits, got)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("%1POWR=3\r"))
	f.Add([]byte("PJLINK 1 498e4a67\r"))
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		_, _ = authenticate(got[:n], "secret")
		if accepts(got[:n], "1POWR") {
			_, _ = decode(got[:n], "1POWR")
		}
		_ = explain(got[:n])
		_ = faultOf(string(got))
	})
}
