package kmtronic

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
	simulator "lectern/devices/sim/kmtronic"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unhex reads bytes as the manual prints them.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pair(t *testing.T, kind line.Kind, with map[string]any) (*devicetest.Pair, devices.Switch) {
	t.Helper()
	p := devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Kind: kind, With: with})
	return p, p.Capability.(devices.Switch)
}

func TestRelaysConform(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p, _ := pair(t, kind, map[string]any{"relay": 3})
			devicetest.Switch(t, devicetest.SwitchCase{Pair: p}) // the boards know no error reply
		})
	}
	t.Run("four relays", func(t *testing.T) {
		t.Parallel()
		p, _ := pair(t, line.Serial, map[string]any{"relay": 4, "channels": 4})
		devicetest.Switch(t, devicetest.SwitchCase{Pair: p, Calm: true})
	})
}

func TestWhatIsSaidIsTheManuals(t *testing.T) {
	p, s := pair(t, line.Serial, map[string]any{"relay": 5})
	for _, on := range []bool{true, false} {
		if err := s.SetOn(devicetest.Asking(t), on); err != nil {
			t.Fatal(err)
		}
	}
	chunks, _, _ := p.Wire.Heard(0)
	if got, want := bytes.Join(chunks, nil), unhex(t, "FF 05 01 FF 09 00 FF 05 00 FF 09 00"); !bytes.Equal(got, want) {
		t.Errorf("on the wire % X, want % X", got, want)
	}
}

func TestOnlyAsManyStatesAsThereAreRelaysAreBelieved(t *testing.T) {
	for what, c := range map[string]struct {
		got     string
		end     int
		garbled bool
	}{
		"all of them":        {"00 01 00 00 01 00 00 01", 8, false},
		"not all of them":    {"00 01 00 00 01 00 00", 0, false},
		"nothing":            {"", 0, false},
		"one too many":       {"00 00 01 00 00 01 00 00 01", 0, true},
		"something else":     {"00 01 00 00 02 00 00 01", 0, true},
		"the question again": {"FF 09 00", 0, true},
	} {
		start, end, err := find(8)(unhex(t, c.got))
		if start != 0 || end != c.end || (err != nil) != c.garbled {
			t.Errorf("%s: %d to %d, %v", what, start, end, err)
		}
	}
}

func TestARelayThatDoesNotSwitchIsARejectionAndReadAsItIs(t *testing.T) {
	p, s := pair(t, line.Serial, map[string]any{"relay": 3})
	p.Fault(t, "stuck-3")
	no := new(devices.Rejection)
	if err := s.SetOn(devicetest.Asking(t), true); !errors.As(err, &no) || no.Reason.ZH == "" {
		t.Errorf("switching gave %v", err)
	}
	if on, err := s.On(devicetest.Asking(t)); on || err != nil {
		t.Errorf("it reads %v, %v", on, err)
	}
}

func TestABoardThatIsNotThereIsNotBelievedToHaveSwitched(t *testing.T) {
	p, s := pair(t, line.Serial, map[string]any{"relay": 1})
	if err := p.Wire.Fault("silence"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetOn(devicetest.Asking(t), true); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("switching gave %v", err)
	}
}

func TestRelaysOfABoardShareALine(t *testing.T) {
	others := make(map[string]devicetest.PairOther)
	for _, n := range []int{2, 7, 8} {
		others[strconv.Itoa(n)] = devicetest.PairOther{Driver: Driver(), With: map[string]any{"relay": n}}
	}
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: Driver(), Factory: simulator.New, With: map[string]any{"relay": 1}, Others: others,
	})
	for id, p := range pairs {
		if err := p.Capability.(devices.Switch).SetOn(devicetest.Asking(t), id == "7"); err != nil {
			t.Errorf("relay %s: %v", id, err)
		}
	}
	for id, p := range pairs {
		if on, err := p.Capability.(devices.Switch).On(devicetest.Asking(t)); err != nil || on != (id == "7") {
			t.Errorf("relay %s reads %v, %v", id, on, err)
		}
	}
}

func TestWithoutFeedbackItIsOneWay(t *testing.T) {
	p, s := pair(t, line.Serial, map[string]any{"relay": 3, "feedback": false})
	if on, err := s.On(devicetest.Asking(t)); !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("before anything was sent it is %v, %v", on, err)
	}
	for _, on := range []bool{true, false, true} {
		if err := s.SetOn(devicetest.Asking(t), on); !errors.Is(err, devices.ErrSent) {
			t.Errorf("setting gave %v", err)
		}
		devicetest.Until(t, "the relay", func() bool {
			return p.Equipment.Truth()["device.power"] == strconv.FormatBool(on)
		})
		if got, err := s.On(devicetest.Asking(t)); got != on || !errors.Is(err, devices.ErrSent) {
			t.Errorf("after %v it is %v, %v", on, got, err)
		}
	}
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	d := Driver()
	if got := d.Claims(devicetest.DecodeSettings(t, d, map[string]any{"relay": 7})); !slices.Equal(got, []string{"relay 7"}) {
		t.Errorf("claims %q", got)
	}
	for _, s := range []*Settings{{Relay: 0, Channels: 8}, {Relay: 9, Channels: 8}, {Relay: 5, Channels: 4}, {Relay: 1, Channels: 3}} {
		if err := s.Validate(); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}

func FuzzStates(f *testing.F) {
	f.Add([]byte{0, 1, 0, 0, 1, 0, 0, 1})
	f.Add([]byte{0xFF, 9, 0})
	fuzz.Run(f, func(t *testing.T, got []byte) {
		for _, channels := range []int{1, 4, 8} {
			start, end, err := find(channels)(got)
			if start != 0 || end != 0 && (end != channels || len(got) != channels || err != nil) {
				t.Fatalf("%d to %d of % X, %v", start, end, got, err)
			}
			for _, b := range got[:end] {
				if b > 1 {
					t.Fatalf("%02X was taken for a state", b)
				}
			}
		}
		_ = explain(got)
	})
}
