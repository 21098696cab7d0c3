package bench

import (
	"context"
	"fmt"
	"time"
)

// load: many panels and many presses for a long time, in a room whose equipment keeps up.
func (b *bench) load(ctx context.Context) error {
	const panels, lasts = 200, 5 * time.Minute
	return b.onRoom(ctx, 1, lamps{each: manyLamps, poll: "2s", broker: "embedded"}, func(s *slave, d *process, _ time.Duration) error {
		p := newPresser(s, byHTTP(d.url, d.token))
		all, err := follow(ctx, d.url, panels, p.see)
		if err != nil {
			return err
		}
		defer all.close()
		before := d.memory()
		p.drive(ctx, int(lasts.Seconds())*perSecond, perSecond, 5, 0, manyLamps)
		lost := p.lost()
		after := fmt.Sprintf("%.1f to %.1f MiB", before, d.memory())
		what := fmt.Sprintf("%d panels, %d presses a second for %s: ", panels, perSecond, lasts)
		b.add(row{what: what + "press to wire, p50 / p99", measured: pair(p.wire.p50(), p.wire.p99()), against: after})
		b.within(what+"write at the slave to a panel's event, p50 / p99", p.seen.p50(), p.seen.p99(), 2*time.Millisecond)
		b.add(row{
			what + "lost / extra / failed", fmt.Sprintf("%d / %d / %d of %d", lost, p.extra, p.failed, p.pressed), "", "0 / 0 / 0", keeps(lost+p.extra+p.failed == 0),
		})
		return nil
	})
}
