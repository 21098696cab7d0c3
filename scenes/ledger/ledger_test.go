package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.FixedZone("CST", 8*3600))

func book(t *testing.T, folder string) (*Orders, Store) {
	t.Helper()
	store, err := Open(folder, "orders.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	orders, err := NewOrders(store)
	if err != nil {
		t.Fatal(err)
	}
	return orders, store
}

func opened(t *testing.T, o *Orders, text string) Order {
	t.Helper()
	one, err := o.Open(Step{Time: noon, By: "Li", Text: text, Device: "projector", Via: "staff", Picture: []byte(`{"revision":7}`)})
	if err != nil {
		t.Fatal(err)
	}
	return one
}

func TestAnOrderGoesItsWayAndABookReadAgainIsTheSame(t *testing.T) {
	folder := t.TempDir()
	o, store := book(t, folder)
	one := opened(t, o, "画面偏黄\r\n第二行")
	if one.ID != "20261124-01" || one.State() != Opened || one.First().Text != "画面偏黄\n第二行" {
		t.Fatalf("opened: %+v", one)
	}
	for i, s := range []Step{
		{State: Assigned, To: "Wang", By: "Zhang", Time: noon.Add(5 * time.Minute)},
		{Text: "要等备件", By: "Wang", Time: noon.Add(time.Hour)},
		{State: Fixed, Text: "换了灯泡", By: "Wang", Time: noon.Add(2 * time.Hour)},
		{State: Confirmed, By: "Li", Time: noon.Add(3 * time.Hour)},
	} {
		var err error
		if one, err = o.Do(one.ID, i+1, s); err != nil {
			t.Fatal(err)
		}
	}
	if got := one.Answered().Sub(one.First().Time); got != 5*time.Minute {
		t.Errorf("answered after %v", got)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	again, _ := book(t, folder)
	read, ok := again.Get(one.ID)
	if !ok || fmt.Sprintf("%+v", len(read.Steps)) != "5" || read.State() != Confirmed || string(read.First().Picture) != `{"revision":7}` {
		t.Errorf("read again: %+v", read)
	}
	if fixed, ok := read.At(Fixed); !ok || fixed.By != "Wang" || !fixed.Time.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("fixed: %+v %v", fixed, ok)
	}
	// The customer's word can also be that it is not.
	if _, err := again.Do(one.ID, 5, Step{State: Opened, Text: "又坏了", By: "Li", Time: noon}); err != nil {
		t.Fatal(err)
	}
	read, _ = again.Get(one.ID)
	if _, ok := read.At(Fixed); ok || read.State() != Opened {
		t.Errorf("opened again it still counts as fixed: %v", read.State())
	}
}

func TestAnOrderSkipsNothing(t *testing.T) {
	o, _ := book(t, "")
	one := opened(t, o, "x")
	for _, s := range []Step{{State: Confirmed}, {State: Opened}, {State: "deleted"}} {
		if _, err := o.Do(one.ID, 1, s); !errors.Is(err, ErrStep) {
			t.Errorf("%s: %v", s.State, err)
		}
	}
	if _, err := o.Do(one.ID, 1, Step{State: Assigned}); !errors.Is(err, ErrEmpty) {
		t.Errorf("assigned to nobody: %v", err)
	}
	if _, err := o.Do("20000101-01", 1, Step{Text: "x"}); !errors.Is(err, ErrNoOrder) {
		t.Errorf("no order: %v", err)
	}
	if _, err := o.Open(Step{Text: " \n"}); !errors.Is(err, ErrEmpty) {
		t.Errorf("no symptom: %v", err)
	}
}

func TestOfTwoWhoEditOneOrderOneIsToldAndNobodyOverwrites(t *testing.T) {
	o, _ := book(t, t.TempDir())
	one := opened(t, o, "x")
	var wg sync.WaitGroup
	results := make([]error, 20)
	for i := range results {
		wg.Go(func() { _, results[i] = o.Do(one.ID, 1, Step{Text: fmt.Sprint("words of ", i), By: fmt.Sprint(i)}) })
	}
	wg.Wait()
	done := 0
	for _, err := range results {
		var c *Conflict
		switch {
		case err == nil:
			done++
		case !errors.As(err, &c) || len(c.Theirs) != 1 || !strings.HasPrefix(c.Theirs[0].Text, "words of"):
			t.Errorf("%v", err)
		}
	}
	if now, _ := o.Get(one.ID); done != 1 || now.Version() != 2 {
		t.Errorf("%d were written, the order has version %d", done, now.Version())
	}
}

// However much of the last entry reached the disk, what was promised before it is there and the book
// goes on.
func TestATornTailIsCutOff(t *testing.T) {
	folder := t.TempDir()
	o, store := book(t, folder)
	opened(t, o, "first")
	whole, err := os.ReadFile(filepath.Join(folder, "orders.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	opened(t, o, "second")
	both, err := os.ReadFile(filepath.Join(folder, "orders.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	_ = store.Close()
	for cut := len(whole); cut < len(both); cut++ {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "orders.jsonl"), both[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		o, store := book(t, folder)
		if n := len(o.List(Filter{})); n != 1 {
			t.Fatalf("cut at %d: %d orders", cut, n)
		}
		opened(t, o, "third")
		_ = store.Close()
		if again, _ := book(t, folder); len(again.List(Filter{})) != 2 {
			t.Fatalf("cut at %d: the next order is lost", cut)
		}
	}
}

func TestABookThatCannotBeReadIsNotTakenForEmpty(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "orders.jsonl"), []byte("{\"order\":\"1\"}\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := Open(folder, "orders.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, err := NewOrders(store); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
}

func TestFiltersFindWhatTheySay(t *testing.T) {
	o, _ := book(t, "")
	one := opened(t, o, "画面偏黄")
	other, err := o.Open(Step{Time: noon.Add(24 * time.Hour), By: "guest", Text: "没有声音", Device: "amp", Via: "panel", Meeting: "m1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Do(one.ID, 1, Step{State: Fixed, Text: "lamp changed", By: "Wang"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		f    Filter
		want string
	}{
		{"all", Filter{}, other.ID + " " + one.ID},
		{"state", Filter{State: Fixed}, one.ID},
		{"unclosed", Filter{Unclosed: true}, other.ID + " " + one.ID},
		{"device", Filter{Device: "amp"}, other.ID},
		{"words", Filter{Words: "LAMP"}, one.ID},
		{"chinese", Filter{Words: "声音"}, other.ID},
		{"from", Filter{From: noon.Add(time.Hour)}, other.ID},
		{"to", Filter{To: noon.Add(24 * time.Hour)}, one.ID},
		{"meeting", Filter{Meeting: "m1"}, other.ID},
		{"via", Filter{Via: "staff"}, one.ID},
		{"none", Filter{State: Confirmed}, ""},
	} {
		var ids []string
		for _, found := range o.List(c.f) {
			ids = append(ids, found.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
