package itach_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/itach"
	"lectern/devices/line"
	simulator "lectern/devices/sim/itach"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func driver(t *testing.T, name string) devices.Driver {
	t.Helper()
	all := itach.Drivers()
	i := slices.IndexFunc(all, func(d devices.Driver) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("there is no driver %q", name)
	}
	return all[i]
}

// code is a code of its own for each number, in the spelling of Pronto or of the emitter's learner.
func code(n int) string {
	if n%2 == 0 {
		return fmt.Sprintf("0000 006D 0003 0000 0156 00AB 0015 %04X 0015 0100", 20+n)
	}
	return fmt.Sprintf("sendir,1:1,1,38000,2,3,342,171,21,%d,21,256", 20+n)
}

func codes(names ...string) map[string]any {
	made := make(map[string]any)
	for i, name := range names {
		made[name] = code(i)
	}
	return made
}

var remote = codes("play", "stop", "pause", "back", "forward", "previous", "next", "record", "eject")

func pair(t *testing.T, name string, with map[string]any) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{
		Driver: driver(t, name), Factory: simulator.New, Kind: line.TCP, With: with, Speed: 10,
	})
}

func TestPlayersConform(t *testing.T) {
	for what, c := range map[string]struct {
		with map[string]any
		calm bool
	}{
		"itach":  {map[string]any{"port": 2, "codes": remote}, false},
		"gc-100": {map[string]any{"port": 3, "module": 4, "model": "gc-100", "codes": codes("play", "stop")}, true},
		"flex":   {map[string]any{"port": 1, "model": "flex", "repeat": 3, "codes": remote}, true},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			devicetest.OneWayPlayer(t, devicetest.OneWayPlayerCase{
				Pair: pair(t, "itach-player", c.with), Nak: "nak", Busy: "busy", Briefly: "busy-briefly", Late: "late=3s", Calm: c.calm,
			})
		})
	}
}

func TestTheButtonsAreThoseThatHaveCodes(t *testing.T) {
	p := pair(t, "itach-player", map[string]any{"port": 1, "codes": codes("stop", "next", "play")})
	want := []devices.Transport{devices.TransportPlay, devices.TransportStop, devices.TransportNext}
	if got := p.Capability.(devices.Player).Transports(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatOthersStoppedIsNotAssumed(t *testing.T) {
	p := pair(t, "itach-player", map[string]any{"port": 1, "codes": remote})
	deck := p.Capability.(devices.Player)
	if err := deck.Act(devicetest.Asking(t), devices.TransportStop); !errors.Is(err, devices.ErrSent) {
		t.Fatal(err)
	}
	p.Fault(t, "stopped")
	var no *devices.Rejection
	if err := deck.Act(devicetest.Asking(t), devices.TransportPlay); !errors.As(err, &no) || no.Code != "stopir" || no.Busy {
		t.Errorf("got %v", err)
	}
	if got, err := deck.Transport(devicetest.Asking(t)); !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("it says %q, %v", got, err)
	}
}

func TestDevicesShareAnEmitterByConnector(t *testing.T) {
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: driver(t, "itach-player"), Factory: simulator.New, Kind: line.TCP, With: map[string]any{"port": 1, "codes": remote},
		Others: map[string]devicetest.PairOther{
			// The same codes at another connector: only the one that is meant obeys.
			"recorder":  {Driver: driver(t, "itach-player"), With: map[string]any{"port": 2, "codes": remote}},
			"lamp":      {Driver: driver(t, "itach-switch"), With: map[string]any{"port": 3, "shared": true, "codes": codes("power-on", "power-off")}},
			"switcher":  {Driver: driver(t, "itach-matrix"), With: map[string]any{"port": 3, "shared": true, "codes": map[string]any{"2": code(40), "none": code(41), "1>7": code(42)}}},
			"projector": {Driver: driver(t, "itach-projector"), With: map[string]any{"port": 3, "shared": true, "codes": map[string]any{"power-on": code(50), "power-off": code(51), "hdmi": code(52)}}},
		},
		Speed: 10,
	})
	ask := devicetest.Asking
	lamp, switcher := pairs["lamp"].Capability.(devices.Switch), pairs["switcher"].Capability.(devices.Selector)
	projector := pairs["projector"].Capability.(devices.Projector)
	if _, err := lamp.On(ask(t)); !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("the lamp is known before it was told: %v", err)
	}
	for what, err := range map[string]error{
		"player": pairs["device"].Capability.(devices.Player).Act(ask(t), devices.TransportPlay),
		"lamp":   lamp.SetOn(ask(t), true), "input": switcher.Select(ask(t), "1", "2"), "input 1>7": switcher.Select(ask(t), "7", "1"),
		"projector": projector.SetPower(ask(t), true), "projector's input": projector.SetInput(ask(t), "hdmi"),
	} {
		if !errors.Is(err, devices.ErrSent) {
			t.Errorf("%s: %v", what, err)
		}
	}
	truth := pairs["device"].Equipment.Truth()
	for key, want := range map[string]string{
		"device.transport": "play", "recorder.transport": "stop", "recorder.emissions": "0", "lamp.power": "true",
		"switcher.1": "2", "switcher.7": "1", "projector.power": "on", "projector.input": "hdmi",
	} {
		if truth[key] != want {
			t.Errorf("%s is truly %q, want %q", key, truth[key], want)
		}
	}
	if on, err := lamp.On(ask(t)); !on || !errors.Is(err, devices.ErrSent) {
		t.Errorf("the lamp: %v, %v", on, err)
	}
	if in, err := switcher.Selected(ask(t), "1"); in != "2" || !errors.Is(err, devices.ErrSent) {
		t.Errorf("the switcher: %q, %v", in, err)
	}
	if s, err := projector.Status(ask(t)); s.Power != devices.PowerUnknown || s.Input != "hdmi" || s.Lamp != -1 || !errors.Is(err, devices.ErrSent) {
		t.Errorf("the projector: %+v, %v", s, err)
	}
	// Untying, and what there is no code for.
	if err := switcher.Select(ask(t), "1", ""); !errors.Is(err, devices.ErrSent) || pairs["device"].Equipment.Truth()["switcher.1"] != "" {
		t.Errorf("untying: %v", err)
	}
	var no *devices.Refusal
	if err := switcher.Select(ask(t), "1", "9"); !errors.As(err, &no) || no.Reason.ZH == "" {
		t.Errorf("an input without a code: %v", err)
	}
	if in, err := switcher.Selected(ask(t), "1"); in != "" || !errors.Is(err, devices.ErrSent) {
		t.Errorf("the switcher: %q, %v", in, err)
	}
	// A projector that was switched comes up with an input of its own.
	if err := projector.SetPower(ask(t), false); !errors.Is(err, devices.ErrSent) {
		t.Error(err)
	}
	if s, err := projector.Status(ask(t)); !errors.As(err, &no) {
		t.Errorf("the projector: %+v, %v", s, err)
	}
}

