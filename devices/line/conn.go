package line

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	inputMost = 64 << 10 // unparsed bytes; more is a flood
	readMost  = 4 << 10
	writeMost = 2 * time.Second // beyond the wire time, for the driver to take a frame
	// After a time-out on a point-to-point line the answer is waited for once more, at least so long,
	// and then for the end of what it comes with. Nor longer than settleMost: where an answer may take
	// minutes, as that to ESC/VP21's power on, nobody's press can wait for it twice.
	settleLeast   = time.Second
	settleMost    = 2 * time.Second
	settleSilence = 20 * time.Millisecond

	noiseMost = 4 << 10 // bytes that may come before a reply
	drainMost = 20      // rounds of reading before a write, for a device that talks without end
)

// errGivenUp ends a probe of a unit that is set aside, because somebody waits.
var errGivenUp = fmt.Errorf("%w: given up for somebody's command", ErrNoReply)

var errNoise = errors.New("the line is full of noise: check the wiring, the baud rate, and that nothing else sends")

// conn is one opened port, from opening to closing. Its goroutine is the line's owner, which also writes; a second one
// reads.
type conn struct {
	line *Line
	port io.ReadWriteCloser

	mu    sync.Mutex
	input []byte // read, not looked at
	dead  error  // why the reader ended
	more  chan struct{}

	rx      []byte    // taken from input, not yet a whole frame
	skipped int       // bytes of other frames since the request
	quiet   time.Time // no write before
	heard   bool      // anything at all
	over    chan struct{}
	wg      sync.WaitGroup

	// Of the owner, used again for each exchange.
	replyLimit, silenceOver *time.Timer
	nap                     nap
}

// stopped is a timer to be set later.
func stopped() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

func newConn(l *Line, port io.ReadWriteCloser) *conn {
	c := &conn{
		line: l, port: port, more: make(chan struct{}, 1), over: make(chan struct{}),
		replyLimit: stopped(), silenceOver: stopped(),
	}
	c.wg.Go(c.read)
	return c
}

// close closes the port and waits for its reader.
func (c *conn) close() {
	close(c.over)
	c.nap.close()
	if err := c.port.Close(); err != nil {
		c.line.log.Debug("closing", "error", err)
	}
	c.wg.Wait()
}

func (c *conn) read() {
	buf := make([]byte, readMost)
	for {
		n, err := c.port.Read(buf)
		c.mu.Lock()
		c.input = append(c.input, buf[:n]...)
		if err == nil && len(c.input) > inputMost {
			err = fmt.Errorf("the equipment floods the line: %d bytes without a frame", len(c.input))
		}
		c.dead = err
		c.mu.Unlock()
		signal(c.more)
		if err != nil {
			return
		}
		select {
		case <-c.over:
			return
		default:
		}
	}
}

// collect moves what was read to rx.
func (c *conn) collect() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.input) > 0 {
		c.rx = append(c.rx, c.input...)
		c.input = c.input[:0]
		c.heard = true
		c.keepQuiet(0)
	}
	if len(c.rx) > inputMost {
		return fmt.Errorf("the equipment floods the line: %d bytes without a frame", len(c.rx))
	}
	if c.dead != nil {
		if errors.Is(c.dead, io.EOF) {
			return errors.New("the other end has closed the connection")
		}
		return c.dead
	}
	return nil
}

// keepQuiet forbids writing for the line's gap, or a longer pause, from now on.
func (c *conn) keepQuiet(pause time.Duration) {
	if until := time.Now().Add(max(pause, c.line.config.Gap)); until.After(c.quiet) {
		c.quiet = until
	}
}

func (c *conn) heardNothing() bool { return !c.heard }

// idle waits for something to do, and passes on what the equipment says by itself.
func (c *conn) idle(ctx context.Context, again time.Duration) error {
	var timer <-chan time.Time
	if again > 0 {
		t := time.NewTimer(again)
		defer t.Stop()
		timer = t.C
	}
	if c.line.session != nil {
		c.unasked() // what came together with a reply: nothing else may come to make us look
	}
	select {
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // Run knows
	case <-c.line.wake:
		return nil
	case <-timer:
		return nil
	case <-c.more:
		if err := c.collect(); err != nil {
			return err
		}
		c.unasked()
		return nil
	}
}

// silence waits until the line may be written to, and passes on what the equipment says by itself. Equipment that goes on
// talking does not prolong it: that is waited for, or found fault with, by the exchange that follows.
func (c *conn) silence(ctx context.Context) error {
	wait := time.Until(c.quiet)
	if wait <= dozeMost {
		c.nap.sleep(wait)
		return nil
	}
	c.silenceOver.Reset(wait)
	defer c.silenceOver.Stop()
	for {
		select {
		case <-c.silenceOver.C:
			return nil
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // Run knows
		case <-c.more:
			if err := c.collect(); err != nil {
				return err
			}
			c.unasked()
		}
	}
}

// unasked passes whole frames in rx to the listeners; without a session everything is noise.
func (c *conn) unasked() {
	if c.line.session == nil {
		if len(c.rx) > 0 {
			c.noise(c.rx)
			c.rx = c.rx[:0]
		}
		return
	}
	for len(c.rx) > 0 {
		n := c.line.session.Split(c.rx)
		if n <= 0 || n > len(c.rx) {
			return
		}
		c.hear(c.rx[:n])
		c.drop(n)
	}
}

func (c *conn) drop(n int) { c.rx = c.rx[:copy(c.rx, c.rx[n:])] }

func (c *conn) noise(b []byte) {
	c.line.ring.add(Entry{Line: c.line.config.ID, Dir: "noise"}, b, nil)
}

