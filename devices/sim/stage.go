package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Stage is where simulated equipment performs: it owns the ptys and listeners. Everything on it
// ends with the context it was made with; Wait returns when nothing is left.
type Stage struct {
	ctx context.Context
	wg  sync.WaitGroup

	mu      sync.Mutex
	seed    uint64 // of the noise; 0 for none in particular
	plugged uint64 // wires made so far
}

// NewStage makes a stage that lasts until ctx ends.
func NewStage(ctx context.Context) *Stage { return &Stage{ctx: ctx} }

// Wait returns when ctx has ended and every port is closed.
func (s *Stage) Wait() { s.wg.Wait() }

// Seed makes the noise of wires that are made from now on come from a seed, so that a test that met
// garbage can meet the same again.
func (s *Stage) Seed(seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seed = seed
}

// noise is the source of a new wire's noise.
func (s *Stage) noise() *noise {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plugged++
	if s.seed == 0 {
		return newNoise(rand.Uint64(), s.plugged)
	}
	return newNoise(s.seed, s.plugged)
}

// Go runs something else that ends with the stage, such as a server of pictures.
func (s *Stage) Go(f func()) { s.wg.Go(f) }

// Serial puts equipment on a new pty and makes link, a path in an existing folder, point to it.
// Several pieces of equipment on one port must all be Units. A baud above 0 makes the port as slow
// as a wire of that speed (10 bits a character).
func (s *Stage) Serial(link string, baud int, equipment ...Equipment) (*Wire, error) {
	play, err := script(equipment)
	if err != nil {
		return nil, fmt.Errorf("simulated port %s: %w", link, err)
	}
	w := &Wire{stage: s, link: link, baud: baud, play: play, noise: s.noise(), changed: make(chan struct{})}
	if err := w.plug(); err != nil {
		return nil, err
	}
	s.wg.Go(func() {
		<-s.ctx.Done()
		w.unplug()
		_ = os.Remove(link)
	})
	return w, nil
}

// TCP puts equipment on a TCP listener at address (host:port, port 0 for any).
func (s *Stage) TCP(address string, equipment ...Equipment) (*Wire, error) {
	play, err := script(equipment)
	if err != nil {
		return nil, fmt.Errorf("simulated equipment at %s: %w", address, err)
	}
	w := &Wire{stage: s, address: address, play: play, noise: s.noise(), changed: make(chan struct{})}
	if err := w.plug(); err != nil {
		return nil, err
	}
	s.wg.Go(func() {
		<-s.ctx.Done()
		w.unplug()
	})
	return w, nil
}

// script returns how equipment plays on a connection: a stream by itself, units as a bus.
func script(equipment []Equipment) (func(context.Context, io.ReadWriter) error, error) {
	if len(equipment) == 1 {
		if stream, ok := equipment[0].(Stream); ok {
			return stream.Serve, nil
		}
	}
	var units []Unit
	for _, e := range equipment {
		unit, ok := e.(Unit)
		if !ok {
			return nil, fmt.Errorf("%T cannot share a line: it is no unit of a bus", e)
		}
		units = append(units, unit)
	}
	if len(units) == 0 {
		return nil, errors.New("no equipment")
	}
	return func(ctx context.Context, conn io.ReadWriter) error { return serveBus(ctx, conn, units) }, nil
}

// Wire is one simulated connection, as seen from the equipment's end. Its methods may be called
// from any goroutine.
type Wire struct {
	stage   *Stage
	link    string // serial
	address string // TCP
	baud    int
	play    func(context.Context, io.ReadWriter) error
	noise   *noise

	mu       sync.Mutex
	open     []io.Closer        // what unplugging closes
	cancel   context.CancelFunc // ends what plays on the present plug
	fault    fault
	heard    [][]byte // what arrived, newest last
	heardAll uint64
	changed  chan struct{} // closed at every arrival
}

// heardMost bounds how many arrivals a wire remembers.
const heardMost = 4096

// Path returns the path of the port, "" on TCP.
func (w *Wire) Path() string { return w.link }

// Address returns the host:port of the listener, "" on a pty.
func (w *Wire) Address() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.address
}

// Heard returns what arrived at the equipment since the count that an earlier call returned, chunk
// by chunk as it was read, and a channel that is closed when there is more. It remembers the last
// few thousand arrivals.
func (w *Wire) Heard(since uint64) (chunks [][]byte, count uint64, more <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	missed := w.heardAll - since
	if missed > uint64(len(w.heard)) {
		missed = uint64(len(w.heard))
	}
	return append([][]byte(nil), w.heard[uint64(len(w.heard))-missed:]...), w.heardAll, w.changed
}

func (w *Wire) record(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.heard) == heardMost {
		w.heard = w.heard[1:]
	}
	w.heard = append(w.heard, append([]byte(nil), b...))
	w.heardAll++
	close(w.changed)
	w.changed = make(chan struct{})
}

func (w *Wire) plug() error {
	if w.link != "" {
		return w.plugPty()
	}
	return w.plugTCP()
}

