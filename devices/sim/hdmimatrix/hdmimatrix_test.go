package hdmimatrix

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices/devicetest/fuzz"
	"lectern/devices/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func board(t testing.TB, with map[string]any) *Board {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{{ID: "matrix", Driver: "hdmi-matrix", With: with}})
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Board)
}

func ask(t *testing.T, b *Board, command, want string) {
	t.Helper()
	left, said := b.hear(nil, []byte(command))
	if got := strings.ReplaceAll(strings.TrimSuffix(said, "\r\n"), "\r\n", "|"); got != want || len(left) != 0 {
		t.Errorf("%q was answered %q, the manuals have %q", command, got, want)
	}
}

func truth(t *testing.T, b *Board, key, want string) {
	t.Helper()
	if got := b.Truth()[key]; got != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

func TestAtlonaRepeatsWhatItDoes(t *testing.T) {
	b := board(t, map[string]any{"dialect": "atlona"})
	ask(t, b, "x3AVx7\r", "x3AVx7")
	truth(t, b, "matrix.7", "3")
	ask(t, b, "Statusx7\r", "x3AVx7")
	ask(t, b, "Statusx07\r", "x03AVx07")
	ask(t, b, "x7$\r", "x7$")
	truth(t, b, "matrix.7", "")
	for _, wrong := range []string{"x9AVx1\r", "x1AVx9\r", "X1AVX1\r", "x7$ off\r", "hello\r"} {
		ask(t, b, wrong, "Command FAILED")
	}
	long := board(t, map[string]any{"dialect": "atlona", "untie": "long"})
	ask(t, long, "x3$ off\r", "x3$ off")
	ask(t, long, "x3$\r", "Command FAILED")
}

func TestLetterBoardsTellWhatIsTied(t *testing.T) {
	b := board(t, map[string]any{"dialect": "letter"})
	ask(t, b, "1V2.", "AV:01->02")
	truth(t, b, "matrix.2", "1")
	ask(t, b, "Status2.", "AV: 01 -> 02|IR: 01 -> 02")
	ask(t, b, "2$.", "02 Closed.")
	ask(t, b, "Status2.", "02 Closed.")
	if err := b.Fault("terse"); err != nil {
		t.Fatal(err)
	}
	ask(t, b, "3B4.", "SWITCH OK")
	truth(t, b, "matrix.4", "3")
	sound := board(t, map[string]any{"dialect": "letter", "signal": "A"})
	ask(t, sound, "3V2.", "AV:03->02")
	ask(t, sound, "1A2.", "A:01->02")
	truth(t, sound, "matrix.2", "1")
	ask(t, sound, "Status2.", "V: 03 -> 02|A: 01 -> 02")
}

func TestOutBoardsListEverything(t *testing.T) {
	b := board(t, map[string]any{"dialect": "out"})
	ask(t, b, "OUT01:03.", "Output 01 Switch To In 03!|Local 03 IR Out Switch To Remote 01 IR IN!")
	truth(t, b, "matrix.1", "3")
	_, said := b.hear(nil, []byte("STA_VIDEO."))
	if lines := strings.Split(strings.TrimSpace(said), "\r\n"); len(lines) != size || lines[0] != "Output 01 Switch To In 03!" {
		t.Errorf("it listed %q", lines)
	}
	ask(t, b, "OUT1:3.", "Command Error!")
}

func TestFaultsAndNudges(t *testing.T) {
	b := board(t, map[string]any{"dialect": "letter"})
	if err := b.Nudge("matrix", "3", "5"); err != nil {
		t.Fatal(err)
	}
	truth(t, b, "matrix.3", "5")
	for _, n := range [][3]string{{"matrix", "9", "1"}, {"matrix", "1", "9"}, {"matrix", "x", "1"}, {"door", "1", "1"}} {
		if err := b.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("nudging %v was taken", n)
		}
	}
	if err := b.Fault("nak"); err != nil {
		t.Fatal(err)
	}
	ask(t, b, "1V1.", "Command Error!")
	truth(t, b, "matrix.1", "")
	if err := b.Fault("tired"); err == nil || !strings.Contains(err.Error(), "terse") {
		t.Errorf("an unknown fault gave %v", err)
	}
}

func TestWhatCannotBePlayedIsRefused(t *testing.T) {
	one := sim.Device{ID: "a", With: map[string]any{"dialect": "out"}}
	for _, list := range [][]sim.Device{nil, {one, one}, {{ID: "a", With: map[string]any{"dialect": "morse"}}}} {
		if _, err := New(sim.Options{}, list); err == nil {
			t.Errorf("%v was taken", list)
		}
	}
}

func FuzzHear(f *testing.F) {
	f.Add("x3AVx7\rStatusx7\r")
	f.Add("1V2.Status2.2$./:MessageOff;")
	f.Add("OUT01:03.STA_VIDEO.")
	fuzz.Run(f, func(t *testing.T, text string) {
		for _, dialect := range []string{"atlona", "letter", "out"} {
			b := board(t, map[string]any{"dialect": dialect})
			if left, _ := b.hear(nil, []byte(text)); len(left) >= longest {
				t.Fatalf("%d characters are kept", len(left))
			}
			_ = b.Truth()
		}
	})
}
