package sis

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lectern/devices/devicetest/fuzz"
	"lectern/devices/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func frame(t testing.TB, devices ...sim.Device) *Frame {
	t.Helper()
	e, err := New(sim.Options{}, devices)
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Frame)
}

var (
	crosspoint = sim.Device{ID: "matrix", Driver: "extron-sis"}
	program    = sim.Device{ID: "program", Driver: "extron-sis-volume", With: map[string]any{"group": 1}}
	simple     = sim.Device{ID: "speakers", Driver: "extron-sis-volume"}
)

// host is the other end of a connection to the equipment.
type host struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
}

// connect starts the equipment on a connection that ends with the test.
func connect(t *testing.T, f *Frame, tcp bool) *host {
	t.Helper()
	here, there := net.Pipe()
	var end sync.WaitGroup
	end.Go(func() {
		if tcp {
			_ = f.Serve(t.Context(), there)
		} else {
			_ = f.Serve(t.Context(), wireOnly{there})
		}
	})
	t.Cleanup(func() { _ = here.Close(); end.Wait() })
	return &host{t: t, conn: here, r: bufio.NewReader(here)}
}

// wireOnly hides that a connection is one of a network.
type wireOnly struct{ c net.Conn }

func (w wireOnly) Read(b []byte) (int, error)  { return w.c.Read(b) }
func (w wireOnly) Write(b []byte) (int, error) { return w.c.Write(b) }

func (h *host) send(text string) {
	h.t.Helper()
	if _, err := h.conn.Write([]byte(text)); err != nil {
		h.t.Fatal(err)
	}
}

// line reads one line, without its end.
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
	h.send(command)
	if got := h.line(); got != want {
		h.t.Errorf("%q was answered %q, the tables have %q", command, got, want)
	}
}

func truth(t *testing.T, f *Frame, key, want string) {
	t.Helper()
	if got := f.Truth()[key]; got != want {
		t.Errorf("%s is %q, want %q", key, got, want)
	}
}

func TestCommandsOfTheTables(t *testing.T) {
	f := frame(t, crosspoint, program, simple)
	h := connect(t, f, false)
	h.ask("1*3!", "Out3 In1 All")
	truth(t, f, "matrix.3", "1")
	h.ask("3%", "1") // mode 1 does not tag what is read
	h.ask("\x1b3CV\r", "Vrb3")
	h.ask("3%", "Out3 In1 Vid")
	h.ask("\r\n3$", "Out3 In1 Aud") // a bare CR is harmless
	h.ask("2*3$", "Out3 In2 Aud")
	truth(t, f, "matrix.3", "1")
	h.ask("0*3!", "Out3 In0 All")
	truth(t, f, "matrix.3", "")
	h.ask("4*!", "In4 All")
	truth(t, f, "matrix.8", "4")
	h.ask("55V", "Vol55")
	h.ask("+V", "Vol56")
	h.ask("-V", "Vol55")
	h.ask("V", "Vol55")
	truth(t, f, "speakers.volume", "55")
	h.ask("1Z", "Amt1")
	h.ask("Z", "Amt1")
	truth(t, f, "speakers.mute", "true")
	h.ask("\x1bD1*-250GRPM\r", "GrpmD01*-00250")
	truth(t, f, "program.volume", "58")
	h.ask("\x1bD1GRPM\r", "GrpmD01*-00250")
	h.ask("\x1bD2*1GRPM\r", "GrpmD02*+00001")
	truth(t, f, "program.mute", "true")
	h.ask("3,", "Spr03")
	h.ask("1*1!", "Out1 In1 All")
	h.ask("3.", "Rpr03")
	truth(t, f, "matrix.1", "4")
	h.ask("\x1bCV\r", "Vrb3")
	h.ask("I", "CrossPoint 8x8")
	h.ask("Q", "1.07")
	h.ask("N", "60-1381-01")
}

