package panasonic

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
	sim "lectern/devices/sim/panasonic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, d devices.Driver, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	hasty := map[string]any{"after_power": "0s", "after_input": "0s"}
	maps.Copy(hasty, with)
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: d, Factory: sim.New, Kind: kind, With: hasty, Speed: 50})
}

func TestProjectorsConform(t *testing.T) {
	for name, c := range map[string]struct {
		driver   devices.Driver
		kind     line.Kind
		with     map[string]any
		noFaults bool
		calm     bool
	}{
		"serial":                       {Serial(), line.Serial, map[string]any{"hours": "Q$L"}, true, false},
		"serial with ID and self-test": {Serial(), line.Serial, map[string]any{"id": "07", "self_test": true}, false, true},
		"serial through a converter":   {Serial(), line.TCP, map[string]any{"id": "ZZ"}, true, true},
		"network":                      {NTControl(), line.TCP, nil, true, false},
		"network with a password":      {NTControl(), line.TCP, map[string]any{"password": "panasonic"}, true, true},
		"network, hours of a laser":    {NTControl(), line.TCP, map[string]any{"hours": "QST", "user": "admin2", "password": "p"}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			devicetest.Projector(t, devicetest.ProjectorCase{
				Pair: pair(t, c.driver, c.kind, c.with), Inputs: [2]string{"HD1", "RG2"}, Nak: "nak", NoFaults: c.noFaults, Calm: c.calm,
			})
		})
	}
}

func TestFramesOfTheManuals(t *testing.T) {
	for _, c := range []struct {
		id, command string
		want        []byte
	}{
		{"", "PON", []byte{0x02, 0x50, 0x4F, 0x4E, 0x03}},
		{"ZZ", "PON", []byte{0x02, 0x41, 0x44, 0x5A, 0x5A, 0x3B, 0x50, 0x4F, 0x4E, 0x03}},
		{"ZZ", "QST", []byte{0x02, 0x41, 0x44, 0x5A, 0x5A, 0x3B, 0x51, 0x53, 0x54, 0x03}},
		{"ZZ", "Q$L:1", []byte{0x02, 0x41, 0x44, 0x5A, 0x5A, 0x3B, 0x51, 0x24, 0x4C, 0x3A, 0x31, 0x03}},
	} {
		if got := serialFrame(c.id)(c.command); !bytes.Equal(got, c.want) {
			t.Errorf("%s %s is % X", c.id, c.command, got)
		}
	}
	if got := string(networkFrame("QPW")); got != "00QPW\r" {
		t.Errorf("QPW on the network is %q", got)
	}
}

// user, password and random number, and what is then written.
func TestDigestInProtectedMode(t *testing.T) {
	l := &login{}
	var err error
	if l.digest, err = authenticate([]byte("NTCONTROL 1 09b075be\r"), "admin1", "panasonic"); err != nil || l.digest != "d4a58eaea919558fb54a33a2effa8b94" {
		t.Errorf("%s, %v", l.digest, err)
	}
	if got := string(l.seal(networkFrame("Q$S"))); got != "d4a58eaea919558fb54a33a2effa8b9400Q$S\r" {
		t.Errorf("on the wire %q", got)
	}
}

func TestGreetings(t *testing.T) {
	for hello, want := range map[string]string{
		"NTCONTROL 0\r": "", "NTCONTROL 1 09b075be\r": "asks for a password", "PJLINK 0\r": "not NTCONTROL", "NTCONTROL\r": "not NTCONTROL", "": "not NTCONTROL",
	} {
		_, err := authenticate([]byte(hello), "admin1", "")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", hello, err)
		}
	}
}

func TestEachConnectionHasADigestOfItsOwnThatTheTraceDoesNotShow(t *testing.T) {
	p := pair(t, NTControl(), line.TCP, map[string]any{"password": "panasonic"})
	beam := p.Capability.(devices.Projector)
	for range 2 {
		if _, err := beam.Status(devicetest.Asking(t)); err != nil {
			t.Fatal(err)
		}
	}
	chunks, _, _ := p.Wire.Heard(0)
	said := strings.Split(strings.TrimSuffix(string(bytes.Join(chunks, nil)), "\r"), "\r")
	seen := make(map[string]bool)
	for _, s := range said {
		if len(s) < 32 || seen[s[:32]] {
			t.Errorf("%q: no digest, or an old one", s)
			continue
		}
		seen[s[:32]] = true
	}
	if len(said) != 4 { // Q$S and QPW, twice
		t.Errorf("heard %q", said)
	}
	entries, _ := p.Line.Trace(0)
	for _, e := range entries {
		if e.Dir == "tx" && !bytes.HasPrefix(e.Bytes, []byte("00Q")) {
			t.Errorf("the trace shows %q", e.Bytes)
		}
	}
	if h := p.Line.Health(); !h.Up {
		t.Errorf("%+v", h)
	}
}

