package line

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// A line of kind MQTT leads to a broker. To the queue, the trace and the health of the line it is like
// any other: what goes over it are frames, each of them one message. A request is a message to publish, or
// a topic to subscribe to again; it is always one-way and is over when the broker has acknowledged it.
// What equipment publishes comes to the listeners. A new connection announces itself by a message without
// a topic, so that listeners forget what they heard before: a broker says again what it retains, and what
// it does not retain has to be asked for.

const (
	messageMost = 16 << 10 // bytes of a payload; what is larger is no state of a switch and is dropped
	messageHead = 7        // flags, length of the topic, length of the payload
	flagRetain  = 1
	flagAgain   = 2

	atLeastOnce   = 1
	mqttKeepAlive = 10 * time.Second
	mqttPing      = 5 * time.Second
	mqttRest      = 100 // ms that a disconnect waits for what is under way
)

// Message is one MQTT message. One that is heard without a topic tells that a connection has been made.
type Message struct {
	Topic    string
	Payload  []byte
	Retained bool // only of messages heard: the broker kept it, and it may be old
	// Again makes a request of it: subscribe to the topic anew. The broker acknowledges it, which shows
	// that it is alive, and says what it retains for the topic.
	Again bool
}

// Frame writes a message as the lines of kind MQTT carry it.
func (m Message) Frame() []byte {
	b := make([]byte, messageHead, messageHead+len(m.Topic)+len(m.Payload))
	if m.Retained {
		b[0] = flagRetain
	}
	if m.Again {
		b[0] |= flagAgain
	}
	binary.BigEndian.PutUint16(b[1:], uint16(len(m.Topic)))
	binary.BigEndian.PutUint32(b[3:], uint32(len(m.Payload)))
	return append(append(b, m.Topic...), m.Payload...)
}

// ParseMessage reads a frame. It also reads the beginning of one, as the trace keeps it, with what there
// is of the payload; the error is for what is no frame at all.
func ParseMessage(frame []byte) (Message, error) {
	if len(frame) < messageHead {
		return Message{}, errors.New("too short for a message")
	}
	topic := int(binary.BigEndian.Uint16(frame[1:]))
	rest := frame[messageHead:]
	if len(rest) < topic {
		return Message{Topic: string(rest)}, nil
	}
	payload := rest[topic:]
	if n := int(binary.BigEndian.Uint32(frame[3:])); n >= 0 && n < len(payload) {
		payload = payload[:n]
	}
	return Message{Topic: string(rest[:topic]), Payload: payload, Retained: frame[0]&flagRetain != 0, Again: frame[0]&flagAgain != 0}, nil
}

// Messages is the session of all drivers on a line of kind MQTT.
func Messages() Session {
	return Session{
		Name: "mqtt",
		Split: func(got []byte) int {
			if len(got) < messageHead {
				return 0
			}
			n := messageHead + int(binary.BigEndian.Uint16(got[1:])) + int(binary.BigEndian.Uint32(got[3:]))
			if n > len(got) {
				return 0
			}
			return n
		},
		Explain: ExplainMessage,
	}
}

// ExplainMessage says a message in words, for the trace.
func ExplainMessage(frame []byte) string {
	m, err := ParseMessage(frame)
	switch {
	case err != nil:
		return err.Error()
	case m.Topic == "":
		return "connected"
	case m.Again:
		return m.Topic + " (subscribing again)"
	case m.Retained:
		return fmt.Sprintf("%s %s (retained)", m.Topic, m.Payload)
	}
	return fmt.Sprintf("%s %s", m.Topic, m.Payload)
}

// Follow adds topic filters that are subscribed to on every connection of a line of kind MQTT. It is for
// drivers, before Run.
func (l *Line) Follow(filters ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range filters {
		l.follow[f] = atLeastOnce // a state that is lost is not said again
	}
}

// broker is a connection to a broker as a port of frames.
type broker struct {
	client paho.Client

	mu    sync.Mutex
	input []byte
	dead  error
	more  chan struct{}
}

