package optoma

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
	simulator "lectern/devices/sim/optoma"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick makes lamps fast enough to wait for.
const quick = 100

// with has settings for a lamp that is quick; the clock gives it more than it needs, so that it is
// the INFO lines that say when a transition is over.
func with(more map[string]any) map[string]any {
	all := map[string]any{"warming": "1s", "cooling": "2s"}
	for k, v := range more {
		all[k] = v
	}
	return all
}

func pair(t *testing.T, kind line.Kind, factory sim.Factory, more map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: factory, Kind: kind, Speed: quick, With: with(more)})
}

func TestProjectorsConform(t *testing.T) {
	for name, c := range map[string]struct {
		kind    line.Kind
		factory sim.Factory
		more    map[string]any
		calm    bool
	}{
		"serial":                        {line.Serial, simulator.New, nil, false},
		"network":                       {line.TCP, simulator.New, nil, false},
		"with a number":                 {line.Serial, simulator.New, map[string]any{"id": 7}, true},
		"older, which never says ready": {line.Serial, simulator.NewOlder, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			devicetest.Projector(t, devicetest.ProjectorCase{
				Pair: pair(t, c.kind, c.factory, c.more), Inputs: [2]string{"1", "21"}, Nak: "nak", Calm: c.calm, Reckoned: true,
			})
		})
	}
}

func TestWhatIsSaidOnTheWire(t *testing.T) {
	t.Parallel()
	p := pair(t, line.Serial, simulator.New, map[string]any{"id": 7})
	beam := p.Capability.(devices.Projector)
	if err := beam.SetPower(devicetest.Asking(t), true); err != nil {
		t.Fatal(err)
	}
	devicetest.Until(t, "on", func() bool { return p.Equipment.Truth()["device.power"] == "on" })
	if err := beam.SetInput(devicetest.Asking(t), "15"); err != nil {
		t.Fatal(err)
	}
	if got := heard(p); got != "~0700 1\r~0712 15\r" {
		t.Errorf("on the wire %q", got)
	}
}

func heard(p *devicetest.Pair) string {
	chunks, _, _ := p.Wire.Heard(0)
	return string(bytes.Join(chunks, nil))
}

func TestAProjectorWithAnotherNumberIsNotThere(t *testing.T) {
	t.Parallel()
	p := pair(t, line.Serial, func(o sim.Options, d []sim.Device) (sim.Equipment, error) {
		d[0].With = nil // number 1
		return simulator.New(o, d)
	}, map[string]any{"id": 7})
	if _, err := p.Capability.(devices.Projector).Status(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("%v", err)
	}
}

// The lamp is cold when the projector says so, not before and not when the clock runs out.
func TestTheProjectorItselfSaysWhatItsLampDoes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		says string
		on   string // the answer to the question
		want devices.Power
	}{
		{"INFO1", "Ok1", devices.PowerWarming}, {"INFO24", "Ok1", devices.PowerOn},
		{"INFO2", "Ok0", devices.PowerCooling}, {"INFO0", "Ok0", devices.PowerOff},
	} {
		s := &scripted{answers: map[string]string{"~00124 1": c.on, "~00121 1": "Ok7", "~00108 1": "Ok01234"}, says: make(chan string, 1)}
		p := played(t, s)
		beam := p.Capability.(*Projector)
		s.says <- c.says
		select {
		case <-beam.Changed():
		case <-devicetest.Asking(t).Done():
			t.Fatalf("nobody heard %s", c.says)
		}
		if got, err := beam.Status(devicetest.Asking(t)); err != nil || got.Power != c.want {
			t.Errorf("after %s it is %+v, %v", c.says, got, err)
		}
	}
}

func TestAFaultIsShownUntilTheProjectorStartsAnew(t *testing.T) {
	t.Parallel()
	s := &scripted{answers: map[string]string{"~00124 1": "Ok0"}, says: make(chan string, 1)}
	p := played(t, s)
	beam := p.Capability.(*Projector)
	for _, c := range []struct{ says, want string }{{"INFO3", ""}, {"INFO7", "INFO7"}, {"INFO0", "INFO7"}, {"INFO1", ""}} {
		s.says <- c.says
		devicetest.Until(t, "after "+c.says+" the fault "+c.want, func() bool {
			got, err := beam.Status(devicetest.Asking(t))
			return err == nil && got.Fault.Code == c.want
		})
	}
}

// Some models refuse what is so already.
func TestWhatIsRefusedAndSoAlreadyIsDone(t *testing.T) {
	t.Parallel()
	p := played(t, &scripted{answers: map[string]string{"~0000 1": "F", "~0000 0": "F", "~00124 1": "Ok1", "~0012 1": "F", "~0012 15": "F", "~00121 1": "Ok7"}})
	beam := p.Capability.(*Projector)
	if err := beam.SetPower(devicetest.Asking(t), true); err != nil {
		t.Errorf("on: %v", err)
	}
	if err := beam.SetInput(devicetest.Asking(t), "1"); err != nil {
		t.Errorf("HDMI 1: %v", err)
	}
	for what, err := range map[string]error{
		"off": beam.SetPower(devicetest.Asking(t), false), "HDMI 2": beam.SetInput(devicetest.Asking(t), "15"),
	} {
		if no := new(devices.Rejection); !errors.As(err, &no) || no.Code != "F" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAPowerThatNobodyKnowsIsNone(t *testing.T) {
	t.Parallel()
	p := played(t, &scripted{answers: map[string]string{"~00124 1": "Ok7"}})
	if s, err := p.Capability.(*Projector).Status(devicetest.Asking(t)); !errors.Is(err, line.ErrGarbled) || s.Power != devices.PowerUnknown {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestACodeThatIsNoInputIsNotSent(t *testing.T) {
	t.Parallel()
	p := pair(t, line.TCP, simulator.New, nil)
	for _, code := range []string{"hdmi", "015", "1\r~0000 0", "", strings.Repeat("1", 9)} {
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
		"id": {ID: 100}, "between": {Cooling: -time.Second}, "apart": {Inputs: map[string]string{"1": "7", "15": "7"}},
		"numbers": {Inputs: map[string]string{"hdmi": "7"}}, "zeros": {Inputs: map[string]string{"1": "07"}},
	} {
		if err := s.Validate(); err == nil {
			t.Errorf("%s: %+v is taken", what, s)
		}
	}
	if err := Driver().Settings().(*Settings).Validate(); err != nil {
		t.Error(err)
	}
}

// scripted is a projector that answers each command with a text, whatever it means, and says by
// itself what it is given.
type scripted struct {
	answers map[string]string
	says    chan string
}

func (*scripted) Truth() map[string]string           { return nil }
func (*scripted) Nudge(string, string, string) error { return nil }
func (*scripted) Fault(string) error                 { return nil }

func (s *scripted) Serve(ctx context.Context, conn io.ReadWriter) error {
	over := make(chan struct{})
	defer func() { <-over }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(over)
		for {
			select {
			case text := <-s.says:
				_, _ = io.WriteString(conn, text+"\r")
			case <-ctx.Done():
				return
			}
		}
	}()
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
			if answer, ok := s.answers[string(command)]; ok {
				if _, err := io.WriteString(conn, answer+"\r"); err != nil {
					return err
				}
			}
			command = command[:0]
		}
	}
}

func played(t *testing.T, s *scripted) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: Driver(), Factory: func(sim.Options, []sim.Device) (sim.Equipment, error) { return s, nil },
	})
}
