package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/robfig/cron/v3"
	"pgregory.net/rapid"
)

func line(t interface{ Fatal(...any) }, s string) cron.Schedule {
	made, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

const stamp = "2006-01-02 15:04:05 -0700"

func TestTheNextTimeIsByTheClockOnTheWall(t *testing.T) {
	holiday := func(day string) bool { return "2027-02-05" <= day && day <= "2027-02-11" }
	for _, c := range []struct{ what, zone, line, from, want string }{
		{"a plain morning", "Asia/Shanghai", "30 7 * * *", "2026-11-24 06:00:00 +0800", "2026-11-24 07:30, 2026-11-25 07:30"},
		{"at the very time it is the next", "Asia/Shanghai", "30 7 * * *", "2026-11-24 07:30:00 +0800", "2026-11-25 07:30"},
		{"Friday to Monday", "Asia/Shanghai", "0 22 * * 1-5", "2026-11-27 22:00:00 +0800", "2026-11-30 22:00"},
		{"over the Spring Festival", "Asia/Shanghai", "30 7 * * *", "2027-02-04 08:00:00 +0800", "2027-02-12 07:30"},
		{"a leap day", "Asia/Shanghai", "0 0 29 2 *", "2026-01-01 00:00:00 +0800", "2028-02-29 00:00"},
		// Europe goes from 02:00 to 03:00 on 28 March 2027, and from 03:00 to 02:00 on 31 October 2027.
		{"what is left out comes after the gap", "Europe/Berlin", "30 2 * * *", "2027-03-27 12:00:00 +0100", "2027-03-28 03:00, 2027-03-29 02:30"},
		{"all that is left out comes once", "Europe/Berlin", "*/15 2,3 * * *", "2027-03-28 01:59:00 +0100", "2027-03-28 03:00, 2027-03-28 03:15"},
		{"what is there twice comes once", "Europe/Berlin", "30 2 * * *", "2027-10-30 12:00:00 +0200", "2027-10-31 02:30 +0200, 2027-11-01 02:30"},
		{"between the two it is over", "Europe/Berlin", "30 2 * * *", "2027-10-31 02:10:00 +0100", "2027-11-01 02:30 +0100"},
		{"the hour after comes", "Europe/Berlin", "0 3 * * *", "2027-10-31 02:40:00 +0200", "2027-10-31 03:00 +0100"},
		{"New York goes forward", "America/New_York", "30 2 * * *", "2027-03-13 12:00:00 -0500", "2027-03-14 03:00 -0400, 2027-03-15 02:30"},
		{"New York goes back", "America/New_York", "30 1 * * *", "2027-11-06 12:00:00 -0400", "2027-11-07 01:30 -0400, 2027-11-08 01:30 -0500"},
		// Lord Howe changes by half an hour: from 02:00 to 02:30 on 3 October 2027, from 02:00 to 01:30 on 4 April 2027.
		{"half an hour is left out", "Australia/Lord_Howe", "15 2 * * *", "2027-10-02 12:00:00 +1030", "2027-10-03 02:30 +1100, 2027-10-04 02:15"},
		{"and what is right after it stays", "Australia/Lord_Howe", "45 2 * * *", "2027-10-02 12:00:00 +1030", "2027-10-03 02:45 +1100"},
		{"half an hour is there twice", "Australia/Lord_Howe", "45 1 * * *", "2027-04-03 12:00:00 +1100", "2027-04-04 01:45 +1100, 2027-04-05 01:45 +1030"},
		// Midnight itself is left out in Beirut.
		{"a day that begins at one", "Asia/Beirut", "0 0 * * *", "2027-03-27 12:00:00 +0200", "2027-03-28 01:00 +0300, 2027-03-29 00:00"},
		{"a day that was never there", "Pacific/Apia", "0 12 * * *", "2011-12-29 13:00:00 -1000", "2011-12-31 00:00 +1400, 2011-12-31 12:00"},
	} {
		w := When{Zone: zone(t, c.zone), Lines: []cron.Schedule{line(t, c.line)}, Skip: holiday}
		at, err := time.Parse(stamp, c.from)
		if err != nil {
			t.Fatal(err)
		}
		for want := range strings.SplitSeq(c.want, ", ") {
			at = w.Next(at)
			if got := at.Format("2006-01-02 15:04 -0700"); !strings.HasPrefix(got, want) {
				t.Errorf("%s, %s: %s, want %s", c.zone, c.what, got, want)
			}
		}
	}
}

func TestExtraDaysComeWhateverTheOthers(t *testing.T) {
	z := zone(t, "Asia/Shanghai")
	w := When{
		Zone: z, Lines: []cron.Schedule{line(t, "30 7 * * 1-5")}, Also: []cron.Schedule{line(t, "30 7 * * *")},
		Extra: func(day string) bool { return day == "2027-02-13" || day == "2027-02-15" },
		Skip:  func(day string) bool { return day <= "2027-02-13" },
	}
	at := time.Date(2027, 2, 1, 0, 0, 0, 0, z)
	for _, want := range []string{"2027-02-13", "2027-02-15", "2027-02-16"} { // a Saturday, a Monday that is named twice, a Tuesday
		if at = w.Next(at); at.Format(time.DateOnly) != want {
			t.Errorf("%s, want %s", at, want)
		}
	}
	never := When{Zone: z, Lines: w.Lines, Skip: func(string) bool { return true }}
	if got := never.Next(at); !got.IsZero() {
		t.Errorf("it comes at %s, and every day is left out", got)
	}
	if got := (When{Zone: z}).Next(at); !got.IsZero() {
		t.Errorf("nothing comes at %s", got)
	}
}

// Whatever the zone, year and minute of the day: one time for each day, in order, on the wall at that time or at the
// end of a gap that has it.
func TestADailyTimeComesOnceADayInEveryZone(t *testing.T) {
	zones := []string{"Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "America/St_Johns", "Pacific/Chatham", "Africa/Casablanca", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		z := zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))
		minute := rapid.IntRange(0, 24*60-1).Draw(t, "minute")
		w := When{Zone: z, Lines: []cron.Schedule{line(t, fmt.Sprintf("%d %d * * *", minute%60, minute/60))}}
		at := time.Date(rapid.IntRange(2020, 2035).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), 1, 0, 0, 0, 0, z)
		day := w.Next(at)
		for range 60 {
			next := w.Next(day)
			if apart := next.Sub(day); apart < 22*time.Hour || apart > 26*time.Hour {
				t.Fatalf("%s after %s", next, day)
			}
			if wall := next.Hour()*60 + next.Minute(); wall != minute {
				if start, _ := next.ZoneBounds(); !start.Equal(next) {
					t.Fatalf("%s is not at minute %d, and no gap ends there", next, minute)
				}
			}
			day = next
		}
	})
}
