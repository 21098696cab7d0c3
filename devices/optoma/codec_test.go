package optoma

import (
	"testing"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

func TestRequestsAsTheListWritesThem(t *testing.T) {
	for want, c := range map[string]struct {
		id int
		r  request
	}{
		"~0000 1\r":  {0, request{code: setPower, value: "1"}},
		"~0000 0\r":  {0, request{code: setPower, value: "0"}},
		"~0012 15\r": {0, request{code: setInput, value: "15"}},
		"~00124 1\r": {0, ask(askPower)},
		"~00121 1\r": {0, ask(askSource)},
		"~07108 1\r": {7, ask(askLamp)},
	} {
		if got := string(c.r.encode(c.id)); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

func TestFramesAreRead(t *testing.T) {
	for frame, want := range map[string]message{
		"P\r": {kind: pass}, "F\r": {kind: fail}, "Ok1\r": {value, "1"}, "OK0\r": {value, "0"}, "OK\r": {kind: value},
		"Ok0001234/0000210\r": {value, "0001234/0000210"}, "INFO24\r": {info, "24"}, "INFO 1\r": {info, "1"},
		"\r": {}, "\n": {}, "INFO\r": {}, "INFO123\r": {}, "INFOx\r": {}, "~00124 1\r": {}, "PF\r": {}, "O": {},
	} {
		if got := parse([]byte(frame)); got != want {
			t.Errorf("%q is %+v", frame, got)
		}
	}
}

func TestWhatCanBeTheAnswer(t *testing.T) {
	for _, c := range []struct {
		r     request
		frame string
		want  bool
	}{
		{ask(askPower), "Ok1\r", true},
		{ask(askPower), "F\r", true},
		{ask(askPower), "P\r", false}, // late
		{ask(askPower), "Ok\r", false},
		{ask(askPower), "INFO1\r", false},
		{request{code: setPower, value: "1"}, "P\r", true},
		{request{code: setPower, value: "1"}, "F\r", true},
		{request{code: setPower, value: "1"}, "OK\r", true},
		{request{code: setPower, value: "1"}, "Ok1\r", false}, // late
		{request{code: setPower, value: "1"}, "INFO1\r", false},
		{request{code: setPower, value: "1"}, "\r", false},
	} {
		if got := c.r.accepts([]byte(c.frame)); got != c.want {
			t.Errorf("%s, %q: %v", c.r, c.frame, got)
		}
	}
}

func TestStatesOfPowerAndHours(t *testing.T) {
	for text, want := range map[string]bool{"0": false, "1": true, "2": false} {
		if on, err := powerOf(text); err != nil || on != want {
			t.Errorf("%s is %v, %v", text, on, err)
		}
	}
	for _, text := range []string{"", "7", "01", "on"} {
		if _, err := powerOf(text); err == nil {
			t.Errorf("%q is a state of power", text)
		}
	}
	for text, want := range map[string]int{"01234": 1234, "0001234/0000210": 1444, "0": 0} {
		if got, err := hoursOf(text); err != nil || got != want {
			t.Errorf("%s is %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "/", "12/", "-1", "123456789", "a/1"} {
		if _, err := hoursOf(text); err == nil {
			t.Errorf("%q is a number of hours", text)
		}
	}
}

func TestInputsAreReadAsTheCodeThatChoosesThem(t *testing.T) {
	usual := newInputs(nil)
	for told, want := range map[string]string{"7": "1", "8": "15", "15": "20", "16": "21", "2": "5", "18": "22", "0": "", "99": "told as 99"} {
		if got := usual.code(told); got != want {
			t.Errorf("told as %s it is %q, not %q", told, got, want)
		}
	}
	other := newInputs(map[string]string{"9": "4", "3": "7", "15": "11"})
	for told, want := range map[string]string{"4": "9", "7": "3", "11": "15", "8": "told as 8", "16": "21"} {
		if got := other.code(told); got != want {
			t.Errorf("where the room file says otherwise, told as %s it is %q, not %q", told, got, want)
		}
	}
}

func TestWhatIsSaidByItself(t *testing.T) {
	for n, want := range map[string]devices.Power{"0": devices.PowerOff, "1": devices.PowerWarming, "2": devices.PowerCooling, "24": devices.PowerOn} {
		if got, ok := powerSaid(n); !ok || got != want {
			t.Errorf("INFO%s is %q", n, got)
		}
	}
	for _, n := range []string{"4", "6", "7", "8", "10", "23", "55"} {
		if _, ok := powerSaid(n); ok {
			t.Errorf("INFO%s is a state of the lamp", n)
		}
		if f := faultOf(n); f.Code != "INFO"+n || f.Text.ZH == "" || f.Text.EN == "" {
			t.Errorf("INFO%s is %+v", n, f)
		}
	}
}

func FuzzFrames(f *testing.F) {
	for _, seed := range []string{"P\rF\r", "Ok0001234/0000210\r", "INFO24\r\n", "OK", "~0000 1\r"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		m := parse(got[:n])
		if on, err := powerOf(m.text); err == nil && on != (m.text == "1") {
			t.Fatalf("%q is on", m.text)
		}
		if hours, err := hoursOf(m.text); err == nil && hours < 0 {
			t.Fatalf("%q is %d hours", m.text, hours)
		}
		_ = ask(askPower).accepts(got[:n])
		_ = explain(got[:n])
		_ = newInputs(nil).code(m.text)
	})
}