func TestAWrongConnectorIsSaid(t *testing.T) {
	p := pair(t, "itach-player", map[string]any{"port": 1, "model": "itach", "codes": remote})
	p.Fault(t, "nak")
	var no *devices.Rejection
	err := p.Capability.(devices.Player).Act(devicetest.Asking(t), devices.TransportPlay)
	if !errors.As(err, &no) || no.Code != "ERR_1:1,013" || !strings.Contains(no.Reason.EN, "input") {
		t.Errorf("got %v", err)
	}
}

func TestSettingsSayWhichCodeIsWrong(t *testing.T) {
	for what, c := range map[string]struct {
		driver string
		spoil  func(*itach.Settings)
		want   string
	}{
		"no port":        {"itach-player", func(s *itach.Settings) { s.Port = 0 }, "port 0"},
		"a module":       {"itach-player", func(s *itach.Settings) { s.Module = 6 }, "module 6"},
		"a model":        {"itach-player", func(s *itach.Settings) { s.Model = "irtrans" }, `"irtrans"`},
		"a repeat":       {"itach-player", func(s *itach.Settings) { s.Repeat = 51 }, "1 to 50"},
		"no codes":       {"itach-player", func(s *itach.Settings) { s.Codes = nil }, "codes is missing"},
		"a strange code": {"itach-player", func(s *itach.Settings) { s.Codes["dance"] = code(1) }, `"dance"`},
		"its power":      {"itach-player", func(s *itach.Settings) { s.Codes["power-on"] = code(1) }, "driver itach-switch"},
		"its volume":     {"itach-player", func(s *itach.Settings) { s.Codes["volume-up"] = code(1) }, "amplifier"},
		"a broken code":  {"itach-player", func(s *itach.Settings) { s.Codes["stop"] = "0000" }, "code stop"},
		"gc-100 repeats": {"itach-player", func(s *itach.Settings) { s.Model, s.Codes["stop"] = "gc-100", "sendir,1:1,1,38000,32,1,20,20" }, "at most 31"},
		"half a switch":  {"itach-switch", func(s *itach.Settings) { delete(s.Codes, "power-off") }, "no power-off"},
		"too much":       {"itach-switch", func(s *itach.Settings) { s.Codes["hdmi"] = code(1) }, `"hdmi"`},
		"no power":       {"itach-projector", func(s *itach.Settings) { delete(s.Codes, "power-on") }, "no power-on"},
	} {
		d := driver(t, c.driver)
		s := d.Settings().(*itach.Settings)
		s.Port, s.Codes = 1, map[string]string{"power-on": code(1), "power-off": code(2)}
		if c.driver == "itach-player" {
			s.Codes = map[string]string{"play": code(1), "stop": code(2)}
		}
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		if got := d.Claims(s); !slices.Equal(got, []string{"module 1 port 1"}) {
			t.Errorf("it claims %q", got)
		}
		c.spoil(s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %s", what, err, c.want)
		}
	}
}
