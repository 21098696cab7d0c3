package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"lectern/devices/loopback"
)

// Guest is equipment that lives on an MQTT broker.
type Guest interface {
	Equipment
	// Join connects the equipment to the broker at address and plays there until ctx ends.
	Join(ctx context.Context, address string) error
}

// Broker puts a broker with guests on a TCP listener of the stage at address (host:port, port 0 for any). The
// wire, with its record and its faults, stands between the broker and who connects to it there; the guests
// have connections of their own.
func (s *Stage) Broker(address string, guests ...Guest) (*Wire, error) {
	b := &broker{}
	wire, err := s.Relay(address, b)
	if err != nil {
		return nil, err
	}
	for _, g := range guests {
		if err := g.Join(s.ctx, b.address); err != nil {
			return nil, fmt.Errorf("simulated equipment on the broker: %w", err)
		}
	}
	return wire, nil
}

// broker is a broker for simulated equipment. It lets everybody in: it is reached on loopback only.
type broker struct{ address string }

// ServeTCP implements Server.
func (b *broker) ServeTCP(ctx context.Context, address string) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return "", fmt.Errorf("the simulated broker: %w", err)
	}
	server := mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler), SysTopicResendInterval: 1 << 30}) // nobody asks for $SYS
	err = errors.Join(server.AddHook(new(open), nil), server.AddHook(new(loopback.Turns), nil), server.AddListener(loopback.Door(listeners.NewNet("loopback", listener), server)))
	if err == nil {
		err = server.Serve()
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("the simulated broker: %w", err), listener.Close())
	}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	b.address = listener.Addr().String()
	return b.address, nil
}

// open lets everybody in.
type open struct{ mochi.HookBase }

// Provides says what the hook is asked about.
func (*open) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

// OnConnectAuthenticate lets everybody in.
func (*open) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }

// OnACLCheck lets everybody read and write everything.
func (*open) OnACLCheck(*mochi.Client, string, bool) bool { return true }

// Truth implements Equipment.
func (*broker) Truth() map[string]string { return nil }

// Nudge implements Equipment.
func (*broker) Nudge(string, string, string) error { return errors.New("nobody can nudge a broker") }

// Fault implements Equipment.
func (*broker) Fault(string) error { return errors.New("a broker has the faults of its wire") }

// Visit says how one device comes to a broker.
type Visit struct {
	ID     string
	Will   [2]string // topic and payload, said by the broker when the device is gone
	Topics []string
	// Hear takes what comes on the topics. It may call Say.
	Hear func(topic string, payload []byte)
	// Arrive is called when the device is connected and has subscribed.
	Arrive func()
}

// Visitor is one device on a broker. Its methods may be called from any goroutine.
type Visitor struct {
	visit  Visit
	broker string

	mu     sync.Mutex
	client paho.Client
	wire   net.Conn
}

const joinTime = 5 * time.Second

// Arrive connects a device to the broker until ctx ends.
func Arrive(ctx context.Context, broker string, v Visit) (*Visitor, error) {
	made := &Visitor{visit: v, broker: broker}
	context.AfterFunc(ctx, made.leave)
	return made, made.Return()
}

// Return connects the device again after Vanish.
func (v *Visitor) Return() error {
	var wire net.Conn
	o := paho.NewClientOptions().AddBroker("tcp://" + v.broker).SetClientID(v.visit.ID).SetAutoReconnect(false).
		SetConnectTimeout(joinTime).SetWriteTimeout(joinTime).SetOrderMatters(true).
		SetCustomOpenConnectionFn(func(_ *url.URL, _ paho.ClientOptions) (net.Conn, error) {
			conn, err := net.DialTimeout("tcp", v.broker, joinTime)
			wire = conn
			return conn, err //nolint:wrapcheck // paho says what for
		}).
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) { v.visit.Hear(m.Topic(), m.Payload()) })
	if v.visit.Will[0] != "" {
		o.SetWill(v.visit.Will[0], v.visit.Will[1], 1, true)
	}
	client := paho.NewClient(o)
	filters := make(map[string]byte)
	for _, t := range v.visit.Topics {
		filters[t] = 1
	}
	steps := []func() paho.Token{client.Connect}
	if len(filters) > 0 { // a sensor only speaks
		steps = append(steps, func() paho.Token { return client.SubscribeMultiple(filters, nil) })
	}
	for _, step := range steps {
		t := step()
		if !t.WaitTimeout(joinTime) {
			return fmt.Errorf("%s: the broker does not answer", v.visit.ID)
		}
		if err := t.Error(); err != nil {
			return fmt.Errorf("%s: %w", v.visit.ID, err)
		}
	}
	v.mu.Lock()
	v.client, v.wire = client, wire
	v.mu.Unlock()
	if v.visit.Arrive != nil {
		v.visit.Arrive()
	}
	return nil
}

// Say publishes, at least once.
func (v *Visitor) Say(topic, payload string, retain bool) {
	v.mu.Lock()
	client := v.client
	v.mu.Unlock()
	if client != nil {
		client.Publish(topic, 1, retain, payload) // not waited for: it may be called while something is heard
	}
}

// Vanish cuts the device off, as when its power goes: the broker says its will.
func (v *Visitor) Vanish() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if tcp, ok := v.wire.(*net.TCPConn); ok {
		_ = tcp.CloseWrite() // paho takes an end that it has not asked for as one only where the other side makes it
	}
	v.client, v.wire = nil, nil
}

func (v *Visitor) leave() {
	v.mu.Lock()
	client := v.client
	v.client = nil
	v.mu.Unlock()
	if client != nil {
		client.Disconnect(0)
	}
}
