package nec

import (
	"bytes"
	"errors"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
	sim "lectern/devices/sim/nec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: sim.New, Kind: kind, With: with, Speed: 100})
}

func TestProjectorsConform(t *testing.T) {
	for name, c := range map[string]struct {
		kind   line.Kind
		with   map[string]any
		inputs [2]string
		calm   bool
	}{
		"serial":      {line.Serial, nil, [2]string{"A1", "06"}, false},
		"tcp":         {line.TCP, nil, [2]string{"A2", "01"}, false},
		"older model": {line.Serial, map[string]any{"running_sense": true}, [2]string{"1A", "02"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			devicetest.Projector(t, devicetest.ProjectorCase{Pair: pair(t, c.kind, c.with), Inputs: c.inputs, Nak: "nak", Calm: c.calm})
		})
	}
}

// The command examples of the manual: 305-3, 009, 015, 018 (video) and 037-4.
func TestWireVectors(t *testing.T) {
	for _, c := range []struct {
		request request
		want    []byte
	}{
		{askBasic, []byte{0x00, 0xBF, 0x00, 0x00, 0x01, 0x02, 0xC2}},
		{askErrors, []byte{0x00, 0x88, 0x00, 0x00, 0x00, 0x88}},
		{powerOn, []byte{0x02, 0x00, 0x00, 0x00, 0x00, 0x02}},
		{powerOff, []byte{0x02, 0x01, 0x00, 0x00, 0x00, 0x03}},
		{chooseInput(0x06), []byte{0x02, 0x03, 0x00, 0x00, 0x02, 0x01, 0x06, 0x0E}},
		{chooseInput(0x1A), []byte{0x02, 0x03, 0x00, 0x00, 0x02, 0x01, 0x1A, 0x22}},
		{chooseInput(0xA1), []byte{0x02, 0x03, 0x00, 0x00, 0x02, 0x01, 0xA1, 0xA9}},
		{askLamp, []byte{0x03, 0x96, 0x00, 0x00, 0x02, 0x00, 0x01, 0x9C}},
		{askInformation, []byte{0x03, 0x8A, 0x00, 0x00, 0x00, 0x8D}},
		{askRunning, []byte{0x00, 0x81, 0x00, 0x00, 0x00, 0x81}},
		{askInput, []byte{0x00, 0x85, 0x00, 0x00, 0x01, 0x02, 0x88}},
	} {
		if got := c.request.encode(); !bytes.Equal(got, c.want) {
			t.Errorf("%s is % X, the manual has % X", c.request.name, got, c.want)
		}
	}
}

// Section 2.3: 20h 81h 01h 60h 01h 00h has the checksum 03h.
func TestChecksumOfTheManual(t *testing.T) {
	reply := []byte{0x20, 0x81, 0x01, 0x60, 0x01, 0x00, 0x03}
	if start, end, err := askRunning.find(reply); start != 0 || end != 7 || err != nil {
		t.Errorf("found %d to %d, %v", start, end, err)
	}
	if data, err := decode(reply); err != nil || len(data) != 1 || senseOf(data[0]) != devices.PowerOff {
		t.Errorf("% X, %v", data, err)
	}
	reply[6]++
	if _, end, _ := askRunning.find(reply); end != 0 {
		t.Error("a wrong checksum is believed")
	}
}

