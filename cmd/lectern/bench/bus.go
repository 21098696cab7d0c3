package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"lectern/devices/sim"
)

// A bus of 9600 baud, 8N1: ten bits a character, and 3.5 characters of silence around each frame (MODBUS over Serial
// Line, 2.5.1.1).
const (
	baud    = 9600
	char    = 10 * time.Second / baud
	silence = 35 * char / 10
	request = 8 // characters of a write or of a question, and of the reply to a write
	reply   = 6 // characters of the reply to a question after up to eight coils

	write    = request*char + silence // until the equipment may act
	question = write + reply*char + silence
)

// bus: one press at a time on a bus that is idle, and while as much is polled as goes over it.
func (b *bench) bus(ctx context.Context) error {
	if err := b.idleBus(ctx); err != nil {
		return err
	}
	return b.busyBus(ctx)
}

// onBus measures on a bus of its own.
func (b *bench) onBus(ctx context.Context, measure func(s *slave, port string) error) error {
	ctx, cancel := context.WithCancel(ctx)
	stage := sim.NewStage(ctx)
	defer stage.Wait()
	defer cancel()
	folder, err := os.MkdirTemp(b.folder, "bus")
	if err != nil {
		return fmt.Errorf("a folder for the bus: %w", err)
	}
	s := newSlave()
	port := filepath.Join(folder, "bus")
	if _, err := stage.Serial(port, baud, s); err != nil {
		return err //nolint:wrapcheck // says which port
	}
	return measure(s, port)
}

// serialRoom runs a room of lamps on the bus, and of other devices beside them.
func (b *bench) serialRoom(ctx context.Context, port string, n int, poll, more string) (*process, error) {
	file, err := b.write(lamps{lines: []string{fmt.Sprintf("kind: serial, port: %q, baud: %d", port, baud)}, each: n, poll: poll, more: more})
	if err != nil {
		return nil, err
	}
	d, _, err := b.daemon(ctx, "--config", file)
	return d, err
}

// idleBus: a bare exchange and a press, in turns.
func (b *bench) idleBus(ctx context.Context) error {
	var bare, pressed []time.Duration
	for range b.Repeats {
		if err := b.onBus(ctx, func(_ *slave, port string) error {
			t, err := bareExchange(port, 100)
			if err != nil {
				return err
			}
			bare = append(bare, t.p50())
			return nil
		}); err != nil {
			return err
		}
		if err := b.onBus(ctx, func(s *slave, port string) error {
			d, err := b.serialRoom(ctx, port, 1, "1h", "")
			if err != nil {
				return err
			}
			defer d.stop()
			p := newPresser(s, byHTTP(d.url, d.token))
			leave, err := b.follow(ctx, d.url, 1, p.see)
			if err != nil {
				return err
			}
			defer leave()
			p.drive(ctx, 100, 10, 1, 0, 1)
			pressed = append(pressed, p.shown.p50())
			return nil
		}); err != nil {
			return err
		}
	}
	b.ratio("press on an idle bus of 9600 baud, sent to another panel's event, p50", median(pressed), median(bare), 1.05)
	return nil
}

// bareExchange writes a coil and reads the reply, with nothing between program and port.
func bareExchange(port string, n int) (*times, error) {
	f, err := os.OpenFile(port, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("the bus: %w", err)
	}
	defer f.Close()
	frame := []byte{1, 5, 0, 0, 0xFF, 0}
	frame = append(frame, byte(crc(frame)), byte(crc(frame)>>8))
	t := new(times)
	for range n {
		time.Sleep(80 * time.Millisecond)
		at := time.Now()
		if _, err := f.Write(frame); err != nil {
			return nil, fmt.Errorf("the bus: %w", err)
		}
		if _, err := io.ReadFull(f, make([]byte, len(frame))); err != nil {
			return nil, fmt.Errorf("the bus: %w", err)
		}
		t.add(time.Since(at))
	}
	return t, nil
}

// busyBus: a bus with more to ask than it carries, and a person.
func (b *bench) busyBus(ctx context.Context) error {
	var shares, rates []float64
	var p50, p99, most []time.Duration
	for range b.Repeats {
		if err := b.onBus(ctx, func(s *slave, port string) error {
			// Asked each 100 ms: seven times what the bus carries. The lamps are read in one frame, the units beside them not.
			const lamps, units, lasts = 8, 30, 20
			more := ""
			for unit := range units {
				more += beside(unit+2, "100ms")
			}
			d, err := b.serialRoom(ctx, port, lamps, "100ms", more)
			if err != nil {
				return err
			}
			defer d.stop()
			p := newPresser(s, byHTTP(d.url, d.token))
			frames, bytes := s.traffic()
			began := time.Now()
			p.drive(ctx, 5*lasts, 5, 1, 0, lamps)
			took := time.Since(began)
			moreFrames, moreBytes := s.traffic()
			frames, bytes = moreFrames-frames, moreBytes-bytes
			busy := time.Duration(bytes)*char + time.Duration(frames)*2*silence
			shares, rates = append(shares, 100*busy.Seconds()/took.Seconds()), append(rates, float64(frames)/took.Seconds())
			p50, p99, most = append(p50, p.wire.p50()), append(p99, p.wire.p99()), append(most, took/time.Duration(frames)+write)
			return nil
		}); err != nil {
			return err
		}
	}
	share := median(shares)
	b.add(row{
		"a bus of 9600 baud with all it carries, five presses a second among it: busy", fmt.Sprintf("%.1f %%", share),
		fmt.Sprintf("%.1f frames/s of %.1f", median(rates), time.Second.Seconds()/question.Seconds()), "90 %", keeps(share >= 90),
	})
	b.add(row{
		"press on that bus to the equipment, p50 / p99", pair(median(p50), median(p99)),
		"one exchange in flight and itself: " + ms(median(most)), "1.05x", keeps(median(p99) <= median(most)*105/100),
	})
	return nil
}
