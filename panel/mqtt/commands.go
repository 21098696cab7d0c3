package mqtt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

const (
	payloadMax = 1024             // bytes of a set; a level or a source's name is far shorter
	queueMost  = 64               // commands that wait for one device
	waitMost   = 10 * time.Second // that a command may have waited before it is begun
)

// set is one command as it came.
type set struct {
	node, property, payload string
	at                      time.Time
}

// take receives one message. It must not block: it runs on paho's own goroutine.
func (g *Gateway) take(_ paho.Client, m paho.Message) {
	if m.Topic() == birthTopic {
		if string(m.Payload()) == "online" { // Home Assistant has started, perhaps on a broker that forgot
			g.answer(g.discovery())
		}
		return
	}
	parts := strings.Split(strings.TrimPrefix(m.Topic(), g.base+"/"), "/")
	if len(parts) != 3 || len(m.Payload()) == 0 { // empty: a retained message is being cleared
		return
	}
	c := set{node: parts[0], property: parts[1], payload: string(bytes.Clone(m.Payload()[:min(len(m.Payload()), payloadMax)])), at: time.Now()}
	queue, known := g.queues[c.node]
	switch {
	case m.Retained():
		g.answer(message{topic: m.Topic(), qos: 1, retained: true})
		g.refuse(c, devices.Phrase{
			ZH: "不接受保留的命令消息", EN: "Retained commands are not taken: they would come again at every reconnect. Publish without retain",
		}, 0)
	case len(m.Payload()) > payloadMax:
		g.refuse(c, devices.Phrase{ZH: "消息过长", EN: fmt.Sprintf("The message has %d bytes; at most %d are taken", len(m.Payload()), payloadMax)}, 0)
	case !known:
		g.refuse(c, devices.Phrase{ZH: "没有这个设备", EN: "There is no such device; there is " + strings.Join(g.Room.Devices(), ", ")}, 0)
	default:
		select {
		case queue <- c:
		default:
			g.refuse(c, devices.Phrase{ZH: "命令太多，请稍候", EN: "Too many commands wait for this device"}, 1)
		}
	}
}

// result is what .../$result bears.
type result struct {
	Outcome  string    `json:"outcome"`
	Device   string    `json:"device"`
	Property string    `json:"property"`
	Value    string    `json:"value"`
	Reason   string    `json:"reason,omitempty"`
	ReasonZH string    `json:"reason_zh,omitempty"`
	Retry    int       `json:"retry_after,omitempty"` // seconds
	Time     time.Time `json:"time"`
}

func (g *Gateway) report(c set, outcome string, reason devices.Phrase, retry int) {
	b, err := json.Marshal(result{
		Outcome: outcome, Device: c.node, Property: c.property, Value: c.payload,
		Reason: reason.EN, ReasonZH: reason.ZH, Retry: retry, Time: time.Now(),
	})
	if err != nil {
		g.Log.Error("writing a result", "error", err)
		return
	}
	g.answer(message{topic: g.topicOf(c.node, c.property, "$result"), payload: b, qos: 1})
}

// refuse answers a command that the room was not asked about, and tells the journal of it - up to a
// rate, so that a client gone wild does not push everything else out.
func (g *Gateway) refuse(c set, reason devices.Phrase, retry int) {
	g.report(c, string(devices.Refused), reason, retry)
	g.note(c, devices.Refused, reason.EN)
}

func (g *Gateway) note(c set, outcome devices.Result, detail string) {
	if !g.noted.Allow() {
		return
	}
	g.Journal.Record(journal.Entry{
		Time: time.Now(), By: journal.By{Via: "mqtt"}, Device: c.node, Property: c.property, Value: c.payload,
		Outcome: string(outcome), Detail: detail,
	})
}

// work carries out the commands to one device, in order.
func (g *Gateway) work(ctx context.Context, node string, queue <-chan set) {
	for {
		select {
		case c := <-queue:
			switch {
			case time.Since(c.at) > waitMost:
				reason := devices.Phrase{ZH: "命令等待过久，未执行", EN: "The command waited too long and was not carried out"}
				g.report(c, string(devices.Expired), reason, 0)
				g.note(c, devices.Expired, reason.EN)
			case node == scenesNode:
				g.playScene(c)
			default:
				g.do(ctx, c)
			}
		case <-ctx.Done():
			return
		}
	}
}

func (g *Gateway) do(ctx context.Context, c set) {
	value := strings.TrimSuffix(c.payload, "\x00")
	property, ok := g.property(c.node, c.property)
	if !ok {
		_, _, err := g.Room.Lookup(c.node, c.property)
		g.refuse(c, devices.Phrase{ZH: "没有这个属性", EN: err.Error()}, 0)
		return
	}
	if _, err := property.Check(value); err != nil {
		g.refuse(c, devices.Phrase{ZH: "取值不对", EN: err.Error()}, 0)
		return
	}
	g.report(c, string(devices.Accepted), devices.Phrase{}, 0)
	o, err := g.Room.Do(ctx, room.Command{Device: c.node, Property: c.property, Value: value, By: journal.By{Via: "mqtt"}})
	if err != nil {
		g.refuse(c, devices.Phrase{ZH: "没有这个属性或取值不对", EN: err.Error()}, 0)
		return
	}
	g.report(c, string(o.Result), o.Reason, o.Retry)
}

func (g *Gateway) playScene(c set) {
	by := journal.By{Via: "mqtt"}
	switch c.payload {
	case "run":
		_, err := g.Engine.Start(c.property, by)
		if refusal := new(devices.Refusal); errors.As(err, &refusal) {
			o := devices.OutcomeOf(err)
			g.refuse(c, o.Reason, o.Retry)
			return
		}
		if err != nil {
			g.refuse(c, devices.Phrase{ZH: "没有这个场景", EN: err.Error()}, 0)
			return
		}
		g.report(c, string(devices.Accepted), devices.Phrase{}, 0)
	case "cancel":
		if !g.Engine.Cancel(c.property, by) {
			g.refuse(c, devices.Phrase{ZH: "该场景没有在运行", EN: "That scene is not running"}, 0)
			return
		}
		g.report(c, string(devices.Done), devices.Phrase{}, 0)
	default:
		g.refuse(c, devices.Phrase{ZH: "场景接受 run 或 cancel", EN: "A scene takes run or cancel"}, 0)
	}
}
