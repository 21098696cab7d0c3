package pioneer

import (
	"testing"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

func TestCommandsAreTheTable(t *testing.T) {
	for command, want := range map[string]string{
		cmdPlay: "\x50\x4C\x0D", queryMode: "\x3F\x50\x0D", cmdReject: "99RJ\r", cmdStill: "ST\r", cmdPause: "PA\r",
		cmdForward: "NF\r", cmdBack: "NR\r", cmdOpen: "OP\r", cmdClose: "CO\r",
		goTo(queryChapter, 5): "CH5SL\r", goTo(queryTrack, 2): "TR2SL\r",
	} {
		if got := string(encode(command)); got != want {
			t.Errorf("%q, the table has %q", got, want)
		}
	}
	for _, c := range []struct {
		what  devices.Transport
		now   string
		still bool
		want  string
	}{
		{devices.TransportEject, modePark, true, "OP"}, {devices.TransportEject, modeOpen, true, "CO"},
		{devices.TransportPause, modePlay, true, "ST"}, {devices.TransportPause, modePlay, false, "PA"},
		{devices.TransportStop, modePark, true, "99RJ"}, {devices.TransportRecord, modePark, true, ""},
	} {
		if got := (Settings{Still: c.still}).commandOf(c.what, c.now); got != c.want {
			t.Errorf("%s in %s is %q, want %q", c.what, c.now, got, c.want)
		}
	}
}

func TestFramesAreRead(t *testing.T) {
	for frame, want := range map[string]message{
		"\x52\x0D": {kind: done}, "\x50\x30\x34\x0D": {kind: mode, text: "P04"}, "E11\r": {kind: failed, text: "E11"}, "\nR\r": {kind: done},
		"05\r": {kind: number, value: 5}, "0XXXX\r": {kind: disc, text: "0XXXX"}, "10001\r": {kind: disc, text: "10001"},
		"P157100\r": {}, "CM3\r": {}, "RR\r": {}, "\r": {}, "E4\r": {}, "xR\r": {},
	} {
		if got := parse([]byte(frame)); got != want {
			t.Errorf("%q is %+v, want %+v", frame, got, want)
		}
	}
}

func TestOnlyTheAnswerAnswers(t *testing.T) {
	for command, takes := range map[string]string{cmdPlay: "R", queryMode: "P04", queryDisc: "10001", queryChapter: "05", queryTrack: "05"} {
		for _, frame := range []string{"R", "P04", "10001", "05", "E04", "x"} {
			if got, want := parse([]byte(frame+"\r")).answers(command), frame == takes || frame == "E04"; got != want {
				t.Errorf("%q answers %s: %v", frame, command, got)
			}
		}
	}
}

func TestModesOfTheTable(t *testing.T) {
	for mode, want := range map[string]devices.Transport{
		"P00": devices.TransportOpen, "P01": devices.TransportStop, "P02": devices.TransportStop, "P03": devices.TransportStop,
		"P04": devices.TransportPlay, "P05": devices.TransportPause, "P06": devices.TransportPause, "P07": devices.TransportPlay,
		"P08": devices.TransportPlay, "P09": devices.TransportPlay,
	} {
		if got, known := transportOf(mode); !known || got != want {
			t.Errorf("%s is %q, want %q", mode, got, want)
		}
	}
	for _, mode := range []string{"", "P10", "p04"} {
		if got, known := transportOf(mode); known {
			t.Errorf("%q is %q", mode, got)
		}
	}
}

func TestRejectionsAreInBothLanguages(t *testing.T) {
	for _, code := range []string{"E04", "E11", "E12", "E99"} {
		for _, now := range []string{"", modeOpen, modePark, modeSetUp, modePlay} {
			no := rejection(code, now)
			if no.Code != code || no.Reason.ZH == "" || no.Reason.EN == "" || no.Busy != (code == "E04" && now == modeSetUp) {
				t.Errorf("%s in %s: %+v", code, now, no)
			}
		}
	}
}

func FuzzSplitAndParse(f *testing.F) {
	for _, seed := range []string{"R\r", "P04\rE11\r", "0XXXX\r", "999\r"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) || n > 0 && got[n-1] != '\r' {
			t.Fatalf("cut %d of %d", n, len(got))
		}
		m := parse(got[:n])
		if m.value < 0 || m.value > 999 || m.kind == disc && len(m.text) != 5 {
			t.Fatalf("%+v", m)
		}
		_ = explain(got[:n])
	})
}
