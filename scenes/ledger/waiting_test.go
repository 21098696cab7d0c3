package ledger

import (
	"testing"
	"time"
)

func TestWaitingCountsWhatIsNotClosedAndWhoWasNotAnswered(t *testing.T) {
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
	expect := func(orders, calls int) {
		t.Helper()
		if gotOrders, gotCalls := o.Waiting(); gotOrders != orders || gotCalls != calls {
			t.Errorf("%d orders and %d calls wait, want %d and %d", gotOrders, gotCalls, orders, calls)
		}
	}
	expect(0, 0)
	open("staff")
	call := open("panel")
	expect(2, 1)
	step := func(s State) {
		t.Helper()
		if call, err = o.Do(call.ID, call.Version(), Step{Time: time.Now(), By: "s", Via: "staff", State: s, To: "engineer", Text: "did it"}); err != nil {
			t.Fatal(err)
		}
	}
	step(Assigned)
	expect(2, 0)
	step(Fixed)
	step(Confirmed)
	expect(1, 0)
}
