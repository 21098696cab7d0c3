package line

import (
	"os"
	"testing"
	"time"
)

func TestANapIsAsLongAsItWasTold(t *testing.T) {
	var n nap
	defer n.close()
	for _, d := range []time.Duration{3 * time.Millisecond, time.Microsecond, 0, -time.Second, 2 * time.Millisecond} {
		began := time.Now()
		n.sleep(d)
		if took := time.Since(began); took < d || took > 10*time.Second {
			t.Errorf("%s took %s", d, took)
		}
	}
	_ = n.timer.Close() // as if the kernel refused
	began := time.Now()
	if n.sleep(time.Millisecond); time.Since(began) < time.Millisecond {
		t.Error("a timer that fails is no sleep at all")
	}
	before := open(t)
	for range 100 {
		var n nap
		n.sleep(time.Microsecond)
		n.close()
		n.close()
	}
	if after := open(t); after > before {
		t.Errorf("%d files were open, and now %d", before, after)
	}
}

// open counts the open files of this process.
func open(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func BenchmarkNap(b *testing.B) {
	var n nap
	defer n.close()
	for b.Loop() {
		n.sleep(time.Millisecond)
	}
}
