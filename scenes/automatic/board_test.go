package automatic

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// ear keeps what is logged.
type ear struct{ strings.Builder }

func open(t *testing.T, store Store) (*Board, *room.Room, *ear) {
	t.Helper()
	e := &ear{}
	log := slog.New(slog.NewTextHandler(e, nil))
	r, err := room.New(room.Config{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	b := New(r, store, journal.Open("", log), log)
	b.Add(Rule, "rain", devices.Phrase{EN: "Rain"})
	b.Add(Schedule, "rain", devices.Phrase{EN: "Rain at eight"})
	return b, r, e
}

var by = journal.By{Via: "panel", Name: "system"}

func TestWhatIsKeptIsThereAgain(t *testing.T) {
	file := File{filepath.Join(t.TempDir(), "automatic.json")}
	b, r, _ := open(t, file)
	if _, err := b.Switch(Rule, "rain", false, by); err != nil {
		t.Fatal(err)
	}
	b.Did(Schedule, "rain", devices.OutcomeOf(&devices.Refusal{Reason: devices.Phrase{EN: "Wet"}}))
	b.NoteAlarm(true)
	if told := r.State().Automatic; len(told) != 2 {
		t.Errorf("the panels are told %+v", told)
	}
	b, _, _ = open(t, file)
	list := b.List()
	if list[0].On || !list[1].On || list[1].Outcome != "refused" || list[1].Reason.EN != "Wet" || list[1].Last.IsZero() || !b.Alarm() {
		t.Errorf("after a restart: %+v, alarm %v", list, b.Alarm())
	}
	b.NoteAlarm(false)
	if b, _, _ = open(t, file); b.Alarm() {
		t.Error("an alarm that is over came back")
	}
}

func TestAFileThatCannotBeReadIsToldAndLeavesAllOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "automatic.json")
	if err := os.WriteFile(path, []byte(`{"rule rain": {"off": tr`), 0o600); err != nil {
		t.Fatal(err)
	}
	b, _, log := open(t, File{path})
	if !b.On(Rule, "rain") || !strings.Contains(log.String(), "cannot be read") || !strings.Contains(log.String(), path) {
		t.Errorf("on %v, told %s", b.On(Rule, "rain"), log)
	}
}

// full is a disk without space.
type full struct{}

func (full) Load() (map[string]Kept, error) { return nil, nil }
func (full) Save(map[string]Kept) error     { return errors.New("no space left on device") }

func TestAFullDiskStopsNothing(t *testing.T) {
	b, _, log := open(t, full{})
	if a, err := b.Switch(Rule, "rain", false, by); err != nil || a.On || b.On(Rule, "rain") {
		t.Errorf("%+v %v", a, err)
	}
	if !strings.Contains(log.String(), "no space left") {
		t.Errorf("told %s", log)
	}
	missing := File{filepath.Join(t.TempDir(), "nowhere", "automatic.json")}
	if err := missing.Save(nil); err == nil || !strings.Contains(err.Error(), missing.Path) {
		t.Errorf("a folder that is not there: %v", err)
	}
}
