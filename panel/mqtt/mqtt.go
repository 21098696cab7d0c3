// Package mqtt is the panel of machines: it shows the room on an MQTT broker as a Homie 5 device
// with Home Assistant discovery beside it, and takes commands by the convention's set topics.
//
// What it promises:
//
//   - The state is retained, one value a topic, published on every change and whole after every
//     connect. The last will says when the room is lost.
//   - A command is a message on .../set. Every one gets an answer on .../$result. A retained one is
//     refused and cleared: it would come again at every reconnect, when nobody has pressed anything.
//   - Commands to one device are carried out in order; a device that is slow holds up no other. One
//     that has waited too long is not carried out any more.
//   - Nothing is replayed: the session is clean, and what could not be published while the broker
//     was away is replaced by the state as it is when it comes back.
package mqtt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/time/rate"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

const (
	reconnect   = 5 * time.Second // longest pause between two attempts; paho's default is ten minutes
	publishTime = 5 * time.Second
	restTime    = 250  // ms that a disconnect waits for what is under way
	answersMost = 1024 // that wait to be sent
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
	Build      string
	Log        *slog.Logger
}

// Gateway shows one room on one broker.
type Gateway struct {
	Config
	base    string // homie/5/<room>
	client  paho.Client
	up      chan struct{}
	queues  map[string]chan set
	answers chan message
	shown   map[string]string // what each retained topic holds; of the goroutine that follows
	names   names
	version int64 // of the description
	started time.Time
	noted   *rate.Limiter // refusals that the journal is told of: a flood must not push out the rest
}

// New makes a gateway; nothing is opened before Run.
func New(c Config) (*Gateway, error) {
	g := &Gateway{
		Config: c, base: "homie/5/" + c.Cfg.Room.ID, up: make(chan struct{}, 1),
		queues: make(map[string]chan set), answers: make(chan message, answersMost), shown: make(map[string]string),
		names: namesOf(c.Cfg, c.Facilities.Names), started: time.Now(), noted: rate.NewLimiter(5, 50),
	}
	// The convention wants a higher one whenever the description has changed, and takes a time.
	g.version = g.started.Unix()
	for _, id := range c.Room.Devices() {
		g.queues[id] = make(chan set, queueMost)
	}
	g.queues[scenesNode] = make(chan set, queueMost)
	security, err := security(c.Facilities)
	if err != nil {
		return nil, err
	}
	o := paho.NewClientOptions().
		AddBroker(c.Facilities.Broker).
		SetClientID("lectern-"+c.Cfg.Room.ID).
		SetUsername(c.Facilities.User).SetPassword(c.Facilities.Password).
		SetTLSConfig(security).
		SetCleanSession(true). // a broker that comes back must not replay commands
		SetAutoReconnect(true).SetMaxReconnectInterval(reconnect).
		SetConnectRetry(true).SetConnectRetryInterval(reconnect).
		SetKeepAlive(20*time.Second).SetPingTimeout(5*time.Second).SetWriteTimeout(publishTime).
		SetOrderMatters(true). // commands come in order; take never blocks, so nothing is held up
		SetBinaryWill(g.base+"/$state", []byte("lost"), 1, true).
		SetDefaultPublishHandler(func(paho.Client, paho.Message) {}).
		SetOnConnectHandler(func(paho.Client) {
			select {
			case g.up <- struct{}{}:
			default:
			}
		}).
		SetConnectionLostHandler(func(_ paho.Client, err error) {
			c.Log.Warn("the broker is lost; reconnecting", "broker", redact(c.Facilities.Broker), "error", err)
		})
	g.client = paho.NewClient(o)
	return g, nil
}

// Run shows the room until ctx ends, and says goodbye.
func (g *Gateway) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for node, queue := range g.queues {
		workers.Go(func() { g.work(ctx, node, queue) })
	}
	workers.Go(func() { g.tell(ctx) })
	g.client.Connect() // with ConnectRetry it goes on until Disconnect
	g.follow(ctx)
	if g.client.IsConnectionOpen() {
		g.send(message{topic: g.base + "/$state", payload: []byte("disconnected"), qos: 1, retained: true})
	}
	g.client.Disconnect(restTime)
	workers.Wait()
	return nil
}

// follow publishes what changes, and everything after a connect.
func (g *Gateway) follow(ctx context.Context) {
	changes := make(chan room.Update)
	go func() {
		defer close(changes)
		for s := g.Room.Subscribe(0); ; {
			u, err := s.Next(ctx)
			if err != nil {
				return
			}
			select {
			case changes <- u:
			case <-ctx.Done():
				return
			}
		}
	}()
	pulse := time.NewTicker(healthEvery)
	defer pulse.Stop()
	for {
		select {
		case <-g.up:
			if err := g.introduce(); err != nil {
				g.Log.Warn("the broker took the connection but not the room", "error", err)
			}
		case <-pulse.C:
			if g.client.IsConnectionOpen() {
				g.health()
			}
		case u, ok := <-changes:
			if !ok {
				return
			}
			if g.client.IsConnectionOpen() {
				g.show(u)
			}
		}
	}
}

