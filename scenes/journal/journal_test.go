package journal

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"lectern/devices"
)

func TestMain(m *testing.M) {
	if os.Getenv(fullEnv) != "" {
		os.Exit(fullDisk(os.Getenv(fullEnv)))
	}
	goleak.VerifyTestMain(m)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// life opens the journal of a folder and runs it until end is called. Where the disk is slow the end waits for it, as that of
// a process does not: until the writer is gone the file is locked, and may be written to.
func life(folder string, log *slog.Logger) (j *Journal, end func()) {
	j = Open(folder, log)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = j.Run(ctx) })
	return j, func() { cancel(); wg.Wait(); <-j.gone }
}

// all reads everything, a page at a time, newest first.
func all(t rapid.TB, j *Journal, f Filter) []Entry {
	t.Helper()
	var entries []Entry
	for {
		page, err := j.Read(context.Background(), f)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, page...)
		if len(page) == 0 {
			return entries
		}
		f.Before = page[len(page)-1].Seq
	}
}

func outcomes(entries []Entry) string {
	words := make([]string, len(entries))
	for i, e := range entries {
		words[len(words)-1-i] = e.Outcome
	}
	return strings.Join(words, " ")
}

func TestLatestComesNewestFirstAndIsBounded(t *testing.T) {
	j := Open("", quiet())
	for i := range 5*held + 100 {
		j.Record(Entry{Outcome: fmt.Sprint(i)})
	}
	latest := j.Latest(0, 3)
	if len(latest) != 3 || latest[0].Outcome != fmt.Sprint(5*held+99) || latest[2].Outcome != fmt.Sprint(5*held+97) {
		t.Errorf("%+v", latest)
	}
	if older := j.Latest(latest[2].Seq, 2); len(older) != 2 || older[0].Seq != latest[2].Seq-1 {
		t.Errorf("%+v", older)
	}
	if n := len(j.Latest(0, 10*held)); n < held || n > 2*held {
		t.Errorf("%d entries are held", n)
	}
}

func TestTheJournalGoesOnInTheNextLife(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "一号 会议室?x=%41#")
	if err := os.Mkdir(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	e := Entry{
		Time: time.Unix(1000, 7), By: By{Via: "panel", Name: "main", From: "10.0.0.9"}, Device: "lamp", Property: "level", Value: "低", Scene: "s",
		Run: "r", Step: 2, Line: "bus", Unit: "3", Outcome: "done", Detail: "d", Took: 3 * time.Millisecond,
	}
	for range 2 {
		j, end := life(folder, quiet())
		j.Record(e)
		end()
	}
	j, end := life(folder, quiet())
	defer end()
	found := all(t, j, Filter{})
	if len(found) != 2 || found[0].Seq != 2 || found[1].Seq != 1 {
		t.Fatalf("%+v", found)
	}
	if e.Seq = 1; !reflect.DeepEqual(found[1], e) {
		t.Errorf("kept %+v\nwant %+v", found[1], e)
	}
	if files, _ := filepath.Glob(folder + "/*-shm"); len(files) != 0 {
		t.Errorf("%v is mapped into memory: a failing disk would end the process", files)
	}
}

// copyOf is the folder as a process that is killed now would leave it: what the system has been
// handed, and nothing else.
func copyOf(t rapid.TB, folder, to string) string {
	t.Helper()
	for _, name := range []string{FileName, FileName + "-wal"} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), b, 0o600)
		}
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	return to
}

// Whatever is done in whatever order: what Await has returned for is there after a kill.
func TestWhatWasAwaitedOutlivesAKill(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		folder, err := os.MkdirTemp("", "journal")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(folder)
		j, end := life(folder, quiet())
		defer end()
		entries, open := 0, make(map[string]int)
		for i := range rapid.IntRange(1, 12).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "act") {
			case 0:
				j.Record(Entry{Outcome: fmt.Sprint(i)})
				entries++
			case 1:
				id := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "run")
				open[id] = i
				j.KeepRuns(Run{ID: id, At: i, Open: true})
			case 2:
				id := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "run")
				delete(open, id)
				j.KeepRuns(Run{ID: id, At: i})
			case 3:
				j.Keep(Reading{Device: "lamp", Property: "level", Value: float64(i), Quality: devices.Reported, Seen: time.Unix(int64(i), 0)})
			}
		}
		j.Await()
		if h, _ := j.Health(); h.Late > 0 {
			t.Skip("the machine is too slow to say")
		}
		killed, err := os.MkdirTemp("", "journal")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(killed)
		after := Open(copyOf(t, folder, killed), quiet())
		defer after.Close()
		if got := len(all(t, after, Filter{})); got != entries {
			t.Errorf("%d entries of %d", got, entries)
		}
		found := make(map[string]int)
		for _, r := range after.Unfinished() {
			found[r.ID] = r.At
		}
		if !reflect.DeepEqual(found, open) {
			t.Errorf("runs %v, want %v", found, open)
		}
	})
}

