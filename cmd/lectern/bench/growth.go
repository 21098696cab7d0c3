package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// growth: the same presses while the room gets larger and more panels hang on its walls; and scenes at once.
func (b *bench) growth(ctx context.Context) error {
	var first times
	for i, size := range []struct{ devices, lines, panels int }{{10, 1, 1}, {100, 2, 50}, {1000, 10, 200}, {1000, 10, 500}} {
		room := lamps{each: size.devices / size.lines, poll: "2s"}
		if err := b.onRoom(ctx, size.lines, room, func(s *slave, d *process, ready time.Duration) error {
			p := newPresser(s, byHTTP(d.url, d.token))
			leave, err := b.follow(ctx, d.url, size.panels, p.see)
			if err != nil {
				return err
			}
			defer leave()
			p.drive(ctx, presses, perSecond, 1, 0, size.devices)
			r := row{
				what:     fmt.Sprintf("%d devices, %d panels: HTTP press to wire, p50 / p99", size.devices, size.panels),
				measured: pair(p.wire.p50(), p.wire.p99()), against: fmt.Sprintf("%.1f MiB, ready in %s", d.memory(), ms(ready)),
			}
			if i == 0 {
				first.all = p.wire.all
			} else {
				r.limit, r.verdict = "2x the p99 of the first", keeps(p.wire.p99() <= 2*first.p99())
				if size.panels > 200 { // more than a building has
					r.limit, r.verdict = "", told
				}
			}
			b.add(r)
			return nil
		}); err != nil {
			return err
		}
	}
	return b.scenesAtOnce(ctx)
}

// scenesAtOnce runs scenes of two steps side by side, from the first request until the last step is on the wire.
func (b *bench) scenesAtOnce(ctx context.Context) error {
	for _, n := range []int{1, 10, 100} {
		if err := b.onRoom(ctx, 1, lamps{each: n, poll: "2s", scenes: n}, func(s *slave, d *process, _ time.Duration) error {
			var writes atomic.Int64
			over := make(chan time.Time, 1)
			s.hears(func(a arrival) {
				if writes.Add(1) == int64(2*n) {
					over <- a.at
				}
			})
			began := time.Now()
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() {
					r, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/api/v1/scenes/scene-%d", d.url, i), nil)
					if err != nil {
						return
					}
					r.Header.Set("Authorization", "Bearer "+d.token)
					if answer, err := http.DefaultClient.Do(r); err == nil {
						_ = answer.Body.Close()
					}
				})
			}
			wg.Wait()
			select {
			case at := <-over:
				b.add(row{what: fmt.Sprintf("%d scenes of two steps at once, until the last step is on the wire", n), measured: ms(at.Sub(began)), against: ms(at.Sub(began)/time.Duration(n)) + " a scene"})
			case <-time.After(patience):
				return fmt.Errorf("of %d steps only %d reached the wire", 2*n, writes.Load())
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
