package hyperdeck

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

const transportInfo = "208 transport info:\r\nstatus: stopped\r\nspeed: 0\r\nslot id: 1\r\nclip id: 1\r\nsingle clip: false\r\n" +
	"display timecode: 00:00:00:00\r\ntimecode: 00:00:00:00\r\nvideo format: 1080p25\r\nloop: false\r\n\r\n"

func TestAnswersAreCutAtTheirEnds(t *testing.T) {
	for _, c := range []struct {
		got  string
		want int
	}{
		{"200 ok\r\n", 8},
		{"200 ok\n", 7},
		{"200 o", 0},
		{"", 0},
		{"\r\n200 ok\r\n", 2},
		{transportInfo, len(transportInfo)},
		{transportInfo + "200 ok\r\n", len(transportInfo)},
		{transportInfo[:len(transportInfo)-2], 0},
		{transportInfo[:len(transportInfo)-1], 0},
		{"508 transport info:\r\nstatus: play\r\n\r\n200 ok\r\n", 37},
		{"508 transport info:\nstatus: play\n\n200 ok\n", 34},
	} {
		if n := split([]byte(c.got)); n != c.want {
			t.Errorf("%q is cut at %d, want %d", c.got, n, c.want)
		}
	}
}

func TestTheTransportInfoOfTheManualIsRead(t *testing.T) {
	r, err := parse([]byte(transportInfo))
	if err != nil || r.code != codeTransport || r.text != "transport info" {
		t.Errorf("%+v, %v", r, err)
	}
	want := map[string]string{
		"status": "stopped", "speed": "0", "slot id": "1", "clip id": "1", "single clip": "false",
		"display timecode": "00:00:00:00", "timecode": "00:00:00:00", "video format": "1080p25", "loop": "false",
	}
	if d := cmp.Diff(want, r.values); d != "" {
		t.Error(d)
	}
	for _, bad := range []string{"", "ok\r\n", "20 ok\r\n", "2000 ok\r\n", "-12 ok\r\n", "099 ok\r\n", "200\r\n"} {
		if r, err := parse([]byte(bad)); err == nil {
			t.Errorf("%q is %+v", bad, r)
		}
	}
}

func TestWhatTheDeckSaysByItselfAnswersNothing(t *testing.T) {
	for frame, want := range map[string]bool{
		"208 transport info:\r\n\r\n": true, "111 remote control disabled\r\n": true, "199 later\r\n": true,
		"200 ok\r\n": false, "202 slot info:\r\n\r\n": false, "508 transport info:\r\n\r\n": false, "500 connection info:\r\n\r\n": false,
		"hello\r\n": false, "": false,
	} {
		if got := answers([]byte(frame), codeTransport); got != want {
			t.Errorf("%q: %v", frame, got)
		}
	}
}

func TestStatusAndSpeedAreATransport(t *testing.T) {
	for _, c := range []struct {
		status, speed string
		want          devices.Transport
	}{
		{"stopped", "0", devices.TransportStop}, {"preview", "100", devices.TransportStop}, {"record", "100", devices.TransportRecord},
		{"play", "100", devices.TransportPlay}, {"play", "50", devices.TransportPlay}, {"play", "0", devices.TransportPause},
		{"play", "200", devices.TransportForward}, {"play", "-200", devices.TransportBack}, {"forward", "400", devices.TransportForward},
		{"rewind", "-400", devices.TransportBack}, {"shuttle", "50", devices.TransportForward}, {"shuttle", "0", devices.TransportPause},
		{"shuttle", "-800", devices.TransportBack}, {"jog", "0", devices.TransportPause},
	} {
		if got, ok := transportOf(c.status, c.speed); !ok || got != c.want {
			t.Errorf("%s at %s is %q, want %q", c.status, c.speed, got, c.want)
		}
	}
	if got, ok := transportOf("dancing", "100"); ok {
		t.Errorf("dancing is %q", got)
	}
}

func TestErrorsOfTheManualAreRejectionsInBothLanguages(t *testing.T) {
	for _, code := range []int{100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 120, 121, 122, 150, 151, 160, 161, 162, 199} {
		var no *devices.Rejection
		err := error(rejection(response{code: code, text: "some text"}))
		if !errors.As(err, &no) || no.Code == "" || no.Reason.ZH == "" || no.Reason.EN == "" || no.Busy != (code == 150) {
			t.Errorf("%d: %+v", code, no)
		}
		if _, known := reasons[code]; known == (code == 199) {
			t.Errorf("%d is known: %v", code, known)
		}
	}
}

func TestASlotWithADiskInIt(t *testing.T) {
	for status, want := range map[string]bool{"empty": false, "error": false, "mounting": true, "mounted": true} {
		if got := hasMedia(status); got != want {
			t.Errorf("%s: %v", status, got)
		}
	}
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	for shuttle, good := range map[int]bool{0: false, 100: false, 149: false, 150: true, 5000: true, 5001: false, -400: false} {
		if err := (&Settings{Shuttle: shuttle}).Validate(); (err == nil) != good {
			t.Errorf("%d: %v", shuttle, err)
		}
	}
}

func FuzzSplitAndParse(f *testing.F) {
	for _, seed := range []string{transportInfo, "200 ok\r\n", "508 transport info:\nstatus: play\n\n", ":\n\n", "500 :\r\n:\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) || n > 0 && got[n-1] != '\n' {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		frame := got[:n]
		r, err := parse(frame)
		if (err == nil) != (codeOf(frame) != 0) {
			t.Fatalf("%+v, %v", r, err)
		}
		if err == nil {
			_, _ = transportOf(r.values["status"], r.values["speed"])
			_ = rejection(r)
		}
		if answers(frame, codeOK) && r.code >= 500 {
			t.Fatalf("%q was taken for an answer", frame)
		}
		_ = explain(frame)
	})
}
