package panel

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// slowLamp does what it is asked for after a time.
type slowLamp struct {
	lamp
	takes time.Duration
}

func (l *slowLamp) Set(ctx context.Context, p string, v devices.Value) error {
	time.Sleep(l.takes)
	return l.lamp.Set(ctx, p, v)
}

// follows has some panels follow a room with a lamp, each of which has heard of all there is.
func follows(t *testing.T, panels int) (*slowLamp, *rounds, []*follower) {
	t.Helper()
	l, log := new(slowLamp), slog.New(slog.DiscardHandler)
	made, err := room.New(room.Config{Members: []room.Member{{ID: "lamp", Device: l}}, Journal: journal.Open("", log), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	r := &rounds{room: made}
	all := make([]*follower, panels)
	for i := range all {
		all[i] = r.follow(0)
		synctest.Wait() // the rounds wait already, with as many as there are
		<-all[i].fresh
		if u, ok := all[i].Look(); !ok || !u.Full {
			t.Fatalf("the first that a panel hears is %+v", u)
		}
	}
	return l, r, all
}

// hear waits until all panels have heard of the volume, and checks what they heard and when.
func hear(t *testing.T, all []*follower, began time.Time, after time.Duration, value, target devices.Value) {
	t.Helper()
	for _, f := range all {
		<-f.fresh
		if u, ok := f.Look(); !ok || len(u.Properties) != 1 || u.Properties[0].Value != value || u.Properties[0].Target != target {
			t.Errorf("heard %+v", u)
		}
	}
	if took := time.Since(began); took != after {
		t.Errorf("after %s, not %s", took, after)
	}
}

// part has all panels leave, none of which may have been woken for what it has heard already.
func part(t *testing.T, r *rounds, all []*follower) {
	t.Helper()
	time.Sleep(time.Second)
	for _, f := range all {
		select {
		case <-f.fresh:
			t.Error("woken twice for the same")
		default:
		}
		r.leave(f)
	}
	if r.end != nil {
		t.Error("nobody follows, and the rounds go on")
	}
}

func press(r *rounds, volume int) {
	go r.room.Do(context.Background(), room.Command{Device: "lamp", Property: "volume", Value: devices.Int(volume)})
}

func TestAFewPanelsHearOfAPressAndOfWhatComesOfItAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r, all := follows(t, fewPanels)
		l.takes = gatherTime / 2
		began := time.Now()
		press(r, 7)
		hear(t, all, began, 0, devices.Value{}, devices.Int(7))
		hear(t, all, began, gatherTime/2, devices.Int(7), devices.Value{})
		part(t, r, all)
	})
}

func TestManyPanelsHearOfAPressOnceWithWhatComesOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r, all := follows(t, 5*fewPanels)
		l.takes = gatherTime / 2
		began := time.Now()
		press(r, 7)
		hear(t, all, began, gatherTime/2, devices.Int(7), devices.Value{})
		part(t, r, all)
	})
}

func TestManyPanelsHearOfAPressBeforeWhatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r, all := follows(t, 5*fewPanels)
		l.takes = time.Second
		began := time.Now()
		press(r, 7)
		hear(t, all, began, gatherTime, devices.Value{}, devices.Int(7))
		hear(t, all, began, time.Second, devices.Int(7), devices.Value{})
		part(t, r, all)
	})
}

// Also while something else is asked for and under way; the goroutine of the rounds ends with the last panel, without
// which the bubble would not.
func TestManyPanelsHearOfWhatHasComeAboutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r, all := follows(t, 5*fewPanels)
		began := time.Now()
		l.report.Report("volume", devices.Int(7), devices.Reported)
		hear(t, all, began, 0, devices.Int(7), devices.Value{})
		part(t, r, all)
		again := r.follow(0)
		l.report.Report("volume", devices.Int(8), devices.Reported)
		synctest.Wait()
		<-again.fresh
		if u, ok := again.Look(); !ok || u.Properties[len(u.Properties)-1].Value != devices.Int(8) {
			t.Errorf("who comes later hears %+v", u)
		}
		r.leave(again)
	})
}
