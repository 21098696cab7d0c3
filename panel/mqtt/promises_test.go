package mqtt

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/room"
)

// curtain is one that says what a test has it say, and accepts every height for later.
type curtain struct{ report devices.Reporter }

func (*curtain) Properties() []devices.Property {
	return []devices.Property{
		{Name: "motion", Kind: devices.KindEnum, Settable: true, Options: devices.Words("up", "stop", "down")},
		{Name: "position", Kind: devices.KindInteger, Settable: true, Continuous: true, Unit: "%", Max: 100},
	}
}
func (c *curtain) Bind(r devices.Reporter)                          { c.report = r }
func (c *curtain) Run(ctx context.Context) error                    { <-ctx.Done(); return nil }
func (c *curtain) Refresh(context.Context) error                    { return nil }
func (c *curtain) Set(context.Context, string, devices.Value) error { return devices.ErrAccepted }
func (c *curtain) is(motion string, height int) {
	c.report.Report("motion", devices.Word(motion), devices.Reported)
	c.report.Report("position", devices.Int(height), devices.Reported)
}

// doorOnly is a gateway of a room that has no more than a curtain at the door.
func doorOnly(t *testing.T, c devices.Device) *Gateway {
	t.Helper()
	r, err := room.New(room.Config{Members: []room.Member{{ID: "door", Device: c}}, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{Cfg: &configs.Room{Room: configs.About{ID: "hall"}}, Room: r, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// A curtain that was sent to 40 % has its final word when it stands - there, near it, or somewhere else -
// but not where it only turns round.
func TestHowACurtainsWayEnds(t *testing.T) {
	for name, test := range map[string]struct {
		way  func(c *curtain)
		want string
	}{
		"it is there":    {func(c *curtain) { c.is("stop", 40) }, "done"},
		"it is near":     {func(c *curtain) { c.is("stop", 41) }, "done"},
		"it is not":      {func(c *curtain) { c.is("stop", 70); time.Sleep(standTime + time.Second) }, "failed"},
		"it turns round": {func(c *curtain) { c.is("stop", 0); time.Sleep(standTime / 2); c.is("up", 0); time.Sleep(time.Minute) }, ""},
		"it goes on after a turn": {func(c *curtain) {
			c.is("stop", 0)
			time.Sleep(standTime / 2)
			c.is("up", 0)
			time.Sleep(time.Minute)
			c.is("up", 40)
		}, "done"},
		"nobody knows": {func(c *curtain) {
			c.report.Report("motion", devices.Value{}, devices.Unknown)
			time.Sleep(10 * time.Minute)
		}, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &curtain{}
				g := doorOnly(t, c)
				c.is("down", 90)
				ctx, cancel := context.WithCancel(t.Context())
				go g.work(ctx, "door", g.queues["door"])
				g.receive("homie/5/hall/door/position/set", []byte("40"), false)
				if got := outcomeOf(t, <-g.answers); got != "accepted" {
					t.Fatal(got)
				}
				synctest.Wait()
				test.way(c)
				synctest.Wait()
				got := ""
				if len(g.answers) > 0 {
					got = outcomeOf(t, <-g.answers)
				}
				if got != test.want || len(g.answers) > 0 {
					t.Errorf("%q and %d more, want %q", got, len(g.answers), test.want)
				}
				cancel()
				synctest.Wait()
			})
		})
	}
}

// slowCurtain takes its time with a command.
type slowCurtain struct {
	curtain
	takes time.Duration
}

func (s *slowCurtain) Set(ctx context.Context, property string, v devices.Value) error {
	time.Sleep(s.takes)
	return s.curtain.Set(ctx, property, v)
}

// Who sets something hears soon that it is taken, however long the equipment is at it.
func TestWhatTakesItsTimeIsAcceptedBefore(t *testing.T) {
	for takes, after := range map[time.Duration]time.Duration{0: 0, soon / 2: soon / 2, 5 * time.Second: soon} {
		synctest.Test(t, func(t *testing.T) {
			c := &slowCurtain{takes: takes}
			g := doorOnly(t, c)
			ctx, cancel := context.WithCancel(t.Context())
			go g.work(ctx, "door", g.queues["door"])
			began := time.Now()
			g.receive("homie/5/hall/door/position/set", []byte("40"), false)
			if got := outcomeOf(t, <-g.answers); got != "accepted" || time.Since(began) != after {
				t.Errorf("of what takes %s it says %s after %s", takes, got, time.Since(began))
			}
			time.Sleep(takes)
			cancel()
			synctest.Wait()
		})
	}
}

func outcomeOf(t *testing.T, m message) string {
	t.Helper()
	var r result
	if err := json.Unmarshal(m.payload, &r); err != nil {
		t.Fatal(err)
	}
	return r.Outcome
}
