package sim

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a unit that answers frames beginning with its address by repeating them.
type echo byte

func (echo) Truth() map[string]string           { return nil }
func (echo) Nudge(string, string, string) error { return nil }
func (echo) Fault(string) error                 { return nil }
func (e echo) Frame(f []byte) []byte {
	if f[0] != byte(e) {
		return nil
	}
	return append([]byte(nil), f...)
}

func stage(t *testing.T) *Stage {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := NewStage(ctx)
	t.Cleanup(func() { cancel(); s.Wait() })
	return s
}

func ask(t *testing.T, port interface {
	Read([]byte) (int, error)
	Write([]byte) (int, error)
}, frame []byte) []byte {
	t.Helper()
	if _, err := port.Write(frame); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 0, len(frame))
	for len(got) < len(frame) {
		buf := make([]byte, 64)
		n, err := port.Read(buf)
		if err != nil {
			t.Fatalf("after % X: %v", got, err)
		}
		got = append(got, buf[:n]...)
	}
	return got
}

func TestUnitsShareABusAndUnplugSurvives(t *testing.T) {
	s := stage(t)
	w, err := s.Serial(filepath.Join(t.TempDir(), "bus"), 0, echo(1), echo(2))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		tty, err := os.OpenFile(w.Path(), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, frame := range [][]byte{{1, 2, 3}, {2, 9}} {
			if got := ask(t, tty, frame); !bytes.Equal(got, frame) {
				t.Errorf("asked % X, got % X", frame, got)
			}
		}
		if err := w.Fault("unplug"); err != nil {
			t.Fatal(err)
		}
		if _, err := tty.Write([]byte{1}); err == nil {
			t.Error("a write to an unplugged port succeeded")
		}
		_ = tty.Close()
		if err := w.Fault(""); err != nil {
			t.Fatal(err)
		}
	}
	chunks, _, _ := w.Heard(0)
	if got := bytes.Join(chunks, nil); !bytes.Equal(got, []byte{1, 2, 3, 2, 9, 1, 2, 3, 2, 9}) {
		t.Errorf("heard % X", got)
	}
}

func TestWireFaultsActOnWhatTheEquipmentSays(t *testing.T) {
	s := stage(t)
	w, err := s.TCP("127.0.0.1:0", echo(7))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", w.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	frame := []byte{7, 1, 2, 3, 4, 5, 6, 7}
	if err := w.Fault("garbage"); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, conn, frame); bytes.Equal(got, frame) {
		t.Error("garbage arrived whole")
	}
	if err := w.Fault("late=1ms"); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, conn, frame); !bytes.Equal(got, frame) {
		t.Errorf("late came as % X", got)
	}
	if err := w.Fault("silence"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(frame); err != nil {
		t.Fatal(err)
	}
	_, before, more := w.Heard(0)
	for before < 3 {
		<-more
		_, before, more = w.Heard(0)
	}
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 8)); err == nil {
		t.Errorf("%d bytes broke the silence", n)
	}
	if err := w.Fault("sulking"); err == nil {
		t.Error("an unknown fault was taken")
	}
}

func TestNoiseComesFromTheSeed(t *testing.T) {
	garbage := func(seed uint64) []byte {
		s := stage(t)
		s.Seed(seed)
		w, err := s.TCP("127.0.0.1:0", echo('a'))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Fault("garbage"); err != nil {
			t.Fatal(err)
		}
		port, err := net.Dial("tcp", w.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer port.Close()
		return ask(t, port, []byte("a frame that is repeated"))
	}
	if a, b := garbage(7), garbage(7); !bytes.Equal(a, b) {
		t.Errorf("one seed made % X and % X", a, b)
	}
	if a, b := garbage(7), garbage(8); bytes.Equal(a, b) {
		t.Errorf("two seeds made % X", a)
	}
}
