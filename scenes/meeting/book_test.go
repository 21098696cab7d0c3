package meeting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/scenes/ledger"
)

var quietLog = slog.New(slog.DiscardHandler)

// newBook is a book in memory, or in a folder, with a list of two items.
func newBook(t *testing.T, folder string, changes ...func(*Config)) *Book {
	t.Helper()
	store, err := ledger.Open(folder, "meetings.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	c := Config{
		Zone: time.UTC, Folder: folder, Store: store, Log: quietLog, Every: 5 * time.Minute, Before: 30 * time.Minute, Tea: 15 * time.Minute,
		Prepare: []devices.Phrase{{ZH: "台型", EN: "Layout"}, {ZH: "灯光", EN: "Lights"}}, Closing: []devices.Phrase{{ZH: "遗留物品", EN: "Left behind"}},
	}
	for _, change := range changes {
		change(&c)
	}
	b, err := NewBook(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func entered(t *testing.T, b *Book, in, long time.Duration, title string) string {
	t.Helper()
	start := time.Now().Add(in)
	id, err := b.Enter(Meeting{Title: title, Start: start, End: start.Add(long)}, "LL")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestChecklistsOpenByThemselvesAtTheirTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(t, "")
		id := entered(t, b, 2*time.Hour, time.Hour, "x")
		open := func() string {
			var names []string
			for _, c := range b.Open(time.Now()) {
				names = append(names, string(c.List))
			}
			return strings.Join(names, " ")
		}
		want := func(when, lists string) {
			t.Helper()
			if got := open(); got != lists {
				t.Errorf("%s: %q, want %q", when, got, lists)
			}
		}
		time.Sleep(59 * time.Minute)
		want("61 minutes before", "")
		time.Sleep(time.Minute)
		want("60 minutes before", "prepare-60")
		time.Sleep(30 * time.Minute)
		want("30 minutes before", "prepare-60 prepare-30")
		if err := b.Tick(id, Prepare60, 1, false, "WM"); err != nil {
			t.Fatal(err)
		}
		c, _ := b.Checklist(id, Prepare60)
		if c.Left() != 1 || c.Items[1].By != "WM" || !c.Items[1].At.Equal(time.Now()) {
			t.Errorf("ticked: %+v", c)
		}
		if again, _ := b.Checklist(id, Prepare30); again.Left() != 2 {
			t.Error("a tick of the first round counts for the second")
		}
		if err := b.Tick(id, Prepare60, 1, true, "WM"); err != nil {
			t.Fatal(err)
		}
		if c, _ = b.Checklist(id, Prepare60); c.Left() != 2 {
			t.Error("a tick cannot be taken back")
		}
		if err := b.Tick(id, Prepare60, 0, false, " "); !errors.Is(err, ErrInitials) {
			t.Errorf("a tick by nobody: %v", err)
		}
		if err := b.Move(id, Session, "WM"); err != nil {
			t.Fatal(err)
		}
		want("in session", "")
		if err := b.Move(id, Ended, "WM"); err != nil {
			t.Fatal(err)
		}
		want("after it", "closing")
		if err := b.Tick(id, Closing, 0, false, "WM"); err != nil {
			t.Fatal(err)
		}
		want("all ticked", "")
	})
}

func TestTeaIsDueEveryQuarterOfAnHourInSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBook(t, "")
		id := entered(t, b, 0, 2*time.Hour, "x")
		due := func() bool { _, _, due := b.TeaDue(time.Now()); return due }
		if err := b.Move(id, Session, "WM"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(14 * time.Minute)
		if due() {
			t.Error("due after 14 minutes")
		}
		time.Sleep(time.Minute)
		if !due() {
			t.Error("not due after 15 minutes")
		}
		if err := b.Poured(id, "WM"); err != nil {
			t.Fatal(err)
		}
		if due() {
			t.Error("due although it was poured")
		}
		time.Sleep(15 * time.Minute)
		if err := b.Move(id, Break, "WM"); err != nil {
			t.Fatal(err)
		}
		if due() {
			t.Error("due in a break")
		}
	})
}

