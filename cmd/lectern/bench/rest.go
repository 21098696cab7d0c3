package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	settles = 30 * time.Second // after the start, until the heap is what it stays
	watched = 2 * time.Second  // for the processor's share; so often that a host which takes its own share counts little
	watches = 15
)

// rest: what the daemon takes when nobody presses anything.
func (b *bench) rest(ctx context.Context) error {
	if err := b.size(); err != nil {
		return err
	}
	if err := b.coldStart(ctx); err != nil {
		return err
	}
	d, _, err := b.daemon(ctx)
	if err != nil {
		return err
	}
	memory, shares := idle(ctx, d)
	d.stop()
	b.add(row{"demo room with its simulators and broker at rest: memory", fmt.Sprintf("%.1f MiB", memory), "", "36 MiB", keeps(memory <= 36)})
	_, share := typical(shares)
	b.add(row{"the same: of one processor, of windows of 2 s the median", share, "", "", told})
	return b.onRealLines(ctx)
}

// idle lets a daemon alone.
func idle(ctx context.Context, d *process) (memory float64, shares []float64) {
	rest(ctx, settles)
	for range watches {
		before, at := d.worked(), time.Now()
		rest(ctx, watched)
		shares = append(shares, 100*(d.worked()-before).Seconds()/time.Since(at).Seconds())
	}
	slices.Sort(shares)
	return d.memory(), shares
}

// typical writes the median of sorted shares, and their mean.
func typical(shares []float64) (median float64, text string) {
	mean := 0.0
	for _, s := range shares {
		mean += s / float64(len(shares))
	}
	median = shares[len(shares)/2]
	return median, fmt.Sprintf("%.2f %%, mean %.2f", median, mean)
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (b *bench) size() error {
	info, err := os.Stat(b.Program)
	if err != nil {
		return fmt.Errorf("the program: %w", err)
	}
	mb := float64(info.Size()) / 1e6
	b.add(row{"the program, stripped", fmt.Sprintf("%.1f MB", mb), "", "25 MB", keeps(mb <= 25)})
	return nil
}

// coldStart: from the start of the process until the room is ready.
func (b *bench) coldStart(ctx context.Context) error {
	var ready []time.Duration
	for range 2*b.Repeats + 1 {
		if err := b.onRoom(ctx, 1, lamps{each: manyLamps, poll: "2s", broker: "embedded"}, func(_ *slave, _ *process, took time.Duration) error {
			ready = append(ready, took)
			return nil
		}); err != nil {
			return err
		}
	}
	m := median(ready)
	b.add(row{"start of the program to ready, on lines that answer at once", ms(m), "", "150 ms", keeps(m <= 150*time.Millisecond)})
	return nil
}

// onRealLines: the demo room, its equipment played by another process.
func (b *bench) onRealLines(ctx context.Context) error {
	lines, err := os.MkdirTemp(b.folder, "lines")
	if err != nil {
		return fmt.Errorf("a folder for the lines: %w", err)
	}
	equipment := exec.CommandContext(ctx, b.Program, "simulate", "--dir", lines)
	equipment.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := equipment.Start(); err != nil {
		return fmt.Errorf("playing the equipment: %w", err)
	}
	defer func() { _ = equipment.Process.Kill(); _ = equipment.Wait() }()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(lines, "endpoints.json")); err == nil && strings.HasSuffix(string(b), "}\n") {
			break
		}
	}
	d, _, err := b.daemon(ctx, "--simulated", lines)
	if err != nil {
		return err
	}
	defer d.stop()
	memory, shares := idle(ctx, d)
	b.add(row{"demo room as a daemon on its lines at rest: memory", fmt.Sprintf("%.1f MiB", memory), "", "25 MiB", keeps(memory <= 25)})
	median, share := typical(shares)
	b.add(row{"the same: of one processor, of windows of 2 s the median", share, "", "1 %", keeps(median <= 1)})
	return nil
}
