package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// manager is systemd as a service sees it: a socket that takes datagrams.
type manager struct {
	t    *testing.T
	mu   sync.Mutex
	told []string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", path)
	m := &manager{t: t}
	over := make(chan struct{})
	go func() {
		defer close(over)
		buf := make([]byte, 64<<10)
		for {
			n, err := socket.Read(buf)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.told = append(m.told, string(buf[:n]))
			m.mu.Unlock()
		}
	}()
	t.Cleanup(func() { _ = socket.Close(); <-over })
	return m
}

// hears waits until systemd is told something that begins so, after what it was told before.
func (m *manager) hears(begins string, from int) (next int) {
	m.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		m.mu.Lock()
		told := slices.Clone(m.told)
		m.mu.Unlock()
		for i := from; i < len(told); i++ {
			if strings.HasPrefix(told[i], begins) {
				return i + 1
			}
		}
	}
	m.t.Fatalf("systemd was never told %q, but %q", begins, slices.DeleteFunc(slices.Clone(m.told[from:]), func(s string) bool { return s == "WATCHDOG=1" }))
	return 0
}

// buffer is written by the daemon and read by a test.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p) //nolint:wrapcheck // a buffer
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// The whole program under a systemd of the test: start, watchdog, reload by SIGHUP and by verb, stop.
func TestTheProgramUnderSystemd(t *testing.T) {
	m := newManager(t)
	t.Setenv("WATCHDOG_USEC", "200000")
	t.Setenv("WATCHDOG_PID", "")
	_ = os.Unsetenv("WATCHDOG_PID")
	folder := t.TempDir()
	room, data := filepath.Join(folder, "room.yaml"), filepath.Join(folder, "data")
	good, err := os.ReadFile(example("huddle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(room, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(string(good))
	bad := strings.NewReplacer("kind: light", "kind: lamp", "modbus-tcp", "modbus-tpc").Replace(string(good))
	if bad == string(good) {
		t.Fatal("the room file has no faults")
	}

	ctx, cancel := context.WithCancel(context.Background())
	var out, log buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, []string{"run", "--config", room, "--simulate", "--speed", "50", "--listen", "127.0.0.1:0", "--data", data}, terminal{strings.NewReader(""), &out, &log})
	}()
	m.hears("READY=1", 0)
	at := m.hears("STATUS=Running: all lines are up", 0)
	m.hears("WATCHDOG=1", m.hears("WATCHDOG=1", 0))

	address := out.String()[strings.Index(out.String(), "http://"):]
	address = address[:strings.IndexByte(address, '\n')]
	reload := func() (int, string) {
		var said buffer
		code := run(context.Background(), []string{"reload", "--address", address, "--data", data}, terminal{strings.NewReader(""), &said, &said})
		return code, said.String()
	}
	write(bad)
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	at = m.hears("READY=1", m.hears("RELOADING=1\nMONOTONIC_USEC=", at))
	for end := time.Now().Add(patience); !strings.Contains(log.String(), "lamp"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log does not tell the fault: %s", log.String())
		}
	}
	if code, said := reload(); code != exitFailed || !strings.Contains(said, "lamp") || !strings.Contains(said, "modbus-tpc") || !strings.Contains(said, "room.yaml:") {
		t.Errorf("reload of a file with faults: %d %s", code, said)
	}
	write(strings.Replace(string(good), "coil: 1", "coil: 7", 1))
	if code, said := reload(); code != exitDone || said != "reloaded: kept display; closed lights; opened lights\n" {
		t.Errorf("reload of a good file: %d %q", code, said)
	}
	at = m.hears("READY=1", m.hears("RELOADING=1", at))

	cancel()
	m.hears("STOPPING=1\nSTATUS=", at)
	if c := <-code; c != exitDone {
		t.Errorf("it ended with %d: %s", c, log.String())
	}
}

// A daemon that does not answer is not kept alive by a ticker.
func TestAWatchdogThatGetsNoAnswerIsToldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Setenv("WATCHDOG_USEC", "4000000")
		hangs := make(chan struct{})
		var asked, told atomic.Int64
		h := &herald{
			log: slog.New(slog.DiscardHandler), missing: func() []string { return nil }, waiting: make(chan struct{}, 1),
			answers: func() {
				if asked.Add(1) == 3 {
					<-hangs
				}
			},
			send: func(state string) error {
				if state == "WATCHDOG=1" {
					told.Add(1)
				}
				return nil
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); h.run(ctx) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		if asked.Load() != 3 || told.Load() != 2 {
			t.Errorf("asked %d times, told %d times; want 3 and 2", asked.Load(), told.Load())
		}
		close(hangs)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if told.Load() < 10 {
			t.Errorf("it answers again, and systemd was told %d times", told.Load())
		}
		cancel()
		<-over
	})
}

// Equipment that is missing must not keep the panel from being started for ever, nor be hidden.
func TestADaemonWithoutItsEquipmentIsReadyAfterABoundedTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var told []string
		so := func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(told) }
		began := time.Now()
		h := &herald{
			log: slog.New(slog.DiscardHandler), waiting: make(chan struct{}, 1),
			missing: func() []string {
				if time.Since(began) > readyMost+2*time.Second {
					return nil
				}
				return []string{"line bus: no such file", "device a", "device b", "device c"}
			},
			send: func(state string) error { mu.Lock(); defer mu.Unlock(); told = append(told, state); return nil },
		}
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); h.run(ctx) }()
		time.Sleep(readyMost - time.Second)
		synctest.Wait()
		if want := []string{"STATUS=Starting, waiting for 4: line bus: no such file; device a; device b; ..."}; !slices.Equal(so(), want) {
			t.Errorf("after %s: %q", time.Since(began), so())
		}
		time.Sleep(6 * time.Second)
		cancel()
		<-over
		want := []string{"READY=1", "STATUS=Running, but 4 missing: line bus: no such file; device a; device b; ...", "STATUS=Running: all lines are up and all equipment answers"}
		if len(told) != 5 || !slices.Equal(told[1:4], want) || !strings.HasPrefix(told[4], "STOPPING=1") {
			t.Errorf("%q", told)
		}
	})
}
