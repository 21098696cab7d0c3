package building

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"lectern/configs"
)

// Bounds of what a broker may fill this page with.
const (
	roomsMost   = 2000
	boardValues = 200_000 // payloads kept, of all rooms together
)

// quietAfter is how long no retained message must have come for all of them to be here.
const quietAfter = 2 * time.Second

// Link is how the connection to the broker stands.
type Link struct {
	Up    bool
	Since time.Time
	Error string // why it is not
	// Gathered says that what the broker has kept is here.
	Gathered bool
	LeftOut  int // rooms that were more than the page takes
}

// board is all that the broker has said of the rooms. It may be used from any goroutine.
type board struct {
	cfg    *configs.Building
	root   string         // the topic above the rooms, with its slash
	floors map[string]int // of the rooms that are listed

	mu       sync.Mutex
	rooms    map[string]*room
	left     map[string]bool // ids that found no place
	values   int             // kept in all rooms
	link     Link
	round    int       // of gathering what is retained
	asked    bool      // for all of it in this round
	retained time.Time // when the last retained message came
	revision uint64
	removed  map[string]uint64 // rooms that went, and at which revision
	oldest   uint64            // who has seen less than this is not told what went
	turn     chan struct{}     // closed at the next change
}

func newBoard(cfg *configs.Building, now time.Time) *board {
	b := &board{
		cfg: cfg, root: cfg.Facilities.Prefix + "homie/5/", floors: make(map[string]int), rooms: make(map[string]*room), left: make(map[string]bool),
		link: Link{Since: now}, revision: 1, removed: make(map[string]uint64), turn: make(chan struct{}),
	}
	for i, floor := range cfg.Floors {
		for _, one := range floor.Rooms {
			b.floors[one.ID] = i
			b.rooms[one.ID] = &room{id: one.ID, listed: true, index: len(b.rooms), values: make(map[string]value)}
		}
	}
	for _, r := range b.rooms {
		b.settle(r, now)
	}
	return b
}

// room finds a room, or makes a place for it; nil where there is none. The caller holds mu.
func (b *board) room(id string) *room {
	r := b.rooms[id]
	if r != nil {
		return r
	}
	if !isID(id) {
		return nil
	}
	if len(b.rooms) >= roomsMost+len(b.floors) {
		if len(b.left) < roomsMost && !b.left[id] {
			b.left[id] = true
			b.relink(func(l *Link) { l.LeftOut = len(b.left) })
		}
		return nil
	}
	r = &room{id: id, index: len(b.floors), values: make(map[string]value)}
	b.rooms[id] = r
	return r
}

// take receives one message.
func (b *board) take(topic string, payload []byte, retained bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	below, ok := strings.CutPrefix(topic, b.root)
	id, below, ok2 := strings.Cut(below, "/")
	if !ok || !ok2 || below != "$state" && below != "$description" && !keeps(below) {
		return
	}
	if retained {
		b.retained = now
	}
	if b.rooms[id] == nil && len(payload) == 0 {
		return
	}
	r := b.room(id)
	if r == nil {
		return
	}
	if !retained {
		r.heard = now
	}
	switch below {
	case "$state":
		b.state(r, string(payload), retained, now)
	case "$description":
		if len(payload) == 0 {
			r.ours, r.foreign = false, false
		} else if !r.describe(payload) {
			return
		}
	default:
		b.put(r, below, payload)
	}
	b.settle(r, now)
}

func (b *board) state(r *room, state string, retained bool, now time.Time) {
	switch {
	case state == "":
		b.forget(r)
	case !isState(state):
	case r.state != state:
		r.seen = !retained || r.state != "" // it has changed since this page looks on
		r.state, r.since, r.round = state, now, b.round
		if retained && !r.seen {
			r.since = time.Time{}
		}
		if r.heard.IsZero() {
			r.heard = now
		}
	default:
		r.round = b.round
	}
}

// put keeps a payload, or what there is room for.
func (b *board) put(r *room, below string, payload []byte) {
	_, has := r.values[below]
	switch text := string(payload[:min(len(payload), 4*textMost)]); {
	case len(payload) == 0 || text == "\x00":
		if has {
			delete(r.values, below)
			b.values--
		}
	case has:
		r.values[below] = value{text, b.round}
	case len(r.values) < valuesMost && b.values < boardValues:
		r.values[below] = value{text, b.round}
		b.values++
	}
}

