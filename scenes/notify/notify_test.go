package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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

func TestFortyDevicesOfADeadBusAreOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		h := build(t, 40, silent, r)
		stop := h.run(t)
		var all []string
		h.line(errGone)
		for i, d := range h.things { // found out one by one
			all = append(all, fmt.Sprintf("spot-%02d", i))
			d.report.Reach(errGone)
			pass(500 * time.Millisecond)
		}
		pass(4*time.Minute + 30*time.Second)
		reads(t, r, "")
		pass(time.Minute)
		reads(t, r, "down   bus "+strings.Join(all, " "))
		h.line(nil)
		for _, d := range h.things {
			d.report.Reach(nil)
			pass(500 * time.Millisecond)
		}
		pass(time.Minute)
		reads(t, r, "well   bus "+strings.Join(all, " "))
		pass(time.Hour)
		reads(t, r, "")
		stop()
	})
}

func TestWhatComesAndGoesIsNoNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		h := build(t, 1, silent, r)
		stop := h.run(t)
		d := h.things[0]
		for range 5 { // each time for less than it takes
			d.report.Reach(errGone)
			pass(4*time.Minute + 50*time.Second)
			d.report.Reach(nil)
			pass(time.Minute)
		}
		d.report.Reach(errGone)
		pass(5*time.Minute + 10*time.Second) // and once while it is gathered
		d.report.Reach(nil)
		pass(10 * time.Minute)
		reads(t, r, "")
		d.report.Report("fault", devices.Text("lamp"), devices.Reported)
		pass(6 * time.Minute)
		reads(t, r, "down  spot-00")
		d.report.Report("fault", devices.Text(""), devices.Reported)
		pass(time.Minute)
		reads(t, r, "well  spot-00")
		stop()
	})
}

func TestOrdersAreToldOpenedAnsweredAndClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		h := build(t, 1, silent, r)
		h.open(t, "of before", "")
		h.Notifier = New(h.Config) // that was there already, and is no news
		stop := h.run(t)
		reads(t, r, "")
		one, two := h.open(t, "yellow", "spot-00"), h.open(t, "no sound", "")
		pass(gatherOrders)
		reads(t, r, "order_opened "+one.ID+" spot-00; order_opened "+two.ID)
		one = h.step(t, one, ledger.Step{State: ledger.Assigned, To: "Zhang"})
		pass(gatherOrders)
		reads(t, r, "order_answered "+one.ID+" spot-00")
		one = h.step(t, one, ledger.Step{Text: "a note"})
		one = h.step(t, one, ledger.Step{State: ledger.Fixed, Text: "lamp changed"})
		pass(gatherOrders)
		reads(t, r, "") // answered once
		one = h.step(t, one, ledger.Step{State: ledger.Confirmed})
		pass(gatherOrders)
		reads(t, r, "order_closed "+one.ID+" spot-00")
		h.step(t, one, ledger.Step{State: ledger.Opened, Text: "again"})
		pass(gatherOrders)
		reads(t, r, "order_opened "+one.ID+" spot-00")
		stop()
	})
}

func TestInMaintenanceNothingGoesOutAndWhatStandsAfterwardsDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		h := build(t, 3, silent, r)
		stop := h.run(t)
		h.things[0].report.Reach(errGone)
		pass(6 * time.Minute)
		reads(t, r, "down  spot-00")
		h.open(t, "just before", "")
		if err := h.work.Begin("WM", "cabling", time.Now().Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		stays, goes := h.open(t, "help", ""), h.open(t, "mended meanwhile", "")
		goes = h.step(t, goes, ledger.Step{State: ledger.Fixed, Text: "done"})
		h.step(t, goes, ledger.Step{State: ledger.Confirmed})
		h.things[0].report.Reach(nil)
		h.things[1].report.Reach(errGone)
		h.things[2].report.Reach(errGone)
		pass(time.Hour)
		h.things[2].report.Reach(nil)
		pass(time.Hour - time.Second)
		reads(t, r, "")
		pass(time.Second + gatherOrders + look)
		got := r.read()
		if !strings.Contains(got, "order_opened "+stays.ID) || strings.Contains(got, goes.ID) {
			t.Errorf("of orders it was told %s", got)
		}
		pass(gatherEquipment)
		reads(t, r, "down  spot-01; well  spot-00")
		stop()
	})
}

