package mqtt

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/devices"
	"lectern/scenes/journal"
)

const (
	answersMost = 1024 // results that may wait for their turn on the connection
	unackedMost = 1024 // results on their way
)

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

// message is one that goes out.
type message struct {
	topic    string
	payload  []byte
	qos      byte
	retained bool
}

// resultOf writes a result.
func (g *Gateway) resultOf(c set, outcome string, reason devices.Phrase, retry int) (message, bool) {
	topic := g.topicOf(c.node, c.property, "$result")
	b, err := json.Marshal(result{
		Outcome: outcome, Device: c.node, Property: c.property, Value: strings.ToValidUTF8(c.payload, "\uFFFD"),
		Reason: reason.EN, ReasonZH: reason.ZH, Retry: retry, Time: time.Now(),
	})
	if err != nil {
		g.Log.Error("writing a result", "error", err)
		return message{}, false
	}
	return message{topic: topic, payload: b, qos: 1}, utf8.ValidString(topic) && !strings.ContainsAny(topic, "#+\x00")
}

// report tells what became of a command that the room has taken. It waits for its turn: none is lost.
// It is for goroutines of the gateway, which live no longer than tell does.
func (g *Gateway) report(c set, outcome devices.Result, reason devices.Phrase, retry int) {
	if m, ok := g.resultOf(c, string(outcome), reason, retry); ok {
		g.answers <- m
	}
}

// turnAway answers a command that the room was not asked about, and tells the journal of it - up to a
// rate, so that a client gone wild does not push everything else out. It does not wait, as it is called
// from paho's own goroutine; what finds no place is counted.
func (g *Gateway) turnAway(c set, outcome devices.Result, reason devices.Phrase, retry int) {
	if m, ok := g.resultOf(c, string(outcome), reason, retry); ok && !g.answer(m) {
		g.unanswered.Add(1)
	}
	if !g.noted.Allow() {
		return
	}
	g.Journal.Record(journal.Entry{
		Time: time.Now(), By: journal.By{Via: "mqtt"}, Device: c.node, Property: c.property,
		Value: strings.ToValidUTF8(c.payload, "\uFFFD"), Outcome: string(outcome), Detail: reason.EN,
	})
}

// refuse turns a command away.
func (g *Gateway) refuse(c set, reason devices.Phrase, retry int) {
	g.turnAway(c, devices.Refused, reason, retry)
}

// answer puts a message on its way without waiting. It reports whether there was room.
func (g *Gateway) answer(m message) bool {
	select {
	case g.answers <- m:
		return true
	default:
		return false
	}
}

// sent is a result that the broker has not acknowledged yet.
type sent struct {
	message
	token paho.Token
}

// tell sends what has been put into answers, until ctx has ended and nothing is left, or the connection is
// lost. What the broker has not acknowledged goes out again on the next connection: who set something
// learns what became of it, if need be twice.
func (s *session) tell(ctx context.Context) {
	var open []sent
	say := func(m message) {
		open = append(open, sent{m, s.client.Publish(m.topic, m.qos, m.retained, m.payload)})
		for len(open) > 0 && (open[0].done(0) || len(open) > unackedMost && open[0].done(publishTime)) {
			open = open[1:]
		}
	}
	defer func() {
		until := time.Now().Add(publishTime)
		for _, o := range open {
			if !o.done(time.Until(until)) {
				s.unsaid = append(s.unsaid, o.message)
			}
		}
	}()
	again := s.unsaid
	s.unsaid = nil
	for _, m := range again {
		say(m)
	}
	for {
		select {
		case m := <-s.answers:
			say(m)
		case <-ctx.Done():
			if len(s.answers) == 0 || !s.client.IsConnectionOpen() {
				return
			}
		}
	}
}

// done reports whether the broker has acknowledged, and waits for that; a lost connection ends the wait.
func (s sent) done(wait time.Duration) bool {
	return s.token.WaitTimeout(wait) && s.token.Error() == nil
}

// send publishes and, where the broker is to acknowledge it, waits for that.
func (s *session) send(m message) {
	token := s.client.Publish(m.topic, m.qos, m.retained, m.payload)
	if m.qos > 0 && !token.WaitTimeout(publishTime) {
		s.Log.Debug("the broker has not acknowledged", "topic", m.topic)
	}
}

func (g *Gateway) topicOf(node, property, attribute string) string {
	return strings.Join([]string{g.base, node, property, attribute}, "/")
}
