package room

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"lectern/devices"
)

func (t *thing) wasFed() []bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.fed)
}

func TestWhatStaysGoesOnAndWhatGoesIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stays, goes, comes := circuit(), circuit(), circuit()
		r := newRoom(t, Config{Members: []Member{{ID: "stays", Device: stays}, {ID: "goes", Device: goes}}})
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() { over <- r.Run(ctx) }()
		stays.report.Report("power", devices.Bool(true), devices.Reported)
		goes.report.Report("power", devices.Bool(true), devices.Reported)
		seen := r.State().Revision

		// A command that is under way on what stays.
		release := make(chan struct{})
		stays.set = func(_ context.Context, t *thing, p string, v devices.Value) error {
			<-release
			t.report.Report(p, v, devices.Reported)
			return nil
		}
		outcome := make(chan devices.Outcome, 1)
		go func() { outcome <- do(t, r, "stays", "power", false) }()
		synctest.Wait()

		words := []devices.Property{{Name: "power", Kind: devices.KindBool, Settable: true, Unit: "named anew"}}
		if err := r.Replace(Config{Members: []Member{{ID: "comes", Device: comes}, {ID: "stays", Device: stays, Properties: words}}}); err != nil {
			t.Fatal(err)
		}
		if got := r.Devices(); !slices.Equal(got, []string{"comes", "stays"}) {
			t.Errorf("there is %v", got)
		}
		if r.Properties("stays")[0].Unit != "named anew" {
			t.Error("it is not named anew")
		}
		if p, _ := r.Get("stays", "power"); p.Value != devices.Bool(true) || p.Target != devices.Bool(false) {
			t.Errorf("what stays has lost its state: %+v", p)
		}
		close(release)
		if o := <-outcome; o.Result != devices.Done {
			t.Errorf("the command under way: %+v", o)
		}
		if p, _ := r.Get("stays", "power"); p.Value != devices.Bool(false) || !p.Target.IsZero() {
			t.Errorf("after it: %+v", p)
		}

		// What has gone says no more, to nobody.
		before := r.State()
		goes.report.Report("power", devices.Bool(false), devices.Reported)
		goes.report.Reach(errors.New("late"))
		goes.report.Lock("power", &devices.Refusal{})
		if after := r.State(); after.Revision != before.Revision || len(after.Properties) != 2 || len(after.Devices) != 2 {
			t.Errorf("what has gone still speaks: %+v", after)
		}
		if u, err := r.Subscribe(seen).Next(ctx); err != nil || slices.ContainsFunc(u.Properties, func(p PropertyState) bool { return p.Device == "goes" }) {
			t.Errorf("a subscriber is told of what has gone: %+v %v", u, err)
		}
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

func TestARefusedPlanChangesNothing(t *testing.T) {
	lamp := circuit()
	r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: lamp}}})
	revision := r.State().Revision
	for _, c := range []Config{
		{Members: []Member{{ID: "a", Device: circuit()}, {ID: "a", Device: circuit()}}},
		{Members: []Member{{ID: "a", Device: circuit(), Mains: "nobody"}}},
		{Members: []Member{{ID: "lamp", Device: lamp}}, Guards: []Guard{mainsGuard()}},
	} {
		if err := r.Replace(c); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	if s := r.State(); s.Revision != revision || !slices.Equal(r.Devices(), []string{"lamp"}) {
		t.Errorf("the room is another: %+v", s)
	}
}

// Guards of the new room hold at once, and those of the old are gone with their locks.
func TestGuardsAreReplacedWithTheirLocks(t *testing.T) {
	mains, beam := circuit(), projector()
	members := []Member{{ID: "mains", Device: mains}, {ID: "projector", Device: beam}}
	r := newRoom(t, Config{Members: members})
	mains.report.Report("power", devices.Bool(true), devices.Reported)
	beam.report.Report("power", devices.Word("on"), devices.Reported)
	if err := r.Replace(Config{Members: members, Guards: []Guard{mainsGuard()}}); err != nil {
		t.Fatal(err)
	}
	if p, _ := r.Get("mains", "power"); len(p.Locks) != 1 {
		t.Errorf("nobody is told what would be refused: %+v", p)
	}
	if o := do(t, r, "mains", "power", false); o.Result != devices.Refused {
		t.Errorf("the new guard lets it through: %+v", o)
	}
	if err := r.Replace(Config{Members: members}); err != nil {
		t.Fatal(err)
	}
	if p, _ := r.Get("mains", "power"); len(p.Locks) != 0 {
		t.Errorf("the lock of a guard that is no more stays: %+v", p)
	}
	if o := do(t, r, "mains", "power", false); o.Result != devices.Done {
		t.Errorf("without the guard: %+v", o)
	}
}

