package room

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
)

// accepts is equipment that takes every command for later.
func accepts(t *thing) *thing {
	t.set = func(context.Context, *thing, string, devices.Value) error { return devices.ErrAccepted }
	return t
}

func target(r *Room, device, property string) string {
	p, _ := r.Get(device, property)
	return p.Target.String()
}

func TestAnAcceptedTargetStandsUntilItIsReached(t *testing.T) {
	beam := accepts(projector())
	r := newRoom(t, Config{Members: []Member{{ID: "beam", Device: beam}}})
	beam.report.Report("power", devices.Word("off"), devices.Reported)
	do(t, r, "beam", "power", "on")
	do(t, r, "beam", "input", "hdmi1")
	for _, step := range []struct{ power, target string }{{"off", "on"}, {"warming", "on"}, {"on", ""}} {
		beam.report.Report("power", devices.Word(step.power), devices.Reported)
		if got := target(r, "beam", "power"); got != step.target {
			t.Errorf("at %s the target of power is %q, want %q", step.power, got, step.target)
		}
	}
	if got := target(r, "beam", "input"); got != "hdmi1" {
		t.Errorf("the input's target is %q although it has not come about", got)
	}
}

func TestAnAcceptedTargetIsGivenUpWhenTheEquipmentSettlesElsewhere(t *testing.T) {
	beam := accepts(projector())
	r := newRoom(t, Config{Members: []Member{{ID: "beam", Device: beam}}})
	beam.report.Report("power", devices.Word("off"), devices.Reported)
	do(t, r, "beam", "power", "on")
	beam.report.Report("power", devices.Word("warming"), devices.Reported)
	beam.report.Report("power", devices.Word("off"), devices.Reported) // the lamp did not strike
	if got := target(r, "beam", "power"); got != "" {
		t.Errorf("the target is still %q", got)
	}
}

func TestAChoiceIsGivenUpWithAnyOfItsParts(t *testing.T) {
	beam := accepts(projector())
	sources := []Source{{ID: "pc", On: "sources", Set: []Wish{{"beam", "input", devices.Word("hdmi1")}}}}
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t, Config{Members: []Member{{ID: "beam", Device: beam}}, Sources: sources})
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); _ = r.Run(ctx) }()
		defer func() { cancel(); <-over }()
		synctest.Wait()
		beam.report.Report("input", devices.Word("hdmi2"), devices.Reported)
		do(t, r, "sources", "selected", "pc")
		synctest.Wait()
		if got := target(r, "sources", "selected"); got != "pc" {
			t.Errorf("the input is on its way, the choice's target is %q", got)
		}
		beam.report.Report("input", devices.Word("hdmi1"), devices.Reported)
		beam.report.Report("input", devices.Word("hdmi2"), devices.Reported)
		do(t, r, "sources", "selected", "pc")
		m := r.members["beam"]
		_, wish := r.state.promised(m.cells["input"])
		r.state.reached(m.cells["input"], wish) // as the room does when the projector goes off
		synctest.Wait()
		if got := target(r, "sources", "selected"); got != "" {
			t.Errorf("the input will not come, and the choice's target is still %q", got)
		}
	})
}

func TestStoppingACurtainGivesUpItsHeight(t *testing.T) {
	curtain := accepts(&thing{properties: []devices.Property{
		{Name: "motion", Kind: devices.KindEnum, Settable: true, Options: devices.Words("up", "stop", "down")},
		{Name: "position", Kind: devices.KindInteger, Settable: true, Continuous: true, Max: 100},
	}})
	r := newRoom(t, Config{Members: []Member{{ID: "curtain", Device: curtain}}})
	curtain.report.Report("position", devices.Int(0), devices.Reported)
	do(t, r, "curtain", "position", 60)
	curtain.report.Report("position", devices.Int(20), devices.Reported)
	if got := target(r, "curtain", "position"); got != "60" {
		t.Fatalf("on its way the target is %q", got)
	}
	do(t, r, "curtain", "motion", "stop")
	if got := target(r, "curtain", "position"); got != "" {
		t.Errorf("after stop the target is still %q", got)
	}
}

func TestNoTargetStandsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		beam := accepts(projector())
		r := newRoom(t, Config{Members: []Member{{ID: "beam", Device: beam}}})
		do(t, r, "beam", "power", "on")
		time.Sleep(promiseMost + time.Second)
		synctest.Wait()
		if got := target(r, "beam", "power"); got != "" {
			t.Errorf("the target is still %q", got)
		}
	})
}

// Two people at one curtain: the height that the first has asked for is accepted at about the moment at
// which the second sends the curtain elsewhere.
func TestAHeightIsGivenUpThoughItWasAcceptedLate(t *testing.T) {
	for name, acceptedAfter := range map[string]bool{"accepted while the newer wish waits": false, "accepted after it": true} {
		t.Run(name, func(t *testing.T) {
			begun, moving, accept, arrived := make(chan bool), make(chan bool), make(chan bool), make(chan bool)
			curtain := &thing{properties: []devices.Property{
				{Name: "motion", Kind: devices.KindEnum, Settable: true, Options: devices.Words("up", "stop", "down")},
				{Name: "position", Kind: devices.KindInteger, Settable: true, Continuous: true, Max: 100},
			}, set: func(_ context.Context, _ *thing, property string, _ devices.Value) error {
				if property == "position" {
					close(begun)
					<-accept
					return devices.ErrAccepted
				}
				close(moving)
				<-arrived
				return nil
			}}
			r := newRoom(t, Config{Members: []Member{{ID: "curtain", Device: curtain}}})
			curtain.report.Report("position", devices.Int(0), devices.Reported)
			var height, motion sync.WaitGroup
			height.Go(func() { do(t, r, "curtain", "position", 60) })
			<-begun
			motion.Go(func() { do(t, r, "curtain", "motion", "up") })
			<-moving
			if acceptedAfter {
				close(arrived)
				motion.Wait()
				close(accept)
				height.Wait()
			} else {
				close(accept)
				height.Wait()
				close(arrived)
				motion.Wait()
			}
			if got := target(r, "curtain", "position"); got != "" {
				t.Errorf("the curtain was sent up, and still waits for %q", got)
			}
		})
	}
}

