package maintenance

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lectern/scenes/journal"
	"lectern/scenes/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func kept(t *testing.T, folder string) (*Mode, *journal.Journal, ledger.Store) {
	t.Helper()
	store, err := ledger.Open(folder, "maintenance.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	j := journal.Open("", slog.New(slog.DiscardHandler))
	t.Cleanup(j.Close)
	m, err := New(store, j)
	if err != nil {
		t.Fatal(err)
	}
	return m, j, store
}

func outcomes(j *journal.Journal) string {
	var all []string
	for _, e := range j.Latest(0, 10) {
		all = append(all, e.By.String()+" "+e.Outcome)
	}
	return strings.Join(all, ", ")
}

func TestItEndsByItselfAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j, _ := kept(t, t.TempDir())
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error)
		go func() { over <- m.Run(ctx) }()
		until := time.Now().Add(2 * time.Hour)
		if err := m.Begin(" WM ", "lamp of\r\nthe projector", until); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		turn := m.Watch()
		if w, stands := m.Now(); !stands || w.By != "WM" || w.Note != "lamp of the projector" || !w.Until.Equal(until) {
			t.Errorf("it stands as %+v, %v", w, stands)
		}
		time.Sleep(2*time.Hour - time.Second)
		if _, stands := m.Now(); !stands {
			t.Error("it ended before its time")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if w, stands := m.Now(); stands {
			t.Errorf("it still stands: %+v", w)
		}
		select {
		case <-turn:
		default:
			t.Error("who watches was not told that it has ended")
		}
		if got := outcomes(j); got != "daemon maintenance ended, staff WM maintenance begun" {
			t.Errorf("the journal has %s", got)
		}
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

func TestItSurvivesARestartAndSoDoesItsEnd(t *testing.T) {
	folder := t.TempDir()
	m, _, store := kept(t, folder)
	first := time.Now().Add(time.Hour)
	if err := m.Begin("WM", "cabling", first); err != nil {
		t.Fatal(err)
	}
	began, _ := m.Now()
	if err := m.Begin("LL", "cabling takes longer", first.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	again, _, store := kept(t, folder)
	if w, stands := again.Now(); !stands || w.By != "LL" || !w.From.Equal(began.From) || !w.Until.Equal(first.Add(time.Hour)) {
		t.Errorf("after a restart it is %+v, %v", w, stands)
	}
	if err := again.End("LL"); err != nil {
		t.Fatal(err)
	}
	if _, stands := again.Now(); stands {
		t.Error("ended by hand it still stands")
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if last, _, _ := kept(t, folder); last.window != (Window{}) {
		t.Errorf("what was ended stands after a restart: %+v", last.window)
	}
}

func TestWhatIsUnboundedIsNotTaken(t *testing.T) {
	m, j, store := kept(t, t.TempDir())
	now := time.Now()
	for _, c := range []struct {
		by, note string
		until    time.Time
		want     error
	}{
		{"WM", "x", now.Add(-time.Second), ErrTime},
		{"WM", "x", now.Add(Most + time.Hour), ErrTime},
		{"WM", "x", time.Time{}, ErrTime},
		{"WM", " \n", now.Add(time.Hour), ErrNote},
		{" ", "x", now.Add(time.Hour), ErrNote},
		{"WM", strings.Repeat("维", noteMost+1), now.Add(time.Hour), ErrNote},
	} {
		if err := m.Begin(c.by, c.note, c.until); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := m.End("WM"); err != nil {
		t.Errorf("ending nothing: %v", err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Begin("WM", "x", now.Add(time.Hour)); err == nil {
		t.Error("what cannot be kept was taken")
	}
	if _, stands := m.Now(); stands || outcomes(j) != "" {
		t.Errorf("it stands, or the journal tells of it: %s", outcomes(j))
	}
}
