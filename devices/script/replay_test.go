package script

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"lectern/devices/line"
	"lectern/devices/recording"
)

// scripted decodes settings for a kind of device.
func scripted(t testing.TB, kind, text string) *Settings {
	t.Helper()
	s := &Settings{}
	if err := yaml.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	s.For(kind, map[string][]string{"input": {"1", "2"}, "output": {"1", "2"}})
	return s
}

// inFile takes the first protocol of a file into settings.
func inFile(t testing.TB, kind, path string) *Settings {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Protocols []Protocol `yaml:"protocols"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	s := &Settings{Protocol: file.Protocols[0]}
	s.For(kind, map[string][]string{"input": {"30", "A0"}})
	return s
}

func rows(t *testing.T, s *Settings, text string) []Row {
	t.Helper()
	rec, err := recording.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := Replay([]Actor{{ID: "device", Line: line.Serial, Settings: s}}, rec)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestARecordingIsReadAsOnALine(t *testing.T) {
	got := rows(t, inFile(t, "projector", "testdata/epson.yaml"), `
# lectern recording 1, line projector
12:00:00 tx 50 57 52 3F 0D          "PWR?\r"
12:00:01 rx 50 57 52 3D 30 32 0D 3A "PWR=02\r:"     = power warming
12:00:02 tx 50 57 52 3F 0D
12:00:03 rx 49 4D 3D 31 0D 3A 50 57 52 3D 30 31 0D 3A  = power off
12:00:04 tx 53 4F 55 52 43 45 20 41 30 0D   "SOURCE A0\r"
12:00:05 rx 3A
12:00:06 tx 50 57 52 20 4F 46 46 0D
12:00:07 rx 45 52 52 0D 3A
12:00:08 tx 4C 41 4D 50 3F 0D
12:00:09 rx 4C 41 4D 50 3D 78 0D 3A
12:00:10 tx 45 52 52 3F 0D
12:00:11 tx 53 4E 4F 3F 0D  "SNO?\r"
12:00:12 rx 53 4E 4F 3D 31 0D 3A
`)
	want := []struct{ what, means, problem string }{
		{"ask power", "power warming", ""},
		{"ask power", "power on", "line 6 of the recording says"},
		{"unasked", "passed over", ""},
		{"input A0", "acknowledged", ""},
		{"off", "refused: ERR: The projector does not take this command now", ""},
		{"ask hours", "", "nothing that came is a reply to it"},
		{"unasked", "passed over", ""},
		{"ask fault", "no reply came", ""},
		{"SNO?", "not of these scripts", ""},
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows: %+v", len(got), got)
	}
	for i, w := range want {
		if r := got[i]; r.What != w.what && !strings.HasPrefix(r.What, w.what) || r.Means != w.means || !strings.Contains(r.Problem, w.problem) || (r.Problem == "") != (w.problem == "") {
			t.Errorf("row %d is %+v, want %+v", i+1, r, w)
		}
	}
}

func TestARecordingOfABusIsSearched(t *testing.T) {
	s := scripted(t, "circuit", `
protocol:
  id: rack
  bus: rack
  commands:
    "on": {hex: "5B {channel:02X} 01", reply_hex: "5B AA"}
    "off": {hex: "5B {channel:02X} 00", reply_hex: "5B AA"}
  queries: {state: {hex: "5B 00", reply_hex: "5B BB {c1} {c2}", take: {power: "c{channel}"}}}
  values: {power: {words: {"00": off, "01": on}}}
channel: 2
`)
	got := rows(t, s, "1 tx 5B 00\n2 rx FF 5B BB 00 01\n3 tx 5B 02 01\n4 rx 5B AA\n5 tx 5B 00\n6 rx 5B BB 00 07\n")
	if len(got) != 3 || got[0].Means != "power on" || got[1].Means != "acknowledged" || !strings.Contains(got[2].Problem, "no word in the table") {
		t.Errorf("%+v", got)
	}
}

func TestTheSameInARowIsShownOnce(t *testing.T) {
	s := inFile(t, "projector", "testdata/epson.yaml")
	one := "1 tx 50 57 52 3F 0D\n2 rx 50 57 52 3D 30 30 0D 3A\n"
	if got := rows(t, s, one+one+one); len(got) != 1 || got[0].Again != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAReplyThatWasCutIsNotJudged(t *testing.T) {
	got := rows(t, inFile(t, "projector", "testdata/epson.yaml"), "1 tx 50 57 52 3F 0D\n2 rx 50 57 52 ...\n")
	if len(got) != 1 || !strings.Contains(got[0].Problem, "only the beginning") {
		t.Errorf("%+v", got)
	}
}
