package journal

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestLatestComesNewestFirstAndIsBounded(t *testing.T) {
	j := Open("", quiet())
	for i := range held + 100 {
		j.Record(Entry{Outcome: fmt.Sprint(i)})
	}
	latest := j.Latest(0, 3)
	if len(latest) != 3 || latest[0].Outcome != fmt.Sprint(held+99) || latest[2].Outcome != fmt.Sprint(held+97) {
		t.Errorf("%+v", latest)
	}
	if older := j.Latest(latest[2].Seq, 2); len(older) != 2 || older[0].Seq != latest[2].Seq-1 {
		t.Errorf("%+v", older)
	}
	if all := j.Latest(0, 10*held); len(all) != held {
		t.Errorf("%d entries are held", len(all))
	}
}

func TestFileHasOneEntryALineAndGoesOn(t *testing.T) {
	folder := t.TempDir()
	for range 2 {
		j := Open(folder, quiet())
		j.Record(Entry{By: By{Via: "panel", Name: "main"}, Device: "lamp", Outcome: "done"})
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j.Record(Entry{Outcome: "after the end"}) // is kept in memory, and no crash
	}
	f, err := os.Open(filepath.Join(folder, "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var e Entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil || e.Device != "lamp" || e.By.String() != "panel main" {
			t.Errorf("%s: %v", lines.Text(), err)
		}
	}
	if n != 2 {
		t.Errorf("%d lines", n)
	}
}

func TestAFileThatHasGrownIsTurnedOver(t *testing.T) {
	folder := t.TempDir()
	j := Open(folder, quiet())
	defer j.Close()
	for range 20 {
		j.Record(Entry{Detail: strings.Repeat("x", 1<<20)})
	}
	now, err := os.Stat(filepath.Join(folder, "journal.jsonl"))
	if err != nil || now.Size() > fileMax {
		t.Errorf("%v, %v", now, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "journal.jsonl.1")); err != nil {
		t.Error(err)
	}
}

func TestABrokenDiskStopsNothing(t *testing.T) {
	j := Open(filepath.Join(t.TempDir(), "not", "there"), quiet())
	j.Record(Entry{Outcome: "done"})
	if latest := j.Latest(0, 1); len(latest) != 1 {
		t.Errorf("%+v", latest)
	}
	var none *Journal
	none.Record(Entry{})
	if none.Latest(0, 1) != nil || none.Close() != nil {
		t.Error("a nil journal is not silent")
	}
}
