package hs08r

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"lectern/devices/devicetest/fuzz"
)

// unhex reads bytes as the manual prints them.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRequestsAreTheManuals(t *testing.T) {
	for _, c := range []struct {
		what string
		got  []byte
		want string
	}{
		{"channel 3 on", encodeSwitch(1, 3, true), "5B B5 01 16 00 00 00 01 03 AA"},
		{"channel 12 off", encodeSwitch(1, 12, false), "5B B5 01 16 00 00 00 00 0C AA"},
		{"status", encodeStatus(1), "5B B5 01 02 20 16 00 00 00 00"},
	} {
		if want := unhex(t, c.want); !bytes.Equal(c.got, want) {
			t.Errorf("%s: % X, the manual has % X", c.what, c.got, want)
		}
	}
}

func TestAnswersAreFoundAmongNoise(t *testing.T) {
	for _, c := range []struct {
		what  string
		frame string
		find  func([]byte) (int, int, error)
		no    bool
	}{
		{"done", "5B B5 01 AA 00 00 00 01 03 AA", findAck(1), false},
		{"refused", "5B B5 01 FF 00 00 00 01 03 AA", findAck(1), true},
		{"status of 4", "5B B5 01 02 20 16 01 00 00 01", findStatus(1, 4), false},
		{"status of 8", "5B B5 01 02 20 16 01 00 00 01 00 00 00 01", findStatus(1, 8), false},
		{"status refused", "5B B5 01 FF 20 16 00 00 00 00", findStatus(1, 8), true},
	} {
		frame := unhex(t, c.frame)
		noise := append([]byte{0x5B, 0xB5, 0x5B}, frame...)
		start, end, err := c.find(noise)
		if err != nil || start != 3 || end != len(noise) {
			t.Errorf("%s: found at %d to %d, %v", c.what, start, end, err)
			continue
		}
		if refused(noise[start:end]) != c.no {
			t.Errorf("%s: refused is %v", c.what, !c.no)
		}
		for cut := range len(noise) {
			if _, end, _ := c.find(noise[:cut]); end != 0 {
				t.Errorf("%s: found in the first %d of %d bytes", c.what, cut, len(noise))
			}
		}
	}
}

func TestAnswersOfOthersPassBy(t *testing.T) {
	for what, c := range map[string]struct {
		frame string
		find  func([]byte) (int, int, error)
	}{
		"another unit's answer":     {"5B B5 02 AA 00 00 00 01 03 AA", findAck(1)},
		"a status, after a command": {"5B B5 01 02 20 16 01 00 00 01", findAck(1)},
		"an answer, after a status": {"5B B5 01 AA 00 00 00 01 03 AA", findStatus(1, 4)},
		"a status of other bytes":   {"5B B5 01 02 20 16 01 00 07 01", findStatus(1, 4)},
		"the unit's address":        {"5B B5 01 02 20 17 01 00 00 01", findStatus(1, 4)},
	} {
		if start, end, err := c.find(unhex(t, c.frame)); end != 0 || err != nil {
			t.Errorf("%s was taken: %d to %d, %v", what, start, end, err)
		}
	}
}

func TestSettingsOutOfRangeAreRefused(t *testing.T) {
	good := func(change func(*Settings)) *Settings {
		s := Driver().Settings().(*Settings)
		s.Channel = 1
		change(s)
		return s
	}
	if err := good(func(*Settings) {}).Validate(); err != nil {
		t.Error(err)
	}
	for what, s := range map[string]*Settings{
		"no channel":  good(func(s *Settings) { s.Channel = 0 }),
		"channel 16":  good(func(s *Settings) { s.Channel = 16 }),
		"channel 17":  good(func(s *Settings) { s.Channel = 17 }),
		"unit 0":      good(func(s *Settings) { s.Unit = 0 }),
		"unit 256":    good(func(s *Settings) { s.Unit = 256 }),
		"10 channels": good(func(s *Settings) { s.Channels = 10 }),
	} {
		if err := s.Validate(); err == nil {
			t.Errorf("%s was taken", what)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(unhex(f, "5B B5 01 AA 00 00 00 01 03 AA"))
	f.Add(unhex(f, "5B 5B B5 01 02 20 16 01 00 00 01 00 00 00 01"))
	fuzz.Run(f, func(t *testing.T, got []byte) {
		for _, look := range []func([]byte) (int, int, error){findAck(1), findStatus(1, 4), findStatus(1, 16)} {
			start, end, err := look(got)
			if err != nil || start < 0 || end > len(got) || end != 0 && end-start < frameLength {
				t.Fatalf("%d to %d of %d, %v", start, end, len(got), err)
			}
			if end != 0 {
				_ = refused(got[start:end])
			}
		}
		_ = explain(got)
	})
}
