package room

import (
	"context"
	"fmt"
	"sync"
)

// lives begins and ends devices while the room runs.
type lives struct {
	mu   sync.Mutex // one at a time changes who is there
	ctx  context.Context
	fail context.CancelCauseFunc
	wg   sync.WaitGroup
}

// lifetime is the time in which one device runs. The zero value has not begun.
type lifetime struct {
	cancel context.CancelFunc
	over   chan struct{}
}

// end tells the device to end.
func (l *lifetime) end() {
	if l.cancel != nil {
		l.cancel()
	}
}

// wait returns when the device has ended.
func (l *lifetime) wait() {
	if l.over != nil {
		<-l.over
	}
}

// begin runs a device, where the room runs. The caller holds mu.
func (l *lives) begin(m *member) {
	if l.ctx == nil || l.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(l.ctx)
	m.lifetime = lifetime{cancel: cancel, over: make(chan struct{})}
	l.wg.Go(func() {
		defer close(m.over)
		defer cancel()
		if err := m.Device.Run(ctx); err != nil {
			l.fail(fmt.Errorf("device %s: %w", m.ID, err))
		}
	})
}

// Run follows all equipment until ctx ends or a device fails.
func (r *Room) Run(ctx context.Context) error {
	inner, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	l := &r.lives
	l.mu.Lock()
	l.ctx, l.fail = inner, fail
	for _, m := range r.order { // nobody changes it while mu is held
		l.begin(m)
	}
	l.mu.Unlock()
	<-inner.Done()
	l.mu.Lock()
	//lint:ignore SA2001 a Replace under way ends first, and then nothing is begun any more
	l.mu.Unlock()
	l.wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(inner) //nolint:wrapcheck // names the device
}
