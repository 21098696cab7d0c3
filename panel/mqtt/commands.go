package mqtt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

const (
	payloadMax = 1024             // bytes of a set; a level or a source's name is far shorter
	queueMost  = 64               // commands that wait for one device
	waitMost   = 10 * time.Second // that a command may have waited before it is begun

	// soon is how long the broker hears nothing of a command that has been taken, if its end is not known before: telling
	// it would be in the way of carrying it out.
	soon = 2 * time.Millisecond
)

// set is one command as it came.
type set struct {
	node, property, payload string
	at                      time.Time
}

// take receives one message. It must not block: it runs on paho's own goroutine.
func (s *session) take(_ paho.Client, m paho.Message) {
	if m.Topic() == birthTopic {
		if string(m.Payload()) == "online" { // Home Assistant has started, perhaps on a broker that forgot
			s.answer(s.discoveryMessage(s.discovery()))
		}
		return
	}
	if m.Retained() && len(m.Payload()) > 0 {
		s.answer(message{topic: m.Topic(), qos: 1, retained: true})
	}
	s.receive(m.Topic(), m.Payload(), m.Retained())
	if s.blind && !m.Retained() {
		select {
		case s.doubt <- struct{}{}:
		default:
		}
	}
}

// receive turns a message away, or puts it into the queue of its device.
func (g *Gateway) receive(topic string, payload []byte, retained bool) {
	parts := strings.Split(strings.TrimPrefix(topic, g.base+"/"), "/")
	if len(parts) != 3 || parts[2] != "set" || len(payload) == 0 { // empty: a retained message is being cleared
		return
	}
	if !utf8.ValidString(topic) || strings.ContainsAny(topic, "#+\x00") {
		return // no topic that MQTT lets anybody publish on, and so none to answer on
	}
	now := time.Now()
	c := set{node: parts[0], property: parts[1], payload: string(bytes.Clone(payload[:min(len(payload), payloadMax)])), at: now}
	queue := g.queue(c.node)
	switch {
	case retained:
		g.refuse(c, devices.Phrase{
			ZH: "不接受保留的命令消息，请不带保留标志发布", EN: "Retained commands are not taken: they would come again at every reconnect. Publish without retain",
		}, 0)
	case len(payload) > payloadMax:
		c.payload = c.payload[:64] + "…"
		g.refuse(c, devices.Phrase{
			ZH: fmt.Sprintf("消息过长：%d 字节，最多 %d", len(payload), payloadMax), EN: fmt.Sprintf("The message has %d bytes; at most %d are taken", len(payload), payloadMax),
		}, 0)
	case !utf8.Valid(payload):
		g.refuse(c, devices.Phrase{ZH: "消息不是 UTF-8 文本", EN: "The message is no UTF-8 text"}, 0)
	case queue == nil:
		nodes := strings.Join(append(g.Room.Devices(), scenesNode), ", ")
		g.refuse(c, devices.Phrase{ZH: "没有这个设备，有 " + nodes, EN: "There is no such device; there is " + nodes}, 0)
	case g.pulse.frozen(now):
		g.turnAway(c, devices.Expired, devices.Phrase{
			ZH: "控制器曾停顿，命令可能已过期，未执行", EN: "The controller stood still, so the command may be old; it was not carried out",
		}, 0)
	default:
		select {
		case queue <- c:
			runtime.Gosched() // whoever carries it out goes first; the broker's acknowledgement follows, and has time
		default:
			g.refuse(c, devices.Phrase{ZH: "该设备的命令太多，请稍候", EN: "Too many commands wait for this device"}, 1)
		}
	}
}

// work carries out the commands to one device, in order.
func (g *Gateway) work(ctx context.Context, node string, queue <-chan set) {
	var kept sync.WaitGroup
	defer kept.Wait()
	w := worker{Gateway: g, kept: &kept, promises: make(map[string]*promise)}
	for {
		select {
		case c := <-queue:
			switch {
			case ctx.Err() != nil:
				g.report(c, devices.Refused, devices.Phrase{ZH: "控制器正在停止", EN: "The controller is stopping"}, 0)
			case time.Since(c.at) > waitMost:
				g.turnAway(c, devices.Expired, devices.Phrase{ZH: "命令等待过久，未执行", EN: "The command waited too long and was not carried out"}, 0)
			case node == scenesNode:
				w.playScene(ctx, c)
			default:
				w.do(ctx, c)
			}
		case <-ctx.Done():
			if len(queue) == 0 {
				return
			}
		}
	}
}

// worker carries out the commands to one device.
type worker struct {
	*Gateway
	kept     *sync.WaitGroup
	promises map[string]*promise // what is followed to its end, by property
}

func (w *worker) do(ctx context.Context, c set) {
	value := strings.TrimSuffix(c.payload, "\x00")
	property, ok := w.property(c.node, c.property)
	if !ok {
		_, _, err := w.Room.Lookup(c.node, c.property)
		w.refuse(c, devices.Phrase{ZH: "没有这个属性" + thereIs(err), EN: err.Error()}, 0)
		return
	}
	wanted, err := property.Check(value)
	if err != nil && !property.Settable {
		w.refuse(c, devices.Phrase{ZH: "该属性只能读取，不能设置", EN: err.Error()}, 0)
		return
	}
	if err != nil {
		w.refuse(c, devices.Phrase{ZH: "取值不对，可取" + takes(property), EN: err.Error()}, 0)
		return
	}
	accepted := sync.OnceFunc(func() { w.report(c, devices.Accepted, devices.Phrase{}, 0) })
	late := time.AfterFunc(soon, accepted)
	before := w.promises[c.property]
	before.hold()
	o, err := w.Room.Do(ctx, room.Command{Device: c.node, Property: c.property, Value: value, By: journal.By{Via: "mqtt"}})
	before.release(err == nil && o.OK())
	late.Stop()
	accepted()
	switch {
	case err != nil:
		w.report(c, devices.Refused, devices.Phrase{ZH: "没有这个属性或取值不对", EN: err.Error()}, 0)
	case o.Result != devices.Accepted:
		w.report(c, o.Result, o.Reason, o.Retry)
	default:
		made := newPromise(ctx)
		w.promises[c.property] = made
		w.kept.Go(func() { w.keep(made, c, property, wanted) })
	}
}

func (w *worker) playScene(ctx context.Context, c set) {
	by := journal.By{Via: "mqtt"}
	switch c.payload {
	case "run":
		run, err := w.Engine.Start(c.property, by)
		if refusal := new(devices.Refusal); errors.As(err, &refusal) {
			o := devices.OutcomeOf(err)
			w.refuse(c, o.Reason, o.Retry)
			return
		}
		if err != nil {
			w.refuse(c, devices.Phrase{ZH: "没有这个场景" + thereIs(err), EN: err.Error()}, 0)
			return
		}
		w.report(c, devices.Accepted, devices.Phrase{}, 0)
		w.kept.Go(func() { w.attend(ctx, c, run.ID) })
	case "cancel":
		if !w.Engine.Cancel(c.property, by) {
			w.refuse(c, devices.Phrase{ZH: "该场景没有在运行", EN: "That scene is not running"}, 0)
			return
		}
		w.report(c, devices.Done, devices.Phrase{}, 0)
	default:
		w.refuse(c, devices.Phrase{ZH: "场景接受 run 或 cancel", EN: "A scene takes run or cancel"}, 0)
	}
}
