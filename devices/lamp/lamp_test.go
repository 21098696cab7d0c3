package lamp

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"lectern/devices"
)

const (
	warming = 30 * time.Second
	cooling = 90 * time.Second
)

// step is one thing that happens to a clock, and what it must say then.
type step struct {
	after time.Duration
	said  bool // the projector's answer
	want  devices.Power
}

// follow lets a clock hear a projector in a bubble of its own time.
func follow(t *testing.T, prepare func(*Clock), steps ...step) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(warming, cooling)
		if prepare != nil {
			prepare(c)
		}
		for i, s := range steps {
			time.Sleep(s.after)
			if got := c.Said(s.said); got != s.want {
				t.Errorf("step %d: it says on=%v, which is taken for %q, not %q", i, s.said, got, s.want)
			}
		}
	})
}

func TestAnOffThatIsHeardFirstMayBeHot(t *testing.T) {
	follow(t, nil,
		step{0, false, devices.PowerCooling},
		step{cooling - 1, false, devices.PowerCooling},
		step{1, false, devices.PowerOff},
	)
}

func TestTheRemoteControlIsSeen(t *testing.T) {
	follow(t, func(c *Clock) { c.Is(devices.PowerOff) },
		step{time.Hour, true, devices.PowerWarming},
		step{warming, true, devices.PowerOn},
		step{time.Hour, false, devices.PowerCooling},
		step{cooling / 2, false, devices.PowerCooling},
		step{cooling / 2, false, devices.PowerOff},
	)
}

func TestAProjectorThatSaysOffUntilItIsLitIsWarmingUp(t *testing.T) {
	follow(t, func(c *Clock) { c.Is(devices.PowerOff); c.Told(true) },
		step{0, false, devices.PowerWarming},
		step{warming / 2, true, devices.PowerWarming},
		step{warming / 2, true, devices.PowerOn},
	)
}

func TestAProjectorThatSaysOnUntilItIsColdIsCooling(t *testing.T) {
	follow(t, func(c *Clock) { c.Is(devices.PowerOn); c.Told(false) },
		step{cooling / 2, true, devices.PowerCooling},
		step{cooling / 4, false, devices.PowerCooling}, // the lamp may have burnt until now
		step{cooling - 1, false, devices.PowerCooling},
		step{1, false, devices.PowerOff},
	)
}

func TestAProjectorThatHasNotObeyedIsOn(t *testing.T) {
	follow(t, func(c *Clock) { c.Is(devices.PowerOn); c.Told(false) }, step{cooling, true, devices.PowerOn})
}

func TestALampThatDoesNotLightIsAFailureUntilItIsLit(t *testing.T) {
	for name, early := range map[string]bool{"after saying on": true, "never on": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := NewClock(warming, cooling)
				c.Is(devices.PowerOff)
				c.Told(true)
				if early {
					c.Said(true)
					time.Sleep(warming / 2)
				} else {
					time.Sleep(warming)
				}
				if got := c.Said(false); got != devices.PowerCooling || !c.Failed() {
					t.Errorf("it is %q, failed %v", got, c.Failed())
				}
				if c.Told(true); c.Failed() {
					t.Error("a new try is a failure from its beginning")
				}
			})
		})
	}
}

func TestWhatTheProjectorSaysByItselfCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewClock(warming, cooling)
		for _, power := range []devices.Power{devices.PowerWarming, devices.PowerOn, devices.PowerCooling, devices.PowerOff} {
			c.Is(power)
			on := power == devices.PowerWarming || power == devices.PowerOn
			if got := c.Said(on); got != power || c.Power() != power {
				t.Errorf("said to be %s, it is %q", power, got)
			}
		}
	})
}

func TestTimesOfNothingLeaveTwoStates(t *testing.T) {
	c := NewClock(0, 0)
	for _, on := range []bool{false, true, false} {
		want := map[bool]devices.Power{true: devices.PowerOn, false: devices.PowerOff}[on]
		if got := c.Said(on); got != want {
			t.Errorf("on=%v is %q", on, got)
		}
	}
}

// Whatever happens, a lamp that has burnt within the cooling time is never called off.
func TestPropertyAHotLampIsNeverCalledOff(t *testing.T) {
	const toldOn, toldOff, goesOut, nothing = 0, 1, 2, 3
	rapid.Check(t, func(rt *rapid.T) {
		lit := rapid.Bool().Draw(rt, "lit")
		pauses := rapid.SliceOfN(rapid.IntRange(0, 120), 30, 30).Draw(rt, "pauses in seconds")
		events := rapid.SliceOfN(rapid.IntRange(toldOn, nothing), 1, 30).Draw(rt, "events")
		wrong := ""
		synctest.Test(t, func(*testing.T) {
			c := NewClock(warming, cooling)
			burnt := time.Now() // the last time that it may have; what was before, nobody knows
			for i, event := range events {
				time.Sleep(time.Duration(pauses[i]) * time.Second)
				if lit {
					burnt = time.Now()
				}
				switch event {
				case toldOn:
					lit = true
					c.Told(true)
				case toldOff:
					c.Told(false)
				case goesOut:
					lit = false
				}
				if got := c.Said(lit); got == devices.PowerOff && (lit || time.Since(burnt) < cooling) {
					wrong = fmt.Sprintf("event %d: it is called off %s after it has burnt", i, time.Since(burnt))
				}
			}
		})
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func TestTimesThatCannotBeMeantAreFaults(t *testing.T) {
	for _, c := range []struct {
		warming, cooling time.Duration
		good             bool
	}{{0, 0, true}, {warming, cooling, true}, {-1, 0, false}, {0, time.Hour, false}} {
		if err := Check(c.warming, c.cooling); (err == nil) != c.good {
			t.Errorf("%s, %s: %v", c.warming, c.cooling, err)
		}
	}
}
