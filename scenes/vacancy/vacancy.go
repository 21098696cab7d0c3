// Package vacancy ends a meeting that nobody is in any more. It asks first, on every panel, and a touch
// or a person seen keeps the room on.
//
// What it does not know it does not take for nobody: a presence sensor that cannot be read sees
// somebody. And it never ends a lecture. A room is live while a recorder records, and while a projector
// is on, or may be, with a source chosen, and that source's player plays or somebody was seen or
// touched a panel within the entry's Showing. Few rooms can tell whether there is a signal on a cable;
// these are the signs of life that they have.
package vacancy

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
	"lectern/scenes/sequence"
)

// look is how often the clock is looked at, at least.
const look = 30 * time.Second

// Entry is one way to find out that a meeting is over.
type Entry struct {
	ID        string
	Name      devices.Phrase
	Presence  []string      // sensors; the room is empty when all of them report so
	Absent    time.Duration // how long they must have; 0 where there are none
	Untouched time.Duration // how long nobody must have touched a panel or called the API; 0: does not matter
	Showing   time.Duration // see the package
	From, To  string        // between which times of day, 18:00; "" for any
	Warn      time.Duration
	Run       string // the scene that ends the meeting
}

// Watch finds out and acts.
type Watch struct {
	Room    *room.Room
	Engine  *sequence.Engine
	Board   *automatic.Board
	Entries []Entry
	// Screens are the projectors and displays, Choosers where sources are chosen, Players by the source
	// that they are behind, Recorders what may be recording.
	Screens, Choosers, Recorders []string
	Players                      map[string]string
	Zone                         *time.Location
	Log                          *slog.Logger
	// Now is the clock on the wall; nil for the machine's.
	Now func() time.Time

	mu     sync.Mutex
	ctx    context.Context   // of Run; nil before
	end    func()            // ends those that follow, and waits for them
	states map[string]*state // how the entries stand, by id; theirs while they follow
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	w.mu.Lock()
	w.ctx = ctx
	w.begin()
	w.mu.Unlock()
	<-ctx.Done()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.end()
	return nil
}

// Replace puts the entries and the equipment that another watch has in the place of those there are. An
// entry that stays as it is goes on: who was seen, and the question that stands, count.
func (w *Watch) Replace(by *Watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end != nil {
		w.end()
	}
	kept := make(map[string]*state)
	for _, e := range by.Entries {
		if slices.ContainsFunc(w.Entries, func(was Entry) bool { return reflect.DeepEqual(was, e) }) {
			kept[e.ID] = w.states[e.ID]
		}
	}
	w.Entries, w.Screens, w.Choosers, w.Recorders, w.Players, w.Zone = by.Entries, by.Screens, by.Choosers, by.Recorders, by.Players, by.Zone
	w.states = kept
	if w.ctx != nil {
		w.begin()
	}
}

// begin has every entry followed. The caller holds mu.
func (w *Watch) begin() {
	ctx, cancel := context.WithCancel(w.ctx)
	states := make(map[string]*state)
	var wg sync.WaitGroup
	for _, e := range w.Entries {
		st := w.states[e.ID]
		if st == nil {
			st = &state{begun: time.Now(), seen: time.Now()}
		}
		states[e.ID] = st
		wg.Go(func() { w.follow(ctx, e, st) })
	}
	w.states = states
	w.end = func() { cancel(); wg.Wait() }
}

// signs are what an entry judges by.
type signs struct {
	touched time.Time
	present bool // somebody is seen, or may be there
	seen    bool // somebody is reported to be there
	lit     bool // a screen is reported to be on
	live    bool // whatever the time since the last sign
	shows   bool // something is on a screen, or may be
	held    bool // by an emergency
	on      bool // the entry is switched on
}

func (w *Watch) read(e Entry) signs {
	s := signs{touched: w.Room.Touched(), held: w.Room.Held() != nil, on: w.Board.On(automatic.AutoOff, e.ID)}
	for _, id := range e.Presence {
		p, _ := w.Room.Get(id, "presence")
		known := p.Quality == devices.Reported
		s.seen = s.seen || known && p.Value.Bool()
		s.present = s.present || !known || p.Value.Bool()
	}
	for _, id := range w.Recorders {
		p, _ := w.Room.Get(id, "transport")
		s.live = s.live || p.Value == devices.Word("record")
	}
	lit := false
	for _, id := range w.Screens {
		p, _ := w.Room.Get(id, "power")
		known := p.Quality == devices.Reported || p.Quality == devices.Assumed
		dark := known && (p.Value == devices.Word("off") || p.Value == devices.Word("cooling"))
		lit = lit || !dark && w.Room.Fed(id) // unknown is not off
		s.lit = s.lit || known && !dark
	}
	if !lit {
		return s
	}
	s.shows = len(w.Choosers) == 0
	for _, id := range w.Choosers {
		p, _ := w.Room.Get(id, "selected")
		known := p.Quality == devices.Reported || p.Quality == devices.Assumed
		if known && p.Value == devices.Word("none") {
			continue
		}
		s.shows = true
		for source, player := range w.Players {
			behind := !known || p.Value == devices.Word(source)
			transport, _ := w.Room.Get(player, "transport")
			s.live = s.live || behind && transport.Value == devices.Word("play")
		}
	}
	return s
}

