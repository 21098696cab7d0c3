package equipment

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"lectern/devices"
)

func projectorOn(p devices.Projector, queue bool) func() devices.Device {
	return func() devices.Device {
		return NewProjector(quiet("projector"), ProjectorSpec{Inputs: inputs, Warm: 30 * time.Second, Cool: 90 * time.Second, Queue: queue}, p)
	}
}

var (
	on  = devices.Word("on")
	off = devices.Word("off")
)

// A11: projector on, off.
func TestProjectorWarmsAndCools(t *testing.T) {
	p := newBeam(devices.PowerOff)
	p.late = 2 * time.Second // it goes on saying off for a while
	onBench(t, projectorOn(p, false), func(b *bench) {
		b.want("power", "off", devices.Reported)
		b.wantResult("power", on, devices.Done)
		b.want("power", "warming", devices.Reported)
		time.Sleep(50 * time.Second)
		b.want("power", "on", devices.Reported)
		b.want("input", "computer-1", devices.Reported)
		b.want("lamp", "1234", devices.Reported)
		b.want("fault", "", devices.Reported)
		b.wantResult("power", off, devices.Done)
		b.want("power", "cooling", devices.Reported)
		b.want("input", "", devices.Unknown)
		time.Sleep(2 * time.Minute)
		b.want("power", "off", devices.Reported)
		if got := b.was("power"); got != "[off warming on cooling off]" {
			t.Errorf("power was %s: off in between would bring the screen up", got)
		}
	})
}

// What a projector does not say is not shown as if it had.
func TestAReckonedTransitionIsAssumed(t *testing.T) {
	p := newBeam(devices.PowerOff)
	p.reckons = true
	onBench(t, projectorOn(p, false), func(b *bench) {
		b.wantResult("power", on, devices.Accepted)
		b.want("power", "warming", devices.Assumed)
		time.Sleep(50 * time.Second)
		b.want("power", "on", devices.Reported)
		b.wantResult("power", off, devices.Accepted)
		b.want("power", "cooling", devices.Assumed)
		time.Sleep(2 * time.Minute)
		b.want("power", "off", devices.Reported)
	})
}

func TestCommandsInATransitionAreRefusedWithTheTimeLeft(t *testing.T) {
	p := newBeam(devices.PowerOff)
	onBench(t, projectorOn(p, false), func(b *bench) {
		b.wantResult("power", on, devices.Done)
		time.Sleep(10 * time.Second)
		for property, v := range map[string]devices.Value{"power": off, "input": devices.Word("dvd")} {
			o := devices.OutcomeOf(b.set(property, v))
			if o.Result != devices.Refused || o.Reason.EN != "The projector is warming up" || o.Retry != 20 {
				t.Errorf("%s: %+v", property, o)
			}
			if l := b.lock(property); l == nil || l.Reason != o.Reason {
				t.Errorf("%s is not locked: %v", property, l)
			}
		}
		b.wantResult("power", on, devices.Done) // it is on its way
		b.want("remaining", "20", devices.Assumed)
		time.Sleep(time.Minute)
		if b.lock("power") != nil || b.lock("input") != nil {
			t.Error("still locked")
		}
		b.wantResult("power", off, devices.Done)
		if o := devices.OutcomeOf(b.set("power", on)); o.Result != devices.Refused || o.Retry != 90 || o.Reason.EN != "The projector is cooling down" {
			t.Errorf("%+v", o)
		}
		if p.faults() != "" || p.log() != "on off" {
			t.Errorf("sent %s; %s", p.log(), p.faults())
		}
		if b.told > 12 {
			t.Errorf("%d locks told: a time that is reckoned anew is not news", b.told)
		}
	})
}

func TestRemainingCountsDownAndIsLearned(t *testing.T) {
	p := newBeam(devices.PowerOff)
	onBench(t, projectorOn(p, false), func(b *bench) {
		b.wantResult("power", on, devices.Done)
		b.want("remaining", "30", devices.Assumed)
		time.Sleep(35 * time.Second)
		b.want("remaining", "0", devices.Assumed) // it takes longer than the room file says
		time.Sleep(10 * time.Second)
		b.wantResult("power", off, devices.Done)
		time.Sleep(2 * time.Minute)
		b.wantResult("power", on, devices.Done)
		if got := b.get("remaining").value.Int(); got != 40 {
			t.Errorf("it has seen that warming takes 40 s, yet says %d", got)
		}
	})
}

