package dooya

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
	fresh, set := id{0xFE, 0xFE}, id{0x12, 0x34}
	for _, c := range []struct {
		what string
		got  []byte
		want string
	}{
		{"open FE FE", encode(fresh, functionControl, commandOpen), "55 FE FE 03 01 B9 24"},
		{"open 12 34", encode(set, functionControl, commandOpen), "55 12 34 03 01 AD 8A"},
		{"close FE FE", encode(fresh, functionControl, commandClose), "55 FE FE 03 02 F9 25"},
		{"close 12 34", encode(set, functionControl, commandClose), "55 12 34 03 02 ED 8B"},
		{"stop FE FE", encode(fresh, functionControl, commandStop), "55 FE FE 03 03 38 E5"},
		{"stop 12 34", encode(set, functionControl, commandStop), "55 12 34 03 03 2C 4B"},
		{"go to 50 %", encode(fresh, functionControl, commandGoTo, 50), "55 FE FE 03 04 32 67 37"},
		{"go to 30 %", encode(set, functionControl, commandGoTo, 30), "55 12 34 03 04 1E C8 E5"},
		{"read position FE FE", encode(fresh, functionRead, registerPosition, 1), "55 FE FE 01 02 01 85 42"},
		{"read position 12 34", encode(set, functionRead, registerPosition, 1), "55 12 34 01 02 01 2B 4D"},
		{"read status FE FE", encode(fresh, functionRead, registerStatus, 1), "55 FE FE 01 05 01 87 72"},
		{"read status 12 34", encode(set, functionRead, registerStatus, 1), "55 12 34 01 05 01 29 7D"},
		{"open 01 00, as in wb-mqtt-serial", encode(id{1, 0}, functionControl, commandOpen), "55 01 00 03 01 E8 C0"},
	} {
		if want := unhex(t, c.want); !bytes.Equal(c.got, want) {
			t.Errorf("%s: % X, the manual has % X", c.what, c.got, want)
		}
	}
}

func TestRepliesOfTheManualAreFound(t *testing.T) {
	m := id{0x12, 0x34}
	for _, c := range []struct {
		what   string
		frame  string
		find   func([]byte) (int, int, error)
		failed bool
	}{
		{"open acknowledged", "55 12 34 03 01 AD 8A", findControl(m, commandOpen), false},
		{"stop acknowledged", "55 12 34 03 03 2C 4B", findControl(m, commandStop), false},
		{"open refused", "55 01 01 03 01 FF 81 F2", findControl(id{1, 1}, commandOpen), true},
		{"go to acknowledged", "55 12 34 03 04 1E C8 E5", findGoTo(m, 30), false},
		{"go to without a stroke", "55 12 34 03 04 FF 08 AD", findGoTo(m, 30), true},
		{"position", "55 12 34 01 01 1E 6A 75", findRead(m), false},
		{"no stroke", "55 12 34 01 01 FF AA 3D", findRead(m), true},
	} {
		frame := unhex(t, c.frame)
		noise := append([]byte{0x55, 0x12, 0x00, 0x55}, frame...)
		start, end, err := c.find(noise)
		if err != nil || start != 4 || end != len(noise) {
			t.Errorf("%s: found at %d to %d, %v; it stands at 4 to %d", c.what, start, end, err, len(noise))
			continue
		}
		if got := isError(noise[start:end]); got != c.failed {
			t.Errorf("%s: an error is %v, want %v", c.what, got, c.failed)
		}
		for cut := range len(noise) {
			if _, end, _ := c.find(noise[:cut]); end != 0 {
				t.Errorf("%s: found in the first %d of %d bytes", c.what, cut, len(noise))
			}
		}
		for i := range frame {
			broken := slices.Clone(frame)
			broken[i] ^= 0x10
			if _, end, _ := c.find(broken); end != 0 {
				t.Errorf("%s: found with byte %d broken", c.what, i)
			}
		}
	}
}

