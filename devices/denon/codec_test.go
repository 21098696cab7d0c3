package denon

import (
	"strings"
	"testing"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

func TestCommandsAreTheTables(t *testing.T) {
	for _, c := range []struct {
		dialect dialect
		want    map[devices.Transport]string
	}{
		{denonWords(), map[devices.Transport]string{
			devices.TransportPlay: "\x40\x30\x32\x33\x35\x33\x0D", devices.TransportStop: "@02354\r", devices.TransportPause: "@02348\r",
			devices.TransportNext: "@02332\r", devices.TransportPrevious: "@02333\r",
			devices.TransportForward: "@0PCSLSFf\r", devices.TransportBack: "@0PCSLSRf\r",
		}},
		{tascamWords(), map[devices.Transport]string{
			devices.TransportPlay: "!7PLY\r", devices.TransportStop: "!7STP\r", devices.TransportPause: "!7PAS\r",
			devices.TransportNext: "!7SKPNX\r", devices.TransportPrevious: "!7SKPPV\r",
			devices.TransportForward: "!7SCNFf\r", devices.TransportBack: "!7SCNRf\r",
		}},
	} {
		for transport, want := range c.want {
			if got := string(c.dialect.encode(c.dialect.act[transport])); got != want {
				t.Errorf("%s: %s is %q, the table has %q", c.dialect.name, transport, got, want)
			}
		}
	}
}

func TestTheStreamIsCutIntoAcknowledgementsPacketsAndNoise(t *testing.T) {
	const stream = "\x06@0STPL\rack+@0CDNC\rnack\x15xa!7SSTPP\rna"
	want := []string{"\x06", "@0STPL\r", "ack", "+@0CDNC\r", "nack", "\x15", "x", "a", "!7SSTPP\r"}
	got := []byte(stream)
	for _, w := range want {
		n := split(got)
		if string(got[:n]) != w {
			t.Fatalf("%q is cut off, want %q", got[:n], w)
		}
		got = got[n:]
	}
	if n := split(got); n != 0 {
		t.Errorf("%q is cut off before it is whole", got[:n])
	}
}

func TestFramesAreRead(t *testing.T) {
	d := denonWords()
	for frame, want := range map[string]message{
		"\x06": {kind: acked}, "ack": {kind: acked}, "\x15": {kind: nacked}, "nack": {kind: nacked},
		"@0STPL\r": {kind: told, text: "STPL"}, "+@0STPL\r": {kind: told, text: "STPL"},
		"@0BDERBUSY\r": {kind: busy}, "!7SSTPL\r": {kind: foreign}, "x": {}, "\r": {}, "@1STPL\r": {},
	} {
		if got := d.parse([]byte(frame)); got != want {
			t.Errorf("%q is %+v, want %+v", frame, got, want)
		}
	}
}

// What the player says by itself looks like an answer, and says what was true a moment ago.
func TestOnlyWhatFollowsTheAcknowledgementAnswers(t *testing.T) {
	d := denonWords()
	for stream, want := range map[string]string{
		"\x06@0STPL\r":                     "@0STPL\r",
		"ack+@0STPL\r":                     "+@0STPL\r",
		"@0STPP\r\x06@0STPL\r":             "@0STPL\r",
		"@0STPP\r":                         "",
		"\x06@0CDNC\r":                     "",
		"\x06@0CDNC\r@0STPL\r":             "@0STPL\r",
		"xx\x06@0STPL\r":                   "@0STPL\r",
		"\x06":                             "",
		"\x15":                             "\x15",
		"@0BDERBUSY\r":                     "@0BDERBUSY\r",
		"nack":                             "nack",
		"\x06!7SSTPL\r":                    "",
		"\x06@0STPL":                       "",
		"\x06" + strings.Repeat("@", 2000): "",
	} {
		start, end, err := d.find([]byte(stream), "ST", func(message) {})
		if got := stream[start:end]; err != nil || got != want {
			t.Errorf("in %q the answer is %q, %v; want %q", stream, got, err, want)
		}
	}
	for stream, want := range map[string]string{"\x06": "\x06", "@0STPL\r\x06": "\x06", "ack": "ack", "ac": "", "\r\nack": "ack", "@0STPL\r": ""} {
		start, end, err := d.find([]byte(stream), "", func(message) {})
		if got := stream[start:end]; err != nil || got != want {
			t.Errorf("in %q the acknowledgement is %q, %v; want %q", stream, got, err, want)
		}
	}
	for _, noise := range []string{"x\x06", "xack", "!7SSTPL\rack", "\xff\x15"} {
		if _, _, err := d.find([]byte(noise), "", func(message) {}); err == nil {
			t.Errorf("the acknowledgement in %q was believed", noise)
		}
	}
}

func TestStatesOfTheTables(t *testing.T) {
	for state, want := range map[string]devices.Transport{
		"PL": devices.TransportPlay, "PP": devices.TransportPause, "DVFF": devices.TransportForward, "DVSF": devices.TransportForward,
		"DVFR": devices.TransportBack, "DVSR": devices.TransportBack, "DVSP": devices.TransportPause, "DVFS": devices.TransportPlay,
		"DVTR": devices.TransportPlay, "ED": devices.TransportStop, "DVSU": devices.TransportStop, "DVHM": devices.TransportStop,
		"DVMC": devices.TransportStop,
	} {
		if got, known := transportOf(state); !known || got != want {
			t.Errorf("%s is %q, want %q", state, got, want)
		}
	}
	for _, state := range []string{"", "pl", "DANCING"} {
		if got, known := transportOf(state); known {
			t.Errorf("%q is %q", state, got)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, seed := range []string{"\x06@0STPL\r", "ack+@0CDNC\r", "nacknack", "@0BDERBUSY\r\x15", "aaack"} {
		f.Add([]byte(seed), "ST")
	}
	fuzz.Run(f, func(t *testing.T, got []byte, subject string) {
		d := denonWords()
		start, end, err := d.find(got, subject, func(m message) {
			if m.kind != told {
				t.Fatalf("heard %+v", m)
			}
		})
		if err == nil && (start < 0 || end < start || end > len(got)) {
			t.Fatalf("%d to %d of %d", start, end, len(got))
		}
		_ = d.explain(got[start:max(end, start)])
		_ = d.explain(got)
	})
}