func TestTransitionFoundAtStartTeachesNothing(t *testing.T) {
	p := newBeam(devices.PowerWarming)
	onBench(t, func() devices.Device {
		p.next = time.Now().Add(5 * time.Second) // most of it is over
		return projectorOn(p, false)()
	}, func(b *bench) {
		b.want("power", "warming", devices.Reported)
		b.want("remaining", "30", devices.Assumed)
		time.Sleep(time.Minute)
		b.wantResult("power", off, devices.Done)
		time.Sleep(2 * time.Minute)
		b.wantResult("power", on, devices.Done)
		b.want("remaining", "30", devices.Assumed)
	})
}

func TestRemoteControlIsFollowed(t *testing.T) {
	p := newBeam(devices.PowerOff)
	onBench(t, projectorOn(p, false), func(b *bench) {
		p.but(func(p *beam) { p.begin(devices.PowerWarming, p.warm)() })
		time.Sleep(2 * pollUsual)
		b.want("power", "warming", devices.Reported)
		b.wantResult("input", devices.Word("dvd"), devices.Refused)
		time.Sleep(time.Minute)
		b.want("power", "on", devices.Reported)
		// Off by remote control just now; no poll has seen it.
		p.but(func(p *beam) { p.begin(devices.PowerCooling, p.cool)() })
		b.wantResult("power", on, devices.Refused)
		if p.log() != "" {
			t.Errorf("sent %s", p.log())
		}
	})
}

func TestInputOfAProjectorThatIsOff(t *testing.T) {
	p := newBeam(devices.PowerOff)
	for _, queue := range []bool{false, true} {
		onBench(t, projectorOn(p, queue), func(b *bench) {
			o := devices.OutcomeOf(b.set("input", devices.Word("dvd")))
			if o.Result != devices.Refused || o.Reason.EN != "The projector is off: switch it on first" || b.lock("input") == nil || b.lock("power") != nil {
				t.Errorf("%+v, locks %v", o, b.locks)
			}
		})
	}
}

// A12, A16: the source goes on the screen.
func TestInputIsConfirmedByReadingBack(t *testing.T) {
	p := newBeam(devices.PowerOn)
	onBench(t, projectorOn(p, false), func(b *bench) {
		b.wantResult("input", devices.Word("dvd"), devices.Done)
		b.want("input", "dvd", devices.Reported)
		p.but(func(p *beam) { p.input = "A0" })
		time.Sleep(2 * pollUsual)
		b.want("input", other, devices.Reported)
	})
}

func TestLastInputChosenWhileWarmingWins(t *testing.T) {
	p := newBeam(devices.PowerOff)
	p.busy = 2 // a lamp that has just lit does not mean that it takes an input
	onBench(t, projectorOn(p, true), func(b *bench) {
		b.wantResult("power", on, devices.Done)
		b.wantResult("input", devices.Word("dvd"), devices.Accepted)
		b.wantResult("input", devices.Word("recorder"), devices.Accepted)
		if b.lock("input") != nil {
			t.Error("locked, though it would be kept")
		}
		time.Sleep(2 * time.Minute)
		b.want("input", "recorder", devices.Reported)
		if p.log() != "on 41 41 41" || p.faults() != "" {
			t.Errorf("sent %s; %s", p.log(), p.faults())
		}
	})
}

func TestOffWhileWarmingDropsTheInputAndIsDoneWhenOn(t *testing.T) {
	p := newBeam(devices.PowerOff)
	onBench(t, projectorOn(p, true), func(b *bench) {
		b.wantResult("power", on, devices.Done)
		b.wantResult("input", devices.Word("dvd"), devices.Accepted)
		b.wantResult("power", off, devices.Accepted)
		b.wantResult("input", devices.Word("dvd"), devices.Refused)
		time.Sleep(3 * time.Minute)
		b.want("power", "off", devices.Reported)
		if p.log() != "on off" || p.faults() != "" {
			t.Errorf("sent %s; %s", p.log(), p.faults())
		}
	})
}

func TestOnAfterAllTakesBackTheOffThatWasKept(t *testing.T) {
	p := newBeam(devices.PowerOff)
	onBench(t, projectorOn(p, true), func(b *bench) {
		b.wantResult("power", on, devices.Done)
		b.wantResult("power", off, devices.Accepted)
		b.wantResult("power", on, devices.Done)
		time.Sleep(3 * time.Minute)
		b.want("power", "on", devices.Reported)
	})
}

// A guard lets the mains go when the projector is reported off. A lamp that is to light again must
// not pass through that.
func TestOnKeptWhileCoolingNeverReportsOff(t *testing.T) {
	p := newBeam(devices.PowerOn)
	onBench(t, projectorOn(p, true), func(b *bench) {
		b.wantResult("power", off, devices.Done)
		b.wantResult("power", on, devices.Accepted)
		b.wantResult("input", devices.Word("dvd"), devices.Accepted)
		time.Sleep(3 * time.Minute)
		if got := b.was("power"); got != "[on cooling warming on]" {
			t.Errorf("power was %s", got)
		}
		b.want("input", "dvd", devices.Reported)
	})
}

