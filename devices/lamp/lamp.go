// Package lamp reckons what the lamp does of a projector that says on or off and nothing between.
//
// Several makes know two words for power. Told to go off, such a projector says off at once, while
// its lamp is hot and its fan must run. The Clock puts the warming and the cooling between the two
// words, for as long as the room file says. It errs on one side only: it may call a lamp hot that
// is cold, never a lamp cold that is hot, because "off" is what lets a guard cut the mains.
//
//   - An "off" that is heard before anything else counts as cooling: nobody knows since when it is
//     so. With a cooling time of 0 it is off.
//   - What is said by the projector itself - that it is ready, that it has cooled down - counts, and
//     the clock is then only for what was not heard.
//   - A remote control that is used while nobody can ask, and whose work is undone meanwhile, leaves
//     no trace here.
package lamp

import (
	"fmt"
	"sync"
	"time"

	"lectern/devices"
)

// most bounds a warm-up and a cool-down: what takes longer is a mistake in the room file.
const most = 10 * time.Minute

// Check says what is wrong with the times of a clock.
func Check(warming, cooling time.Duration) error {
	for _, t := range []struct {
		name string
		time time.Duration
	}{{"warming", warming}, {"cooling", cooling}} {
		if t.time < 0 || t.time > most {
			return fmt.Errorf("%s %s: it is between 0s and %s", t.name, t.time, most)
		}
	}
	return nil
}

// Clock reckons one lamp. Its methods may be called from any goroutine.
type Clock struct {
	warming, cooling time.Duration

	mu     sync.Mutex
	power  devices.Power
	until  time.Time // the transition is over then
	heard  bool      // the projector has said since its beginning what it leads to
	told   bool      // it has said itself that it warms up or cools down
	failed bool
}

// NewClock makes the clock of a lamp that needs such times to warm up and to cool down.
func NewClock(warming, cooling time.Duration) *Clock {
	return &Clock{warming: warming, cooling: cooling}
}

// Said takes the projector's answer to the question whether it is on, and returns what that means.
func (c *Clock) Said(on bool) devices.Power {
	c.mu.Lock()
	defer c.mu.Unlock()
	over := !time.Now().Before(c.until)
	if on {
		c.saidOn(over)
	} else {
		c.saidOff(over)
	}
	return c.power
}

// saidOn takes an answer. The caller holds mu.
func (c *Clock) saidOn(over bool) {
	switch c.power {
	case devices.PowerUnknown: // for how long does not matter
		c.become(devices.PowerOn)
	case devices.PowerOff:
		c.begin(devices.PowerWarming, true)
	case devices.PowerWarming:
		if c.heard = true; over {
			c.become(devices.PowerOn)
		}
	case devices.PowerCooling:
		switch {
		case c.heard: // it was off, and is lit again
			c.begin(devices.PowerWarming, true)
		case over: // it was told off and has not obeyed
			c.become(devices.PowerOn)
		}
	}
}

// saidOff takes an answer. The caller holds mu.
func (c *Clock) saidOff(over bool) {
	switch c.power {
	case devices.PowerUnknown, devices.PowerOn:
		c.begin(devices.PowerCooling, true)
	case devices.PowerWarming:
		if c.heard || over { // before, it may not have begun
			c.begin(devices.PowerCooling, true)
			c.failed = true
		}
	case devices.PowerCooling:
		switch {
		case !c.heard: // the lamp may have burnt until now
			c.begin(devices.PowerCooling, true)
		case over:
			c.become(devices.PowerOff)
		}
	}
}

// Told notes that the projector has accepted a command to go on or off.
func (c *Clock) Told(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case on && c.power != devices.PowerOn && c.power != devices.PowerWarming:
		c.begin(devices.PowerWarming, false)
	case !on && c.power != devices.PowerOff && c.power != devices.PowerCooling:
		c.begin(devices.PowerCooling, false)
	}
}

// Is takes what the projector says by itself of its lamp.
func (c *Clock) Is(power devices.Power) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if power == devices.PowerWarming || power == devices.PowerCooling {
		c.begin(power, false)
		c.told = true
		return
	}
	c.become(power)
}

// Power returns what the lamp was last reckoned to do; unknown where the projector has said nothing.
func (c *Clock) Power() devices.Power {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.power
}

// Reckoned reports whether what the lamp does follows from the time that has passed, and was not said.
func (c *Clock) Reckoned() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return (c.power == devices.PowerWarming || c.power == devices.PowerCooling) && !c.told
}

// Failed reports whether the projector went off while it was to warm up.
func (c *Clock) Failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// begin begins a transition. The caller holds mu.
func (c *Clock) begin(power devices.Power, heard bool) {
	takes := c.cooling
	if power == devices.PowerWarming {
		takes = c.warming
	}
	c.power, c.until, c.heard, c.told = power, time.Now().Add(takes), heard, false
	if power == devices.PowerWarming {
		c.failed = false
	}
	if takes > 0 || !heard {
		return
	}
	if power == devices.PowerWarming {
		c.become(devices.PowerOn)
	} else {
		c.become(devices.PowerOff)
	}
}

// become ends a transition. The caller holds mu.
func (c *Clock) become(power devices.Power) {
	c.power, c.until = power, time.Time{}
	if power == devices.PowerOn {
		c.failed = false
	}
}
