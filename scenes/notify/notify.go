// Package notify tells those who are not in the room, by webhook or mail, what property staff must know:
// repair orders as they are opened, answered and closed, and equipment that has been down for a while and
// is well again.
//
// It holds nobody up and forgets nothing that it can keep. What happens together is one message, so that
// forty devices of a dead bus are one and not forty. Each target has a queue of its own, which is bounded
// and ends with the program; one that fails is tried again, later each time, and is told in the log once.
// While the room is worked on nothing goes out, and what still stands afterwards goes out then.
package notify

import (
	"context"
	"crypto/rand"
	"log/slog"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"

	"lectern/devices"
	"lectern/scenes/ledger"
	"lectern/scenes/maintenance"
	"lectern/scenes/room"
)

const (
	look = 5 * time.Second // how often equipment is looked at

	// What happens within such a time of the first is one message: a person waits for an order, and a
	// bus that dies is noticed unit by unit.
	gatherOrders    = 3 * time.Second
	gatherEquipment = 30 * time.Second

	eventsMost = 200 // in one message; more are counted
)

// The kinds of events.
const (
	OrderOpened   = "order_opened"
	OrderAnswered = "order_answered"
	OrderClosed   = "order_closed"
	Down          = "down"
	Well          = "well"
)

// Event is one thing that happened.
type Event struct {
	Kind string    `json:"kind"`
	Time time.Time `json:"time"` // of the step of an order; since when something is down; when it was found well

	// Of an order:
	Order   string `json:"order,omitempty"`
	By      string `json:"by,omitempty"`   // who opened, answered or closed it
	To      string `json:"to,omitempty"`   // whom it is assigned to
	Symptom string `json:"text,omitempty"` // what it was opened with

	Device string         `json:"device,omitempty"` // id
	Line   string         `json:"line,omitempty"`   // id
	Name   devices.Phrase `json:"name,omitzero"`    // of the device
	// Devices are those on a line that share its fate.
	Devices []string `json:"devices,omitempty"`
	Why     string   `json:"why,omitempty"` // for engineers

	names []devices.Phrase // of Devices
}

// Message is what goes out at once.
type Message struct {
	ID     string         `json:"id"` // the same where it is sent twice
	Time   time.Time      `json:"time"`
	Room   string         `json:"room"` // id
	Name   devices.Phrase `json:"name"`
	Events []Event        `json:"events"`
	More   int            `json:"more,omitempty"` // events that had no room in it
	Lost   int            `json:"lost,omitempty"` // messages before it that never went out
}

// Thing is a device as the room file has it.
type Thing struct {
	Name  devices.Phrase
	Lines []string // ids
}

// Config is what there is to tell, and whom.
type Config struct {
	ID          string         // of the room
	Name        devices.Phrase // likewise
	Room        *room.Room
	Orders      *ledger.Orders
	Maintenance *maintenance.Mode
	Things      func() map[string]Thing // by id, as they are now
	Down        time.Duration           // how long something must be down to be told
	Targets     []Target
	Log         *slog.Logger
}

// Target takes messages to people or machines elsewhere.
type Target interface {
	// Place names where messages go, without anything secret.
	Place() string
	// Send takes one message there, within ctx. An error that is ErrRefused is about the message: it is not
	// sent again. Any other is tried again.
	Send(ctx context.Context, m Message) error
}

// Notifier tells what happens until Run's context ends. Health may be called from any goroutine.
type Notifier struct {
	Config
	boxes []*outbox

	// Of the goroutine that looks:
	seen     int                // steps of the ledger that were dealt with
	held     []string           // orders opened while the room was worked on
	orders   []Event            // to be sent
	down     map[string]trouble // likewise
	well     map[string]trouble // likewise
	told     map[string]trouble // down, as was told
	expected bool               // the room was worked on when it last looked

	// When what is gathered goes out; zero where there is nothing.
	dueOrders, dueEquipment time.Time
}

// New makes a notifier. What stands in the ledger already is no news.
func New(c Config) *Notifier {
	n := &Notifier{Config: c, seen: c.Orders.Steps(), down: make(map[string]trouble), well: make(map[string]trouble), told: make(map[string]trouble)}
	for _, t := range c.Targets {
		n.boxes = append(n.boxes, newOutbox(t, c.Maintenance, c.Log))
	}
	return n
}

// Health says how every target is doing, in their order.
func (n *Notifier) Health() []Health {
	if n == nil {
		return nil
	}
	var all []Health
	for _, b := range n.boxes {
		all = append(all, b.health())
	}
	return all
}

// Run tells until ctx ends. What has not gone out by then is lost.
func (n *Notifier) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, b := range n.boxes {
		g.Go(func() error { b.run(ctx); return nil })
	}
	g.Go(func() error { n.watch(ctx); return nil })
	return g.Wait() //nolint:wrapcheck // none of them fails
}

func (n *Notifier) watch(ctx context.Context) {
	for {
		written, turned := n.Orders.Watch(), n.Maintenance.Watch()
		select {
		case <-written:
		case <-turned:
		case <-time.After(n.look(time.Now())):
		case <-ctx.Done():
			return
		}
	}
}

// look gathers what is new, and sends what was gathered long enough. It returns when to look again.
func (n *Notifier) look(now time.Time) time.Duration {
	_, expected := n.Maintenance.Now()
	n.lookAtOrders(now, expected)
	if n.expected = expected; expected {
		return look
	}
	n.lookAtEquipment(now)
	var events []Event
	if over(n.dueOrders, now) {
		events, n.orders, n.dueOrders = n.orders, nil, time.Time{}
	}
	if over(n.dueEquipment, now) {
		things := n.Things()
		events = append(append(events, fold(n.down, Down, now, things)...), fold(n.well, Well, now, things)...)
		for key := range n.well {
			delete(n.told, key)
		}
		maps.Copy(n.told, n.down)
		clear(n.down)
		clear(n.well)
		n.dueEquipment = time.Time{}
	}
	n.send(events, now)
	wait := look
	for _, due := range []time.Time{n.dueOrders, n.dueEquipment} {
		if !due.IsZero() {
			wait = min(wait, due.Sub(now))
		}
	}
	return wait
}

func over(due, now time.Time) bool { return !due.IsZero() && !now.Before(due) }

// gather has what was found go out after a time, or with what was found before it.
func gather(due *time.Time, now time.Time, within time.Duration) {
	if due.IsZero() {
		*due = now.Add(within)
	}
}

// send puts events into the queue of every target, as one message.
func (n *Notifier) send(events []Event, now time.Time) {
	if len(events) == 0 {
		return
	}
	m := Message{ID: rand.Text(), Time: now, Room: n.ID, Name: n.Name, Events: events}
	if more := len(events) - eventsMost; more > 0 {
		m.Events, m.More = events[:eventsMost], more
	}
	for _, b := range n.boxes {
		b.put(m)
	}
}