func TestRepliesAreFoundInNoiseWhateverTheirIDs(t *testing.T) {
	reply := []byte{0x22, 0x00, 0x01, 0x60, 0x00, 0x83}
	for name, c := range map[string]struct {
		before, reply []byte
		request       request
		found         bool
	}{
		"clean":                         {nil, reply, powerOn, true},
		"without IDs":                   {nil, []byte{0x22, 0x00, 0x00, 0x00, 0x00, 0x22}, powerOn, true},
		"after a byte like its head":    {[]byte{0x22}, reply, powerOn, true},
		"after another reply":           {[]byte{0x22, 0x01, 0x01, 0x60, 0x00, 0x84}, reply, powerOn, true},
		"refused":                       {nil, []byte{0xA2, 0x00, 0x00, 0x00, 0x02, 0x02, 0x0E, 0xB4}, powerOn, true},
		"of another command":            {nil, reply, powerOff, false},
		"half":                          {nil, reply[:4], powerOn, false},
		"too short for what was asked":  {nil, []byte{0x20, 0xBF, 0x01, 0x60, 0x01, 0x02, 0x43}, askBasic, false},
		"of another question of 0xBF":   {nil, append([]byte{0x20, 0xBF, 0, 0, 16}, append(make([]byte, 16), 0xEF)...), askBasic, false},
		"refusal without its two codes": {nil, []byte{0xA2, 0x00, 0x00, 0x00, 0x00, 0xA2}, powerOn, false},
	} {
		got := append(append([]byte(nil), c.before...), c.reply...)
		start, end, err := c.request.find(got)
		if err != nil || c.found && (start != len(c.before) || end != len(got)) || !c.found && end != 0 {
			t.Errorf("%s: %d to %d, %v", name, start, end, err)
		}
	}
}

func TestRefusedWhenOffIsARejection(t *testing.T) {
	frame := []byte{0xA2, 0x03, 0x00, 0x00, 0x02, 0x02, 0x0D, 0xB6}
	no := new(devices.Rejection)
	if _, err := decode(frame); !errors.As(err, &no) || no.Code != "020D" || !no.Busy {
		t.Errorf("%v", err)
	}
	for _, code := range [][2]byte{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {2, 2}, {2, 3}, {2, 7}, {2, 0x0E}, {2, 0x0F}, {9, 9}} {
		if r := rejection(code[0], code[1]); r.Reason.ZH == "" || r.Reason.EN == "" || r.Code == "" {
			t.Errorf("% X: %+v", code, r)
		}
	}
}

func TestStates(t *testing.T) {
	for code, want := range map[byte]devices.Power{
		0x00: devices.PowerOff, 0x03: devices.PowerWarming, 0x04: devices.PowerOn, 0x05: devices.PowerCooling,
		0x06: devices.PowerOff, 0x0F: devices.PowerOff, 0x10: devices.PowerOff,
	} {
		if got, ok := powerOf(code); !ok || got != want {
			t.Errorf("%02X is %q", code, got)
		}
	}
	if got, ok := powerOf(0xFF); ok || got != devices.PowerUnknown {
		t.Errorf("FF is %q: unknown is not off", got)
	}
	for status, want := range map[byte]devices.Power{
		0x00: devices.PowerOff, 0x02: devices.PowerOn, 0x82: devices.PowerWarming, 0xA0: devices.PowerCooling, 0x22: devices.PowerCooling, 0x42: devices.PowerOn,
	} {
		if got := senseOf(status); got != want {
			t.Errorf("sense %02X is %q", status, got)
		}
	}
}

// 037 and 037-4: 50h 46h 00h 00h are 18000 seconds, 5 hours.
func TestLampHoursOfTheManual(t *testing.T) {
	for _, c := range []struct {
		seconds []byte
		want    int
	}{{[]byte{0x50, 0x46, 0, 0}, 5}, {[]byte{0, 0, 0, 0}, 0}, {[]byte{0xFF, 0xFF, 0xFF, 0xFF}, -1}} {
		if got := hoursOf(c.seconds); got != c.want {
			t.Errorf("% X are %d hours", c.seconds, got)
		}
	}
}

