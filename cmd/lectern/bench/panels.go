package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Panels are n panels that follow the room at an address, a host and a port, until ctx ends. On out they say "whole" when
// all of them have the state of the room, and then of every lamp that the first is told of "DEVICE ON TIME": its id, true
// or false, and when that arrived, in nanoseconds since 1970 and by the kernel's time stamp.
//
// Panels on walls have processors of their own. These share one with what is measured, so they take of it what is left:
// one thread of the lowest priority reads all of them, and what it reads late has been stamped when it arrived.
func Panels(ctx context.Context, address string, n int, out io.Writer) error {
	runtime.LockOSThread() // the priority is the thread's
	defer runtime.UnlockOSThread()
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 19); err != nil {
		return fmt.Errorf("panels of a low priority: %w", err)
	}
	poll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return fmt.Errorf("panels: %w", err)
	}
	defer unix.Close(poll)
	wall := make(map[int32]*stream, n)
	defer func() {
		for _, s := range wall {
			_ = s.file.Close()
		}
	}()
	for i := range n {
		s, err := dial(ctx, address)
		if err != nil {
			return fmt.Errorf("panel %d of %d: %w", i+1, n, err)
		}
		if i == 0 {
			s.tell = out
		}
		fd := int32(s.file.Fd())
		wall[fd] = s
		if err := unix.EpollCtl(poll, unix.EPOLL_CTL_ADD, int(fd), &unix.EpollEvent{Events: unix.EPOLLIN, Fd: fd}); err != nil {
			return fmt.Errorf("panel %d of %d: %w", i+1, n, err)
		}
	}
	return attend(ctx, poll, wall, out)
}

// attend reads from all panels as they have something.
func attend(ctx context.Context, poll int, wall map[int32]*stream, out io.Writer) error {
	ready, whole := make([]unix.EpollEvent, len(wall)), 0
	for ctx.Err() == nil {
		n, err := unix.EpollWait(poll, ready, 100)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("panels: %w", err)
		}
		for _, r := range ready[:max(n, 0)] {
			s := wall[r.Fd]
			was := s.whole
			if err := s.read(); err != nil {
				return fmt.Errorf("a panel: %w", err)
			}
			if s.whole && !was {
				if whole++; whole == len(wall) {
					fmt.Fprintln(out, "whole")
				}
			}
		}
	}
	return nil
}

// stream is what one panel is sent.
type stream struct {
	file  *os.File
	tell  io.Writer // of lamps; nil for none
	whole bool      // it has the state of the room
	rest  []byte    // of a line
	event string    // of the lines that follow
}

// dial asks for the events of a room. In HTTP/1.0 they come without the lengths of chunks between them.
func dial(ctx context.Context, address string) (*stream, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it did
	}
	defer c.Close()
	f, err := c.(*net.TCPConn).File()
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	err = unix.SetsockoptInt(int(f.Fd()), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1)
	if err == nil {
		_, err = fmt.Fprintf(f, "GET /api/v1/events HTTP/1.0\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", address)
	}
	if err != nil {
		_ = f.Close()
		return nil, err //nolint:wrapcheck // as above
	}
	return &stream{file: f}, nil
}

// read takes what there is, all of which counts as arrived with the last of it.
func (s *stream) read() error {
	var b [64 << 10]byte
	var control [64]byte
	n, m, _, _, err := unix.Recvmsg(int(s.file.Fd()), b[:], control[:], unix.MSG_DONTWAIT)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil
	case err != nil:
		return err //nolint:wrapcheck // the caller says of what
	case n == 0:
		return io.ErrUnexpectedEOF
	}
	if s.whole && s.tell == nil {
		return nil
	}
	s.rest = append(s.rest, b[:n]...)
	for {
		line, rest, ok := bytes.Cut(s.rest, []byte("\n"))
		if !ok {
			return nil
		}
		s.rest = rest
		if err := s.line(strings.TrimSuffix(string(line), "\r"), stamp(control[:m])); err != nil {
			return err
		}
	}
}

// line takes a line of the answer.
func (s *stream) line(line string, at int64) error {
	if status, ok := strings.CutPrefix(line, "HTTP/1."); ok && !strings.HasPrefix(status[1:], fmt.Sprintf(" %d ", http.StatusOK)) {
		return fmt.Errorf("the room says %s", line)
	}
	if name, ok := strings.CutPrefix(line, "event: "); ok {
		s.event = name
		s.whole = s.whole || name == "snapshot"
	}
	data, ok := strings.CutPrefix(line, "data: ")
	if !ok || s.tell == nil || s.event != "changes" {
		return nil
	}
	var changes struct {
		Properties []struct {
			Device, Property string
			Value            any
		}
	}
	if err := json.Unmarshal([]byte(data), &changes); err != nil {
		return fmt.Errorf("changes of the room: %w", err)
	}
	for _, p := range changes.Properties {
		if on, ok := p.Value.(bool); ok && p.Property == "power" {
			fmt.Fprintln(s.tell, p.Device, on, at)
		}
	}
	return nil
}

// stamp is when the kernel has received something, by what came with it: SCM_TIMESTAMPNS_NEW, two 64-bit numbers in the
// machine's order, Documentation/networking/timestamping.rst section 1.1. Without one it is now.
func stamp(control []byte) int64 {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Now().UnixNano()
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS_NEW && len(m.Data) >= 16 {
			return int64(binary.NativeEndian.Uint64(m.Data))*int64(time.Second) + int64(binary.NativeEndian.Uint64(m.Data[8:]))
		}
	}
	return time.Now().UnixNano()
}
