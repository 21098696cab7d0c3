// Package mqtt is the panel of machines: it shows the room on an MQTT broker as a Homie 5 device
// with Home Assistant discovery beside it, and takes commands by the convention's set topics.
//
// What it promises:
//
//   - The state is retained, one value a topic, published on every change and whole after every
//     connect. The last will says when the room is lost.
//   - A command is a message on .../set. Every one gets an answer on .../$result. A retained one is
//     refused and cleared: it would come again at every reconnect, when nobody has pressed anything.
//   - Commands to one device are carried out in order; a device that is slow holds up no other.
//   - Nothing is replayed: the session is clean, and what could not be published while the broker
//     was away is replaced by the state as it is when it comes back.
package mqtt

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

const (
	payloadMax  = 1024            // bytes of a set; a level or a source's name is far shorter
	queueMost   = 64              // commands that wait for one device
	reconnect   = 5 * time.Second // longest pause between two attempts; paho's default is ten minutes
	publishTime = 5 * time.Second
	restTime    = 250 // ms that a disconnect waits for what is under way
)

// Config says which room is shown on which broker.
type Config struct {
	Cfg     *configs.Room
	Room    *room.Room
	Engine  *sequence.Engine
	Journal *journal.Journal
	// Broker is the address, tcp:// or ssl://; User, Password and CA are as in the room file.
	Broker, User, Password, CA string
	Build                      string
	Log                        *slog.Logger
}

// Gateway shows one room on one broker.
type Gateway struct {
	Config
	base   string // homie/5/<room>
	client paho.Client
	up     chan struct{}
	queues map[string]chan set
	shown  map[string]string // what each retained topic holds
}

// set is one command as it came.
type set struct {
	node, property, payload string
}

// New makes a gateway; nothing is opened before Run.
func New(c Config) (*Gateway, error) {
	g := &Gateway{
		Config: c, base: "homie/5/" + c.Cfg.Room.ID, up: make(chan struct{}, 1),
		queues: make(map[string]chan set), shown: make(map[string]string),
	}
	for _, id := range c.Room.Devices() {
		g.queues[id] = make(chan set, queueMost)
	}
	g.queues[scenesNode] = make(chan set, queueMost)
	security, err := tlsConfig(c.Broker, c.CA)
	if err != nil {
		return nil, err
	}
	o := paho.NewClientOptions().
		AddBroker(c.Broker).
		SetClientID("lectern-"+c.Cfg.Room.ID).
		SetUsername(c.User).SetPassword(c.Password).
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
			c.Log.Warn("the broker is lost; reconnecting", "broker", redact(c.Broker), "error", err)
		})
	g.client = paho.NewClient(o)
	return g, nil
}

func tlsConfig(broker, ca string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca == "" {
		return c, nil
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("reading the authority of broker %s: %w", redact(broker), err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the authority of broker %s: %s holds no PEM certificate", redact(broker), ca)
	}
	return c, nil
}

// redact takes a password out of an address.
func redact(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(unreadable address)"
	}
	return u.Redacted()
}