// introduce says everything anew after a connect, in the order that the convention asks for.
func (g *Gateway) introduce() error {
	description, err := json.Marshal(g.describe())
	if err != nil {
		return fmt.Errorf("describing the room: %w", err)
	}
	clear(g.shown)
	g.send(message{topic: g.base + "/$state", payload: []byte("init"), qos: 1, retained: true})
	g.send(message{topic: g.base + "/$description", payload: description, qos: 1, retained: true})
	g.show(g.Room.State())
	g.health()
	token := g.client.SubscribeMultiple(map[string]byte{g.base + "/+/+/set": 1, birthTopic: 0}, g.take)
	if !token.WaitTimeout(publishTime) {
		return errors.New("subscribing to commands: no answer")
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("subscribing to commands: %w", err)
	}
	g.send(message{topic: g.base + "/$state", payload: []byte("ready"), qos: 1, retained: true})
	g.send(g.discovery())
	g.Log.Info("the room is on the broker", "broker", redact(g.Facilities.Broker), "topic", g.base)
	return nil
}

// show publishes what an update tells.
func (g *Gateway) show(u room.Update) {
	for _, p := range u.Properties {
		g.retain(p.Device+"/"+p.Property, homie(p.Value))
		// The convention wants $target with every value or never: where nothing is asked for it is the value.
		if property, ok := g.property(p.Device, p.Property); ok && property.Settable && !property.Momentary {
			target := p.Target
			if target.IsZero() {
				target = p.Value
			}
			g.retain(p.Device+"/"+p.Property+"/$target", homie(target))
		}
	}
	for _, d := range u.Devices {
		g.retain(d.Device+"/online", fmt.Append(nil, d.Online && d.Fed))
		alert := ""
		if !d.Online && d.Fed && d.Error != "" {
			alert = d.Error
		}
		g.retain("$alert/"+d.Device, []byte(alert))
	}
	for _, l := range u.Lines {
		g.showLine(l)
	}
	for _, r := range u.Runs {
		g.retain(scenesNode+"/"+r.Scene, []byte(r.State))
	}
}

func (g *Gateway) property(device, name string) (devices.Property, bool) {
	_, p, err := g.Room.Lookup(device, name)
	return p, err == nil
}

// homie writes a value as the convention does; what is not known is an empty payload, which takes
// the retained message away.
func homie(v devices.Value) []byte {
	if v.IsZero() {
		return nil
	}
	s := v.String()
	if s == "" {
		return []byte{0} // an empty text is one zero byte, since an empty payload deletes
	}
	return []byte(s)
}

// retain publishes a retained value where it is another than what the topic holds. It is for the
// goroutine that follows.
func (g *Gateway) retain(topic string, payload []byte) {
	if before, ok := g.shown[topic]; ok && before == string(payload) || !ok && len(payload) == 0 {
		return
	}
	g.shown[topic] = string(payload)
	// At most once: TCP loses nothing while the connection lasts, and after it everything is said
	// again. Acknowledged states and commands on one connection stall each other for 40 ms where
	// a broker leaves Nagle's algorithm on.
	g.send(message{topic: g.base + "/" + topic, payload: payload, retained: true})
}

// message is one that goes out.
type message struct {
	topic    string
	payload  []byte
	qos      byte
	retained bool
}

// send publishes and, where the broker is to acknowledge it, waits for that.
func (g *Gateway) send(m message) {
	token := g.client.Publish(m.topic, m.qos, m.retained, m.payload)
	if m.qos > 0 && !token.WaitTimeout(publishTime) {
		g.Log.Debug("the broker has not acknowledged", "topic", m.topic)
	}
}

// tell sends what has been put into answers. What cannot be sent while the broker is away is dropped:
// who asked is cut off as well, and the state is republished whole.
func (g *Gateway) tell(ctx context.Context) {
	for {
		select {
		case m := <-g.answers:
			if g.client.IsConnectionOpen() {
				g.client.Publish(m.topic, m.qos, m.retained, m.payload)
			}
		case <-ctx.Done():
			return
		}
	}
}

// answer puts a message on its way without waiting, from any goroutine. It reports whether there was room.
func (g *Gateway) answer(m message) bool {
	select {
	case g.answers <- m:
		return true
	default:
		return false
	}
}

func (g *Gateway) topicOf(node, property, attribute string) string {
	return strings.Join([]string{g.base, node, property, attribute}, "/")
}
