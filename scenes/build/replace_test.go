package build

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/scenes/automatic"
	"lectern/scenes/journal"
)

// again reads a room file that has been moved about: more lines above, so that every place is another.
func again(t *testing.T, path string) *configs.Room {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := configs.Parse(path, append([]byte("# one more line\n\n"), bytes.ReplaceAll(data, []byte("\n\n"), []byte("\n\n\n"))...), all.Catalogue(), secrets)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// secrets has one for every name.
func secrets(string) (string, bool) { return "a-secret-of-more-than-twenty", true }

func TestAFileThatSaysTheSameInOtherPlacesKeepsEveryLineOfEveryExample(t *testing.T) {
	files, err := filepath.Glob("../../configs/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../configs/examples/*.yaml")
	if err != nil || len(files) < 3 || len(more) < 10 {
		t.Fatal(err, len(files), len(more))
	}
	for _, path := range append(files, more...) {
		before, err := configs.Load(path, all.Catalogue(), secrets)
		if err != nil {
			t.Fatal(err)
		}
		same := keeps(wirings(before), wirings(again(t, path)))
		for _, l := range before.Lines {
			if !same[l.ID] {
				t.Errorf("%s: line %s would be opened anew", path, l.ID)
			}
		}
	}
}

func TestWhatChangesALineAndWhatDoesNot(t *testing.T) {
	path := "../../configs/demo.yaml"
	device := func(r *configs.Room, id string) *configs.Device {
		return &r.Devices[slices.IndexFunc(r.Devices, func(d configs.Device) bool { return d.ID == id })]
	}
	for _, c := range []struct {
		what   string
		change func(*configs.Room)
		closed []string
	}{
		{"names", func(r *configs.Room) {
			for i := range r.Devices {
				r.Devices[i].Name.EN += "!"
				r.Devices[i].Area = "staff"
			}
		}, nil},
		{"mains and volume", func(r *configs.Room) { device(r, "dvd").Mains, device(r, "recorder").Volume = "", "" }, nil},
		{"the order of devices", func(r *configs.Room) { slices.Reverse(r.Devices) }, nil},
		{"a speed", func(r *configs.Room) { r.Lines[1].Baud = 4800 }, []string{"rack"}},
		{"a level", func(r *configs.Room) { device(r, "spot-1").Levels[0].Percent++ }, []string{"bus"}},
		{"a port's code", func(r *configs.Room) { device(r, "matrix").Inputs[0].Code = "7" }, []string{"matrix"}},
		{"a travel", func(r *configs.Room) { device(r, "rear-curtain").Travel = time.Minute }, []string{"bus"}},
		{"a limit", func(r *configs.Room) { most := 70; device(r, "dvd").Limit = &configs.Limit{Max: &most} }, []string{"player"}},
		{"a device that moves", func(r *configs.Room) { device(r, "dvd").Line = "projector" }, []string{"player", "projector"}},
		{"a device that goes", func(r *configs.Room) {
			r.Devices = slices.DeleteFunc(r.Devices, func(d configs.Device) bool { return d.ID == "dvd" })
		}, []string{"player"}},
		// The screen hangs on both, so with one of its lines the other goes, and all on it.
		{"a motor on two lines", func(r *configs.Room) { r.Lines[1].Baud = 4800 }, []string{"rack", "bus"}},
	} {
		before, err := configs.Load(path, all.Catalogue(), os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		after := again(t, path)
		if c.what == "a motor on two lines" {
			for _, r := range []*configs.Room{before, after} {
				device(r, "screen").Relays.Down.Line = "rack"
			}
		}
		c.change(after)
		same := keeps(wirings(before), wirings(after))
		var closed []string
		for _, l := range before.Lines {
			if !same[l.ID] {
				closed = append(closed, l.ID)
			}
		}
		slices.Sort(closed)
		slices.Sort(c.closed)
		if !slices.Equal(closed, c.closed) {
			t.Errorf("%s: closes %v, want %v (kept %v)", c.what, closed, c.closed, slices.Sorted(maps.Keys(same)))
		}
	}
}

func TestAFaultLeavesTheRoomAsItWas(t *testing.T) {
	cfg, parts := load(t, "demo.yaml")
	lines, devices := parts.Lines(), parts.Room.Devices()
	broken := *cfg
	broken.Guards = append(slices.Clone(cfg.Guards), configs.Guard{ID: "x", Set: map[string]configs.Words{"nobody.power": {true}}})
	if _, err := parts.Replace(&broken); err == nil {
		t.Error("a guard on what is not there was taken")
	}
	broken = *cfg
	broken.Devices = append(slices.Clone(cfg.Devices), cfg.Devices[0])
	if _, err := parts.Replace(&broken); err == nil {
		t.Error("a device that is there twice was taken")
	}
	if !slices.Equal(parts.Lines(), lines) || !slices.Equal(parts.Room.Devices(), devices) {
		t.Error("the room is another")
	}
}

// What was switched off stays off, also over a time without it; what has gone is not told of any more.
func TestWhatHappensByItselfIsReplaced(t *testing.T) {
	cfg, parts := load(t, filepath.Join("examples", "automatic.yaml"))
	if _, err := parts.Board.Switch(automatic.Schedule, "close", false, journal.By{}); err != nil {
		t.Fatal(err)
	}
	listed := func() (on []string) {
		for _, a := range parts.Board.List() {
			on = append(on, fmt.Sprint(a.Kind, " ", a.ID, " ", a.Name.EN, " ", a.On))
		}
		if n := len(parts.Room.State().Automatic); n != len(on) {
			t.Errorf("the panels are told of %d of %d", n, len(on))
		}
		return on
	}
	without := *cfg
	without.Schedule, without.Emergency = cfg.Schedule[:1], nil
	named := *cfg
	named.Schedule = slices.Clone(cfg.Schedule)
	named.Schedule[1].Name.EN = "Late"
	for _, c := range []struct {
		cfg  *configs.Room
		want []string
	}{
		{&without, []string{"schedule open Morning true", "auto_off empty Empty room true"}},
		{&named, []string{"schedule open Morning true", "schedule close Late false", "auto_off empty Empty room true"}},
	} {
		if _, err := parts.Replace(c.cfg); err != nil {
			t.Fatal(err)
		}
		if got := listed(); !slices.Equal(got, c.want) {
			t.Errorf("the board lists %q, want %q", got, c.want)
		}
		if (parts.Emergency == nil) != (c.cfg.Emergency == nil) {
			t.Errorf("the emergency is %+v", parts.Emergency)
		}
	}
}

// While the alarm lasts nothing is taken that would make it another one; what leaves it alone is.
func TestAnAlarmThatLastsIsNotReplaced(t *testing.T) {
	cfg, parts := load(t, filepath.Join("examples", "automatic.yaml"))
	parts.Board.NoteAlarm(true)
	lines, obeyed := parts.Lines(), parts.Emergency
	for what, emergency := range map[string]func(configs.Emergency) *configs.Emergency{
		"none":           func(configs.Emergency) *configs.Emergency { return nil },
		"another reason": func(e configs.Emergency) *configs.Emergency { e.Reason.EN = "Drill"; return &e },
		"other wishes":   func(e configs.Emergency) *configs.Emergency { e.Set = map[string]any{"lamps.power": true}; return &e },
	} {
		other := *cfg
		other.Emergency, other.Lines = emergency(*cfg.Emergency), slices.Clone(cfg.Lines)
		other.Lines[0].Baud = 4800
		if _, err := parts.Replace(&other); err == nil || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("%s: %v", what, err)
		}
		if !slices.Equal(parts.Lines(), lines) || parts.Emergency != obeyed {
			t.Errorf("%s: half of it was done", what)
		}
	}
	other := *cfg
	other.Rules, other.Schedule = nil, nil
	if _, err := parts.Replace(&other); err != nil || parts.Emergency != obeyed {
		t.Errorf("what leaves the alarm alone: %v", err)
	}
}
