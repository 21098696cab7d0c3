package recording

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lectern/devices/devicetest/fuzz"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	entries := []Entry{
		{Time: "15:48:54.082", Dir: "tx", Bytes: []byte("PWR?\r"), Row: 2},
		{Time: "15:48:54.095", Dir: "rx", Bytes: []byte{0xA5, 0x22, 0x5C, 0x00}, Expect: "power on", Row: 3},
		{Time: "15:48:54.100", Dir: "rx", Bytes: []byte("= 50"), Cut: true, Row: 4},
		{Time: "15:48:54.200", Dir: "tx", Row: 5},
		{Time: "15:48:54.300", Dir: "event", Note: `closed: "it" = gone`, Row: 6},
	}
	var text bytes.Buffer
	if err := WriteHead(&text, "projector"); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := Write(&text, e); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(&text)
	if err != nil || got.Line != "projector" {
		t.Fatalf("%+v, %v", got, err)
	}
	if diff := cmp.Diff(entries, got.Entries); diff != "" {
		t.Error(diff)
	}
}

func TestMistakesAreSaidWithTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"# a remark\n\n12:00:00.000 up 50":               `line 3: "up" is no direction`,
		"12:00:00.000 tx 5":                              `line 1: "5" is no byte`,
		"12:00:00.000 tx 50 \"abc":                       "has no end",
		strings.Repeat("12:00:00 tx 50\n", entryMost+1):  "at most",
		"12:00:00 tx " + strings.Repeat("50 ", lineMost): "too long",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("# lectern recording 1, line projector\n15:48:54.082 tx 50 0D \"P\\r\" = power on\n")
	f.Add("15:48:54.082 event \"closed\"\n")
	fuzz.Run(f, func(t *testing.T, text string) {
		got, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		var again bytes.Buffer
		for _, e := range got.Entries {
			if err := Write(&again, e); err != nil {
				t.Fatal(err)
			}
		}
		back, err := Read(&again)
		if err != nil || len(back.Entries) != len(got.Entries) {
			t.Fatalf("%q was written as %q: %v", text, again.String(), err)
		}
		for i, e := range got.Entries {
			if !bytes.Equal(e.Bytes, back.Entries[i].Bytes) || e.Expect != back.Entries[i].Expect {
				t.Errorf("%+v came back as %+v", e, back.Entries[i])
			}
		}
	})
}
