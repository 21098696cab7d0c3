package somfy

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/devices/devicetest/fuzz"
	"lectern/devices/line"
)

// unhex reads bytes as the guide prints them.
func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// shade is the motor of wb-mqtt-serial's tests, a Sonesse 30.
var shade = address{0x07, 0x68, 0xC0}

func TestRequestsAreThoseOfTheField(t *testing.T) {
	for _, c := range []struct {
		what string
		got  []byte
		want string
	}{
		{"read position", encode(messageAskPlace, 2, shade), "F3 74 FD 00 00 FF 3F 97 F8 05 31"},
		{"move down for a while", encode(0x01, 2, shade, 0, 0xFF, 0), "FE 71 FD 00 00 FF 3F 97 F8 FF 00 FF 07 37"},
		{"move up for a while", encode(0x01, 2, shade, 1, 0xFF, 0), "FE 71 FD 00 00 FF 3F 97 F8 FE 00 FF 07 36"},
		{"set the down limit", encode(0x11, 2, shade, 1, 0, 0, 0), "EE 70 FD 00 00 FF 3F 97 F8 FE FF FF FF 09 23"},
		{"stop", encode(messageStop, 2, shade, 1), "FD 73 FD 00 00 FF 3F 97 F8 FE 06 38"},
		{"to the up limit", encode(messageMoveTo, 2, shade, toUpLimit, 0, 0, 0), "FC 70 FD 00 00 FF 3F 97 F8 FE FF FF FF 09 31"},
		{"to the down limit", encode(messageMoveTo, 2, shade, toDownLimit, 0, 0, 0), "FC 70 FD 00 00 FF 3F 97 F8 FF FF FF FF 09 32"},
	} {
		if want := unhex(t, c.want); !bytes.Equal(c.got, want) {
			t.Errorf("%s: % X, want % X", c.what, c.got, want)
		}
	}
}

const report = "F2 EF DF 3F 97 F8 00 00 FF 45 FE D4 00 00 07 A4" // 43 % from the up limit

func TestAnAnswerIsFoundAmongNoise(t *testing.T) {
	answer := unhex(t, report)
	look := find(shade, messagePlace, 3)
	noise := append([]byte{0xF2, 0xEF, 0x00, 0xFF}, answer...)
	start, end, err := look(noise)
	if err != nil || start != 4 || end != len(noise) {
		t.Fatalf("found at %d to %d, %v", start, end, err)
	}
	f, n := parse(noise[start:end])
	if n != len(answer) || !bytes.Equal(f.data, unhex(t, "BA 01 2B FF FF")) || f.from != shade || f.to != master {
		t.Errorf("it says %+v", f)
	}
	for cut := range len(noise) {
		if _, end, _ := look(noise[:cut]); end != 0 {
			t.Errorf("found in the first %d of %d bytes", cut, len(noise))
		}
	}
	for i := range answer {
		broken := slices.Clone(answer)
		broken[i] ^= 0x10
		if _, end, _ := look(broken); end != 0 {
			t.Errorf("found with byte %d broken", i)
		}
	}
}

func TestAnswersOfOthersPassBy(t *testing.T) {
	for what, c := range map[string]struct {
		frame []byte
		from  address
		want  byte
	}{
		"another motor's position":    {unhex(t, report), address{7, 0x68, 0xC1}, messagePlace},
		"a position, after a command": {unhex(t, report), shade, messageAck},
		"our own request, heard back": {encode(messageAskPlace, 2, shade), shade, messagePlace},
	} {
		if start, end, err := find(c.from, c.want, 0)(c.frame); end != 0 || err != nil {
			t.Errorf("%s was taken: %d to %d, %v", what, start, end, err)
		}
	}
}

func TestAddressesAreThreeBytesAndNotEverybody(t *testing.T) {
	for _, good := range []string{"07.68.C0", "0768c0", "07:68:C0", "07 68 C0"} {
		if got, err := parseAddress(good); got != shade || err != nil {
			t.Errorf("%q: %s, %v", good, got, err)
		}
	}
	for _, bad := range []string{"", "0768", "07.68.C0.11", "zz.zz.zz", "FF.FF.FF", "00.00.00", "00.FF.FF"} {
		if got, err := parseAddress(bad); err == nil {
			t.Errorf("%q was read as %s", bad, got)
		}
	}
}

func TestHeightsAreTurnedOverUnlessReversed(t *testing.T) {
	for _, c := range []struct {
		data     byte
		reversed bool
		want     int
	}{{0x2B, false, 57}, {0x2B, true, 43}, {0, false, 100}, {100, false, 0}, {100, true, 100}} {
		if got, known, err := height(c.data, c.reversed); got != c.want || !known || err != nil {
			t.Errorf("%d, reversed %v: %d, %v, %v", c.data, c.reversed, got, known, err)
		}
	}
	if _, known, err := height(0xFF, false); known || err != nil {
		t.Errorf("FF is known: %v, %v", known, err)
	}
	if _, _, err := height(101, true); !errors.Is(err, line.ErrGarbled) {
		t.Errorf("101 gave %v", err)
	}
}

func TestAMotorThatIsBlockedOrLockedStandsStill(t *testing.T) {
	for _, c := range []struct {
		state, direction byte
		reversed         bool
		want             devices.Motion
	}{
		{0, 1, false, devices.Stop}, {1, 1, false, devices.Up}, {1, 0, false, devices.Down}, {1, 1, true, devices.Down}, {1, 0, true, devices.Up},
		{2, 1, false, devices.Stop}, {3, 0, false, devices.Stop}, {0, 0xFF, false, devices.Stop},
	} {
		if got, err := motion(c.state, c.direction, c.reversed); got != c.want || err != nil {
			t.Errorf("state %d, direction %d: %q, %v; want %q", c.state, c.direction, got, err, c.want)
		}
	}
	for _, c := range [][2]byte{{4, 0}, {1, 0xFF}} {
		if got, err := motion(c[0], c[1], false); !errors.Is(err, line.ErrGarbled) {
			t.Errorf("state %d, direction %d gave %q, %v", c[0], c[1], got, err)
		}
	}
}

// TestWhatIsSentIsRead holds for every motor and message, with anything that begins no frame in front.
func TestWhatIsSentIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		to := address(rapid.SliceOfN(rapid.Byte(), 3, 3).Draw(t, "to"))
		message := rapid.Byte().Draw(t, "message")
		data := rapid.SliceOfN(rapid.Byte(), 0, frameMost-frameLeast).Draw(t, "data")
		sent := encode(message, 2, to, data...)
		f, n := parse(sent)
		if n != len(sent) || f.message != message || f.to != to || f.from != master || !bytes.Equal(f.data, data) {
			t.Fatalf("sent % X, read %+v", sent, f)
		}
	})
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{report, "F3 74 FD 00 00 FF 3F 97 F8 05 31", "F2 EF F2 EF", "90 F3 DF 3F 97 F8 00 00 FF EF 05 D4"} {
		f.Add(unhex(f, seed))
	}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		for _, look := range []func([]byte) (int, int, error){find(shade, messageAck, 0), find(shade, messagePlace, 3), find(shade, messageState, 2)} {
			start, end, err := look(got)
			if err != nil || start < 0 || end > len(got) || end != 0 && end-start < frameLeast {
				t.Fatalf("%d to %d of %d, %v", start, end, len(got), err)
			}
			if end == 0 {
				continue
			}
			if answer, n := parse(got[start:end]); n != end-start || answer.from != shade {
				t.Fatalf("% X is no answer", got[start:end])
			}
			_ = explain(got[start:end])
		}
		_ = explain(got)
	})
}
