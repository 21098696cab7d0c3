package panamax

import (
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
	simulator "lectern/devices/sim/panamax"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T, kind line.Kind, with map[string]any) (*devicetest.Pair, *outlets) {
	t.Helper()
	p := devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: simulator.New, Kind: kind, With: with, Speed: 50})
	return p, p.Capability.(*outlets)
}

func heard(p *devicetest.Pair) string {
	chunks, _, _ := p.Wire.Heard(0)
	return string(slices.Concat(chunks...))
}

func reads(t *testing.T, s devices.Switch, want bool) {
	t.Helper()
	if got, err := s.On(devicetest.Asking(t)); err != nil || got != want {
		t.Errorf("read %v, %v; want %v", got, err, want)
	}
}

func TestOutletsConform(t *testing.T) {
	for _, kind := range []line.Kind{line.Serial, line.TCP} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			p, _ := pair(t, kind, map[string]any{"outlet": 3})
			devicetest.Switch(t, devicetest.SwitchCase{Pair: p, Nak: "nak"})
		})
	}
}

func TestWhatIsSaidIsTheGuides(t *testing.T) {
	p, o := pair(t, line.Serial, map[string]any{"outlet": 8})
	for _, on := range []bool{true, false} {
		if err := o.SetOn(devicetest.Asking(t), on); err != nil {
			t.Fatal(err)
		}
	}
	reads(t, o, false)
	if got := heard(p); got != "!SET_FEEDBACK ON\r!SWITCH 8 ON\r!SWITCH 8 OFF\r?OUTLETSTAT\r" {
		t.Errorf("on the wire %q", got)
	}
}

func TestLinesAreRead(t *testing.T) {
	for text, want := range map[string]message{
		"$OUTLET1 = ON\r":                   {outlet, 1, true},
		"\n$OUTLET8 = OFF\r":                {outlet, 8, false},
		">$OUTLET3=ON\r":                    {outlet, 3, true},
		"\xff\xfb\x01$OUTLET2 = ON\r":       {outlet, 2, true},
		"$PWR = ON\r":                       {power, 0, true},
		"$PWR = OVERVOLTAGE\r":              {},
		"$FEEDBACK = ON\r":                  {feedback, 0, true},
		"$INVALID_PARAMETER\r":              {kind: invalid},
		"$OUTLET0 = ON\r":                   {},
		"$OUTLET = ON\r":                    {},
		"$OUTLET+1 = ON\r":                  {},
		"$OUTLET99 = ON\r":                  {},
		"$OUTLET1 = MAYBE\r":                {},
		"$BUTTON_1 = TRIGGERED\r":           {},
		"$DELAY FOR 1 = 1 16\r":             {},
		"OUTLET1 = ON\r":                    {},
		"$VOLTAGE = 230\r$OUTLET1 = OFF\r ": {outlet, 1, false}, // split never makes it, and it does no harm
	} {
		if got := parse([]byte(text)); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}

func TestTheAnswerForAllOutletsIsFoundAmongWhatElseIsSaid(t *testing.T) {
	three := "$OUTLET1 = ON\r$OUTLET2 = OFF\r$OUTLET3 = ON\r"
	for what, c := range map[string]struct {
		got   string
		frame string
	}{
		"alone":                       {three, three},
		"after an event":              {"$OUTLET3 = OFF\r>" + three, ">" + three},
		"after an event of the first": {"$OUTLET1 = OFF\r" + three, three},
		"with a voltage among it":     {"$OUTLET1 = ON\r$VOLTAGE = 230\r$OUTLET2 = OFF\r$OUTLET3 = ON\r$OUTLET1 = OFF\r", "$OUTLET1 = ON\r$VOLTAGE = 230\r$OUTLET2 = OFF\r$OUTLET3 = ON\r"},
		"not all of it":               {three[:len(three)-1], ""},
		"the last line of another":    {"$OUTLET3 = ON\r", ""},
		"an error":                    {"$PWR = ON\r$INVALID_PARAMETER\r", "$INVALID_PARAMETER\r"},
	} {
		start, end, err := findStates(3)([]byte(c.got))
		if got := c.got[start:end]; got != c.frame || err != nil {
			t.Errorf("%s: %q, %v; want %q", what, got, err, c.frame)
		}
	}
}

// TestTheUnitSpeaksUpAndOnlyNewsIsNews: the other lines of an answer must not cause the next question.
func TestTheUnitSpeaksUpAndOnlyNewsIsNews(t *testing.T) {
	p, o := pair(t, line.TCP, map[string]any{"outlet": 2})
	reads(t, o, false)
	p.Nudge(t, "device", "power", "true")
	select {
	case <-o.Changed():
	case <-devicetest.Asking(t).Done():
		t.Fatal("it spoke up and nobody was notified")
	}
	reads(t, o, true)
	o.hear([]byte("$OUTLET2 = ON\r"))   // known
	o.hear([]byte("$OUTLET3 = ON\r"))   // somebody else's
	o.hear([]byte("$TRIGIN = ON\r>\n")) // nobody's
	select {
	case <-o.Changed():
		t.Error("what was known was news")
	default:
	}
}

func TestASequenceIsAcceptedAndNeitherOnNorOffUntilItIsDone(t *testing.T) {
	others := map[string]devicetest.PairOther{"eighth": {Driver: Driver(), With: map[string]any{"outlet": 8}}}
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: Driver(), Factory: simulator.New, With: map[string]any{"sequence": true}, Others: others, Speed: 20,
	})
	p, all := pairs["device"], pairs["device"].Capability.(*outlets)
	reads(t, all, false)
	if err := all.SetOn(devicetest.Asking(t), true); !errors.Is(err, devices.ErrAccepted) {
		t.Fatalf("got %v", err)
	}
	devicetest.Until(t, "some outlets are on", func() bool { return p.Equipment.Truth()["device.power"] == "some" })
	if on, err := all.On(devicetest.Asking(t)); !on || !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("on its way it reads %v, %v", on, err)
	}
	devicetest.Until(t, "all outlets are on", func() bool { return p.Equipment.Truth()["device.power"] == "true" })
	reads(t, all, true)
	select {
	case <-all.Changed():
	case <-devicetest.Asking(t).Done():
		t.Error("nobody was told on the way")
	}
	if err := all.SetOn(devicetest.Asking(t), true); err != nil {
		t.Errorf("all on, told on: %v", err)
	}
	eighth := pairs["eighth"].Capability.(devices.Switch)
	if err := eighth.SetOn(devicetest.Asking(t), false); err != nil {
		t.Error(err)
	}
	if on, err := all.On(devicetest.Asking(t)); !on || !errors.As(err, new(*devices.Refusal)) {
		t.Errorf("with one of them off it reads %v, %v", on, err)
	}
	if err := all.SetOn(devicetest.Asking(t), false); !errors.Is(err, devices.ErrAccepted) {
		t.Errorf("off: %v", err)
	}
	devicetest.Until(t, "all outlets are off", func() bool { return p.Equipment.Truth()["device.power"] == "false" })
	reads(t, all, false)
}

