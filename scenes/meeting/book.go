package meeting

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lectern/devices"
	"lectern/scenes/ledger"
)

// Phase is how far a meeting has come.
type Phase string

// The phases. A meeting that nobody has touched is planned.
const (
	Planned   Phase = ""
	Preparing Phase = "preparing"
	Session   Phase = "session"
	Break     Phase = "break"
	Ended     Phase = "ended"
)

// Phases lists the phases that a meeting is moved to, in their order.
func Phases() []Phase { return []Phase{Preparing, Session, Break, Ended} }

// rank orders the phases for who moves a meeting by time, which never goes back.
func (p Phase) rank() int {
	return map[Phase]int{Planned: 0, Preparing: 1, Session: 2, Break: 2, Ended: 3}[p]
}

// Config is what a book is made of.
type Config struct {
	Calendar string // address or path; "" for none
	Every    time.Duration
	Where    string // text that a place must have; "" for any
	Zone     *time.Location
	Folder   string // for the last good calendar; "" for nowhere
	Store    ledger.Store
	Log      *slog.Logger

	ByTime bool          // time moves meetings as well as staff
	Before time.Duration // of the start: when the room is being prepared
	Tea    time.Duration
	// Prepare and Closing are the checklists.
	Prepare, Closing []devices.Phrase
	// Scenes are run by the phases; Play starts one.
	Scenes map[Phase]string
	Play   func(scene, by string) error
}

// Kind says what an entry of the book is about.
type Kind string

// The kinds of entries.
const (
	KindMeeting Kind = "meeting" // entered or changed by hand, or as the calendar had it when it was first touched
	KindPhase   Kind = "phase"
	KindTick    Kind = "tick"
	KindTea     Kind = "tea"
	KindNote    Kind = "note"
	KindCheck   Kind = "check" // of the equipment
	KindUse     Kind = "use"   // of a source
	KindFault   Kind = "fault"
)

// Entry is one line of the book. Nothing of it is changed later.
type Entry struct {
	Time    time.Time `json:"time"`
	Kind    Kind      `json:"kind"`
	By      string    `json:"by,omitempty"`
	ID      string    `json:"id,omitempty"` // of the meeting
	Meeting *Meeting  `json:"meeting,omitempty"`
	Phase   Phase     `json:"phase,omitempty"`
	Tick    *Tick     `json:"tick,omitempty"`
	Text    string    `json:"text,omitempty"`
	Check   []Found   `json:"check,omitempty"`
	Span    *Span     `json:"span,omitempty"` // of a use or a fault
}

// Span is something that lasted.
type Span struct {
	What string    `json:"what"` // the id of a source or device
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"` // zero while it lasts
	Text string    `json:"text,omitempty"`
}

// Overlap is how much of the span lies between two times; now is where one ends that lasts.
func (s Span) Overlap(from, to, now time.Time) time.Duration {
	end := s.To
	if end.IsZero() {
		end = now
	}
	if s.From.After(from) {
		from = s.From
	}
	if end.Before(to) {
		to = end
	}
	return max(0, to.Sub(from))
}

// Found is what an equipment check found of one device.
type Found struct {
	Device string `json:"device"`
	// Result is ok, failed, or unfed: not asked, because its mains is off.
	Result string         `json:"result"`
	Reason devices.Phrase `json:"reason,omitzero"`
	Detail string         `json:"detail,omitempty"`
	Order  string         `json:"order,omitempty"` // the repair order that it became
	Moved  bool           `json:"moved,omitempty"` // it was exercised, not only asked
}

// Book keeps the meetings of a room and what is done about them. It may be used from any goroutine.
type Book struct {
	Config
	feed *Feed // nil without a calendar

	mu     sync.Mutex
	hand   map[string]Meeting // entered here
	kept   map[string]Meeting // as they were when they were last touched
	byID   map[string][]Entry
	spans  []Span         // uses, as they ended
	faults map[string]int // index of a fault in broken, by device and time
	broken []Span
	checks []Entry
	nudge  chan struct{} // closed and made anew when something changes
}

// NewBook reads the book. An entry that cannot be read is an error.
func NewBook(c Config) (*Book, error) {
	if c.Zone == nil {
		c.Zone = time.Local
	}
	b := &Book{
		Config: c, hand: make(map[string]Meeting), kept: make(map[string]Meeting), byID: make(map[string][]Entry),
		faults: make(map[string]int), nudge: make(chan struct{}),
	}
	n := 0
	err := c.Store.Read(func(line []byte) error {
		n++
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil || e.Kind == "" {
			return fmt.Errorf("reading the book of meetings: line %d cannot be read; mend the line or move the file away", n)
		}
		b.take(e)
		return nil
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it is
	}
	if c.Calendar != "" {
		b.feed = newFeed(c)
	}
	return b, nil
}

// take adds an entry to what is known. The caller holds mu, or nobody else has b.
func (b *Book) take(e Entry) {
	switch e.Kind {
	case KindMeeting:
		if e.Meeting == nil {
			return
		}
		if e.Meeting.ByHand {
			b.hand[e.ID] = *e.Meeting
		}
		b.kept[e.ID] = *e.Meeting
	case KindUse:
		if e.Span != nil {
			b.spans = append(b.spans, *e.Span)
		}
	case KindFault:
		if e.Span == nil {
			return
		}
		name := e.Span.What + e.Span.From.UTC().Format(time.RFC3339Nano)
		if i, ok := b.faults[name]; ok {
			b.broken[i] = *e.Span
			return
		}
		b.faults[name] = len(b.broken)
		b.broken = append(b.broken, *e.Span)
	case KindCheck:
		b.checks = append(b.checks, e)
	}
	if e.ID != "" {
		b.byID[e.ID] = append(b.byID[e.ID], e)
	}
}

// write keeps an entry. The caller holds mu.
func (b *Book) write(e Entry) error {
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	line, err := json.Marshal(e)
	if err == nil {
		err = b.Store.Append(line)
	}
	if err != nil {
		return fmt.Errorf("keeping the book of meetings: %w", err)
	}
	b.take(e)
	close(b.nudge)
	b.nudge = make(chan struct{})
	return nil
}

// Add keeps an entry that others made: a use, a fault, an equipment check.
func (b *Book) Add(e Entry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.write(e)
}

// Run follows the calendar, and the time where time moves meetings, until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	if b.feed != nil {
		g.Go(func() error { return b.feed.Run(ctx) })
	}
	if b.ByTime {
		g.Go(func() error { b.followTime(ctx); return nil })
	}
	return g.Wait() //nolint:wrapcheck // names itself
}

