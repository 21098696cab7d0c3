package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	settled   = 15 * time.Second // after the start; what is in memory then is mostly what the start needed
	leanAgain = time.Hour        // what was used since and is not used every day is given back again
)

// stayLean gives memory back that was needed once: the heap of the start, and the pages of the program itself that only a
// start reads. Those stay in the page cache as long as the machine has room, so that using one again costs microseconds.
// It returns when ctx ends.
func stayLean(ctx context.Context, log *slog.Logger) {
	for wait := settled; ; wait = leanAgain {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		debug.FreeOSMemory()
		letGrow()
		if err := dropProgram(); err != nil {
			log.Debug("giving back pages of the program", "error", err)
		}
	}
}

// smallHeap is that of a room with its panels; one of a thousand devices has more.
const smallHeap = 8 << 20

// letGrow has a small heap collected when it has grown by half, not by as much again as it usually is: it costs a few
// milliseconds every quarter of a minute, and what the heap may grow to is memory that it has. GOGC goes before.
func letGrow() {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := 100
	if live[0].Value.Uint64() < smallHeap {
		percent = 50
	}
	debug.SetGCPercent(percent)
}

// dropProgram unmaps the pages of files that this process only reads; each comes back when it is touched.
func dropProgram() error {
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err //nolint:wrapcheck // names the path
	}
	defer maps.Close()
	all, err := onlyRead(maps)
	if err != nil {
		return fmt.Errorf("reading %s: %w", maps.Name(), err)
	}
	for _, m := range all {
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED); errno != 0 {
			return fmt.Errorf("madvise of %x-%x: %w", m.start, m.end, errno)
		}
	}
	return nil
}

// mapping is a range of addresses.
type mapping struct{ start, end uintptr }

// onlyRead finds, in the text of /proc/self/smaps (proc_pid_smaps(5)), the private mappings of files that cannot be
// written and of which no page differs from the file. One that does, as relocations make it in a
// position-independent program, would lose the difference.
func onlyRead(smaps io.Reader) ([]mapping, error) {
	var all []mapping
	var m mapping
	file := false
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 5 && strings.Contains(fields[0], "-") { // address perms offset dev inode [path]
			if _, err := fmt.Sscanf(fields[0], "%x-%x", &m.start, &m.end); err != nil {
				return nil, fmt.Errorf("%q: %w", lines.Text(), err)
			}
			file = fields[1][0] == 'r' && fields[1][1] == '-' && fields[1][3] == 'p' && fields[4] != "0"
		}
		if file && len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" {
			all = append(all, m)
		}
	}
	return all, lines.Err() //nolint:wrapcheck // the caller says what it read
}
