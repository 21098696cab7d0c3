package line_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/devices/line"
	"lectern/devices/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unit answers frames that begin with its address by repeating them, unless it is mute.
type unit struct {
	address byte
	mu      sync.Mutex
	mute    bool
	seen    [][]byte
	hold    chan struct{} // where not nil, each reply waits for it
}

func (*unit) Truth() map[string]string           { return nil }
func (*unit) Nudge(string, string, string) error { return nil }
func (*unit) Fault(string) error                 { return nil }
func (u *unit) Frame(f []byte) []byte {
	if f[0] != u.address {
		return nil
	}
	u.mu.Lock()
	u.seen = append(u.seen, bytes.Clone(f))
	mute, hold := u.mute, u.hold
	u.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if mute {
		return nil
	}
	return bytes.Clone(f)
}

func (u *unit) setMute(m bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mute = m
}

func (u *unit) frames() [][]byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([][]byte(nil), u.seen...)
}

type rig struct {
	*line.Line
	wire *sim.Wire
}

// run starts a line and ends it with the test.
func run(t *testing.T, c line.Config, prepare func(*line.Line)) *line.Line {
	t.Helper()
	l := line.New(c, slog.New(slog.DiscardHandler))
	if prepare != nil {
		prepare(l)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-over })
	return l
}

func bus(t *testing.T, units ...sim.Equipment) rig {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := sim.NewStage(ctx)
	t.Cleanup(func() { cancel(); s.Wait() })
	w, err := s.Serial(filepath.Join(t.TempDir(), "bus"), 0, units...)
	if err != nil {
		t.Fatal(err)
	}
	return rig{run(t, line.Config{ID: "bus", Kind: line.Serial, Port: w.Path()}, nil), w}
}

// echo asks for the repetition of a frame.
func echo(frame ...byte) line.Exchange {
	return line.Exchange{
		Unit: fmt.Sprint(frame[0]), Request: frame, Note: "echo", Timeout: 150 * time.Millisecond,
		Find: func(got []byte) (int, int, error) {
			if i := bytes.Index(got, frame); i >= 0 {
				return i, i + len(frame), nil
			}
			return 0, 0, nil
		},
	}
}