// Health says how well the calendar is known; false where the room has none.
func (b *Book) Health() (FeedHealth, bool) {
	if b.feed == nil {
		return FeedHealth{}, false
	}
	_, h := b.feed.meetings()
	return h, true
}

// Refresh has the calendar fetched now.
func (b *Book) Refresh() {
	if b.feed != nil {
		b.feed.Refresh()
	}
}

// all returns every meeting that is known now, by id. The caller holds mu.
func (b *Book) all() map[string]Meeting {
	all := make(map[string]Meeting)
	if b.feed != nil {
		list, _ := b.feed.meetings()
		for _, m := range list {
			all[m.ID] = m
		}
	}
	for id, m := range b.kept {
		if _, ok := all[id]; !ok {
			all[id] = m
		}
	}
	maps.Copy(all, b.hand)
	return all
}

// Row is a meeting with how far it has come.
type Row struct {
	Meeting
	Phase   Phase
	Since   time.Time // of the phase
	Clashes bool      // another wants the room at the same time
}

// phase returns how far a meeting has come. The caller holds mu.
func (b *Book) phase(id string) (Phase, time.Time) {
	for _, e := range slices.Backward(b.byID[id]) {
		if e.Kind == KindPhase {
			return e.Phase, e.Time
		}
	}
	return Planned, time.Time{}
}

// Between lists the meetings that touch a time, by their start.
func (b *Book) Between(from, to time.Time) []Row {
	b.mu.Lock()
	defer b.mu.Unlock()
	var rows []Row
	for _, m := range b.all() {
		if m.Start.Before(to) && (m.End.After(from) || m.Start.Equal(m.End) && !m.Start.Before(from)) {
			row := Row{Meeting: m}
			row.Phase, row.Since = b.phase(m.ID)
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows, func(a, b Row) int {
		if c := a.Start.Compare(b.Start); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	for i := range rows {
		rows[i].Clashes = slices.ContainsFunc(rows, func(o Row) bool { return o.ID != rows[i].ID && o.Meeting.Overlaps(rows[i].Meeting) })
	}
	return rows
}

// Get returns a meeting.
func (b *Book) Get(id string) (Row, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m, ok := b.all()[id]
	row := Row{Meeting: m}
	row.Phase, row.Since = b.phase(id)
	return row, ok
}

// Now returns the meeting that has the room: in session or in a break, or else the one it is being
// prepared for.
func (b *Book) Now() (Row, bool) {
	now := time.Now()
	var prepared Row
	for _, r := range b.Between(now.Add(-back), now.Add(back)) {
		switch {
		case r.Phase == Session || r.Phase == Break:
			return r, true
		case r.Phase == Preparing && prepared.ID == "":
			prepared = r
		}
	}
	return prepared, prepared.ID != ""
}

// Reasons why something is not written down.
var (
	ErrNoMeeting = errors.New("there is no such meeting")
	ErrWords     = errors.New("a meeting needs a title, a start, and an end that comes after it within a day")
	ErrInitials  = errors.New("a tick needs the initials of a person and an item of the list")
	ErrPhase     = errors.New("a meeting cannot be moved there")
)

// Enter enters a meeting by hand, or changes one that was. Where id is empty it gets one.
func (b *Book) Enter(m Meeting, by string) (string, error) {
	m.Title, m.Place, m.Organizer = clean(m.Title, titleMost), clean(m.Place, titleMost), clean(m.Organizer, titleMost)
	m.Layout, m.Needs = clean(m.Layout, titleMost), clean(m.Needs, textMost)
	if m.Title == "" || !m.End.After(m.Start) || m.End.Sub(m.Start) > 24*time.Hour || m.Heads < 0 || m.Heads > 9999 || m.Start.Year() < 2000 || m.Start.Year() > 2200 {
		return "", ErrWords
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if m.ID == "" {
		m.ID = "h" + strings.ToLower(rand.Text()[:10])
	} else if _, ok := b.hand[m.ID]; !ok {
		return "", ErrNoMeeting
	}
	m.ByHand = true
	return m.ID, b.write(Entry{Kind: KindMeeting, By: by, ID: m.ID, Meeting: &m})
}

func clean(s string, most int) string {
	return bounded(strings.TrimSpace(strings.Map(printable, strings.ReplaceAll(s, "\r\n", "\n"))), most)
}

// keep keeps a meeting of the calendar as it is when it is touched, so that its record outlasts the
// calendar. The caller holds mu.
func (b *Book) keep(m Meeting, by string) error {
	if before, ok := b.kept[m.ID]; ok && before == m {
		return nil
	}
	return b.write(Entry{Kind: KindMeeting, By: by, ID: m.ID, Meeting: &m})
}
