package jvc

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lectern/devices/devicetest/fuzz"
	"lectern/devices/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host is somebody who speaks to the recorder.
type host struct {
	t testing.TB
	d *Deck
	k *talk
}

func connect(t testing.TB) host {
	t.Helper()
	e, err := New(sim.Options{}, []sim.Device{{ID: "vcr"}})
	if err != nil {
		t.Fatal(err)
	}
	h := host{t, e.(*Deck), &talk{out: make(chan []byte, backlog)}}
	h.d.talks[h.k] = true
	return h
}

func (h host) ask(command byte, want ...byte) {
	h.t.Helper()
	h.d.mu.Lock()
	got := h.d.obey(command)
	h.d.mu.Unlock()
	if !bytes.Equal(got, want) {
		h.t.Errorf("%02X was answered % X, want % X", command, got, want)
	}
}

func TestNothingIsTakenBeforeTheTable(t *testing.T) {
	h := connect(t)
	h.ask(0x3A, 0x0B)
	h.ask(0xD7, 0x0B)
	h.ask(0xF6, 0x0A)
	h.ask(0x3A, 0x0A)
	h.ask(0xF7, 0x0A)
	h.ask(0x3F, 0x0B)
}

func TestAnswersOfTheManual(t *testing.T) {
	h := connect(t)
	for _, step := range [][]byte{
		{0xF6, 0x0A}, {0xFA, 0x0A}, {0xCA, 0x0A}, // the manual's recording
		{0xD7, 0x80, 0xC0, 0, 0x0A, 0},
		{0x4F, 0x0A}, {0xD7, 0x80, 0xC0, 0, 0x0A, 0x80},
		{0x3A, 0x0A}, {0xD7, 0x80, 0xC0, 0, 0x0A, 0},
		{0x3F, 0x0A}, {0xD7, 0x80, 0xC0, 0, 0x18, 0},
		{0xAB, 0x0A}, {0xD7, 0x80, 0, 0, 0x48, 0},
		{0xAC, 0x0A}, {0xD7, 0x80, 0, 0, 0x28, 0},
		{0x3A, 0x0A}, {0xD7, 0x80, 0, 0, 0x88, 0},
		{0xAB, 0x0A}, {0xD7, 0x80, 0, 0, 0x88, 0x20},
		{0xAC, 0x0A}, {0xD7, 0x80, 0, 0, 0x88, 0x10},
		{0xAD, 0x0A}, {0xD7, 0x80, 0, 0, 0x88, 0x80},
		{0xFA, 0x0A}, {0xCB, 0x0A}, {0xD7, 0x80, 0xC0, 0, 0x0A, 0x80},
		{0xCA, 0x0B}, {0x99, 0x0B}, {0x69, 0x0A},
	} {
		h.ask(step[0], step[1:]...)
	}
}

func TestAnIllegalSecondByteIsAnErrorUntilItIsCleared(t *testing.T) {
	h := connect(t)
	h.ask(0xF6, 0x0A)
	h.ask(0xFA, 0x0A)
	h.ask(0x3A, 0x02)
	h.ask(0x3A, 0x02)
	h.ask(0xD7, 0x81, 0xC0, 0, 0x18, 0)
	h.ask(0x41, 0x0A)
	h.ask(0x3A, 0x0A)
}

func TestTheCassetteComesOutAndThatIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := connect(t)
		h.ask(0xF6, 0x0A)
		h.ask(0xA3, 0x0A)
		h.ask(0xD7, 0x80, 0, 0, 0x0C, 0)
		h.ask(0x3A, 0x0B)
		time.Sleep(ejectTime)
		synctest.Wait()
		if got := <-h.k.out; !bytes.Equal(got, []byte{0x03}) {
			t.Errorf("it said % X", got)
		}
		h.ask(0xD7, 0x88, 0xC0, 0, 0x18, 0)
		h.ask(0xFA, 0x0B)
		if got := h.d.Truth()["vcr.transport"]; got != "no-media" {
			t.Errorf("it is %s", got)
		}
	})
}

func TestATapeEndsAndBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := connect(t)
		h.ask(0xF6, 0x0A)
		h.ask(0xAB, 0x0A)
		time.Sleep(tapeLength / 2 / windSpeed)
		h.ask(0xD7, 0x80, 0x01, 0, 0x48, 0)
		time.Sleep(time.Second)
		h.ask(0xD7, 0x80, 0xC1, 0, 0x18, 0)
		h.ask(0xAC, 0x0A)
		time.Sleep(tapeLength)
		h.ask(0xD7, 0x80, 0xC2, 0, 0x18, 0)
	})
}

func TestFaultsAndNudges(t *testing.T) {
	h := connect(t)
	h.ask(0xF6, 0x0A)
	for _, value := range []string{"play", "stop", "pause", "forward", "back", "record", "open", "no-media", "standby"} {
		if err := h.d.Nudge("vcr", "transport", value); err != nil {
			t.Error(err)
		}
		if got := h.d.Truth()["vcr.transport"]; got != value {
			t.Errorf("it is %q, want %q", got, value)
		}
	}
	h.ask(0x3A, 0x0B) // off
	if err := h.d.Nudge("vcr", "transport", "stop"); err != nil {
		t.Error(err)
	}
	for _, n := range [][3]string{{"vcr", "transport", "sing"}, {"vcr", "volume", "3"}, {"dvd", "transport", "play"}} {
		if err := h.d.Nudge(n[0], n[1], n[2]); err == nil {
			t.Errorf("%v was taken", n)
		}
	}
	for _, c := range []struct {
		fault string
		steps [][]byte
	}{
		{"nak", [][]byte{{0xF6, 0x0B}, {0xD7, 0x0B}}},
		{"protected", [][]byte{{0xFA, 0x0B}}},
		{"no-tape", [][]byte{{0x3A, 0x0B}}},
		{"error", [][]byte{{0x3A, 0x02}, {0x56, 0x0A}, {0x3A, 0x0A}}},
		{"restart", [][]byte{{0x3A, 0x0B}, {0xF6, 0x0A}, {0x3A, 0x0A}}},
	} {
		if err := h.d.Fault(c.fault); err != nil {
			t.Fatal(err)
		}
		for _, step := range c.steps {
			h.ask(step[0], step[1:]...)
		}
	}
	if err := h.d.Fault("tired"); err == nil || !strings.Contains(err.Error(), "protected") {
		t.Errorf("an unknown fault gave %v", err)
	}
}

func TestThePictureSaysWhatTheRecorderDoes(t *testing.T) {
	var describe func() string
	if _, err := New(sim.Options{Picture: func(_ string, d func() string) { describe = d }}, []sim.Device{{ID: "vcr"}}); err != nil {
		t.Fatal(err)
	}
	if got := describe(); got != "stop\n1:00:00" {
		t.Errorf("got %q", got)
	}
	if _, err := New(sim.Options{}, make([]sim.Device, 2)); err == nil {
		t.Error("two recorders share a line")
	}
}

func FuzzObey(f *testing.F) {
	f.Add([]byte{0xF6, 0xFA, 0xCA, 0xD7})
	f.Add([]byte{0xF6, 0xA3, 0xD7, 0xFA, 0x00})
	fuzz.Run(f, func(t *testing.T, commands []byte) {
		h := connect(t)
		h.d.mu.Lock()
		for _, c := range commands {
			if n := len(h.d.obey(c)); n != 1 && n != 5 {
				t.Fatalf("%02X was answered with %d bytes", c, n)
			}
		}
		h.d.become(stopped) // no timer outlives the round
		h.d.mu.Unlock()
		_ = h.d.Truth()
	})
}
