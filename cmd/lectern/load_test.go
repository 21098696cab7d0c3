package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Many panels and many fingers: how soon a press is on the wire and on every other panel, and that
// nothing is lost on the way. Panels, equipment and daemon share the processors of one machine and speak
// over its loopback.
//
//	LECTERN_LOAD=5m nice go test ./cmd/lectern -run TestManyPanels -timeout 30m -v     # 200 panels, 50 a second
func TestManyPanels(t *testing.T) {
	t.Parallel()
	panels, lasts := 20, 5*time.Second
	if d, err := time.ParseDuration(os.Getenv("LECTERN_LOAD")); err == nil {
		panels, lasts = 200, d
	}
	const slowPanels = 5
	o, played := watched(t)
	staff := newClient(o.url, "http command line", o.secret, t.Errorf)
	defer staff.close()
	staff.do(deed{do: "scene", on: "system-on"})
	o.until("the rack is on and everything answers", func() bool {
		s := staff.state()
		for _, d := range s.Devices {
			if !d.Fed || !d.Online {
				return false
			}
		}
		return slices.ContainsFunc(s.Runs, func(r sceneRun) bool { return r.State == "finished" })
	})

	l := &pressure{presses: make(map[string]*atomic.Pointer[press])}
	for _, f := range fingers {
		l.presses[f.name] = new(atomic.Pointer[press])
	}
	ctx, leave := context.WithCancel(context.Background())
	var gone sync.WaitGroup
	screens := make([]*screenful, panels)
	for i := range screens {
		screens[i] = newScreenful(o.url)
		if i < slowPanels {
			screens[i].rest(100 * time.Millisecond)
		} else {
			screens[i].heard = l.onPanel()
		}
		gone.Go(func() { screens[i].follow(ctx) })
	}
	o.until("all panels have the whole room", func() bool {
		return !slices.ContainsFunc(screens, func(s *screenful) bool { _, revision := s.sees("temperature.temperature"); return revision == 0 })
	})
	w := &watcher{stop: make(chan struct{}), heard: l.onWire}
	for line, read := range readers {
		w.wg.Go(func() { w.listen(played.Wires[line], read) })
	}

	before := o.look()
	began := time.Now()
	var pressing sync.WaitGroup
	clients := make([]*client, len(fingers))
	for i, f := range fingers {
		clients[i] = newClient(o.url, "http command line", o.secret, t.Errorf)
		pressing.Go(func() { l.press(clients[i], f, began.Add(lasts)) })
	}
	pressing.Wait()
	took := time.Since(began)
	after := o.look()

	state := staff.state()
	for i, s := range screens {
		for _, p := range state.Properties {
			if slices.ContainsFunc(fingers, func(f presser) bool { return f.name == p.name() }) {
				o.until(fmt.Sprintf("panel %d shows %s as it is", i, p.name()), func() bool {
					shown, _ := s.sees(p.name())
					return fmt.Sprint(shown.Value) == fmt.Sprint(p.Value)
				})
			}
		}
	}
	leave()
	gone.Wait()
	w.end()
	for _, c := range clients {
		c.close()
	}
	o.stop()
	l.report(t, clients, screens, took)
	t.Logf("the daemon: heap %.1f to %.1f MB, memory %.1f to %.1f MB, goroutines %.0f to %.0f", before.heap, after.heap, before.rss, after.rss, before.goroutines, after.goroutines)
	account(entriesIn(o.data, t.Errorf), append(clients, staff), t.Errorf)
}

// presser presses one thing again and again.
type presser struct {
	name   string
	values []string
}

var fingers = []presser{
	{"door-lights.power", []string{"true", "false"}}, {"wall-lights.power", []string{"true", "false"}},
	{"sound-computer1.volume", []string{"20", "40", "60"}}, {"sound-computer2.volume", []string{"25", "45", "65"}},
	{"sound-recorder.volume", []string{"30", "50", "70"}}, {"dvd.volume", []string{"20", "35", "50"}},
	{"window-lights.power", []string{"true", "false"}}, {"spot-1.level", []string{"low", "mid", "off"}}, {"spot-2.level", []string{"low", "high", "full"}},
	{"rack-amplifier.power", []string{"false", "true"}}, {"rack-computers.power", []string{"false", "true"}},
}

