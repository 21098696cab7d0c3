package kramer

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices/devicetest/fuzz"
	"lectern/devices/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func switcher(t testing.TB, devices ...sim.Device) *Switcher {
	t.Helper()
	e, err := New(sim.Options{}, devices)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Switcher)
}

var (
	matrix  = sim.Device{ID: "matrix", Driver: "kramer"}
	old     = sim.Device{ID: "matrix", Driver: "kramer", With: map[string]any{"command": "legacy"}}
	program = sim.Device{ID: "program", Driver: "kramer-volume", With: map[string]any{"floor": -60, "ceiling": 0}}
)

// host is the other end of a connection to the equipment.
type host struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

func connect(t *testing.T, s *Switcher) *host {
	t.Helper()
	here, there := net.Pipe()
	var end sync.WaitGroup
	end.Go(func() { _ = s.Serve(t.Context(), there) })
	t.Cleanup(func() { _ = here.Close(); end.Wait() })
	h := &host{t: t, conn: here, r: bufio.NewReader(here)}
	return h
}

func (h *host) line() string {
	h.t.Helper()
	_ = h.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	text, err := h.r.ReadString('\n')
	if err != nil {
		h.t.Fatalf("after %q: %v", text, err)
	}
	if !strings.HasSuffix(text, "\r\n") {
		h.t.Errorf("%q does not end with CR LF", text)
	}
	return strings.TrimSpace(text)
}

func (h *host) ask(command, want string) {
	h.t.Helper()
	if _, err := h.conn.Write([]byte(command + "\r")); err != nil {
		h.t.Fatal(err)
	}
	if got := h.line(); got != want {
		h.t.Errorf("%q was answered %q, the tables have %q", command, got, want)
	}
}

