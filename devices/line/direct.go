package line

import (
	"fmt"
	"io"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// direct is a port or connection that is read and written without the runtime being told of a call that may take long. It
// does not: the descriptor is non-blocking, what there is not yet is waited for by the poller, and a driver's write may not
// sleep (struct tty_operations, linux/tty_driver.h). The usual way, such a call out of rest wakes the runtime's watchman,
// who then looks every twenty microseconds whether it is back (entersyscall and sysmon, runtime/proc.go). With a dozen
// exchanges a second that was a quarter of what a room at rest took of a processor.
//
// One goroutine may read while another writes; any may close it or set the deadline.
type direct struct {
	inner
	name     string // for errors
	raw      syscall.RawConn
	in, out  transfer
	get, put func(fd uintptr) bool // of in and out; kept, as a closure for each call would be made anew
}

// inner is what is read and written: an *os.File or a connection.
type inner interface {
	io.Closer
	SyscallConn() (syscall.RawConn, error)
	SetWriteDeadline(t time.Time) error
}

func newDirect(name string, of inner) (*direct, error) {
	raw, err := of.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	d := &direct{inner: of, name: name, raw: raw}
	d.get = func(fd uintptr) bool { return d.in.once(unix.SYS_READ, fd) }
	d.put = func(fd uintptr) bool { return d.out.once(unix.SYS_WRITE, fd) }
	return d, nil
}

// Read waits for bytes, as long as it takes. Close ends it.
func (d *direct) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	d.in = transfer{bytes: b}
	if err := d.raw.Read(d.get); err != nil {
		return 0, fmt.Errorf("reading %s: %w", d.name, err)
	}
	switch {
	case d.in.failed != 0:
		return 0, fmt.Errorf("reading %s: %w", d.name, d.in.failed)
	case d.in.moved == 0:
		return 0, io.EOF
	}
	return d.in.moved, nil
}

// Write writes everything, or until the deadline.
func (d *direct) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		d.out = transfer{bytes: b[done:]}
		if err := d.raw.Write(d.put); err != nil {
			return done, fmt.Errorf("writing to %s: %w", d.name, err)
		}
		if d.out.failed != 0 {
			return done, fmt.Errorf("writing to %s: %w", d.name, d.out.failed)
		}
		done += d.out.moved
	}
	return done, nil
}

// transfer is one call of read(2) or write(2).
type transfer struct {
	bytes  []byte // at least one
	moved  int
	failed unix.Errno // 0 for none
}

// once makes the call. It reports false where the descriptor is not ready, and is to be waited for.
func (t *transfer) once(call, fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall(call, fd, uintptr(unsafe.Pointer(&t.bytes[0])), uintptr(len(t.bytes)))
		switch errno {
		case 0:
			t.moved = int(n)
			return true
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			t.failed = errno
			return true
		}
	}
}
