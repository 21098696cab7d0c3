package bench

import (
	"slices"
	"sync"
	"time"
)

// times are durations of one thing that was done again and again. Adding may come from any goroutine.
type times struct {
	mu  sync.Mutex
	all []time.Duration
}

func (t *times) add(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, d)
}

// at returns the quantile q, 0 to 1; the longest there is where nothing was measured, so that nothing measured
// keeps no limit.
func (t *times) at(q float64) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) == 0 {
		return 1<<63 - 1
	}
	slices.Sort(t.all)
	return t.all[min(len(t.all)-1, int(q*float64(len(t.all))))]
}

func (t *times) p50() time.Duration { return t.at(0.50) }
func (t *times) p99() time.Duration { return t.at(0.99) }

// median of what several runs gave.
func median[T int | int64 | float64 | time.Duration](all []T) T {
	slices.Sort(all)
	return all[len(all)/2]
}
