package journal

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What SQL finds, in whatever steps, is what the filter says.
func TestTheDiskAndMemoryFindTheSame(t *testing.T) {
	word := rapid.SampledFrom([]string{"", "", "a", "b", "射灯", "' OR 1=1 --"})
	moment := rapid.Custom(func(t *rapid.T) time.Time { return time.Unix(0, int64(rapid.IntRange(1, 20).Draw(t, "ns"))) })
	rapid.Check(t, func(t *rapid.T) {
		folder, err := os.MkdirTemp("", "journal")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(folder)
		j, end := life(folder, quiet())
		for range rapid.IntRange(0, 40).Draw(t, "entries") {
			j.Record(Entry{
				Time: moment.Draw(t, "time"), By: By{Via: word.Draw(t, "via"), Name: word.Draw(t, "name"), From: word.Draw(t, "from")},
				Device: word.Draw(t, "device"), Scene: word.Draw(t, "scene"), Line: word.Draw(t, "line"), Outcome: word.Draw(t, "outcome"),
			})
		}
		held := j.Latest(0, 100)
		end()
		j = Open(folder, quiet())
		defer j.Close()
		for range 5 {
			f := Filter{Most: rapid.IntRange(1, 40).Draw(t, "most"), Before: rapid.Uint64Range(1, 50).Draw(t, "before")}
			// Mostly by one thing, so that there is mostly something to find.
			for _, by := range rapid.SliceOfN(rapid.SampledFrom([]*string{&f.Device, &f.Scene, &f.Line, &f.Outcome, &f.Who}), 0, 2).Draw(t, "by") {
				*by = word.Draw(t, "word")
			}
			if rapid.Bool().Draw(t, "since?") {
				f.Since = moment.Draw(t, "since")
			}
			if rapid.Bool().Draw(t, "until?") {
				f.Until = moment.Draw(t, "until")
			}
			want := slices.DeleteFunc(slices.Clone(held), func(e Entry) bool { return !f.matches(e) })
			want = want[:min(len(want), f.Most)]
			got, err := j.readDisk(context.Background(), f, rapid.Uint64Range(1, 50).Draw(t, "step"))
			if err != nil || len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
				t.Fatalf("%+v\nfound %+v %v\nwant  %+v", f, got, err, want)
			}
		}
	})
}

func TestPagesHaveEverythingOnceWhileMoreIsWritten(t *testing.T) {
	j, end := life(t.TempDir(), quiet())
	defer end()
	const n = 3 * MostRead
	for i := range n {
		j.Record(Entry{Outcome: fmt.Sprint(i)})
		if i%400 == 0 {
			j.Await()
		}
	}
	f, want := Filter{Most: 70}, uint64(n)
	for want > 0 {
		j.Record(Entry{Outcome: "later"})
		page, err := j.Read(context.Background(), f)
		if err != nil || len(page) == 0 {
			t.Fatal(len(page), err)
		}
		for _, e := range page {
			if f.Before == 0 && e.Outcome == "later" {
				continue
			}
			if e.Seq != want {
				t.Fatalf("entry %d where %d comes next", e.Seq, want)
			}
			want--
		}
		f.Before = page[len(page)-1].Seq
	}
}

func TestCSVIsForSpreadsheets(t *testing.T) {
	var b bytes.Buffer
	w := NewCSV(&b)
	if err := w.Write(nil); err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("", 8*3600)
	err := w.Write([]Entry{{
		Seq: 7, Time: time.Date(2026, 5, 1, 8, 0, 0, 5e6, zone), By: By{Via: "panel", Name: "main", From: "10.0.0.9"}, Device: "spot-1", Property: "level",
		Value: "低", Outcome: "failed", Detail: "line \"bus\",\nunit 3", Took: 1500 * time.Microsecond,
	}})
	want := "\ufeffseq,time,via,who,from,device,property,value,scene,run,step,line,unit,outcome,detail,took_ms\r\n" +
		"7,2026-05-01T08:00:00.005+08:00,panel,main,10.0.0.9,spot-1,level,低,,,,,,failed,\"line \"\"bus\"\",\r\nunit 3\",1.5\r\n"
	if err != nil || b.String() != want {
		t.Errorf("%v\n%q\n%q", err, b.String(), want)
	}
}

func TestNoCellIsAFormula(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[=+@\t-][^\r]*`))
	rapid.Check(t, func(t *rapid.T) {
		e := Entry{By: By{Via: text.Draw(t, "via"), Name: text.Draw(t, "name"), From: text.Draw(t, "from")}, Value: text.Draw(t, "value"), Detail: text.Draw(t, "detail")}
		var b bytes.Buffer
		if err := NewCSV(&b).Write([]Entry{e}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\ufeff"))).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[1]) != len(csvHeader) {
			t.Fatalf("%v: %q", err, b.String())
		}
		for _, cell := range rows[1] {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("%q is a formula", cell)
			}
		}
		if plain := strings.TrimPrefix(rows[1][14], "'"); !strings.Contains(e.Detail, "\r") && plain != strings.TrimPrefix(e.Detail, "'") {
			t.Errorf("%q became %q", e.Detail, rows[1][14])
		}
	})
}
