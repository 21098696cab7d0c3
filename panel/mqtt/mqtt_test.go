package mqtt

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"go.uber.org/goleak"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lamp is a dimmer that does as it is told, and refuses level "high".
type lamp struct {
	mu     sync.Mutex
	report devices.Reporter
	did    []string
}

func (*lamp) Properties() []devices.Property {
	return []devices.Property{{
		Name: "level", Kind: devices.KindEnum, Settable: true, Continuous: true,
		Options: append(devices.Words("off", "low", "high"), devices.Option{Value: "other", State: true}),
	}}
}
func (l *lamp) Bind(r devices.Reporter)       { l.report = r }
func (l *lamp) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (l *lamp) Refresh(context.Context) error { return nil }
func (l *lamp) Set(_ context.Context, p string, v devices.Value) error {
	if v.String() == "high" {
		return &devices.Refusal{Reason: devices.Phrase{ZH: "太亮", EN: "Too bright"}, For: 7 * time.Second}
	}
	l.mu.Lock()
	l.did = append(l.did, v.String())
	l.mu.Unlock()
	l.report.Report(p, v, devices.Reported)
	return nil
}

func (l *lamp) done() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.did, " ")
}

// listener is a facilities system: it keeps what every topic last said.
type listener struct {
	client paho.Client
	mu     sync.Mutex
	last   map[string]string
	all    []string
	more   chan struct{}
}

func listen(t *testing.T, b *Broker) *listener {
	t.Helper()
	l := &listener{last: make(map[string]string), more: make(chan struct{}, 1)}
	user, password := b.Login()
	l.client = paho.NewClient(paho.NewClientOptions().AddBroker(b.Address()).SetClientID("facilities").
		SetUsername(user).SetPassword(password).SetAutoReconnect(false))
	if token := l.client.Connect(); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	t.Cleanup(func() { l.client.Disconnect(100) })
	token := l.client.Subscribe("#", 1, func(_ paho.Client, m paho.Message) {
		l.mu.Lock()
		l.last[m.Topic()] = string(m.Payload())
		l.all = append(l.all, m.Topic()+" "+string(m.Payload()))
		l.mu.Unlock()
		select {
		case l.more <- struct{}{}:
		default:
		}
	})
	if !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
	return l
}

func (l *listener) until(t *testing.T, what string, holds func(last map[string]string) bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		l.mu.Lock()
		ok := holds(l.last)
		l.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-l.more:
		case <-limit:
			l.mu.Lock()
			defer l.mu.Unlock()
			t.Fatalf("never: %s; heard %q", what, l.all)
		}
	}
}

func (l *listener) says(t *testing.T, topic, payload string) {
	t.Helper()
	l.until(t, topic+" says "+payload, func(last map[string]string) bool { return last[topic] == payload })
}

func (l *listener) publish(t *testing.T, topic, payload string, retained bool) {
	t.Helper()
	if token := l.client.Publish(topic, 1, retained, payload); !token.WaitTimeout(10*time.Second) || token.Error() != nil {
		t.Fatal(token.Error())
	}
}

// result waits for the outcome of a set.
func (l *listener) result(t *testing.T, topic, outcome string) result {
	t.Helper()
	var r result
	l.until(t, topic+" has the outcome "+outcome, func(last map[string]string) bool {
		return json.Unmarshal([]byte(last[topic]), &r) == nil && r.Outcome == outcome
	})
	return r
}