func TestAStuckDiskHoldsAnAnswerUpOnceAndNotForLong(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j, end := life(folder, quiet())
		defer end()
		synctest.Wait()
		j.disk <- struct{}{} // somebody waits for the disk and does not come back
		began := time.Now()
		j.Record(Entry{Outcome: "first"})
		j.Await()
		if took := time.Since(began); took != awaitMost {
			t.Errorf("the first waited %s", took)
		}
		j.Record(Entry{Outcome: "second"})
		j.Await()
		if took := time.Since(began); took != awaitMost {
			t.Errorf("the second waited as well: %s", took)
		}
		time.Sleep(stuckAfter + time.Second)
		h, _ := j.Health()
		if h.OK || h.Late != 2 || h.Error == "" {
			t.Errorf("told %+v", h)
		}
		<-j.disk
		synctest.Wait()
		if h, _ := j.Health(); !h.OK {
			t.Errorf("it is back, and is told as %+v", h)
		}
		if got := outcomes(all(t, j, Filter{})); got != "first second broken recovered" {
			t.Error(got)
		}
		began = time.Now()
		j.Record(Entry{Outcome: "third"})
		j.Await()
		if h, _ := j.Health(); time.Since(began) != 0 || h.Late != 2 {
			t.Error("nobody waits any more for a disk that is well")
		}
	})
}

func TestRunsAreOnTheDiskAtOnceAndTheRestSoon(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j, end := life(folder, quiet())
		defer end()
		state := func() (kept, synced uint64) {
			synctest.Wait()
			j.mu.Lock()
			defer j.mu.Unlock()
			return j.kept, j.synced
		}
		j.Record(Entry{})
		if kept, synced := state(); kept != 1 || synced != 0 {
			t.Errorf("%d committed, %d on the disk: an entry waits for company", kept, synced)
		}
		j.KeepRuns(Run{ID: "r", Open: true})
		j.AwaitDisk()
		if kept, synced := state(); kept != 2 || synced != 2 {
			t.Errorf("%d committed, %d on the disk, with a run", kept, synced)
		}
		j.Record(Entry{})
		time.Sleep(syncEvery)
		if kept, synced := state(); kept != 3 || synced != 3 {
			t.Errorf("%d committed, %d on the disk, a while later", kept, synced)
		}
		time.Sleep(idleFor)
		synctest.Wait()
		alone := t.TempDir()
		b, err := os.ReadFile(filepath.Join(folder, FileName))
		if err == nil {
			err = os.WriteFile(filepath.Join(alone, FileName), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		after := Open(alone, quiet())
		defer after.Close()
		if n := len(all(t, after, Filter{})); n != 2 {
			t.Errorf("%d entries were taken over from the log while nothing happened", n)
		}
	})
}

// In a crowd of entries the next wait for company, but no longer than commitEvery; one that comes later does not wait.
func TestACrowdOfEntriesSharesACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, end := life(t.TempDir(), quiet())
		defer end()
		kept := func() uint64 {
			synctest.Wait()
			j.mu.Lock()
			defer j.mu.Unlock()
			return j.kept
		}
		j.disk <- struct{}{} // the writer is held up, and two entries gather
		j.Record(Entry{})
		j.Record(Entry{})
		<-j.disk
		if n := kept(); n != 2 {
			t.Fatalf("%d of the crowd are committed", n)
		}
		j.Record(Entry{})
		if n := kept(); n != 2 {
			t.Errorf("%d committed: the third had a commit of its own", n)
		}
		time.Sleep(commitEvery)
		if n := kept(); n != 3 {
			t.Errorf("%d committed %s later", n, commitEvery)
		}
		j.Record(Entry{})
		if n := kept(); n != 4 {
			t.Errorf("%d committed: the crowd is gone, and one alone waits", n)
		}
	})
}