func limit(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func person(t *testing.T) context.Context { return line.WithUrgency(limit(t), line.Person) }

// until asks again until the condition holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for ctx := limit(t); !holds(); {
		select {
		case <-ctx.Done():
			t.Fatalf("it never came about that %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}

func TestExchangeOnAPty(t *testing.T) {
	r := bus(t, &unit{address: 1}, &unit{address: 2})
	for _, frame := range [][]byte{{1, 10}, {2, 20, 21}} {
		got, err := r.Do(limit(t), echo(frame...))
		if err != nil || !bytes.Equal(got, frame) {
			t.Errorf("asked % X: % X, %v", frame, got, err)
		}
	}
}

func TestUnplugAndReplug(t *testing.T) {
	r := bus(t, &unit{address: 1})
	if _, err := r.Do(limit(t), echo(1, 1)); err != nil {
		t.Fatal(err)
	}
	if err := r.wire.Fault("unplug"); err != nil {
		t.Fatal(err)
	}
	until(t, "the line saw the unplugging", func() bool { return !r.Health().Up })
	if _, err := r.Do(limit(t), echo(1, 2)); !errors.Is(err, line.ErrDown) {
		t.Errorf("a poll on an unplugged port: %v", err)
	}
	if err := r.wire.Fault(""); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Do(person(t), echo(1, 3)); err != nil {
		// A press that came while the port was away fails; the next finds it.
		if _, err := r.Do(person(t), echo(1, 3)); err != nil {
			t.Errorf("after replugging: %v", err)
		}
	}
}

func TestSilentUnitIsSetAsideAndComesBack(t *testing.T) {
	dead, alive := &unit{address: 1, mute: true}, &unit{address: 2}
	r := bus(t, dead, alive)
	for range 2 {
		if _, err := r.Do(limit(t), echo(1, 1)); !errors.Is(err, line.ErrNoReply) {
			t.Fatalf("a mute unit: %v", err)
		}
		if _, err := r.Do(limit(t), echo(2, 1)); err != nil {
			t.Fatalf("its neighbour: %v", err)
		}
	}
	asked := len(dead.frames())
	for i := range 50 {
		if _, err := r.Do(limit(t), echo(1, 1)); !errors.Is(err, line.ErrSilent) && i == 0 {
			t.Errorf("a poll of a unit that was set aside: %v", err)
		}
		if _, err := r.Do(limit(t), echo(2, byte(i))); err != nil {
			t.Errorf("its neighbour: %v", err)
		}
	}
	if n := len(dead.frames()) - asked; n > 2 {
		t.Errorf("the bus was held up %d times for a unit that was set aside", n)
	}
	dead.setMute(false)
	if _, err := r.Do(person(t), echo(1, 9)); err != nil {
		t.Errorf("somebody's command is always tried: %v", err)
	}
	if h := r.Health(); h.Units[0].Silent {
		t.Errorf("still set aside after an answer: %+v", h.Units[0])
	}
}

// A command that was carried out long since is nobody who waits: the next probe of a silent unit is not
// given up for it, and the unit comes back by itself.
func TestSilentUnitComesBackByItselfAfterSomebodyHasPressed(t *testing.T) {
	dead, alive := &unit{address: 1, mute: true}, &unit{address: 2}
	r := bus(t, dead, alive)
	for range 2 {
		if _, err := r.Do(limit(t), echo(1, 1)); !errors.Is(err, line.ErrNoReply) {
			t.Fatalf("a mute unit: %v", err)
		}
	}
	if _, err := r.Do(person(t), echo(2, 1)); err != nil {
		t.Fatalf("somebody's command to its neighbour: %v", err)
	}
	dead.setMute(false)
	until(t, "the unit, which answers again, is heard", func() bool {
		_, err := r.Do(limit(t), echo(1, 2))
		return err == nil
	})
}

func TestLateReplyIsNotTakenForTheNextAnswer(t *testing.T) {
	r := bus(t, &unit{address: 1})
	// Any frame of unit 1 would do, as it would for a codec without a transaction number.
	ask := func(n byte) ([]byte, error) {
		x := echo(1, n)
		x.Find = func(got []byte) (int, int, error) {
			if i := bytes.IndexByte(got, 1); i >= 0 && len(got) >= i+2 {
				return i, i + 2, nil
			}
			return 0, 0, nil
		}
		return r.Do(person(t), x)
	}
	if err := r.wire.Fault("late=200ms"); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(7); !errors.Is(err, line.ErrNoReply) {
		t.Fatalf("a reply that is too late: % X, %v", got, err)
	}
	if err := r.wire.Fault(""); err != nil {
		t.Fatal(err)
	}
	for n := byte(10); n < 15; n++ {
		if got, err := ask(n); err != nil || got[1] != n {
			t.Errorf("asked %d, got % X, %v", n, got, err)
		}
	}
}

func TestStopGoesFirstAndTakesThePlaceOfMoves(t *testing.T) {
	u := &unit{address: 1, hold: make(chan struct{})}
	r := bus(t, u)
	var wg sync.WaitGroup
	results := make([]error, 5)
	do := func(i int, urgency line.Urgency, key string, frame ...byte) {
		wg.Go(func() {
			x := echo(frame...)
			x.Key, x.Timeout = key, 5*time.Second
			_, results[i] = r.Do(line.WithUrgency(limit(t), urgency), x)
		})
	}
	do(0, line.Poll, "", 1, 0) // in flight, held by the device
	until(t, "the first is in flight", func() bool { return len(u.frames()) == 1 })
	waiting := func(n int) func() bool { return func() bool { return r.Waiting() == n } }
	do(1, line.Person, "motor", 1, 1)
	until(t, "the move waits", waiting(1))
	do(2, line.Person, "other", 1, 2)
	until(t, "the other waits", waiting(2))
	do(3, line.Halt, "motor", 1, 3)
	until(t, "the stop waits in the move's place", func() bool { return r.Waiting() == 2 })
	do(4, line.Poll, "", 1, 4)
	until(t, "the poll waits", waiting(3))
	close(u.hold)
	wg.Wait()
	var order []byte
	for _, f := range u.frames() {
		order = append(order, f[1])
	}
	if !bytes.Equal(order, []byte{0, 3, 2, 4}) {
		t.Errorf("sent in the order % X", order)
	}
	for i, want := range []error{nil, line.ErrSuperseded, nil, nil, nil} {
		if !errors.Is(results[i], want) {
			t.Errorf("%d: %v, want %v", i, results[i], want)
		}
	}
}

func TestAPressGoesAheadOfAPollThatWaitsForSilence(t *testing.T) {
	u := &unit{address: 1}
	r := bus(t, u)
	first := echo(1, 0)
	first.Pause = 500 * time.Millisecond
	if _, err := r.Do(person(t), first); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	do := func(urgency line.Urgency, frame ...byte) {
		wg.Go(func() {
			if _, err := r.Do(line.WithUrgency(limit(t), urgency), echo(frame...)); err != nil {
				t.Error(err)
			}
		})
	}
	do(line.Poll, 1, 1)
	until(t, "the poll waits", func() bool { return r.Waiting() == 1 })
	do(line.Person, 1, 2)
	wg.Wait()
	if got := u.frames(); len(got) != 3 || got[1][1] != 2 || got[2][1] != 1 {
		t.Errorf("sent in the order % X", got)
	}
}

func TestExpiredIsNeverWritten(t *testing.T) {
	u := &unit{address: 1, hold: make(chan struct{})}
	r := bus(t, u)
	over := make(chan struct{})
	go func() {
		defer close(over)
		x := echo(1, 0)
		x.Timeout = 5 * time.Second
		_, _ = r.Do(limit(t), x)
	}()
	until(t, "the first is in flight", func() bool { return len(u.frames()) == 1 })
	ctx, cancel := context.WithCancel(line.WithUrgency(context.Background(), line.Person))
	late := make(chan error)
	go func() { _, err := r.Do(ctx, echo(1, 66)); late <- err }()
	until(t, "the second waits", func() bool { return r.Waiting() == 1 })
	cancel()
	if err := <-late; !errors.Is(err, line.ErrExpired) {
		t.Errorf("%v", err)
	}
	close(u.hold)
	<-over
	if _, err := r.Do(limit(t), echo(1, 2)); err != nil {
		t.Fatal(err)
	}
	for _, f := range u.frames() {
		if f[1] == 66 {
			t.Error("what had expired was sent")
		}
	}
}

func TestEveryPressIsOneWriteInOrderUnderPolls(t *testing.T) {
	u := &unit{address: 1}
	r := bus(t, u)
	stop := make(chan struct{})
	var polls sync.WaitGroup
	polls.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = r.Do(limit(t), echo(1, 0xFF, 0))
			}
		}
	})
	const presses = 100
	var wg sync.WaitGroup
	for i := range presses {
		wg.Go(func() {
			if _, err := r.Do(person(t), echo(1, byte(i), 1)); err != nil {
				t.Error(err)
			}
		})
		until(t, "the press is in the queue or done", func() bool { return r.Waiting() > 0 || len(u.frames()) > i })
	}
	wg.Wait()
	close(stop)
	polls.Wait()
	count := make(map[byte]int)
	for _, f := range u.frames() {
		if f[len(f)-1] == 1 {
			count[f[1]]++
		}
	}
	for i := range presses {
		if count[byte(i)] != 1 {
			t.Errorf("press %d was written %d times", i, count[byte(i)])
		}
	}
}

