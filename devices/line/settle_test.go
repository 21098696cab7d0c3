package line_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"lectern/devices/line"
	"lectern/devices/sim"
)

// pairs cuts frames of two bytes.
func pairs(got []byte) int { return min(len(got)/2, 1) * 2 }

// TestSilenceIsNotTheLateAnswer: a serial port reads nothing ten times a second. That must not be
// taken for the answer that is late, or the answer is taken for that to the next question.
func TestSilenceIsNotTheLateAnswer(t *testing.T) {
	s := sim.NewStage(t.Context())
	t.Cleanup(s.Wait)
	w, err := s.Serial(filepath.Join(t.TempDir(), "port"), 0, &unit{address: 1})
	if err != nil {
		t.Fatal(err)
	}
	l := run(t, line.Config{ID: "port", Kind: line.Serial, Port: w.Path()}, func(l *line.Line) {
		if err := l.Use(line.Session{Name: "pairs", Split: pairs}); err != nil {
			t.Fatal(err)
		}
	})
	ask := func(n byte) ([]byte, error) {
		// Nothing in an answer tells what it answers.
		return l.Do(person(t), line.Exchange{
			Request: []byte{1, n}, Timeout: 170 * time.Millisecond,
			Accept: func(f []byte) bool { return bytes.HasPrefix(f, []byte{1}) },
		})
	}
	if got, err := ask(1); err != nil || got[1] != 1 {
		t.Fatal(got, err)
	}
	if err := w.Fault("late=500ms"); err != nil {
		t.Fatal(err)
	}
	for n := byte(2); n < 8; n++ {
		if got, err := ask(n); !errors.Is(err, line.ErrNoReply) {
			t.Errorf("asked %d, got % X, %v", n, got, err)
		}
	}
}

// chatter answers every request with two frames at once: the answer, and something that happened.
type chatter struct{ unit }

func (*chatter) Serve(_ context.Context, conn io.ReadWriter) error {
	for buf := make([]byte, 64); ; {
		if _, err := conn.Read(buf); err != nil {
			return err
		}
		if _, err := conn.Write([]byte("a1n2")); err != nil {
			return err
		}
	}
}

// TestWhatComesWithAReplyIsHeardAtOnce: nothing else comes that would make the line look again.
func TestWhatComesWithAReplyIsHeardAtOnce(t *testing.T) {
	s := sim.NewStage(t.Context())
	t.Cleanup(s.Wait)
	w, err := s.TCP("127.0.0.1:0", &chatter{})
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 8)
	l := run(t, line.Config{ID: "port", Kind: line.TCP, Address: w.Address()}, func(l *line.Line) {
		if err := l.Use(line.Session{Name: "pairs", Split: pairs}); err != nil {
			t.Fatal(err)
		}
		l.Hear(func(f []byte) { heard <- string(f) })
	})
	got, err := l.Do(person(t), line.Exchange{Request: []byte("?"), Accept: func(f []byte) bool { return f[0] == 'a' }})
	if err != nil || string(got) != "a1" {
		t.Fatalf("%q, %v", got, err)
	}
	select {
	case f := <-heard:
		if f != "n2" {
			t.Errorf("heard %q", f)
		}
	case <-limit(t).Done():
		t.Error("what came with the reply went unheard")
	}
}
