package line

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pipe is a pipe with both ends direct.
func pipe(t *testing.T) (in, out *direct) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err = newDirect("the end", r)
	if err != nil {
		t.Fatal(err)
	}
	out, err = newDirect("the beginning", w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = in.Close(), out.Close() })
	return in, out
}

// Ten times what the pipe holds: the writer waits for the reader, and the reader for the writer.
func TestWhatIsWrittenDirectlyArrivesWhole(t *testing.T) {
	in, out := pipe(t)
	sent := bytes.Repeat([]byte("0123456789abcdef!"), 40_000)
	written := make(chan error, 1)
	go func() {
		n, err := out.Write(sent)
		if err == nil && n != len(sent) {
			err = io.ErrShortWrite
		}
		written <- errors.Join(err, out.Close())
	}()
	got, err := io.ReadAll(in) // until the end, which is io.EOF
	if err := errors.Join(err, <-written); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, sent) {
		t.Errorf("%d bytes arrived, not the %d that were sent", len(got), len(sent))
	}
}

func TestAReadThatWaitsDirectlyIsEndedByClosing(t *testing.T) {
	in, _ := pipe(t)
	over := make(chan error, 1)
	go func() {
		_, err := in.Read(make([]byte, 1))
		over <- err
	}()
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-over; err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "the end") {
		t.Errorf("%v", err)
	}
}

func TestAWriteThatNobodyTakesHasADeadline(t *testing.T) {
	_, out := pipe(t)
	if err := out.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	sent := make([]byte, 1<<20)
	if n, err := out.Write(sent); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == len(sent) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestWhatTheKernelSaysIsToldWithTheNameOfThePort(t *testing.T) {
	in, out := pipe(t)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write([]byte("x")); !errors.Is(err, unix.EPIPE) || !strings.Contains(err.Error(), "the beginning") {
		t.Errorf("writing to nobody: %v", err)
	}
	folder, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	d, err := newDirect("a folder", folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Read(make([]byte, 1)); !errors.Is(err, unix.EISDIR) || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("reading what cannot be read: %v", err)
	}
}