// Run shows the room until ctx ends, and says goodbye.
func (g *Gateway) Run(ctx context.Context) error {
	var workers sync.WaitGroup
	for node, queue := range g.queues {
		workers.Go(func() { g.work(ctx, node, queue) })
	}
	g.client.Connect() // with ConnectRetry it goes on until Disconnect
	g.follow(ctx)
	if g.client.IsConnectionOpen() {
		g.publish("$state", []byte("disconnected"), 1, true)
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
	for {
		select {
		case <-g.up:
			if err := g.introduce(); err != nil {
				g.Log.Warn("the broker took the connection but not the room", "error", err)
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
	g.publish("$state", []byte("init"), 1, true)
	g.publish("$description", description, 1, true)
	g.show(g.Room.State())
	token := g.client.Subscribe(g.base+"/+/+/set", 1, g.take)
	if !token.WaitTimeout(publishTime) {
		return errors.New("subscribing to commands: no answer")
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("subscribing to commands: %w", err)
	}
	g.publish("$state", []byte("ready"), 1, true)
	for topic, payload := range g.discovery() {
		g.send(topic, payload, 1, true)
	}
	g.Log.Info("the room is on the broker", "broker", redact(g.Broker), "topic", g.base)
	return nil
}

// show publishes what an update tells.
func (g *Gateway) show(u room.Update) {
	for _, p := range u.Properties {
		g.retain(p.Device+"/"+p.Property, homie(p.Value))
		if !p.Target.IsZero() {
			g.publish(p.Device+"/"+p.Property+"/$target", homie(p.Target), 0, true)
		}
	}
	for _, d := range u.Devices {
		g.retain(d.Device+"/online", []byte(fmt.Sprint(d.Online && d.Fed)))
		alert := ""
		if !d.Online && d.Fed && d.Error != "" {
			alert = d.Error
		}
		g.retain("$alert/"+d.Device, []byte(alert))
	}
	for _, l := range u.Lines {
		alert := ""
		if !l.Up {
			alert = strings.TrimSuffix("line is down: "+l.Error, ": ")
		}
		g.retain("$alert/line-"+l.Line, []byte(alert))
	}
	for _, r := range u.Runs {
		g.retain(scenesNode+"/"+r.Scene, []byte(r.State))
	}
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

// retain publishes a retained value where it is another than what the topic holds.
func (g *Gateway) retain(topic string, payload []byte) {
	if before, ok := g.shown[topic]; ok && before == string(payload) || !ok && len(payload) == 0 {
		return
	}
	g.shown[topic] = string(payload)
	// At most once: TCP loses nothing while the connection lasts, and after it everything is said
	// again. Acknowledged states and commands on one connection stall each other for 40 ms where
	// a broker leaves Nagle's algorithm on.
	g.publish(topic, payload, 0, true)
}

func (g *Gateway) publish(topic string, payload []byte, qos byte, retained bool) {
	g.send(g.base+"/"+topic, payload, qos, retained)
}

func (g *Gateway) send(topic string, payload []byte, qos byte, retained bool) {
	token := g.client.Publish(topic, qos, retained, payload)
	if qos > 0 && !token.WaitTimeout(publishTime) {
		g.Log.Debug("the broker has not acknowledged", "topic", topic)
	}
}

// take receives one command. It must not block.
func (g *Gateway) take(_ paho.Client, m paho.Message) {
	parts := strings.Split(strings.TrimPrefix(m.Topic(), g.base+"/"), "/")
	if len(parts) != 3 || len(m.Payload()) == 0 { // empty: a retained message is being cleared
		return
	}
	c := set{node: parts[0], property: parts[1], payload: string(bytes.Clone(m.Payload()[:min(len(m.Payload()), payloadMax)]))}
	switch queue, ok := g.queues[c.node]; {
	case m.Retained():
		go g.clearRetained(m.Topic(), c) // publishing waits, and this is paho's own goroutine
	case len(m.Payload()) > payloadMax:
		go g.refuse(c, devices.Phrase{ZH: "消息过长", EN: fmt.Sprintf("The message has %d bytes; at most %d are taken", len(m.Payload()), payloadMax)}, 0)
	case !ok:
		go g.refuse(c, devices.Phrase{ZH: "没有这个设备", EN: "There is no such device; there is " + strings.Join(g.Room.Devices(), ", ")}, 0)
	default:
		select {
		case queue <- c:
		default:
			go g.refuse(c, devices.Phrase{ZH: "命令太多，请稍候", EN: "Too many commands wait for this device"}, 1)
		}
	}
}

func (g *Gateway) clearRetained(topic string, c set) {
	g.send(topic, nil, 1, true)
	g.refuse(c, devices.Phrase{
		ZH: "不接受保留的命令消息", EN: "Retained commands are not taken: they would come again at every reconnect. Publish without retain",
	}, 0)
}

// result is what .../$result bears.
type result struct {
	Outcome  string    `json:"outcome"`
	Device   string    `json:"device"`
	Property string    `json:"property"`
	Value    string    `json:"value"`
	Reason   string    `json:"reason,omitempty"`
	ReasonZH string    `json:"reason_zh,omitempty"`
	Retry    int       `json:"retry_after,omitempty"`
	Time     time.Time `json:"time"`
}

func (g *Gateway) answer(c set, outcome string, reason devices.Phrase, retry int) {
	b, err := json.Marshal(result{
		Outcome: outcome, Device: c.node, Property: c.property, Value: c.payload,
		Reason: reason.EN, ReasonZH: reason.ZH, Retry: retry, Time: time.Now(),
	})
	if err != nil {
		g.Log.Error("writing a result", "error", err)
		return
	}
	g.publish(c.node+"/"+c.property+"/$result", b, 1, false)
}

func (g *Gateway) refuse(c set, reason devices.Phrase, retry int) {
	g.answer(c, string(devices.Refused), reason, retry)
	g.Journal.Record(journal.Entry{
		Time: time.Now(), By: journal.By{Via: "mqtt"}, Device: c.node, Property: c.property, Value: c.payload,
		Outcome: string(devices.Refused), Detail: reason.EN,
	})
}

// work carries out the commands to one device, in order.
func (g *Gateway) work(ctx context.Context, node string, queue <-chan set) {
	for {
		select {
		case c := <-queue:
			if node == scenesNode {
				g.playScene(c)
			} else {
				g.do(ctx, c)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (g *Gateway) do(ctx context.Context, c set) {
	g.answer(c, "accepted", devices.Phrase{}, 0)
	o, err := g.Room.Do(ctx, room.Command{
		Device: c.node, Property: c.property, Value: strings.TrimSuffix(c.payload, "\x00"), By: journal.By{Via: "mqtt"},
	})
	if err != nil {
		g.refuse(c, devices.Phrase{ZH: "没有这个属性或取值不对", EN: err.Error()}, 0)
		return
	}
	g.answer(c, string(o.Result), o.Reason, o.Retry)
}

func (g *Gateway) playScene(c set) {
	by := journal.By{Via: "mqtt"}
	switch c.payload {
	case "run":
		_, err := g.Engine.Start(c.property, by)
		if refusal := new(devices.Refusal); errors.As(err, &refusal) {
			o := devices.OutcomeOf(err)
			g.refuse(c, o.Reason, o.Retry)
			return
		}
		if err != nil {
			g.refuse(c, devices.Phrase{ZH: "没有这个场景", EN: err.Error()}, 0)
			return
		}
		g.answer(c, "accepted", devices.Phrase{}, 0)
	case "cancel":
		if !g.Engine.Cancel(c.property, by) {
			g.refuse(c, devices.Phrase{ZH: "该场景没有在运行", EN: "That scene is not running"}, 0)
			return
		}
		g.answer(c, string(devices.Done), devices.Phrase{}, 0)
	default:
		g.refuse(c, devices.Phrase{ZH: "场景接受 run 或 cancel", EN: "A scene takes run or cancel"}, 0)
	}
}
