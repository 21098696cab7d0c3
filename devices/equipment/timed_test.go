package equipment

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"lectern/devices"
)

var (
	up   = devices.Word("up")
	down = devices.Word("down")
	stop = devices.Word("stop")
)

// A9: up, stop, down. A10: left at any height by stop.
func TestCurtainGoesUpStopsAndGoesDown(t *testing.T) {
	r := newRig()
	r.either(func(c *contact) { c.delay, c.lag = 20*time.Millisecond, 100*time.Millisecond })
	onBench(t, r.device, func(b *bench) {
		time.Sleep(time.Second)
		b.want("position", "", devices.Unknown)
		b.wantResult("motion", up, devices.Done)
		b.want("motion", "up", devices.Reported)
		time.Sleep(5 * time.Second)
		b.wantResult("motion", stop, devices.Done)
		b.want("motion", "stop", devices.Reported)
		b.wantResult("motion", down, devices.Done)
		b.want("motion", "down", devices.Reported)
		time.Sleep(time.Minute)
		b.want("motion", "stop", devices.Reported)
		b.want("position", "0", devices.Assumed)
		if r.up.isOn() || r.down.isOn() || r.height(60) != 0 || r.harm() != "" {
			t.Errorf("height %v, %s", r.height(60), r.harm())
		}
	})
}

func TestReversalOpensWaitsAndCloses(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", up, devices.Done)
		time.Sleep(3 * time.Second)
		began := time.Now()
		b.wantResult("motion", down, devices.Done)
		if took := time.Since(began); took != deadLeast {
			t.Errorf("the reversal took %s", took)
		}
		if s := r.spans(); len(s) != 2 || r.harm() != "" {
			t.Errorf("%v %s", s, r.harm())
		}
	})
}

func TestDeadTimeOfTheRoomFileIsKeptAndNeverLessThanHalfASecond(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{0: deadLeast, time.Millisecond: deadLeast, 2 * time.Second: 2 * time.Second} {
		r := newRig()
		device := func() devices.Device {
			return NewRelayCurtain(quiet("c"), CurtainSpec{Travel: travelled, DeadTime: given}, r.up, r.down)
		}
		onBench(t, device, func(b *bench) {
			b.wantResult("motion", down, devices.Done)
			time.Sleep(3 * time.Second)
			b.wantResult("motion", up, devices.Done)
			if s := r.spans(); len(s) != 2 || s[1].from.Sub(s[0].to) != want {
				t.Errorf("dead time %s: %v", given, s)
			}
		})
	}
}

func TestStopDoesNotWaitForTheDeadTime(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", up, devices.Done)
		time.Sleep(3 * time.Second)
		reversal := make(chan devices.Result, 1)
		go func() { reversal <- b.result("motion", down) }()
		time.Sleep(100 * time.Millisecond)
		began := time.Now()
		b.wantResult("motion", stop, devices.Done)
		if time.Since(began) != 0 {
			t.Errorf("the stop took %s", time.Since(began))
		}
		if got := <-reversal; got != devices.Superseded {
			t.Errorf("the reversal: %s", got)
		}
		time.Sleep(time.Minute)
		if s := r.spans(); len(s) != 1 {
			t.Errorf("it went down after the stop: %v", s)
		}
	})
}

func TestStopDoesNotWaitForAPollOrAStart(t *testing.T) {
	for _, what := range []string{"poll", "start"} {
		r := newRig()
		onBench(t, r.device, func(b *bench) {
			r.either(func(c *contact) { c.delay = 3 * time.Second })
			if what == "start" {
				go func() { _ = b.set("motion", up) }()
			} else {
				time.Sleep(pollUsual)
			}
			time.Sleep(time.Second) // something holds a relay for two seconds more
			r.either(func(c *contact) { c.delay = 0 })
			began := time.Now()
			b.wantResult("motion", stop, devices.Done)
			if took := time.Since(began); took > relayLag+settleTime {
				t.Errorf("stopping during a %s took %s", what, took)
			}
			time.Sleep(time.Minute)
			if r.up.isOn() || r.down.isOn() {
				t.Errorf("%s: it moves after the stop", what)
			}
		})
	}
}

