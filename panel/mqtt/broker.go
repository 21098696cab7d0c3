package mqtt

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Broker is an embedded MQTT broker for a room that has none: bound to loopback, with one user.
type Broker struct {
	server   *mochi.Server
	address  string
	user     string
	password string
	shut     sync.Once
}

// packetMost bounds one MQTT packet; a room's description is the largest thing on it.
const packetMost = 1 << 20

// NewBroker opens a broker on a loopback address; port 0 for any. Its user and password are made up
// and told by Login.
func NewBroker(ctx context.Context, address string, log *slog.Logger) (*Broker, error) {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("the embedded broker at %s: it is for this machine alone; give a loopback address, such as 127.0.0.1:1883", address)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the embedded broker: %w", err)
	}
	options := &mochi.Options{Logger: log, Capabilities: mochi.NewDefaultServerCapabilities()}
	options.Capabilities.MaximumPacketSize = packetMost
	b := &Broker{server: mochi.New(options), address: listener.Addr().String(), user: "lectern", password: rand.Text()}
	err = errors.Join(
		b.server.AddHook(&gatekeeper{broker: b}, nil),
		b.server.AddListener(listeners.NewNet("loopback", listener)),
	)
	if err == nil {
		err = b.server.Serve()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the embedded broker: %w", err), listener.Close())
	}
	return b, nil
}

// Address returns the broker's URL.
func (b *Broker) Address() string { return "tcp://" + b.address }

// Login returns the user and password that it lets in.
func (b *Broker) Login() (user, password string) { return b.user, b.password }

// Close ends the broker. It may be called more than once; the server's own Close may not.
func (b *Broker) Close() (err error) {
	b.shut.Do(func() { err = b.server.Close() })
	return err //nolint:wrapcheck // the broker's own words
}

// gatekeeper lets in who has the password.
type gatekeeper struct {
	mochi.HookBase
	broker *Broker
}

// ID names the hook.
func (*gatekeeper) ID() string { return "gatekeeper" }

// Provides says what the hook is asked about.
func (*gatekeeper) Provides(b byte) bool {
	return b == mochi.OnConnectAuthenticate || b == mochi.OnACLCheck
}

// OnConnectAuthenticate checks the user and password.
func (g *gatekeeper) OnConnectAuthenticate(_ *mochi.Client, p packets.Packet) bool {
	user := subtle.ConstantTimeCompare(p.Connect.Username, []byte(g.broker.user))
	password := subtle.ConstantTimeCompare(p.Connect.Password, []byte(g.broker.password))
	return user&password == 1
}

// OnACLCheck lets who is in do everything: there is one user.
func (*gatekeeper) OnACLCheck(*mochi.Client, string, bool) bool { return true }
