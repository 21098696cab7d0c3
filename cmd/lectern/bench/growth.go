package bench

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// size is how large a room is.
type size struct{ devices, lines, panels int }

// growth: the same presses while the room gets larger and more panels hang on its walls, in turns; and scenes at once.
func (b *bench) growth(ctx context.Context) error {
	sizes := []size{{10, 1, 1}, {100, 2, 50}, {1000, 10, 200}, {1000, 10, 500}}
	p50, p99, said := make([][]time.Duration, len(sizes)), make([][]time.Duration, len(sizes)), make([]string, len(sizes))
	for range b.Repeats {
		for i, s := range sizes {
			p, memory, ready, err := b.grown(ctx, s)
			if err != nil {
				return err
			}
			p50[i], p99[i] = append(p50[i], p.wire.p50()), append(p99[i], p.wire.p99())
			said[i] = fmt.Sprintf("%.1f MiB, ready in %s", memory, ms(ready))
		}
	}
	for i, s := range sizes {
		r := row{
			what:     fmt.Sprintf("%d devices, %d panels: HTTP press to wire, p50 / p99", s.devices, s.panels),
			measured: pair(median(p50[i]), median(p99[i])), against: said[i],
		}
		if i > 0 && s.panels <= 200 { // a building has no more
			times := float64(median(p99[i])) / float64(median(p99[0]))
			r.measured += fmt.Sprintf(", %.2fx", times)
			r.limit, r.verdict = "2x the p99 of the first", keeps(times <= 2)
		}
		b.add(r)
	}
	return b.scenesAtOnce(ctx)
}

// grown measures a room of a size.
func (b *bench) grown(ctx context.Context, size size) (p *presser, memory float64, ready time.Duration, err error) {
	err = b.onRoom(ctx, size.lines, lamps{each: size.devices / size.lines, poll: "2s"}, func(s *slave, d *process, took time.Duration) error {
		p, ready = newPresser(s, byHTTP(d.url, d.token)), took
		leave, err := b.follow(ctx, d.url, size.panels, p.see)
		if err != nil {
			return err
		}
		defer leave()
		p.drive(ctx, presses, perSecond, 1, 0, size.devices)
		memory = d.memory()
		return nil
	})
	return p, memory, ready, err
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