func TestRecordingCommandsOfTheTable(t *testing.T) {
	f := frame(t, sim.Device{ID: "smp", Driver: "extron-smp"})
	h := connect(t, f, false)
	for _, c := range [][2]string{
		{"\x1bYRCDR\r", "0"}, {"35I", "00:00:00"}, {"\x1bY2RCDR\r", "E14"}, {"\x1bBRCDR\r", "E14"},
		{"\x1bY1RCDR\r", "RcdrY1"}, {"\x1bYRCDR\r", "1"}, {"\x1bBRCDR\r", "RcdrB"}, {"\x1bE10RCDR\r", "RcdrE10"},
		{"\x1bY2RCDR\r", "RcdrY2"}, {"\x1b3CV\r", "Vrb3"}, {"\x1bYRCDR\r", "RcdrY2"}, {"35I", "Inf35*00:00:00"},
		{"\x1bY0RCDR\r", "RcdrY0"}, {"\x1bY3RCDR\r", "E10"}, {"I", "SMP 351"},
	} {
		h.ask(c[0], c[1])
	}
	if err := f.Nudge("smp", "transport", "record"); err != nil {
		t.Error(err)
	}
	if got := f.Truth()["smp.transport"]; got != "record" {
		t.Errorf("it is %s", got)
	}
	if got := h.line(); got != "RcdrY1" {
		t.Errorf("it says %q by itself", got)
	}
	for _, n := range [][2]string{{"transport", "play"}, {"volume", "3"}} {
		if err := f.Nudge("smp", n[0], n[1]); err == nil {
			t.Errorf("%v was taken", n)
		}
	}
}

func TestErrorsOfTheTables(t *testing.T) {
	h := connect(t, frame(t, crosspoint, program), false)
	for command, want := range map[string]string{
		"9*1!": "E01", "1*9!": "E12", "9%": "E12", "X": "E10", "12\r": "E10", "\x1bFOO\r": "E10",
		"7.": "E11", "99,": "E11", "101V": "E13", "2Z": "E13", "\x1bD1*900GRPM\r": "E13", "\x1bD2*7GRPM\r": "E13",
		"\x1bD9*1GRPM\r": "E14", "\x1b9CV\r": "E13", "3!": "E10",
	} {
		h.ask(command, want)
	}
	h.ask(strings.Repeat("1", longest)+"N", "E10")
	if got := h.line(); got != "60-1381-01" {
		t.Errorf("after an endless command: %q", got)
	}
}

func TestASwitcherHasOneOutputWithoutANumber(t *testing.T) {
	f := frame(t, sim.Device{ID: "switcher", Driver: "extron-sis", With: map[string]any{"switcher": true, "inputs": 4}})
	h := connect(t, f, false)
	h.ask("2!", "In2 All")
	truth(t, f, "switcher.1", "2")
	h.ask("!", "2")
	h.ask("5!", "E01")
	h.ask("1*2!", "E10")
}

