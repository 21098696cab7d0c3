package furman

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices/sim"
)

func chain(t testing.TB) *Chain {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{
		{ID: "matrix", With: map[string]any{"bank": 1}}, {ID: "amplifier", With: map[string]any{"bank": 3}},
		{ID: "rack", With: map[string]any{"sequence": true}}, {ID: "second", With: map[string]any{"unit": 1, "bank": 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Chain)
}

func says(t *testing.T, c *Chain, command, want string) {
	t.Helper()
	if got := c.obey(command); got != want {
		t.Errorf("%s was answered %q, want %q", command, got, want)
	}
}

func truth(t *testing.T, c *Chain, device, want string) {
	t.Helper()
	if got := c.Truth()[device+".power"]; got != want {
		t.Errorf("%s is %s, want %s", device, got, want)
	}
}

func TestASequenceGoesUpAndDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := chain(t)
		says(t, c, "!SEQ_ON 0", "$ACK 0,SEQ_ON\r")
		truth(t, c, "rack", "false")
		time.Sleep(step + time.Millisecond)
		truth(t, c, "matrix", "true")
		truth(t, c, "rack", "some")
		time.Sleep(2 * step)
		truth(t, c, "rack", "true")
		truth(t, c, "second", "false")
		says(t, c, "?BANK_STAT 0", "$ACK 0 BANK_STAT\rBANK1=ON\rBANK2=ON\rBANK3=ON\r\x04")
		says(t, c, "!SEQ_OFF 0", "$ACK 0,SEQ_OFF\r")
		time.Sleep(step + time.Millisecond)
		truth(t, c, "amplifier", "false")
		truth(t, c, "matrix", "true")
		says(t, c, "!BANK_ON 0 3", "$ACK 0,BANK_ON\r") // ends the sequence
		time.Sleep(time.Minute)
		truth(t, c, "rack", "true")
		says(t, c, "!ALL_OFF 0", "$ACK 0,ALL_OFF\r")
		truth(t, c, "rack", "false")
	})
}

func TestWhatIsNotUnderstoodIsNotAnswered(t *testing.T) {
	c := chain(t)
	for _, command := range []string{"", "!SEQ_ON", "!SEQ_ON 7", "!BANK_ON 0 4", "!BANK_ON 0", "!DANCE 0", "hello world", "?BANK_STAT x"} {
		says(t, c, command, "")
	}
	says(t, c, "!EVENTS_ENABLE 1", "$ACK 1,EVENTS_ENABLE\r")
}

func TestFaultsAndNudges(t *testing.T) {
	c := chain(t)
	if err := c.Fault("stuck-1"); err != nil {
		t.Error(err)
	}
	says(t, c, "!BANK_ON 0 1", "$ACK 0,BANK_ON\r")
	truth(t, c, "matrix", "false")
	if err := c.Fault("deaf"); err != nil {
		t.Error(err)
	}
	says(t, c, "!BANK_ON 0 1", "")
	if err := c.Fault(""); err != nil {
		t.Error(err)
	}
	if err := c.Nudge("rack", "power", "true"); err != nil {
		t.Error(err)
	}
	truth(t, c, "rack", "true")
	for _, name := range []string{"stuck-4", "nak"} {
		if err := c.Fault(name); err == nil || !strings.Contains(err.Error(), "stuck-N") {
			t.Errorf("fault %q: %v", name, err)
		}
	}
	for _, n := range [][3]string{{"matrix", "level", "1"}, {"matrix", "power", "maybe"}, {"door", "power", "true"}} {
		if err := c.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("nudging %v was taken", n)
		}
	}
	for _, with := range []map[string]any{nil, {"bank": 4}, {"bank": "first"}, {"unit": -1, "bank": 1}} {
		if _, err := New(sim.Options{}, []sim.Device{{ID: "x", With: with}}); err == nil {
			t.Errorf("%v was made", with)
		}
	}
}
