package bench

import (
	"context"
	"fmt"
	"time"
)

// load: many panels and many presses for a long time, in a room whose equipment keeps up. Beside it what the same panels and
// presses cost the floor: to write to two hundred panels, which here share the machine with it, takes its time, and more
// than two milliseconds of it on a small machine, whoever writes.
func (b *bench) load(ctx context.Context) error {
	const panels, lasts, floorLasts, most = 200, 5 * time.Minute, 30 * time.Second, 2 * time.Millisecond
	var floor *presser
	if err := b.onFloor(ctx, func(f *process, p *presser) error {
		floor = p
		leave, err := b.follow(ctx, f.url, panels, p.see)
		if err != nil {
			return err
		}
		defer leave()
		p.drive(ctx, int(floorLasts.Seconds())*perSecond, perSecond, 5, 0, manyLamps)
		return nil
	}); err != nil {
		return err
	}
	return b.onRoom(ctx, 1, lamps{each: manyLamps, poll: "2s", broker: "embedded"}, func(s *slave, d *process, _ time.Duration) error {
		p := newPresser(s, byHTTP(d.url, d.token))
		leave, err := b.follow(ctx, d.url, panels, p.see)
		if err != nil {
			return err
		}
		defer leave()
		before := d.memory()
		p.drive(ctx, int(lasts.Seconds())*perSecond, perSecond, 5, 0, manyLamps)
		lost := p.lost()
		after := fmt.Sprintf("%.1f to %.1f MiB", before, d.memory())
		what := fmt.Sprintf("%d panels, %d presses a second for %s: ", panels, perSecond, lasts)
		b.add(row{what: what + "press to wire, p50 / p99", measured: pair(p.wire.p50(), p.wire.p99()), against: "floor " + pair(floor.wire.p50(), floor.wire.p99())})
		b.add(row{
			what + "write at the slave to a panel's event, p50 / p99", pair(p.seen.p50(), p.seen.p99()), "floor " + pair(floor.seen.p50(), floor.seen.p99()),
			"floor + " + ms(most), keeps(p.seen.p99() <= floor.seen.p99()+most),
		})
		b.add(row{what: what + "memory", measured: after})
		b.add(row{
			what + "lost / extra / failed", fmt.Sprintf("%d / %d / %d of %d", lost, p.extra, p.failed, p.pressed), "", "0 / 0 / 0", keeps(lost+p.extra+p.failed == 0),
		})
		return nil
	})
}