func TestTelnetGreetsAndAsksForThePassword(t *testing.T) {
	f := frame(t, sim.Device{ID: "matrix", Driver: "extron-sis", With: map[string]any{"password": "sesame"}})
	h := connect(t, f, true)
	prompt := func() {
		t.Helper()
		got := make([]byte, len("\r\nPassword:"))
		for n := 0; n < len(got); {
			k, err := h.r.Read(got[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += k
		}
		if string(got) != "\r\nPassword:" {
			t.Fatalf("got %q", got)
		}
	}
	if got := h.line() + h.line(); !strings.HasPrefix(got, "\xA9 Copyright") {
		t.Errorf("greeted with %q", got)
	}
	h.line() // the date
	prompt()
	h.send("1*1!\r")
	prompt()
	truth(t, f, "matrix.1", "")
	h.send("sesame\r")
	if got := h.line() + h.line(); got != "Login Administrator" {
		t.Errorf("welcomed with %q", got)
	}
	h.ask("1*1!", "Out1 In1 All")
	h.ask("1%", "1")
}

func TestVerboseConnectionsHearWhatOthersDo(t *testing.T) {
	f := frame(t, crosspoint, program, simple)
	panel, host := connect(t, f, false), connect(t, f, false)
	panel.ask("\x1b3CV\r", "Vrb3")
	host.ask("\x1b0CV\r", "Vrb0")
	for _, c := range []struct{ device, property, value, said string }{
		{"matrix", "3", "5", "Out3 In5 All"},
		{"program", "volume", "100", "GrpmD01*+00000"},
		{"program", "mute", "true", "GrpmD02*+00001"},
		{"speakers", "volume", "20", "Vol20"},
		{"speakers", "mute", "true", "Amt1"},
	} {
		if err := f.Nudge(c.device, c.property, c.value); err != nil {
			t.Fatal(err)
		}
		if got := panel.line(); got != c.said {
			t.Errorf("%s.%s = %s is reported as %q, want %q", c.device, c.property, c.value, got, c.said)
		}
		truth(t, f, c.device+"."+c.property, c.value)
	}
	host.ask("2*2!", "Out2 In2 All") // mode 0 heard nothing of the rest
	if got := panel.line(); got != "Out2 In2 All" {
		t.Errorf("the other connection heard %q", got)
	}
	for _, n := range [][3]string{{"matrix", "9", "1"}, {"matrix", "1", "9"}, {"matrix", "x", "1"}, {"program", "volume", "x"}, {"program", "mute", "x"}, {"door", "1", "1"}} {
		if err := f.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("nudging %v was taken", n)
		}
	}
}

func TestFaultsAnswerWithTheirErrors(t *testing.T) {
	f := frame(t, crosspoint)
	h := connect(t, f, false)
	for fault, code := range map[string]string{"nak": "E14", "busy": "E22"} {
		if err := f.Fault(fault); err != nil {
			t.Fatal(err)
		}
		h.ask("1*1!", code)
		truth(t, f, "matrix.1", "")
	}
	h.ask("\x1b3CV\r", "Vrb3")
	if err := f.Fault("restart"); err != nil {
		t.Fatal(err)
	}
	if got := h.line(); !strings.Contains(got, "Copyright") {
		t.Errorf("a restart says %q", got)
	}
	h.ask("1%", "0")
	if err := f.Fault("tired"); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Errorf("an unknown fault gave %v", err)
	}
}

func TestARestartEndsTelnetConnections(t *testing.T) {
	f := frame(t, crosspoint)
	h := connect(t, f, true)
	h.line()
	h.line()
	h.line()
	if err := f.Fault("restart"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.r.ReadString('\n'); err == nil {
		t.Error("the connection is alive")
	}
}

func TestAnUnfinishedCommandIsForgottenAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := frame(t, crosspoint)
		k := &talk{in: true, mode: 1, out: make(chan string, backlog)}
		f.hear(k, []byte("1*"))
		time.Sleep(hesitation)
		f.hear(k, []byte("2*1!"))
		if got := <-k.out; got != "Out1 In2 All\r\n" {
			t.Errorf("got %q", got)
		}
	})
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	for _, with := range []map[string]any{{"inputs": "many"}, {"floor_db": 0, "ceiling_db": 0}, {"outputs": 5000}} {
		if _, err := New(sim.Options{}, []sim.Device{{ID: "x", Driver: "extron-sis", With: with}}); err == nil {
			t.Errorf("%v was taken", with)
		}
	}
}

func FuzzHear(f *testing.F) {
	f.Add("1*3!3%\x1b3CV\r\x1bD1*-250GRPM\r+V")
	f.Add("\x1b\x1b1**!999999999999999999V\n")
	fuzz.Run(f, func(t *testing.T, text string) {
		e := frame(t, crosspoint, program)
		k := &talk{in: true, mode: 3, out: make(chan string, backlog)}
		e.hear(k, []byte(text))
		if len(k.pending) > longest {
			t.Fatalf("%d characters are kept", len(k.pending))
		}
		_ = e.Truth()
	})
}
