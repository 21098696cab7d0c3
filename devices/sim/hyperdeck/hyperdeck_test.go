package hyperdeck

import (
	"bufio"
	"fmt"
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

// client is somebody who speaks to the deck, without a wire between.
type client struct {
	t testing.TB
	d *Deck
	k *talk
}

func connect(t testing.TB) client {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{{ID: "deck", Driver: "hyperdeck"}})
	if err != nil {
		t.Fatal(err)
	}
	return another(t, e.(*Deck))
}

func another(t testing.TB, d *Deck) client {
	t.Helper()
	c := client{t, d, newTalk()}
	d.welcome(c.k)
	if got := c.said(); got != "500 connection info:\r\nprotocol version: 1.11\r\nmodel: Simulated HyperDeck\r\n\r\n" {
		t.Errorf("introduced itself with %q", got)
	}
	return c
}

func (c client) send(text string) {
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		if command, ok := wholeCommand(lines); ok && command != nil {
			c.d.hear(c.k, command)
		}
	}
}

func (c client) said() string {
	var all strings.Builder
	for {
		select {
		case text := <-c.k.out:
			all.WriteString(text)
		default:
			return all.String()
		}
	}
}

func (c client) ask(command, want string) {
	c.t.Helper()
	c.send(command + "\r\n")
	if got := c.said(); got != want+"\r\n" {
		c.t.Errorf("%q was answered %q, want %q", command, got, want)
	}
}

// info wants lines among those of transport info.
func (c client) info(want ...string) {
	c.t.Helper()
	c.send("transport info\r\n")
	got := c.said()
	if !strings.HasPrefix(got, "208 transport info:\r\n") || !strings.HasSuffix(got, "\r\n\r\n") {
		c.t.Errorf("transport info is %q", got)
	}
	for _, w := range want {
		if !strings.Contains(got, "\r\n"+w+"\r\n") {
			c.t.Errorf("transport info is %q, want %q in it", got, w)
		}
	}
}

func (c client) truth(want string) {
	c.t.Helper()
	if got := c.d.Truth()["deck.transport"]; got != want {
		c.t.Errorf("the truth is %q, want %q", got, want)
	}
}

func TestTransportInfoHasTheLinesOfTheManual(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t)
		c.ask("goto: timeline: start", "200 ok")
		c.ask("transport info", strings.TrimSuffix("208 transport info:\r\nstatus: stopped\r\nspeed: 0\r\nslot id: 1\r\nclip id: 1\r\n"+
			"single clip: false\r\ndisplay timecode: 00:00:00:00\r\ntimecode: 00:00:00:00\r\nvideo format: 1080p25\r\nloop: false\r\n\r\n", "\r\n"))
	})
}

func TestBothFormsOfCommandsAndBothEndsOfLines(t *testing.T) {
	c := connect(t)
	for _, command := range []string{
		"play: speed: 200 loop: true\r\n", "play: speed: 200 loop: true\n",
		"play:\r\nspeed: 200\r\nloop: true\r\n\r\n", "play:\nspeed: 200\nloop: true\n\n",
	} {
		c.send("stop\r\n")
		c.said()
		c.send(command)
		if got := c.said(); got != "200 ok\r\n" {
			t.Errorf("%q was answered %q", command, got)
		}
		c.info("status: forward", "speed: 200", "loop: true")
	}
	c.ask("record:\r\nname: my clip\r\n", "200 ok")
	c.ask("watchdog:\r\nperiod: 13\r\n", "200 ok")
	c.send("stop\r\n\r\n\r\nping\r\n")
	if got := c.said(); got != "200 ok\r\n200 ok\r\n" {
		t.Errorf("with empty lines between: %q", got)
	}
	c.send("clips get\r\n")
	if got := c.said(); !strings.Contains(got, "\r\n9: my clip.mov ") {
		t.Errorf("the clips are %q", got)
	}
	c.ask("watchdog: period: 0", "200 ok") // no timer is left
}

