package hdmimatrix

import (
	"testing"
	"time"

	"lectern/devices/devicetest/fuzz"
)

func TestCommandsAreTheManuals(t *testing.T) {
	for what, c := range map[string]struct {
		settings Settings
		want     [3]string // route 3 to 2, off 2, read 2
	}{
		"atlona":        {Settings{Dialect: atlona}, [3]string{"x3AVx2\r", "x2$\r", "Statusx2\r"}},
		"two digits":    {Settings{Dialect: atlona, Digits: 2}, [3]string{"x03AVx02\r", "x02$\r", "Statusx02\r"}},
		"uhd pro3":      {Settings{Dialect: atlona, Untie: untieLong}, [3]string{"x3AVx2\r", "x2$ off\r", "Statusx2\r"}},
		"letter":        {Settings{Dialect: letter, Signal: "V"}, [3]string{"3V2.", "2$.", "Status2."}},
		"letter, both":  {Settings{Dialect: letter, Signal: "B"}, [3]string{"3B2.", "2$.", "Status2."}},
		"letter, sound": {Settings{Dialect: letter, Signal: "A", Digits: 2}, [3]string{"03A02.", "02$.", "Status02."}},
		"out":           {Settings{Dialect: out}, [3]string{"OUT02:03.", "", "STA_VIDEO."}},
	} {
		d := dialects()[c.settings.Dialect]
		if c.settings.Untie == untieLong {
			d.off = atlonaOff
		}
		if c.settings.Digits != 0 {
			d.digits = c.settings.Digits
		}
		m := &matrix{settings: c.settings, dialect: d}
		got := [3]string{d.route(c.settings.Signal, m.port(3), m.port(2)), "", d.read(m.port(2))}
		if d.off != nil {
			got[1] = d.off(m.port(2))
		}
		if got != c.want {
			t.Errorf("%s: %q, the manuals have %q", what, got, c.want)
		}
	}
}

func TestAnswersAreRead(t *testing.T) {
	for family, lines := range map[string]map[string]message{
		atlona: {
			"x7AVx1\r\n":                   {kind: tied, input: 7, output: 1},
			"x01AVx02\r":                   {kind: tied, input: 1, output: 2},
			"x0AVx3\r":                     {kind: tied, output: 3},
			"x2$\r":                        {kind: closed, output: 2},
			"x2$ off\r":                    {kind: closed, output: 2},
			"x2$ on\r":                     {},
			"Command FAILED\r\n":           {kind: failed},
			"x1AVx2,x3,x4\r":               {}, // what somebody else switched; it is asked for soon enough
			"AT-UHD-PRO3-44M\r":            {},
			"#*PORT01_x1AVx2\r":            {}, // a zone's own words, passed on
			"\n":                           {},
			"\x78\x33\x41\x56\x78\x32\x0D": {kind: tied, input: 3, output: 2},
		},
		letter: {
			"AV:01->02\r\n":            {kind: tied, signal: "AV", input: 1, output: 2},
			"AV: 01-> 02\r\n":          {kind: tied, signal: "AV", input: 1, output: 2},
			"AV: 01 -> 02\r\n":         {kind: tied, signal: "AV", input: 1, output: 2},
			"AV:01->02, IR:01->02\r\n": {kind: tied, signal: "AV", input: 1, output: 2},
			"AV01 to 02\r\n":           {kind: tied, signal: "AV", input: 1, output: 2},
			"A: 3 -> 4\r\n":            {kind: tied, signal: "A", input: 3, output: 4},
			"IR: 01 -> 02\r\n":         {},
			"AV:00->02\r\n":            {kind: tied, signal: "AV", output: 2},
			"02 Closed.\r\n":           {kind: closed, output: 2},
			"02 Close\r\n":             {kind: closed, output: 2},
			"02 Open\r\n":              {},
			"SWITCH OK\r\n":            {kind: quiet},
			"Switch OK.\r\n":           {kind: quiet},
			"Command Error!\r\n":       {kind: failed},
			"x1AVx2\r\n":               {},
		},
		out: {
			"Output 02 Switch To In 01!\r\n": {kind: tied, input: 1, output: 2},
			"Local 03 IR Out Switch To\r\n":  {},
			"Turn OFF Output 03!\r\n":        {}, // its 5 V, not its picture
			"Invalid command\r\n":            {kind: failed},
			"Terror 02\r\n":                  {},
		},
	} {
		for text, want := range lines {
			if got := dialects()[family].parse([]byte(text)); got != want {
				t.Errorf("%s %q is %+v, want %+v", family, text, got, want)
			}
		}
	}
}

func TestOnlyTheOwnSignalCounts(t *testing.T) {
	for signal, want := range map[string]map[string]bool{
		"V": {"AV": true, "": true, "V": true, "Video": true, "A": false, "Audio": false},
		"A": {"AV": true, "": true, "V": false, "Video": false, "A": true, "Audio": true},
	} {
		m := &matrix{settings: Settings{Signal: signal}}
		for told, counts := range want {
			if m.carries(told) != counts {
				t.Errorf("%s and a line about %q: %v", signal, told, !counts)
			}
		}
	}
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	good := Settings{Dialect: letter, Signal: "V", Untie: untieShort, Pause: pauseLeast}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*Settings){
		"no dialect": func(s *Settings) { s.Dialect = "" },
		"a dialect":  func(s *Settings) { s.Dialect = "kramer" },
		"digits":     func(s *Settings) { s.Digits = 3 },
		"a signal":   func(s *Settings) { s.Signal = "v" },
		"untie":      func(s *Settings) { s.Untie = "" },
		"long":       func(s *Settings) { s.Untie = untieLong },
		"a pause":    func(s *Settings) { s.Pause = time.Millisecond },
		"inputs":     func(s *Settings) { s.Inputs = 100 },
	} {
		s := good
		spoil(&s)
		if s.Validate() == nil {
			t.Errorf("%s was taken: %+v", what, s)
		}
	}
}

func TestARefusalIsShownAsItCame(t *testing.T) {
	if got := printable([]byte("Command FAILED\x00\xff\r\n")); got != "Command FAILED" {
		t.Errorf("got %q", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"x7AVx1\r\n", "AV: 01 -> 02\r\n", "Output 02 Switch To In 01!\r\n", "02 Closed.\r", "Command FAILED\r"} {
		f.Add([]byte(seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		n := split(got)
		if n < 0 || n > len(got) {
			t.Fatalf("%d of %d", n, len(got))
		}
		for name, d := range dialects() {
			m := d.parse(got[:n])
			if m.input > most || m.output > most || m.kind == closed && m.input != 0 {
				t.Fatalf("%s: %+v", name, m)
			}
			_, _ = d.explain(got), printable(got)
		}
	})
}
