package line

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	backoffLeast = 250 * time.Millisecond
	backoffMost  = 10 * time.Second
	pressPause   = time.Second      // between two attempts that somebody's press causes
	greetTime    = 10 * time.Second // bounds a session's Greet
	timeoutUsual = 500 * time.Millisecond
	wedgedAfter  = 3 // time-outs in a row with nothing heard at all: the port itself is suspected
)

// Line is one physical connection. Its methods may be called from any goroutine.
type Line struct {
	config Config
	log    *slog.Logger
	dial   func(context.Context) (io.ReadWriteCloser, error)
	rested time.Time     // no connection for one exchange before; Run's own
	number atomic.Uint32 // the last that Number gave

	mu        sync.Mutex
	queue     queue
	session   *Session
	listeners []func([]byte)
	follow    map[string]byte // mqtt: topic filters, with their quality of service
	down      error           // why the line is not connected, once that is known; nil while it is, or was not tried
	closed    bool
	up        bool
	since     time.Time
	units     map[string]*unit
	order     []string // of units, as met
	ring      ring
	figures   Figures
	kept      map[string]any // of drivers, see Keep

	wake   chan struct{} // there is something in the queue
	urgent chan struct{} // and it is somebody's
	watch  chan struct{}
}

// New makes a line; nothing is opened before Run.
func New(c Config, log *slog.Logger) *Line {
	if c.Kind == Serial {
		if c.Baud == 0 {
			c.Baud = 9600
		}
		if c.Format == "" {
			c.Format = "8N1"
		}
		if c.Gap == 0 {
			c.Gap = frameGap(c)
		}
	}
	if c.Timeout == 0 {
		c.Timeout = timeoutUsual
	}
	l := &Line{
		config: c, log: log, since: time.Now(), units: make(map[string]*unit), follow: make(map[string]byte), kept: make(map[string]any),
		wake: make(chan struct{}, 1), urgent: make(chan struct{}, 1), watch: make(chan struct{}, 1),
	}
	l.ring.more = make(chan struct{})
	l.dial = l.open
	return l
}

// ID returns the line's name in the room file.
func (l *Line) ID() string { return l.config.ID }

// Number returns a number for an exchange whose protocol counts them. It returns to the same one
// only after 65535 others, whichever device of the line asks: by then no late reply bears it.
func (l *Line) Number() uint16 { return uint16(l.number.Add(1)) }

// Config returns how the line was made, with its defaults filled in.
func (l *Line) Config() Config { return l.config }

// Use sets the session of a point-to-point protocol, before Run. Setting one of the same name again
// changes nothing; one of another name is an error.
func (l *Line) Use(s Session) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session != nil && l.session.Name != s.Name {
		return fmt.Errorf("line %s speaks %s; %s cannot share it", l.config.ID, l.session.Name, s.Name)
	}
	if l.session == nil {
		l.session = &s
	}
	return nil
}

// Keep returns what drivers of the line have in common under a name: what make returns, which is called once.
func (l *Line) Keep(name string, make func() any) any {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, known := l.kept[name]
	if !known {
		v = make()
		l.kept[name] = v
	}
	return v
}

// Hear adds a listener for frames that are not the reply to an exchange. It is called from the
// line's own goroutine and must not block or call Do.
func (l *Line) Hear(f func(frame []byte)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listeners = append(l.listeners, f)
}

// Run owns the connection until ctx ends: opens it, serves the queue, reopens. It returns nil when
// ctx has ended and the port is closed.
func (l *Line) Run(ctx context.Context) error {
	pause := backoffLeast
	for ctx.Err() == nil {
		if l.isBetween() && l.due(ctx) != nil {
			break
		}
		lasted, err := l.connect(ctx)
		if ctx.Err() != nil {
			break
		}
		if err == nil { // one exchange, and it is done
			pause = backoffLeast
			continue
		}
		l.lost(err)
		// A connection that held is tried again at once; one that did not, after a growing pause.
		if lasted > backoffMost {
			pause = backoffLeast
			continue
		}
		l.rest(ctx, pause+rand.N(pause/4))
		pause = min(2*pause, backoffMost)
	}
	l.mu.Lock()
	l.closed, l.up = true, false
	left := l.queue.clear()
	l.mu.Unlock()
	for _, j := range left {
		j.done <- answer{err: l.failed(&j.Exchange, ErrClosed)}
	}
	return nil
}

// rest waits before the next attempt. Somebody's press ends it, but not sooner than a second after
// the last attempt.
func (l *Line) rest(ctx context.Context, pause time.Duration) {
	over := time.NewTimer(pause)
	defer over.Stop()
	select {
	case <-over.C:
		return
	case <-ctx.Done():
		return
	case <-l.urgent:
	}
	soon := time.NewTimer(min(pause, pressPause))
	defer soon.Stop()
	select {
	case <-over.C:
	case <-soon.C:
	case <-ctx.Done():
	}
}

// lost tells that the connection is gone or could not be made, and fails what waits for it.
func (l *Line) lost(err error) {
	l.mu.Lock()
	was := l.up
	if was || l.down == nil {
		l.since = time.Now()
	}
	l.up, l.down = false, err
	left := l.queue.clear()
	l.mu.Unlock()
	l.ring.add(Entry{Line: l.config.ID, Dir: "event", Note: closed + err.Error()}, nil, nil)
	signal(l.watch)
	if was {
		l.log.Warn("line lost; reopening", "error", err)
	}
	for _, j := range left {
		j.done <- answer{err: l.failed(&j.Exchange, fmt.Errorf("%w: %w", ErrDown, err))}
	}
}

