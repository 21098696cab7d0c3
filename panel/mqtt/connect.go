package mqtt

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/devices/line"
)

const (
	reconnect   = 5 * time.Second // longest pause between two attempts
	connectTime = 5 * time.Second // for an attempt
	publishTime = 5 * time.Second

	// A connection that has died without a word is found out after both and a little, and the broker says
	// "lost" after one and a half of the first. What hangs in it until then reaches the room no more.
	keepAlive = 5 * time.Second
	pingTime  = 3 * time.Second
)

// The protocol levels that the room speaks. MQTT 3.1.1 tells a subscriber that a message is retained
// only where it was there before the subscription; one that is published with retain afterwards looks
// like any other (3.3.1.3). A bridge is told always. It is known by bit 7 of the level, which is how
// Mosquitto's own bridges come in, so the room comes in as one where the broker lets it.
const (
	asBridge = 0x84
	plainly  = 4
)

// options are those of a connection. It is not paho that reconnects: what it keeps and sends again then
// goes out beside what is sent anew, twice and in a data race (1.5.1, client.go 346).
func (g *Gateway) options(level uint, lost chan<- error) *paho.ClientOptions {
	f := g.Facilities
	return paho.NewClientOptions().
		AddBroker(f.Broker).
		SetClientID("lectern-"+g.Cfg.Room.ID).
		SetUsername(f.User).SetPassword(f.Password).
		SetTLSConfig(g.security).SetCustomOpenConnectionFn(line.OpenBroker).
		SetProtocolVersion(level).
		SetCleanSession(true). // a broker that comes back must not replay commands
		SetAutoReconnect(false).SetConnectTimeout(connectTime).
		SetKeepAlive(keepAlive).SetPingTimeout(pingTime).SetWriteTimeout(publishTime).
		SetOrderMatters(true). // commands come in order; take never blocks, so nothing is held up
		SetBinaryWill(g.base+"/$state", []byte("lost"), 1, true).
		SetDefaultPublishHandler(func(paho.Client, paho.Message) {}).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err })
}

// connect tries until the broker takes the room; nil where ctx ends first. The pauses differ, so that a
// broker that comes back does not meet every room of a building at once.
func (g *Gateway) connect(ctx context.Context) *session {
	levels := []uint{asBridge, plainly}
	if g.Broker != nil {
		levels = levels[1:] // it tells of retained commands by itself
	}
	said := ""
	for pause := time.Second; ; pause = min(2*pause, reconnect) {
		var err error
		for _, level := range levels {
			lost := make(chan error, 1)
			client := paho.NewClient(g.options(level, lost))
			if err = g.attempt(ctx, client); err == nil {
				return &session{
					Gateway: g, client: client, lost: lost, blind: level == plainly && g.Broker == nil,
					doubt: make(chan struct{}, 1), shown: make(map[string]string),
				}
			}
			client.Disconnect(0)
			if ctx.Err() != nil {
				return nil
			}
			if op := new(net.OpError); errors.As(err, &op) && op.Op == "dial" {
				break // nobody is there, however one speaks
			}
		}
		if said != err.Error() {
			said = err.Error()
			g.Log.Warn("the broker cannot be reached; trying on", "broker", redact(g.Facilities.Broker), "error", err)
		}
		if !wait(ctx, pause/2+rand.N(pause/2)) {
			return nil
		}
	}
}

// wait returns after d, or false where ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// attempt connects once. Some brokers take a connection at a level that they do not speak, and close it:
// only an answer to something else than the connect proves that it stands.
func (g *Gateway) attempt(ctx context.Context, client paho.Client) error {
	for _, ask := range []func() paho.Token{client.Connect, func() paho.Token { return client.Unsubscribe(g.base + "/+/+/set") }} {
		token := ask()
		select {
		case <-token.Done():
		case <-time.After(2 * connectTime):
			return errors.New("the broker does not answer")
		case <-ctx.Done():
			return context.Cause(ctx) //nolint:wrapcheck // ctx's own
		}
		if err := token.Error(); err != nil {
			return err //nolint:wrapcheck // logged with what was tried
		}
		if !client.IsConnectionOpen() {
			return errors.New("the broker closed the connection")
		}
	}
	return nil
}
