package mqtt

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"lectern/configs"
)

// Broker is an embedded MQTT broker for a room that has none: bound to loopback, each login with the
// topics that it may write. Reading is free to who is let in: everything on it is of this one room.
type Broker struct {
	server  *mochi.Server
	address string
	base    string // of the room's own topics
	logins  map[string]login
	shut    sync.Once
}

// login is who may come in, and as what.
type login struct {
	password string
	role     string
}

// The roles beside those of the room file. Facilities operate; the room itself writes everything.
const (
	roleRoom      = "room"
	roleOperate   = "operate"
	roleEquipment = "equipment"
)

const (
	roomUser       = "lectern-room"
	facilitiesUser = "lectern"
)

// packetMost bounds one MQTT packet; a room's description is the largest thing on it.
const packetMost = 1 << 20

// NewBroker opens a broker for a room on a loopback address; port 0 for any. Two logins are made up, one
// for the room and one that Login tells; users are those of the room file.
func NewBroker(ctx context.Context, address, room string, users []configs.User, log *slog.Logger) (*Broker, error) {
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
	b := &Broker{server: mochi.New(options), address: listener.Addr().String(), base: "homie/5/" + room, logins: map[string]login{
		roomUser: {rand.Text(), roleRoom}, facilitiesUser: {rand.Text(), roleOperate},
	}}
	for _, u := range users {
		b.logins[u.Name] = login{u.Password, u.Role}
	}
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

// Login returns the user and password that facilities come in with: they see all and may set.
func (b *Broker) Login() (user, password string) {
	return facilitiesUser, b.logins[facilitiesUser].password
}

// RoomLogin returns the login of the room itself.
func (b *Broker) RoomLogin() (user, password string) { return roomUser, b.logins[roomUser].password }

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
	l, known := g.broker.logins[string(p.Connect.Username)]
	same := subtle.ConstantTimeCompare(p.Connect.Password, []byte(l.password)) == 1
	return known && same
}

// OnACLCheck says which topics a login may write. A message that is not let through is dropped, as MQTT
// 3.1.1 has no way to say so.
func (g *gatekeeper) OnACLCheck(c *mochi.Client, topic string, write bool) bool {
	if !write {
		return true
	}
	own := strings.HasPrefix(topic, g.broker.base+"/")
	switch g.broker.logins[string(c.Properties.Username)].role {
	case roleRoom:
		return true
	case roleOperate:
		return own && strings.HasSuffix(topic, "/set") || topic == birthTopic
	case roleEquipment:
		return !strings.HasPrefix(topic, "homie/") && !strings.HasPrefix(topic, discoveryPrefix+"/") && !strings.HasPrefix(topic, "$")
	}
	return false
}
