package kramer

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
		{"route all", string(encode(0, route(layerAll, 1, "4"))), "#ROUTE 12,1,4\r"},
		{"route on a machine", string(encode(1, route(layerAll, 1, "3"))), "#01@ROUTE 12,1,3\r"},
		{"disconnect", route(layerVideo, 2, untieX), "ROUTE 1,2,x"},
		{"route usb", route(layerUSB, 2, "1"), "ROUTE 3,2,1"},
		{"read a route", readRoute(layerAll, 3), "ROUTE? 1,3"},
		{"read the audio", readRoute(layerAudio, 3), "ROUTE? 2,3"},
		{"tie", string(encode(0, tieTo(layerAll, 2, 1))), "\x23\x41\x56\x20\x31\x3E\x32\x0D"},
		{"tie video", tieTo(layerVideo, 3, 0), "VID 0>3"},
		{"tie audio", tieTo(layerAudio, 1, 2), "AUD 2>1"},
		{"read a tie", readTie(layerAll, 2), "VID? 2"},
		{"read an audio tie", readTie(layerAudio, 2), "AUD? 2"},
		{"level", setLevel("1", 1, -50), "AUD-LVL 1,1,-50"},
		{"read a level", readLevel("OUT", 1), "AUD-LVL? OUT,1"},
		{"mute", setMute(8, true), "MUTE 8,1"},
		{"unmute", setMute(8, false), "MUTE 8,0"},
		{"read a mute", readMute(8), "MUTE? 8"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, the tables have %q", c.what, c.got, c.want)
		}
	}
}

