package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"lectern/devices/devicetest/fuzz"
)

func lookIn(values map[string]string) lookup {
	return func(name string) (string, bool) { v, ok := values[name]; return v, ok }
}

var some = lookIn(map[string]string{"n": "7", "big": "300", "neg": "-600", "code": "a0", "unit": "0x1F"})

// The vectors are those of the manuals that have such frames, where one has.
func TestWhatIsSent(t *testing.T) {
	for _, c := range []struct{ text, hex, want string }{
		{`PWR {n:02d}\r`, "", "50 57 52 20 30 37 0D"},
		{`\x02A\\\{\}\t\n`, "", "02 41 5C 7B 7D 09 0A"},
		{`{n:3d}|{n}|{big:04X}|{neg:05d}|{neg:04x}`, "", "20 20 37 7C 37 7C 30 31 32 43 7C 2D 30 36 30 30 7C 66 64 61 38"},
		{`{n:byte}{code:upper}{code:lower}`, "", "07 41 30 61 30"},
		{"é\xa5", "", "E9 A5"}, // a character is a byte, and so is what is no UTF-8
		{"", "5B B5 {unit:02X} 16 0000 {n:02d} {code} {big:04X}", "5B B5 1F 16 00 00 07 A0 01 2C"},
		{"", "02 03 00 00 02 01 1A {sum8}", "02 03 00 00 02 01 1A 22"},  // NEC, input HDMI
		{"", "A9 17 2E 00 00 00 {or8@2} 9A", "A9 17 2E 00 00 00 3F 9A"}, // Sony VPL, power on
		{"", "01 04 00 01 00 02 {crc16}", "01 04 00 01 00 02 20 0B"},    // SHT20, temperature and humidity
		{"", "01 02 {neg8} {xor8@1-2} {not8@1-2}", "01 02 FD 03 FC"},
		{`#01{sum8:02X}\r{sum8@2-3:02x}{crc16@1-3:04X}`, "", ""},
	} {
		t.Run(c.text+c.hex, func(t *testing.T) {
			tpl, err := parseText(c.text)
			if c.hex != "" {
				tpl, err = parseHex(c.hex, false)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := tpl.render(some)
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				if string(got[:5]) != "#0184" || string(got[6:8]) != "61" || len(got) != 12 {
					t.Errorf("%q", got)
				}
				return
			}
			if s := fmt.Sprintf("% X", got); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

func TestWhatCannotBeSentIsSaid(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                      "begins no placeholder",
		`{Level}`:                "begins no placeholder",
		`{n:q}`:                  "is no format",
		`{n:020d}`:               "at most 16 digits",
		`{n@2}`:                  "only checksums have a span",
		`{sum8@0}`:               "counted from 1",
		`{sum8@3-2}`:             "counted from 1",
		`a{sum8@5}`:              "spans bytes 5 to 1",
		`\q`:                     "is no escape",
		`\x0`:                    "is no escape",
		`开`:                      "no single byte",
		`{code:02d}`:             "no whole number",
		`{big:02X}`:              "does not fit",
		`{neg:02X}`:              "does not fit",
		`{big:byte}`:             "is no byte",
		`{other}`:                "stands for nothing",
		"":                       "sends nothing",
		strings.Repeat("x", 600): "is the most",
		"hex:5":                  "no byte in hex",
		"hex:5B {n}":             "is no bytes in hex",
		"hex:5B ??":              "no byte in hex",
		"hex:{sum8:02X}":         "bytes already",
		"hex:{n:byte}":           "bytes already",
		"hex:{":                  "begins no placeholder",
	} {
		tpl, err := parseText(text)
		if rest, ok := strings.CutPrefix(text, "hex:"); ok {
			tpl, err = parseHex(rest, false)
		}
		if err == nil {
			_, err = tpl.render(some)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestWhatIsReceived(t *testing.T) {
	for _, c := range []struct {
		reply, hex, frame string
		want              string // name=text, sorted; "-" for no match
	}{
		{`PWR=(?P<p>\d{2})`, "", "PWR=01", "p=01"},
		{`PWR=(?P<p>\d{2})`, "", "PWR=012", "-"},
		{`PWR=(?P<p>\d{2})`, "", "xPWR=01", "-"},
		{`In0*{n} (?P<l>All|Vid)`, "", "In007 Vid", "l=Vid"},
		{`In0*{n}`, "", "In8", "-"},
		{`{code}`, "", "a0", ""},
		{`\xA5(?P<x>.)`, "", "\xa5\xff", "x=\xff"},
		{`a(?P<in>\d)|b`, "", "b", "in="},
		{"", "5B {n:02X} ?? {v} {w:04X}", "\x5b\x07\x99\xab\x01\x00", "v=AB w=256"},
		{"", "5B {n:02X}", "\x5b\x08", "-"},
		{"", "5B {v} {sum8}", "\x5b\x01\x5c", "v=01"},
		{"", "5B {v} {sum8}", "\x5b\x01\x5d", "-"},
		{"", "5B", "\x5b\x5b", "-"},
	} {
		p, err := parsePattern(c.reply, c.hex)
		if err != nil {
			t.Fatal(err)
		}
		m, err := p.bind(some)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := m.match([]byte(c.frame), latin([]byte(c.frame)))
		text := "-"
		if ok {
			var words []string
			for _, name := range slices.Sorted(maps.Keys(got)) {
				words = append(words, name+"="+got[name].text)
			}
			text = latinBack(strings.Join(words, " "))
		}
		if text != c.want {
			t.Errorf("%s%s on %q: %q, want %q", c.reply, c.hex, c.frame, text, c.want)
		}
	}
}

func latinBack(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func TestPatternsThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		`(`:                      "is no pattern",
		`{sum8}`:                 "in reply_hex only",
		`{other}`:                "stands for nothing",
		`(a{1000}){1000}`:        "is no pattern",
		strings.Repeat("x", 600): "is the most",
		"hex:{v:03X}":            "no whole bytes",
		"hex: ":                  "is empty",
	} {
		p, err := parsePattern(text, "")
		if rest, ok := strings.CutPrefix(text, "hex:"); ok {
			p, err = parsePattern("", rest)
		}
		if err == nil {
			_, err = p.bind(some)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestFramesAreCut(t *testing.T) {
	for _, c := range []struct {
		frame Frame
		got   string
		want  []string
		left  string
	}{
		{Frame{End: `\r\n`}, "one\r\ntwo\rthr", []string{"one\r\n"}, "two\rthr"},
		{Frame{EndHex: "0D"}, "a\rb\r", []string{"a\r", "b\r"}, ""},
		{Frame{Start: "A5 5B", Length: 4}, "xy\xa5\x5b12zz\xa5", []string{"xy", "\xa5\x5b12", "zz"}, "\xa5"},
		{Frame{Start: "02", End: `\x03`}, "noise\x02PON\x03\x02", []string{"noise", "\x02PON\x03"}, "\x02"},
		{Frame{Start: "22", SizeAt: 3, More: 4}, "\x22\x03\x01d\x99\x22\x03\x02d", []string{"\x22\x03\x01d\x99"}, "\x22\x03\x02d"},
	} {
		f, err := newFramer(&c.frame)
		if err != nil {
			t.Fatal(err)
		}
		rest, frames := c.got, []string(nil)
		for n := f.split([]byte(rest)); n > 0; n = f.split([]byte(rest)) {
			frames, rest = append(frames, rest[:n]), rest[n:]
		}
		if !slices.Equal(frames, c.want) || rest != c.left {
			t.Errorf("%+v: %q and %q left, want %q and %q", c.frame, frames, rest, c.want, c.left)
		}
	}
}

func TestFramesThatAreNone(t *testing.T) {
	for want, f := range map[string]Frame{
		"one of end":         {},
		"it takes one of":    {End: `\r`, Length: 3, Start: "01"},
		"has no start":       {Length: 3},
		"length 5000":        {Length: 5000, Start: "01"},
		"more goes with":     {End: `\r`, More: 2},
		"size_at is":         {SizeAt: 100, Start: "01"},
		"have no meaning":    {End: "{n}"},
		"as text and in hex": {End: "x", EndHex: "01"},
		"start: ":            {Start: "5", Length: 2},
	} {
		if _, err := newFramer(&f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %s", f, err, want)
		}
	}
}

func TestNumbersGoBothWays(t *testing.T) {
	for _, c := range []struct {
		value Value
		text  captured
		want  float64
	}{
		{Value{}, captured{text: "42"}, 42},
		{Value{Scale: []int{0, 255}}, captured{text: "255"}, 100},
		{Value{Scale: []int{100, 0}}, captured{text: "30"}, 70},
		{Value{Scale: []int{0, 1000}, Signed: true}, captured{text: "FFCE", digits: 4, raw: true}, -5}, // -50 tenths
		{Value{Base: 16}, captured{text: "1F"}, 31},
		{Value{Base: 16, Signed: true}, captured{text: "FF"}, -1},
	} {
		p := &program{values: map[string]Value{"value": c.value}}
		if got, err := p.numberOf("value", c.text); err != nil || got != c.want {
			t.Errorf("%+v in %+v: %v, %v, want %v", c.text, c.value, got, err, c.want)
		}
	}
	p := &program{values: map[string]Value{"level": {Scale: []int{0, 254}}}}
	for percent := 0; percent <= 100; percent++ {
		if got, err := p.percentOf("level", captured{text: p.toWire("level", percent)}); err != nil || got != percent {
			t.Errorf("%d%% comes back as %d, %v", percent, got, err)
		}
	}
	for _, text := range []string{"", "x", "260", "-9", "NaN", "1e400"} {
		if got, err := p.percentOf("level", captured{text: text}); err == nil {
			t.Errorf("%q is %d%%", text, got)
		}
	}
}

func FuzzPatterns(f *testing.F) {
	f.Add("PWR {n:02d}\\r", "5B {n:02X} ?? {v} {sum8}", `PWR=(?P<p>\d{2})`, "PWR=01")
	f.Add("{sum8@1-2:02X}", "A9 {or8@2}", "In0*{n}|{code}", "\x5b\x07\x01")
	fuzz.Run(f, func(t *testing.T, text, inHex, reply, frame string) {
		for _, parse := range []func() (template, error){
			func() (template, error) { return parseText(text) },
			func() (template, error) { return parseHex(inHex, false) },
		} {
			if tpl, err := parse(); err == nil {
				if b, err := tpl.render(some); err == nil && (len(b) == 0 || len(b) > textMost) {
					t.Errorf("%q, %q: %d bytes", text, inHex, len(b))
				}
			}
		}
		for _, parse := range []func() (*pattern, error){
			func() (*pattern, error) { return parsePattern(reply, "") },
			func() (*pattern, error) { return parsePattern("", inHex) },
		} {
			p, err := parse()
			if err != nil || p == nil {
				continue
			}
			if m, err := p.bind(some); err == nil {
				_, _ = m.match([]byte(frame), latin([]byte(frame)))
			}
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("a\rb", "\\r", "", 0, 0, 0)
	f.Add("xy\xa5\x5b12zz\xa5", "", "A5 5B", 4, 0, 0)
	f.Add("\x22\x03\x01d\x99", "", "22", 0, 3, 4)
	fuzz.Run(f, func(t *testing.T, got, end, start string, length, sizeAt, more int) {
		made, err := newFramer(&Frame{End: end, Start: start, Length: length, SizeAt: sizeAt, More: more})
		if err != nil {
			return
		}
		for rest := []byte(got); ; {
			n := made.split(rest)
			if n < 0 || n > len(rest) {
				t.Fatalf("cut %d of %d", n, len(rest))
			}
			if n == 0 {
				return
			}
			_ = made.text(rest[:n])
			rest = rest[n:]
		}
	})
}