func TestAHeightThatIsAskedForLastStands(t *testing.T) {
	begun, arrived := make(chan bool), make(chan bool)
	curtain := &thing{properties: []devices.Property{
		{Name: "motion", Kind: devices.KindEnum, Settable: true, Options: devices.Words("up", "stop", "down")},
		{Name: "position", Kind: devices.KindInteger, Settable: true, Continuous: true, Max: 100},
	}, set: func(_ context.Context, _ *thing, property string, _ devices.Value) error {
		if property == "position" {
			return devices.ErrAccepted
		}
		close(begun)
		<-arrived
		return nil
	}}
	r := newRoom(t, Config{Members: []Member{{ID: "curtain", Device: curtain}}})
	curtain.report.Report("position", devices.Int(0), devices.Reported)
	var motion sync.WaitGroup
	motion.Go(func() { do(t, r, "curtain", "motion", "up") })
	<-begun
	do(t, r, "curtain", "position", 60)
	close(arrived)
	motion.Wait()
	if got := target(r, "curtain", "position"); got != "60" {
		t.Errorf("the height that was asked for last is %q", got)
	}
}

func heights() *thing {
	return accepts(&thing{properties: []devices.Property{
		{Name: "motion", Kind: devices.KindEnum, Settable: true, Options: devices.Words("up", "stop", "down")},
		{Name: "position", Kind: devices.KindInteger, Settable: true, Continuous: true, Max: 100},
	}})
}

// A curtain that is timed comes to stand a little beside the height that was asked for.
func TestAHeightIsReachedWhereTheCurtainComesToStandBesideIt(t *testing.T) {
	curtain := heights()
	r := newRoom(t, Config{Members: []Member{{ID: "curtain", Device: curtain}}})
	curtain.report.Report("motion", devices.Word("stop"), devices.Reported)
	curtain.report.Report("position", devices.Int(0), devices.Assumed)
	do(t, r, "curtain", "position", 61)
	curtain.report.Report("motion", devices.Word("up"), devices.Reported)
	curtain.report.Report("position", devices.Int(59), devices.Assumed)
	if got := target(r, "curtain", "position"); got != "61" {
		t.Errorf("under way the target is %q", got)
	}
	curtain.report.Report("motion", devices.Word("stop"), devices.Reported)
	curtain.report.Report("position", devices.Int(62), devices.Assumed)
	if got := target(r, "curtain", "position"); got != "" {
		t.Errorf("the curtain has arrived, and the panel still waits for %q", got)
	}
}

// One that stands elsewhere for longer than it takes to turn round will not go on.
func TestAHeightIsGivenUpWhereTheCurtainGoesOnStanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		curtain := heights()
		r := newRoom(t, Config{Members: []Member{{ID: "curtain", Device: curtain}}})
		curtain.report.Report("motion", devices.Word("stop"), devices.Reported)
		do(t, r, "curtain", "position", 61)
		curtain.report.Report("motion", devices.Word("up"), devices.Reported)
		curtain.report.Report("motion", devices.Word("stop"), devices.Reported)
		curtain.report.Report("position", devices.Int(30), devices.Assumed)
		time.Sleep(standTime / 2)
		synctest.Wait()
		if got := target(r, "curtain", "position"); got != "61" {
			t.Errorf("while it may be turning round the target is %q", got)
		}
		curtain.report.Report("motion", devices.Word("up"), devices.Reported)
		time.Sleep(standTime)
		synctest.Wait()
		if got := target(r, "curtain", "position"); got != "61" {
			t.Errorf("on its way again the target is %q", got)
		}
		curtain.report.Report("motion", devices.Word("stop"), devices.Reported)
		time.Sleep(standTime)
		synctest.Wait()
		if got := target(r, "curtain", "position"); got != "" {
			t.Errorf("it stands for good, and the panel still waits for %q", got)
		}
	})
}

// An input that was kept for the end of the warm-up is not chosen any more when somebody switches the
// projector off.
func TestATargetIsGivenUpWhenItsPropertyIsLockedForGood(t *testing.T) {
	beam := accepts(projector())
	r := newRoom(t, Config{Members: []Member{{ID: "beam", Device: beam}}})
	beam.report.Report("power", devices.Word("warming"), devices.Reported)
	do(t, r, "beam", "input", "hdmi1")
	beam.report.Lock("input", &devices.Refusal{For: time.Minute, Reason: devices.Phrase{EN: "It is warming up"}})
	if got := target(r, "beam", "input"); got != "hdmi1" {
		t.Errorf("while it warms up the target is %q", got)
	}
	beam.report.Lock("input", &devices.Refusal{Lasting: true, Reason: devices.Phrase{EN: "It is off"}})
	if got := target(r, "beam", "input"); got != "" {
		t.Errorf("it is off, and the panel still waits for %q", got)
	}
}
