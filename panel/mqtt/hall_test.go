package mqtt

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

// lamp is a device that does what the word says that it is set to.
type lamp struct {
	mu     sync.Mutex
	report devices.Reporter
	did    []string
}

func (*lamp) Properties() []devices.Property {
	return []devices.Property{
		{Name: "level", Kind: devices.KindEnum, Settable: true, Continuous: true, Options: append(
			devices.Words("off", "low", "high", "later", "deaf", "busy", "blind", "never"), devices.Option{Value: "other", State: true})},
		{Name: "hours", Kind: devices.KindInteger, Settable: true, Min: 0, Max: 100, Step: 5, Unit: "h"},
		{Name: "title", Kind: devices.KindText, Settable: true},
		{Name: "warmth", Kind: devices.KindNumber, Settable: true, Min: -5, Max: 5},
		{Name: "worn", Kind: devices.KindBool},
	}
}
func (l *lamp) Bind(r devices.Reporter)       { l.report = r }
func (l *lamp) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (l *lamp) Refresh(context.Context) error { return nil }
func (l *lamp) Set(_ context.Context, p string, v devices.Value) error {
	switch v.String() {
	case "high":
		return &devices.Refusal{Reason: devices.Phrase{ZH: "太亮", EN: "Too bright"}, For: 7 * time.Second}
	case "deaf":
		return fmt.Errorf("setting: %w", line.ErrNoReply)
	case "busy":
		return fmt.Errorf("setting: %w", line.ErrExpired)
	case "later", "never":
		return devices.ErrAccepted
	case "blind":
		l.report.Report(p, v, devices.Assumed)
		return devices.ErrSent
	}
	l.mu.Lock()
	l.did = append(l.did, v.String())
	l.mu.Unlock()
	l.report.Report(p, v, devices.Reported)
	return nil
}

// done is what it has been told and did, in order.
func (l *lamp) done() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.did...)
}

// hall is a small room on a broker.
type hall struct {
	lamp    *lamp
	gateway *Gateway
	journal *journal.Journal
	rooms   *room.Room
	stop    func()
}

// hallFile is its room file.
func hallFile(id string) *configs.Room {
	return &configs.Room{
		Room:    configs.About{ID: id, Name: configs.Name{ZH: "厅", EN: "Hall"}, Language: "zh"},
		Lines:   []configs.Line{{ID: "bus"}},
		Devices: []configs.Device{{ID: "spot", Kind: "dimmer", Name: configs.Name{ZH: "射灯", EN: "Spot"}}},
		Scenes:  []configs.Scene{{ID: "dim", Name: configs.Name{ZH: "调暗", EN: "Dim"}}, {ID: "stuck", Name: configs.Name{ZH: "卡住", EN: "Stuck"}}},
	}
}

// newHall makes the hall's gateway without running it.
func newHall(t testing.TB, v *venue, id string, changes ...func(*Config)) *hall {
	t.Helper()
	h := &hall{lamp: &lamp{}, journal: journal.Open("", silent)}
	var err error
	h.rooms, err = room.New(room.Config{Members: []room.Member{{ID: "spot", Device: h.lamp}}, Log: silent, Journal: h.journal})
	if err != nil {
		t.Fatal(err)
	}
	h.lamp.report.Reach(nil)
	h.lamp.report.Report("level", devices.Word("off"), devices.Reported)
	wish := func(v string) []sequence.Step {
		return []sequence.Step{{Set: []room.Wish{{Device: "spot", Property: "level", Value: devices.Word(v)}}}}
	}
	scenes := []sequence.Scene{{ID: "dim", Steps: wish("low")}, {ID: "stuck", Steps: wish("deaf")}}
	e := sequence.New(sequence.Config{Room: h.rooms, Scenes: scenes, Log: silent, Journal: h.journal})
	c := Config{
		Cfg: hallFile(id), Room: h.rooms, Engine: e, Journal: h.journal, Facilities: v.facilities(), Broker: v.broker, Build: "test", Log: silent,
	}
	for _, change := range changes {
		change(&c)
	}
	h.gateway, err = New(c)
	if err != nil {
		t.Fatal(err)
	}
	h.stop = func() {}
	return h
}

// run runs it until the test ends or stop is called.
func (h *hall) run(t testing.TB) *hall {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.gateway.Engine.Run(ctx) })
	wg.Go(func() { _ = h.gateway.Run(ctx) })
	h.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(h.stop)
	return h
}

// show opens the hall on a broker and waits until it is ready.
func show(t testing.TB, v *venue, changes ...func(*Config)) (*hall, *listener) {
	t.Helper()
	h := newHall(t, v, "hall", changes...).run(t)
	f := listen(t, v)
	f.says(t, "homie/5/hall/$state", "ready")
	return h, f
}
