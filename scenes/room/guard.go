package room

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// Guard says that a property must not be set to a value unless other properties are reported to
// have certain values. It holds for every caller; there is no way round it.
type Guard struct {
	ID      string
	Set     []Match // what is guarded
	Require []Match // what must hold, all of it
	For     time.Duration
	Reason  devices.Phrase
}

// Match is a property with the values that count.
type Match struct {
	Device   string
	Property string
	Values   []devices.Value
}

func (m Match) String() string { return m.Device + "." + m.Property }

// gate keeps commands to a device apart from commands that a guard judges by that device: while one
// of the latter is under way nothing may be changed on which its permission rests, and while the
// device is being changed nothing may be permitted.
type gate struct {
	mu     sync.Mutex
	inside int  // commands to the device under way
	shut   bool // a guarded command relies on the device as it is
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
}

func (g *gate) shutFor() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut || g.inside > 0 {
		return false
	}
	g.shut = true
	return true
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

var busy = devices.Phrase{ZH: "相关设备正在操作，请稍候", EN: "Equipment that this depends on is being switched, please wait"}

// pass asks the guards. It returns what must be called when the command is over, or a Refusal.
func (r *Room) pass(ctx context.Context, m *member, p devices.Property, v devices.Value) (leave func(), err error) {
	var opens []func()
	all := func() {
		for _, open := range slices.Backward(opens) {
			open()
		}
	}
	defer func() {
		if err != nil {
			all()
		}
	}()
	if !m.gate.enter() {
		return nil, &devices.Refusal{Reason: busy, For: time.Second}
	}
	opens = append(opens, m.gate.leave)

	var asked []*Guard
	r.state.mu.Lock()
	guards := r.guards
	r.state.mu.Unlock()
	for _, g := range guards {
		if slices.ContainsFunc(g.Set, func(s Match) bool {
			return s.Device == m.ID && s.Property == p.Name && slices.Contains(s.Values, v)
		}) {
			asked = append(asked, g)
		}
	}
	if len(asked) == 0 {
		return all, nil
	}
	// Each device once, and shut before it is asked how it is.
	judged := make(map[string]*member)
	for _, g := range asked {
		for _, need := range g.Require {
			if j := r.member(need.Device); j != nil && j != m {
				judged[need.Device] = j
			}
		}
	}
	for _, j := range judged {
		if !j.gate.shutFor() {
			return nil, &devices.Refusal{Reason: busy, For: time.Second}
		}
		opens = append(opens, j.gate.open)
	}
	fresh, cancel := context.WithTimeout(line.WithUrgency(ctx, line.Person), refreshTime)
	defer cancel()
	// What is so already is not changed by asking for it again: a rack that is off may be told off
	// although the projector behind it cannot answer.
	if err := m.Device.Refresh(fresh); err == nil {
		if now, _ := r.Get(m.ID, p.Name); now.Value == v && now.Quality == devices.Reported {
			return all, nil
		}
	}
	for _, j := range judged {
		if err := j.Device.Refresh(fresh); err != nil {
			r.log.Info("a guard could not ask", "device", j.ID, "error", err)
		}
	}
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	for _, g := range asked {
		if holds, wait := r.holds(g, time.Now()); !holds {
			return nil, &devices.Refusal{Reason: g.Reason, For: wait}
		}
	}
	return all, nil
}

// holds judges a guard by the state as it is, and says for how long it will refuse where that is
// known. The caller holds the state's mu.
func (r *Room) holds(g *Guard, now time.Time) (holds bool, wait time.Duration) {
	holds = true
	for _, need := range g.Require {
		m := r.members[need.Device]
		if m == nil || m.cells[need.Property] == nil { // gone, while the command was on its way
			holds = false
			continue
		}
		s := m.cells[need.Property].state
		switch {
		case s.Quality != devices.Reported || !slices.Contains(need.Values, s.Value):
			holds = false
			if left, ok := m.cells["remaining"]; ok && left.state.Quality != devices.Unknown && !left.state.Remembered {
				wait = max(wait, time.Duration(left.state.Value.Int())*time.Second)
			}
		case now.Sub(s.Since) < g.For:
			holds = false
			wait = max(wait, g.For-now.Sub(s.Since))
		}
	}
	return holds, wait
}

// relock tells on every guarded property whether its guards would refuse, after the state of a
// device has changed. The caller holds the state's mu.
func (r *Room) relock(device string, now time.Time) {
	for _, g := range r.guards {
		if !slices.ContainsFunc(g.Require, func(n Match) bool { return n.Device == device }) {
			continue
		}
		holds, wait := r.holds(g, now)
		for _, set := range g.Set {
			c := r.members[set.Device].cells[set.Property]
			locks := slices.DeleteFunc(slices.Clone(c.state.Locks), func(l Lock) bool { return l.guard == g })
			if !holds {
				l := Lock{Values: set.Values, Reason: g.Reason, guard: g}
				if wait > 0 {
					l.Until = now.Add(wait).Truncate(time.Second)
				}
				locks = append(locks, l)
			}
			if !slices.EqualFunc(locks, c.state.Locks, sameLock) {
				c.state.Locks = locks
				r.state.touch(c)
			}
		}
	}
}

// String names the guard in errors.
func (g *Guard) String() string { return fmt.Sprintf("guard %s", g.ID) }
