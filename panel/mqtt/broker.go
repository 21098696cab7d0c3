package mqtt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"

	"lectern/configs"
	"lectern/devices/loopback"
)

// Broker is an embedded MQTT broker for a room that has none: bound to loopback, each login with the
// topics that it may write. Reading is free to who is let in: everything on it is of this one room.
type Broker struct {
	server  *mochi.Server
	address string
	base    string // of the room's own topics
	logins  map[string]login
	heard   atomic.Pointer[ear]
	shut    sync.Once
}

// ear is who is told of commands that were published with retain.
type ear struct {
	base string
	tell func(topic string, payload []byte)
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
	logins := map[string]login{roomUser: {rand.Text(), roleRoom}, facilitiesUser: {rand.Text(), roleOperate}}
	for _, u := range users {
		logins[u.Name] = login{u.Password, u.Role}
	}
	return newBroker(ctx, address, room, logins, log)
}

func newBroker(ctx context.Context, address, room string, logins map[string]login, log *slog.Logger) (*Broker, error) {
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("the embedded broker at %s: it is for this machine alone; give a loopback address, such as 127.0.0.1:1883", address)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("the embedded broker: %w", err)
	}
	// Figures of the broker's own on $SYS are not for anybody here, and it writes them without the turns
	// that gatekeeper keeps.
	options := &mochi.Options{Logger: log, Capabilities: mochi.NewDefaultServerCapabilities(), SysTopicResendInterval: 1 << 30}
	options.Capabilities.MaximumPacketSize = packetMost
	b := &Broker{server: mochi.New(options), address: listener.Addr().String(), base: "homie/5/" + room, logins: logins}
	err = errors.Join(
		b.server.AddHook(&gatekeeper{broker: b}, nil),
		b.server.AddHook(new(loopback.Turns), nil),
		b.server.AddListener(loopback.Door(listeners.NewNet("loopback", prompt{listener}), b.server)),
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

// hear has somebody told of commands below base that were published with retain. They go no further:
// the broker keeps none and passes none on.
func (b *Broker) hear(base string, tell func(topic string, payload []byte)) {
	b.heard.Store(&ear{base, tell})
}

// Close ends the broker. It may be called more than once; the server's own Close may not.
func (b *Broker) Close() (err error) {
	b.shut.Do(func() { err = b.server.Close() })
	return err //nolint:wrapcheck // the broker's own words
}

// prompt takes connections that send small packets at once. With Nagle's algorithm an acknowledgement
// that is under way holds the next state up for 40 ms.
type prompt struct{ net.Listener }

// Accept implements net.Listener.
func (p prompt) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		err = tcp.SetNoDelay(true)
	}
	return c, err //nolint:wrapcheck // the listener's own
}