func TestWrongPasswordSaysSo(t *testing.T) {
	p := pair(t, NTControl(), line.TCP, map[string]any{"password": "right"})
	wrong := line.New(line.Config{ID: "wrong", Kind: line.TCP, Address: p.Wire.Address()}, slog.New(slog.DiscardHandler))
	made, err := NTControl().New(devices.Env{Line: wrong}, &NTControlSettings{User: "admin1", Password: "guess", LampStatus: true, Hours: "QST"})
	if err != nil {
		t.Fatal(err)
	}
	devicetest.RunLine(t, wrong)
	if _, err := made.(devices.Projector).Status(devicetest.Asking(t)); !errors.Is(err, errPassword) {
		t.Errorf("%v", err)
	}
}

func TestRepliesAreToldByTheirForm(t *testing.T) {
	for _, c := range []struct {
		text, command string
		want          bool
	}{
		{"2", "Q$S", true},
		{"Q$S:2", "Q$S", true},
		{"4", "Q$S", false},
		{"001", "Q$S", false}, // late, from QPW
		{"001", "QPW", true},
		{"2", "QPW", false},
		{"HD1", "QIN", true},
		{"DL1:HD2", "QIN", true},
		{"PON", "QIN", false},
		{"IIS:HD1", "QIN", false},
		{"001682", "QIN", false},
		{"001682", "Q$L:1", true},
		{"Q$L:0000", "Q$L", true},
		{"001", "Q$L:1", false},
		{"00345", "QST", true},
		{"PON", "PON", true},
		{"POF", "PON", false},
		{"IIS:HD1", "IIS:HD1", true},
		{"IIS:HD2", "IIS:HD1", false},
		{"IIS", "IIS:HD1", true},
		{"ER401", "Q$S", true},
		{"ERR3", "IIS:HD1", true},
		{"ERRA", "PON", true},
		{"", "PON", false},
	} {
		if got := accepts(c.text, c.command); got != c.want {
			t.Errorf("%q after %s: %v", c.text, c.command, got)
		}
	}
}

