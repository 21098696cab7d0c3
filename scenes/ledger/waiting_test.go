package ledger

import (
	"testing"
	"time"
)

func TestCallsCountsWhoWasNotAnswered(t *testing.T) {
	o, err := NewOrders(&memory{})
	if err != nil {
		t.Fatal(err)
	}
	open := func(via string) Order {
		t.Helper()
		one, err := o.Open(Step{Time: time.Now(), By: "w", Via: via, Text: "yellow"})
		if err != nil {
			t.Fatal(err)
		}
		return one
	}
	expect := func(calls int) {
		t.Helper()
		if got := o.Calls(); got != calls {
			t.Errorf("%d calls wait, want %d", got, calls)
		}
	}
	expect(0)
	open("staff")
	call := open("panel")
	expect(1)
	step := func(s State) {
		t.Helper()
		if call, err = o.Do(call.ID, call.Version(), Step{Time: time.Now(), By: "s", Via: "staff", State: s, To: "engineer", Text: "did it"}); err != nil {
			t.Fatal(err)
		}
	}
	step(Assigned)
	expect(0)
	step(Fixed)
	step(Confirmed)
	expect(0)
}
