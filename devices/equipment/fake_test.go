package equipment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/line"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errSilence = fmt.Errorf("line one, unit 1: %w", line.ErrNoReply)

// reading is a value with its quality, as a Room would show it.
type reading struct {
	value   devices.Value
	quality devices.Quality
}

func (r reading) String() string { return fmt.Sprintf("%s (%s)", r.value, r.quality) }

// heard is a Reporter that keeps what it heard.
type heard struct {
	mu      sync.Mutex
	now     map[string]reading
	story   map[string][]string // values in the order in which they changed
	reach   error
	reached int
	locks   map[string]*devices.Refusal
	told    int // locks told
}

func newHeard() *heard {
	return &heard{now: make(map[string]reading), story: make(map[string][]string), locks: make(map[string]*devices.Refusal)}
}

func (h *heard) Report(property string, v devices.Value, q devices.Quality) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.story[property]; len(s) == 0 || s[len(s)-1] != v.String() {
		h.story[property] = append(s, v.String())
	}
	h.now[property] = reading{v, q}
}

func (h *heard) Reach(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reach = err
	h.reached++
}

func (h *heard) Lock(property string, why *devices.Refusal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.told++
	h.locks[property] = why
}

func (h *heard) get(property string) reading {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now[property]
}

func (h *heard) was(property string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprint(h.story[property])
}

func (h *heard) lock(property string) *devices.Refusal {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.locks[property]
}

func (h *heard) lastReach() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reach
}

// bench is a device at work in a synctest bubble.
type bench struct {
	*heard
	t      *testing.T
	device devices.Device
	ctx    context.Context
	end    context.CancelFunc
	ended  chan error
}

// onBench runs a test with a device at work, in time that costs nothing.
func onBench(t *testing.T, device func() devices.Device, test func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		b := &bench{heard: newHeard(), t: t, device: device(), ctx: ctx, end: cancel, ended: make(chan error, 1)}
		b.device.Bind(b.heard)
		go func() { b.ended <- b.device.Run(ctx) }()
		synctest.Wait()
		test(b)
		cancel()
		if err := <-b.ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// set is a command as the Room gives it: urgent, and bounded in time.
func (b *bench) set(property string, v devices.Value) error {
	ctx, cancel := context.WithTimeout(line.WithUrgency(context.Background(), line.Person), 10*time.Second)
	defer cancel()
	return b.device.Set(ctx, property, v)
}

func (b *bench) result(property string, v devices.Value) devices.Result {
	return devices.OutcomeOf(b.set(property, v)).Result
}

func (b *bench) want(property, value string, q devices.Quality) {
	b.t.Helper()
	if got := b.get(property); got.value.String() != value || got.quality != q {
		b.t.Errorf("%s is %s, want %s (%s)", property, got, value, q)
	}
}

func (b *bench) wantResult(property string, v devices.Value, want devices.Result) {
	b.t.Helper()
	err := b.set(property, v)
	if got := devices.OutcomeOf(err).Result; got != want {
		b.t.Errorf("%s to %s: %s (%v), want %s", property, v, got, err, want)
	}
}

// fed tells the device about its mains, as the Room does.
func (b *bench) fed(fed bool) { b.device.(interface{ SetFed(bool) }).SetFed(fed) }

// contact is a relay as relays are: it acknowledges first and acts a moment later, in the order in
// which it was told; and it says what its contact is, not what it was told.
type contact struct {
	mu     sync.Mutex
	delay  time.Duration // of every exchange
	lag    time.Duration // from the acknowledgement to the contact
	stuck  bool          // welded
	fail   func(what string) error
	oneWay bool

	on     bool
	plan   []change // not yet carried out
	edges  []change // carried out
	writes []bool
	reads  int
}

type change struct {
	at time.Time
	on bool
}

// settle carries out what is due. The caller holds mu.
func (c *contact) settle(now time.Time) {
	for len(c.plan) > 0 && !c.plan[0].at.After(now) {
		if e := c.plan[0]; !c.stuck && e.on != c.on {
			c.on = e.on
			c.edges = append(c.edges, e)
		}
		c.plan = c.plan[1:]
	}
}

func (c *contact) failure(what string) error {
	if c.fail == nil {
		return nil
	}
	return c.fail(what)
}

func (c *contact) On(ctx context.Context) (bool, error) {
	c.mu.Lock()
	delay := c.delay
	c.reads++
	c.mu.Unlock()
	if !sleep(ctx, delay) {
		return false, fmt.Errorf("%w: %w", line.ErrNoReply, context.Cause(ctx))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(time.Now())
	if c.oneWay {
		if len(c.writes) == 0 {
			return false, &devices.Refusal{Reason: devices.Phrase{ZH: "不能读", EN: "cannot be read"}}
		}
		return c.on, devices.ErrSent
	}
	return c.on, c.failure("read")
}

func (c *contact) SetOn(ctx context.Context, on bool) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", line.ErrExpired, context.Cause(ctx))
	}
	c.mu.Lock()
	err := c.failure("write")
	if err == nil || errors.Is(err, errAnswerLost) {
		at := time.Now().Add(c.lag)
		if n := len(c.plan); n > 0 && at.Before(c.plan[n-1].at) {
			at = c.plan[n-1].at
		}
		c.plan = append(c.plan, change{at, on})
		c.writes = append(c.writes, on)
	}
	delay := c.delay
	c.mu.Unlock()
	if !sleep(ctx, delay) {
		return fmt.Errorf("%w: %w", line.ErrNoReply, context.Cause(ctx))
	}
	if err == nil && c.oneWay {
		return devices.ErrSent
	}
	return err
}

// errAnswerLost is a command that is carried out although its answer is lost.
var errAnswerLost = fmt.Errorf("the answer is lost: %w", line.ErrNoReply)

// but changes how a contact behaves.
func (c *contact) but(f func(c *contact)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(time.Now())
	f(c)
}

func (c *contact) nudge(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(time.Now())
	c.plan = append(c.plan, change{time.Now(), on})
	c.settle(time.Now())
}

func (c *contact) isOn() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settle(time.Now())
	return c.on
}

func (c *contact) asked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reads
}

func (c *contact) written() []bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]bool(nil), c.writes...)
}

func quiet(id string) Spec { return Spec{ID: id, Log: slog.New(slog.DiscardHandler)} }
