package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	hands    = 32 // press at once, each its own lamps
	longTail = 50 * time.Millisecond
	rateTime = 3 // seconds that a rate is held
)

// rate: the most presses a second that reach the wire, each once, with p99 within 50 ms; and presses over HTTP and
// MQTT at once, which must all arrive, once and in order.
func (b *bench) rate(ctx context.Context) error {
	floor, err := b.highest(ctx, func(address string) (*process, string, error) {
		f, err := start(ctx, b.Program, "bench", "--floor", address)
		return f, "", err
	})
	if err != nil {
		return err
	}
	room, err := b.highest(ctx, func(address string) (*process, string, error) {
		file, err := b.write(lamps{lines: []string{modbusTCP(address)}, each: hands * 4, poll: "2s"})
		if err != nil {
			return nil, "", err
		}
		d, _, err := b.daemon(ctx, "--config", file)
		if err != nil {
			return nil, "", err
		}
		return d, d.token, nil
	})
	if err != nil {
		return err
	}
	b.add(row{"highest rate of HTTP presses with p99 <= 50 ms and none lost", fmt.Sprintf("%d /s", room), fmt.Sprintf("floor %d /s", floor), "half of the floor's", keeps(2*room >= floor)})
	return b.both(ctx)
}

// highest tries ever higher rates.
func (b *bench) highest(ctx context.Context, run func(address string) (*process, string, error)) (best int, err error) {
	for _, rate := range []int{250, 500, 750, 1000, 1500, 2000, 3000, 4000, 5000, 6000, 8000, 10000, 12000} {
		held := false
		if err := b.onSlave(ctx, func(s *slave, address string) error {
			side, token, err := run(address)
			if err != nil {
				return err
			}
			defer side.stop()
			p := newPresser(s, byHTTP(side.url, token))
			p.drive(ctx, rate*rateTime, rate, hands, 0, hands*4)
			held = p.lost()+p.extra+p.failed == 0 && p.wire.p99() <= longTail && p.answer.p99() <= time.Second
			return nil
		}); err != nil || !held {
			return best, err
		}
		best = rate
	}
	return best, nil
}

// both presses lamps over HTTP and others over MQTT at the same time, fifty a second together.
func (b *bench) both(ctx context.Context) error {
	return b.onOwnBroker(ctx, func(s *slave, d *process, send sender) error {
		byPanel := byHTTP(d.url, d.token)
		p := newPresser(s, func(ctx context.Context, coil int, on bool) error {
			if coil < manyLamps/2 {
				return byPanel(ctx, coil, on)
			}
			return send(ctx, coil, on)
		})
		var wg sync.WaitGroup
		wg.Go(func() { p.drive(ctx, 2*presses, perSecond/2, 1, 0, manyLamps/2) })
		wg.Go(func() { p.drive(ctx, 2*presses, perSecond/2, 1, manyLamps/2, manyLamps) })
		wg.Wait()
		lost := p.lost()
		b.add(row{
			fmt.Sprintf("%d presses at %d a second over HTTP and MQTT at once: lost / extra or out of order", p.pressed, perSecond),
			fmt.Sprintf("%d / %d", lost, p.extra), "", "0 / 0", keeps(lost+p.extra+p.failed == 0),
		})
		return nil
	})
}
