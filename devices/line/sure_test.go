package line_test

import (
	"bytes"
	"errors"
	"testing"

	"lectern/devices/line"
)

// TestASureExchangeDoesNotWaitForALateReply: after a time-out the unit is left alone, but for what
// no late reply can be taken for.
func TestASureExchangeDoesNotWaitForALateReply(t *testing.T) {
	u := &unit{address: 1, mute: true}
	r := bus(t, u)
	if _, err := r.Do(person(t), echo(1, 7)); !errors.Is(err, line.ErrNoReply) {
		t.Fatal(err)
	}
	u.setMute(false)
	asked := make(chan error, 1)
	go func() { _, err := r.Do(person(t), echo(1, 8)); asked <- err }()
	until(t, "the question waits", func() bool { return r.Waiting() == 1 })
	stop := echo(1, 9)
	stop.Sure = true
	if _, err := r.Do(person(t), stop); err != nil {
		t.Error(err)
	}
	if err := <-asked; err != nil {
		t.Error(err)
	}
	if got := bytes.Join(u.frames(), nil); !bytes.Equal(got, []byte{1, 7, 1, 9, 1, 8}) {
		t.Errorf("the unit heard % X", got)
	}
}

func TestNumbersOfALineDiffer(t *testing.T) {
	l := line.New(line.Config{ID: "l", Kind: line.ModbusTCP}, nil)
	seen := make(map[uint16]bool)
	for range 1 << 16 {
		n := l.Number()
		if seen[n] {
			t.Fatalf("%d came twice", n)
		}
		seen[n] = true
	}
}