func start(t *testing.T) (*lamp, *Broker, *listener, func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	b, err := NewBroker(context.Background(), "127.0.0.1:0", "hall", nil, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	l := &lamp{}
	r, err := room.New(room.Config{Members: []room.Member{{ID: "spot", Device: l}}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	l.report.Reach(nil)
	l.report.Report("level", devices.Word("off"), devices.Reported)
	scenes := []sequence.Scene{{ID: "dim", Steps: []sequence.Step{{Set: []room.Wish{{Device: "spot", Property: "level", Value: devices.Word("low")}}}}}}
	j := journal.Open("", log)
	e := sequence.New(sequence.Config{Room: r, Scenes: scenes, Log: log, Journal: j})
	user, password := b.RoomLogin()
	g, err := New(Config{
		Cfg: &configs.Room{
			Room:    configs.About{ID: "hall", Name: configs.Name{ZH: "厅", EN: "Hall"}, Language: "zh"},
			Devices: []configs.Device{{ID: "spot", Kind: "dimmer", Name: configs.Name{ZH: "射灯", EN: "Spot"}}},
			Scenes:  []configs.Scene{{ID: "dim", Name: configs.Name{ZH: "调暗", EN: "Dim"}}},
		},
		Room: r, Engine: e, Journal: j, Facilities: configs.Facilities{Broker: b.Address(), User: user, Password: password}, Build: "test", Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	// Before the room speaks: mochi 2.7.9 races with itself where a subscription to a wildcard looks
	// through the retained messages while another client publishes one.
	facilities := listen(t, b)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = e.Run(ctx) })
	wg.Go(func() { _ = g.Run(ctx) })
	stop := sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	facilities.says(t, "homie/5/hall/$state", "ready")
	return l, b, facilities, stop
}

func TestTheRoomIsAHomieDevice(t *testing.T) {
	_, _, f, stop := start(t)
	f.says(t, "homie/5/hall/spot/level", "off")
	f.says(t, "homie/5/hall/spot/online", "true")
	var d homieDevice
	f.until(t, "described", func(last map[string]string) bool {
		return json.Unmarshal([]byte(last["homie/5/hall/$description"]), &d) == nil
	})
	p := d.Nodes["spot"].Properties["level"]
	if d.Homie != "5.0" || d.Name != "厅" || d.Version == 0 || p.Datatype != "enum" || p.Format != "off,low,high,other" || !p.Settable {
		t.Errorf("%+v", d)
	}
	stop()
	f.says(t, "homie/5/hall/$state", "disconnected")
}

func TestEverySetHasAResult(t *testing.T) {
	l, _, f, _ := start(t)
	set, result := "homie/5/hall/spot/level/set", "homie/5/hall/spot/level/$result"
	f.publish(t, set, "low", false)
	f.result(t, result, "done")
	f.says(t, "homie/5/hall/spot/level", "low")
	f.publish(t, set, "high", false)
	if r := f.result(t, result, "refused"); r.Reason != "Too bright" || r.Retry != 7 || r.Value != "high" || r.Device != "spot" {
		t.Errorf("%+v", r)
	}
	f.publish(t, set, "glaring", false)
	f.until(t, "a bad value is refused with what would be right", func(last map[string]string) bool {
		return strings.Contains(last[result], "it takes one of off, low, high")
	})
	f.publish(t, "homie/5/hall/lamp/level/set", "low", false)
	f.until(t, "an unknown device is refused with what there is", func(last map[string]string) bool {
		return strings.Contains(last["homie/5/hall/lamp/level/$result"], "there is spot")
	})
	f.publish(t, set, strings.Repeat("x", 1<<20-100), false)
	f.until(t, "a huge payload is refused", func(last map[string]string) bool {
		return strings.Contains(last[result], "at most 1024 are taken")
	})
	if l.done() != "low" {
		t.Errorf("did %s", l.done())
	}
}

func TestRetainedSetIsRefusedAndCleared(t *testing.T) {
	l, b, f, stop := start(t)
	stop() // a retained command that waits on the broker for the room to come back
	f.publish(t, "homie/5/hall/spot/level/set", "low", true)
	user, password := b.RoomLogin()
	log := slog.New(slog.DiscardHandler)
	r, err := room.New(room.Config{Members: []room.Member{{ID: "spot", Device: l}}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{
		Cfg: &configs.Room{Room: configs.About{ID: "hall"}}, Room: r, Facilities: configs.Facilities{Broker: b.Address(), User: user, Password: password}, Log: log,
		Engine: sequence.New(sequence.Config{Room: r, Log: log}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = g.Run(ctx) }()
	defer func() { cancel(); <-over }()
	if res := f.result(t, "homie/5/hall/spot/level/$result", "refused"); !strings.Contains(res.Reason, "Retained") {
		t.Errorf("%+v", res)
	}
	f.says(t, "homie/5/hall/spot/level/set", "")
	if l.done() != "" {
		t.Errorf("did %s", l.done())
	}
}

func TestCommandsToOneDeviceKeepTheirOrder(t *testing.T) {
	l, _, f, _ := start(t)
	var want []string
	for i := range 40 {
		level := []string{"low", "off"}[i%2]
		want = append(want, level)
		f.publish(t, "homie/5/hall/spot/level/set", level, false)
	}
	f.until(t, "all are done", func(map[string]string) bool { return len(strings.Fields(l.done())) == len(want) })
	if l.done() != strings.Join(want, " ") {
		t.Errorf("did %s", l.done())
	}
}

func TestASceneRunsFromItsTopic(t *testing.T) {
	l, _, f, _ := start(t)
	f.publish(t, "homie/5/hall/scenes/dim/set", "run", false)
	f.says(t, "homie/5/hall/scenes/dim", "finished")
	if l.done() != "low" {
		t.Errorf("did %s", l.done())
	}
	f.publish(t, "homie/5/hall/scenes/nothing/set", "run", false)
	f.result(t, "homie/5/hall/scenes/nothing/$result", "refused")
}

func TestBrokerIsForThisMachineAndItsPassword(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	if _, err := NewBroker(context.Background(), "0.0.0.0:1883", "hall", nil, log); err == nil {
		t.Error("bound to the world")
	}
	b, err := NewBroker(context.Background(), "127.0.0.1:0", "hall", nil, log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = b.Close(), b.Close() }()
	c := paho.NewClient(paho.NewClientOptions().AddBroker(b.Address()).SetUsername("lectern").SetPassword("guess"))
	if token := c.Connect(); token.WaitTimeout(10*time.Second) && token.Error() == nil {
		t.Error("let in with a guess")
	}
}

func TestDiscoveryPointsAtTheHomieTopics(t *testing.T) {
	_, _, f, _ := start(t)
	var d struct {
		Components map[string]map[string]any `json:"components"`
	}
	f.until(t, "discovered", func(last map[string]string) bool {
		return json.Unmarshal([]byte(last["homeassistant/device/lectern-hall/config"]), &d) == nil && len(d.Components) > 0
	})
	light := d.Components["spot_level"]
	for key, want := range map[string]string{
		"platform": "light", "command_topic": "homie/5/hall/spot/level/set", "brightness_scale": "2",
		"brightness_command_template": "{{ ['off','low','high'][value | int] }}", "unique_id": "hall_spot_level",
	} {
		if fmt.Sprint(light[key]) != want {
			t.Errorf("%s is %v, want %s", key, light[key], want)
		}
	}
	if d.Components["scene_dim"]["platform"] != "button" {
		t.Errorf("%v", d.Components)
	}
}