func TestCommandsMoveTheDeck(t *testing.T) {
	c := connect(t)
	for _, s := range []struct{ command, truth, status string }{
		{"play", "play", "status: play"}, {"play: speed: 1600", "forward", "status: forward"}, {"play: speed: -1600", "back", "status: rewind"},
		{"play: speed: 0", "pause", "status: play"}, {"shuttle: speed: 800", "forward", "status: shuttle"}, {"shuttle: speed: -50", "back", "status: shuttle"},
		{"jog: timecode: +00:00:01:00", "pause", "status: jog"}, {"stop", "stop", "status: stopped"}, {"preview: enable: true", "stop", "status: preview"},
		{"preview: enable: false", "stop", "status: stopped"}, {"record", "record", "status: record"}, {"record", "record", "speed: 100"}, {"stop", "stop", "speed: 0"},
	} {
		c.ask(s.command, "200 ok")
		c.truth(s.truth)
		c.info(s.status)
	}
	for _, s := range []struct{ command, clip string }{
		{"goto: clip id: 2", "clip id: 2"}, {"goto: clip id: +1", "clip id: 3"}, {"goto: clip id: -2", "clip id: 1"},
		{"goto: timeline: end", "clip id: 9"}, {"goto: timeline: start", "clip id: 1"}, {"goto: clip: end", "clip id: 1"},
		{"goto: timecode: 00:25:00:00", "clip id: 2"}, {"goto: timecode: +00:20:00:00", "timecode: 00:45:00:00"}, {"goto: clip: start", "timecode: 00:40:00:00"},
	} {
		c.ask(s.command, "200 ok")
		c.info(s.clip)
	}
}

func TestErrorsOfTheManual(t *testing.T) {
	c := connect(t)
	for _, s := range []struct{ command, want string }{
		{"dance", "100 syntax error"}, {"play: fast", "100 syntax error"}, {"play: speed: loop: true", "100 syntax error"}, {"goto", "100 syntax error"},
		{"play: tempo: 3", "101 unsupported parameter"}, {"play: speed: fast", "102 invalid value"}, {"play: speed: 5001", "102 invalid value"},
		{"play: loop: 7", "102 invalid value"}, {"goto: clip id: x", "102 invalid value"}, {"goto: clip id: 99", "109 out of range"},
		{"goto: clip id: -9", "109 out of range"}, {"goto: timecode: 1:2", "102 invalid value"}, {"goto: timecode: 99:00:00:00", "109 out of range"},
		{"goto: clip: middle", "102 invalid value"}, {"slot select: slot id: 3", "109 out of range"}, {"slot info: slot id: x", "102 invalid value"},
		{"notify: transport: maybe", "102 invalid value"}, {"watchdog: period: -1", "102 invalid value"}, {"remote: enable: x", "102 invalid value"},
		{"preview: enable: x", "102 invalid value"}, {"commands", "103 unsupported"},
	} {
		c.ask(s.command, s.want)
		c.truth("stop")
	}
	for fault, s := range map[string][2]string{
		"nak": {"stop", "108 internal error"}, "no-media": {"play", "105 no disk"}, "no-input": {"record", "110 no input"},
		"disk-full": {"record", "104 disk full"}, "remote-disabled": {"play", "111 remote control disabled"},
	} {
		if err := c.d.Fault(fault); err != nil {
			t.Error(err)
		}
		c.ask(s[0], s[1])
	}
	if err := c.d.Fault("tired"); err == nil || !strings.Contains(err.Error(), "no-input") {
		t.Errorf("an unknown fault gave %v", err)
	}
	if err := c.d.Fault(""); err != nil {
		t.Error(err)
	}
	c.ask("record", "200 ok")
	for _, command := range []string{"play", "goto: clip id: 1", "preview: enable: true"} {
		c.ask(command, "150 invalid state")
	}
	c.ask("stop", "200 ok")
	c.ask("slot select: slot id: 2", "200 ok")
	c.truth("no-media")
	c.ask("play", "105 no disk")
	if err := c.d.Nudge("deck", "transport", "play"); err != nil { // somebody puts an empty disk in
		t.Error(err)
	}
	c.ask("play", "107 timeline empty")
	c.ask("play: single clip: true", "107 timeline empty")
}

