package mqtt

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/devices"
)

// connection is one to a broker that acknowledges, or not.
type connection struct {
	paho.Client
	said []string
	fate error
}

func (c *connection) IsConnectionOpen() bool { return c.fate == nil }
func (c *connection) Publish(topic string, _ byte, _ bool, _ any) paho.Token {
	c.said = append(c.said, topic)
	return acknowledged{c.fate}
}

type acknowledged struct{ fate error }

func (acknowledged) Wait() bool                     { return true }
func (acknowledged) WaitTimeout(time.Duration) bool { return true }
func (acknowledged) Done() <-chan struct{}          { c := make(chan struct{}); close(c); return c }
func (a acknowledged) Error() error                 { return a.fate }

// A result that was on its way when the connection broke goes out on the next one, before what is newer.
func TestAResultThatWasNotAcknowledgedIsSaidAgain(t *testing.T) {
	g := newHall(t, &venue{}, "hall").gateway
	over, cancel := context.WithCancel(t.Context())
	cancel()
	broken, sound := &connection{fate: errors.New("connection lost")}, &connection{}
	g.report(set{node: "spot", property: "level", payload: "low"}, devices.Done, devices.Phrase{}, 0)
	done := make(chan struct{})
	ctx, hush := context.WithCancel(t.Context())
	go func() { defer close(done); (&session{Gateway: g, client: broken}).tell(ctx) }()
	for len(g.answers) > 0 {
		runtime.Gosched()
	}
	hush()
	<-done
	g.report(set{node: "spot", property: "hours", payload: "5"}, devices.Done, devices.Phrase{}, 0)
	(&session{Gateway: g, client: sound}).tell(over)
	if want := []string{"homie/5/hall/spot/level/$result", "homie/5/hall/spot/hours/$result"}; !slices.Equal(sound.said, want) || len(g.unsaid) > 0 {
		t.Errorf("said %v, not %v", sound.said, g.unsaid)
	}
}
