package notify

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/scenes/ledger"
	"lectern/scenes/room"
)

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

// circuit is a mains circuit.
type circuit struct{ thing }

func (*circuit) Properties() []devices.Property {
	return []devices.Property{{Name: "power", Kind: devices.KindBool}}
}

func TestWhatHasLostItsMainsIsNotWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{}
		h := build(t, 0, silent, r)
		mains, d := &circuit{}, &thing{}
		var err error
		h.room, err = room.New(room.Config{Log: silent, Members: []room.Member{{ID: "mains", Device: mains}, {ID: "beam", Device: d, Mains: "mains"}}})
		if err != nil {
			t.Fatal(err)
		}
		h.Config.Room = h.room
		h.Notifier = New(h.Config)
		mains.report.Reach(nil)
		mains.report.Report("power", devices.Bool(true), devices.Reported)
		d.report.Reach(errGone)
		stop := h.run(t)
		pass(6 * time.Minute)
		reads(t, r, "down  beam")
		mains.report.Report("power", devices.Bool(false), devices.Reported)
		pass(time.Hour)
		reads(t, r, "")
		mains.report.Report("power", devices.Bool(true), devices.Reported)
		d.report.Reach(nil)
		pass(time.Minute)
		reads(t, r, "well  beam")
		stop()
	})
}
