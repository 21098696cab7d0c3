package bench

import (
	"context"
	"fmt"
	"time"
)

const (
	presses   = 500
	perSecond = 50
	manyLamps = 20
)

// press: the floor and the room, in turns.
func (b *bench) press(ctx context.Context) error {
	type figures struct{ p50, p99, seen50, seen99 []time.Duration }
	var floor, room figures
	lost, extra := 0, 0
	for range b.Repeats {
		if err := b.onFloor(ctx, func(f *process, p *presser) error {
			p.drive(ctx, presses, perSecond, 1, 0, manyLamps)
			floor.p50, floor.p99 = append(floor.p50, p.wire.p50()), append(floor.p99, p.wire.p99())
			return nil
		}); err != nil {
			return err
		}
		if err := b.onRoom(ctx, 1, lamps{each: manyLamps, poll: "2s"}, func(s *slave, d *process, _ time.Duration) error {
			p := newPresser(s, byHTTP(d.url, d.token))
			leave, err := b.follow(ctx, d.url, 2, p.see)
			if err != nil {
				return err
			}
			defer leave()
			p.drive(ctx, presses, perSecond, 1, 0, manyLamps)
			lost, extra = lost+p.lost(), extra+p.extra
			room.p50, room.p99 = append(room.p50, p.wire.p50()), append(room.p99, p.wire.p99())
			room.seen50, room.seen99 = append(room.seen50, p.seen.p50()), append(room.seen99, p.seen.p99())
			return nil
		}); err != nil {
			return err
		}
	}
	b.ratio("HTTP press sent to write at the slave, p50", median(room.p50), median(floor.p50), 1.5)
	b.ratio("HTTP press sent to write at the slave, p99", median(room.p99), median(floor.p99), 3)
	b.within("write at the slave to another panel's event, p50 / p99", median(room.seen50), median(room.seen99), 2*time.Millisecond)
	b.add(row{"of those presses lost / writes that nobody asked for", fmt.Sprintf("%d / %d", lost, extra), "", "0 / 0", keeps(lost+extra == 0)})
	return nil
}

// onSlave measures with a slave of its own.
func (b *bench) onSlave(ctx context.Context, measure func(s *slave, address string) error) error {
	s := newSlave()
	address, err := s.listen(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	return measure(s, address)
}

// onFloor measures the floor, on a slave of its own, with who presses on it over HTTP.
func (b *bench) onFloor(ctx context.Context, measure func(f *process, p *presser) error) error {
	return b.onSlave(ctx, func(s *slave, address string) error {
		f, err := start(ctx, b.Program, "bench", "--floor", address)
		if err != nil {
			return err
		}
		defer f.stop()
		return measure(f, newPresser(s, byHTTP(f.url, "")))
	})
}

// onRoom measures with a room of lamps, so many lines of which lead to a slave of its own, and is told how long the room
// took to get ready.
func (b *bench) onRoom(ctx context.Context, lines int, l lamps, measure func(s *slave, d *process, ready time.Duration) error) error {
	return b.onSlave(ctx, func(s *slave, address string) error {
		l.lines = []string{modbusTCP(address)}
		for range lines - 1 {
			more, err := s.listen(ctx)
			if err != nil {
				return err
			}
			l.lines = append(l.lines, modbusTCP(more))
		}
		file, err := b.write(l)
		if err != nil {
			return err
		}
		d, ready, err := b.daemon(ctx, "--config", file)
		if err != nil {
			return err
		}
		defer d.stop()
		return measure(s, d, ready)
	})
}

func modbusTCP(address string) string {
	return fmt.Sprintf("kind: modbus-tcp, address: %q", address)
}

// ratio adds a time that may be so many times the floor's.
func (b *bench) ratio(what string, measured, floor time.Duration, most float64) {
	times := float64(measured) / float64(floor)
	b.add(row{what, fmt.Sprintf("%s, %.2fx", ms(measured), times), "floor " + ms(floor), fmt.Sprintf("%.4gx", most), keeps(times <= most)})
}

// within adds a median and a p99 that has a limit.
func (b *bench) within(what string, p50, p99, most time.Duration) {
	b.add(row{what, pair(p50, p99), "", ms(most), keeps(p99 <= most)})
}

// slow: a press on a bus where one unit takes 20 ms for each reply and one has gone.
func (b *bench) slow(ctx context.Context) error {
	return b.onSlave(ctx, func(s *slave, address string) error {
		s.delays[2], s.dead[3] = 20*time.Millisecond, true
		more := ""
		for unit := 2; unit <= 3; unit++ {
			more += beside(unit, "100ms")
		}
		file, err := b.write(lamps{lines: []string{modbusTCP(address)}, each: manyLamps, poll: "2s", more: more})
		if err != nil {
			return err
		}
		d, err := b.ailing(ctx, "--config", file)
		if err != nil {
			return err
		}
		defer d.stop()
		p := newPresser(s, byHTTP(d.url, d.token))
		p.drive(ctx, presses, 20, 1, 0, manyLamps)
		b.within("press beside a unit of 20 ms and a dead one, both polled each 100 ms, p50 / p99", p.wire.p50(), p.wire.p99(), 21*time.Millisecond)
		return nil
	})
}

// outside: somebody switches a lamp at the box itself.
func (b *bench) outside(ctx context.Context) error {
	const period = 100 * time.Millisecond
	return b.onRoom(ctx, 1, lamps{each: manyLamps, poll: period.String()}, func(s *slave, d *process, _ time.Duration) error {
		p := newPresser(s, nil)
		leave, err := b.follow(ctx, d.url, 1, p.see)
		if err != nil {
			return err
		}
		defer leave()
		for i := range presses {
			coil, on := i%manyLamps, i/manyLamps%2 == 0
			p.mu.Lock() // as who has turned the knob knows when, before anybody can see it
			at := s.turn(point{1, uint16(coil)}, on)
			p.arrived[lamp(coil)] = unseen{on, at, at}
			p.mu.Unlock()
			time.Sleep(23 * time.Millisecond) // at all moments of the period
		}
		time.Sleep(2 * period)
		p50, p99 := p.seen.p50(), p.seen.p99()
		what := fmt.Sprintf("change at the equipment to the panel's event, polls each %s, p50 / p99", period)
		b.add(row{what, pair(p50, p99), fmt.Sprintf("%d of %d seen", len(p.seen.all), presses), ms(period + 10*time.Millisecond), keeps(p99 <= period+10*time.Millisecond && len(p.seen.all) == presses)})
		return nil
	})
}