// A command that a guard has permitted rests on the projector as it is, also where the projector is
// another by now.
func TestAGateOutlivesItsDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mains, before, after := circuit(), projector(), projector()
		config := func(p *thing) Config {
			return Config{Members: []Member{{ID: "mains", Device: mains}, {ID: "projector", Device: p}}, Guards: []Guard{mainsGuard()}}
		}
		r := newRoom(t, config(before))
		mains.report.Report("power", devices.Bool(true), devices.Reported)
		before.report.Report("power", devices.Word("off"), devices.Reported)
		release := make(chan struct{})
		mains.set = func(context.Context, *thing, string, devices.Value) error { <-release; return nil }
		outcome := make(chan devices.Outcome, 1)
		go func() { outcome <- do(t, r, "mains", "power", false) }()
		synctest.Wait()
		if err := r.Replace(config(after)); err != nil {
			t.Fatal(err)
		}
		if o := do(t, r, "projector", "power", "on"); o.Result != devices.Refused {
			t.Errorf("while its mains goes off: %+v", o)
		}
		close(release)
		if o := <-outcome; o.Result != devices.Done {
			t.Errorf("%+v", o)
		}
		if o := do(t, r, "projector", "power", "on"); o.Result != devices.Done {
			t.Errorf("after: %+v", o)
		}
	})
}

func TestMainsThatMoveAreSaidToTheDevice(t *testing.T) {
	off, on, lamp := circuit(), circuit(), circuit()
	r := newRoom(t, Config{Members: []Member{{ID: "off", Device: off}, {ID: "on", Device: on}, {ID: "lamp", Device: lamp}}})
	off.report.Report("power", devices.Bool(false), devices.Reported)
	on.report.Report("power", devices.Bool(true), devices.Reported)
	behind := func(mains string) {
		t.Helper()
		if err := r.Replace(Config{Members: []Member{{ID: "off", Device: off}, {ID: "on", Device: on}, {ID: "lamp", Device: lamp, Mains: mains}}}); err != nil {
			t.Fatal(err)
		}
	}
	behind("on")
	behind("off")
	behind("off")
	on.report.Report("power", devices.Bool(false), devices.Reported) // not its circuit any more
	on.report.Report("power", devices.Bool(true), devices.Reported)
	behind("on")
	behind("off")
	behind("")
	if got := lamp.wasFed(); !slices.Equal(got, []bool{false, true, false, true}) {
		t.Errorf("it was told %v", got)
	}
	// A circuit whose line was opened anew says nothing for a moment: unknown is not on.
	behind("off")
	if err := r.Replace(Config{Members: []Member{{ID: "off", Device: circuit()}, {ID: "lamp", Device: lamp, Mains: "off"}}}); err != nil {
		t.Fatal(err)
	}
	if got := lamp.wasFed(); got[len(got)-1] {
		t.Errorf("it was told %v", got)
	}
}

// Equipment that takes the place of another while an emergency holds the room is in its hand from the start.
func TestAHoldStandsOverAReplacement(t *testing.T) {
	r := newRoom(t, Config{Members: []Member{{ID: "lamps", Device: circuit()}}})
	r.Hold(&Hold{Wishes: []Wish{{"lamps", "power", devices.Bool(true)}}, Reason: devices.Phrase{EN: "Fire"}})
	if err := r.Replace(Config{Members: []Member{{ID: "lamps", Mains: "mains", Device: circuit()}, {ID: "mains", Device: circuit()}}}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"lamps", "mains"} {
		if p, _ := r.Get(id, "power"); len(p.Locks) != 1 || p.Locks[0].Reason.EN != "Fire" {
			t.Errorf("%s: %+v", id, p.Locks)
		}
		if o := do(t, r, id, "power", false); o.Result != devices.Refused {
			t.Errorf("%s off: %+v", id, o)
		}
	}
}
