package somfy_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	simulator "lectern/devices/sim/somfy"
	"lectern/devices/somfy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair joins a motor whose travel is a fifth of a second.
func pair(t *testing.T, kind line.Kind, with map[string]any) (*devicetest.Pair, devices.Positioner) {
	t.Helper()
	settings := map[string]any{"motor": "07.68.C0"}
	for k, v := range with {
		settings[k] = v
	}
	p := devicetest.NewPair(t, devicetest.PairConfig{
		Driver: somfy.Driver(), Factory: simulator.New, Kind: kind, Speed: 100, With: settings,
	})
	return p, p.Capability.(devices.Positioner)
}

func TestMotorsConform(t *testing.T) {
	for what, c := range map[string]struct {
		kind line.Kind
		with map[string]any
		calm bool
	}{
		"serial":   {line.Serial, nil, false},
		"tcp":      {line.TCP, nil, false},
		"reversed": {line.Serial, map[string]any{"reversed": true, "node": 0}, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p, _ := pair(t, c.kind, c.with)
			devicetest.Positioner(t, devicetest.MoverCase{Pair: p, Nak: "nak", Calm: c.calm})
		})
	}
}

func TestWhatIsSaidOnTheWire(t *testing.T) {
	for what, c := range map[string]struct {
		with map[string]any
		do   func(devices.Positioner) error
		want []byte
	}{
		"up": {nil, func(m devices.Positioner) error { return m.Move(devicetest.Asking(t), devices.Up) },
			[]byte{0xFC, 0x70, 0xFD, 0, 0, 0xFF, 0x3F, 0x97, 0xF8, 0xFE, 0xFF, 0xFF, 0xFF, 0x09, 0x31}},
		"up, reversed": {map[string]any{"reversed": true}, func(m devices.Positioner) error { return m.Move(devicetest.Asking(t), devices.Up) },
			[]byte{0xFC, 0x70, 0xFD, 0, 0, 0xFF, 0x3F, 0x97, 0xF8, 0xFF, 0xFF, 0xFF, 0xFF, 0x09, 0x32}},
		"stop": {nil, func(m devices.Positioner) error { return m.Move(devicetest.Asking(t), devices.Stop) },
			[]byte{0xFD, 0x73, 0xFD, 0, 0, 0xFF, 0x3F, 0x97, 0xF8, 0xFE, 0x06, 0x38}},
		"go to 90 %, which is 10 % from the top": {nil, func(m devices.Positioner) error { return m.GoTo(devicetest.Asking(t), 90) },
			[]byte{0xFC, 0x70, 0xFD, 0, 0, 0xFF, 0x3F, 0x97, 0xF8, 0xFB, 0xF5, 0xFF, 0xFF, 0x09, 0x24}},
	} {
		t.Run(what, func(t *testing.T) {
			p, m := pair(t, line.Serial, c.with)
			if err := c.do(m); err != nil {
				t.Fatal(err)
			}
			chunks, _, _ := p.Wire.Heard(0)
			if got := bytes.Join(chunks, nil); !bytes.Equal(got, c.want) {
				t.Errorf("on the wire % X, want % X", got, c.want)
			}
		})
	}
}

func TestWithoutLimitsItDoesNotPretend(t *testing.T) {
	p, m := pair(t, line.Serial, nil)
	p.Fault(t, "no-limits")
	if w, err := m.Where(devicetest.Asking(t)); err != nil || w.Known || w.Motion != devices.Stop {
		t.Errorf("it says %+v, %v", w, err)
	}
	for what, err := range map[string]error{
		"going to a position": m.GoTo(devicetest.Asking(t), 30), "going up": m.Move(devicetest.Asking(t), devices.Up),
	} {
		no := new(devices.Refusal)
		if !errors.As(err, &no) || !strings.Contains(no.Reason.EN, "limits") || no.Reason.ZH == "" {
			t.Errorf("%s gave %v", what, err)
		}
	}
	if err := m.Move(devicetest.Asking(t), devices.Stop); err != nil {
		t.Errorf("stopping gave %v", err)
	}
}

func TestANoIsSaidInWords(t *testing.T) {
	p, m := pair(t, line.TCP, nil)
	for fault, want := range map[string]struct {
		code, word string
		busy       bool
	}{"nak": {"NACK 01", "refused", false}, "locked": {"NACK 20", "locked", false}, "busy": {"NACK FF", "busy", true}} {
		p.Fault(t, fault)
		for what, err := range map[string]error{
			"stop": m.Move(devicetest.Asking(t), devices.Stop), "go to": m.GoTo(devicetest.Asking(t), 40),
		} {
			no := new(devices.Rejection)
			if !errors.As(err, &no) || no.Code != want.code || no.Busy != want.busy || !strings.Contains(no.Reason.EN, want.word) || no.Reason.ZH == "" {
				t.Errorf("%s, %s: %v", fault, what, err)
			}
		}
	}
}

// TestAStopDoesNotWaitForALateAnswer: after a lost answer everything else waits for a second.
func TestAStopDoesNotWaitForALateAnswer(t *testing.T) {
	p, m := pair(t, line.Serial, nil)
	if err := m.Move(devicetest.Asking(t), devices.Up); err != nil {
		t.Fatal(err)
	}
	if err := p.Wire.Fault("silence"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Where(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
		t.Fatal(err)
	}
	if err := p.Wire.Fault(""); err != nil {
		t.Fatal(err)
	}
	_, since, _ := p.Wire.Heard(0)
	read := make(chan error, 1)
	go func() { _, err := m.Where(devicetest.Asking(t)); read <- err }()
	devicetest.Until(t, "the read waits", func() bool { return p.Line.Waiting() == 1 })
	if err := m.Move(devicetest.Asking(t), devices.Stop); err != nil { // no more urgent than the read
		t.Error(err)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	chunks, _, _ := p.Wire.Heard(since)
	if heard := bytes.Join(chunks, nil); len(heard) == 0 || heard[0] != 0xFD {
		t.Errorf("the stop was not the first thing said: % X", heard)
	}
}

func TestMotorsOnOneBusAreToldApart(t *testing.T) {
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: somfy.Driver(), Factory: simulator.New, With: map[string]any{"motor": "07.68.C0"},
		Others: map[string]devicetest.PairOther{"screen": {Driver: somfy.Driver(), With: map[string]any{"motor": "C0.68.07"}}},
	})
	pairs["device"].Nudge(t, "device", "position", "10")
	pairs["screen"].Nudge(t, "screen", "position", "90")
	for id, want := range map[string]int{"device": 10, "screen": 90} {
		w, err := pairs[id].Capability.(devices.Positioner).Where(devicetest.Asking(t))
		if err != nil || w.Percent != want {
			t.Errorf("%s says %+v, %v; want %d%%", id, w, err, want)
		}
	}
}

func TestTheDriverClaimsItsMotorAndChecksItsSettings(t *testing.T) {
	d := somfy.Driver()
	if got := d.Claims(devicetest.DecodeSettings(t, d, map[string]any{"motor": "0768c0"})); !slices.Equal(got, []string{"motor 07.68.C0"}) {
		t.Errorf("claims %q", got)
	}
	for _, s := range []*somfy.Settings{{Motor: "FF.FF.FF"}, {}, {Motor: "07.68.C0", Node: 16}} {
		if err := s.Validate(); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
	if _, err := d.New(devices.Env{}, &somfy.Settings{}); err == nil {
		t.Error("a motor without an address was made")
	}
}
