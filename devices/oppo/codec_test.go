package oppo

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

func TestCommandsAreTheTable(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{"PLA", "\x23\x50\x4C\x41\x0D"}, {queryState, "\x23\x51\x50\x4C\x0D"}, {cmdVerbose, "#SVM 2\r"},
		{queryPower, "#QPW\r"}, {queryVolume, "#QVL\r"}, {cmdPowerOn, "#PON\r"}, {cmdMute, "#MUT\r"},
	} {
		if got := string(encode(c.command)); got != c.want {
			t.Errorf("%q, the table has %q", got, c.want)
		}
	}
	for transport, want := range map[devices.Transport]string{
		devices.TransportPlay: "PLA", devices.TransportStop: "STP", devices.TransportPause: "PAU", devices.TransportForward: "FWD",
		devices.TransportBack: "REV", devices.TransportNext: "NXT", devices.TransportPrevious: "PRE", devices.TransportEject: "EJT",
	} {
		if got, ok := commandOf(transport); !ok || got != want {
			t.Errorf("%s is %q, the table has %q", transport, got, want)
		}
	}
}

func TestBothFormsOfAnswersAndUpdatesAreRead(t *testing.T) {
	for frame, want := range map[string]message{
		"\x40\x4F\x4B\x20\x50\x4C\x41\x59\x0D": {kind: answer, ok: true, value: "PLAY"},
		"@QPL OK PLAY\r":                       {kind: answer, name: "QPL", ok: true, value: "PLAY"},
		"@QPL OK HOME MENU\r":                  {kind: answer, name: "QPL", ok: true, value: "HOME MENU"},
		"@OK\r":                                {kind: answer, ok: true},
		"@ER\r":                                {kind: answer},
		"@PLA OK\r":                            {kind: answer, name: "PLA", ok: true},
		"@PLA ER\r":                            {kind: answer, name: "PLA"},
		"@PLA ER INVALID\r":                    {kind: answer, name: "PLA", value: "INVALID"},
		"@UPL PLAY\r":                          {kind: update, name: "UPL", value: "PLAY"},
		"@@UPL STOP\r":                         {kind: update, name: "UPL", value: "STOP"},
		"\xff@UPW 1\r":                         {kind: update, name: "UPW", value: "1"},
		"\n@OK ON\r":                           {kind: answer, ok: true, value: "ON"},
		"noise\r":                              {},
		"@\r":                                  {},
		"@NOISE OK\r":                          {},
		"@PLA\r":                               {},
		"#PLA\r":                               {}, // an echo of the line
	} {
		if got := parse([]byte(frame)); got != want {
			t.Errorf("%q is %+v, want %+v", frame, got, want)
		}
	}
}

func TestOnlyTheAnswerAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes []string
	}{
		{queryState, []string{"@OK PLAY", "@OK NO DISC", "@ER", "@QPL OK PLAY", "@QPL OK WHATEVER", "@QPL ER"}},
		{queryPower, []string{"@OK ON", "@OK OFF", "@ER", "@QPW OK ON"}},
		{queryVolume, []string{"@OK 30", "@OK MUTE", "@ER", "@QVL OK 30"}},
		{"PLA", []string{"@OK", "@OK ON", "@OK OFF", "@OK PLAY", "@OK NO DISC", "@OK 30", "@OK MUTE", "@OK 1X", "@ER", "@PLA OK PLAY"}},
	} {
		for _, frame := range []string{
			"@OK", "@OK ON", "@OK OFF", "@OK PLAY", "@OK NO DISC", "@OK 30", "@OK MUTE", "@OK 1X", "@ER", "@PLA OK PLAY",
			"@QPL OK PLAY", "@QPL OK WHATEVER", "@QPL ER", "@QPW OK ON", "@QVL OK 30", "@UPL PLAY", "@UPW 1", "@UVL 30", "noise",
		} {
			want := false
			for _, taken := range c.takes {
				want = want || taken == frame
			}
			if got := parse([]byte(frame + "\r")).answers(c.name); got != want {
				t.Errorf("%q answers %s: %v", frame, c.name, got)
			}
		}
	}
}

func TestStatesOfTheTable(t *testing.T) {
	for state, want := range map[string]devices.Transport{
		"NO DISC": devices.TransportNoMedia, "LOADING": devices.TransportStop, "OPEN": devices.TransportOpen, "CLOSE": devices.TransportStop,
		"PLAY": devices.TransportPlay, "PAUSE": devices.TransportPause, "STOP": devices.TransportStop, "STEP": devices.TransportPlay,
		"FREV": devices.TransportBack, "FFWD": devices.TransportForward, "SFWD": devices.TransportForward, "SREV": devices.TransportBack,
		"SETUP": devices.TransportStop, "HOME MENU": devices.TransportStop, "MEDIA CENTER": devices.TransportStop,
	} {
		if got, ok := transportOf(state); !ok || got != want {
			t.Errorf("%s is %q, want %q", state, got, want)
		}
	}
	for _, state := range []string{"", "DANCING", "play"} {
		if got, ok := transportOf(state); ok {
			t.Errorf("%q is %q", state, got)
		}
	}
}

func TestVolumesOfTheTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"0", "7", "100", "MUTE", "101", "-1", "", "1X"}).Draw(t, "text")
		percent, muted, err := volumeOf(text)
		if good := text == "0" || text == "7" || text == "100" || text == "MUTE"; good != (err == nil) || muted != (text == "MUTE") || percent < 0 || percent > 100 {
			t.Fatalf("%q is %d, %v, %v", text, percent, muted, err)
		}
	})
}

func TestRejectionsAreInBothLanguages(t *testing.T) {
	for _, state := range []string{"", "NO DISC", "OPEN", "LOADING", "CLOSE", "STOP", "PLAY"} {
		no := rejection(message{value: strings.Repeat("x", 100)}, "PLA", state)
		if no.Reason.ZH == "" || no.Reason.EN == "" || len(no.Code) > 40 || no.Busy != isUnderWay(state) {
			t.Errorf("%q: %+v", state, no)
		}
	}
}

func FuzzSplitAndParse(f *testing.F) {
	for _, seed := range []string{"@OK PLAY\r", "@UPL PLAY\r@QPL OK STOP\r", "@@@\r", "@QVL OK 300\r"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) || n > 0 && got[n-1] != '\r' {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		m := parse(got[:n])
		if m.kind == answer && m.name != "" && len(m.name) != 3 {
			t.Fatalf("%+v", m)
		}
		if m.answers(queryVolume) && m.ok && m.name == "" {
			if percent, _, err := volumeOf(m.value); err != nil || percent < 0 || percent > 100 {
				t.Fatalf("%+v was taken for a volume", m)
			}
		}
		_ = explain(got[:n])
	})
}