// forget takes what a room has said, and the room where no floor has it.
func (b *board) forget(r *room) {
	b.values -= len(r.values)
	*r = room{id: r.id, listed: r.listed, index: r.index, values: make(map[string]value), view: r.view, revision: r.revision}
}

// shown reports whether a room is one for the page.
func (r *room) shown() bool { return r.listed || r.ours && r.state != "" }

// settle makes the view of a room anew, and tells who waits where it is another. The caller holds mu.
func (b *board) settle(r *room, now time.Time) {
	before := r.view
	if !r.shown() {
		if before.ID != "" {
			b.revision++
			if len(b.removed) >= roomsMost {
				clear(b.removed)
				b.oldest = b.revision
			}
			b.removed[r.id] = b.revision
			r.view = View{}
			b.tell()
		}
		if r.state == "" && len(r.values) == 0 && r.nodes == nil && b.rooms[r.id] == r {
			delete(b.rooms, r.id)
		}
		return
	}
	v := b.look(r, now)
	switch {
	case before.ID == "" || v.Standing.away() || !v.Since.IsZero():
	case before.Standing == v.Standing:
		v.Since = before.Since
	case b.link.Gathered:
		v.Since = now
	}
	if reflect.DeepEqual(before, v) {
		return
	}
	r.view = v
	b.revision++
	r.revision = b.revision
	delete(b.removed, r.id)
	b.tell()
}

// tell wakes who waits. The caller holds mu.
func (b *board) tell() {
	close(b.turn)
	b.turn = make(chan struct{})
}

// relink changes what is said of the broker. The caller holds mu.
func (b *board) relink(change func(*Link)) {
	before := b.link
	change(&b.link)
	if b.link != before {
		b.revision++
		b.tell()
	}
}

// connected begins a round of gathering, on a new connection or on the one there is.
func (b *board) connected(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.round++
	b.asked = false
	if !b.link.Up {
		b.relink(func(l *Link) { l.Up, l.Since, l.Error, l.Gathered = true, now, "", false })
		for _, r := range b.rooms {
			r.heard = now // silence while nobody listened is none
			b.settle(r, now)
		}
	}
}

// gathering says that everything was asked for in this round.
func (b *board) gathering(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked, b.retained = true, now
}

// lost says that the broker is away: what is known is the last that was known.
func (b *board) lost(why string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.relink(func(l *Link) {
		if l.Up {
			l.Since = now
		}
		l.Up, l.Gathered, l.Error = false, false, clean(why, textMost)
	})
	for _, r := range b.rooms {
		b.settle(r, now)
	}
}

// tick looks at what time alone changes: that all is gathered, and that a room is silent.
func (b *board) tick(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.link.Up && b.asked && now.Sub(b.retained) > quietAfter {
		b.asked = false
		b.sweep()
		b.relink(func(l *Link) { l.Gathered = true })
	}
	for _, r := range b.rooms {
		b.settle(r, now)
	}
}

// sweep drops what the broker has no more: it was cleared while this page was away.
func (b *board) sweep() {
	for _, r := range b.rooms {
		if r.state != "" && r.round < b.round {
			b.forget(r)
			continue
		}
		for topic, v := range r.values {
			if v.round < b.round {
				delete(r.values, topic)
				b.values--
			}
		}
	}
}

// news is what has changed since a revision.
type news struct {
	Views    []View
	Removed  []string
	Link     Link
	Revision uint64
	Old      bool            // too much has gone since then: everything is to be looked at anew
	Turn     <-chan struct{} // closed at the next change
}

// since returns what has changed after a revision; of 0, everything.
func (b *board) since(revision uint64) news {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := news{Link: b.link, Revision: b.revision, Old: revision > 0 && revision < b.oldest, Turn: b.turn}
	for _, r := range b.rooms {
		if r.view.ID != "" && (revision == 0 || r.revision > revision) {
			n.Views = append(n.Views, r.view)
		}
	}
	for id, at := range b.removed {
		if revision > 0 && at > revision {
			n.Removed = append(n.Removed, id)
		}
	}
	slices.SortFunc(n.Views, func(x, y View) int { return cmp.Or(cmp.Compare(x.index, y.index), cmp.Compare(x.ID, y.ID)) })
	slices.Sort(n.Removed)
	return n
}
