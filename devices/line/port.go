package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/tarm/serial"
	"golang.org/x/sys/unix"
)

const dialTime = 5 * time.Second

// open opens what the line's config names.
func (l *Line) open(ctx context.Context) (io.ReadWriteCloser, error) {
	if l.config.Kind == Serial {
		return openSerial(l.config)
	}
	if l.config.Kind == MQTT {
		l.mu.Lock()
		follow := maps.Clone(l.follow)
		l.mu.Unlock()
		return openBroker(ctx, l.config, follow)
	}
	dialer := net.Dialer{Timeout: dialTime, KeepAlive: 15 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", l.config.Address)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", l.config.Address, err)
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%s is no TCP connection", l.config.Address), conn.Close())
	}
	direct, err := newDirect(l.config.Address, tcp)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return direct, nil
}

// serialPort is a port of tarm/serial with its faults worked round. A Read of that library holds a thread, cannot be
// interrupted, wakes up ten times a second to find nothing, and returns (0, io.EOF) both for silence and for a port that
// is gone; a Write takes as long as the driver likes. So it only sets the port up, and what comes and goes does so by a
// second descriptor of the same port, which can wait and has deadlines.
type serialPort struct {
	*direct // also holds the lock
	setUp   *serial.Port
}

// openSerial opens a port for this process alone.
func openSerial(c Config) (io.ReadWriteCloser, error) {
	file, err := os.OpenFile(c.Port, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%w: is the adapter plugged in?", err)
		}
		if errors.Is(err, os.ErrPermission) {
			return nil, fmt.Errorf("%w: is the user in the group dialout?", err)
		}
		return nil, err //nolint:wrapcheck // names the path
	}
	// tarm/serial opens a port that another process has open, and both read half of every reply. The
	// lock is advisory: it keeps a second Lectern out, and everything that locks as well.
	if err := lock(file); err != nil {
		err = errors.Join(err, file.Close())
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%s is in use by another program: stop it, or give the line another port", c.Port)
		}
		return nil, fmt.Errorf("locking %s: %w", c.Port, err)
	}
	f, err := parseFormat(c.Format)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("line %s: %w", c.ID, err), file.Close())
	}
	port, err := serial.OpenPort(&serial.Config{
		// With no ReadTimeout, VMIN is 1: a read that must not wait says so, where with VMIN 0 it would look like the end.
		Name: c.Port, Baud: c.Baud, Size: f.data, Parity: serial.Parity(f.parity), StopBits: serial.StopBits(f.stop),
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s at %d baud %s: %w", c.Port, c.Baud, c.Format, err), file.Close())
	}
	direct, err := newDirect(c.Port, file)
	if err != nil {
		return nil, errors.Join(err, port.Close(), file.Close())
	}
	return &serialPort{direct: direct, setUp: port}, nil
}

// lock locks an open file for its descriptor. os.File.Fd would take the file out of the poller.
func lock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err //nolint:wrapcheck // names the file
	}
	held := error(nil)
	err = raw.Control(func(fd uintptr) { held = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB) })
	return errors.Join(err, held)
}

// errUnplugged is what a port that is gone reads.
var errUnplugged = errors.New("the port is gone: is the adapter unplugged?")

// Read waits for bytes, as long as it takes. Close ends it.
func (p *serialPort) Read(b []byte) (int, error) {
	n, err := p.direct.Read(b)
	if errors.Is(err, io.EOF) { // a tty has no end but that of its hardware
		return n, errUnplugged
	}
	return n, err //nolint:wrapcheck // names the path
}

// Close closes the port and gives it up to others.
func (p *serialPort) Close() error { return errors.Join(p.setUp.Close(), p.direct.Close()) }

// format is a serial format such as 8N1.
type format struct {
	data   byte
	parity byte // N, E, O
	stop   byte
}

func parseFormat(s string) (format, error) {
	if len(s) == 3 && (s[0] == '7' || s[0] == '8') && (s[1] == 'N' || s[1] == 'E' || s[1] == 'O') && (s[2] == '1' || s[2] == '2') {
		return format{data: s[0] - '0', parity: s[1], stop: s[2] - '0'}, nil
	}
	return format{}, fmt.Errorf("format %q: write data bits (7, 8), parity (N, E, O) and stop bits (1, 2), such as 8N1", s)
}

// wireTime is how long n characters take on the wire; 0 on TCP.
func wireTime(c Config, n int) time.Duration {
	if c.Kind != Serial {
		return 0
	}
	bits := 10
	if f, err := parseFormat(c.Format); err == nil {
		bits = 1 + int(f.data) + int(f.stop)
		if f.parity != 'N' {
			bits++
		}
	}
	return time.Duration(n*bits) * time.Second / time.Duration(c.Baud)
}

// frameGap is the silence between two frames: 3.5 characters, and 1.75 ms above 19200 baud (MODBUS
// over Serial Line V1.02, section 2.5.1.1).
func frameGap(c Config) time.Duration {
	if c.Baud > 19200 {
		return 1750 * time.Microsecond
	}
	return wireTime(c, 7) / 2
}