func TestATargetThatFailsIsTriedLaterEachTimeAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said strings.Builder
		log := slog.New(slog.NewTextHandler(&said, nil))
		r, other := &reader{fails: errors.New("connection refused")}, &reader{}
		h := build(t, 1, log, r, other)
		stop := h.run(t)
		began := time.Now()
		o := h.open(t, "yellow", "")
		pass(time.Hour)
		reads(t, other, "order_opened "+o.ID)
		var after []time.Duration
		for _, at := range r.tries[:9] {
			after = append(after, at.Sub(began))
		}
		s := func(n int) time.Duration { return time.Duration(n) * time.Second }
		if want := []time.Duration{s(3), s(8), s(18), s(38), s(78), s(158), s(318), s(638), s(1238)}; !slices.Equal(after, want) {
			t.Errorf("it was tried after %v, not %v", after, want)
		}
		if now := h.Health()[0]; now.Waiting != 1 || now.Error != "connection refused" || !now.Since.Equal(began.Add(gatherOrders)) {
			t.Errorf("its health is %+v", now)
		}
		if n := strings.Count(said.String(), "did not go out"); n != 1 {
			t.Errorf("the log tells it %d times:\n%s", n, said.String())
		}
		r.fail(nil)
		pass(backMost)
		reads(t, r, "order_opened "+o.ID)
		if now := h.Health()[0]; now.Waiting != 0 || !now.Since.IsZero() || now.Error != "" || !strings.Contains(said.String(), "go out again") {
			t.Errorf("it is well, and its health is %+v\n%s", now, said.String())
		}
		// What the target will never take is not sent again, and keeps nothing back.
		r.fail(fmt.Errorf("too long: %w", ErrRefused))
		h.open(t, "poison", "")
		pass(gatherOrders)
		r.fail(nil)
		last := h.open(t, "the next", "")
		pass(gatherOrders)
		if len(r.got) != 1 || r.got[0].Lost != 1 {
			t.Errorf("the message after one that was refused: %+v", r.got)
		}
		reads(t, r, "order_opened "+last.ID)
		stop()
	})
}

func TestAQueueIsBoundedAndSaysWhatItLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{fails: errors.New("gone")}
		h := build(t, 1, silent, r)
		stop := h.run(t)
		for range boxMost + 7 {
			h.open(t, "x", "")
			pass(gatherOrders)
		}
		if now := h.Health()[0]; now.Waiting != boxMost || now.Lost != 7 {
			t.Errorf("%d wait and %d are lost", now.Waiting, now.Lost)
		}
		r.fail(nil)
		pass(backMost)
		if r.got[0].Lost != 7 || r.got[1].Lost != 0 || len(r.got) != boxMost {
			t.Errorf("%d came, of which the first says that %d were lost", len(r.got), r.got[0].Lost)
		}
		// And nobody is told a day later.
		r.fail(errors.New("gone"))
		h.open(t, "old", "")
		pass(ageMost + backMost + time.Minute)
		if now := h.Health()[0]; now.Waiting != 0 || now.Lost != 8 {
			t.Errorf("after a day %d wait and %d are lost", now.Waiting, now.Lost)
		}
		stop()
	})
}

func TestEveryWordIsThereInBothLanguages(t *testing.T) {
	for key, w := range words {
		if w.ZH == "" || w.EN == "" || strings.Count(w.ZH, "{}") != strings.Count(w.EN, "{}") {
			t.Errorf("%s: %q and %q do not say the same", key, w.ZH, w.EN)
		}
	}
}
