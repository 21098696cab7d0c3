package oppo

import (
	"bufio"
	"errors"
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

// host is somebody who speaks to the player.
type host struct {
	t testing.TB
	p *Player
	k *talk
}

// connect makes a player in a serial or network conversation without a wire.
func connect(t testing.TB, tcp bool) host {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{{ID: "dvd", Driver: "oppo"}})
	if err != nil {
		t.Fatal(err)
	}
	h := host{t, e.(*Player), &talk{tcp: tcp, out: make(chan string, backlog), gone: make(chan struct{})}}
	h.p.talks[h.k] = true
	return h
}

func (h host) send(text string) {
	h.p.mu.Lock()
	defer h.p.mu.Unlock()
	h.p.hear(h.k, []byte(text))
}

// said returns everything that the player has said since.
func (h host) said() string {
	var all strings.Builder
	for {
		select {
		case text := <-h.k.out:
			all.WriteString(text)
		default:
			return all.String()
		}
	}
}

func (h host) ask(command, want string) {
	h.t.Helper()
	h.send(command + "\r")
	if got := h.said(); got != want+"\r" {
		h.t.Errorf("%q was answered %q, want %q", command, got, want)
	}
}

func (h host) truth(want string) {
	h.t.Helper()
	if got := h.p.Truth()["dvd.transport"]; got != want {
		h.t.Errorf("the truth is %q, want %q", got, want)
	}
}

func TestShortAnswersOfTheTable(t *testing.T) {
	h := connect(t, false)
	h.ask("\x23\x50\x4C\x41", "\x40\x4F\x4B\x20\x50\x4C\x41\x59") // #PLA
	h.ask("\x23\x51\x50\x4C", "\x40\x4F\x4B\x20\x50\x4C\x41\x59") // #QPL
	h.truth("play")
	h.ask("#PAU", "@OK PAUSE")
	h.ask("#QPL", "@OK PAUSE")
	h.ask("#FWD", "@OK 1X")
	h.ask("#QPL", "@OK SFWD")
	h.ask("#PLA", "@OK PLAY")
	for _, speed := range []string{"1X", "2X", "3X", "4X", "5X", "1X"} {
		h.ask("#FWD", "@OK "+speed)
	}
	h.ask("#QPL", "@OK FFWD")
	h.ask("#REV", "@OK 1X")
	h.ask("#QPL", "@OK FREV")
	h.ask("#QCH", "@OK 07/12")
	h.ask("#NXT", "@OK")
	h.ask("#QCH", "@OK 08/12")
	h.ask("#PRE", "@OK")
	h.ask("#QCH", "@OK 07/12")
	h.ask("#QTE", "@OK 00:30:00")
	h.ask("#STP", "@OK STOP")
	h.ask("#QPL", "@OK STOP")
	h.ask("#QVL", "@OK 40")
	h.ask("#VUP", "@OK 41")
	h.ask("#VDN", "@OK 40")
	h.ask("#SVL 33", "@OK 33")
	h.ask("#MUT", "@OK MUTE")
	h.ask("#QVL", "@OK MUTE")
	h.ask("#MUT", "@OK UNMUTE")
	h.ask("#SVL MUTE", "@OK MUTE")
	h.ask("#POF", "@OK OFF")
	h.ask("#QPW", "@OK OFF")
	h.truth("standby")
}

func TestAnswersBearNamesInAVerboseModeAndOnTheNetwork(t *testing.T) {
	h := connect(t, false)
	h.ask("#SVM 1", "@SVM OK 1")
	h.ask("#PLA", "@PLA OK PLAY")
	h.ask("#SVM 0", "@OK 0")
	h.ask("#PLA", "@OK PLAY")
	n := connect(t, true)
	n.ask("#PLA", "@PLA OK PLAY")
	n.ask("\n#FOO", "@FOO ER") // a line feed may follow a command
}

func TestErrorsOfThePlayer(t *testing.T) {
	h := connect(t, false)
	for _, bad := range []string{"#FOO", "#SVL 101", "#SVL x", "#SVM 4", "#QXX", "#P", "#NXT", "#REV", "#SVL " + strings.Repeat("1", longest)} {
		h.ask(bad, "@ER")
	}
	h.send("PLA\rnoise\r\n\r")
	if got := h.said(); got != "" {
		t.Errorf("noise was answered %q", got)
	}
	h.ask("#PL#PLA", "@OK PLAY") // a # begins anew
	h.truth("play")
	if err := h.p.Fault("nak"); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"#STP", "#QPL", "#QPW", "#SVL 1"} {
		h.ask(command, "@ER")
	}
	h.truth("play")
	if err := h.p.Fault("tired"); err == nil || !strings.Contains(err.Error(), "no-disc") {
		t.Errorf("an unknown fault gave %v", err)
	}
}

func TestStandbyKnowsOnlyPower(t *testing.T) {
	h := connect(t, false)
	h.ask("#POW", "@OK OFF")
	for _, command := range []string{"#PLA", "#QPL", "#QVL", "#SVL 5", "#EJT"} {
		h.ask(command, "@ER")
	}
	h.ask("#QPW", "@OK OFF")
	h.ask("#PON", "@OK ON")
}

func TestTheTrayMovesAndDiscsAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := connect(t, false)
		step := func(wait time.Duration, want string) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			h.ask("#QPL", "@OK "+want)
		}
		h.ask("#EJT", "@OK OPEN")
		h.truth("open")
		h.ask("#EJT", "@OK CLOSE")
		h.ask("#PLA", "@ER")
		step(trayTime-1, "CLOSE")
		step(1, "LOADING")
		step(loadTime, "STOP")
		h.ask("#EJT", "@OK OPEN")
		h.ask("#PLA", "@OK PLAY")
		step(trayTime+loadTime-1, "LOADING")
		step(1, "PLAY")
		h.ask("#POF", "@OK OFF")
		h.ask("#PON", "@OK ON")
		step(startTime-1, "LOADING")
		step(1, "STOP")
		if err := h.p.Fault("no-disc"); err != nil {
			t.Fatal(err)
		}
		h.truth("no-media")
		h.ask("#QPL", "@OK NO DISC")
		h.ask("#EJT", "@OK OPEN")
		h.ask("#EJT", "@OK CLOSE")
		step(trayTime+loadTime, "NO DISC")
		h.ask("#PLA", "@ER")
	})
}

func TestADiscRunsToItsEndsAndNoFurther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := connect(t, false)
		h.ask("#PLA", "@OK PLAY")
		time.Sleep(chapterLength)
		h.ask("#QCH", "@OK 08/12")
		h.ask("#FWD", "@OK 1X")
		time.Sleep(discLength)
		synctest.Wait()
		h.ask("#QPL", "@OK STOP")
		h.ask("#PLA", "@OK PLAY")
		h.ask("#QCH", "@OK 01/12") // from the beginning
		time.Sleep(chapterLength)
		h.ask("#REV", "@OK 1X")
		time.Sleep(chapterLength)
		synctest.Wait()
		h.ask("#QPL", "@OK PLAY")
		h.ask("#STP", "@OK STOP")
		time.Sleep(discLength)
		h.ask("#PLA", "@OK PLAY") // resumes
		h.ask("#QTE", "@OK 00:02:30")
	})
}

func TestVerboseModesSpeakUp(t *testing.T) {
	h := connect(t, false)
	says := func(property, value, want string) {
		t.Helper()
		if err := h.p.Nudge("dvd", property, value); err != nil {
			t.Error(err)
		}
		if got := h.said(); got != want {
			t.Errorf("%s %s says %q, want %q", property, value, got, want)
		}
		if got := h.p.Truth()["dvd."+property]; got != value {
			t.Errorf("%s is %q, want %q", property, got, value)
		}
	}
	says("transport", "play", "")
	h.ask("#SVM 1", "@SVM OK 1")
	says("transport", "stop", "")
	h.ask("#SVM 2", "@SVM OK 2")
	says("transport", "play", "@UPL PLAY\r")
	says("transport", "pause", "@UPL PAUS\r")
	says("transport", "forward", "@UPL FFW1\r")
	says("transport", "back", "@UPL FRV1\r")
	says("transport", "open", "@UPL OPEN\r")
	says("transport", "no-media", "@UPL DISC\r")
	says("transport", "standby", "@UPW 0\r")
	says("transport", "stop", "@UPW 1\r@UPL STOP\r")
	says("volume", "64", "@UVL 64\r")
	says("mute", "true", "@UVL MUTE\r")
	says("mute", "false", "@UVL 64\r")
	if err := h.p.Fault("restart"); err != nil {
		t.Fatal(err)
	}
	h.said()
	h.ask("#QPW", "@OK OFF") // it has forgotten the mode
	for _, n := range [][3]string{{"dvd", "transport", "sing"}, {"dvd", "volume", "101"}, {"dvd", "mute", "x"}, {"dvd", "power", "on"}, {"vcr", "transport", "play"}} {
		if err := h.p.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("%v was taken", n)
		}
	}
}

func TestARestartEndsNetworkConnections(t *testing.T) {
	here, there := net.Pipe()
	e, err := New(sim.Options{}, []sim.Device{{ID: "dvd"}})
	if err != nil {
		t.Fatal(err)
	}
	var end sync.WaitGroup
	end.Go(func() { _ = e.(*Player).Serve(t.Context(), there) })
	defer end.Wait()
	defer here.Close()
	if _, err := io.WriteString(here, "#QPW\r"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(here)
	if got, err := r.ReadString('\r'); err != nil || got != "@QPW OK ON\r" {
		t.Errorf("%q, %v", got, err)
	}
	if err := e.Fault("restart"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ReadString('\r'); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is alive: %v", err)
	}
}

func TestThePictureSaysWhatThePlayerDoes(t *testing.T) {
	var describe func() string
	e, err := New(sim.Options{Picture: func(_ string, d func() string) { describe = d }}, []sim.Device{{ID: "dvd"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(); got != "STOP CHAPTER 7\n00:30:00:00" {
		t.Errorf("got %q", got)
	}
	if err := e.Nudge("dvd", "transport", "standby"); err != nil {
		t.Fatal(err)
	}
	if got := describe(); got != "STANDBY" {
		t.Errorf("got %q", got)
	}
	if _, err := New(sim.Options{}, make([]sim.Device, 2)); err == nil {
		t.Error("two players share a line")
	}
}

func FuzzHear(f *testing.F) {
	f.Add("#PLA\r#QPL\r\n##SVL 300\r")
	f.Add("#SVM 3\r#EJT\r#EJT\r" + strings.Repeat("#", 100))
	fuzz.Run(f, func(t *testing.T, text string) {
		h := connect(t, false)
		h.send(text)
		if len(h.k.pending) > longest {
			t.Fatalf("%d characters are kept", len(h.k.pending))
		}
		_ = h.p.Truth()
		h.p.mu.Lock()
		h.p.after(0, nil) // no timer outlives the round
		h.p.mu.Unlock()
	})
}