func TestErrorsAreRejectionsInBothLanguages(t *testing.T) {
	for code, busy := range map[string]bool{"ER401": true, "ER402": false, "ERR1": false, "ERR2": false, "ERR3": true, "ERR4": true, "ERR5": false} {
		no := new(devices.Rejection)
		if _, err := decode(code, "PON"); !errors.As(err, &no) || no.Code != code || no.Busy != busy || no.Reason.ZH == "" || no.Reason.EN == "" {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := decode("ERRA", "PON"); !errors.Is(err, errPassword) {
		t.Errorf("ERRA: %v", err)
	}
}

func TestSerialFramesAreCutOutOfNoise(t *testing.T) {
	tested := append(append([]byte{stx, 3, 0xFE, 0xFE}, make([]byte, 16)...), etx)
	for _, c := range []struct {
		got  string
		want []string
	}{
		{"\x02001\x03", []string{"\x02001\x03"}},
		{"\x020\x03\x021\x03", []string{"\x020\x03", "\x021\x03"}},
		{"xy\x02001\x03", []string{"xy", "\x02001\x03"}},
		{"\x0200\x02001\x03", []string{"\x0200", "\x02001\x03"}},
		{"\x02001", nil},
		{"\x02", nil},
		{string(tested), []string{string(tested)}},
		{string(tested[:20]), nil},
		{"\x02\x03\xFE", nil}, // an ID may be an ETX
	} {
		var cut []string
		for rest := []byte(c.got); len(rest) > 0; {
			n := splitSerial(rest)
			if n == 0 {
				break
			}
			cut, rest = append(cut, string(rest[:n])), rest[n:]
		}
		if strings.Join(cut, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q is cut into %q", c.got, cut)
		}
	}
	if text, ok := serialBody([]byte("\x02AD01;HD1\x03")); !ok || text != "HD1" {
		t.Errorf("%q, %v", text, ok)
	}
}

func TestSelfDiagnosisBits(t *testing.T) {
	for _, c := range []struct {
		bits     map[int]byte // by byte, counted from the first
		code, en string
	}{
		{nil, "", ""},
		{map[int]byte{15: 0x01}, "01", "Intake air temperature warning"},
		{map[int]byte{14: 0x01}, "0100", "Lamp 1 operating time warning"},
		{map[int]byte{13: 0x82}, "820000", "Lamp 2 went out; Lamp 4 did not light"},
		{map[int]byte{0: 0x80}, "80000000000000000000000000000000", "Self-diagnosis bit 127"},
	} {
		frame := append(append([]byte{stx, 0, 0xFE, 0xFE}, make([]byte, 16)...), etx)
		for i, b := range c.bits {
			frame[4+i] = b
		}
		if got := diagnosis(frame); got.Code != c.code || got.Text.EN != c.en || (got.Text.ZH == "") != (c.en == "") {
			t.Errorf("%v: %+v", c.bits, got)
		}
	}
	if got := selfTestRequest(7); !bytes.Equal(got, []byte{0x02, 0x07, 0xFE, 0xFE, 0x03}) {
		t.Errorf("asks % X", got)
	}
}

func TestAProjectorThatIsOnWithoutALampIsNotCalledOff(t *testing.T) {
	p := pair(t, NTControl(), line.TCP, nil)
	beam := p.Capability.(devices.Projector)
	p.Nudge(t, "device", "power", "on")
	devicetest.Until(t, "on", func() bool {
		s, err := beam.Status(devicetest.Asking(t))
		return err == nil && s.Power == devices.PowerOn && s.Lamp == 1682
	})
	p.Fault(t, "dark")
	if s, err := beam.Status(devicetest.Asking(t)); err != nil || s.Power != devices.PowerUnknown || s.Fault.Code == "" || s.Fault.Text.ZH == "" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestWithoutLampStatusThePowerIsBelieved(t *testing.T) {
	p := pair(t, Serial(), line.Serial, map[string]any{"lamp_status": false, "hours": "QST"})
	beam := p.Capability.(devices.Projector)
	if s, err := beam.Status(devicetest.Asking(t)); err != nil || s.Power != devices.PowerOff {
		t.Errorf("%+v, %v", s, err)
	}
	if err := beam.SetPower(devicetest.Asking(t), true); err != nil {
		t.Fatal(err)
	}
	if s, err := beam.Status(devicetest.Asking(t)); err != nil || s.Power != devices.PowerOn {
		t.Errorf("%+v, %v", s, err)
	}
	chunks, _, _ := p.Wire.Heard(0)
	if got := string(bytes.Join(chunks, nil)); strings.Contains(got, "Q$S") {
		t.Errorf("on the wire %q", got)
	}
}

// Lower bounds, which no slow machine breaks.
func TestTheProjectorIsLeftAloneAfterAPowerCommand(t *testing.T) {
	const alone = time.Second
	p := pair(t, NTControl(), line.TCP, map[string]any{"after_power": alone.String()})
	beam := p.Capability.(devices.Projector)
	if got := p.Capability.(devices.Slow).Patience("power"); got < alone {
		t.Errorf("a power command has %s", got)
	}
	began := time.Now()
	if err := beam.SetPower(devicetest.Asking(t), true); err != nil || time.Since(began) < alone {
		t.Errorf("done after %s, %v", time.Since(began), err)
	}
	if _, err := beam.Status(devicetest.Asking(t)); err != nil || time.Since(began) < alone {
		t.Errorf("asked after %s, %v", time.Since(began), err)
	}
}

func TestSettings(t *testing.T) {
	for name, s := range map[string]interface{ Validate() error }{
		"hours":             &SerialSettings{Hours: "Q$L:9"},
		"id 65":             &SerialSettings{Hours: "QST", ID: "65"},
		"id 1":              &SerialSettings{Hours: "QST", ID: "1"},
		"group self-test":   &SerialSettings{Hours: "QST", ID: "0A", SelfTest: true},
		"too long":          &SerialSettings{Hours: "QST", AfterPower: time.Hour},
		"negative":          &NTControlSettings{Hours: "QST", AfterInput: -time.Second},
		"colon in the name": &NTControlSettings{Hours: "QST", User: "a:b"},
	} {
		if s.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for _, id := range []string{"", "01", "64", "ZZ", "0A", "0Z"} {
		if err := (&SerialSettings{Hours: "Q$L", ID: id}).Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestAWrongCodeIsRefusedAndNotSent(t *testing.T) {
	p := pair(t, Serial(), line.Serial, nil)
	refusal := new(devices.Refusal)
	if err := p.Capability.(devices.Projector).SetInput(devicetest.Asking(t), "HD1\x03"); !errors.As(err, &refusal) || refusal.Reason.ZH == "" {
		t.Errorf("%v", err)
	}
	if chunks, _, _ := p.Wire.Heard(0); len(chunks) != 0 {
		t.Errorf("heard %q", chunks)
	}
}

func FuzzSerial(f *testing.F) {
	f.Add([]byte("\x02001\x03"))
	f.Add([]byte("\x02\x03\xFE\xFE0123456789abcdef\x03"))
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := splitSerial(got)
		if n < 0 || n > len(got) || n == 0 && len(got) > textMost {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		if text, ok := serialBody(got[:n]); ok && accepts(text, "Q$S") {
			_, _ = decode(text, "Q$S")
			_ = explain(text, "Q$S")
		}
		_ = diagnosis(got[:n])
		_ = explainUnasked(got)
	})
}

func FuzzNetwork(f *testing.F) {
	f.Add([]byte("NTCONTROL 1 09b075be\r"))
	f.Add([]byte("00001\r"))
	f.Add([]byte("ERR3\r"))
	fuzz.Run(f, func(_ *testing.T, got []byte) {
		_, _ = authenticate(got, "admin1", "panasonic")
		text, ok := networkBody(got)
		if !ok {
			return
		}
		for _, command := range []string{"QIN", "Q$L:1", "QPW", "IIS:HD1"} {
			if accepts(text, command) {
				_, _ = decode(text, command)
			}
			_ = explain(text, command)
		}
	})
}
