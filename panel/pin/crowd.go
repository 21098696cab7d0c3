package pin

import (
	"sync"
	"time"
)

const (
	crowdTries = 20               // wrong PINs of all strangers together before they wait for their turn
	crowdCalm  = 15 * time.Minute // without a wrong one, after which they need not
	turnLeast  = 2 * time.Second  // between two turns
	turnMost   = 30 * time.Second
	turnGrace  = 30 * time.Second // that a turn is kept for who types slowly
	turnsMost  = 256              // addresses that have one
)

// Crowd slows down strangers, all of them together: who has many addresses gains nothing by it. After
// twenty wrong PINs each stranger is given a turn, the turns two seconds apart and, with every twenty
// wrong ones more, twice as far, up to half a minute. A turn is kept for its address: who guesses can
// make a stranger wait, but not for ever. Its methods may be called from any goroutine; the zero value
// is ready.
type Crowd struct {
	mu    sync.Mutex
	wrong int
	last  time.Time
	next  time.Time            // the last turn that was given
	turns map[string]time.Time // by address
}

// Try takes a try of an address, or says how long it is until its turn. Begins is true for the try
// after which strangers must wait.
func (c *Crowd) Try(address string) (wait time.Duration, begins, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if now.Sub(c.last) > crowdCalm {
		c.wrong, c.next, c.turns = 0, time.Time{}, nil
	}
	if c.wrong >= crowdTries {
		if wait = c.turn(address, now); wait > 0 {
			return wait, false, false
		}
	}
	c.wrong++
	c.last = now
	return 0, c.wrong == crowdTries, true
}

// turn says how long it is until the turn of an address, and gives it one where it has none. 0: it is
// its turn, and it is taken.
func (c *Crowd) turn(address string, now time.Time) time.Duration {
	if at, has := c.turns[address]; has {
		if at.After(now) {
			return at.Sub(now)
		}
		delete(c.turns, address)
		if now.Sub(at) <= turnGrace {
			return 0
		}
	}
	apart := turnMost
	if n := c.wrong/crowdTries - 1; n < 4 {
		apart = min(turnLeast<<n, turnMost)
	}
	if c.next.Before(now) {
		c.next = now
	}
	if len(c.turns) >= turnsMost {
		for other, at := range c.turns {
			if now.Sub(at) > turnGrace {
				delete(c.turns, other)
			}
		}
	}
	if len(c.turns) >= turnsMost {
		return c.next.Sub(now) + apart // no turn is given: it may ask again
	}
	c.next = c.next.Add(apart)
	if c.turns == nil {
		c.turns = make(map[string]time.Time)
	}
	c.turns[address] = c.next
	return c.next.Sub(now)
}

// Undo gives back a try that was right, or not carried out.
func (c *Crowd) Undo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong = max(0, c.wrong-1)
}
