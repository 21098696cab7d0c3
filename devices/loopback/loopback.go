// Package loopback is what every MQTT broker needs that this program plays itself for clients of this machine: a door, and turns.
package loopback

import (
	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Door takes a server's clients as a listener of the library does, and sees them out when the server ends. The library's own
// way holds the lock of its clients while it takes it once more (Clients.GetByListener and Len, mochi v2.7.9): where a client
// leaves in that moment, neither ever ends.
func Door(from listeners.Listener, server *mochi.Server) listeners.Listener {
	return door{from, server}
}

type door struct {
	listeners.Listener
	server *mochi.Server
}

// Close implements listeners.Listener.
func (d door) Close(listeners.CloseFn) {
	d.Listener.Close(func(string) {
		for _, c := range d.server.Clients.GetAll() {
			if !c.Net.Inline && !c.Closed() {
				_ = d.server.DisconnectClient(c, packets.ErrServerShuttingDown) // it may have left meanwhile
			}
		}
	})
}
