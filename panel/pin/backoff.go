package pin

import (
	"sync"
	"time"
)

const (
	tries      = 5 // wrong PINs in a row before a pause
	pauseLeast = 30 * time.Second
	pauseMost  = 5 * time.Minute
	forget     = 15 * time.Minute // after which wrong PINs in a row are forgotten
	hourMost   = 30               // wrong PINs in an hour, whatever right ones are between
	panelsMost = 1024             // panels remembered
)

// Backoff slows down who tries PINs: five wrong ones in a row from a panel, and it waits half a minute,
// then longer. A right one ends that; but thirty wrong ones in an hour make a panel wait five minutes
// for each, so that nobody guesses the PIN of another between right ones of his own. It never locks a
// panel for ever, and one panel cannot lock out another. Its methods may be called from any goroutine;
// the zero value is ready.
type Backoff struct {
	mu     sync.Mutex
	panels map[string]*misses
}

type misses struct {
	wrong int // in a row
	last  time.Time
	until time.Time
	pause time.Duration
	hour  int // wrong ones in the hour that began at since
	since time.Time
}

// Wait says how long a panel must wait before its next try; 0 where it need not.
func (b *Backoff) Wait(panel string) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.panels[panel]
	if m == nil {
		return 0
	}
	return max(0, time.Until(m.until))
}

// Try takes a try before it is known whether it is right, so that many at once count as many: it is
// wrong until Right or Undo. Where ok is false the panel must wait first, and nothing is taken. Left
// is how many tries remain if this one is wrong; where none do, wait says for how long.
func (b *Backoff) Try(panel string) (left int, wait time.Duration, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.panels[panel]; m != nil {
		if wait = time.Until(m.until); wait > 0 {
			return 0, wait, false
		}
	}
	left, wait = b.wrong(panel)
	return left, wait, true
}

// Wrong notes a wrong PIN of a panel that was not asked to wait, as one of those at its address.
func (b *Backoff) Wrong(panel string) (left int, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.wrong(panel)
}

func (b *Backoff) wrong(panel string) (left int, wait time.Duration) {
	now := time.Now()
	if b.panels == nil {
		b.panels = make(map[string]*misses)
	}
	m := b.panels[panel]
	if m == nil {
		b.makeRoom(now)
		m = &misses{}
		b.panels[panel] = m
	}
	if now.Sub(m.last) > forget {
		m.wrong, m.pause = 0, 0
	}
	if now.Sub(m.since) > time.Hour {
		m.hour, m.since = 0, now
	}
	m.wrong++
	m.hour++
	m.last = now
	switch {
	case m.hour > hourMost:
		m.pause = pauseMost
	case m.wrong < tries:
		return tries - m.wrong, 0
	default:
		m.pause = min(max(2*m.pause, pauseLeast), pauseMost)
	}
	m.wrong = min(m.wrong, tries-1) // after the pause there is one try at a time
	m.until = now.Add(m.pause)
	return 0, m.pause
}

// Right ends the wrong PINs in a row of a panel, this try among them. Those of the hour stay.
func (b *Backoff) Right(panel string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.panels[panel]; m != nil {
		m.wrong, m.pause, m.until = 0, 0, time.Time{}
		m.hour--
	}
}

// Undo gives back a try that was not carried out.
func (b *Backoff) Undo(panel string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.panels[panel]
	if m == nil {
		return
	}
	m.hour = max(0, m.hour-1)
	if m.until.After(time.Now()) { // the try began a pause, or made it longer
		if m.until, m.pause = (time.Time{}), m.pause/2; m.pause < pauseLeast {
			m.pause = 0
		}
		return
	}
	m.wrong = max(0, m.wrong-1)
}

// makeRoom keeps the memory bounded: the panel that was wrong the longest time ago goes.
func (b *Backoff) makeRoom(now time.Time) {
	if len(b.panels) < panelsMost {
		return
	}
	oldest, at := "", now
	for panel, m := range b.panels {
		if oldest == "" || m.last.Before(at) {
			oldest, at = panel, m.last
		}
	}
	delete(b.panels, oldest)
}