// The stop may come in the moment between taking an order and beginning it.
func TestMotionAskedForBeforeAStopIsNotBegunAfterIt(t *testing.T) {
	r := newRig()
	curtain := newTimed(quiet("rear"), CurtainSpec{}, newRelayPair(r.up, r.down), curtainProperties())
	curtain.stopped = 5
	for number, want := range map[uint64]error{4: context.Canceled, 6: nil} {
		ctx, done := curtain.interruptible(context.Background(), driveTime, &order{number: number})
		if !errors.Is(ctx.Err(), want) {
			t.Errorf("order %d after stop 5: %v", number, ctx.Err())
		}
		done()
	}
}

func TestMoveThatAStopOvertakesIsSuperseded(t *testing.T) {
	r := newRig()
	r.either(func(c *contact) { c.delay = 50 * time.Millisecond })
	onBench(t, r.device, func(b *bench) {
		time.Sleep(time.Second)
		move := make(chan devices.Result, 1)
		go func() { move <- b.result("motion", up) }()
		time.Sleep(10 * time.Millisecond) // it reads the relays
		b.wantResult("motion", stop, devices.Done)
		if got := <-move; got != devices.Superseded || slices.Contains(r.up.written(), true) {
			t.Errorf("%s, wrote %v", got, r.up.written())
		}
	})
}

func TestStopIsSentEvenWhereTheMotorSeemsToStand(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", stop, devices.Done)
		if !slices.Equal(r.up.written(), []bool{false}) || !slices.Equal(r.down.written(), []bool{false}) {
			t.Errorf("wrote %v, %v", r.up.written(), r.down.written())
		}
	})
}

func TestSameWayAgainKeepsGoing(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", up, devices.Done)
		time.Sleep(time.Second)
		b.wantResult("motion", up, devices.Done)
		if s := r.spans(); len(s) != 1 || s[0].to != time.Now() {
			t.Errorf("it did not keep going: %v", s)
		}
	})
}

// A10: left at any height by asking for a position.
func TestCurtainGoesToAHeight(t *testing.T) {
	r := newRig()
	r.either(func(c *contact) { c.delay, c.lag = 10*time.Millisecond, 50*time.Millisecond })
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", down, devices.Done)
		time.Sleep(time.Minute)
		for _, goal := range []int{40, 90, 25, 60} {
			b.wantResult("position", devices.Int(goal), devices.Accepted)
			time.Sleep(time.Minute)
			b.want("motion", "stop", devices.Reported)
			if got := b.get("position").value.Int(); max(got-goal, goal-got) > heightSlack {
				t.Errorf("to %d: reckoned at %d", goal, got)
			}
			if got := r.height(100); math.Abs(got-float64(goal)) > heightSlack {
				t.Errorf("to %d: really at %.1f", goal, got)
			}
		}
		b.wantResult("position", devices.Int(b.get("position").value.Int()), devices.Done)
	})
}

func TestUnknownHeightGoesToAnEndFirst(t *testing.T) {
	for goal, first := range map[int]devices.Motion{70: devices.Up, 20: devices.Down, 100: devices.Up, 0: devices.Down} {
		r := newRig()
		onBench(t, r.device, func(b *bench) {
			b.wantResult("position", devices.Int(goal), devices.Accepted)
			b.want("position", "", devices.Unknown)
			time.Sleep(2 * time.Minute)
			s := r.spans()
			if s[0].way != first || math.Abs(r.height(50)-float64(goal)) > 0.5 || r.harm() != "" {
				t.Errorf("to %d: %v, at %.1f %s", goal, s, r.height(50), r.harm())
			}
			b.want("position", fmt.Sprint(goal), devices.Assumed)
		})
	}
}

func TestStopOnTheWayToAnEndStopsTheWholeJourney(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		b.wantResult("position", devices.Int(30), devices.Accepted)
		time.Sleep(5 * time.Second)
		b.wantResult("motion", stop, devices.Done)
		time.Sleep(time.Minute)
		if s := r.spans(); len(s) != 1 {
			t.Errorf("%v", s)
		}
		// A stop of the past is not held against the next journey.
		b.wantResult("position", devices.Int(30), devices.Accepted)
		time.Sleep(2 * time.Minute)
		b.want("position", "30", devices.Assumed)
	})
}

func TestRelaysThatCannotBeReadMoveNothing(t *testing.T) {
	r := newRig()
	r.down.fail = func(what string) error {
		if what == "read" {
			return errSilence
		}
		return nil
	}
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", up, devices.Refused)
		if slices.Contains(r.up.written(), true) {
			t.Error("unknown is not off")
		}
	})
	one := &rig{up: &contact{oneWay: true}, down: &contact{oneWay: true}}
	onBench(t, one.device, func(b *bench) {
		b.wantResult("motion", up, devices.Refused)
		b.wantResult("motion", stop, devices.Sent)
		if slices.Contains(one.up.written(), true) {
			t.Error("relays that cannot be read moved a motor")
		}
	})
}

