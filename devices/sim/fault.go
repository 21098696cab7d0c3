package sim

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// fault is what is wrong with a wire just now.
type fault struct {
	name string
	late time.Duration
}

// WireFaults lists what Wire.Fault takes.
const WireFaults = `"" (healed), silence, late=DURATION, garbage, flood, unplug`

// Fault makes the wire itself misbehave until Fault("") heals it:
//
//	silence        the equipment hears but nothing it says arrives
//	late=300ms     what it says arrives later by that much
//	garbage        other bytes arrive in place of what it says
//	flood          noise arrives without end
//	unplug         the port is gone; healing plugs it in again under the same name
func (w *Wire) Fault(name string) error {
	f := fault{name: name}
	if d, ok := strings.CutPrefix(name, "late="); ok {
		late, err := time.ParseDuration(d)
		if err != nil || late < 0 || late > time.Minute {
			return fmt.Errorf("fault %q: the delay is a duration up to a minute, such as late=300ms", name)
		}
		f = fault{name: "late", late: late}
	}
	switch f.name {
	case "", "silence", "late", "garbage", "flood", "unplug":
	default:
		return fmt.Errorf("fault %q is not known: a wire takes %s", name, WireFaults)
	}
	w.mu.Lock()
	before := w.fault.name
	w.fault = f
	w.mu.Unlock()
	switch {
	case f.name == "unplug" && before != "unplug":
		w.unplug()
	case f.name != "unplug" && before == "unplug":
		return w.plug()
	}
	return nil
}

func (w *Wire) faultNow() fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault
}

// faulty is a connection that the wire's fault acts on, and that is as slow as the wire.
type faulty struct {
	wire *Wire
	conn io.ReadWriter
}

func (f *faulty) Read(b []byte) (int, error) {
	for {
		n, err := f.conn.Read(b)
		if n == 0 {
			return n, err //nolint:wrapcheck // a reader must pass io.EOF on as it is
		}
		f.wire.record(b[:n])
		f.pace(n)
		if f.wire.faultNow().name != "flood" {
			return n, err //nolint:wrapcheck // as above
		}
		// What is sent into noise is not heard, and so not answered when the noise is over.
		if noisy := f.flood(); noisy != nil || err != nil {
			return 0, errors.Join(noisy, err)
		}
	}
}

func (f *faulty) Write(b []byte) (int, error) {
	out := b
	switch now := f.wire.faultNow(); now.name {
	case "silence", "unplug":
		return len(b), nil
	case "late":
		select {
		case <-time.After(now.late):
		case <-f.wire.stage.ctx.Done():
		}
	case "garbage":
		out = make([]byte, len(b))
		f.wire.noise.fill(out)
	case "flood":
		return len(b), f.flood()
	}
	f.pace(len(out))
	if n, err := f.conn.Write(out); err != nil {
		return n, err //nolint:wrapcheck // as above
	}
	return len(b), nil
}

// noise is a source of bytes that mean nothing. It may be used from any goroutine.
type noise struct {
	mu     sync.Mutex
	source *rand.Rand
}

func newNoise(seed, wire uint64) *noise { return &noise{source: rand.New(rand.NewPCG(seed, wire))} }

func (n *noise) fill(b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range b {
		b[i] = byte(n.source.UintN(256))
	}
}

// flood writes noise until the fault is healed or the wire closed.
func (f *faulty) flood() error {
	noise := make([]byte, 1024)
	for f.wire.faultNow().name == "flood" && f.wire.stage.ctx.Err() == nil {
		f.wire.noise.fill(noise)
		if _, err := f.conn.Write(noise); err != nil {
			return err //nolint:wrapcheck // as above
		}
	}
	return nil
}

// pace waits as long as n characters take on the wire. The end of it is slept and not left to a timer, which may come a
// millisecond late: a wire does not.
func (f *faulty) pace(n int) {
	if f.wire.baud <= 0 {
		return
	}
	const exact = 2 * time.Millisecond
	end := time.Now().Add(time.Duration(n) * 10 * time.Second / time.Duration(f.wire.baud))
	select {
	case <-time.After(time.Until(end) - exact):
	case <-f.wire.stage.ctx.Done():
		return
	}
	left := unix.NsecToTimespec(int64(max(0, time.Until(end))))
	for errors.Is(unix.Nanosleep(&left, &left), unix.EINTR) {
	}
}

// faultyConn is faulty over TCP.
type faultyConn struct {
	net.Conn
	faulty *faulty
}

func (c *faultyConn) Read(b []byte) (int, error)  { return c.faulty.Read(b) }
func (c *faultyConn) Write(b []byte) (int, error) { return c.faulty.Write(b) }
