package sony

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim"
	simulator "lectern/devices/sim/sony"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick makes lamps fast enough to wait for.
const quick = 100

func driver(t *testing.T, name string) devices.Driver {
	t.Helper()
	for _, d := range Drivers() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no driver %s", name)
	return devices.Driver{}
}

func pair(t *testing.T, name string, kind line.Kind, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: driver(t, name), Factory: simulator.New, Kind: kind, Speed: quick, With: with})
}

func TestProjectorsConform(t *testing.T) {
	for name, c := range map[string]struct {
		driver string
		kind   line.Kind
		with   map[string]any
		inputs [2]string
		calm   bool
	}{
		"serial":                 {"sony-serial", line.Serial, nil, [2]string{"2", "3"}, false},
		"serial, by its item":    {"sony-serial", line.TCP, map[string]any{"power": "item", "wake": "0s"}, [2]string{"2", "5"}, true},
		"sdcp":                   {"sony-sdcp", line.TCP, nil, [2]string{"2", "3"}, false},
		"sdcp, of a community":   {"sony-sdcp", line.TCP, map[string]any{"community": "HALL"}, [2]string{"2", "3"}, true},
		"adcp":                   {"sony-adcp", line.TCP, nil, [2]string{"hdmi1", "hdbaset1"}, false},
		"adcp, with a password":  {"sony-adcp", line.TCP, map[string]any{"password": "Projector"}, [2]string{"hdmi1", "hdmi2"}, true},
		"adcp, with a space":     {"sony-adcp", line.TCP, map[string]any{"password": "Projector", "spaced": true}, [2]string{"hdmi1", "hdmi2"}, true},
		"adcp, on a serial port": {"sony-adcp", line.Serial, nil, [2]string{"hdmi1", "rgb1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			devicetest.Projector(t, devicetest.ProjectorCase{Pair: pair(t, c.driver, c.kind, c.with), Inputs: c.inputs, Nak: "nak", Calm: c.calm})
		})
	}
}

func heard(p *devicetest.Pair) []byte {
	chunks, _, _ := p.Wire.Heard(0)
	return bytes.Join(chunks, nil)
}

func TestWhatIsSaidOnTheWire(t *testing.T) {
	for name, want := range map[string]string{
		"sony-serial": "A9 01 02 01 00 00 03 9A  A9 01 01 01 00 00 01 9A  A9 17 2F 00 00 00 3F 9A",
		"sony-sdcp":   "02 0A 53 4F 4E 59 01 01 02 00  02 0A 53 4F 4E 59 01 01 01 00  02 0A 53 4F 4E 59 00 01 30 02 00 00",
		"sony-adcp":   "70 6F 77 65 72 5F 73 74 61 74 75 73 20 3F 0D 0A  65 72 72 6F 72 20 3F 0D 0A  70 6F 77 65 72 20 22 6F 66 66 22 0D 0A",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind := line.TCP
			if name == "sony-serial" {
				kind = line.Serial
			}
			p := pair(t, name, kind, nil)
			beam := p.Capability.(devices.Projector)
			if _, err := beam.Status(devicetest.Asking(t)); err != nil {
				t.Fatal(err)
			}
			if err := beam.SetPower(devicetest.Asking(t), false); err != nil {
				t.Fatal(err)
			}
			if got := heard(p); !bytes.Equal(got, raw(t, want)) {
				t.Errorf("on the wire % X", got)
			}
		})
	}
}

// In deep standby the first command is lost but for its waking.
func TestAProjectorInDeepStandbyIsToldTwice(t *testing.T) {
	key := frame{item: keyOn, kind: kindSet}.encode()
	for name, c := range map[string]struct {
		with  map[string]any
		sleep bool
		times int
		fails bool
	}{
		"asleep":            {map[string]any{"wake": "600ms"}, true, 2, false},
		"awake":             {map[string]any{"wake": "600ms"}, false, 1, false},
		"asleep, told once": {map[string]any{"wake": "0s"}, true, 1, true},
		"it says nothing":   {map[string]any{"wake": "600ms", "power": "silent-key"}, true, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Not quick: it must not be on and off again before it is asked.
			p := devicetest.NewPair(t, devicetest.PairConfig{Driver: driver(t, "sony-serial"), Factory: simulator.New, With: c.with})
			if c.sleep {
				p.Fault(t, "asleep")
			}
			err := p.Capability.(devices.Projector).SetPower(devicetest.Asking(t), true)
			if (err != nil) != c.fails || c.fails && !errors.Is(err, line.ErrNoReply) {
				t.Errorf("%v", err)
			}
			// What nobody answers may still be on its way.
			devicetest.Until(t, "the projector has heard it", func() bool { return bytes.Count(heard(p), key) >= c.times })
			if got := bytes.Count(heard(p), key); got != c.times {
				t.Errorf("it was told %d times", got)
			}
			if got := p.Equipment.Truth()["device.power"]; !c.fails && c.with["power"] == nil && got != "warming" {
				t.Errorf("it is %s", got)
			}
		})
	}
}

func TestARefusedPowerIsNotSentAgain(t *testing.T) {
	t.Parallel()
	p := pair(t, "sony-serial", line.Serial, nil)
	p.Fault(t, "nak")
	no := new(devices.Rejection)
	if err := p.Capability.(devices.Projector).SetPower(devicetest.Asking(t), true); !errors.As(err, &no) || no.Code != "010A" || !no.Busy {
		t.Errorf("%v", err)
	}
	if got := len(heard(p)); got != frameLength {
		t.Errorf("%d bytes on the wire", got)
	}
}

