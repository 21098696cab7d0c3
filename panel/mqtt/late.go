package mqtt

import (
	"context"
	"sync/atomic"
	"time"
)

const (
	beatEvery  = time.Second
	frozenFrom = 5 * time.Second // without a beat
	thawTime   = 2 * time.Second // in which what has gathered meanwhile comes in
)

// pulse tells whether this process has stood still: stopped, suspended, starved. Commands that came
// meanwhile lie in the socket, and MQTT 3.1.1 does not say how old they are; they must not be carried
// out when it goes on.
type pulse struct {
	beaten atomic.Int64 // when it last beat, by the wall clock, which goes on where the machine sleeps
	thawed atomic.Int64 // when it beat again after a gap
}

func newPulse(now time.Time) *pulse {
	p := &pulse{}
	p.beaten.Store(now.UnixNano())
	return p
}

func (p *pulse) run(ctx context.Context) {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			p.beat(time.Now())
		case <-ctx.Done():
			return
		}
	}
}

func (p *pulse) beat(now time.Time) {
	if gap := now.UnixNano() - p.beaten.Swap(now.UnixNano()); time.Duration(gap) > frozenFrom {
		p.thawed.Store(now.UnixNano())
	}
}

// frozen reports whether what comes in now may have waited since before the process stood still.
func (p *pulse) frozen(now time.Time) bool {
	since := time.Duration(now.UnixNano() - p.thawed.Load()) // below 0 where the clock was set back: it was not a moment ago
	return time.Duration(now.UnixNano()-p.beaten.Load()) > frozenFrom || since >= 0 && since < thawTime
}