func (w *Wire) plugPty() error {
	blocking, tty, err := pty.Open()
	if err != nil {
		return fmt.Errorf("simulated port %s: opening a pty: %w", w.link, err)
	}
	master, err := pollable(blocking)
	if err != nil {
		return fmt.Errorf("simulated port %s: %w", w.link, errors.Join(err, tty.Close()))
	}
	// The equipment holds the tty open as well, so that the daemon closing its port is not a hang-up
	// for the equipment. Raw at once: a cooked tty would echo what the equipment says.
	if err := makeRaw(tty); err != nil {
		return fmt.Errorf("simulated port %s: %w", w.link, errors.Join(err, master.Close(), tty.Close()))
	}
	// A rename makes the link point elsewhere in one step: nobody finds it missing.
	fresh := filepath.Join(filepath.Dir(w.link), fmt.Sprintf(".%s.%d", filepath.Base(w.link), os.Getpid()))
	_ = os.Remove(fresh)
	if err := errors.Join(os.Symlink(tty.Name(), fresh), os.Rename(fresh, w.link)); err != nil {
		return fmt.Errorf("simulated port %s: %w", w.link, errors.Join(err, master.Close(), tty.Close()))
	}
	ctx, cancel := context.WithCancel(w.stage.ctx)
	w.mu.Lock()
	w.open, w.cancel = []io.Closer{master, tty}, cancel
	w.mu.Unlock()
	w.stage.wg.Go(func() { w.perform(ctx, master) })
	return nil
}

func (w *Wire) plugTCP() error {
	w.mu.Lock()
	address := w.address
	w.mu.Unlock()
	var config net.ListenConfig
	listener, err := config.Listen(w.stage.ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("simulated equipment at %s: %w", address, err)
	}
	ctx, cancel := context.WithCancel(w.stage.ctx)
	w.mu.Lock()
	w.address = listener.Addr().String() // a replug gets the same port again
	w.open, w.cancel = []io.Closer{listener}, cancel
	w.mu.Unlock()
	w.stage.wg.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			w.stage.wg.Go(func() {
				defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
				defer conn.Close()
				w.perform(ctx, conn)
			})
		}
	})
	return nil
}

// perform plays on one connection until it or ctx ends.
func (w *Wire) perform(ctx context.Context, conn io.ReadWriter) {
	line := &faulty{wire: w, conn: conn}
	if n, ok := conn.(net.Conn); ok {
		// Equipment tells TCP from serial by this, as the real one has two sockets for it.
		_ = w.play(ctx, &faultyConn{Conn: n, faulty: line})
		return
	}
	_ = w.play(ctx, line)
}

func (w *Wire) unplug() {
	w.mu.Lock()
	open, cancel := w.open, w.cancel
	w.open, w.cancel = nil, nil
	w.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if w.link != "" {
		// As the device file of an adapter that is gone. Left behind, it would lead to whichever
		// wire gets the number of this pty next.
		_ = os.Remove(w.link)
	}
	for _, c := range open {
		_ = c.Close()
	}
}

// pollable makes a file anew so that closing it ends a Read that is under way. The pty library uses
// the file's descriptor, which turns it blocking, and closing a blocking file waits for its readers:
// the daemon would never see the hang-up.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("duplicating the pty: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("setting the pty non-blocking: %w", errors.Join(err, unix.Close(fd)))
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// makeRaw does what cfmakeraw does: no echo, no lines, no signals, eight bits.
func makeRaw(tty *os.File) error {
	raw, err := tty.SyscallConn()
	if err != nil {
		return fmt.Errorf("setting the pty raw: %w", err)
	}
	var inner error
	err = raw.Control(func(fd uintptr) {
		t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if err != nil {
			inner = err
			return
		}
		t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
		t.Oflag &^= unix.OPOST
		t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		inner = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	if err = errors.Join(err, inner); err != nil {
		return fmt.Errorf("setting the pty raw: %w", err)
	}
	return nil
}

// busSilence ends a frame on a bus: more than 3.5 characters at 9600 baud with slack for a host
// that is busy with other things.
const busSilence = 3 * time.Millisecond

// frameMost bounds a frame; a Modbus RTU frame has at most 256 bytes.
const frameMost = 512

// serveBus cuts what arrives into frames by silence and lets every unit hear them; the first that
// answers is heard in turn.
func serveBus(ctx context.Context, conn io.ReadWriter, units []Unit) error {
	chunks := make(chan []byte)
	done := make(chan struct{})
	defer close(done)
	var failed error
	go func() {
		defer close(chunks)
		for {
			buf := make([]byte, frameMost)
			n, err := conn.Read(buf)
			if n > 0 {
				select {
				case chunks <- buf[:n]:
				case <-done:
					return
				}
			}
			if err != nil {
				failed = err
				return
			}
		}
	}()
	var frame []byte
	silence := time.NewTimer(time.Hour)
	defer silence.Stop()
	for {
		select {
		case chunk, ok := <-chunks:
			if !ok {
				return failed
			}
			if frame = append(frame, chunk...); len(frame) > frameMost {
				frame = frame[:0]
			}
			silence.Reset(busSilence)
		case <-silence.C:
			for _, u := range units {
				if reply := u.Frame(frame); len(reply) > 0 {
					if _, err := conn.Write(reply); err != nil {
						return fmt.Errorf("bus: %w", err)
					}
					break
				}
			}
			frame = frame[:0]
		case <-ctx.Done():
			return nil
		}
	}
}