func TestAnswersAreRead(t *testing.T) {
	one := func(command string, l layer, output, input int) message {
		return message{kind: tied, machine: 1, command: command, ties: []tie{{l, output, input}}}
	}
	for text, want := range map[string]message{
		"~01@ROUTE 12,1,4 OK\r\n":                    one("ROUTE", layerAll, 1, 4),
		"~01@ROUTE 1,3,2\r\n":                        one("ROUTE", layerVideo, 3, 2),
		"~01@ROUTE 1, 3, 2\r\n":                      one("ROUTE", layerVideo, 3, 2),
		"~01@ROUTE 2,3,x\r\n":                        one("ROUTE", layerAudio, 3, 0),
		"~01@ROUTE 3,*,2\r\n":                        one("ROUTE", layerUSB, everyOutput, 2),
		"~01@ROUTE 7,1,2\r\n":                        {machine: 1, command: "ROUTE"}, // a layer that is none of ours
		"~01@VID 2>3\r\n":                            one("VID", layerVideo, 3, 2),
		"~AUD 2>1 OK\r\n":                            {kind: tied, machine: noMachine, command: "AUD", ties: []tie{{layerAudio, 1, 2}}},
		"~01@AV 3>*\r\n":                             one("AV", layerAll, everyOutput, 3),
		"~01@AUD 2>1,2>2, 0>3 OK\r\n":                {kind: tied, machine: 1, command: "AUD", ties: []tie{{layerAudio, 1, 2}, {layerAudio, 2, 2}, {layerAudio, 3, 0}}},
		"~01@VID 2>1,?\r\n":                          {machine: 1, command: "VID"},
		"~01@AUD-LVL 1, 2, -50\r\n":                  {kind: volume, machine: 1, command: "AUD-LVL", stage: "OUT", channel: 2, value: -50},
		"~01@AUD-LVL OUT,1,-12.6\r\n":                {kind: volume, machine: 1, command: "AUD-LVL", stage: "OUT", channel: 1, value: -13},
		"~01@AUD-LVL 0,1,3\r\n":                      {kind: volume, machine: 1, command: "AUD-LVL", stage: "IN", channel: 1, value: 3},
		"~01@MUTE 1,1\r\n":                           {kind: muted, machine: 1, command: "MUTE", channel: 1, value: 1},
		"~07@MUTE 1,OFF OK\r\n":                      {kind: muted, machine: 7, command: "MUTE", channel: 1},
		"~01@ERR002\r\n":                             {kind: failed, machine: 1, code: "002"},
		"~01@ERR 002\r\n":                            {kind: failed, machine: 1, code: "002"},
		"~ERR003\r\n":                                {kind: failed, machine: noMachine, code: "003"},
		"~01@ROUTE ERR 003\r\n":                      {kind: failed, machine: 1, command: "ROUTE", code: "003"},
		"~01@VID 9>1 ERR003\r\n":                     {kind: failed, machine: 1, command: "VID", code: "003"},
		"~01@PRST-RCL 3 OK\r\n":                      {kind: changed, machine: 1, command: "PRST-RCL"},
		"~01@ OK\r\n":                                {machine: 1},
		"~OK\r\n":                                    {machine: noMachine},
		"ROUTE 12,1,4\r\n":                           {machine: noMachine}, // an echo is no answer
		"\r\n":                                       {machine: noMachine},
		"Kramer Electronics LTD. , VS-88UT 1.04\r\n": {kind: banner, machine: noMachine},
	} {
		if d := cmp.Diff(want, parse([]byte(text)), cmp.AllowUnexported(message{}, tie{})); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

func TestOnlyTheAskedOutputLayerAndMachineAnswer(t *testing.T) {
	frames := []string{
		"~01@ROUTE 12,3,1", "~01@ROUTE 1,3,1", "~01@ROUTE 2,3,1", "~01@ROUTE 3,3,1", "~01@ROUTE 1,4,1",
		"~01@VID 1>3", "~01@AUD 1>3", "~01@AV 1>*", "~02@VID 1>3", "~VID 1>3", "~01@MUTE 3,1", "~01@ERR002",
	}
	for l, want := range map[layer][]string{
		layerAll:   {frames[0], frames[1], frames[5], frames[7], frames[9]},
		layerVideo: {frames[0], frames[1], frames[5], frames[7], frames[9]},
		layerAudio: {frames[0], frames[2], frames[6], frames[7]},
		layerUSB:   {frames[3]},
	} {
		m := &matrix{client: &client{machine: 1}, settings: MatrixSettings{Layer: string(l)}}
		var got []string
		for _, frame := range frames {
			f := parse([]byte(frame))
			if input, ok := m.tells(f, 3); ok && m.mine(f) && input == 1 {
				got = append(got, frame)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", l, d)
		}
	}
}

func TestErrorsOfOtherCommandsAreNotOurs(t *testing.T) {
	for text, want := range map[string]bool{
		"~01@ERR002": true, "~01@ROUTE ERR002": true, "~01@VID ERR002": true, "~01@MUTE ERR002": false, "~01@ROUTE 12,1,4": false,
	} {
		if got := (query{word: "ROUTE"}).refuses(parse([]byte(text))); got != want {
			t.Errorf("%q refuses a route: %v", text, got)
		}
	}
}

func TestEveryErrorIsSaidInBothLanguages(t *testing.T) {
	for code, reason := range rejections {
		if reason.ZH == "" || reason.EN == "" {
			t.Errorf("%s is %+v", code, reason)
		}
		var no *devices.Rejection
		if err := rejection(code); !errors.As(err, &no) || no.Busy != (code == "006") || no.Code != "ERR"+code {
			t.Errorf("%s is %v", code, err)
		}
	}
	var no *devices.Rejection
	if err := rejection("099"); !errors.As(err, &no) || no.Reason.ZH == "" || no.Reason.EN == "" {
		t.Errorf("an unknown error is %v", err)
	}
}

func TestFadersKeepEveryStep(t *testing.T) {
	s := VolumeSettings{Floor: -60}
	for percent, want := range map[int]int{0: -60, 50: -30, 100: 0, 75: -15} {
		if got := s.level(percent); got != want {
			t.Errorf("%d%% is %d, want %d", percent, got, want)
		}
	}
	if s.percent(-90) != 0 || s.percent(30) != 100 {
		t.Error("a level beyond the ends is not at the end")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := VolumeSettings{Channel: 1, Stage: "1", Floor: rapid.IntRange(-200, 100).Draw(t, "floor")}
		s.Ceiling = s.Floor + rapid.IntRange(20, 300).Draw(t, "span")
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		percent := rapid.IntRange(0, 100).Draw(t, "percent")
		// Equipment allows three per cent between what was asked and what is read.
		if got := s.percent(s.level(percent)); max(got-percent, percent-got) > 3 {
			t.Fatalf("%d%% comes back as %d%%", percent, got)
		}
	})
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	good := MatrixSettings{Command: byRoute, Layer: "all", Untie: "0"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	volume := VolumeSettings{Channel: 1, Stage: "1", Floor: -60}
	if err := volume.Validate(); err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*MatrixSettings, *VolumeSettings){
		"a machine":      func(m *MatrixSettings, v *VolumeSettings) { m.Machine, v.Machine = 100, 100 },
		"a command":      func(m *MatrixSettings, v *VolumeSettings) { m.Command, v.Channel = "vid", 0 },
		"a layer":        func(m *MatrixSettings, v *VolumeSettings) { m.Layer, v.Stage = "smell", "2" },
		"usb by legacy":  func(m *MatrixSettings, v *VolumeSettings) { m.Layer, m.Command, v.Floor = "usb", byLegacy, -1000 },
		"a way to untie": func(m *MatrixSettings, v *VolumeSettings) { m.Untie, v.Floor = "", -19 },
		"inputs":         func(m *MatrixSettings, v *VolumeSettings) { m.Inputs, v.Ceiling = 1000, 1000 },
	} {
		m, v := good, volume
		spoil(&m, &v)
		if m.Validate() == nil || v.Validate() == nil {
			t.Errorf("%s was taken: %+v %+v", what, m, v)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"~01@ROUTE 12,1,4 OK\r\n", "~AUD 2>1,2>2 OK\r\n", "~01@VID ERR 003\r\n", "~01@AUD-LVL OUT,1,-12.5\r\n", "~01@MUTE 1,ON\n"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("%d of %d", n, len(got))
		}
		m := parse(got[:n])
		if (m.kind == tied) != (len(m.ties) > 0) {
			t.Fatalf("%+v", m)
		}
		for _, tie := range m.ties {
			if tie.input < 0 && tie.input != everyOutput || tie.input > most || tie.output > most {
				t.Fatalf("%+v", m)
			}
		}
		_ = explain(got)
	})
}