func TestADiskThatIsGoneIsToldOnceAndWrittenAgainWhenItIsBack(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, FileName)
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		j, end := life(folder, slog.New(slog.NewTextHandler(&log, nil)))
		j.Record(Entry{Outcome: "before"})
		synctest.Wait()
		// The file is taken away, and something is in its place that is no file.
		for _, name := range []string{path, path + "-wal"} {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			j.Record(Entry{Outcome: fmt.Sprint(i)})
			j.Await()
			time.Sleep(10 * time.Second)
		}
		if h, _ := j.Health(); h.OK || !strings.Contains(h.Error, path) {
			t.Errorf("told %+v", h)
		}
		if found, err := j.Read(context.Background(), Filter{}); err == nil || len(found) < 11 {
			t.Errorf("what is in memory can be read: %d entries, %v", len(found), err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * retryEvery)
		synctest.Wait()
		if h, _ := j.Health(); !h.OK || h.Lost > 0 {
			t.Errorf("it is back, and is told as %+v", h)
		}
		end()
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("told %d times:\n%s", n, log.String())
		}
	})
	j := Open(folder, quiet())
	defer j.Close()
	if got := outcomes(all(t, j, Filter{})); got != "before 0 broken 1 2 3 4 5 6 7 8 9 recovered" {
		t.Error(got)
	}
}

func TestMoreThanMemoryHoldsIsLostAndCounted(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "not there yet")
	synctest.Test(t, func(t *testing.T) {
		j, end := life(folder, quiet())
		for i := range 5 * held {
			j.Record(Entry{Outcome: fmt.Sprint(i)})
		}
		j.Await()
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * retryEvery)
		synctest.Wait()
		defer end()
		h, _ := j.Health()
		found := all(t, j, Filter{})
		if !h.OK || h.Lost == 0 || uint64(len(found))+h.Lost != 5*held+2 || found[1].Outcome != fmt.Sprint(5*held-1) {
			t.Errorf("%d entries, %+v, the newest but one %+v", len(found), h, found[1])
		}
	})
}

func TestABadFileIsSetAsideAndANewOneBegun(t *testing.T) {
	spoil := func(from int64, size int) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, size), from); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, damage := range map[string]func(*testing.T, string){
		"no database":  func(t *testing.T, p string) { _ = os.WriteFile(p, []byte("hello, this is no database at all"), 0o600) },
		"a bad head":   spoil(0, 100),
		"bad pages":    spoil(4096, 1<<20),
		"another form": func(t *testing.T, p string) { spoilForm(t, p) },
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			j, end := life(folder, quiet())
			for range 3000 {
				j.Record(Entry{Device: "lamp", Detail: strings.Repeat("x", 100)})
				if j.seq%500 == 0 {
					j.Await()
				}
			}
			end()
			damage(t, filepath.Join(folder, FileName))
			var log bytes.Buffer
			j, end = life(folder, slog.New(slog.NewTextHandler(&log, nil)))
			j.Record(Entry{Outcome: "new"})
			j.Await()
			found, err := j.Read(context.Background(), Filter{Outcome: "new"}) // meets the bad pages where the start did not
			j.Record(Entry{Outcome: "newer"})
			end()
			h, _ := j.Health()
			if !h.OK || h.Aside == "" {
				t.Fatalf("%+v, read %v, %v", h, found, err)
			}
			if _, err := os.Stat(filepath.Join(folder, h.Aside)); err != nil {
				t.Error(err)
			}
			if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), h.Aside) {
				t.Errorf("told %d times: %s", n, log.String())
			}
			j = Open(folder, quiet())
			defer j.Close()
			if got := outcomes(all(t, j, Filter{})); !strings.Contains(got, "set aside") || !strings.Contains(got, "new") || !strings.Contains(got, "newer") {
				t.Errorf("the new file has %q", got)
			}
		})
	}
}

func spoilForm(t *testing.T, path string) {
	d, err := openDatabase(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if err := d.run1("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyAFewBadFilesAreKept(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		for range asidesMost + 3 {
			if err := os.WriteFile(filepath.Join(folder, FileName), []byte("no database"), 0o600); err != nil {
				t.Fatal(err)
			}
			Open(folder, quiet()).Close()
			time.Sleep(time.Second)
		}
	})
	if files, _ := filepath.Glob(folder + "/journal-*.bad"); len(files) != asidesMost {
		t.Errorf("%v", files)
	}
}

func TestOldEntriesGoInSmallSteps(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j, end := life(folder, quiet())
		defer end()
		j.KeepFor(48 * time.Hour)
		for i := range 3 * pruneStep {
			j.Record(Entry{Time: time.Now().Add(-47 * time.Hour), Outcome: "old"})
			if i%500 == 0 {
				j.Await()
			}
		}
		j.KeepRuns(Run{ID: "over", Started: time.Now().Add(-47 * time.Hour)}, Run{ID: "open", Started: time.Now().Add(-47 * time.Hour), Open: true})
		j.Record(Entry{Outcome: "new"})
		time.Sleep(time.Minute)
		if n := len(all(t, j, Filter{})); n != 3*pruneStep+1 {
			t.Fatalf("%d entries before their time", n)
		}
		time.Sleep(time.Hour + 2*pruneEvery)
		synctest.Wait()
		if got := outcomes(all(t, j, Filter{})); got != "new" {
			t.Errorf("left: %.60s", got)
		}
		var runs int
		if err := j.db.conn.QueryRowContext(always, "SELECT count(*) FROM runs").Scan(&runs); err != nil || runs != 1 {
			t.Errorf("%d runs, %v", runs, err)
		}
	})
}

