package jvc

import (
	"testing"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

func TestCommandsAreTheTable(t *testing.T) {
	for what, want := range map[devices.Transport]byte{
		devices.TransportPlay: 0x3A, devices.TransportStop: 0x3F, devices.TransportPause: 0x4F, devices.TransportForward: 0xAB,
		devices.TransportBack: 0xAC, devices.TransportRecord: 0xCA, devices.TransportEject: 0xA3,
	} {
		if got, ok := commandOf(what); !ok || got != want {
			t.Errorf("%s is %02X, the table has %02X", what, got, want)
		}
	}
	if _, ok := commandOf(devices.TransportNext); ok {
		t.Error("a tape has a next")
	}
}

func TestStatusBitsOfThePage(t *testing.T) {
	for _, c := range []struct {
		s    status
		want devices.Transport
	}{
		{status{0x80, 0xC0, 0, 0x18, 0}, devices.TransportStop},
		{status{0x80, 0, 0, 0x88, 0x03}, devices.TransportPlay},
		{status{0x80, 0, 0, 0x88, 0x80}, devices.TransportPause},
		{status{0x80, 0, 0, 0x88, 0x20}, devices.TransportForward},
		{status{0x80, 0, 0, 0x88, 0x10}, devices.TransportBack},
		{status{0x80, 0, 0, 0x48, 0}, devices.TransportForward},
		{status{0x80, 0x02, 0, 0x28, 0}, devices.TransportBack},
		{status{0x80, 0xC0, 0x40, 0x0A, 0}, devices.TransportRecord},
		{status{0x80, 0xC0, 0, 0x0A, 0x80}, devices.TransportPause},
		{status{0x80, 0, 0, 0x0C, 0}, devices.TransportOpen},
		{status{0x88, 0xC0, 0, 0x18, 0}, devices.TransportNoMedia},
		{status{0x80, 0, 0, 0x08, 0}, ""},
	} {
		if got, ok := c.s.transport(); got != c.want || ok != (c.want != "") || !c.s.known() {
			t.Errorf("% X is %q, want %q", c.s[:], got, c.want)
		}
	}
	if s := (status{0x91, 0x08, 0, 0x18, 0}); !s.inError() || !s.protected() || !s.fault() || s.tapeOut() {
		t.Errorf("% X is misread", s[:])
	}
}

func TestOnlyAnAnswerAnswers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{"\x0A", "\x0A"}, {"\x0B", "\x0B"}, {"\x02", "\x02"}, {"\x03\x0A", "\x0A"}, {"\x01\x05\x0B", "\x0B"}, {"\x03", ""}, {"", ""},
	} {
		start, end, err := findAnswer([]byte(c.got))
		if got := c.got[start:end]; err != nil || got != c.want {
			t.Errorf("in % X the answer is % X, %v", c.got, got, err)
		}
	}
	const stopped = "\x80\xC0\x00\x18\x00"
	for _, c := range []struct{ got, want string }{
		{stopped, stopped}, {"\x03" + stopped, stopped}, {"\x02" + stopped, stopped}, {"\x0A" + stopped, stopped},
		{"\x0B", "\x0B"}, {stopped[:4], ""}, {"", ""}, {"\x0A", ""},
	} {
		start, end, err := findStatus([]byte(c.got))
		if got := c.got[start:end]; err != nil || got != c.want {
			t.Errorf("in % X the status is % X, %v", c.got, got, err)
		}
	}
	for _, noise := range []string{"\x55\x0A", "\xFF", "\x0D\x0A", stopped} {
		if _, _, err := findAnswer([]byte(noise)); err == nil {
			t.Errorf("an answer was found in % X", noise)
		}
	}
	for _, noise := range []string{"\x55" + stopped, "\x80\xC0\x00\x18\x40", "\x80\xC0\x00\x10\x00", "\xFF\xFF\xFF\xFF\xFF", "\x00"} {
		if _, _, err := findStatus([]byte(noise)); err == nil {
			t.Errorf("a status was found in % X", noise)
		}
	}
}

func TestRejectionsAreInBothLanguages(t *testing.T) {
	for _, no := range []*devices.Rejection{
		rejectedAnswer(saidNak), rejectedAnswer(saidError), rejectedTapeOut(), rejectedProtected(), rejectedFault(),
	} {
		if no.Code == "" || no.Reason.ZH == "" || no.Reason.EN == "" || no.Busy {
			t.Errorf("%+v", no)
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, seed := range []string{"\x0A", "\x80\xC0\x00\x18\x00", "\x03\x02\x88\x00", "\xFF"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		for _, find := range []func([]byte) (int, int, error){findAnswer, findStatus} {
			start, end, err := find(got)
			if start < 0 || end < start || end > len(got) || err != nil && end != 0 || end > 0 && end-start != 1 && end-start != statusLength {
				t.Fatalf("%d to %d of %d, %v", start, end, len(got), err)
			}
			_ = explain(got[start:end])
		}
		if n := split(got); n < 0 || n > len(got) {
			t.Fatalf("cut %d of %d", n, len(got))
		}
	})
}
