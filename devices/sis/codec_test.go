package sis

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
)

func TestCommandsAreTheTables(t *testing.T) {
	for _, c := range []struct{ what, got, want string }{
		{"tie 1 to 3", tie(layerAll, 3, 1), "\x31\x2A\x33\x21"},
		{"tie video", tie(layerVideo, 5, 7), "7*5%"},
		{"tie audio", tie(layerAudio, 4, 2), "2*4$"},
		{"untie", tie(layerAll, 3, 0), "0*3!"},
		{"read a tie", readTie(layerAll, 3), "3%"},
		{"read video", readTie(layerVideo, 7), "7%"},
		{"read audio", readTie(layerAudio, 3), "3$"},
		{"switcher", choose(layerAll, 2), "2!"},
		{"read a switcher", readChoice(layerAudio), "$"},
		{"volume", setVolume(75), "75V"},
		{"mute", setMute(true), "1Z"},
		{"unmute", setMute(false), "0Z"},
		{"fader", setGroup(1, -250), "\x1bD1*-250GRPM\r"},
		{"group mute", setGroup(2, 1), "\x1bD2*1GRPM\r"},
		{"read a fader", readGroup(1), "\x1bD1GRPM\r"},
		{"verbose", setVerbose(3), "\x1b3CV\r"},
		{"record", setRecorder(1), "\x1B\x59\x31\x52\x43\x44\x52\x0D"},
		{"stop recording", setRecorder(0), "\x1bY0RCDR\r"},
		{"pause recording", setRecorder(2), "\x1bY2RCDR\r"},
		{"read a recorder", readRecorder, "\x1bYRCDR\r"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, the tables have %q", c.what, c.got, c.want)
		}
	}
}

func TestAnswersAreRead(t *testing.T) {
	for text, want := range map[string]message{
		"\x4F\x75\x74\x33\x20\x49\x6E\x31\x20\x41\x6C\x6C\x0D\x0A": {kind: tied, to: 3, value: 1, word: "All"},
		"Out03 In01 Vid\r\n":    {kind: tied, to: 3, value: 1, word: "Vid"},
		"Out4 In10 RGB\r\n":     {kind: tied, to: 4, value: 10, word: "RGB"},
		"Out4 In2 Aud\r\n":      {kind: tied, to: 4, value: 2, word: "Aud"},
		"In2 All\r\n":           {kind: tied, to: -1, value: 2, word: "All"},
		"In3\r\n":               {kind: tied, to: -1, value: 3},
		"In01 Aud05\r\n":        {}, // an input gain, which begins like an audio tie
		"Out03 Vol40\r\n":       {}, // the volume of an output of a matrix
		"Vol75\r\n":             {kind: volume, value: 75},
		"Amt1\r\n":              {kind: muted, value: 1},
		"Amt3*1\r\n":            {}, // the mute of an output of a matrix
		"GrpmD01*-00250\r\n":    {kind: group, to: 1, value: -250},
		"GrpmD2*-293\r\n":       {kind: group, to: 2, value: -293},
		"GrpmD02*+00001\r\n":    {kind: group, to: 2, value: 1},
		"Vrb3\r\n":              {kind: verbose, value: 3},
		"RcdrY1\r\n":            {kind: recorder, value: 1},
		"RcdrB\r\n":             {}, // a chapter marker
		"RcdrE10\r\n":           {}, // a longer time
		"12\r\n":                {kind: number, value: 12},
		"-00250\r\n":            {kind: number, value: -250},
		"E22\r\n":               {kind: failed, word: "E22"},
		"Qik\r\n":               {kind: changed},
		"Rpr03\r\n":             {kind: changed},
		"Spr03\r\n":             {},
		"Login Administrator\r": {kind: login},
		"\r\nPassword:":         {kind: password},
		"\r\n":                  {},
		"\xA9 Copyright 2012, Extron Electronics, DTP CrossPoint 84, V1.07, 60-1381-01\r\n": {kind: banner},
		"\xC2\xA9 Copyright 2019, Extron Electronics, IN1608\r\n":                           {kind: banner},
	} {
		if got := parse([]byte(text)); got != want {
			t.Errorf("%q is %+v, want %+v", text, got, want)
		}
	}
}

