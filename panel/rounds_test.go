package panel

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// follows has some panels follow a room with a lamp, each of which has heard of all there is.
func follows(t *testing.T, panels int) (*lamp, *rounds, []*follower) {
	t.Helper()
	l, log := new(lamp), slog.New(slog.DiscardHandler)
	made, err := room.New(room.Config{Members: []room.Member{{ID: "lamp", Device: l}}, Journal: journal.Open("", log), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	r := &rounds{room: made}
	all := make([]*follower, panels)
	for i := range all {
		all[i] = r.follow(0)
		<-all[i].fresh
		if u, ok := all[i].Look(); !ok || !u.Full {
			t.Fatalf("the first that a panel hears is %+v", u)
		}
	}
	return l, r, all
}

func TestAFewPanelsHearOfAChangeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r, all := follows(t, fewPanels)
		began := time.Now()
		l.report.Report("volume", devices.Int(7), devices.Reported)
		for _, f := range all {
			<-f.fresh
			if u, ok := f.Look(); !ok || len(u.Properties) != 1 || u.Properties[0].Value != devices.Int(7) {
				t.Errorf("heard %+v", u)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("after %s", took)
		}
		for _, f := range all {
			r.leave(f)
		}
	})
}

// Each hears all of it, once, and none of it late; the goroutine of the rounds ends with the last panel, without
// which the bubble would not.
func TestManyPanelsHearOfWhatBelongsTogetherInOneGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, r, all := follows(t, 5*fewPanels)
		began := time.Now()
		l.report.Report("volume", devices.Int(7), devices.Reported)
		time.Sleep(gatherTime / 2)
		l.report.Report("level", devices.Word("low"), devices.Reported)
		for _, f := range all {
			<-f.fresh
			if u, ok := f.Look(); !ok || len(u.Properties) != 2 {
				t.Errorf("heard %+v", u)
			}
		}
		if took := time.Since(began); took != gatherTime {
			t.Errorf("after %s", took)
		}
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
