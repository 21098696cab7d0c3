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
	Build  string
	Log    *slog.Logger
}

// Gateway shows one room on one broker.
type Gateway struct {
	Config
	base     string // homie/5/<room>
	security *tls.Config
	queues   map[string]chan set
	answers  chan message
	unsaid   []message // what the last session could not bring to an end
	memory   *memory   // of the session
	trouble  string    // the last one; likewise
	names    names
	pulse    *pulse
	started  time.Time
	noted    *rate.Limiter // refusals that the journal is told of: a flood must not push out the rest

	unanswered atomic.Int64 // commands turned away faster than the connection could take the answers
}

// New makes a gateway; nothing is opened before Run.
func New(c Config) (*Gateway, error) {
	now := time.Now()
	g := &Gateway{
		Config: c, base: "homie/5/" + c.Cfg.Room.ID, queues: make(map[string]chan set), answers: make(chan message, answersMost),
		names: namesOf(c.Cfg, c.Facilities.Names), started: now, pulse: newPulse(now), noted: rate.NewLimiter(5, 50),
	}
	for _, id := range c.Room.Devices() {
		g.queues[id] = make(chan set, queueMost)
	}
	g.queues[scenesNode] = make(chan set, queueMost)
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

// Run shows the room until ctx ends, and says goodbye.
func (g *Gateway) Run(ctx context.Context) error {
	var work sync.WaitGroup
	work.Go(func() { g.pulse.run(ctx) })
	for node, queue := range g.queues {
		work.Go(func() { g.work(ctx, node, queue) })
	}
	for ctx.Err() == nil {
		if s := g.connect(ctx); s != nil {
			s.run(ctx, &work)
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
