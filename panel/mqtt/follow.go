package mqtt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/devices"
	"lectern/scenes/room"
)

// sweepAfter is how soon a broker that does not tell is asked for retained commands.
const sweepAfter = time.Second

// follow publishes what changes, and everything after a connect.
func (g *Gateway) follow(ctx context.Context) {
	changes := make(chan room.Update)
	go func() {
		defer close(changes)
		for s := g.Room.Subscribe(0); ; {
			u, err := s.Next(ctx)
			if err != nil {
				return
			}
			select {
			case changes <- u:
			case <-ctx.Done():
				return
			}
		}
	}()
	pulse := time.NewTicker(healthEvery)
	defer pulse.Stop()
	var sweep <-chan time.Time
	for {
		select {
		case <-g.up:
			if err := g.introduce(); err != nil {
				g.Log.Warn("the broker took the connection but not the room", "error", err)
			}
		case <-pulse.C:
			if g.client.IsConnectionOpen() {
				g.health()
			}
		case <-g.doubt:
			sweep = time.After(sweepAfter)
		case <-sweep:
			sweep = nil
			g.listen() // a subscription made anew brings everything that is retained, with its mark
		case u, ok := <-changes:
			if !ok {
				return
			}
			if g.client.IsConnectionOpen() {
				g.show(u)
			}
		}
	}
}

// introduce says everything anew after a connect, in the order that the convention asks for.
func (g *Gateway) introduce() error {
	described, found := g.describe(), g.discovery()
	description, err := json.Marshal(described)
	if err != nil {
		return fmt.Errorf("describing the room: %w", err)
	}
	clear(g.shown)
	g.send(message{topic: g.base + "/$state", payload: []byte("init"), qos: 1, retained: true})
	for _, topic := range g.memory.gone(described) {
		g.retain(topic, nil)
	}
	g.send(message{topic: g.base + "/$description", payload: description, qos: 1, retained: true})
	state := g.Room.State()
	g.show(state)
	g.forgetRuns(state.Runs)
	g.health()
	if err := g.heard(g.listen()); err != nil {
		return err
	}
	g.send(message{topic: g.base + "/$state", payload: []byte("ready"), qos: 1, retained: true})
	if removed := g.memory.removed(found); removed != nil {
		g.send(g.discoveryMessage(*removed))
	}
	g.send(g.discoveryMessage(found))
	if err := g.memory.keep(described, found); err != nil {
		g.Log.Warn("what the broker was told cannot be kept; after a change of the room file old topics stay on it", "error", err)
	}
	g.Log.Info("the room is on the broker", "broker", redact(g.Facilities.Broker), "topic", g.base)
	return nil
}

// listen subscribes to the commands.
func (g *Gateway) listen() paho.Token {
	return g.client.SubscribeMultiple(map[string]byte{g.base + "/+/+/set": 1, birthTopic: 0}, g.take)
}

// heard waits until the broker has taken a subscription.
func (g *Gateway) heard(token paho.Token) error {
	if !token.WaitTimeout(publishTime) {
		return errors.New("subscribing to commands: no answer")
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("subscribing to commands: %w", err)
	}
	return nil
}

// show publishes what an update tells.
func (g *Gateway) show(u room.Update) {
	for _, p := range u.Properties {
		g.retain(p.Device+"/"+p.Property, homie(p.Value))
		// The convention wants $target with every value or never: where nothing is asked for it is the value.
		if property, ok := g.property(p.Device, p.Property); ok && property.Settable && !property.Momentary {
			target := p.Target
			if target.IsZero() {
				target = p.Value
			}
			g.retain(p.Device+"/"+p.Property+"/$target", homie(target))
		}
	}
	for _, d := range u.Devices {
		g.retain(d.Device+"/online", fmt.Append(nil, d.Online && d.Fed))
		alert := ""
		if !d.Online && d.Fed && d.Error != "" {
			alert = d.Error
		}
		g.retain("$alert/"+d.Device, []byte(alert))
	}
	for _, l := range u.Lines {
		g.showLine(l)
	}
	if len(u.Lines)+len(u.Devices) > 0 {
		g.troubles()
	}
	for _, r := range u.Runs {
		g.retain(scenesNode+"/"+r.Scene, []byte(r.State))
	}
}

// forgetRuns takes from the broker what scenes did in an earlier life of the daemon.
func (g *Gateway) forgetRuns(now []room.Run) {
	known := make(map[string]bool)
	for _, r := range now {
		known[r.Scene] = true
	}
	for _, s := range g.Cfg.Scenes {
		if !known[s.ID] {
			g.retain(scenesNode+"/"+s.ID, nil)
		}
	}
}

func (g *Gateway) property(device, name string) (devices.Property, bool) {
	_, p, err := g.Room.Lookup(device, name)
	return p, err == nil
}

// homie writes a value as the convention does; what is not known is an empty payload, which takes
// the retained message away.
func homie(v devices.Value) []byte {
	if v.IsZero() {
		return nil
	}
	return text(v.String())
}

// retain publishes a retained value where it is another than what the topic is known to hold. It is for
// the goroutine that follows.
func (g *Gateway) retain(topic string, payload []byte) {
	if before, ok := g.shown[topic]; ok && before == string(payload) {
		return
	}
	g.shown[topic] = string(payload)
	// At most once: TCP loses nothing while the connection lasts, and after it everything is said
	// again. Acknowledged states and commands on one connection stall each other for 40 ms where
	// a broker leaves Nagle's algorithm on.
	g.send(message{topic: g.base + "/" + topic, payload: payload, retained: true})
}