func TestFloodClosesTheLineAndTheRoomLives(t *testing.T) {
	r := bus(t, &unit{address: 1})
	if _, err := r.Do(limit(t), echo(1, 1)); err != nil {
		t.Fatal(err)
	}
	if err := r.wire.Fault("flood"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Do(person(t), echo(1, 2, 3, 4, 5, 6, 7, 8)); err == nil {
		t.Error("a flood was taken for an answer")
	}
	if err := r.wire.Fault(""); err != nil {
		t.Fatal(err)
	}
	until(t, "the line answers again", func() bool {
		_, err := r.Do(person(t), echo(1, 3))
		return err == nil
	})
}

func TestPortIsForOneLineAlone(t *testing.T) {
	r := bus(t, &unit{address: 1})
	if _, err := r.Do(limit(t), echo(1, 1)); err != nil {
		t.Fatal(err)
	}
	second := run(t, line.Config{ID: "second", Kind: line.Serial, Port: r.wire.Path()}, nil)
	_, err := second.Do(limit(t), echo(1, 1))
	if !errors.Is(err, line.ErrDown) || !bytes.Contains([]byte(err.Error()), []byte("in use by another program")) {
		t.Errorf("a port opened twice: %v", err)
	}
}

// talker is a stream that greets, repeats lines, and says things unasked.
type talker struct{ unit }

func (t *talker) Serve(ctx context.Context, conn io.ReadWriter) error {
	if _, err := conn.Write([]byte("HELLO\n")); err != nil {
		return err
	}
	buf := make([]byte, 256)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		if string(buf[:n]) == "bye\n" {
			return nil
		}
		if _, err := conn.Write(append([]byte("!news\n"), buf[:n]...)); err != nil {
			return err
		}
	}
}

func session(greeted func(string)) line.Session {
	return line.Session{
		Name:  "talk",
		Split: func(got []byte) int { return bytes.IndexByte(got, '\n') + 1 },
		Greet: func(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
			got, err := do(ctx, line.Exchange{Accept: func([]byte) bool { return true }, Timeout: 5 * time.Second})
			greeted(string(got))
			return err
		},
	}
}

