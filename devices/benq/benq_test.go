package benq

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim"
	simulator "lectern/devices/sim/benq"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick makes lamps fast enough to wait for.
const quick = 100

// with has settings for a lamp that is quick; the clock gives it a little more than it needs.
func with(more map[string]any) map[string]any {
	all := map[string]any{"warming": "400ms", "cooling": "700ms"}
	for k, v := range more {
		all[k] = v
	}
	return all
}

func pair(t *testing.T, kind line.Kind, more map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Kind: kind, Speed: quick, With: with(more)})
}

func TestProjectorsConform(t *testing.T) {
	for name, c := range map[string]struct {
		kind line.Kind
		more map[string]any
		calm bool
	}{
		"serial with echo":     {line.Serial, nil, false},
		"serial without":       {line.Serial, map[string]any{"echo": "no"}, true},
		"network":              {line.TCP, nil, false},
		"network with an echo": {line.TCP, map[string]any{"echo": "yes"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			devicetest.Projector(t, devicetest.ProjectorCase{
				Pair: pair(t, c.kind, c.more), Inputs: [2]string{"hdmi", "rgb"}, Nak: "nak", Calm: c.calm, Reckoned: true,
			})
		})
	}
}

func TestWhatIsSaidOnTheWire(t *testing.T) {
	t.Parallel()
	p := pair(t, line.Serial, nil)
	beam := p.Capability.(devices.Projector)
	if _, err := beam.Status(devicetest.Asking(t)); err != nil {
		t.Fatal(err)
	}
	if err := beam.SetPower(devicetest.Asking(t), true); err != nil {
		t.Fatal(err)
	}
	devicetest.Until(t, "on", func() bool { return p.Equipment.Truth()["device.power"] == "on" })
	if err := beam.SetInput(devicetest.Asking(t), "hdmi2"); err != nil {
		t.Fatal(err)
	}
	if got := heard(p); got != "\r*pow=?#\r\r*pow=on#\r\r*sour=hdmi2#\r" {
		t.Errorf("on the wire %q", got)
	}
}

func heard(p *devicetest.Pair) string {
	chunks, _, _ := p.Wire.Heard(0)
	return string(bytes.Join(chunks, nil))
}

// What a projector in its transitions does not take, it is not asked.
func TestAProjectorThatIsNotOnIsAskedForItsPowerOnly(t *testing.T) {
	t.Parallel()
	p := played(t, nil, scripted{"*pow=?#": "*POW=OFF#"})
	if s, err := p.Capability.(*Projector).Status(devicetest.Asking(t)); err != nil || s.Power != devices.PowerCooling || s.Input != "" || s.Lamp != -1 {
		t.Errorf("%+v, %v", s, err)
	}
	if got := heard(p); got != "\r*pow=?#\r" {
		t.Errorf("on the wire %q", got)
	}
}

func TestARefusedQuestionInATransitionMeansThatItGoesOn(t *testing.T) {
	t.Parallel()
	p := played(t, nil, scripted{"*pow=?#": "*Block item#", "*pow=on#": "*POW=ON#"})
	beam := p.Capability.(*Projector)
	rejection := new(devices.Rejection)
	if _, err := beam.Status(devicetest.Asking(t)); !errors.As(err, &rejection) || !rejection.Busy {
		t.Errorf("nothing is known yet: %v", err)
	}
	if err := beam.SetPower(devicetest.Asking(t), true); err != nil {
		t.Fatal(err)
	}
	if s, err := beam.Status(devicetest.Asking(t)); err != nil || s.Power != devices.PowerWarming {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAnInputThatIsToldByANumberIsKnown(t *testing.T) {
	t.Parallel()
	p := played(t, map[string]any{"inputs": map[string]any{"hdmi2": "7"}}, scripted{"*pow=?#": "*POW=ON#", "*sour=?#": "*SOUR=7#", "*ltim=?#": "Unsupported item"})
	if s, err := p.Capability.(*Projector).Status(devicetest.Asking(t)); err != nil || s.Input != "hdmi2" || s.Lamp != -1 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestAPowerThatNobodyKnowsIsNone(t *testing.T) {
	t.Parallel()
	p := played(t, nil, scripted{"*pow=?#": "*POW=MAYBE#"})
	if s, err := p.Capability.(*Projector).Status(devicetest.Asking(t)); err == nil || s.Power != devices.PowerUnknown {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestACodeThatIsNoInputIsNotSent(t *testing.T) {
	t.Parallel()
	p := pair(t, line.TCP, nil)
	for _, code := range []string{"HDMI", "hdmi#\r*pow=off", "", "?", strings.Repeat("x", 99)} {
		refusal := new(devices.Refusal)
		if err := p.Capability.(*Projector).SetInput(devicetest.Asking(t), code); !errors.As(err, &refusal) || refusal.Reason.ZH == "" {
			t.Errorf("%q: %v", code, err)
		}
	}
	if got := heard(p); got != "" {
		t.Errorf("on the wire %q", got)
	}
}

func TestSettingsThatCannotBeMeantAreFaults(t *testing.T) {
	for what, s := range map[string]*Settings{
		"echo":        {Echo: "perhaps"},
		"between":     {Echo: echoAuto, Warming: -time.Second},
		"capitals":    {Echo: echoAuto, Inputs: map[string]string{"HDMI": "6"}},
		"apart":       {Echo: echoAuto, Inputs: map[string]string{"hdmi": "6", "hdmi2": "6"}},
		"cooling 20m": {Echo: echoAuto, Cooling: 20 * time.Minute},
	} {
		if err := s.Validate(); err == nil {
			t.Errorf("%s: %+v is taken", what, s)
		}
	}
	if err := Driver().Settings().(*Settings).Validate(); err != nil {
		t.Error(err)
	}
}

// scripted is a projector that answers each command with a text, whatever it means.
type scripted map[string]string

func (scripted) Truth() map[string]string           { return nil }
func (scripted) Nudge(string, string, string) error { return nil }
func (scripted) Fault(string) error                 { return nil }

func (s scripted) Serve(_ context.Context, conn io.ReadWriter) error {
	var command []byte
	for buf := make([]byte, 64); ; {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		for _, c := range buf[:n] {
			if c != '\r' {
				command = append(command, c)
				continue
			}
			if answer, ok := s[string(command)]; ok {
				if _, err := io.WriteString(conn, answer+"\r\n"); err != nil {
					return err
				}
			}
			command = command[:0]
		}
	}
}

func played(t *testing.T, more map[string]any, script scripted) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: Driver(), With: more, Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return script, nil },
	})
}