// openBroker connects and subscribes. Reconnecting is the line's own business: paho's would hide it, and
// would deliver later what was published while nobody was there.
func openBroker(ctx context.Context, c Config, follow map[string]byte) (io.ReadWriteCloser, error) {
	b := &broker{more: make(chan struct{}, 1)}
	b.take(Message{})
	scheme := "tcp://"
	if c.TLS != nil {
		scheme = "ssl://"
	}
	o := paho.NewClientOptions().
		AddBroker(scheme + c.Address).SetTLSConfig(c.TLS).SetCustomOpenConnectionFn(OpenBroker).
		SetClientID("lectern-" + c.ID + "-" + rand.Text()[:6]).SetUsername(c.User).SetPassword(c.Password).
		SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetConnectTimeout(dialTime).
		SetKeepAlive(mqttKeepAlive).SetPingTimeout(mqttPing).SetWriteTimeout(writeMost).
		SetOrderMatters(true). // take never blocks
		SetDefaultPublishHandler(func(_ paho.Client, m paho.Message) {
			b.take(Message{Topic: m.Topic(), Payload: m.Payload(), Retained: m.Retained()})
		}).
		SetConnectionLostHandler(func(_ paho.Client, err error) { b.end(err) })
	b.client = paho.NewClient(o)
	if err := finished(ctx, b.client.Connect()); err != nil {
		b.client.Disconnect(0)
		return nil, fmt.Errorf("connecting to the broker at %s: %w", c.Address, err)
	}
	if len(follow) > 0 {
		if err := finished(ctx, b.client.SubscribeMultiple(follow, nil)); err != nil {
			b.client.Disconnect(0)
			return nil, fmt.Errorf("subscribing at the broker at %s: %w", c.Address, err)
		}
	}
	return b, nil
}

// finished waits for a token, never for ever.
func finished(ctx context.Context, t paho.Token) error {
	limit := time.NewTimer(dialTime)
	defer limit.Stop()
	select {
	case <-t.Done():
		return t.Error()
	case <-limit.C:
		return fmt.Errorf("no answer in %s", dialTime)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *broker) take(m Message) {
	if len(m.Payload) > messageMost {
		return
	}
	b.mu.Lock()
	if b.dead == nil {
		b.input = append(b.input, m.Frame()...)
		if len(b.input) > inputMost {
			b.dead = fmt.Errorf("the broker floods the line: %d bytes not read; follow fewer topics", len(b.input))
		}
	}
	b.mu.Unlock()
	signal(b.more)
}

func (b *broker) end(err error) {
	b.mu.Lock()
	if b.dead == nil {
		b.dead = err
	}
	b.mu.Unlock()
	signal(b.more)
}

// Read reads frames that have come.
func (b *broker) Read(p []byte) (int, error) {
	for {
		b.mu.Lock()
		if len(b.input) > 0 {
			n := copy(p, b.input)
			b.input = b.input[:copy(b.input, b.input[n:])]
			b.mu.Unlock()
			return n, nil
		}
		dead := b.dead
		b.mu.Unlock()
		if dead != nil {
			signal(b.more) // for whoever reads once more
			return 0, dead
		}
		<-b.more
	}
}

// Write publishes one message, or subscribes anew. What is published is never retained: a broker would send
// a retained command again to equipment that comes back. It returns when the broker has it.
func (b *broker) Write(frame []byte) (int, error) {
	m, err := ParseMessage(frame)
	if err != nil {
		return 0, fmt.Errorf("publishing: %w", err)
	}
	doing, token := "publishing to", paho.Token(nil)
	if m.Again {
		doing, token = "subscribing to", b.client.Subscribe(m.Topic, atLeastOnce, nil)
	} else {
		token = b.client.Publish(m.Topic, atLeastOnce, false, m.Payload)
	}
	if !token.WaitTimeout(writeMost) {
		return 0, fmt.Errorf("%s %s: the broker has not acknowledged it in %s", doing, m.Topic, writeMost)
	}
	if err := token.Error(); err != nil {
		return 0, fmt.Errorf("%s %s: %w", doing, m.Topic, err)
	}
	return len(frame), nil
}

// Close ends the connection.
func (b *broker) Close() error {
	b.client.Disconnect(mqttRest)
	b.end(io.EOF)
	return nil
}
