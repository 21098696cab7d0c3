package benq

import (
	"errors"
	"testing"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

func TestRequestsAsTheGuideWritesThem(t *testing.T) {
	for want, r := range map[string]request{
		"\r*pow=on#\r":     {"pow", "on"},
		"\r*pow=?#\r":      {"pow", "?"},
		"\r*sour=hdmi2#\r": {"sour", "hdmi2"},
		"\r*ltim=?#\r":     {"ltim", "?"},
	} {
		if got := string(r.encode()); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// frames cuts a stream as the line does.
func frames(stream string) []string {
	var cut []string
	for rest := []byte(stream); ; {
		n := split(rest)
		if n == 0 {
			return cut
		}
		cut = append(cut, string(rest[:n]))
		rest = rest[n:]
	}
}

// answer returns the frame of a stream that is taken for the answer; "" for none.
func answer(stream string, r request, echo string) string {
	l := &listener{request: r, echo: echo}
	for _, f := range frames(stream) {
		if l.accepts([]byte(f)) {
			return f
		}
	}
	return ""
}

func TestTheAnswerIsFoundBehindEchoAndPrompt(t *testing.T) {
	on, asks := request{"pow", "on"}, request{"pow", "?"}
	for name, c := range map[string]struct {
		stream  string
		request request
		echo    string
		want    string
	}{
		"a question with prompt and echo":        {">*pow=?#\r\n*POW=OFF#\r\n>", asks, echoAuto, "*POW=OFF#"},
		"a question without":                     {"*POW=ON#\r\n", asks, echoAuto, "*POW=ON#"},
		"an echo that comes twice":               {">*pow=?#\r\n*pow=?#\r\n*POW=ON#\r\n", asks, echoAuto, "*POW=ON#"},
		"an empty line for an echo":              {"\r\n*POW=ON#\r", asks, echoAuto, "*POW=ON#"},
		"an answer without its star":             {"POW=OFF#\r\n", asks, echoAuto, "POW=OFF#"},
		"a command with echo":                    {">*pow=on#\r\n*POW=ON#\r\n>", on, echoAuto, "*POW=ON#"},
		"a command without":                      {"*POW=ON#\r\n", on, echoAuto, "*POW=ON#"},
		"a command that is refused":              {">*pow=on#\r\n*Block item#\r\n>", on, echoAuto, "*Block item#"},
		"an error without star and hash":         {">*pow=on#\r\nIllegal format\r\n>", on, echoAuto, "Illegal format\r"},
		"small letters with an echo":             {">*pow=on#\r\n*pow=on#\r\n>", on, echoYes, "*pow=on#"},
		"small letters without":                  {"*pow=on#\r\n", on, echoNo, "*pow=on#"},
		"the echo alone is no answer":            {">*pow=on#\r\n", on, echoAuto, ""},
		"nor where an echo is sure":              {">*pow=on#\r\n", on, echoYes, ""},
		"the answer to another question":         {"*SOUR=HDMI#\r\n", asks, echoAuto, ""},
		"the late answer to the command before":  {"*POW=OFF#\r\n", on, echoAuto, ""},
		"a prompt alone":                         {">", asks, echoAuto, ""},
		"what is not finished":                   {"*POW=O", asks, echoAuto, ""},
		"an error, where small letters are used": {"*pow=on#\r\n*Block item#\r\n", on, echoYes, "*Block item#"},
	} {
		if got := answer(c.stream, c.request, c.echo); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestErrorsAreRejectionsInBothLanguages(t *testing.T) {
	for frame, busy := range map[string]bool{
		"*Illegal format#": false, "*Unsupported item#": false, "*Block item#": true, "Unsupported item\r": false, "*BLOCK ITEM#": true,
	} {
		rejection := new(devices.Rejection)
		_, err := decode([]byte(frame))
		if !errors.As(err, &rejection) || rejection.Code == "" || rejection.Reason.ZH == "" || rejection.Reason.EN == "" || rejection.Busy != busy {
			t.Errorf("%q: %v", frame, err)
		}
	}
	if value, err := decode([]byte("*LTIM= 1234#")); value != "1234" || err != nil {
		t.Errorf("%q, %v", value, err)
	}
}

func TestFramesInWords(t *testing.T) {
	for frame, want := range map[string]string{
		"*POW=OFF#": "power is off", "*Block item#": "refused: not in this state", "*Unsupported item#": "refused: not on this model",
		"Illegal format\r": "refused: not understood", ">": "prompt", "*SOUR=HDMI#": "SOUR=HDMI", "*pow=?#": "pow=?",
	} {
		if got := explain([]byte(frame)); got != want {
			t.Errorf("%q is %q", frame, got)
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{">*pow=?#\r\n*POW=OFF#\r\n>", "Illegal format\r\n", "*Block item#\r", "*pow=on#", "***=##>>", "pow=?\f#"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		for _, r := range []request{{"pow", "?"}, {"pow", "on"}} {
			l := &listener{request: r, echo: echoAuto}
			if l.accepts(got[:n]) {
				if value, err := decode(got[:n]); err == nil && value == "?" {
					t.Fatalf("an echo was taken for an answer: %q", got[:n])
				}
			}
		}
		_ = explain(got[:n])
	})
}