func (c *conn) hear(frame []byte) {
	l := c.line
	l.ring.add(Entry{Line: l.config.ID, Dir: "rx", Note: "unasked"}, frame, l.session.Explain)
	l.mu.Lock()
	listeners := l.listeners
	l.mu.Unlock()
	for _, f := range listeners {
		f(append([]byte(nil), frame...))
	}
}

// settle waits for an answer that is late, so that it is not taken for the answer to the next
// question: until it has come and the line is silent again, or until it must be given up.
func (c *conn) settle(ctx context.Context, timeout time.Duration) {
	end := time.NewTimer(min(max(settleLeast, 2*timeout), settleMost))
	defer end.Stop()
	heard := make(<-chan time.Time) // fires when the line has fallen silent after something came
	for {
		select {
		case <-end.C:
			return
		case <-heard:
			return
		case <-ctx.Done():
			return
		case <-c.more:
			if c.collect() != nil {
				return // the next exchange meets it
			}
			c.unasked()
			heard = time.After(max(c.line.config.Gap, settleSilence))
		}
	}
}

// exchange writes a request and waits for its reply.
func (c *conn) exchange(ctx context.Context, x *Exchange, giveUp <-chan struct{}) ([]byte, error) {
	if err := c.waitQuiet(ctx); err != nil {
		return nil, err
	}
	l := c.line
	request := x.Request
	if len(request) > 0 {
		if l.session != nil && l.session.Seal != nil {
			request = l.session.Seal(request)
		}
		if err := c.drain(); err != nil {
			return nil, err
		}
		if err := c.put(request); err != nil {
			return nil, fmt.Errorf("writing: %w", err)
		}
		shown := x.Request
		if x.Secret {
			shown = nil
		}
		l.ring.add(Entry{Line: l.config.ID, Unit: x.Unit, Dir: "tx", Note: x.Note}, shown, nil)
	}
	c.skipped = 0
	sent := time.Now()
	wire := wireTime(l.config, len(request))
	c.quiet = sent.Add(wire + max(x.Pause, l.config.Gap))
	if x.OneWay {
		return nil, nil
	}
	c.replyLimit.Reset(wire + l.timeout(x))
	defer c.replyLimit.Stop()
	heard := func(frame []byte) ([]byte, error) {
		c.keepQuiet(x.Pause)
		l.ring.add(Entry{Line: l.config.ID, Unit: x.Unit, Dir: "rx", Took: time.Since(sent)}, frame, x.Explain)
		return frame, nil
	}
	for {
		frame, err := c.reply(x)
		if err != nil {
			return nil, err
		}
		if frame != nil {
			return heard(frame)
		}
		select {
		case <-c.more:
			if err := c.collect(); err != nil {
				// What came before the end may hold the reply.
				if frame, none := c.reply(x); none == nil && frame != nil {
					return heard(frame)
				}
				return nil, err
			}
		case <-c.replyLimit.C:
			return nil, fmt.Errorf("%w in %s", ErrNoReply, l.timeout(x))
		case <-giveUp:
			return nil, errGivenUp
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrNoReply, context.Cause(ctx))
		}
	}
}

// reply looks for the reply in rx, and takes it and everything before it out. What must be dug out of
// a heap of noise is not believed: with a checksum of one byte, noise makes any reply in time.
func (c *conn) reply(x *Exchange) ([]byte, error) {
	if len(c.rx) == 0 {
		return nil, nil
	}
	if x.Find != nil {
		start, end, err := x.Find(c.rx)
		if err == nil && (start > noiseMost || end <= 0 && len(c.rx) > noiseMost) {
			err = errNoise
		}
		if err != nil {
			c.noise(c.rx)
			return nil, fmt.Errorf("%w: %w", ErrGarbled, err)
		}
		if end <= 0 || end > len(c.rx) || start < 0 || start > end {
			return nil, nil
		}
		if start > 0 {
			c.noise(c.rx[:start])
		}
		frame := append([]byte(nil), c.rx[start:end]...)
		c.drop(end)
		return frame, nil
	}
	for len(c.rx) > 0 {
		n := c.line.session.Split(c.rx)
		if n <= 0 || n > len(c.rx) {
			return nil, nil
		}
		if x.Accept != nil && x.Accept(c.rx[:n]) {
			frame := append([]byte(nil), c.rx[:n]...)
			c.drop(n)
			return frame, nil
		}
		c.hear(c.rx[:n])
		c.drop(n)
		if c.skipped += n; c.skipped > noiseMost {
			return nil, fmt.Errorf("%w: %w", ErrGarbled, errNoise)
		}
	}
	return nil, nil
}

// waitQuiet waits until the line has been silent for as long as it must.
func (c *conn) waitQuiet(ctx context.Context) error {
	for {
		wait := time.Until(c.quiet)
		if wait <= 0 {
			return nil
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			t.Stop()
			return context.Cause(ctx) //nolint:wrapcheck // the caller says what for
		}
	}
}

// drain takes what has come so far: it cannot be the reply to what is not yet asked.
func (c *conn) drain() error {
	for range drainMost {
		if err := c.collect(); err != nil {
			return err
		}
		if c.unasked(); c.line.session != nil || len(c.rx) == 0 {
			return nil
		}
	}
	return errors.New("the equipment talks without end")
}

// put writes a frame, in bounded time.
func (c *conn) put(frame []byte) error {
	// A broker has a bound of its own.
	if p, ok := c.port.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		if err := p.SetWriteDeadline(time.Now().Add(writeMost + wireTime(c.line.config, len(frame)))); err != nil {
			return err //nolint:wrapcheck // the caller says what for
		}
	}
	_, err := c.port.Write(frame)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the port takes nothing")
	}
	return err //nolint:wrapcheck // as above
}
