package loopback

import (
	"sync"
	"sync/atomic"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// Turns is a hook of a server, to be added after all others. The library reads the topics of its retained messages for a new
// subscription (mochi v2.7.9, topics.go, 573) while it writes them for another client (461). With it each has its turn, from the
// hook before to the one after. The zero value is ready.
type Turns struct {
	mochi.HookBase
	turns  sync.RWMutex
	writer atomic.Pointer[mochi.Client]
}

// ID names the hook.
func (*Turns) ID() string { return "turns" }

// Provides says what the hook is asked about.
func (*Turns) Provides(b byte) bool {
	switch b {
	case mochi.OnPublish, mochi.OnWill, mochi.OnRetainMessage, mochi.OnSubscribe, mochi.OnPacketProcessed:
		return true
	}
	return false
}

// OnPublish begins the turn of a message that is retained.
func (t *Turns) OnPublish(c *mochi.Client, p packets.Packet) (packets.Packet, error) {
	if p.FixedHeader.Retain {
		t.begin(c)
	}
	return p, nil
}

// OnWill begins the turn of a retained last will.
func (t *Turns) OnWill(c *mochi.Client, w mochi.Will) (mochi.Will, error) {
	if w.Retain && w.WillDelayInterval == 0 {
		t.begin(c)
	}
	return w, nil
}

func (t *Turns) begin(c *mochi.Client) {
	t.turns.Lock()
	t.writer.Store(c)
}

// OnRetainMessage ends the turn of a retained message.
func (t *Turns) OnRetainMessage(c *mochi.Client, _ packets.Packet, _ int64) {
	if t.writer.CompareAndSwap(c, nil) {
		t.turns.Unlock()
	}
}

// OnSubscribe begins the turn of a subscription.
func (t *Turns) OnSubscribe(_ *mochi.Client, p packets.Packet) packets.Packet {
	t.turns.RLock()
	return p
}

// OnPacketProcessed ends it.
func (t *Turns) OnPacketProcessed(_ *mochi.Client, p packets.Packet, _ error) {
	if p.FixedHeader.Type == packets.Subscribe {
		t.turns.RUnlock()
	}
}
