package hyperdeck

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/devicetest"
	"lectern/devices/line"
	sim "lectern/devices/sim/hyperdeck"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pair(t *testing.T) *devicetest.Pair {
	t.Helper()
	return devicetest.NewPair(t, devicetest.PairConfig{Driver: Driver(), Factory: sim.New, Kind: line.TCP})
}

func TestRecordersConform(t *testing.T) {
	devicetest.Player(t, devicetest.PlayerCase{Pair: pair(t), NoMedia: "no-disk", Nak: "nak", Calm: testing.Short()})
}

func TestWireVectors(t *testing.T) {
	p := pair(t)
	deck := p.Capability.(*Deck)
	for _, act := range []devices.Transport{devices.TransportPlay, devices.TransportForward, devices.TransportBack, devices.TransportNext, devices.TransportStop, devices.TransportRecord} {
		if err := deck.Act(devicetest.Asking(t), act); err != nil && act != devices.TransportNext {
			t.Errorf("%s: %v", act, err)
		}
	}
	chunks, _, _ := p.Wire.Heard(0)
	want := "notify: transport: true remote: true slot: true\r\nplay\r\nplay: speed: 400\r\nplay: speed: -400\r\ngoto: clip id: +1\r\nstop\r\nrecord\r\n"
	if got := string(bytes.Join(chunks, nil)); got != want {
		t.Errorf("on the wire %q", got)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	p := pair(t)
	deck := p.Capability.(*Deck)
	for fault, want := range map[string]string{"remote-disabled": "press REM", "no-input": "no input signal", "no-disk": "no disk"} {
		p.Fault(t, fault)
		rejection := new(devices.Rejection)
		if err := deck.Act(devicetest.Asking(t), devices.TransportRecord); !errors.As(err, &rejection) || !strings.Contains(rejection.Reason.EN, want) {
			t.Errorf("%s: %v", fault, err)
		}
		p.Fault(t, "")
	}
}

const transportInfo = "208 transport info:\r\nstatus: stopped\r\nspeed: 0\r\nslot id: 1\r\nclip id: 1\r\nsingle clip: false\r\n" +
	"display timecode: 00:00:00:00\r\ntimecode: 00:00:00:00\r\nvideo format: 1080p25\r\nloop: false\r\n\r\n"

func TestSplitCutsLinesAndBlocks(t *testing.T) {
	for _, c := range []struct {
		got  string
		want int
	}{
		{"200 ok\r\n", 8},
		{"200 ok\n", 7},
		{"200 o", 0},
		{transportInfo, len(transportInfo)},
		{transportInfo[:len(transportInfo)-2], 0},
		{"508 transport info:\r\nstatus: play\r\n\r\n200 ok\r\n", 37},
	} {
		if n := split([]byte(c.got)); n != c.want {
			t.Errorf("%q is cut at %d, want %d", c.got, n, c.want)
		}
	}
	r, err := parse([]byte(transportInfo))
	if err != nil || r.code != 208 || r.values["status"] != "stopped" || r.values["timecode"] != "00:00:00:00" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestANoticeIsNoAnswer(t *testing.T) {
	for frame, want := range map[string]bool{"200 ok\r\n": true, "111 remote control disabled\r\n": true, "508 transport info:\r\n\r\n": false, "hello\r\n": false} {
		if got := isAnswer([]byte(frame)); got != want {
			t.Errorf("%q: %v", frame, got)
		}
	}
}

func TestStatusAndSpeedAreATransport(t *testing.T) {
	for _, c := range []struct {
		status, speed string
		want          devices.Transport
	}{
		{"stopped", "0", devices.TransportStop}, {"preview", "0", devices.TransportStop}, {"record", "100", devices.TransportRecord},
		{"play", "100", devices.TransportPlay}, {"play", "0", devices.TransportPause}, {"play", "-200", devices.TransportBack},
		{"forward", "400", devices.TransportForward}, {"rewind", "-400", devices.TransportBack}, {"shuttle", "800", devices.TransportForward},
	} {
		if got, ok := transportOf(c.status, c.speed); !ok || got != c.want {
			t.Errorf("%s at %s is %q", c.status, c.speed, got)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte(transportInfo))
	f.Add([]byte("200 ok\r\n"))
	f.Fuzz(func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		if r, err := parse(got[:n]); err == nil {
			_, _ = transportOf(r.values["status"], r.values["speed"])
			_ = rejection(r)
		}
		_, _ = explain(got[:n]), isAnswer(got[:n])
	})
}
