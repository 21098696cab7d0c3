package meeting

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func shanghai(t testing.TB) *time.Location {
	t.Helper()
	l, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func utc(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// The instants were worked out by hand from the files, with the offsets of each zone on that day beside
// them. Central Europe leaves summer time on 25 October 2026, New York enters it on 8 March and leaves
// it on 1 November. Shanghai is +8 all year.
func TestCalendarsMeanTheInstantsThatTheySay(t *testing.T) {
	for _, c := range []struct {
		file, from, to string
		want           []string // start, end, title; in UTC
	}{
		{"exchange.ics", "2026-10-01 00:00", "2026-12-01 00:00", []string{
			"2026-10-12 07:00 08:30 Weekly steering",         // 09:00 +2
			"2026-10-19 07:00 08:30 Weekly steering",         // 09:00 +2
			"2026-10-26 01:00 02:00 例会",                      // 09:00 +8, by its Windows name alone
			"2026-10-27 13:00 14:00 Weekly steering (moved)", // 14:00 +1, in place of Monday 26
			"2026-10-30 14:00 15:00 Call with Boston",        // 10:00 -4, by the calendar's own VTIMEZONE
			"2026-10-31 14:00 15:00 Call with Boston",        // 10:00 -4
			"2026-11-01 15:00 16:00 Call with Boston",        // 10:00 -5: the clocks went back at 2:00
			"2026-11-02 15:00 16:00 Call with Boston",        // and of the series only Monday 2 is taken out
			"2026-11-02 16:00 16:00 all day Fire drill",      // 3 November of the room: +8
			"2026-11-09 08:00 09:30 cancelled Cancelled: Weekly steering",
			"2026-11-16 08:00 09:30 Weekly steering", // 09:00 +1: the last, by UNTIL in UTC
		}},
		{"google.ics", "2026-03-01 00:00", "2026-12-01 00:00", []string{
			"2026-03-05 13:30 14:15 Stand-up, 45 min",            // 08:30 -5
			"2026-03-08 07:30 07:30 In the hour that is skipped", // 02:30 is not there and counts by -5, from before: it is 03:30 -4, as its end is
			"2026-03-10 12:30 13:15 Stand-up, 45 min",            // 08:30 -4; the 12th is taken out, and counts
			"2026-03-10 14:00 15:00 cancelled Called off",
			"2026-03-17 12:30 13:15 Stand-up, 45 min",
			"2026-11-01 05:30 06:30 In the hour that comes twice", // 01:30 -4, the first of the two
		}},
		{"nextcloud.ics", "2026-09-01 00:00", "2027-02-01 00:00", []string{
			"2026-09-28 06:30 08:00 项目评审",     // 14:30 +8, the last Monday
			"2026-09-29 01:00 02:00 Floating", // the room's own clock
			"2026-09-30 16:00 16:00 all day 国庆节",
			"2026-10-26 06:30 08:00 项目评审",
			"2026-12-01 06:30 08:00 项目评审", // in place of 30 November
			"2026-12-28 06:30 08:00 项目评审",
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", c.file))
			if err != nil {
				t.Fatal(err)
			}
			cal, err := Parse(string(b), shanghai(t), utc(t, c.from), utc(t, c.to), "")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, m := range cal.Meetings {
				s := m.Start.UTC().Format("2006-01-02 15:04 ") + m.End.UTC().Format("15:04 ")
				if m.AllDay {
					s += "all day "
				}
				if m.Cancelled {
					s += "cancelled "
				}
				got = append(got, s+m.Title)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
			if c.file == "nextcloud.ics" && (cal.Unread != 1 || !strings.Contains(cal.Why, "Sidney/Nowhere")) {
				t.Errorf("unread %d: %s", cal.Unread, cal.Why)
			}
		})
	}
}

func TestAMeetingSaysWhatStaffNeed(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "exchange.ics"))
	if err != nil {
		t.Fatal(err)
	}
	cal, err := Parse(string(b), shanghai(t), utc(t, "2026-10-12 00:00"), utc(t, "2026-10-13 00:00"), "")
	if err != nil || len(cal.Meetings) != 1 {
		t.Fatal(err, cal)
	}
	m := cal.Meetings[0]
	if m.Layout != "U-shape" || m.Heads != 18 || m.Needs != "Tea and water, no ashtrays" || m.Organizer != "Müller, Anna" || m.Place != "Meeting room 1" {
		t.Errorf("%+v", m)
	}
	b, err = os.ReadFile(filepath.Join("testdata", "nextcloud.ics"))
	if err != nil {
		t.Fatal(err)
	}
	cal, err = Parse(string(b), shanghai(t), utc(t, "2026-09-28 00:00"), utc(t, "2026-09-29 23:00"), "第一会议室")
	if err != nil || len(cal.Meetings) != 1 {
		t.Fatal(err, cal)
	}
	if m := cal.Meetings[0]; m.Layout != "U形" || m.Heads != 20 || m.Needs != "投影、茶水; 横幅" {
		t.Errorf("%+v", m)
	}
}

// A moved occurrence keeps its id, so that its ticks stay with it.
func TestAMovedOccurrenceIsTheSameMeeting(t *testing.T) {
	event := "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nDTSTART:20261102T090000Z\nDTEND:20261102T100000Z\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT\n"
	moved := event + "BEGIN:VEVENT\nUID:x\nRECURRENCE-ID:20261103T090000Z\nDTSTART:20261103T110000Z\nDTEND:20261103T120000Z\nEND:VEVENT\n"
	var ids [2]string
	for i, text := range []string{event, moved} {
		cal, err := Parse(text+"END:VCALENDAR\n", time.UTC, utc(t, "2026-11-03 00:00"), utc(t, "2026-11-04 00:00"), "")
		if err != nil || len(cal.Meetings) != 1 {
			t.Fatal(err, cal)
		}
		ids[i] = cal.Meetings[0].ID
	}
	if ids[0] != ids[1] {
		t.Errorf("%v", ids)
	}
}

func TestHostileCalendarsAreBounded(t *testing.T) {
	from, to := utc(t, "2026-11-01 00:00"), utc(t, "2026-12-01 00:00")
	event := func(lines string) string {
		return "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\n" + lines + "\nEND:VEVENT\nBEGIN:VEVENT\nUID:good\nDTSTART:20261102T090000Z\nDTEND:20261102T100000Z\nEND:VEVENT\nEND:VCALENDAR\n"
	}
	for name, text := range map[string]string{
		"huge":        strings.Repeat("x", calendarMost+1),
		"no calendar": "<!doctype html>\n<p>Please log in</p>",
		"empty":       "",
		"torn":        "BEGIN:VCALENDAR\nBEGIN:VEVENT\n",
		"deep":        strings.Repeat("BEGIN:VCALENDAR\n", 100_000),
		"wrong end":   "BEGIN:VCALENDAR\nEND:VEVENT\n",
		"too many":    "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\nUID:x\nDTSTART:20261102T090000Z\nEND:VEVENT\n", eventsMost+1) + "END:VCALENDAR\n",
		"full":        event("DTSTART:20261101T000000Z\nDURATION:PT1M\nRRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23\nRDATE:" + strings.Repeat("20261105T101010Z,", 10) + "20261105T101010Z\nEND:VEVENT\nBEGIN:VEVENT\nUID:y\nDTSTART:20261101T003000Z\nDURATION:PT1M\nRRULE:FREQ=DAILY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23"),
	} {
		if _, err := Parse(text, time.UTC, from, to, ""); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	// One bad event does not cost the others.
	for name, lines := range map[string]string{
		"every second":      "DTSTART:19700101T000000Z\nRRULE:FREQ=SECONDLY",
		"never":             "DTSTART:19700101T000000Z\nRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
		"many a day":        "DTSTART:20261101T000000Z\nRRULE:FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2,3;BYSECOND=1,2,3",
		"backwards":         "DTSTART:20261102T090000Z\nDTEND:20261101T090000Z",
		"for ever":          "DTSTART:20261102T090000Z\nDTEND:20991101T090000Z",
		"in the year 0":     "DTSTART:00000102T090000Z",
		"no time":           "DTSTART:soon",
		"a torn parameter":  "DTSTART;TZID=\"x:20261102T090000Z",
		"no colon":          "DTSTART;TZID=Europe/Berlin",
		"a file as a zone":  "DTSTART;TZID=../../etc/passwd:20261102T090000",
		"local as a zone":   "DTSTART;TZID=Local:20261102T090000",
		"a rule with words": "DTSTART:20261002T090000Z\nRRULE:FREQ=SOMETIMES",
	} {
		cal, err := Parse(event(lines), time.UTC, from, to, "")
		if err != nil || cal.Unread == 0 || !slices.ContainsFunc(cal.Meetings, func(m Meeting) bool { return m.ID == key("good", utc(t, "2026-11-02 09:00")) }) {
			t.Errorf("%s: %v, unread %d, %v", name, err, cal.Unread, cal.Meetings)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"exchange.ics", "google.ics", "nextcloud.ics"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYEASTER=1\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:x\nDTSTART;TZID=x:20261101T000000\nRRULE:FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,+2TU;BYWEEKNO=53;BYYEARDAY=-366\nEND:VEVENT\nEND:VCALENDAR")
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	to := from.AddDate(0, 1, 0)
	f.Fuzz(func(t *testing.T, text string) {
		cal, err := Parse(text, time.UTC, from, to, "")
		if err != nil {
			return
		}
		for _, m := range cal.Meetings {
			if m.End.Before(m.Start) || !m.Start.Before(to) || m.End.Before(from) || len(m.Title) > titleMost+4 || len(m.Needs) > textMost+4 {
				t.Errorf("%+v", m)
			}
		}
	})
}
