package mqtt

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/room"
)

// sweepAfter is how soon a broker that does not tell is asked for retained commands.
const sweepAfter = time.Second

// session is one connection to the broker, from the connect until it is lost.
type session struct {
	*Gateway
	client paho.Client
	lost   <-chan error
	blind  bool              // the broker does not tell which commands are retained
	doubt  chan struct{}     // a command has come that may be retained
	shown  map[string]string // what each retained topic holds; of the goroutine that follows
}

// run shows the room until ctx ends or the connection is lost. Where ctx ends, the results of what is under
// way still go out before it says goodbye.
func (s *session) run(ctx context.Context, work *sync.WaitGroup) {
	saying, hush := context.WithCancel(context.WithoutCancel(ctx))
	var talk sync.WaitGroup
	talk.Go(func() { s.tell(saying) })
	if err := s.follow(ctx); err != nil {
		s.Log.Warn("the broker is lost; reconnecting", "broker", redact(s.Facilities.Broker), "error", err)
	} else {
		work.Wait()
	}
	hush()
	talk.Wait()
	if s.client.IsConnectionOpen() {
		s.send(message{topic: s.base + "/$state", payload: []byte("disconnected"), qos: 1, retained: true})
	}
	s.client.Disconnect(restTime)
}

// follow publishes everything and then what changes, until ctx ends or the connection is lost.
func (s *session) follow(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.introduce(); err != nil {
		s.Log.Warn("the broker took the connection but not the room", "error", err)
	}
	changes := make(chan room.Update)
	go func() {
		defer close(changes)
		patience := func() time.Duration { return soon }
		for subscription := s.Room.Subscribe(0); ; {
			u, err := subscription.NextSettled(ctx, patience)
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
	served := time.NewTicker(serviceEvery)
	defer served.Stop()
	var sweep <-chan time.Time
	for {
		select {
		case err := <-s.lost:
			return err
		case <-pulse.C:
			s.health()
		case <-served.C:
			s.service()
		case <-s.renewed:
			if err := s.introduce(); err != nil {
				s.Log.Warn("the broker did not take the room anew", "error", err)
			}
		case <-s.doubt:
			sweep = time.After(sweepAfter)
		case <-sweep:
			sweep = nil
			s.listen() // a subscription made anew brings everything that is retained, with its mark
		case u, ok := <-changes:
			if !ok {
				return nil
			}
			s.show(u)
		}
	}
}

// introduce says everything anew after a connect, in the order that the convention asks for.
func (s *session) introduce() error {
	described, found := s.describe(), s.discovery()
	description, err := json.Marshal(described)
	if err != nil {
		return fmt.Errorf("describing the room: %w", err)
	}
	s.send(message{topic: s.base + "/$state", payload: []byte("init"), qos: 1, retained: true})
	for _, topic := range s.memory.gone(described) {
		s.retain(topic, nil)
	}
	s.send(message{topic: s.base + "/$description", payload: description, qos: 1, retained: true})
	state := s.Room.State()
	if state.Staff == nil {
		s.showStaff(room.Staff{}) // of a room that has only just started
	}
	s.show(state)
	s.forgetRuns(state.Runs)
	s.health()
	s.service()
	if err := s.heard(s.listen()); err != nil {
		return err
	}
	s.send(message{topic: s.base + "/$state", payload: []byte("ready"), qos: 1, retained: true})
	if removed := s.memory.removed(found); removed != nil {
		s.send(s.discoveryMessage(*removed))
	}
	s.send(s.discoveryMessage(found))
	if err := s.memory.keep(described, found); err != nil {
		s.Log.Warn("what the broker was told cannot be kept; after a change of the room file old topics stay on it", "error", err)
	}
	s.Log.Info("the room is on the broker", "broker", redact(s.Facilities.Broker), "topic", s.base)
	return nil
}

// listen subscribes to the commands.
func (s *session) listen() paho.Token {
	return s.client.SubscribeMultiple(map[string]byte{s.base + "/+/+/set": 1, birthTopic: 0}, s.take)
}

// refusedSubscription begins the codes by which a broker refuses one (MQTT 3.1.1, 3.9.3); paho makes no error of them.
const refusedSubscription = 0x80

// heard waits until the broker has taken a subscription.
func (s *session) heard(token paho.Token) error {
	if !token.WaitTimeout(publishTime) {
		return errors.New("subscribing to commands: no answer")
	}
	if err := token.Error(); err != nil {
		return fmt.Errorf("subscribing to commands: %w", err)
	}
	if t, ok := token.(*paho.SubscribeToken); ok {
		for topic, granted := range t.Result() {
			if granted >= refusedSubscription {
				return fmt.Errorf("subscribing to %s: the broker refuses it (%#x)", topic, granted)
			}
		}
	}
	return nil
}

// show publishes what an update tells.
func (s *session) show(u room.Update) {
	for _, p := range u.Properties {
		property, ok := s.property(p.Device, p.Property)
		if !ok {
			continue // it has gone since
		}
		s.retain(p.Device+"/"+p.Property, homie(p.Value))
		s.showBand(p)
		// The convention wants $target with every value or never: where nothing is asked for it is the value.
		if property.Settable && !property.Momentary {
			target := p.Target
			if target.IsZero() {
				target = p.Value
			}
			s.retain(p.Device+"/"+p.Property+"/$target", homie(target))
		}
	}
	for _, d := range u.Devices {
		if s.Room.Properties(d.Device) == nil {
			continue // likewise
		}
		s.retain(d.Device+"/online", fmt.Append(nil, d.Online && d.Fed))
		alert := ""
		if !d.Online && d.Fed && d.Error != "" {
			alert = d.Error
		}
		s.retain("$alert/"+d.Device, []byte(alert))
	}
	for _, l := range u.Lines {
		if slices.ContainsFunc(s.face().cfg.Lines, func(known configs.Line) bool { return known.ID == l.Line }) {
			s.showLine(l)
		}
	}
	if len(u.Lines)+len(u.Devices) > 0 {
		s.troubles()
	}
	if u.Staff != nil {
		s.showStaff(*u.Staff)
	}
	for _, r := range u.Runs {
		s.retain(scenesNode+"/"+r.Scene, []byte(r.State))
	}
}

// forgetRuns takes from the broker what scenes did in an earlier life of the daemon.
func (s *session) forgetRuns(now []room.Run) {
	known := make(map[string]bool)
	for _, r := range now {
		known[r.Scene] = true
	}
	for _, scene := range s.face().cfg.Scenes {
		if !known[scene.ID] {
			s.retain(scenesNode+"/"+scene.ID, nil)
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
func (s *session) retain(topic string, payload []byte) {
	if before, ok := s.shown[topic]; ok && before == string(payload) {
		return
	}
	s.shown[topic] = string(payload)
	// At most once: TCP loses nothing while the connection lasts, and after it everything is said
	// again. Acknowledged states and commands on one connection stall each other for 40 ms where
	// a broker leaves Nagle's algorithm on.
	s.send(message{topic: s.base + "/" + topic, payload: payload, retained: true})
}