func TestOnlyTheAskedOutputAndLayerAnswer(t *testing.T) {
	for l, want := range map[layer][]string{
		layerAll:   {"Out3 In1 All", "Out3 In1 Vid", "Out3 In1 RGB", "Out3 In1 Aud"},
		layerVideo: {"Out3 In1 All", "Out3 In1 Vid", "Out3 In1 RGB"},
		layerAudio: {"Out3 In1 All", "Out3 In1 Aud"},
	} {
		m := &matrix{settings: MatrixSettings{Layer: string(l)}}
		var got []string
		for _, frame := range []string{
			"Out3 In1 All", "Out3 In1 Vid", "Out3 In1 RGB", "Out3 In1 Aud",
			"Out4 In1 All", "In1 All", "1", "E22", "Qik", "Vol3", "GrpmD03*+00001",
		} {
			if m.tells(parse([]byte(frame)), 3) {
				got = append(got, frame)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("layer %s: %s", l, d)
		}
	}
}

func TestThePromptIsCutOffWithoutAnEnd(t *testing.T) {
	var frames []string
	for got := []byte("\r\n\xA9 Copyright\r\nSat\r\n\r\nPassword:\r\nLogin Administrator\r\nOut3"); ; {
		n := split(got)
		if n == 0 {
			if string(got) != "Out3" {
				t.Errorf("%q is left", got)
			}
			break
		}
		frames = append(frames, string(got[:n]))
		got = got[n:]
	}
	want := []string{"\r\n", "\xA9 Copyright\r\n", "Sat\r\n", "\r\n", "Password:", "\r\n", "Login Administrator\r\n"}
	if d := cmp.Diff(want, frames); d != "" {
		t.Error(d)
	}
}

func TestErrorResponsesAreRejectionsInBothLanguages(t *testing.T) {
	for code := range rejections {
		var no *devices.Rejection
		if err := rejection(code); !errors.As(err, &no) || no.Code != code || no.Reason.ZH == "" || no.Reason.EN == "" {
			t.Errorf("%s is %v", code, err)
		}
		if no.Busy != (code == "E22") {
			t.Errorf("%s is busy: %v", code, no.Busy)
		}
	}
	var no *devices.Rejection
	if err := rejection("E99"); !errors.As(err, &no) || no.Reason.ZH == "" {
		t.Errorf("an unknown error is %v", err)
	}
}

func TestFadersKeepEveryPercent(t *testing.T) {
	s := VolumeSettings{FloorDB: -60}
	for percent, want := range map[int]int{0: -600, 50: -300, 100: 0, 58: -252} {
		if got := s.tenths(percent); got != want {
			t.Errorf("%d%% is %d, want %d", percent, got, want)
		}
	}
	if s.percent(-900) != 0 || s.percent(120) != 100 {
		t.Error("a fader beyond the ends is not at the end")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := VolumeSettings{Group: 1, FloorDB: rapid.IntRange(-100, 14).Draw(t, "floor")}
		s.CeilingDB = rapid.IntRange(s.FloorDB+10, 24).Draw(t, "ceiling")
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		percent := rapid.IntRange(0, 100).Draw(t, "percent")
		if got := s.percent(s.tenths(percent)); got != percent {
			t.Fatalf("%d%% comes back as %d%%", percent, got)
		}
	})
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	for what, s := range map[string]interface{ Validate() error }{
		"a layer":              &MatrixSettings{Layer: "smell"},
		"inputs":               &MatrixSettings{Layer: "all", Inputs: 1000},
		"a group":              &VolumeSettings{Group: 65, FloorDB: -60},
		"a mute group alone":   &VolumeSettings{MuteGroup: 2, FloorDB: -60},
		"a group for both":     &VolumeSettings{Group: 2, MuteGroup: 2, FloorDB: -60},
		"a floor over the top": &VolumeSettings{FloorDB: 0, CeilingDB: -60},
		"a narrow range":       &VolumeSettings{FloorDB: -5, CeilingDB: 0},
	} {
		if err := s.Validate(); err == nil {
			t.Errorf("%s was taken: %+v", what, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"Out03 In01 Vid\r\n", "GrpmD01*-00250\r\n", "\r\nPassword:", "E22\r\n", "999999"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("%d of %d", n, len(got))
		}
		if m := parse(got[:n]); m.kind == tied && (m.value < 0 || m.value > 999 || m.to > 999) {
			t.Fatalf("%+v", m)
		}
		_ = explain(got)
	})
}
