package hdmimatrix_test

import (
	"errors"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/hdmimatrix"
	"lectern/devices/line"
	simulator "lectern/devices/sim/hdmimatrix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: hdmimatrix.Driver(), Factory: simulator.New, Kind: kind, With: with,
	})
}

func TestMatricesConform(t *testing.T) {
	for what, c := range map[string]struct {
		kind   line.Kind
		with   map[string]any
		unties bool
		calm   bool
	}{
		"atlona":        {line.TCP, map[string]any{"dialect": "atlona"}, true, false},
		"atlona serial": {line.Serial, map[string]any{"dialect": "atlona", "digits": 2}, true, true},
		"uhd pro3":      {line.TCP, map[string]any{"dialect": "atlona", "untie": "long"}, true, true},
		"letter":        {line.Serial, map[string]any{"dialect": "letter"}, true, false},
		"both":          {line.Serial, map[string]any{"dialect": "letter", "signal": "B"}, true, true},
		"sound":         {line.Serial, map[string]any{"dialect": "letter", "signal": "A", "digits": 2}, true, true},
		"out":           {line.Serial, map[string]any{"dialect": "out"}, false, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			devicetest.Selector(t, devicetest.SelectorCase{
				Pair: pair(t, c.kind, c.with), Outputs: []string{"1", "3", "8"}, Inputs: []string{"1", "4", "8"},
				Unties: c.unties, NoInput: "9", Nak: "nak", Calm: c.calm,
			})
		})
	}
}

func TestABoardThatHasBeenToldToSayNoMoreIsReadBack(t *testing.T) {
	p := pair(t, line.Serial, map[string]any{"dialect": "letter"})
	p.Fault(t, "terse")
	matrix := p.Capability.(devices.Selector)
	if err := matrix.Select(devicetest.Asking(t), "2", "3"); err != nil {
		t.Fatal(err)
	}
	if got, err := matrix.Selected(devicetest.Asking(t), "2"); got != "3" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestWhatCannotBeIsNotSent(t *testing.T) {
	refused := func(err error) bool { return errors.As(err, new(*devices.Refusal)) }
	for what, with := range map[string]map[string]any{
		"out":  {"dialect": "out", "inputs": 4, "outputs": 2},
		"none": {"dialect": "atlona", "untie": "none", "inputs": 4, "outputs": 2},
	} {
		p := pair(t, line.TCP, with)
		matrix := p.Capability.(devices.Selector)
		if err := matrix.Select(devicetest.Asking(t), "1", "4"); err != nil {
			t.Fatal(err)
		}
		_, before, _ := p.Wire.Heard(0)
		for _, err := range []error{
			matrix.Select(devicetest.Asking(t), "1", ""), matrix.Select(devicetest.Asking(t), "1", "5"), matrix.Select(devicetest.Asking(t), "3", "1"),
		} {
			if !refused(err) {
				t.Errorf("%s: got %v", what, err)
			}
		}
		for _, code := range []string{"", "hdmi", "01", "0", "-1", "100"} {
			if got, err := matrix.Selected(devicetest.Asking(t), code); err == nil {
				t.Errorf("%s: output %q has input %q", what, code, got)
			}
		}
		if chunks, after, _ := p.Wire.Heard(before); after != before {
			t.Errorf("%s: %q was sent", what, chunks)
		}
	}
}