func TestThereIsPatienceForWaking(t *testing.T) {
	p := pair(t, "sony-serial", line.Serial, map[string]any{"wake": "20s"})
	if got := p.Capability.(devices.Slow).Patience("power"); got < 20*time.Second+2*replyTime {
		t.Errorf("%s", got)
	}
}

func TestAnotherCommunityIsNamed(t *testing.T) {
	t.Parallel()
	p := devicetest.NewPair(t, devicetest.PairConfig{
		Driver: driver(t, "sony-sdcp"), Kind: line.TCP, With: map[string]any{"community": "ELSE"},
		Factory: func(o sim.Options, d []sim.Device) (sim.Equipment, error) {
			d[0].With = nil
			return simulator.New(o, d)
		},
	})
	no := new(devices.Rejection)
	if _, err := p.Capability.(devices.Projector).Status(devicetest.Asking(t)); !errors.As(err, &no) || no.Code != "0201" || !strings.Contains(no.Reason.EN, "community") {
		t.Errorf("%v", err)
	}
}

func TestAWrongPasswordSaysSo(t *testing.T) {
	t.Parallel()
	p := pair(t, "sony-adcp", line.TCP, map[string]any{"password": "right"})
	for password, want := range map[string]string{"guess": "refused the password", "": "asks for a password"} {
		wrong := line.New(line.Config{ID: "wrong", Kind: line.TCP, Address: p.Wire.Address()}, slog.New(slog.DiscardHandler))
		made, err := newADCP(devices.Env{Line: wrong}, ADCPSettings{Password: password})
		if err != nil {
			t.Fatal(err)
		}
		devicetest.RunLine(t, wrong)
		if _, err := made.(devices.Projector).Status(devicetest.Asking(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", password, err)
		}
	}
}

// idle makes a projector that closes a connection on which nothing is said for so long.
func idle(t *testing.T, after time.Duration) (*devicetest.Pair, *simulator.SDCP) {
	t.Helper()
	p := devicetest.NewPair(t, devicetest.PairConfig{
		Driver: driver(t, "sony-sdcp"), Kind: line.TCP,
		Factory: func(o sim.Options, d []sim.Device) (sim.Equipment, error) {
			made, err := simulator.New(o, d)
			if err == nil {
				made.(*simulator.SDCP).Idle = after
			}
			return made, err
		},
	})
	return p, p.Equipment.(*simulator.SDCP)
}

// Whoever presses after a projector has closed its idle connection is served, not told that it is away.
func TestAPressAfterAnIdleConnectionWasClosedIsServed(t *testing.T) {
	t.Parallel()
	p, beam := idle(t, 200*time.Millisecond)
	projector := p.Capability.(devices.Projector)
	if _, err := projector.Status(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	devicetest.Until(t, "the idle connection is closed", func() bool { return !p.Line.Health().Up })
	if err := projector.SetPower(devicetest.Asking(t), true); err != nil {
		t.Error(err)
	}
	if got := beam.Truth()["device.power"]; got != "warming" || beam.Met() < 2 {
		t.Errorf("it is %s, after %d connections", got, beam.Met())
	}
}

// A connection that has lasted is opened again at once: the next poll finds it, and nobody sees that
// it was closed. The line takes more than ten seconds for lasting.
func TestAnIdleConnectionThatHadLastedIsOpenedAgainBeforeThePoll(t *testing.T) {
	if testing.Short() {
		t.Skip("takes eleven seconds")
	}
	t.Parallel()
	p, beam := idle(t, 11*time.Second)
	projector := p.Capability.(devices.Projector)
	if _, err := projector.Status(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	devicetest.Until(t, "the connection is opened again", func() bool { return beam.Met() == 2 && p.Line.Health().Up })
	if _, err := projector.Status(t.Context()); err != nil { // a poll, for which no line is opened
		t.Error(err)
	}
}

func TestACodeThatIsNoInputIsNotSent(t *testing.T) {
	t.Parallel()
	for name, codes := range map[string][]string{
		"sony-sdcp": {"0003", "hdmi", "", "10000", "-1", "A"},
		"sony-adcp": {"HDMI1", "hdmi 1", "", "hdmi1\"\r\npower \"off"},
	} {
		p := pair(t, name, line.TCP, nil)
		for _, code := range codes {
			refusal := new(devices.Refusal)
			if err := p.Capability.(devices.Projector).SetInput(devicetest.Asking(t), code); !errors.As(err, &refusal) || refusal.Reason.ZH == "" {
				t.Errorf("%s %q: %v", name, code, err)
			}
		}
		if got := heard(p); len(got) != 0 {
			t.Errorf("%s: on the wire %q", name, got)
		}
	}
}

func TestSettingsThatCannotBeMeantAreFaults(t *testing.T) {
	for what, s := range map[string]interface{ Validate() error }{
		"power":     &SerialSettings{Power: "button"},
		"wake":      &SerialSettings{Power: powerKey, Wake: time.Hour},
		"community": &SDCPSettings{Community: "SON"},
	} {
		if s.Validate() == nil {
			t.Errorf("%s: %+v is taken", what, s)
		}
	}
	for _, d := range Drivers() {
		if s, ok := d.Settings().(interface{ Validate() error }); ok && s.Validate() != nil {
			t.Errorf("the defaults of %s: %v", d.Name, s.Validate())
		}
	}
}