const perSecond = 50

// press is one press, with who has seen it.
type press struct {
	value  string
	at     time.Time
	onWire atomic.Bool
}

// pressure is what is measured.
type pressure struct {
	presses map[string]*atomic.Pointer[press] // the last of each property

	mu      sync.Mutex
	wire    []time.Duration
	answers []time.Duration
	panels  []time.Duration
	done    int
	other   map[string]int
	longest time.Duration // until an answer, and to what
	slowest string
}

// press presses at its rate until the time is over, and waits for each answer.
func (l *pressure) press(c *client, f presser, end time.Time) {
	tick := time.NewTicker(time.Second * time.Duration(len(fingers)) / perSecond)
	defer tick.Stop()
	for n := 0; time.Now().Before(end); n++ {
		<-tick.C
		p := &press{value: f.values[n%len(f.values)], at: time.Now()}
		l.presses[f.name].Store(p)
		outcome := c.set(f.name, p.value)
		l.mu.Lock()
		took := time.Since(p.at)
		if l.answers = append(l.answers, took); took > l.longest {
			l.longest, l.slowest = took, fmt.Sprintf("%s to %s at %s: %s", f.name, p.value, p.at.UTC().Format("15:04:05.000"), outcome)
		}
		if l.other == nil {
			l.other = make(map[string]int)
		}
		if outcome == "done" {
			l.done++
		} else {
			l.other[outcome]++
		}
		l.mu.Unlock()
	}
}

// onPanel returns what notes the presses that one panel sees.
func (l *pressure) onPanel() func(panelProperty, time.Time) {
	seen := make(map[string]*press)
	return func(p panelProperty, at time.Time) {
		last, ok := l.presses[p.name()]
		if !ok {
			return
		}
		now := last.Load()
		if now == nil || seen[p.name()] == now || fmt.Sprint(p.Value) != now.value {
			return
		}
		seen[p.name()] = now
		l.mu.Lock()
		defer l.mu.Unlock()
		l.panels = append(l.panels, at.Sub(now.at))
	}
}

// onWire notes a press that has reached its equipment.
func (l *pressure) onWire(w write) {
	last, ok := l.presses[w.device+"."+w.property]
	if !ok {
		return
	}
	now := last.Load()
	if now == nil || w.value != now.value || now.onWire.Swap(true) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wire = append(l.wire, w.at.Sub(now.at))
}

func (l *pressure) report(t *testing.T, clients []*client, screens []*screenful, took time.Duration) {
	presses := 0
	for _, c := range clients {
		presses += len(c.asked)
	}
	t.Logf("%d panels, %d presses in %s, %.1f a second: %d done, others %v", len(screens), presses, took.Round(time.Second), float64(presses)/took.Seconds(), l.done, l.other)
	for _, m := range []struct {
		what string
		of   []time.Duration
	}{{"on the wire", l.wire}, {"answered", l.answers}, {"on another panel", l.panels}} {
		slices.Sort(m.of)
		if len(m.of) == 0 {
			t.Errorf("nothing was %s", m.what)
			continue
		}
		t.Logf("%s: %d, p50 %s, p99 %s, longest %s", m.what, len(m.of), m.of[len(m.of)/2].Round(100*time.Microsecond), m.of[len(m.of)*99/100].Round(100*time.Microsecond), m.of[len(m.of)-1].Round(time.Millisecond))
	}
	t.Logf("the answer that took longest was to %s", l.slowest)
	// The equipment's time-outs are real, and so is the other work of this machine.
	if l.done < presses*95/100 || len(l.wire) < l.done*98/100 {
		t.Errorf("of %d presses %d were done and %d seen on a wire", presses, l.done, len(l.wire))
	}
	// Who is slow is sent what is new, not everything that was, or it would fall behind for ever.
	quick := math.MaxInt
	for _, s := range screens {
		if s.slow == 0 {
			quick = min(quick, s.events)
		}
	}
	for i, s := range screens {
		if s.backward {
			t.Errorf("panel %d went back", i)
		}
		if s.slow > 0 && s.events >= quick {
			t.Errorf("the slow panel %d was sent %d events, a quick one %d", i, s.events, quick)
		}
	}
}