// connect opens the port and serves the queue on it until something goes wrong, and says for how
// long that was. In a session of one exchange it ends with that, without an error.
func (l *Line) connect(ctx context.Context) (lasted time.Duration, err error) {
	port, err := l.dial(ctx)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	c := newConn(l, port)
	defer c.close()
	if l.session != nil && l.session.Greet != nil {
		greeting, cancel := context.WithTimeout(ctx, greetTime)
		err := l.session.Greet(greeting, func(ctx context.Context, x Exchange) ([]byte, error) {
			frame, err := c.exchange(ctx, &x, nil)
			if err != nil {
				return nil, l.failed(&x, err)
			}
			return frame, nil
		})
		cancel()
		if err != nil {
			return 0, fmt.Errorf("greeting: %w", err)
		}
	}
	l.opened()
	if l.isOneExchange() {
		err = c.once(ctx)
	} else {
		err = c.serve(ctx)
	}
	return time.Since(began), err
}

// opened tells that there is a connection, where there was none to be had before.
func (l *Line) opened() {
	l.mu.Lock()
	was := l.up
	l.figures.Opened++
	if !was {
		l.up, l.down, l.since = true, nil, time.Now()
	}
	l.mu.Unlock()
	if was {
		return
	}
	l.ring.add(Entry{Line: l.config.ID, Dir: "event", Note: "open"}, nil, nil)
	l.log.Info("line open")
	signal(l.watch)
}

// serve carries out what is in the queue until the connection fails or ctx ends.
func (c *conn) serve(ctx context.Context) error {
	l := c.line
	silent := 0 // time-outs in a row
	for {
		if l.Waiting() == 0 { // nor is silence waited for by nobody
			if err := c.idle(ctx, 0); err != nil {
				return err
			}
			continue
		}
		// What is sent is chosen when the line is free, so that somebody's press goes ahead of a poll even
		// while that waits for silence.
		if err := c.silence(ctx); err != nil {
			return err
		}
		j, again := l.take()
		if j == nil {
			if err := c.idle(ctx, again); err != nil {
				return err
			}
			continue
		}
		if l.isExpired(j) {
			continue
		}
		err := c.carryOut(ctx, j)
		switch {
		case err == nil:
			silent = 0
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrNoReply):
			if silent++; l.session != nil && l.config.Kind != Serial {
				return fmt.Errorf("closed after a time-out, so that a late answer meets no other question: %w", err)
			}
			if silent >= wedgedAfter && c.heardNothing() && !l.config.Search {
				return fmt.Errorf("nothing heard in %d exchanges: %w", silent, err)
			}
			if l.session != nil {
				c.settle(ctx, l.timeout(&j.Exchange))
			}
		default:
			return err
		}
	}
}

// isExpired answers a job whose time is over, and that is not to be sent.
func (l *Line) isExpired(j *job) bool {
	if j.ctx.Err() == nil {
		return false
	}
	j.done <- answer{err: l.failed(&j.Exchange, fmt.Errorf("%w: %w", ErrExpired, context.Cause(j.ctx)))}
	return true
}

// carryOut does a job and answers it. The error is the exchange's.
func (c *conn) carryOut(ctx context.Context, j *job) error {
	l := c.line
	var giveUp chan struct{}
	if j.urgency == Poll && l.isSilent(j.Unit) {
		l.forgetPresses()
		giveUp = l.urgent
	}
	began := time.Now()
	frame, err := c.exchange(ctx, &j.Exchange, giveUp)
	if errors.Is(err, errGivenUp) {
		signal(l.urgent) // for whoever else waits for it
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrNoReply) && !errors.Is(err, ErrGarbled) {
		err = fmt.Errorf("%w: %w", ErrDown, err) // the port died under it
	}
	l.account(j, began, err)
	if err != nil {
		l.ring.add(Entry{Line: l.config.ID, Unit: j.Unit, Dir: "error", Note: strings.TrimPrefix(j.Note+": "+err.Error(), ": ")}, nil, nil)
	}
	if err == nil || errors.Is(err, ErrNoReply) && !errors.Is(err, errGivenUp) {
		l.mu.Lock()
		others := l.queue.alike(j, began)
		l.mu.Unlock()
		for _, o := range others {
			o.end(l, bytes.Clone(frame), err)
		}
	}
	j.end(l, frame, err)
	return err
}

// end answers a job. The frame is its own.
func (j *job) end(l *Line, frame []byte, err error) {
	if err != nil {
		frame, err = nil, l.failed(&j.Exchange, err)
	}
	j.done <- answer{frame, err}
}

// forgetPresses takes back the signal of somebody whose command is carried out already. Left behind, it
// would end every probe of a silent unit as soon as it is sent, and the unit would never be heard again.
func (l *Line) forgetPresses() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.urgent:
	default:
	}
	if l.queue.first(func(j *job) bool { return j.urgency > Poll }) != nil {
		signal(l.urgent)
	}
}

// take takes the next exchange out of the queue. Where there is none yet, again says when one may
// be that is held back; zero for never.
func (l *Line) take() (j *job, again time.Duration) { return l.pick(l.queue.pop) }

// pick finds the next exchange that may be sent.
func (l *Line) pick(from func(may func(*job) bool) *job) (j *job, again time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	j = from(func(j *job) bool {
		wait := l.unit(j.Unit).quiet.Sub(now)
		if wait <= 0 || j.Sure {
			return true
		}
		if again == 0 || wait < again {
			again = wait
		}
		return false
	})
	return j, again
}

func (l *Line) timeout(x *Exchange) time.Duration {
	if x.Timeout > 0 {
		return x.Timeout
	}
	return l.config.Timeout
}
