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
	"sync"
	"sync/atomic"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/time/rate"

	"lectern/configs"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

// restTime is how many milliseconds a disconnect waits for what is under way.
const restTime = 250

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
	client   paho.Client // from connect on
	blind    bool        // the broker does not tell which commands are retained
	up       chan struct{}
	doubt    chan struct{} // a command has come that may be retained
	queues   map[string]chan set
	answers  chan message
	shown    map[string]string // what each retained topic holds; of the goroutine that follows
	memory   *memory           // likewise
	trouble  string            // the last one; likewise
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
		Config: c, base: "homie/5/" + c.Cfg.Room.ID, up: make(chan struct{}, 1), doubt: make(chan struct{}, 1),
		queues: make(map[string]chan set), answers: make(chan message, answersMost), shown: make(map[string]string),
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
	if !g.connect(ctx) {
		return nil
	}
	// The results of what is under way still go out when ctx has ended.
	saying, hush := context.WithCancel(context.WithoutCancel(ctx))
	var work, talk sync.WaitGroup
	talk.Go(func() { g.tell(saying) })
	work.Go(func() { g.pulse.run(ctx) })
	for node, queue := range g.queues {
		work.Go(func() { g.work(ctx, node, queue) })
	}
	g.follow(ctx)
	work.Wait()
	hush()
	talk.Wait()
	if g.client.IsConnectionOpen() {
		g.send(message{topic: g.base + "/$state", payload: []byte("disconnected"), qos: 1, retained: true})
	}
	g.client.Disconnect(restTime)
	return nil
}
