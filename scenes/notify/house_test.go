package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/journal"
	"lectern/scenes/ledger"
	"lectern/scenes/maintenance"
	"lectern/scenes/room"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var silent = slog.New(slog.DiscardHandler)

// thing is equipment that is as it is told to be.
type thing struct{ report devices.Reporter }

func (*thing) Properties() []devices.Property {
	return []devices.Property{{Name: "fault", Kind: devices.KindText}}
}
func (d *thing) Bind(r devices.Reporter)                        { d.report = r }
func (*thing) Run(ctx context.Context) error                    { <-ctx.Done(); return nil }
func (*thing) Refresh(context.Context) error                    { return nil }
func (*thing) Set(context.Context, string, devices.Value) error { return nil }

// reader is a target that keeps what it gets, while it does not fail.
type reader struct {
	mu    sync.Mutex
	fails error
	tries []time.Time
	got   []Message
}

func (*reader) Place() string { return "reader" }

func (r *reader) Send(_ context.Context, m Message) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries = append(r.tries, time.Now())
	if r.fails != nil {
		return r.fails
	}
	r.got = append(r.got, m)
	return nil
}

func (r *reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = err
}

// read is every message so far in short, one a line, and forgets them.
func (r *reader) read() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, m := range r.got {
		var events []string
		for _, e := range m.Events {
			events = append(events, strings.TrimSpace(strings.Join(append([]string{e.Kind, e.Order, e.Device, e.Line}, e.Devices...), " ")))
		}
		all = append(all, strings.Join(events, "; "))
	}
	r.got = nil
	return strings.Join(all, "\n")
}

// house is a room with so many devices on one bus, and what tells of it.
type house struct {
	things []*thing
	room   *room.Room
	orders *ledger.Orders
	work   *maintenance.Mode
	*Notifier
}

func build(t *testing.T, count int, log *slog.Logger, targets ...Target) *house {
	t.Helper()
	h := &house{}
	config, all := room.Config{Log: silent}, make(map[string]Thing)
	for i := range count {
		d := &thing{}
		id := fmt.Sprintf("spot-%02d", i)
		h.things = append(h.things, d)
		config.Members = append(config.Members, room.Member{ID: id, Device: d})
		all[id] = Thing{devices.Phrase{ZH: fmt.Sprint("射灯", i), EN: fmt.Sprint("Spot ", i)}, []string{"bus"}}
	}
	var err error
	if h.room, err = room.New(config); err != nil {
		t.Fatal(err)
	}
	h.line(nil)
	for _, d := range h.things {
		d.report.Reach(nil)
	}
	var books [2]ledger.Store
	for i := range books {
		if books[i], err = ledger.Open("", ""); err != nil {
			t.Fatal(err)
		}
	}
	if h.orders, err = ledger.NewOrders(books[0]); err != nil {
		t.Fatal(err)
	}
	if h.work, err = maintenance.New(books[1], journal.Open("", silent)); err != nil {
		t.Fatal(err)
	}
	h.Notifier = New(Config{
		ID: "hall", Name: devices.Phrase{ZH: "厅", EN: "Hall"}, Room: h.room, Orders: h.orders, Maintenance: h.work,
		Things: func() map[string]Thing { return all }, Down: 5 * time.Minute, Targets: targets, Log: log,
	})
	return h
}

func (h *house) line(err error) {
	now := line.Health{Line: "bus", Up: err == nil, Since: time.Now()}
	if err != nil {
		now.Error = err.Error()
	}
	h.room.PostLine(now)
}

// run runs it, and the clock of maintenance, until the function returned is called.
func (h *house) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = h.Run(ctx) })
	all.Go(func() { _ = h.work.Run(ctx) })
	synctest.Wait()
	return func() { cancel(); all.Wait() }
}

func pass(d time.Duration) { time.Sleep(d); synctest.Wait() }

func (h *house) open(t *testing.T, text, device string) ledger.Order {
	t.Helper()
	o, err := h.orders.Open(ledger.Step{Time: time.Now(), By: "WM", Via: "staff", Text: text, Device: device})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (h *house) step(t *testing.T, o ledger.Order, s ledger.Step) ledger.Order {
	t.Helper()
	s.Time, s.By, s.Via = time.Now(), "LL", "staff"
	o, err := h.orders.Do(o.ID, o.Version(), s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func reads(t *testing.T, r *reader, want string) {
	t.Helper()
	if got := r.read(); got != want {
		t.Errorf("it was told\n%s\nand should have been\n%s", got, want)
	}
}

var errGone = errors.New("no such file or directory")
