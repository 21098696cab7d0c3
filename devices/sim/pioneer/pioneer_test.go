package pioneer

import (
	"bufio"
	"io"
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

func player(t testing.TB) *Player {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{{ID: "dvd"}})
	if err != nil {
		t.Fatal(err)
	}
	return e.(*Player)
}

// ask gives the player a string of commands, and wants an answer.
func ask(t *testing.T, p *Player, text, want string) {
	t.Helper()
	if got := p.obey(text, time.Sleep); got != want {
		t.Errorf("%q was answered %q, want %q", text, got, want)
	}
}

func TestAnswersOfTheManuals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := player(t)
		ask(t, p, "?P", "P01")
		ask(t, p, "\x50\x4C", "R")
		ask(t, p, "?P", "P04")
		ask(t, p, "?C", "01")
		ask(t, p, "CH5SL", "R")
		ask(t, p, "?C", "05")
		ask(t, p, "?P", "P04")
		ask(t, p, "CH7SE", "R")
		ask(t, p, "?P", "P05")
		ask(t, p, "99SL", "E12")
		ask(t, p, "SL", "E06")
		ask(t, p, "TR2SL", "E04")
		ask(t, p, "PL", "R")
		ask(t, p, "NF", "R")
		ask(t, p, "?P", "P08")
		ask(t, p, "NR", "R")
		ask(t, p, "?P", "P08")
		ask(t, p, "NS", "R")
		ask(t, p, "?P", "P04")
		ask(t, p, "PA", "R")
		ask(t, p, "?P", "P06")
		ask(t, p, "SRSRSR", "R")
		ask(t, p, "?P", "P05")
		ask(t, p, "?D", "10001")
		ask(t, p, "?X", "P157100")
		ask(t, p, "?M", "CM3")
		ask(t, p, "?E", "E04")
		ask(t, p, "RJ", "R")
		ask(t, p, "?P", "P01")
		ask(t, p, "99RJ", "R")
		ask(t, p, "?P", "P01")
		ask(t, p, "RJ", "R") // a second one opens the tray
		ask(t, p, "?P", "P00")
		ask(t, p, "?D", "0XXXX")
		ask(t, p, "99RJ", "E04")
		ask(t, p, "CO", "R")
		ask(t, p, "NF", "E04")
		ask(t, p, "?C", "E04")
		ask(t, p, "SA", "R")
		ask(t, p, "?P", "P05")
		ask(t, p, "XX", "E04")
		ask(t, p, "pl", "E04")
		ask(t, p, "", "R")
	})
}

func TestTheAnswerComesWhenTheStringIsExecuted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := player(t)
		began := time.Now()
		ask(t, p, "PLST", "R")
		if got := time.Since(began); got != spinUpTime {
			t.Errorf("it took %s, want %s", got, spinUpTime)
		}
		ask(t, p, "?P", "P05")
		began = time.Now()
		ask(t, p, "99RJNF", "E04")
		if got := time.Since(began); got != stopTime {
			t.Errorf("it took %s, want %s", got, stopTime)
		}
	})
}

func TestWithoutADiscItIsParkedAndSaysE11(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := player(t)
		if err := p.Fault("no-disc"); err != nil {
			t.Fatal(err)
		}
		ask(t, p, "?D", "0XXXX")
		ask(t, p, "PL", "E11")
		ask(t, p, "?P", "P01")
		if got := p.Truth()["dvd.transport"]; got != "no-media" {
			t.Errorf("it is %s", got)
		}
		if err := p.Fault("nak"); err != nil {
			t.Fatal(err)
		}
		ask(t, p, "?P", "E04")
		if err := p.Fault("tired"); err == nil || !strings.Contains(err.Error(), "no-disc") {
			t.Errorf("an unknown fault gave %v", err)
		}
	})
}

func TestNudgesAreTrue(t *testing.T) {
	p := player(t)
	for _, value := range []string{"play", "stop", "pause", "forward", "back", "open", "no-media"} {
		if err := p.Nudge("dvd", "transport", value); err != nil {
			t.Error(err)
		}
		if got := p.Truth()["dvd.transport"]; got != value {
			t.Errorf("it is %q, want %q", got, value)
		}
	}
	for _, n := range [][3]string{{"dvd", "transport", "sing"}, {"dvd", "volume", "3"}, {"vcr", "transport", "play"}} {
		if err := p.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("%v was taken", n)
		}
	}
}

func TestItServesAConnection(t *testing.T) {
	here, there := net.Pipe()
	p := player(t)
	var end sync.WaitGroup
	end.Go(func() { _ = p.Serve(t.Context(), there) })
	defer end.Wait()
	defer here.Close()
	r := bufio.NewReader(here)
	for _, text := range []string{"?P\r", " \n?P\r", strings.Repeat("Z", 300) + "\r"} {
		go func() { _, _ = io.WriteString(here, text) }()
		want := "P01\r"
		if strings.HasPrefix(text, "Z") {
			want = "E04\r"
		}
		if got, err := r.ReadString('\r'); err != nil || got != want {
			t.Errorf("%q was answered %q, %v", text, got, err)
		}
	}
}

func TestThePictureSaysWhatThePlayerDoes(t *testing.T) {
	var describe func() string
	if _, err := New(sim.Options{Picture: func(_ string, d func() string) { describe = d }}, []sim.Device{{ID: "dvd"}}); err != nil {
		t.Fatal(err)
	}
	if got := describe(); got != "park CHAPTER 7\n00:30:00" {
		t.Errorf("got %q", got)
	}
	if _, err := New(sim.Options{}, make([]sim.Device, 2)); err == nil {
		t.Error("two players share a line")
	}
}

func FuzzObey(f *testing.F) {
	f.Add("PLST?P")
	f.Add("99RJ0CH12SL")
	fuzz.Run(f, func(t *testing.T, text string) {
		p := player(t)
		if got := p.obey(text, func(time.Duration) {}); got == "" || len(got) > 8 {
			t.Fatalf("%q was answered %q", text, got)
		}
		_ = p.Truth()
	})
}