func say(word string) line.Exchange {
	return line.Exchange{
		Request: []byte(word + "\n"), Note: "say " + word, Timeout: 5 * time.Second,
		Accept: func(f []byte) bool { return f[0] != '!' },
	}
}

func TestSessionGreetsListensAndReconnects(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := sim.NewStage(ctx)
	t.Cleanup(func() { cancel(); s.Wait() })
	w, err := s.TCP("127.0.0.1:0", &talker{})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var greetings, news []string
	l := run(t, line.Config{ID: "talk", Kind: line.TCP, Address: w.Address()}, func(l *line.Line) {
		if err := l.Use(session(func(g string) { mu.Lock(); greetings = append(greetings, g); mu.Unlock() })); err != nil {
			t.Error(err)
		}
		if err := l.Use(line.Session{Name: "other"}); err == nil {
			t.Error("two sessions on one line")
		}
		l.Hear(func(f []byte) { mu.Lock(); news = append(news, string(f)); mu.Unlock() })
	})
	got, err := l.Do(limit(t), say("one"))
	if err != nil || string(got) != "one\n" {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := l.Do(limit(t), say("bye")); err == nil {
		t.Error("a connection that was closed answered")
	}
	until(t, "the line answers again", func() bool {
		got, err := l.Do(person(t), say("two"))
		return err == nil && string(got) == "two\n"
	})
	mu.Lock()
	defer mu.Unlock()
	if len(greetings) < 2 || greetings[0] != "HELLO\n" || len(news) != 2 {
		t.Errorf("greeted %q, heard %q", greetings, news)
	}
}

// gossip is a stream that answers and, in the same breath, says something unasked.
type gossip struct{ unit }

func (*gossip) Serve(_ context.Context, conn io.ReadWriter) error {
	buf := make([]byte, 256)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		if _, err := conn.Write(append(buf[:n:n], "!news\n"...)); err != nil {
			return err
		}
	}
}

func TestWhatComesBehindAReplyIsHeardAtOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := sim.NewStage(ctx)
	t.Cleanup(func() { cancel(); s.Wait() })
	w, err := s.TCP("127.0.0.1:0", &gossip{})
	if err != nil {
		t.Fatal(err)
	}
	news := make(chan string, 8)
	l := run(t, line.Config{ID: "talk", Kind: line.TCP, Address: w.Address()}, func(l *line.Line) {
		if err := l.Use(line.Session{Name: "talk", Split: session(nil).Split}); err != nil {
			t.Error(err)
		}
		l.Hear(func(f []byte) { news <- string(f) })
	})
	if got, err := l.Do(person(t), say("one")); err != nil || string(got) != "one\n" {
		t.Fatalf("%q, %v", got, err)
	}
	select {
	case got := <-news:
		if got != "!news\n" {
			t.Errorf("heard %q", got)
		}
	case <-limit(t).Done():
		t.Error("it was not heard before something else came")
	}
}

func TestTraceShowsFramesInWords(t *testing.T) {
	r := bus(t, &unit{address: 1})
	x := echo(1, 0xAB)
	x.Explain = func(f []byte) string { return fmt.Sprintf("%d bytes back", len(f)) }
	if _, err := r.Do(limit(t), x); err != nil {
		t.Fatal(err)
	}
	entries, _ := r.Trace(0)
	var shown []string
	for _, e := range entries {
		shown = append(shown, fmt.Sprintf("%s % X %s", e.Dir, e.Bytes, e.Note))
	}
	if fmt.Sprint(shown) != "[event  open tx 01 AB echo rx 01 AB 2 bytes back]" {
		t.Errorf("%q", shown)
	}
	last := entries[len(entries)-1].Seq
	if later, _ := r.Trace(last); len(later) != 0 {
		t.Errorf("nothing new, yet %v", later)
	}
	// What had no answer stands there as well, with what was asked.
	nobody := echo(9, 1)
	nobody.Timeout = time.Millisecond
	if _, err := r.Do(limit(t), nobody); !errors.Is(err, line.ErrNoReply) {
		t.Fatal(err)
	}
	later, _ := r.Trace(last)
	if len(later) != 2 || later[0].Wrong() || later[1].Dir != "error" || !later[1].Wrong() || later[1].Note != "echo: no reply in 1ms" {
		t.Errorf("after silence: %+v", later)
	}
}

func TestEndFailsWhatWaitsAndLeavesNothing(t *testing.T) {
	l := line.New(line.Config{ID: "gone", Kind: line.TCP, Address: "127.0.0.1:1"}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Run(ctx); err != nil {
		t.Error(err)
	}
	if _, err := l.Do(limit(t), echo(1, 1)); !errors.Is(err, line.ErrClosed) {
		t.Errorf("%v", err)
	}
}
