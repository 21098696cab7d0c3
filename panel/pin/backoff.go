package pin

import (
	"sync"
	"time"
)

const (
	tries       = 5 // wrong PINs in a row before a pause
	pauseLeast  = 30 * time.Second
	pauseMost   = 5 * time.Minute
	forget      = 15 * time.Minute // after which wrong PINs are forgotten
	addressMost = 1024             // addresses remembered
)

// Backoff slows down who tries PINs: five wrong ones from an address, and it waits half a minute, then
// longer. It never locks a room for ever, and one address cannot lock out another. Its methods may
// be called from any goroutine; the zero value is ready.
type Backoff struct {
	mu        sync.Mutex
	addresses map[string]*misses
}

type misses struct {
	wrong int
	last  time.Time
	until time.Time
	pause time.Duration
}

// Wait says how long an address must wait before its next try; 0 where it need not.
func (b *Backoff) Wait(address string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.addresses[address]
	if m == nil {
		return 0
	}
	return max(0, time.Until(m.until))
}

// Wrong notes a wrong PIN, and says how many tries are left and how long to wait where none are.
func (b *Backoff) Wrong(address string) (left int, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if b.addresses == nil {
		b.addresses = make(map[string]*misses)
	}
	m := b.addresses[address]
	if m == nil || now.Sub(m.last) > forget {
		b.makeRoom(now)
		m = &misses{}
		b.addresses[address] = m
	}
	m.wrong++
	m.last = now
	if m.wrong < tries {
		return tries - m.wrong, 0
	}
	m.wrong = tries - 1 // after the pause there is one try at a time
	m.pause = min(max(2*m.pause, pauseLeast), pauseMost)
	m.until = now.Add(m.pause)
	return 0, m.pause
}

// Right forgets the wrong PINs of an address.
func (b *Backoff) Right(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.addresses, address)
}

// makeRoom keeps the memory bounded: the oldest address goes.
func (b *Backoff) makeRoom(now time.Time) {
	if len(b.addresses) < addressMost {
		return
	}
	oldest, at := "", now
	for address, m := range b.addresses {
		if m.last.Before(at) {
			oldest, at = address, m.last
		}
	}
	delete(b.addresses, oldest)
}