func TestLampThatDoesNotLightIsAFaultAndDropsWhatWasKept(t *testing.T) {
	p := newBeam(devices.PowerOff)
	p.dud = true
	onBench(t, projectorOn(p, true), func(b *bench) {
		b.wantResult("power", on, devices.Done)
		b.wantResult("input", devices.Word("dvd"), devices.Accepted)
		time.Sleep(time.Minute)
		b.want("power", "off", devices.Reported)
		b.want("fault", "START: the lamp did not light", devices.Reported)
		p.but(func(p *beam) { p.fault = devices.Fault{Code: "06", Text: devices.Phrase{ZH: "灯泡", EN: "lamp"}} })
		time.Sleep(2 * pollUsual)
		b.want("fault", "06: lamp", devices.Reported)
		p.but(func(p *beam) { p.dud, p.fault = false, devices.Fault{} })
		b.wantResult("power", on, devices.Done)
		time.Sleep(time.Minute)
		b.want("fault", "", devices.Reported)
		if strings.Contains(p.log(), "30") {
			t.Errorf("sent %s: the input was for the lamp that did not light", p.log())
		}
	})
}

func TestProjectorThatOnlyAcknowledgesHasFailed(t *testing.T) {
	p := newBeam(devices.PowerOff)
	p.deaf = true
	onBench(t, projectorOn(p, true), func(b *bench) {
		b.wantResult("power", on, devices.Failed)
		b.want("power", "off", devices.Reported)
	})
}

// ESC/VP21 answers PWR ON when the lamp burns, and takes nothing before that.
func TestLampThatHoldsTheLineIsAcceptedAndFollowed(t *testing.T) {
	p := newBeam(devices.PowerOff)
	p.holds, p.warm = true, 95*time.Second
	onBench(t, projectorOn(slowBeam{p}, true), func(b *bench) {
		began := time.Now()
		b.wantResult("power", on, devices.Accepted)
		if took := time.Since(began); took != quickly {
			t.Errorf("it took %s", took)
		}
		b.want("power", "warming", devices.Assumed)
		before := b.reached
		for range 80 {
			time.Sleep(time.Second)
			b.want("power", "warming", devices.Assumed)
			if b.lastReach() != nil {
				t.Fatalf("that it may not be asked is no failure: %v", b.lastReach())
			}
			began := time.Now()
			if err := b.device.Refresh(b.ctx); err != nil || time.Since(began) != 0 {
				t.Fatalf("refresh: %v after %s", err, time.Since(began))
			}
		}
		if b.reached != before {
			t.Error("it was not asked, yet is said to have answered")
		}
		b.wantResult("input", devices.Word("dvd"), devices.Accepted)
		b.wantResult("power", on, devices.Accepted)
		time.Sleep(20 * time.Second)
		b.want("power", "on", devices.Reported)
		b.want("input", "dvd", devices.Reported)
		if p.log() != "on 30" {
			t.Errorf("sent %s", p.log())
		}
	})
}

func TestStrikeEndsWithTheDaemon(t *testing.T) {
	p := newBeam(devices.PowerOff)
	p.holds = true
	onBench(t, projectorOn(slowBeam{p}, true), func(b *bench) {
		b.wantResult("power", on, devices.Accepted)
		b.end()
		b.ended <- <-b.ended // and the bench sees that nothing is left
		if err := b.set("power", off); !errors.Is(err, errOver) {
			t.Errorf("%v", err)
		}
	})
}

func TestWhatIsKeptTooLongIsDropped(t *testing.T) {
	p := newBeam(devices.PowerOff)
	p.warm = time.Hour
	onBench(t, projectorOn(p, true), func(b *bench) {
		b.wantResult("power", on, devices.Done)
		b.wantResult("input", devices.Word("dvd"), devices.Accepted)
		time.Sleep(2 * time.Hour)
		b.want("power", "on", devices.Reported)
		b.want("input", "computer-1", devices.Reported)
	})
}

// The command's own reading may be the first to find the lamp lit, with an older wish in keeping.
func TestInputAskedForWinsOverOneInKeeping(t *testing.T) {
	p := newBeam(devices.PowerOff)
	onBench(t, projectorOn(p, true), func(b *bench) {
		b.wantResult("power", on, devices.Done)
		b.wantResult("input", devices.Word("recorder"), devices.Accepted)
		time.Sleep(10 * time.Second)
		p.but(func(p *beam) { p.next = time.Now() })
		b.wantResult("input", devices.Word("dvd"), devices.Done)
		time.Sleep(time.Minute)
		b.want("input", "dvd", devices.Reported)
		if p.log() != "on 30" {
			t.Errorf("sent %s", p.log())
		}
	})
}