func TestFaultBits(t *testing.T) {
	for _, c := range []struct {
		data     []byte
		code, en string
	}{
		{make([]byte, 12), "", ""},
		{nil, "", ""},
		{[]byte{0x01}, "01", "Lamp cover open"},
		{[]byte{0x18, 0, 0, 0}, "18", "Fan"},
		{[]byte{0x40, 0, 0x04, 0}, "40 00 04", "Lamp; Too hot (sensor)"},
		{[]byte{0, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0, 0, 0}, "00 80 00 00 00 00 00 00 02", "The interlock switch is open"},
		{[]byte{0, 0x80}, "00 80", "The projector reports a fault"},
		{[]byte{0, 0, 0, 0, 0x01}, "00 00 00 00 01", "Unknown fault"},
	} {
		got := faultOf(c.data)
		if got.Code != c.code || got.Text.EN != c.en || (got.Text.ZH == "") != (c.en == "") {
			t.Errorf("% X: %+v", c.data, got)
		}
	}
	for _, f := range faultBits() {
		data := make([]byte, 12)
		data[f.data-1] = 1 << f.bit
		if got := faultOf(data).Text; got != f.text || f.text.ZH == "" || f.text.EN == "" {
			t.Errorf("DATA%02d bit %d: %+v", f.data, f.bit, got)
		}
	}
}

func TestAnInputIsReadBackByTheCodeOfTheRoom(t *testing.T) {
	p := pair(t, line.Serial, map[string]any{"inputs": map[string]any{"1a": "01 21"}})
	p.Nudge(t, "device", "power", "on")
	beam := p.Capability.(devices.Projector)
	devicetest.Until(t, "the input", func() bool {
		s, err := beam.Status(devicetest.Asking(t))
		return err == nil && s.Input == "1A" && s.Lamp == 5
	})
}

func TestAWrongCodeIsRefusedAndNotSent(t *testing.T) {
	p := pair(t, line.Serial, nil)
	refusal := new(devices.Refusal)
	if err := p.Capability.(devices.Projector).SetInput(devicetest.Asking(t), "HDMI"); !errors.As(err, &refusal) || refusal.Reason.ZH == "" {
		t.Errorf("%v", err)
	}
	if chunks, _, _ := p.Wire.Heard(0); len(chunks) != 0 {
		t.Errorf("heard % X", chunks)
	}
}

func TestAFaultIsToldBitByBitAndStandsDuringATransition(t *testing.T) {
	p := pair(t, line.Serial, nil)
	beam := p.Capability.(devices.Projector)
	p.Fault(t, "filter")
	s, err := beam.Status(devicetest.Asking(t))
	if err != nil || s.Fault.Code != "00 00 00 04" {
		t.Fatalf("%+v, %v", s, err)
	}
	if err := beam.SetPower(devicetest.Asking(t), true); err != nil {
		t.Fatal(err)
	}
	if s, err := beam.Status(devicetest.Asking(t)); err != nil || s.Fault.Code != "00 00 00 04" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestSettings(t *testing.T) {
	for name, s := range map[string]*Settings{
		"a code of letters":     {Inputs: map[string]string{"HDMI": "01 21"}},
		"no signal types":       {Inputs: map[string]string{"1A": "HDMI"}},
		"one report, two codes": {Inputs: map[string]string{"1A": "01 21", "A1": "0121"}},
	} {
		if s.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if err := (&Settings{Inputs: map[string]string{"1A": "01 21"}}).Validate(); err != nil {
		t.Error(err)
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte{0x22, 0x00, 0x01, 0x60, 0x00, 0x83})
	f.Add([]byte{0xA2, 0x03, 0x00, 0x00, 0x02, 0x02, 0x0D, 0xB6})
	f.Add(append([]byte{0x20, 0xBF, 1, 0x60, 16, 2}, make([]byte, 16)...))
	fuzz.Run(f, func(t *testing.T, got []byte) {
		for _, r := range []request{askBasic, askErrors, askLamp, askInformation, askRunning, askInput, powerOn, chooseInput(1)} {
			start, end, err := r.find(got)
			if err != nil || start < 0 || start > end || end > len(got) {
				t.Fatalf("%s: %d to %d of %d, %v", r.name, start, end, len(got), err)
			}
			if end == 0 {
				continue
			}
			data, err := decode(got[start:end])
			var rejection *devices.Rejection
			if err == nil && len(data) < r.least || err != nil && !errors.As(err, &rejection) {
				t.Fatalf("%s: found % X, %v", r.name, got[start:end], err)
			}
		}
		_ = explain(got)
		_ = faultOf(got)
	})
}
