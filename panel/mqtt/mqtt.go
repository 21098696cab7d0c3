// Package mqtt is the panel of machines: it shows the room on an MQTT broker as a Homie 5 device
// with Home Assistant discovery beside it, and takes commands by the convention's set topics.
//
// What it promises:
//
//   - The state is retained, one value a topic, published on every change and whole after every
//     connect. The last will says when the room is lost.
//   - A command is a message on .../set. Every one gets an answer on .../$result: turned away at once,
//     or accepted and then exactly one final word. A retained one is refused and cleared: it would come
//     again at every reconnect, when nobody has pressed anything.
//   - Commands to one device are carried out in order; a device that is slow holds up no other. One
//     that has waited too long is not carried out any more.
//   - Nothing is replayed: the session is clean, and what could not be published while the broker
//     was away is replaced by the state as it is when it comes back.
package mqtt

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"lectern/configs"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

const (
	restTime   = 250         // ms that a disconnect waits for what is under way
	againAfter = time.Second // about how long after a lost connection the next one is tried
)

// Config says which room is shown on which broker.
type Config struct {
	Cfg     *configs.Room
	Room    *room.Room
	Engine  *sequence.Engine
	Journal *journal.Journal
	// Facilities is that of the room file, with the address and login of the embedded broker in place of
	// the word.
	Facilities configs.Facilities
	// Broker is the embedded broker; nil where the broker is elsewhere.
	Broker *Broker
	// Folder keeps what the broker was told, so that what a changed room file no longer has is taken
	// off it; "" for nowhere.
	Folder string
	// Service tells what property staff have to do with the room; it is asked once a second. Nil where
	// they have no pages for it.
	Service func() Service
	Build   string
	Log     *slog.Logger
}

// Gateway shows one room on one broker.
type Gateway struct {
	Config
	base     string // homie/5/<room>
	security *tls.Config
	shown    atomic.Pointer[face]
	renewed  chan struct{} // there is another face
	linked   atomic.Bool   // the room stands on the broker
	answers  chan message
	unsaid   []message // what the last session could not bring to an end
	memory   *memory   // of the session
	trouble  string    // the last one; likewise
	pulse    *pulse
	started  time.Time
	noted    *rate.Limiter // refusals that the journal is told of: a flood must not push out the rest

	mu     sync.Mutex
	queues map[string]chan set                 // by node; a node that has gone keeps its own
	begin  func(node string, queue <-chan set) // a worker; nil before Run

	unanswered atomic.Int64 // commands turned away faster than the connection could take the answers
}

// New makes a gateway; nothing is opened before Run.
func New(c Config) (*Gateway, error) {
	now := time.Now()
	g := &Gateway{
		Config: c, base: "homie/5/" + c.Cfg.Room.ID, queues: make(map[string]chan set), answers: make(chan message, answersMost),
		renewed: make(chan struct{}, 1), started: now, pulse: newPulse(now), noted: rate.NewLimiter(5, 50),
	}
	g.shown.Store(&face{c.Cfg, namesOf(c.Cfg, c.Facilities.Names)})
	g.staff()
	var err error
	if g.security, err = security(c.Facilities); err != nil {
		return nil, err
	}
	if g.memory, err = recall(c.Folder); err != nil {
		c.Log.Warn("what a changed room file no longer has stays on the broker", "error", err)
	}
	if c.Broker != nil {
		c.Broker.hear(g.base, func(topic string, payload []byte) { g.receive(topic, payload, true) })
	}
	return g, nil
}

// face is what a room file says of how the room is shown.
type face struct {
	cfg   *configs.Room
	names names
}

func (g *Gateway) face() *face { return g.shown.Load() }

// Connected reports whether the room stands on the broker.
func (g *Gateway) Connected() bool { return g.linked.Load() }

// Renew shows the room as another room file has it, after the room has become that: on the same
// connection, as the convention has it, with another version of the description. The room's id and
// facilities must be the same. Commands under way come to their end.
func (g *Gateway) Renew(cfg *configs.Room) {
	g.shown.Store(&face{cfg, namesOf(cfg, g.Facilities.Names)})
	g.staff()
	select {
	case g.renewed <- struct{}{}:
	default:
	}
}

// staff sees to it that every device has a queue, and every queue somebody who works on it.
func (g *Gateway) staff() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, node := range append(g.Room.Devices(), scenesNode) {
		if g.queues[node] == nil {
			g.queues[node] = make(chan set, queueMost)
			if g.begin != nil {
				g.begin(node, g.queues[node])
			}
		}
	}
}

// queue is where commands to a node wait; nil where there is no such node.
func (g *Gateway) queue(node string) chan set {
	if node != scenesNode && g.Room.Properties(node) == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.queues[node]
}

// Run shows the room until ctx ends, and says goodbye.
func (g *Gateway) Run(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { g.pulse.run(ctx) })
	g.mu.Lock()
	g.begin = func(node string, queue <-chan set) {
		if ctx.Err() == nil {
			work.Go(func() { g.work(ctx, node, queue) })
		}
	}
	for node, queue := range g.queues {
		g.begin(node, queue)
	}
	g.mu.Unlock()
	g.staff() // the room may be another since New
	for ctx.Err() == nil {
		if s := g.connect(ctx); s != nil {
			g.linked.Store(true)
			s.run(ctx, &work)
			g.linked.Store(false)
			wait(ctx, againAfter/2+rand.N(againAfter))
		}
	}
	// Where the broker is away at the end nobody hears the results, and nobody waits to say them.
	over := make(chan struct{})
	go func() { defer close(over); work.Wait() }()
	for {
		select {
		case <-g.answers:
		case <-over:
			return nil
		}
	}
}
