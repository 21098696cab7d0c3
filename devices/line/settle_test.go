package line_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"lectern/devices/line"
	"lectern/devices/sim"
)

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
		if err := l.Use(line.Session{Name: "pairs", Split: func(got []byte) int { return len(got) / 2 * 2 }}); err != nil {
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
