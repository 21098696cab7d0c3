package line

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func all(*job) bool { return true }

// Whatever comes in whatever order: the more urgent goes first and the earlier before the later;
// nothing without a key is lost; of a key one waits at most, and nothing that was asked before a halt
// is sent after it.
func TestPropertyQueueOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		pushed, keyless, replaced := 0, 0, 0
		for range rapid.IntRange(1, 60).Draw(t, "pushes") {
			j := &job{
				Exchange: Exchange{Key: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "key")}, ctx: context.Background(),
				urgency: rapid.SampledFrom([]Urgency{Poll, Person, Halt}).Draw(t, "urgency"),
			}
			out, err := q.push(j)
			if err != nil {
				t.Fatal(err)
			}
			pushed++
			replaced += len(out)
			if j.Key == "" {
				keyless++
			}
			for _, r := range out {
				if r.Key != j.Key || r.Key == "" || r.urgency > j.urgency {
					t.Fatalf("%+v took the place of %+v", j, r)
				}
			}
			if j.urgency == Halt && j.Key != "" {
				for _, w := range q.jobs {
					if w != j && w.Key == j.Key {
						t.Fatalf("%+v waits behind a halt with its key", w)
					}
				}
			}
		}
		var order []*job
		for j := q.pop(all); j != nil; j = q.pop(all) {
			order = append(order, j)
		}
		if len(order) != pushed-replaced {
			t.Fatalf("%d pushed, %d replaced, %d came out", pushed, replaced, len(order))
		}
		if !slices.IsSortedFunc(order, before) {
			t.Fatalf("out of order: %+v", order)
		}
		for _, j := range order {
			if j.Key == "" {
				keyless--
			}
		}
		if keyless != 0 {
			t.Fatalf("%d presses were lost", keyless)
		}
	})
}

func TestANewerValueTakesThePlaceOfTheOlder(t *testing.T) {
	var q queue
	for i := range 5 {
		for _, key := range []string{"slider", ""} {
			if _, err := q.push(&job{Exchange: Exchange{Key: key, Note: fmt.Sprint(key, i)}, urgency: Person}); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The finger that drags is not put back to the end each time.
	if first := q.pop(all); first.Note != "slider4" {
		t.Errorf("first is %s", first.Note)
	}
}

func TestAFullQueueSaysSoButTakesAStop(t *testing.T) {
	var q queue
	for range queueMost {
		if _, err := q.push(&job{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.push(&job{urgency: Person}); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	if _, err := q.push(&job{urgency: Halt}); err != nil {
		t.Errorf("a stop was turned away: %v", err)
	}
}

func TestFormats(t *testing.T) {
	for s, want := range map[string]bool{"8N1": true, "7E1": true, "8O1": true, "8N2": true, "9N1": false, "8M1": false, "8N3": false, "": false, "8N15": false} {
		if _, err := parseFormat(s); (err == nil) != want {
			t.Errorf("%q: %v", s, err)
		}
	}
	c := Config{Kind: Serial, Baud: 9600, Format: "8N1"}
	if got := frameGap(c).Microseconds(); got != 3645 {
		t.Errorf("the gap at 9600 baud is %d us", got)
	}
	c.Baud = 115200
	if got := frameGap(c).Microseconds(); got != 1750 {
		t.Errorf("the gap at 115200 baud is %d us", got)
	}
}