// Time moves meetings forwards and never back; a scene whose time was missed is not run.
func TestTimeMovesMeetingsWhereTheRoomFileSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var played []string
		folder := t.TempDir()
		by := func(c *Config) {
			c.ByTime = true
			c.Scenes = map[Phase]string{Preparing: "prepare", Session: "begin", Ended: "end"}
			c.Play = func(scene, _ string) error { played = append(played, scene); return nil }
		}
		b := newBook(t, folder, by)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		id, other := entered(t, b, time.Hour, time.Hour, "x"), entered(t, b, 90*time.Minute, time.Hour, "overlaps")
		phase := func(id string) Phase { r, _ := b.Get(id); return r.Phase }
		time.Sleep(31 * time.Minute)
		if phase(id) != Preparing {
			t.Errorf("29 minutes before: %q", phase(id))
		}
		if err := b.Move(id, Session, "WM"); err != nil { // early
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		if phase(id) != Session {
			t.Errorf("time moved it back to %q", phase(id))
		}
		time.Sleep(55 * time.Minute) // the other one has begun by the calendar
		if phase(other) == Session {
			t.Error("two meetings have the room")
		}
		time.Sleep(26 * time.Minute)
		if phase(id) != Ended || phase(other) != Session {
			t.Errorf("after the first: %q, %q", phase(id), phase(other))
		}
		cancel()
		<-done
		before := strings.Join(played, " ")
		if before != "prepare begin prepare end begin" {
			t.Errorf("played %s", before)
		}
		// The daemon is down when the second one ends: it has ended, and nothing moves.
		time.Sleep(2 * time.Hour)
		b = newBook(t, folder, by)
		ctx, cancel = context.WithCancel(t.Context())
		go func() { done <- b.Run(ctx) }()
		time.Sleep(time.Minute)
		if phase(other) != Ended || strings.Join(played, " ") != before {
			t.Errorf("after the restart %q, played %v", phase(other), played)
		}
		cancel()
		<-done
	})
}

func TestAMeetingIsMovedOnlyWhereItCanGo(t *testing.T) {
	b := newBook(t, "")
	id := entered(t, b, time.Hour, time.Hour, "x")
	for _, wrong := range []Phase{Break, Planned, "elsewhere"} {
		if err := b.Move(id, wrong, "WM"); !errors.Is(err, ErrPhase) {
			t.Errorf("planned to %q: %v", wrong, err)
		}
	}
	if err := b.Move("nothing", Session, "WM"); !errors.Is(err, ErrNoMeeting) {
		t.Errorf("%v", err)
	}
	for _, m := range []Meeting{{}, {Title: "x"}, {Title: "x", Start: time.Now(), End: time.Now().Add(-time.Hour)}, {Title: "x", Start: time.Now(), End: time.Now().Add(48 * time.Hour)}} {
		if _, err := b.Enter(m, "LL"); !errors.Is(err, ErrWords) {
			t.Errorf("%+v was taken", m)
		}
	}
}

const oneMeeting = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\nSUMMARY:good\nDTSTART:%s\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR\n"

// Whatever the calendar answers, the last good one holds, and it is told since when.
func TestTheLastGoodCalendarHolds(t *testing.T) {
	good := fmt.Sprintf(oneMeeting, time.Now().Add(time.Hour).UTC().Format("20060102T150405Z"))
	var answer atomic.Value
	answer.Store(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, good) })
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, good) }))
	defer inside.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/loop" {
			http.Redirect(w, r, "/loop", http.StatusFound)
			return
		}
		answer.Load().(func(http.ResponseWriter, *http.Request))(w, r)
	}))
	defer server.Close()
	folder := t.TempDir()
	calendar := func(c *Config) { c.Calendar = server.URL + "/secret-key/room.ics" }
	b := newBook(t, folder, calendar)
	b.feed.look(t.Context())
	has := func(when string, b *Book, down bool) {
		t.Helper()
		rows := b.Between(time.Now(), time.Now().Add(3*time.Hour))
		h, _ := b.Health()
		if len(rows) != 1 || rows[0].Title != "good" || h.Since.IsZero() == down || h.Good.IsZero() {
			t.Errorf("%s: %v %+v", when, rows, h)
		}
		if strings.Contains(h.Error, "secret-key") {
			t.Errorf("%s: the error tells the key of the calendar: %s", when, h.Error)
		}
	}
	has("at first", b, false)
	for name, bad := range map[string]func(http.ResponseWriter, *http.Request){
		"500":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"huge":      func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", calendarMost+1)) },
		"malformed": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, http.StatusFound) },
		"metadata": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		},
		"a file": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		},
		"a circle": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) },
	} {
		answer.Store(bad)
		b.feed.look(t.Context())
		has(name, b, true)
	}
	// Also for another life of the daemon that finds the network down.
	again := newBook(t, folder, calendar)
	again.feed.look(t.Context())
	has("after a restart", again, true)
	answer.Store(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	again.feed.look(t.Context())
	has("unchanged", again, false)
	if b, err := os.ReadFile(filepath.Join(folder, lastGood)); err != nil || string(b) != good {
		t.Errorf("kept %q, %v", b, err)
	}
}
