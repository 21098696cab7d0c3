package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// State says how far a repair order has come.
type State string

// The states, in their order.
const (
	Opened    State = "open"
	Assigned  State = "assigned"
	Fixed     State = "fixed"
	Confirmed State = "confirmed" // by who uses the room: the case is closed
)

var states = [...]State{Opened, Assigned, Fixed, Confirmed}

// States lists the states in the order in which an order goes through them.
func States() []State { return states[:] }

const (
	textMost   = 2000   // characters of what somebody writes
	nameMost   = 80     // characters of a name
	ordersMost = 20_000 // in one book, so that a fault of a machine cannot fill the disk
)

// Step is one entry of a repair order: what somebody did or wrote. Of an order nothing else is kept.
type Step struct {
	Order string    `json:"order"`
	Time  time.Time `json:"time"`
	By    string    `json:"by"`
	// State is what the order becomes; empty for a note, which changes nothing.
	State State `json:"state,omitempty"`
	// Text is the symptom of the first step, and later what was found, done or said.
	Text string `json:"text,omitempty"`
	// Whom an order is assigned to.
	To string `json:"to,omitempty"`

	// Of the first step:
	Device  string `json:"device,omitempty"`  // id; empty for the room itself
	Via     string `json:"via,omitempty"`     // panel, staff, check
	Meeting string `json:"meeting,omitempty"` // the one under way
	// Picture is the state of the room when the order was opened, as GET /api/v1/state has it.
	Picture json.RawMessage `json:"picture,omitempty"`
}

// Order is a repair order (维修单) with everything that was ever done to it.
type Order struct {
	ID    string
	Steps []Step
}

// Version counts what was done to the order. Who wants to change it says which version they saw.
func (o Order) Version() int { return len(o.Steps) }

// First is how the order came about.
func (o Order) First() Step { return o.Steps[0] }

// State is how far the order has come.
func (o Order) State() State {
	for _, s := range slices.Backward(o.Steps) {
		if s.State != "" {
			return s.State
		}
	}
	return Opened
}

// At returns when, and by whom, the order last took a state, where it has not gone back behind it since.
func (o Order) At(state State) (Step, bool) {
	var found Step
	ok := false
	for _, s := range o.Steps {
		switch at := slices.Index(states[:], s.State); {
		case s.State == "":
		case s.State == state:
			found, ok = s, true
		case at < slices.Index(states[:], state):
			ok = false
		}
	}
	return found, ok
}

// Answered returns when staff first took the order up; zero where nobody has.
func (o Order) Answered() time.Time {
	for _, s := range o.Steps[1:] {
		if s.Via != "check" {
			return s.Time
		}
	}
	return time.Time{}
}

// Conflict says that somebody else has changed the order since. Theirs is what they did; what was to be
// written is in nobody's way and not lost: the caller has it.
type Conflict struct {
	Order  Order
	Theirs []Step
}

func (c *Conflict) Error() string {
	return fmt.Sprintf("order %s was changed by %s meanwhile", c.Order.ID, c.Theirs[len(c.Theirs)-1].By)
}

// ErrNoOrder says that there is no order of that number.
var ErrNoOrder = errors.New("there is no such repair order")

// ErrStep says that an order cannot become what was asked for.
var ErrStep = errors.New("a repair order goes from open to assigned, fixed and confirmed, and back to open where the repair does not hold")

// ErrEmpty says that there is nothing to write down.
var ErrEmpty = errors.New("there is nothing to write down: give a symptom, a note or a name")

// ErrFull says that the book has no room for more orders.
var ErrFull = errors.New("the book of repair orders is full; start another with a new data folder")

// Orders is the ledger of repair orders (维修台账). It may be used from any goroutine.
type Orders struct {
	store Store

	mu    sync.Mutex
	all   map[string]*Order
	order []string // ids, oldest first
	steps []place  // of every order, in the order of the book
	more  chan struct{}
}

// place says where a step is: its order's id, and which of its steps it is.
type place struct {
	order string
	step  int
}

// NewOrders reads the ledger from its book. An entry that cannot be read is an error: a ledger with a
// hole in it would not say so later.
func NewOrders(store Store) (*Orders, error) {
	o := &Orders{store: store, all: make(map[string]*Order), more: make(chan struct{})}
	n := 0
	err := store.Read(func(entry []byte) error {
		n++
		var s Step
		if err := json.Unmarshal(entry, &s); err != nil || s.Order == "" {
			return fmt.Errorf("reading the repair orders: line %d of the book cannot be read (%w); mend the line or move the file away", n, errors.Join(err, errLine))
		}
		o.take(s)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return o, nil
}

var errLine = errors.New("every line is one JSON object with an order")

func (o *Orders) take(s Step) {
	one := o.all[s.Order]
	if one == nil {
		one = &Order{ID: s.Order}
		o.all[s.Order] = one
		o.order = append(o.order, s.Order)
	}
	o.steps = append(o.steps, place{s.Order, len(one.Steps)})
	one.Steps = append(one.Steps, s)
	close(o.more)
	o.more = make(chan struct{})
}

// Since returns what was written down after the first so many steps of the book, oldest first: each
// order as it was with the step in question as its last. Next is how many steps the book has; who gives it
// the next time misses nothing and hears nothing twice.
func (o *Orders) Since(seen int) (news []Order, next int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, p := range o.steps[min(max(0, seen), len(o.steps)):] {
		news = append(news, Order{ID: p.order, Steps: slices.Clone(o.all[p.order].Steps[:p.step+1])})
	}
	return news, len(o.steps)
}

// Steps is how many steps the book has.
func (o *Orders) Steps() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.steps)
}

