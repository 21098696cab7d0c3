package equipment

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/devices/line"
)

const travelled = 20 * time.Second

// rig is a motor on two relays, with the truth about its height.
type rig struct{ up, down *contact }

func newRig() *rig { return &rig{up: &contact{}, down: &contact{}} }

func (r *rig) device() devices.Device {
	return NewRelayCurtain(quiet("rear"), CurtainSpec{Travel: travelled}, r.up, r.down)
}

func (r *rig) either(f func(c *contact)) {
	r.up.but(f)
	r.down.but(f)
}

// span is a time in which a direction was energised.
type span struct {
	way      devices.Motion
	from, to time.Time
}

func (r *rig) spans() []span {
	var spans []span
	for way, c := range map[devices.Motion]*contact{devices.Up: r.up, devices.Down: r.down} {
		on := c.isOn()
		c.mu.Lock()
		for _, e := range c.edges {
			if e.on {
				spans = append(spans, span{way: way, from: e.at})
			} else {
				spans[len(spans)-1].to = e.at
			}
		}
		c.mu.Unlock()
		if on {
			spans[len(spans)-1].to = time.Now()
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from.Compare(b.from) })
	return spans
}

// height is where the curtain really is, having started at a height.
func (r *rig) height(start float64) float64 {
	h := start
	for _, s := range r.spans() {
		moved := 100 * float64(s.to.Sub(s.from)) / float64(travelled)
		if s.way == devices.Up {
			h = min(100, h+moved)
		} else {
			h = max(0, h-moved)
		}
	}
	return h
}

// harm says what was done to the motor that must never be.
func (r *rig) harm() string {
	spans := r.spans()
	for i, a := range spans {
		for _, b := range spans[i+1:] {
			if a.way == b.way {
				continue
			}
			if gap := b.from.Sub(a.to); gap < deadLeast {
				return fmt.Sprintf("%s until %s, then %s after %s", a.way, a.to.Format("05.000"), b.way, gap)
			}
		}
	}
	return ""
}

// doing is one thing that happens to a curtain.
type doing struct {
	pause time.Duration
	what  string
	goal  int
	which int
}

func (d doing) String() string {
	return fmt.Sprintf("%s: %s %d %d", d.pause, d.what, d.goal, d.which)
}

func doings(most time.Duration, what ...string) *rapid.Generator[[]doing] {
	one := rapid.Custom(func(t *rapid.T) doing {
		return doing{
			pause: time.Duration(rapid.OneOf(
				rapid.IntRange(0, 30), rapid.IntRange(0, 600), rapid.IntRange(0, int(most/time.Millisecond)),
			).Draw(t, "pause")) * time.Millisecond,
			what:  rapid.SampledFrom(what).Draw(t, "what"),
			goal:  rapid.IntRange(0, 100).Draw(t, "goal"),
			which: rapid.IntRange(0, 1).Draw(t, "which"),
		}
	})
	return rapid.SliceOfN(one, 30, 80)
}

// play does all of it, each command as a caller of its own.
func (r *rig) play(b *bench, script []doing) {
	var callers sync.WaitGroup
	one := []*contact{r.up, r.down}
	for _, d := range script {
		time.Sleep(d.pause)
		c := one[d.which]
		switch d.what {
		case "up", "down", "stop":
			callers.Go(func() { _ = b.set("motion", devices.Word(d.what)) })
		case "goto":
			callers.Go(func() { _ = b.set("position", devices.Int(d.goal)) })
		case "hasty":
			callers.Go(func() {
				ctx, cancel := context.WithTimeout(line.WithUrgency(context.Background(), line.Person), time.Duration(d.goal)*5*time.Millisecond)
				defer cancel()
				_ = b.device.Set(ctx, "motion", []devices.Value{up, down}[d.which])
			})
		case "refresh":
			callers.Go(func() { _ = b.device.Refresh(b.ctx) })
		case "slow":
			c.but(func(c *contact) {
				c.delay, c.lag = time.Duration(d.goal)*time.Millisecond, time.Duration(d.goal)*4*time.Millisecond
			})
		case "silent":
			r.ails(&callers, d, func(c *contact) { c.fail = func(string) error { return errSilence } })
		case "unreadable":
			r.ails(&callers, d, func(c *contact) {
				c.fail = func(what string) error {
					if what == "read" {
						return errSilence
					}
					return nil
				}
			})
		case "lossy":
			r.ails(&callers, d, func(c *contact) { c.fail = func(string) error { return errAnswerLost } })
		case "welded":
			r.ails(&callers, d, func(c *contact) { c.stuck = true })
		case "dark":
			b.fed(false)
		case "lit":
			b.fed(true)
		}
		position := b.get("position")
		if p := position.value.Int(); p < 0 || p > 100 {
			b.t.Errorf("position %s", position)
		}
	}
	callers.Wait()
}

// ails lets one relay fail for a while.
func (r *rig) ails(callers *sync.WaitGroup, d doing, how func(c *contact)) {
	c := []*contact{r.up, r.down}[d.which]
	c.but(how)
	callers.Go(func() {
		time.Sleep(time.Duration(d.goal) * 20 * time.Millisecond)
		c.but(func(c *contact) { c.stuck, c.fail = false, nil })
	})
}
