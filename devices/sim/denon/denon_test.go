package denon

import (
	"slices"
	"strings"
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

// connect makes a player in a conversation without a wire.
func connect(t testing.TB, driver string, tcp bool) host {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{{ID: "disc", Driver: driver}})
	if err != nil {
		t.Fatal(err)
	}
	h := host{t, e.(*Player), &talk{tcp: tcp, words: tcp || driver == "tascam-bd", out: make(chan string, backlog), gone: make(chan struct{})}}
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

// ask sends a packet and wants what is answered, whatever the player says beside.
func (h host) ask(packet, want string) {
	h.t.Helper()
	h.said()
	h.send(packet + "\r")
	if got := h.said(); !strings.HasSuffix(got, want) || want == "" && got != "" {
		h.t.Errorf("%q was answered %q, want %q", packet, got, want)
	}
}

func TestDenonAnswersOfTheGuide(t *testing.T) {
	h := connect(t, "denon-bd", false)
	h.ask("\x40\x30\x32\x33\x35\x33", "\x06") // play
	h.ask("@0?ST", "\x06@0STPL\r")
	h.ask("@0?Tr", "\x06@0Tr0007\r") // before it is wound: that takes it as far as the test is slow
	h.ask("@02332", "\x06")
	h.ask("@0?Tr", "\x06@0Tr0008\r")
	h.ask("@02333", "\x06")
	h.ask("@02348", "\x06")
	h.ask("@0?ST", "\x06@0STPP\r")
	h.ask("@0PCSLSFf", "\x06")
	h.ask("@0?ST", "\x06@0STDVFF\r")
	h.ask("@0PCSLSRf", "\x06")
	h.ask("@0?ST", "\x06@0STDVFR\r")
	h.ask("@02354", "\x06")
	h.ask("@0?ST", "\x06@0STDVHM\r")
	h.ask("@0?CD", "\x06@0CDCI\r")
	h.ask("@0?PW", "\x06")
	h.ask("@0mt00", "\x06")
	h.ask("@0?mt", "\x06@0mt00\r")
	for _, bad := range []string{"", "2353", "@12353", "@09999", "@0?XX", "!7PLY", "@0" + strings.Repeat("2", longest)} {
		h.ask(bad, "\x15")
	}
}

func TestTascamAnswersOfTheSpecification(t *testing.T) {
	h := connect(t, "tascam-bd", true)
	h.ask("!7PLY", "ack")
	h.ask("!7?SST", "ack+!7SSTPL\r")
	h.ask("!7PAS", "ack")
	h.ask("!7?SST", "ack+!7SSTPP\r")
	h.ask("!7SKPNX", "ack")
	h.ask("!7?STC", "ack+!7TNM0008\r")
	h.ask("!7?MST", "ack+!7MSTCI\r")
	h.ask("!7MUT00", "ack")
	h.ask("!7?MUT", "ack+!7MUT00\r")
	h.ask("!7?PWR", "ack")
	h.ask("@02353", "nack")
	h.ask("!7SCNRs", "nack") // "'Rs' (Reverse & slow) is not supported"
}

func TestWhatComesTooSoonIsTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := connect(t, "denon-bd", false)
		h.k.paced = true
		h.ask("@02353", "\x06")
		time.Sleep(interval - 1)
		h.ask("@02354", "@0BDERBUSY\r")
		time.Sleep(interval)
		h.ask("@0?ST", "\x06@0STPL\r")
	})
}

func TestSearchHasFiveSpeedsAndThenPlays(t *testing.T) {
	h := connect(t, "denon-bd", false)
	h.ask("@02353", "\x06")
	for range speeds {
		h.ask("@0PCSLSFf", "\x06")
		h.ask("@0?ST", "\x06@0STDVFF\r")
	}
	h.ask("@0PCSLSFf", "\x06")
	h.ask("@0?ST", "\x06@0STPL\r")
}

func TestTheTrayMovesAndDiscsAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := connect(t, "denon-bd", true)
		step := func(wait time.Duration, state, disc string) {
			t.Helper()
			time.Sleep(wait)
			synctest.Wait()
			h.ask("@0?ST", "ack+@0ST"+state+"\r")
			h.ask("@0?CD", "ack+@0CD"+disc+"\r")
		}
		h.ask("@0PCDTRYOP", "ack")
		step(0, "DVHM", "TO")
		h.ask("@02353", "ack") // play closes it
		step(loadTime-1, "DVHM", "TC")
		step(1, "PL", "CI")
		if err := h.p.Fault("no-disc"); err != nil {
			t.Fatal(err)
		}
		step(0, "DVHM", "NC")
		h.ask("@02353", "ack") // received, and nothing comes of it
		step(0, "DVHM", "NC")
		if err := h.p.Fault("tray"); err != nil {
			t.Fatal(err)
		}
		step(0, "DVHM", "TE")
		time.Sleep(interval) // what is said twice has been
	})
}

func TestChangesAreSaidTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := connect(t, "tascam-bd", true)
		says := func(value, want string) {
			t.Helper()
			if err := h.p.Nudge("disc", "transport", value); err != nil {
				t.Error(err)
			}
			if got := h.said(); got != want {
				t.Errorf("%s says %q, want %q", value, got, want)
			}
			time.Sleep(interval)
			synctest.Wait()
			again := strings.SplitAfter(h.said(), "\r")
			slices.Sort(again) // whichever comes first
			first := strings.SplitAfter(want, "\r")
			if slices.Sort(first); !slices.Equal(again, first) {
				t.Errorf("%s says again %q, want %q", value, again, first)
			}
			if got := h.p.Truth()["disc.transport"]; got != value {
				t.Errorf("it is %q, want %q", got, value)
			}
		}
		says("play", "!7SSTPL\r")
		says("pause", "!7SSTPP\r")
		says("forward", "!7SSTDVFF\r")
		says("back", "!7SSTDVFR\r")
		says("open", "!7SSTDVHM\r!7MSTTO\r")
		says("stop", "!7SSTDVHM\r!7MSTCI\r")
		says("no-media", "!7SSTDVHM\r!7MSTNC\r")
		says("standby", "")
		for _, n := range [][3]string{{"disc", "transport", "sing"}, {"disc", "volume", "3"}, {"vcr", "transport", "play"}} {
			if err := h.p.Nudge(n[0], n[1], n[2]); err == nil {
				t.Errorf("%v was taken", n)
			}
		}
		if err := h.p.Fault("tired"); err == nil || !strings.Contains(err.Error(), "no-disc") {
			t.Errorf("an unknown fault gave %v", err)
		}
	})
}

func TestStandbyAnswersNothingAndWakesOnASerialPortOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ driver, on, off, ask, answer string }{
			{"denon-bd", "@0PW00", "@0PW01", "@0?CD", "\x06@0CDCI\r"}, {"tascam-bd", "!7PWR01", "!7PWR00", "!7?MST", "ack+!7MSTCI\r"},
		} {
			h := connect(t, c.driver, false)
			h.send(c.off + "\r")
			h.said()
			h.ask(c.ask, "")
			h.k.tcp = true
			h.ask(c.on, "")
			h.k.tcp = false
			h.ask(c.on, map[bool]string{true: "ack", false: "\x06"}[h.k.words])
			time.Sleep(startTime)
			synctest.Wait()
			h.ask(c.ask, c.answer)
			time.Sleep(interval)
		}
	})
}

func TestThePictureSaysWhatThePlayerDoes(t *testing.T) {
	var describe func() string
	if _, err := New(sim.Options{Picture: func(_ string, d func() string) { describe = d }}, []sim.Device{{ID: "disc"}}); err != nil {
		t.Fatal(err)
	}
	if got := describe(); got != "stop CHAPTER 7\n00:30:00" {
		t.Errorf("got %q", got)
	}
	if _, err := New(sim.Options{}, make([]sim.Device, 2)); err == nil {
		t.Error("two players share a line")
	}
}

func FuzzHear(f *testing.F) {
	f.Add("@02353\r@0?ST\r\n!7PLY\r")
	f.Add("@0PCDTRYOP\r@0PCDTRYCL\r" + strings.Repeat("@", 700))
	fuzz.Run(f, func(t *testing.T, text string) {
		h := connect(t, "denon-bd", false)
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