// state is how an entry stands.
type state struct {
	last   signs
	seen   time.Time // when somebody was, or may have been, there
	armed  bool      // there is a meeting to end: somebody has been here since the last end, or a screen went on
	begun  time.Time // when it began to watch
	asking time.Time // until when it asks; zero while it does not
}

func (w *Watch) follow(ctx context.Context, e Entry, st *state) {
	for ctx.Err() == nil {
		wait := w.step(ctx, e, st)
		limited, cancel := context.WithTimeout(ctx, wait)
		_ = w.Room.Await(limited, func() bool { return w.read(e) != st.last })
		cancel()
	}
}

// step judges once, and says how long nothing new can come of it by time alone.
func (w *Watch) step(ctx context.Context, e Entry, st *state) time.Duration {
	s, now := w.read(e), time.Now()
	if s.touched.After(st.last.touched) || s.seen || s.lit && !st.last.lit {
		st.armed = true
	}
	if s.present || st.last.present {
		st.seen = now
	}
	st.last = s
	due, left := w.due(e, st, now)
	switch {
	case !due:
		if !st.asking.IsZero() && s.on && !s.held {
			w.Log.Info("somebody is here; nothing is switched off", "entry", e.ID)
			w.Board.Did(automatic.AutoOff, e.ID, devices.Outcome{Result: Kept})
		}
		st.asking = time.Time{}
		w.Board.Plan(automatic.AutoOff, e.ID, time.Time{}, time.Time{})
		return left
	case st.asking.IsZero():
		st.asking = now.Add(e.Warn)
		w.Log.Info("nobody seems to be here; the panels ask", "entry", e.ID)
		until := w.now().Add(e.Warn)
		w.Board.Plan(automatic.AutoOff, e.ID, until, until)
		return e.Warn
	case now.Before(st.asking):
		return st.asking.Sub(now)
	}
	st.asking, st.armed = time.Time{}, false
	w.Log.Info("nobody is here; the meeting is ended", "entry", e.ID, "scene", e.Run)
	w.Board.Plan(automatic.AutoOff, e.ID, time.Time{}, time.Time{})
	w.Engine.Act(ctx, nil, e.Run, journal.By{Via: automatic.AutoOff, Name: e.ID}, func(o devices.Outcome) {
		w.Board.Did(automatic.AutoOff, e.ID, o)
	})
	return look
}

// Kept is the outcome of an entry that asked and was told, or saw, that somebody is there.
const Kept = "kept"

// due reports whether the meeting is over, and where it is not, how long it cannot be.
func (w *Watch) due(e Entry, st *state, now time.Time) (due bool, left time.Duration) {
	s := st.last
	if !st.armed || !s.on || s.held || s.present || s.live || !w.within(e) {
		return false, look
	}
	touched := latest(s.touched, st.begun)
	sign := touched // a touch is a person too
	if len(e.Presence) > 0 {
		sign = latest(touched, st.seen)
	}
	for _, need := range []struct {
		since time.Time
		long  time.Duration
	}{{sign, e.Absent}, {touched, e.Untouched}} {
		left = max(left, need.long-now.Sub(need.since))
	}
	if s.shows {
		left = max(left, e.Showing-now.Sub(sign))
	}
	return left <= 0, max(min(left, look), time.Millisecond)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (w *Watch) now() time.Time {
	if w.Now != nil {
		return w.Now().Round(0)
	}
	return time.Now().Round(0)
}

// within reports whether it is the time of day at which the entry acts.
func (w *Watch) within(e Entry) bool {
	if e.From == "" {
		return true
	}
	now := w.now().In(w.Zone).Format("15:04")
	if e.From <= e.To {
		return e.From <= now && now < e.To
	}
	return now >= e.From || now < e.To // over midnight
}
