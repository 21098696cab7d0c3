package panamax

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices/sim"
)

func manager(t testing.TB) *Manager {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{
		{ID: "matrix", With: map[string]any{"outlet": 1}}, {ID: "amplifier", With: map[string]any{"outlet": 8}},
		{ID: "rack", With: map[string]any{"sequence": true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Manager)
}

// says gives a command and expects an answer of the guide, "" for none.
func says(t *testing.T, m *Manager, command, want string) {
	t.Helper()
	if got := m.obey(command); strings.TrimSuffix(got, ">") != want {
		t.Errorf("%s was answered %q, want %q", command, got, want)
	}
}

func truth(t *testing.T, m *Manager, device, want string) {
	t.Helper()
	if got := m.Truth()[device+".power"]; got != want {
		t.Errorf("%s is %s, want %s", device, got, want)
	}
}

func TestNothingIsSaidWithoutFeedback(t *testing.T) {
	m := manager(t)
	says(t, m, "!SWITCH 1 ON", "")
	truth(t, m, "matrix", "true")
	says(t, m, "?OUTLETSTAT", "")
	says(t, m, "!SET_FEEDBACK ON", "$FEEDBACK = ON\r")
	says(t, m, "!SWITCH 1 OFF", "$OUTLET1 = OFF\r")
	says(t, m, "!SET_LINEFEED ON", "$LINEFEED = ON\r\n")
	says(t, m, "!SWITCH 1 ON", "$OUTLET1 = ON\r\n")
}

func TestAllGoesByTheStoredDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := manager(t)
		says(t, m, "!SET_FEEDBACK ON", "$FEEDBACK = ON\r")
		says(t, m, "!ALL_ON", "$PWR = ON\r")
		truth(t, m, "rack", "false")
		time.Sleep(1500 * time.Millisecond)
		truth(t, m, "matrix", "true")
		truth(t, m, "rack", "some")
		time.Sleep(11 * time.Second)
		truth(t, m, "rack", "true")
		says(t, m, "!SET_DELAY 1 0 3", "$DELAY FOR 1 = 0 3\r")
		says(t, m, "!ALL_OFF", "$PWR = OFF\r")
		time.Sleep(1500 * time.Millisecond)
		truth(t, m, "amplifier", "false")
		truth(t, m, "matrix", "true")
		time.Sleep(2 * time.Second)
		truth(t, m, "matrix", "false")
		says(t, m, "!SWITCH 2 ON", "$OUTLET2 = ON\r") // takes it out of the sequence
		time.Sleep(time.Minute)
		says(t, m, "?OUTLETSTAT", "$OUTLET1 = OFF\r$OUTLET2 = ON\r$OUTLET3 = OFF\r$OUTLET4 = OFF\r$OUTLET5 = OFF\r$OUTLET6 = OFF\r$OUTLET7 = OFF\r$OUTLET8 = OFF\r")
	})
}

func TestWhatIsNotUnderstoodIsAnInvalidParameter(t *testing.T) {
	m := manager(t)
	says(t, m, "!SET_FEEDBACK ON", "$FEEDBACK = ON\r")
	for _, command := range []string{"!SWITCH 9 ON", "!SWITCH 1", "!SWITCH 1 MAYBE", "!SET_DELAY 1 256 0", "!SET_DELAY 9 1 1", "?WEATHER", "hello", "!SET_FEEDBACK"} {
		says(t, m, command, "$INVALID_PARAMETER\r")
	}
	says(t, m, "", "")
}

func TestFaultsAndNudges(t *testing.T) {
	m := manager(t)
	says(t, m, "!SET_FEEDBACK ON", "$FEEDBACK = ON\r")
	for fault, want := range map[string]string{"nak": "$INVALID_PARAMETER\r", "stuck-1": "$OUTLET1 = OFF\r", "": "$OUTLET1 = ON\r"} {
		if err := m.Fault(fault); err != nil {
			t.Error(err)
		}
		says(t, m, "!SWITCH 1 ON", want)
		if err := m.Nudge("matrix", "power", "false"); err != nil {
			t.Error(err)
		}
	}
	if err := m.Fault("terse"); err != nil {
		t.Error(err)
	}
	says(t, m, "!SWITCH 1 OFF", "")
	if err := m.Nudge("rack", "power", "true"); err != nil {
		t.Error(err)
	}
	truth(t, m, "rack", "true")
	for _, name := range []string{"stuck-", "tired"} {
		if err := m.Fault(name); err == nil || !strings.Contains(err.Error(), "stuck-N") {
			t.Errorf("fault %q: %v", name, err)
		}
	}
	for _, n := range [][3]string{{"matrix", "level", "1"}, {"matrix", "power", "maybe"}, {"door", "power", "true"}} {
		if err := m.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("nudging %v was taken", n)
		}
	}
	for _, with := range []map[string]any{nil, {"outlet": 9}, {"outlet": "first"}, {"outlet": 0}} {
		if _, err := New(sim.Options{}, []sim.Device{{ID: "x", With: with}}); err == nil {
			t.Errorf("%v was made", with)
		}
	}
}
