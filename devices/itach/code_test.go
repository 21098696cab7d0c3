package itach

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"lectern/devices/devicetest/fuzz"
)

func TestProntoVectorsAreRead(t *testing.T) {
	for text, want := range map[string]Code{
		// The example that Global Caché sends round: 6D is 38 kHz, 00AB 171 periods, 0015 21, 0041 65.
		"0000 006D 0002 0000 00AB 00AB 0015 0041": {38029, 1, 1, []int{171, 171, 21, 65}},
		// Only the sequence that repeats.
		"0000 006d 0000 0002 00ab 00ab 0015 0041": {38029, 1, 1, []int{171, 171, 21, 65}},
		// Both: repetitions begin behind the first.
		"0000 0067 0001 0002 0060 0018 0030 0018 0018 03E8": {40244, 1, 3, []int{96, 24, 48, 24, 24, 1000}},
		"0000 0073\n0001 0001\t0020 0020 0040 0AB0":         {36045, 1, 3, []int{32, 32, 64, 2736}},
	} {
		got, err := Pronto(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

// TestAWholeNECCode is the vector of 34 pairs: 68 numbers, a header of 9 and 4.5 ms.
func TestAWholeNECCode(t *testing.T) {
	text := "0000 006D 0022 0002 0156 00AB" + strings.Repeat(" 0015 0015 0015 0040", 16) + " 0015 05EB 0156 0055 0015 0E40"
	c, err := Parse(text, 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Pulses) != 72 || c.Offset != 69 || c.Repeat != 3 {
		t.Fatalf("%d pulses, repetitions at %d, %d times", len(c.Pulses), c.Offset, c.Repeat)
	}
	if got := string(encode(1, 2, 2445, c)); !strings.HasPrefix(got, "sendir,1:2,2445,38029,3,69,342,171,21,21,21,64,") || !strings.HasSuffix(got, ",342,85,21,3648\r") {
		t.Errorf("%q", got)
	}
	// A frame of NEC takes 108 ms, and so does each of its repetitions: one and three.
	if d := c.Duration(); d < 425*time.Millisecond || d > 435*time.Millisecond {
		t.Errorf("it takes %s", d)
	}
}

func TestSendirVectorsAreRead(t *testing.T) {
	for text, want := range map[string]Code{
		// iTach API 1.5: worked examples, and the compressed form of the same.
		"sendir,1:2,2445,40000,1,1,4,5,6,5":                 {40000, 1, 1, []int{4, 5, 6, 5}},
		"sendir,1:2,34,34500,4,3,34,48,24,12,24,960":        {34500, 4, 3, []int{34, 48, 24, 12, 24, 960}},
		"sendir,1:2,2445,40000,1,1,4,5,4,5,8,9,4,5,8,9,8,9": {40000, 1, 1, []int{4, 5, 4, 5, 8, 9, 4, 5, 8, 9, 8, 9}},
		"sendir,1:2,2445,40000,1,1,4,5A8,9ABB":              {40000, 1, 1, []int{4, 5, 4, 5, 8, 9, 4, 5, 8, 9, 8, 9}},
		"sendir,1:1,1,38000,1,1,342,171,21,64":              {38000, 1, 1, []int{342, 171, 21, 64}},
	} {
		got, err := Sendir(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

func TestCodesThatCannotBeSentAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "neither sendir",
		"play":                                   "neither sendir",
		"0000 006D 0001 0001 0010 0010 0010":     "has 3 words of them",
		"0000 006D 0002 0000 0010 0010 001 0010": "word 7",
		"0000 006D 0002 0000 0010 0010 00GG 0010":                           "word 7",
		"0100 006D 0001 0000 0010 0010":                                     "begins with 0100",
		"5000 0073 0000 0001 0000 0001":                                     "begins with 5000",
		"0000 0000 0001 0000 0010 0010":                                     "no carrier",
		"0000 0001 0001 0000 0010 0010":                                     "carrier is",
		"0000 006D 0001 0000 0000 0010":                                     "pulse 1",
		"0000 006D 0001 0000 0010 FFFF":                                     "pulse 2",
		"0000 006D 0000 0000 0010 0010":                                     "has 2 words",
		"sendir,1:1,1,38000,1,1,342":                                        "ends with a burst",
		"sendir,1:1,1,38000,1,1,A":                                          "stands for no pair",
		"sendir,1:1,1,38000,1,1,342A":                                       "stands for no pair",
		"sendir,1:1,1,38000,1,2,342,171":                                    "begin at pulse 2",
		"sendir,1:1,1,38000,2,3,342,171":                                    "begin at pulse 3",
		"sendir,1:1,1,38000,0,1,342,171":                                    "0 times",
		"sendir,1:1,1,9999,1,1,342,171":                                     "carrier is 9999",
		"sendir,1:1,1,38000,1,1,342,60000":                                  "60000",
		"sendir,1:1,1,38000,1,1, 342,171":                                   "no blanks",
		"sendir,1:1,1,38000,50,1,50000,50000":                               "longer than",
		"sendir,1:1,1,38000,1,1," + strings.Repeat("20,20,", 260) + "20,20": "261 pairs",
	} {
		c, err := Parse(text, 1)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v; want an error with %q", text, c, err, want)
		}
	}
}

// TestEveryCodeComesBack: what is encoded is read as the same code.
func TestEveryCodeComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pulses := rapid.SliceOfN(rapid.IntRange(10, 300), 2, 120).Draw(t, "pulses")
		pulses = pulses[:len(pulses)/2*2]
		c := Code{
			Frequency: rapid.IntRange(30000, 60000).Draw(t, "frequency"), Repeat: rapid.IntRange(1, 3).Draw(t, "repeat"),
			Offset: 1 + 2*rapid.IntRange(0, len(pulses)/2-1).Draw(t, "offset"), Pulses: pulses,
		}
		if err := c.check(); err != nil {
			t.Skip(err)
		}
		got, err := Parse(strings.TrimSuffix(string(encode(1, 1, 7, c)), "\r"), 9)
		if d := cmp.Diff(c, got); err != nil || d != "" {
			t.Fatalf("%v: %s", err, d)
		}
		hex := fmt.Sprintf("0000 006D %04X 0000", len(pulses)/2)
		for _, n := range pulses {
			hex += fmt.Sprintf(" %04X", n)
		}
		if got, err := Pronto(hex); err != nil || !slices.Equal(got.Pulses, pulses) {
			t.Fatalf("%v: %v", err, got.Pulses)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"0000 006D 0001 0001 00AB 00AB 0015 0041", "sendir,1:2,2445,40000,1,1,4,5A8,9ABB", "sendir,1:1,1,38000,1,1,342,171", "0000 006D 8000 8000 0000",
	} {
		f.Add(seed, 1)
	}
	f.Add("0000 006D 0001 0001 00AB 00AB 0015 0041", 855809564441001351) // it seemed to take no time
	fuzz.Run(f, func(t *testing.T, text string, repeat int) {
		c, err := Parse(text, repeat)
		if err != nil {
			return
		}
		if len(c.Pulses)%2 != 0 || len(c.Pulses) > 2*mostPairs || c.Duration() > longest || c.Duration() <= 0 {
			t.Fatalf("%+v", c)
		}
		again, err := Sendir(strings.TrimSuffix(string(encode(1, 1, 0, c)), "\r"))
		if err != nil || cmp.Diff(c, again) != "" {
			t.Fatalf("%+v comes back as %+v, %v", c, again, err)
		}
	})
}