func TestRemoteControlIsThePanelsUnlessOverridden(t *testing.T) {
	c := connect(t)
	other := another(t, c.d)
	c.ask("remote: enable: false", "200 ok")
	c.ask("play", "111 remote control disabled")
	c.ask("remote", "210 remote info:\r\nenabled: false\r\noverride: false\r\n")
	c.ask("transport info: x", "100 syntax error")
	c.info("status: stopped") // looking is not moving
	c.ask("remote: override: true", "200 ok")
	c.ask("play", "200 ok")
	other.ask("stop", "111 remote control disabled")
	c.truth("play")
	c.ask("remote: enable: true", "200 ok")
	other.ask("stop", "200 ok")
}

func TestOnlyWhoAsksIsToldAndOnlyWhatHeAsksFor(t *testing.T) {
	c := connect(t)
	moved, all := another(t, c.d), another(t, c.d)
	moved.ask("notify: transport: true", "200 ok")
	all.ask("notify: transport: true remote: true slot: true", "200 ok")
	says := func(what string, do func() error, transport, other string) {
		t.Helper()
		if err := do(); err != nil {
			t.Error(err)
		}
		if got := c.said(); got != "" {
			t.Errorf("%s: who has not asked was told %q", what, got)
		}
		if got := moved.said(); !strings.HasPrefix(got, transport) || transport == "" && got != "" || strings.Contains(got, "502 ") {
			t.Errorf("%s: of the transport was told %q", what, got)
		}
		if got := all.said(); !strings.Contains(got, other) {
			t.Errorf("%s: of all was told %q", what, got)
		}
	}
	const news = "508 transport info:\r\nstatus: "
	nudge := func(value string) func() error {
		return func() error { return c.d.Nudge("deck", "transport", value) }
	}
	says("play", nudge("play"), news+"play\r\n", news+"play\r\n")
	says("the disk is gone", nudge("no-media"), news+"stopped\r\n", "502 slot info:\r\nslot id: 1\r\nstatus: empty\r\n")
	says("the disk is back", nudge("stop"), news+"stopped\r\n", "502 slot info:\r\nslot id: 1\r\nstatus: mounted\r\n")
	says("remote off", func() error { return c.d.Fault("remote-disabled") }, "", "510 remote info:\r\nenabled: false\r\n")
	says("remote on", func() error { return c.d.Fault("") }, "", "510 remote info:\r\nenabled: true\r\n")
	all.ask("notify: transport: false", "200 ok")
	moved.ask("notify", "209 notify:\r\ntransport: true\r\nslot: false\r\nremote: false\r\nconfiguration: false\r\ndropped frames: false\r\n"+
		"display timecode: false\r\ntimeline position: false\r\n")
	for _, n := range [][3]string{{"deck", "transport", "sing"}, {"deck", "power", "on"}, {"vcr", "transport", "play"}} {
		if err := c.d.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("%v was taken", n)
		}
	}
}

func TestWhatRunsComesToAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t)
		wait := func(d time.Duration) { time.Sleep(d); synctest.Wait() }
		all := clipsAtFirst * clipLength
		c.ask("goto: timeline: start", "200 ok")
		c.ask("play", "200 ok")
		wait(clipLength)
		c.info("clip id: 2", "status: play")
		wait(all - clipLength)
		c.info("status: stopped", fmt.Sprintf("clip id: %d", clipsAtFirst))
		c.ask("play: loop: true", "200 ok") // from its end it starts again
		wait(all + time.Minute)
		c.info("status: play", "timecode: 00:01:00:00")
		c.ask("play: single clip: true", "200 ok")
		wait(clipLength)
		c.info("status: stopped", "timecode: 00:20:00:00")
		c.ask("play: speed: -200", "200 ok")
		wait(clipLength / 2)
		c.info("status: stopped", "timecode: 00:00:00:00")
		c.ask("record", "200 ok")
		wait(time.Hour)
		c.info("status: record", fmt.Sprintf("clip id: %d", clipsAtFirst+1))
		wait(recordMost)
		c.info("status: stopped")
		c.ask("record", "104 disk full")
	})
}

// dial starts the deck on a connection that ends with the test.
func dial(t *testing.T, d *Deck) net.Conn {
	t.Helper()
	here, there := net.Pipe()
	var end sync.WaitGroup
	end.Go(func() { _ = d.Serve(t.Context(), there) })
	t.Cleanup(func() { _ = here.Close(); end.Wait() })
	return here
}

func TestQuitEndsTheConnection(t *testing.T) {
	c := connect(t)
	conn := dial(t, c.d)
	if _, err := io.WriteString(conn, "quit\r\n"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil || !strings.HasSuffix(string(got), "\r\n\r\n200 ok\r\n") {
		t.Errorf("%q, %v", got, err)
	}
}

func TestARefusedConnectionIsToldSo(t *testing.T) {
	c := connect(t)
	if err := c.d.Fault("refused"); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(dial(t, c.d)); err != nil || string(got) != "120 connection rejected\r\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTheWatchdogEndsASilentConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := connect(t)
		began := time.Now()
		conn := dial(t, c.d)
		for range 3 {
			if _, err := io.WriteString(conn, "watchdog: period: 13\r\n"); err != nil {
				t.Fatal(err)
			}
			for buf, n := make([]byte, 512), 0; string(buf[:n]) != "200 ok\r\n"; {
				var err error
				if n, err = conn.Read(buf); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(12 * time.Second)
		}
		if _, err := io.ReadAll(conn); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 37*time.Second {
			t.Errorf("it ended after %s", took)
		}
	})
}

func TestThePictureSaysWhatTheDeckDoes(t *testing.T) {
	var describe func() string
	e, err := New(sim.Options{Picture: func(_ string, d func() string) { describe = d }}, []sim.Device{{ID: "deck"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := describe(); got != "stopped CLIP 4\n01:10:00:00" {
		t.Errorf("got %q", got)
	}
	if err := e.Fault("no-media"); err != nil {
		t.Fatal(err)
	}
	if got := describe(); got != "NO DISK" {
		t.Errorf("got %q", got)
	}
	if _, err := New(sim.Options{}, make([]sim.Device, 2)); err == nil {
		t.Error("two decks share an address")
	}
}

func FuzzCommands(f *testing.F) {
	f.Add("play: speed: 200 loop: true\r\ntransport info\r\n")
	f.Add("goto:\nclip id: +1\n\nslot select: slot id: 2\nplay: single clip: true\nrecord: name: a clip: b\n")
	f.Add("record: name: a\rclip\nclips get\n")
	f.Add("jog: timecode: -1:1:1:1\r\nrecord\r\nslot select: slot id: 2\r\nclips get\r\n")
	fuzz.Run(f, func(t *testing.T, text string) {
		c := connect(t)
		c.send("notify: transport: true slot: true remote: true\r\nremote: override: true\r\n" + text)
		for _, answer := range strings.Split(c.said(), "\r\n") {
			if strings.ContainsAny(answer, "\r\n") {
				t.Errorf("a broken line %q", answer)
			}
		}
		_, _, _ = c.d.Truth(), c.d.Clip(), c.d.describe()
		c.d.mu.Lock()
		c.d.become(stopped, 0) // no timer outlives the round
		c.d.mu.Unlock()
		c.d.farewell(c.k)
	})
}
