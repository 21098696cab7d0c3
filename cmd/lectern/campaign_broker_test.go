package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/configs"
	"lectern/devices/sim"
	"lectern/panel/mqtt"
)

// brokerLine is the wire to the facilities' broker, beside the room's own lines.
const brokerLine = "facilities"

// tavern is the embedded broker as one in the building: behind a wire that can be cut, and with a memory
// that it can lose.
type tavern struct {
	room    string // its id
	address string

	mu     sync.Mutex
	broker *mqtt.Broker
}

// Who comes to the tavern.
var (
	theRoom   = configs.User{Name: "room", Password: "of the room", Role: "room"}
	theOffice = configs.User{Name: "office", Password: "of the office", Role: "operate"}
)

var _ sim.Server = (*tavern)(nil)

// ServeTCP implements sim.Server.
func (b *tavern) ServeTCP(ctx context.Context, address string) (string, error) {
	context.AfterFunc(ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		_ = b.broker.Close()
	})
	err := b.open(address)
	return b.address, err
}

func (b *tavern) open(address string) error {
	broker, err := mqtt.NewBroker(context.Background(), address, b.room, []configs.User{theRoom, theOffice}, slog.New(slog.DiscardHandler))
	if err != nil {
		return err //nolint:wrapcheck // the broker's own
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broker, b.address = broker, strings.TrimPrefix(broker.Address(), "tcp://")
	return nil
}

// forget stops the broker and starts another, which knows nothing, at the same address.
func (b *tavern) forget() error {
	b.mu.Lock()
	_ = b.broker.Close()
	b.mu.Unlock()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		err := b.open(b.address)
		if err == nil || time.Now().After(end) {
			return err
		}
	}
}

// Truth implements sim.Equipment.
func (*tavern) Truth() map[string]string { return nil }

// Nudge implements sim.Equipment.
func (*tavern) Nudge(string, string, string) error { return nil }

// Fault implements sim.Equipment.
func (*tavern) Fault(string) error { return nil }

// office is the facilities' program: it sets over MQTT and hears what becomes of it. It has a wire of
// its own to the broker, and comes back when the broker does.
type office struct {
	broker, base string
	fail         func(string, ...any)

	mu      sync.Mutex
	client  paho.Client
	told    map[string]string // by topic below base
	results []told
	topics  []string        // of the results
	heard   map[string]bool // results as they came: one that the broker did not acknowledge in time comes again
	sure    []deed          // published, and acknowledged by the broker
	unsure  []deed          // published, and perhaps lost
	waiting sync.WaitGroup
}

// join connects to the broker, and again whenever it is lost, until ctx ends.
func (o *office) join(ctx context.Context) {
	for ctx.Err() == nil {
		lost := make(chan struct{})
		client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + o.broker).SetClientID("office").
			SetUsername(theOffice.Name).SetPassword(theOffice.Password).
			SetAutoReconnect(false).SetCleanSession(true).SetConnectTimeout(time.Second).SetWriteTimeout(time.Second).
			SetConnectionLostHandler(func(paho.Client, error) { close(lost) }).
			SetDefaultPublishHandler(o.hear))
		token := client.Connect()
		if token.WaitTimeout(2*time.Second) && token.Error() == nil {
			o.become(client)
			client.Subscribe(o.base+"/#", 1, nil)
			select {
			case <-lost:
			case <-ctx.Done():
			}
			o.become(nil)
		}
		client.Disconnect(0)
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (o *office) become(c paho.Client) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.client = c
	if c != nil {
		o.told = make(map[string]string)
	}
}

func (o *office) hear(_ paho.Client, m paho.Message) {
	topic := strings.TrimPrefix(m.Topic(), o.base+"/")
	o.mu.Lock()
	defer o.mu.Unlock()
	if property, ok := strings.CutSuffix(topic, "/$result"); ok {
		whole := m.Topic() + " " + string(m.Payload()) // with the time to the nanosecond
		if o.heard[whole] {
			return
		}
		if o.heard == nil {
			o.heard = make(map[string]bool)
		}
		o.heard[whole] = true
		var r told
		if err := json.Unmarshal(m.Payload(), &r); err != nil {
			o.fail("a result that cannot be read: %s %s", m.Topic(), m.Payload())
		}
		o.results, o.topics = append(o.results, r), append(o.topics, property)
		return
	}
	o.told[topic] = string(m.Payload())
}

// do publishes a set, if there is a broker to take it.
func (o *office) do(d deed) {
	o.mu.Lock()
	client := o.client
	o.mu.Unlock()
	if client == nil {
		return
	}
	token := client.Publish(o.base+"/"+strings.ReplaceAll(d.on, ".", "/")+"/set", 1, false, d.to)
	o.waiting.Go(func() {
		sure := token.WaitTimeout(3*time.Second) && token.Error() == nil
		o.mu.Lock()
		defer o.mu.Unlock()
		if sure {
			o.sure = append(o.sure, d)
		} else {
			o.unsure = append(o.unsure, d)
		}
	})
}

func (o *office) says(topic string) (string, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, ok := o.told[topic]
	return s, ok
}

// finals counts the results that say how a set ended.
func (o *office) finals() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, r := range o.results {
		if r.Outcome != "accepted" {
			n++
		}
	}
	return n
}
