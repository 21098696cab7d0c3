package itach

import (
	"errors"
	"strings"
	"testing"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

func TestAnswersAreRead(t *testing.T) {
	for text, want := range map[string]message{
		"completeir,1:2,2445\r":       {kind: complete, address: "1:2", id: "2445"},
		"busyIR,1:2,2445\r":           {kind: busy, address: "1:2", id: "2445"},
		"busyir,1:2,0\r":              {kind: busy, address: "1:2", id: "0"},
		"stopir,1:1\r":                {kind: stopped, address: "1:1"},
		"ERR_1:2,010\r":               {kind: failed, address: "1:2", code: "ERR_1:2,010"},
		"ERR_0:0,002\r":               {kind: failed, address: "0:0", code: "ERR_0:0,002"},
		"ERR IR001\r":                 {kind: failed, code: "ERR IR001"},
		"ERR 001\r":                   {kind: failed, code: "ERR 001"},
		"unknowncommand 6\r":          {kind: failed, code: "unknowncommand 6"},
		"unknowncommand,14\r":         {kind: failed, code: "unknowncommand,14"},
		"version,0,710-1008-05\r":     {},
		"710-1001-05\r":               {},
		"completeir,1:2\r\n":          {kind: complete, address: "1:2"},
		"statechange,1:2,1\r":         {kind: notice},
		"completeir,1:2,2445,extra\r": {},
		"\r":                          {},
	} {
		if got := parse([]byte(text)); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}

func TestEveryErrorIsSaidInBothLanguages(t *testing.T) {
	for code, reason := range rejections {
		if reason.ZH == "" || reason.EN == "" {
			t.Errorf("%s is %+v", code, reason)
		}
	}
	for frame, want := range map[string]string{
		"ERR_1:2,013": "input", "ERR_0:0,002": "no such module", "unknowncommand 4": "no such connector", "unknowncommand,21": "not an infrared",
		"ERR IR001": "refused", "ERR_1:1,099": "refused", "busyIR,1:1,7": "using", "stopir,1:1": "stopped",
	} {
		var no *devices.Rejection
		err := rejection(parse([]byte(frame)))
		if !errors.As(err, &no) || no.Code == "" || !strings.Contains(no.Reason.EN, want) || no.Busy != strings.HasPrefix(frame, "busy") {
			t.Errorf("%q is %v", frame, err)
		}
	}
}

func FuzzFrames(f *testing.F) {
	for _, seed := range []string{"completeir,1:2,2445\r", "ERR_1:2,010\r", "unknowncommand,14\r", "ERR IR001\r"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("%d of %d", n, len(got))
		}
		m := parse(got[:n])
		if m.kind == failed && m.code == "" || m.kind == complete && m.address == "" {
			t.Fatalf("%+v", m)
		}
		_ = explain(got)
		if m.kind == failed && rejection(m) == nil {
			t.Fatal("an error is none")
		}
	})
}
