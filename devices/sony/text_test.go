package sony

import (
	"testing"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

func TestDigestsWithAndWithoutASpace(t *testing.T) {
	for spaced, want := range map[bool]string{
		false: "bb636a311fccbac134d78c0efc9c69dd06323345729fd701f18b213c41063291",
		true:  "24ec35770a4f0e56d5ed7fda0c72a53f90e34f1152ec6b22e4a4c423d3aceb1d",
	} {
		if got := digest("1a2b3c4d", "Projector", spaced); got != want {
			t.Errorf("spaced %v: %s", spaced, got)
		}
	}
}

func TestPowerStatusInWords(t *testing.T) {
	for status, want := range map[string]devices.Power{
		"standby": devices.PowerOff, "saving_standby": devices.PowerOff, "startup": devices.PowerWarming, "on": devices.PowerOn,
		"cooling1": devices.PowerCooling, "cooling2": devices.PowerCooling, "saving_cooling1": devices.PowerCooling,
		"saving_cooling2": devices.PowerCooling, "update": devices.PowerUnknown,
	} {
		if got, err := textPower(status); err != nil || got != want {
			t.Errorf("%s is %q, %v", status, got, err)
		}
	}
	if got, err := textPower("asleep"); err == nil || got != devices.PowerUnknown {
		t.Errorf("asleep is %q", got)
	}
}

func TestTimers(t *testing.T) {
	for text, want := range map[string]int{
		"1234": 1234, `[{"operation":300},{"light_src":120},{"prev_light_src":9}]`: 120, `[{"operation":300}]`: 300,
	} {
		if got, err := hoursOf(text); err != nil || got != want {
			t.Errorf("%s is %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1", `"many"`, `[{"filter":3}]`, "[]"} {
		if got, err := hoursOf(text); err == nil {
			t.Errorf("%s is %d", text, got)
		}
	}
}

func TestFaultsInWords(t *testing.T) {
	for text, want := range map[string]devices.Fault{
		`"no_err"`: {}, `["no_err"]`: {}, `[]`: {},
		`"err_temp"`:                {Code: "err_temp", Text: devices.Phrase{ZH: "温度过高", EN: "Too hot"}},
		`["err_fan","err_strange"]`: {Code: "err_fan err_strange", Text: devices.Phrase{ZH: "风扇故障，未知故障", EN: "Fan, Unknown fault"}},
	} {
		if got, err := textFault(text); err != nil || got != want {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
	}
	if _, err := textFault("12"); err == nil {
		t.Error("a number is a fault")
	}
}

func TestErrorLinesAreRejectionsInBothLanguages(t *testing.T) {
	for text, busy := range map[string]bool{
		"err_cmd": false, "err_option": false, "err_inactive": true, "err_val": false, "err_auth": false, "err_internal1": true, "err_internal2": true, "err_new": false,
	} {
		if r := textRejection(text); r.Code != text || r.Reason.ZH == "" || r.Reason.EN == "" || r.Busy != busy {
			t.Errorf("%s: %+v", text, r)
		}
	}
}

func TestWhatIsAValue(t *testing.T) {
	for text, want := range map[string]bool{
		`"on"`: true, "12": true, "-3": true, `["no_err"]`: true, "ok": false, "NOKEY": false, "err_val": false, "": false, `"on`: false, "true": false, "1a2b3c4d": false,
	} {
		if got := isValue(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func FuzzLines(f *testing.F) {
	for _, seed := range []string{"NOKEY\r\n", "ok\r\n", `"standby"` + "\r\n", `["err_temp"]` + "\n", `[{"light_src":120}]` + "\r\n", "err_val\r\n", "1234\n"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := splitLines(got)
		if n < 0 || n > len(got) {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		text := trim(got[:n])
		if isValue(text) && (isDone(text) || isRefusal(text)) {
			t.Fatalf("%q is two things", text)
		}
		if hours, err := hoursOf(text); err == nil && hours < 0 {
			t.Fatalf("%q is %d hours", text, hours)
		}
		if fault, err := textFault(text); err == nil && fault.Code != "" && (fault.Text.ZH == "" || fault.Text.EN == "") {
			t.Fatalf("%q is %+v", text, fault)
		}
		_, _ = word(text)
		_ = explainLine(got[:n])
	})
}