func TestRepliesOfOthersPassBy(t *testing.T) {
	m := id{0x12, 0x34}
	for what, c := range map[string]struct {
		frame string
		find  func([]byte) (int, int, error)
	}{
		"the position of another motor":      {"55 01 00 01 01 1E E1 86", findRead(m)},
		"an acknowledged stop, after open":   {"55 12 34 03 03 2C 4B", findControl(m, commandOpen)},
		"the acknowledgement of another 30%": {"55 12 34 03 04 1E C8 E5", findGoTo(m, 50)},
		"the request for a position":         {"55 12 34 01 02 01 2B 4D", findRead(m)},
		"a new motor asking for an id":       {"55 FE FE 04 01 BB 14", findControl(id{0xFE, 0xFE}, commandOpen)},
	} {
		if start, end, err := c.find(unhex(t, c.frame)); end != 0 || err != nil {
			t.Errorf("%s was taken: %d to %d, %v", what, start, end, err)
		}
	}
}

func TestIDsAreTwoBytesAndNotEverybody(t *testing.T) {
	for _, good := range []string{"12 34", "1234", "fe FE"} {
		if _, err := parseID(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "12", "12 34 56", "xy zz", "00 00"} {
		if got, err := parseID(bad); err == nil {
			t.Errorf("%q was read as %s", bad, got)
		}
	}
}

func TestPositionsAndStatusesOutsideTheManualAreGarbled(t *testing.T) {
	if p, known, err := position(0x1E); p != 30 || !known || err != nil {
		t.Errorf("1E is %d, %v, %v", p, known, err)
	}
	if _, known, err := position(0xFF); known || err != nil {
		t.Errorf("FF is known: %v, %v", known, err)
	}
	if _, _, err := position(101); !errors.Is(err, line.ErrGarbled) {
		t.Errorf("101 gave %v", err)
	}
	for data, want := range map[byte]devices.Motion{0: devices.Stop, 1: devices.Up, 2: devices.Down, 3: devices.Stop} {
		if got, err := motion(data); got != want || err != nil {
			t.Errorf("status %d is %q, %v; want %q", data, got, err, want)
		}
	}
	if _, err := motion(4); !errors.Is(err, line.ErrGarbled) {
		t.Errorf("status 4 gave %v", err)
	}
}

// TestWhatIsSentIsFound holds for every motor and command, with any noise in front.
func TestWhatIsSentIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := id{rapid.Byte().Draw(t, "high"), rapid.Byte().Draw(t, "low")}
		command := rapid.SampledFrom([]byte{commandOpen, commandClose, commandStop}).Draw(t, "command")
		noise := rapid.SliceOfN(rapid.ByteRange(0, 0x54), 0, 40).Draw(t, "noise")
		frame := encode(m, functionControl, command)
		start, end, err := findControl(m, command)(append(slices.Clone(noise), frame...))
		if err != nil || start != len(noise) || end != len(noise)+len(frame) {
			t.Fatalf("%d to %d, %v", start, end, err)
		}
		failed := encode(m, functionControl, command, refused)
		start, end, err = findControl(m, command)(failed)
		if err != nil || start != 0 || end != len(failed) || !isError(failed[start:end]) {
			t.Fatalf("error reply: %d to %d, %v", start, end, err)
		}
	})
}

func FuzzReplies(f *testing.F) {
	for _, seed := range []string{"55 12 34 03 01 AD 8A", "55 12 34 03 04 FF 08 AD", "55 12 34 01 01 1E 6A 75", "55 55 12 34"} {
		f.Add(unhex(f, seed))
	}
	m := id{0x12, 0x34}
	fuzz.Run(f, func(t *testing.T, got []byte) {
		for _, find := range []func([]byte) (int, int, error){findControl(m, commandOpen), findGoTo(m, 30), findRead(m)} {
			start, end, err := find(got)
			if err != nil || start < 0 || end > len(got) || end != 0 && start >= end {
				t.Fatalf("%d to %d of %d, %v", start, end, len(got), err)
			}
			if end != 0 && !whole(got[start:end]) {
				t.Fatalf("% X is no frame", got[start:end])
			}
		}
		_ = explain(got)
	})
}