func TestAnOutletThatIsOnAlreadyNeedNotAnswer(t *testing.T) {
	p, o := pair(t, line.Serial, map[string]any{"outlet": 1})
	p.Fault(t, "terse")
	for _, on := range []bool{true, true} {
		if err := o.SetOn(devicetest.Asking(t), on); err != nil {
			t.Errorf("switching gave %v", err)
		}
	}
}

func TestAUnitThatHasLostItsMainsIsGivenFeedbackAgain(t *testing.T) {
	p, o := pair(t, line.Serial, map[string]any{"outlet": 1})
	reads(t, o, false)
	p.Nudge(t, "device", "feedback", "off")
	if _, err := o.On(devicetest.Asking(t)); !errors.Is(err, line.ErrNoReply) {
		t.Errorf("without feedback: %v", err)
	}
	reads(t, o, false)
	if got := strings.Count(heard(p), "!SET_FEEDBACK ON\r"); got != 2 {
		t.Errorf("feedback was switched on %d times", got)
	}
}

func TestAnOutletThatDoesNotSwitchIsReadAsItIs(t *testing.T) {
	p, o := pair(t, line.Serial, map[string]any{"outlet": 4})
	p.Fault(t, "stuck-4")
	no := new(devices.Rejection)
	if err := o.SetOn(devicetest.Asking(t), true); !errors.As(err, &no) || no.Code != "read-back" || no.Reason.ZH == "" {
		t.Errorf("switching gave %v", err) // it says OFF, which is no answer to ON
	}
	reads(t, o, false)
}

func TestOutletsOfAUnitShareALine(t *testing.T) {
	others := make(map[string]devicetest.PairOther)
	for _, n := range []int{2, 7, 8} {
		others[strconv.Itoa(n)] = devicetest.PairOther{Driver: Driver(), With: map[string]any{"outlet": n}}
	}
	pairs := devicetest.NewPairs(t, devicetest.PairConfig{
		Driver: Driver(), Factory: simulator.New, With: map[string]any{"outlet": 1}, Others: others,
	})
	for id, p := range pairs {
		if err := p.Capability.(devices.Switch).SetOn(devicetest.Asking(t), id == "7"); err != nil {
			t.Errorf("outlet %s: %v", id, err)
		}
	}
	for id, p := range pairs {
		reads(t, p.Capability.(devices.Switch), id == "7")
	}
}

func TestSettingsAndClaims(t *testing.T) {
	d := Driver()
	for want, with := range map[string]map[string]any{"outlet 7": {"outlet": 7}, "sequence": {"sequence": true}} {
		if got := d.Claims(devicetest.DecodeSettings(t, d, with)); !slices.Equal(got, []string{want}) {
			t.Errorf("%v claims %q", with, got)
		}
	}
	for _, s := range []*Settings{{Outlets: 8}, {Outlet: 9, Outlets: 8}, {Outlet: 1, Sequence: true, Outlets: 8}, {Outlet: 1, Outlets: 17}} {
		if err := s.Validate(); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("$OUTLET1 = ON\r>$OUTLET2 = OFF\r\n$OUTLET3 = ON\r"))
	f.Add([]byte("$INVALID_PARAMETER\r"))
	f.Add([]byte("$OUTLET = \r$=\r"))
	fuzz.Run(f, func(t *testing.T, got []byte) {
		if n := split(got); n < 0 || n > len(got) {
			t.Fatalf("split at %d of %d", n, len(got))
		}
		start, end, err := findStates(3)(got)
		if err != nil || start < 0 || start > end || end > len(got) {
			t.Fatalf("%d to %d of %d, %v", start, end, len(got), err)
		}
		said := states(got[start:end])
		for _, n := range []int{1, 2, 3} {
			if _, ok := said[n]; !ok && end > 0 && parse(got[start:end]).kind != invalid {
				t.Fatalf("%q says nothing of outlet %d", got[start:end], n)
			}
		}
		_ = explain(got)
	})
}
