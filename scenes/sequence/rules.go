package sequence

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"lectern/devices"
	"lectern/scenes/automatic"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// Rule makes one thing follow another: when a property takes a value.
type Rule struct {
	ID   string
	Name devices.Phrase
	When []room.Match // all of it
	For  time.Duration
	Set  []room.Wish
	Run  string // a scene
}

// Rules watches a room and does what its rules say. What it finds at start changes nothing: a rule
// fires when its condition, after it was seen not to hold, is reported to hold. A rule that is switched
// off watches on and does nothing; switched on again it does what happens from then on.
type Rules struct {
	Room   *room.Room
	Engine *Engine
	Rules  []Rule
	Board  *automatic.Board // where rules are switched off; nil for nowhere
	Log    *slog.Logger

	mu      sync.Mutex
	ctx     context.Context // of Run; nil before
	watched []watched
	wg      sync.WaitGroup
}

// watched is a rule with what ends the watch.
type watched struct {
	rule Rule
	end  context.CancelFunc
}

// Run watches until ctx ends.
func (w *Rules) Run(ctx context.Context) error {
	w.mu.Lock()
	w.ctx = ctx
	w.mu.Unlock()
	w.Replace(w.Rules)
	<-ctx.Done()
	w.mu.Lock()
	//lint:ignore SA2001 a Replace under way ends first, and then nothing is begun any more
	w.mu.Unlock()
	w.wg.Wait()
	return nil
}

// Replace puts other rules in the place of those there are. One that stays as it is goes on waiting for
// its time; one that is new, or another, begins as at a start: what it finds changes nothing. What a rule
// that has gone is doing already it does to the end.
func (w *Rules) Replace(rules []Rule) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Rules = rules
	if w.ctx == nil || w.ctx.Err() != nil {
		return
	}
	var now []watched
	for _, one := range w.watched {
		if slices.ContainsFunc(rules, func(r Rule) bool { r.Name = one.rule.Name; return reflect.DeepEqual(r, one.rule) }) {
			now = append(now, one)
		} else {
			one.end()
		}
	}
	for _, r := range rules {
		if slices.ContainsFunc(now, func(one watched) bool { return one.rule.ID == r.ID }) {
			continue
		}
		life, end := context.WithCancel(w.ctx)
		now = append(now, watched{r, end})
		w.wg.Go(func() { defer end(); w.watch(w.ctx, life, r) })
	}
	w.watched = now
}

// watch follows one rule as long as it is one. What it does ends with the daemon only.
func (w *Rules) watch(daemon, ctx context.Context, rule Rule) {
	follow := w.Room.Subscribe(0)
	armed := false // it was seen not to hold
	for {
		held, known := w.judge(rule)
		switch {
		case !known:
			// Between a known state and the next nothing is decided: a projector that does not
			// answer for a moment neither arms the rule nor fires it.
		case !held:
			armed = true
		case armed:
			armed = false
			if w.keeps(ctx, rule) {
				w.fire(daemon, rule)
			} else {
				armed = true
			}
		}
		for {
			u, err := follow.Next(ctx)
			if err != nil {
				return
			}
			if slices.ContainsFunc(u.Properties, rule.concerns) {
				break
			}
		}
	}
}

func (rule Rule) concerns(p room.PropertyState) bool {
	return slices.ContainsFunc(rule.When, func(m room.Match) bool { return m.Device == p.Device && m.Property == p.Property })
}

func (w *Rules) judge(rule Rule) (held, known bool) {
	held = true
	for _, m := range rule.When {
		p, _ := w.Room.Get(m.Device, m.Property)
		if p.Quality != devices.Reported && p.Quality != devices.Assumed {
			return false, false
		}
		held = held && slices.Contains(m.Values, p.Value)
	}
	return held, true
}

// keeps waits until the condition has held for the rule's time, and reports whether it did.
func (w *Rules) keeps(ctx context.Context, rule Rule) bool {
	if rule.For <= 0 {
		return true
	}
	limited, cancel := context.WithTimeout(ctx, rule.For)
	defer cancel()
	err := w.Room.Await(limited, func() bool {
		held, known := w.judge(rule)
		return known && !held
	})
	return err != nil && ctx.Err() == nil
}

func (w *Rules) fire(ctx context.Context, rule Rule) {
	if !w.Board.On(automatic.Rule, rule.ID) {
		return
	}
	w.Log.Info("a rule fires", "rule", rule.ID)
	w.Engine.Act(ctx, rule.Set, rule.Run, journal.By{Via: "rule", Name: rule.ID}, func(o devices.Outcome) {
		w.Board.Did(automatic.Rule, rule.ID, o)
	})
}
