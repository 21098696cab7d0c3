package mqtt

import (
	"crypto/subtle"
	"strings"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// gatekeeper lets in who has the password, says who may write what, and keeps no command for later.
type gatekeeper struct {
	mochi.HookBase
	broker *Broker
}

// ID names the hook.
func (*gatekeeper) ID() string { return "gatekeeper" }

// Provides says what the hook is asked about.
func (*gatekeeper) Provides(b byte) bool {
	switch b {
	case mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPublish:
		return true
	}
	return false
}

// OnConnectAuthenticate checks the user and password. The broker asks nobody about a last will, so it is
// judged here: who may not write a topic may not do so after death either, nor leave a command behind.
func (g *gatekeeper) OnConnectAuthenticate(_ *mochi.Client, p packets.Packet) bool {
	l, known := g.broker.logins[string(p.Connect.Username)]
	same := subtle.ConstantTimeCompare(p.Connect.Password, []byte(l.password)) == 1
	if will := p.Connect; will.WillFlag && (!g.mayWrite(l.role, will.WillTopic) || will.WillRetain && g.commands(will.WillTopic)) {
		return false
	}
	return known && same
}

// OnACLCheck says which topics a login may write. Where it may not, the broker drops a message at QoS 0
// and the connection at QoS 1, as MQTT 3.1.1 has no other way to say so.
func (g *gatekeeper) OnACLCheck(c *mochi.Client, topic string, write bool) bool {
	return !write || g.mayWrite(g.broker.logins[string(c.Properties.Username)].role, topic)
}

func (g *gatekeeper) mayWrite(role, topic string) bool {
	switch role {
	case roleRoom:
		return true
	case roleOperate:
		return g.commands(topic) || topic == birthTopic
	case roleEquipment:
		return !strings.HasPrefix(topic, "homie/") && !strings.HasPrefix(topic, discoveryPrefix+"/") && !strings.HasPrefix(topic, "$")
	}
	return false
}

// commands reports whether a topic is one that sets something in the room.
func (g *gatekeeper) commands(topic string) bool {
	return strings.HasPrefix(topic, g.broker.base+"/") && strings.HasSuffix(topic, "/set")
}

// OnPublish takes commands that were published with retain away.
func (g *gatekeeper) OnPublish(_ *mochi.Client, p packets.Packet) (packets.Packet, error) {
	if !p.FixedHeader.Retain {
		return p, nil
	}
	if ear := g.broker.heard.Load(); g.commands(p.TopicName) && ear != nil && strings.HasPrefix(p.TopicName, ear.base+"/") {
		ear.tell(p.TopicName, p.Payload)
		return p, packets.CodeSuccessIgnore // acknowledged, and no more
	}
	return p, nil
}