func TestBothDirectionsOnAreOpenedAtOnce(t *testing.T) {
	for _, when := range []string{"at start", "later"} {
		r := newRig()
		if when == "at start" {
			r.up.on, r.down.on = true, true
		}
		onBench(t, r.device, func(b *bench) {
			if when == "later" {
				b.wantResult("motion", up, devices.Done)
				r.down.nudge(true)
			}
			time.Sleep(5 * time.Second)
			if r.up.isOn() || r.down.isOn() {
				t.Errorf("%s: still on", when)
			}
			if b.get("fault").value.String() == "" {
				t.Errorf("%s: no fault told", when)
			}
			b.want("position", "", devices.Unknown)
		})
	}
}

func TestWhatIsFoundMovingAtStartIsLeftToWhoMovedIt(t *testing.T) {
	r := newRig()
	r.up.on = true
	onBench(t, r.device, func(b *bench) {
		b.want("motion", "up", devices.Reported)
		time.Sleep(time.Minute)
		if len(r.up.written())+len(r.down.written()) != 0 {
			t.Error("it was written to")
		}
		b.want("position", "100", devices.Assumed) // a full travel was watched
		r.up.nudge(false)
		time.Sleep(5 * time.Second)
		b.want("motion", "stop", devices.Reported)
	})
}

func TestContactThatStaysClosedIsTriedAgainAndTheOtherStaysOpen(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", up, devices.Done)
		r.up.but(func(c *contact) { c.stuck = true })
		b.wantResult("motion", down, devices.Failed)
		b.want("fault", errContactStays.Error(), devices.Reported)
		b.want("motion", "", devices.Unknown)
		if slices.Contains(r.down.written(), true) {
			t.Fatal("driven both ways")
		}
		r.up.but(func(c *contact) { c.stuck = false })
		time.Sleep(time.Minute)
		if r.up.isOn() {
			t.Error("given up")
		}
		b.want("fault", "", devices.Reported)
		b.want("motion", "stop", devices.Reported)
	})
}

// A relay that was told to close may close late. That it reads open when the stop has been sent does
// not mean that it stays open.
func TestRelayThatClosesLateIsWaitedForBeforeTheOtherCloses(t *testing.T) {
	r := newRig()
	r.up.lag = 400 * time.Millisecond
	r.up.fail = func(what string) error {
		if what == "write" {
			return errAnswerLost
		}
		return nil
	}
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", up, devices.Failed) // closes, and opens, when that is long over
		r.up.but(func(c *contact) { c.fail = nil })
		b.wantResult("motion", down, devices.Done)
		time.Sleep(5 * time.Second)
		if harm := r.harm(); harm != "" {
			t.Error(harm)
		}
	})
}

func TestDirectionThatSomebodyElseDrivesIsOpenedBeforeTheOtherCloses(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		r.up.nudge(true)
		b.wantResult("motion", down, devices.Done)
		if harm := r.harm(); harm != "" || len(r.spans()) != 2 {
			t.Errorf("%v %s", r.spans(), harm)
		}
	})
}

// The last look before a contact closes: somebody may have driven the other way since the order.
func TestDriveReadsTheOtherContactItself(t *testing.T) {
	r := newRig()
	pair := newRelayPair(r.up, r.down)
	r.down.on = true
	if err := pair.start(context.Background(), devices.Up); !errors.Is(err, errBothWays) || len(r.up.written()) != 0 {
		t.Errorf("%v, wrote %v", err, r.up.written())
	}
}

func TestSilentRelayDoesNotKeepTheOtherClosed(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", down, devices.Done)
		r.up.but(func(c *contact) { c.delay = time.Hour }) // the first of the two, and its line hangs
		go func() { _ = b.set("motion", stop) }()
		time.Sleep(50 * time.Millisecond)
		if r.down.isOn() {
			t.Error("the motor runs on because of the other relay")
		}
		r.up.but(func(c *contact) { c.delay = 0 })
	})
}