func TestMainsThatGoesTakesTheTransitionWithIt(t *testing.T) {
	p := newBeam(devices.PowerOff)
	onBench(t, projectorOn(p, false), func(b *bench) {
		b.wantResult("power", on, devices.Done)
		b.fed(false)
		if b.lock("power") != nil || b.get("power").quality != devices.Unknown {
			t.Errorf("%s, locks %v", b.get("power"), b.locks)
		}
		p.but(func(p *beam) { p.power = devices.PowerOff })
		b.fed(true)
		synctest.Wait()
		b.want("power", "off", devices.Reported)
		b.want("fault", "", devices.Reported)
	})
}

func TestSilentProjectorFailsAtOnce(t *testing.T) {
	p := newBeam(devices.PowerOff)
	onBench(t, projectorOn(p, true), func(b *bench) {
		p.but(func(p *beam) { p.silent = true })
		b.wantResult("power", on, devices.Failed)
		if p.log() != "" || b.lastReach() == nil {
			t.Errorf("sent %q; reach %v", p.log(), b.lastReach())
		}
	})
}

// dumb is a projector behind an infrared emitter.
type dumb struct{ sent []string }

func (*dumb) Status(context.Context) (devices.ProjectorStatus, error) {
	return devices.ProjectorStatus{}, &devices.Refusal{Reason: devices.Phrase{ZH: "不能读", EN: "cannot be read"}}
}
func (d *dumb) SetPower(_ context.Context, on bool) error {
	d.sent = append(d.sent, fmt.Sprint(on))
	return devices.ErrSent
}
func (d *dumb) SetInput(_ context.Context, code string) error {
	d.sent = append(d.sent, code)
	return devices.ErrSent
}

func TestProjectorThatCannotBeReadGoesByTheClock(t *testing.T) {
	d := &dumb{}
	onBench(t, projectorOn(d, true), func(b *bench) {
		b.wantResult("power", on, devices.Sent)
		b.want("power", "warming", devices.Assumed)
		b.wantResult("input", devices.Word("dvd"), devices.Accepted)
		time.Sleep(time.Minute)
		b.want("power", "on", devices.Assumed)
		if got := fmt.Sprint(d.sent); got != "[true 30]" {
			t.Errorf("sent %s", got)
		}
	})
}

// Whatever is asked by whomever, and whatever people do with the remote control, the projector is
// sent nothing during a transition; and of the inputs kept the last one is chosen.
func TestNothingIsSentInATransition(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		script := doings(40*time.Second, "on", "off", "on", "input", "refresh", "remote-on", "remote-off").Draw(rt, "script")
		queue := rapid.Bool().Draw(rt, "queue")
		late := rapid.SampledFrom([]time.Duration{0, time.Second, 4 * time.Second}).Draw(rt, "late")
		holds := rapid.Bool().Draw(rt, "holds")
		wrong := ""
		p := newBeam(devices.PowerOff)
		p.late, p.holds = late, holds
		onBench(t, projectorOn(slowBeam{p}, queue), func(b *bench) {
			var callers sync.WaitGroup
			last, disturbed := "", false
			for _, d := range script {
				time.Sleep(d.pause)
				switch d.what {
				case "on", "off":
					if d.what == "off" {
						last = "" // whoever switches off wants nothing shown
					}
					synctest.Wait()
					callers.Go(func() { _ = b.set("power", devices.Word(d.what)) })
				case "input":
					synctest.Wait()
					input := inputs[d.goal%len(inputs)]
					if r := b.result("input", devices.Word(input.ID)); r == devices.Accepted || r == devices.Done {
						last = input.ID
					}
				case "refresh":
					callers.Go(func() { _ = b.device.Refresh(b.ctx) })
				case "remote-on", "remote-off":
					// Not between a reading and the command that follows from it: that race nobody can win.
					synctest.Wait()
					p.but(func(p *beam) {
						if late > 0 || holds {
							return // the same race, for seconds
						}
						switch {
						case d.what == "remote-on" && p.power == devices.PowerOff:
							p.begin(devices.PowerWarming, p.warm)()
						case d.what == "remote-off" && p.power == devices.PowerOn:
							p.begin(devices.PowerCooling, p.cool)()
						default:
							return
						}
						disturbed = true
					})
				}
			}
			callers.Wait()
			time.Sleep(10 * time.Minute)
			wrong = p.faults()
			if now := b.get("input"); wrong == "" && queue && !disturbed && last != "" && b.get("power").value == on && now.value.String() != last {
				wrong = fmt.Sprintf("the last input was %s, but it shows %s after %s", last, now, p.log())
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}