func TestNeverMoreThanAFixedNumber(t *testing.T) {
	folder := t.TempDir()
	j, end := life(folder, quiet())
	for range 100 {
		j.Record(Entry{})
	}
	end()
	d, err := openDatabase(filepath.Join(folder, FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	for _, want := range []int64{30, 30, 10, 0} {
		if n, err := d.prune(time.Time{}.AddDate(1970, 0, 0), 30, 30); n != want || err != nil {
			t.Errorf("%d deleted of %d, %v", n, want, err)
		}
	}
}

func TestReadingsComeBack(t *testing.T) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j, end := life(folder, quiet())
		at := time.Now()
		told := func(v any, q devices.Quality, seen time.Time) {
			j.Keep(Reading{Device: "lamp", Property: "level", Value: v, Quality: q, Seen: seen, Since: at})
		}
		was := func() Reading {
			synctest.Wait()
			killed := Open(copyOf(t, folder, t.TempDir()), quiet())
			defer killed.Close()
			for _, r := range killed.Readings() {
				return r
			}
			return Reading{}
		}
		told("low", devices.Reported, at)
		if r := was(); r.Value != nil {
			t.Errorf("%+v is written at once: the disk is for other things", r)
		}
		time.Sleep(stateEvery)
		if r := was(); r.Value != "low" || r.Quality != devices.Reported || !r.Seen.Equal(at) || !r.Since.Equal(at) {
			t.Errorf("%+v", r)
		}
		told("high", devices.Reported, time.Now())
		j.Record(Entry{})
		if r := was(); r.Value != "high" {
			t.Errorf("%+v did not go along with an entry", r)
		}
		for range 100 {
			time.Sleep(seenEvery / 50)
			told("high", devices.Reported, time.Now())
		}
		if r := was(); time.Since(r.Seen) > seenEvery {
			t.Errorf("%+v was seen just now", r)
		}
		told(nil, devices.Unknown, time.Now())
		end()
		if r := was(); r.Device != "" {
			t.Errorf("%+v: unknown is nothing to remember", r)
		}
	})
}

func TestTheStartSaysHowTheLifeBeforeEnded(t *testing.T) {
	folder := t.TempDir()
	for _, want := range []string{"version 1", "version 1", "version 1; the life before was cut off"} {
		j, end := life(folder, quiet())
		j.Began("1")
		if got := j.Latest(0, 1)[0].Detail; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if want != "version 1" || j.seq == 1 {
			j.Ended()
		}
		end()
	}
}

func TestANilJournalIsSilent(t *testing.T) {
	var none *Journal
	none.Record(Entry{})
	none.Began("")
	none.Ended()
	none.Keep(Reading{})
	none.KeepRuns(Run{})
	none.Await()
	none.Close()
	entries, err := none.Read(context.Background(), Filter{})
	if _, ok := none.Health(); ok || err != nil || entries != nil || none.Latest(0, 1) != nil || none.Readings() != nil || none.Unfinished() != nil {
		t.Error("it says something")
	}
}

// A file of the form before is taken over with all that it has: the runs in it are of steps that nobody noted.
func TestAFileOfTheFormBeforeIsTakenOver(t *testing.T) {
	folder := t.TempDir()
	j, end := life(folder, quiet())
	j.Record(Entry{Outcome: "old"})
	j.KeepRuns(Run{ID: "run", Scene: "on", Open: true, Of: "steps", Steps: []byte("[]")})
	j.Await()
	end()
	d, err := openDatabase(filepath.Join(folder, FileName))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.run1("ALTER TABLE runs DROP COLUMN of", "PRAGMA user_version = 1"); err != nil {
		t.Fatal(err)
	}
	d.close()
	j, end = life(folder, quiet())
	defer end()
	if left := j.Unfinished(); len(left) != 1 || left[0].Scene != "on" || left[0].Of != "" {
		t.Errorf("runs: %+v", left)
	}
	if h, _ := j.Health(); !h.OK || h.Aside != "" {
		t.Errorf("%+v", h)
	}
	if got := outcomes(all(t, j, Filter{})); !strings.Contains(got, "old") {
		t.Errorf("entries: %q", got)
	}
}