func truth(t *testing.T, s *Switcher, key, want string) {
	t.Helper()
	if got := s.Truth()[key]; got != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

func TestCommandsOfTheTables(t *testing.T) {
	s := switcher(t, matrix, program)
	h := connect(t, s)
	h.ask("#", "~01@OK")
	h.ask("#MODEL?", "~01@MODEL VS-88UT")
	h.ask("#01@ROUTE 12,1,4", "~01@ROUTE 12,1,4 OK")
	truth(t, s, "matrix.1", "4")
	h.ask("#ROUTE? 1,1", "~01@ROUTE 1,1,4")
	h.ask("#ROUTE 2,1,x", "~01@ROUTE 2,1,x OK")
	h.ask("#AUD? 1", "~01@AUD 0>1")
	truth(t, s, "matrix.1", "4") // its video is as it was
	h.ask("#AV 1>2", "~01@AV 1>2 OK")
	h.ask("\n#VID 3>*", "~01@VID 3>* OK")
	truth(t, s, "matrix.8", "3")
	h.ask("#VID? 2", "~01@VID 3>2")
	h.ask("#AUD? *", "~01@AUD 0>1,1>2,0>3,0>4,0>5,0>6,0>7,0>8")
	h.ask("#A 2>1,2>2", "~01@AUD 2>1,2>2 OK")
	h.ask("#AUD-LVL 1,1,-15", "~01@AUD-LVL 1,1,-15 OK")
	truth(t, s, "program.volume", "75")
	h.ask("#AUD-LVL? 1,1", "~01@AUD-LVL 1,1,-15")
	h.ask("#AUD-LVL 1,1,--", "~01@AUD-LVL 1,1,-16 OK")
	h.ask("#AUD-LVL 1,1,++", "~01@AUD-LVL 1,1,-15 OK")
	h.ask("#MUTE 1,ON", "~01@MUTE 1,1 OK")
	h.ask("#MUTE? 1", "~01@MUTE 1,1")
	truth(t, s, "program.mute", "true")
	h.ask("#VID 1>1|VID 2>2", "~01@VID 1>1 OK")
	if got := h.line(); got != "~01@VID 2>2 OK" {
		t.Errorf("the second of a chain was answered %q", got)
	}
}

func TestErrorsOfTheTables(t *testing.T) {
	h := connect(t, switcher(t, matrix, program))
	for command, want := range map[string]string{
		"ROUTE": "~01@ERR001", "#FOO": "~01@FOO ERR 002", "#ROUTE 12,9,1": "~01@ROUTE ERR003", "#ROUTE 12,1,9": "~01@ROUTE ERR003",
		"#ROUTE? 12,1": "~01@ROUTE ERR003", "#VID 9>1": "~01@VID ERR003", "#VID? 9": "~01@VID ERR003",
		"#AUD-LVL 1,1,31": "~01@AUD-LVL ERR003", "#AUD-LVL 1,1,loud": "~01@AUD-LVL ERR 001", "#MUTE 1,2": "~01@MUTE ERR003",
		"#AUD-LVL? OUT,1": "~01@AUD-LVL ERR003", "#" + strings.Repeat("1", longest): "~01@ERR001",
	} {
		h.ask(command, want)
	}
}

func TestOldModelsHaveNoRouteAndNoNumber(t *testing.T) {
	s := switcher(t, old)
	h := connect(t, s)
	h.ask("#", "~OK")
	h.ask("#AV 1>2", "~AV 1>2 OK")
	h.ask("#ROUTE 12,1,4", "~ERR002")
	h.ask("#VID? 2", "~VID 1>2")
}

func TestOnlyTheNamedMachineAnswers(t *testing.T) {
	s := switcher(t, sim.Device{ID: "matrix", Driver: "kramer", With: map[string]any{"machine": 7}})
	h := connect(t, s)
	if _, err := h.conn.Write([]byte("#06@ROUTE 12,1,1\r")); err != nil {
		t.Fatal(err)
	}
	h.ask("#07@ROUTE 12,1,2", "~07@ROUTE 12,1,2 OK")
	h.ask("#ROUTE? 1,1", "~07@ROUTE 1,1,2")
}

func TestEveryPortHearsTheFrontPanel(t *testing.T) {
	s := switcher(t, matrix, program, sim.Device{ID: "keyboard", Driver: "kramer", With: map[string]any{"layer": "usb"}})
	a, b := connect(t, s), connect(t, s)
	a.ask("#", "~01@OK")
	b.ask("#", "~01@OK")
	for _, c := range []struct{ device, property, value, said string }{
		{"matrix", "3", "5", "~01@AV 5>3"}, {"matrix", "3", "", "~01@AV 0>3"}, {"keyboard", "2", "1", "~01@ROUTE 3,2,1"},
		{"program", "volume", "100", "~01@AUD-LVL 1,1,0"}, {"program", "mute", "true", "~01@MUTE 1,1"},
	} {
		if err := s.Nudge(c.device, c.property, c.value); err != nil {
			t.Fatal(err)
		}
		for _, h := range []*host{a, b} {
			if got := h.line(); got != c.said {
				t.Errorf("%s.%s = %s is reported as %q, want %q", c.device, c.property, c.value, got, c.said)
			}
		}
		truth(t, s, c.device+"."+c.property, c.value)
	}
	a.ask("#VID 2>1", "~01@VID 2>1 OK")
	if got := b.line(); got != "~01@VID 2>1" {
		t.Errorf("the other port heard %q", got)
	}
	for _, n := range [][3]string{{"matrix", "9", "1"}, {"matrix", "1", "9"}, {"matrix", "x", "1"}, {"program", "volume", "x"}, {"program", "mute", "x"}, {"door", "1", "1"}} {
		if err := s.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("nudging %v was taken", n)
		}
	}
}

func TestFaultsAnswerWithTheirErrors(t *testing.T) {
	s := switcher(t, matrix)
	h := connect(t, s)
	for fault, want := range map[string]string{"nak": "~01@VID ERR003", "busy": "~01@VID ERR 006"} {
		if err := s.Fault(fault); err != nil {
			t.Fatal(err)
		}
		h.ask("#VID 1>1", want)
		truth(t, s, "matrix.1", "")
	}
	if err := s.Fault("restart"); err != nil {
		t.Fatal(err)
	}
	if got := h.line(); !strings.HasPrefix(got, "Kramer Electronics") {
		t.Errorf("a restart says %q", got)
	}
	if err := s.Fault("tired"); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("an unknown fault gave %v", err)
	}
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	for _, with := range []map[string]any{{"inputs": "many"}, {"floor": 0, "ceiling": -1}, {"outputs": 5000}} {
		if _, err := New(sim.Options{}, []sim.Device{{ID: "x", Driver: "kramer", With: with}}); err == nil {
			t.Errorf("%v was taken", with)
		}
	}
}

func FuzzHear(f *testing.F) {
	f.Add("#ROUTE 12,1,4\r#VID 1>*\r#AUD-LVL 1,1,++\r#MUTE 1,ON\r")
	f.Add("#01@ROUTE? 1\r#VID?\r#AUD-LVL\r##|||\r")
	fuzz.Run(f, func(t *testing.T, text string) {
		s := switcher(t, matrix, program)
		k := &talk{out: make(chan string, backlog)}
		s.hear(k, []byte(text))
		if len(k.pending) > longest+1 {
			t.Fatalf("%d characters are kept", len(k.pending))
		}
		_ = s.Truth()
	})
}
