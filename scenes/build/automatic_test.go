package build

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"lectern/configs"
	"lectern/devices"
)

// The words of the room file come out as times by the clock on the wall.
func TestAScheduleIsReadAsItIsWritten(t *testing.T) {
	_, parts := load(t, filepath.Join("examples", "automatic.yaml"))
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]string{
		{"02-03 07:30", "02-04 07:30", "02-12 07:30", "02-13 07:30", "02-15 07:30"}, // the Spring Festival rests, its Saturday is worked
		{"02-03 22:00", "02-04 22:00", "02-05 22:00", "02-06 22:00", "02-07 22:00"}, // holidays: run
	} {
		at := time.Date(2027, 2, 3, 0, 0, 0, 0, zone)
		var got []string
		for range want {
			at = parts.Schedule.Entries[i].When.Next(at)
			got = append(got, at.Format("01-02 15:04"))
		}
		if !slices.Equal(got, want) {
			t.Errorf("entry %d comes at %v, want %v", i+1, got, want)
		}
	}
}

func TestWhatHappensByItselfIsBuilt(t *testing.T) {
	_, parts := load(t, filepath.Join("examples", "automatic.yaml"))
	e := parts.Emergency
	if e == nil || e.Contact.String() != "fire-alarm.contact" || !slices.Equal(e.Contact.Values, []devices.Value{devices.Bool(false)}) || len(e.Set) != 2 || e.Reason.ZH == "" {
		t.Errorf("the emergency is %+v", e)
	}
	w := parts.Vacancy
	if len(w.Entries) != 1 || w.Entries[0].Absent != 20*time.Minute || w.Entries[0].Showing != 2*time.Hour || w.Entries[0].Warn != 2*time.Minute {
		t.Errorf("the auto-off is %+v", w.Entries)
	}
	var listed []string
	for _, a := range parts.Board.List() {
		listed = append(listed, a.Kind+" "+a.ID)
	}
	if want := []string{"schedule open", "schedule close", "auto_off empty"}; !slices.Equal(listed, want) {
		t.Errorf("the board lists %v, want %v", listed, want)
	}
	_, parts = load(t, "demo.yaml")
	if w = parts.Vacancy; !slices.Equal(w.Screens, []string{"projector"}) || !slices.Equal(w.Choosers, []string{"sources"}) || w.Players["dvd"] != "dvd" || !slices.Equal(w.Recorders, []string{"recorder"}) {
		t.Errorf("what shows that a room is in use: %+v", w)
	}
	if parts.Emergency != nil {
		t.Error("the demo has no alarm")
	}
}

// A visitor of the demo must not see the lights go: what it does by itself comes in the small hours, and asks.
func TestTheDemoDoesNothingByItselfByDay(t *testing.T) {
	cfg, parts := load(t, "demo.yaml")
	at := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	for range 10 {
		at = parts.Schedule.Entries[0].When.Next(at)
		if at.Weekday() != time.Sunday || at.Hour() != 4 {
			t.Errorf("the schedule acts on %s", at)
		}
	}
	if a := cfg.AutoOff[0]; a.Untouched < 2*time.Hour || a.Warn < 5*time.Minute || a.From != "00:00" {
		t.Errorf("the auto-off is %+v", a)
	}
	var spans []configs.Span
	if spans = cfg.Resting; len(spans) != 3 || !spans[1].Has("2027-02-07") || spans[1].Has("2027-02-12") {
		t.Errorf("holidays are %v", spans)
	}
}