// Watch returns a channel that is closed when next something is written down.
func (o *Orders) Watch() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.more
}

// clip bounds and cleans what somebody wrote.
func clip(text string, most int) string {
	text = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(text, "\r\n", "\n"), "�"))
	if utf8.RuneCountInString(text) > most {
		return string([]rune(text)[:most]) + "…"
	}
	return text
}

func (s *Step) tidy() {
	s.By, s.To, s.Text = clip(s.By, nameMost), clip(s.To, nameMost), clip(s.Text, textMost)
}

func (o *Orders) write(s Step) error {
	b, err := json.Marshal(s)
	if err == nil {
		err = o.store.Append(b)
	}
	if err != nil {
		return fmt.Errorf("keeping repair order %s: %w", s.Order, err)
	}
	o.take(s)
	return nil
}

// Open opens an order and returns it. Its number is the day and a count: 20261124-01.
func (o *Orders) Open(first Step) (Order, error) {
	first.tidy()
	if first.Text == "" {
		return Order{}, ErrEmpty
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.order) >= ordersMost {
		return Order{}, ErrFull
	}
	first.State = Opened
	day := first.Time.Format("20060102")
	for n := 1; ; n++ {
		if first.Order = fmt.Sprintf("%s-%02d", day, n); o.all[first.Order] == nil {
			break
		}
	}
	if err := o.write(first); err != nil {
		return Order{}, err
	}
	return o.all[first.Order].clone(), nil
}

// follows reports whether an order in one state may take another.
func follows(from, to State) bool {
	switch to {
	case "":
		return true
	case Opened:
		return from != Opened
	case Assigned:
		return from == Opened || from == Assigned
	case Fixed:
		return from == Opened || from == Assigned
	case Confirmed:
		return from == Fixed
	}
	return false
}

// Do adds a step to an order. Version is the one that the person saw; where another has come between,
// the error is a *Conflict and nothing is written.
func (o *Orders) Do(id string, version int, s Step) (Order, error) {
	s.tidy()
	s.Order = id
	s.Device, s.Meeting, s.Picture = "", "", nil
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.all[id]
	switch {
	case one == nil:
		return Order{}, ErrNoOrder
	case one.Version() != version:
		theirs := one.Steps[max(0, min(version, len(one.Steps)-1)):]
		return one.clone(), &Conflict{Order: one.clone(), Theirs: slices.Clone(theirs)}
	case s.State == "" && s.Text == "", s.State == Assigned && s.To == "":
		return one.clone(), ErrEmpty
	case !follows(one.State(), s.State):
		return one.clone(), ErrStep
	}
	if err := o.write(s); err != nil {
		return one.clone(), err
	}
	return one.clone(), nil
}

// Get returns an order.
func (o *Orders) Get(id string) (Order, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	one := o.all[id]
	if one == nil {
		return Order{}, false
	}
	return one.clone(), true
}

func (o *Order) clone() Order { return Order{ID: o.ID, Steps: slices.Clone(o.Steps)} }

// Filter says which orders are wanted; what is zero does not count.
type Filter struct {
	State    State
	Unclosed bool // all but the confirmed ones
	Device   string
	Via      string
	From, To time.Time // opened from, and before
	Words    string    // in any text or name of it
	Meeting  string
}

func (f Filter) takes(o *Order) bool {
	first := o.Steps[0]
	switch {
	case f.State != "" && o.State() != f.State,
		f.Unclosed && o.State() == Confirmed,
		f.Device != "" && first.Device != f.Device,
		f.Via != "" && first.Via != f.Via,
		f.Meeting != "" && first.Meeting != f.Meeting,
		!f.From.IsZero() && first.Time.Before(f.From),
		!f.To.IsZero() && !first.Time.Before(f.To):
		return false
	}
	words := strings.ToLower(strings.TrimSpace(f.Words))
	return words == "" || strings.Contains(strings.ToLower(o.ID), words) || slices.ContainsFunc(o.Steps, func(s Step) bool {
		return strings.Contains(strings.ToLower(s.Text+"\n"+s.By+"\n"+s.To+"\n"+s.Device), words)
	})
}

// List returns the orders that the filter takes, newest first.
func (o *Orders) List(f Filter) []Order {
	o.mu.Lock()
	defer o.mu.Unlock()
	var list []Order
	for _, id := range slices.Backward(o.order) {
		if one := o.all[id]; f.takes(one) {
			list = append(list, one.clone())
		}
	}
	return list
}
