package line_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/devices/line"
	"lectern/devices/sim"
)

// clerk is a stream that greets, serves one line and closes.
type clerk struct {
	unit
	mu    sync.Mutex
	calls int
	heard []string
	mute  bool
	left  time.Time     // when it last replied
	least time.Duration // the shortest time from a reply to the next call
	door  chan struct{} // while it is not nil, a greeting takes a value out of it
}

func (k *clerk) Serve(ctx context.Context, conn io.ReadWriter) error {
	k.mu.Lock()
	k.calls++
	call, door := k.calls, k.door
	if away := time.Since(k.left); !k.left.IsZero() && (k.least == 0 || away < k.least) {
		k.least = away
	}
	k.mu.Unlock()
	if door != nil {
		select {
		case <-door:
		case <-ctx.Done():
			return nil
		}
	}
	if _, err := fmt.Fprintf(conn, "HELLO %d\n", call); err != nil {
		return err
	}
	said, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.heard = append(k.heard, strings.TrimSpace(said))
	if k.mute {
		return nil
	}
	k.left = time.Now() // the line has the reply later, and its pause begins then
	_, err = io.WriteString(conn, said)
	return err
}

func (k *clerk) setMute(m bool) { k.mu.Lock(); defer k.mu.Unlock(); k.mute = m }

func (k *clerk) setDoor(d chan struct{}) { k.mu.Lock(); defer k.mu.Unlock(); k.door = d }

func (k *clerk) seen() (calls int, heard []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.calls, slices.Clone(k.heard)
}

// counter is a line to a clerk.
func counter(t *testing.T, k *clerk) *line.Line {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := sim.NewStage(ctx)
	t.Cleanup(func() { cancel(); s.Wait() })
	w, err := s.TCP("127.0.0.1:0", k)
	if err != nil {
		t.Fatal(err)
	}
	l := run(t, line.Config{ID: "counter", Kind: line.TCP, Address: w.Address()}, func(l *line.Line) {
		if err := l.Use(single()); err != nil {
			t.Error(err)
		}
	})
	until(t, "the line is up", func() bool { return l.Health().Up })
	return l
}

// single is a session of one exchange, whose requests bear the number that they were greeted with.
func single() line.Session {
	var number []byte
	return line.Session{
		Name:        "single",
		Split:       func(got []byte) int { return bytes.IndexByte(got, '\n') + 1 },
		OneExchange: true,
		Greet: func(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
			got, err := do(ctx, line.Exchange{Accept: func([]byte) bool { return true }, Timeout: 5 * time.Second, Note: "greeting"})
			number = bytes.TrimSpace(bytes.TrimPrefix(got, []byte("HELLO ")))
			return err
		},
		Seal: func(request []byte) []byte { return append(append(slices.Clone(number), ' '), request...) },
	}
}

// The deadline is too short for a pause that grows with every connection that was closed.
func TestOneExchangeHasAConnectionOfItsOwnAndTheLineStaysUp(t *testing.T) {
	k := &clerk{}
	l := counter(t, k)
	<-l.Watch()
	before := l.Health()
	var want []string
	for i := range 20 {
		got, err := l.Do(limit(t), say("word"))
		if err != nil || string(got) != fmt.Sprintf("%d word\n", i+2) {
			t.Fatalf("%q, %v", got, err)
		}
		if h := l.Health(); !h.Up || h.Since != before.Since || h.Error != "" {
			t.Fatalf("after %d: %+v", i, h)
		}
		want = append(want, fmt.Sprintf("%d word", i+2))
	}
	// The first call was to see that somebody is there.
	if calls, heard := k.seen(); calls != 21 || !slices.Equal(heard, want) {
		t.Errorf("%d calls, heard %q", calls, heard)
	}
	select {
	case <-l.Watch():
		t.Error("the line was said to have changed")
	default:
	}
	entries, _ := l.Trace(0)
	for _, e := range entries {
		if e.Dir == "event" && e.Note != "open" || e.Dir == "tx" && string(e.Bytes) != "word\n" {
			t.Errorf("the trace shows %+v", e)
		}
	}
}

func TestAConnectionClosedWithoutAReplyIsAFaultAndIsMended(t *testing.T) {
	k := &clerk{}
	l := counter(t, k)
	k.setMute(true)
	if _, err := l.Do(limit(t), say("one")); !errors.Is(err, line.ErrDown) {
		t.Errorf("%v", err)
	}
	k.setMute(false)
	until(t, "the line answers again", func() bool {
		_, err := l.Do(person(t), say("two"))
		return err == nil
	})
}

func TestAStopGoesFirstWhileTheConnectionIsMade(t *testing.T) {
	k := &clerk{}
	l := counter(t, k)
	door := make(chan struct{})
	k.setDoor(door)
	move := say("up")
	move.Key = "curtain"
	moved := make(chan error, 1)
	go func() { _, err := l.Do(person(t), move); moved <- err }()
	until(t, "it is called for the move", func() bool { calls, _ := k.seen(); return calls == 2 })
	stop := say("stop")
	stop.Key = "curtain"
	stopped := make(chan error, 1)
	go func() {
		_, err := l.Do(line.WithUrgency(limit(t), line.Halt), stop)
		stopped <- err
	}()
	if err := <-moved; !errors.Is(err, line.ErrSuperseded) {
		t.Errorf("the move: %v", err)
	}
	close(door)
	if err := <-stopped; err != nil {
		t.Errorf("the stop: %v", err)
	}
	if _, heard := k.seen(); !slices.Equal(heard, []string{"2 stop"}) {
		t.Errorf("heard %q", heard)
	}
}

func TestWhatExpiresWhileTheConnectionIsMadeIsNotWritten(t *testing.T) {
	k := &clerk{}
	l := counter(t, k)
	door := make(chan struct{})
	k.setDoor(door)
	ctx, cancel := context.WithCancel(person(t))
	late := make(chan error, 1)
	go func() { _, err := l.Do(ctx, say("late")); late <- err }()
	until(t, "it is called", func() bool { calls, _ := k.seen(); return calls == 2 })
	cancel()
	if err := <-late; !errors.Is(err, line.ErrExpired) {
		t.Errorf("%v", err)
	}
	close(door)
	if _, err := l.Do(limit(t), say("next")); err != nil {
		t.Fatal(err)
	}
	if _, heard := k.seen(); len(heard) != 1 || !strings.HasSuffix(heard[0], "next") {
		t.Errorf("heard %q", heard)
	}
}

// A lower bound, which no slow machine breaks.
func TestAPauseIsKeptFromOneConnectionToTheNext(t *testing.T) {
	const pause = 200 * time.Millisecond
	k := &clerk{}
	l := counter(t, k)
	for range 3 {
		x := say("slowly")
		x.Pause = pause
		if _, err := l.Do(limit(t), x); err != nil {
			t.Fatal(err)
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.least < pause {
		t.Errorf("called again after %s", k.least)
	}
}