func TestMotionEndsWithTheDaemon(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", up, devices.Done)
		time.Sleep(3 * time.Second)
		b.end()
		b.ended <- <-b.ended
		if r.up.isOn() {
			t.Error("nobody will stop it now")
		}
		if err := b.set("motion", down); !errors.Is(err, errOver) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestMotorWithoutMainsDoesNotStartByItselfWhenItComesBack(t *testing.T) {
	r := newRig()
	onBench(t, r.device, func(b *bench) {
		b.wantResult("motion", up, devices.Done)
		time.Sleep(3 * time.Second)
		b.fed(false)
		time.Sleep(2 * time.Second)
		if r.up.isOn() {
			t.Error("the relay waits for the mains")
		}
		b.wantResult("motion", up, devices.Refused)
		b.want("motion", "", devices.Unknown)
		b.fed(true)
		synctest.Wait()
		b.want("motion", "stop", devices.Reported)
		b.want("position", "", devices.Unknown)
	})
}

// plain is a motor with its own control that says nothing.
type plain struct {
	mu   sync.Mutex
	told []devices.Motion
}

func (p *plain) Move(_ context.Context, m devices.Motion) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, m)
	return nil
}

func TestMotorThatSaysNothingIsTimedAndAssumed(t *testing.T) {
	p := &plain{}
	device := func() devices.Device { return NewCurtain(quiet("screen"), CurtainSpec{Travel: travelled}, p) }
	onBench(t, device, func(b *bench) {
		b.wantResult("motion", down, devices.Sent)
		b.want("motion", "down", devices.Assumed)
		time.Sleep(time.Minute)
		b.want("motion", "stop", devices.Assumed)
		b.want("position", "0", devices.Assumed)
		b.wantResult("position", devices.Int(50), devices.Sent)
		time.Sleep(time.Minute)
		b.want("position", "50", devices.Assumed)
		if got := fmt.Sprint(p.told); got != "[down up stop]" {
			t.Errorf("told %s: its own end switch stops it at an end, and at a height it is told to", got)
		}
	})
}

// A motor that says nothing is turned round under way, and goes back from the end that it was taken to first.
func TestMotorThatSaysNothingIsTurnedRound(t *testing.T) {
	p := &plain{}
	device := func() devices.Device { return NewCurtain(quiet("screen"), CurtainSpec{Travel: travelled}, p) }
	onBench(t, device, func(b *bench) {
		b.wantResult("motion", down, devices.Sent)
		time.Sleep(travelled / 4)
		b.wantResult("motion", up, devices.Sent)
		time.Sleep(travelled / 4)
		b.wantResult("position", devices.Int(30), devices.Sent)
		time.Sleep(5 * travelled)
		b.want("position", "30", devices.Assumed)
		if got := fmt.Sprint(p.told); got != "[down stop up stop down stop up stop]" {
			t.Errorf("told %s", got)
		}
	})
}

// The interlock: whatever is asked by whomever, and whatever the relays do, both directions are
// never energised together, nor one within the dead time of the other.
func TestNothingDrivesAMotorBothWays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := doings(3*time.Second, "up", "down", "stop", "goto", "hasty", "refresh", "up", "down", "up", "down", "up", "down", "lit", "lit",
			"slow", "silent", "unreadable", "lossy", "welded", "dark", "lit").Draw(rt, "script")
		harm := ""
		r := newRig()
		onBench(t, r.device, func(b *bench) {
			r.play(b, script)
			b.end()
			b.ended <- <-b.ended
			time.Sleep(5 * time.Second)
			harm = r.harm()
		})
		if harm != "" {
			rt.Fatal(harm)
		}
	})
}

// The reckoning: wherever the curtain has been left, after a run to an end it is what it says.
func TestHeightIsTrueAfterAnEnd(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := doings(8*time.Second, "up", "down", "stop", "goto", "hasty", "refresh", "slow").Draw(rt, "script")
		start := float64(rapid.IntRange(0, 100).Draw(rt, "start"))
		goal := rapid.SampledFrom([]string{"0", "100"}).Draw(rt, "end")
		wrong := ""
		r := newRig()
		onBench(t, r.device, func(b *bench) {
			r.play(b, script)
			last := up
			if goal == "0" {
				last = down
			}
			if err := b.set("motion", last); err != nil {
				wrong = err.Error()
				return
			}
			time.Sleep(2 * time.Minute)
			if got := fmt.Sprint(r.height(start)); got != goal || b.get("position") != (reading{devices.Int(map[string]int{"100": 100}[goal]), devices.Assumed}) ||
				r.up.isOn() || r.down.isOn() {
				wrong = fmt.Sprintf("really at %s, said to be at %s", got, b.get("position"))
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}
