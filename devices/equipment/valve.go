package equipment

import (
	"sync"
	"time"

	"lectern/devices"
)

// lockSlack is how far the end of a lock may move before it is told again: a time left that is
// reckoned anew at every poll is not news.
const lockSlack = 1500 * time.Millisecond

// valve passes on what equipment reports as long as the equipment has mains. It is closed within
// SetFed, so that an answer that was still on its way cannot fill in what the Room has blanked.
//
// Its mutex is held while the Room hears, and the Room may tell other equipment in that time that
// its mains has gone. So the chain of mains must not close to a ring.
type valve struct {
	properties []devices.Property

	mu    sync.Mutex
	to    devices.Reporter
	shut  bool
	locks map[string]lockShown
}

type lockShown struct {
	why   devices.Phrase
	until time.Time // zero where nobody knows
}

var _ devices.Reporter = (*valve)(nil)

func (v *valve) open() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return !v.shut
}

// setOpen opens or shuts the valve. Shutting it takes back everything that was said.
func (v *valve) setOpen(open bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shut == !open {
		return
	}
	v.shut = !open
	if open {
		return
	}
	for _, p := range v.properties {
		v.to.Report(p.Name, devices.Value{}, devices.Unknown)
	}
	for name := range v.locks {
		v.to.Lock(name, nil)
	}
	clear(v.locks)
}

// Report implements devices.Reporter.
func (v *valve) Report(property string, value devices.Value, q devices.Quality) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.shut {
		v.to.Report(property, value, q)
	}
}

// Reach implements devices.Reporter.
func (v *valve) Reach(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.shut {
		v.to.Reach(err)
	}
}

// Lock implements devices.Reporter. A lock that stands already is not told again.
func (v *valve) Lock(property string, why *devices.Refusal) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.shut {
		return
	}
	shown, locked := v.locks[property]
	if why == nil {
		if locked {
			delete(v.locks, property)
			v.to.Lock(property, nil)
		}
		return
	}
	var until time.Time
	if why.For > 0 {
		until = time.Now().Add(why.For)
	}
	if locked && shown.why == why.Reason && shown.until.IsZero() == until.IsZero() && shown.until.Sub(until).Abs() < lockSlack {
		return
	}
	v.locks[property] = lockShown{why: why.Reason, until: until}
	v.to.Lock(property, why)
}
