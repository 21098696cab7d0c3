package notify

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"lectern/scenes/maintenance"
)

const (
	boxMost  = 100              // messages that wait for one target; then the oldest is lost
	ageMost  = 24 * time.Hour   // a message that is older is nobody's news any more
	sendTime = 30 * time.Second // for one try, to the last byte
	backoff  = 5 * time.Second  // before the second try; twice as long each time
	backMost = 10 * time.Minute
)

// ErrRefused says that a target will never take this message.
var ErrRefused = errors.New("the message was refused")

// Health is how a target is doing.
type Health struct {
	Place   string
	Waiting int       // messages that have not gone out
	Lost    int       // that never will, since the start
	Since   time.Time // when the first of the tries failed that have failed without a break; zero where the last went well
	Error   string    // of the last
}

// outbox is the queue of one target.
type outbox struct {
	target Target
	work   *maintenance.Mode
	log    *slog.Logger
	wake   chan struct{} // something was put in

	mu      sync.Mutex
	waiting []Message
	untold  int // messages that were lost since the last that went out
	now     Health
}

func newOutbox(t Target, work *maintenance.Mode, log *slog.Logger) *outbox {
	return &outbox{target: t, work: work, log: log.With("to", t.Place()), wake: make(chan struct{}, 1), now: Health{Place: t.Place()}}
}

func (b *outbox) health() Health {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.now
	h.Waiting = len(b.waiting)
	return h
}

// put takes a message and never waits: where there is no room the oldest is lost.
func (b *outbox) put(m Message) {
	b.mu.Lock()
	b.waiting = append(b.waiting, m)
	for len(b.waiting) > boxMost {
		b.lose()
	}
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// lose gives the oldest message up. The caller holds mu.
func (b *outbox) lose() {
	b.waiting = b.waiting[1:]
	b.now.Lost++
	b.untold++
}

// first is the message to be sent, with how many before it were lost.
func (b *outbox) first() (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) > 0 && time.Since(b.waiting[0].Time) > ageMost {
		b.lose()
	}
	if len(b.waiting) == 0 {
		return Message{}, false
	}
	m := b.waiting[0]
	m.Lost = b.untold
	return m, true
}

// run sends what is put in until ctx ends.
func (b *outbox) run(ctx context.Context) {
	again := backoff
	for ctx.Err() == nil {
		turned := b.work.Watch()
		m, some := b.first()
		if _, stands := b.work.Now(); stands || !some {
			select {
			case <-b.wake:
			case <-turned:
			case <-ctx.Done():
			}
			continue
		}
		limited, done := context.WithTimeout(ctx, sendTime)
		err := b.target.Send(limited, m)
		done()
		if ctx.Err() != nil {
			return
		}
		if b.sent(m, err); err == nil || errors.Is(err, ErrRefused) {
			again = backoff
			continue
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
		}
		again = min(2*again, backMost)
	}
}

// sent notes what became of a try. That a target fails is logged once, and that it is well again.
func (b *outbox) sent(m Message, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	mine := len(b.waiting) > 0 && b.waiting[0].ID == m.ID // else it was lost while it went out
	if err != nil {
		if b.now.Error = clip(err.Error()); b.now.Since.IsZero() {
			b.now.Since = time.Now()
			b.log.Warn("a message to staff did not go out; it is tried again", "error", b.now.Error)
		}
		if errors.Is(err, ErrRefused) && mine {
			b.lose()
		}
		return
	}
	if mine {
		b.waiting = b.waiting[1:]
	}
	b.untold -= m.Lost
	if !b.now.Since.IsZero() {
		b.now.Since, b.now.Error = time.Time{}, ""
		b.log.Info("messages to staff go out again")
	}
}

// clip bounds what another machine said.
func clip(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}
