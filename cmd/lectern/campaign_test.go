package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/configs"
	"lectern/devices/sim"
	"lectern/devices/sim/cast"
)

var (
	campaignSeed = flag.Uint64("campaign.seed", 0, "run the campaign's script of this seed and no other")
	campaignFrom = flag.Uint64("campaign.from", 0, "first seed of the campaign; default 1, a long one goes on from there")
)

const (
	campaignRuns = 12 // in the ordinary suite
	sideBySide   = 4  // runs at a time; most of a run is waiting
)

// The fault campaign: the demo room, everything that can go wrong with its wires and equipment, and four
// callers who want something of it at once, by scripts that come from a seed.
//
//	go test -race ./cmd/lectern -run TestCampaign -campaign.seed 17 -v     # one seed, with its script
//	LECTERN_CAMPAIGN=1000 nice go test ./cmd/lectern -run TestCampaign -timeout 3h
//
// What comes from the seed is the script: who does what when, what breaks how, and the bytes of the
// garbage. How the machine divides its time between them does not, so a failure that hangs on a
// moment may need the seed more than once: add -count. Clocks that are set are in TestTheClockIsSet.
func TestCampaign(t *testing.T) {
	runs, from := uint64(campaignRuns), uint64(1)
	if n, err := strconv.ParseUint(os.Getenv("LECTERN_CAMPAIGN"), 10, 32); err == nil {
		runs = n
	}
	if *campaignFrom > 0 {
		from = *campaignFrom
	}
	if *campaignSeed > 0 {
		runs, from = 1, *campaignSeed
	}
	before := goleak.IgnoreCurrent()
	seeds := make(chan uint64)
	var wg sync.WaitGroup
	for range sideBySide {
		wg.Go(func() {
			for seed := range seeds {
				t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { campaign(t, seed) })
			}
		})
	}
	for seed := from; seed < from+runs; seed++ {
		seeds <- seed
		if (seed-from)%100 == 99 {
			t.Logf("%d runs so far", seed-from+1)
		}
	}
	close(seeds)
	wg.Wait()
	if err := goleak.Find(before); err != nil {
		t.Errorf("after all runs: %v", err)
	}
}

// campaign is one run.
func campaign(t *testing.T, seed uint64) {
	s := compose(seed)
	logged, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer logged.Close()
	broker := &tavern{room: "demo"}
	h := raise(t, example("demo.yaml"), staging{
		seed: seed, log: slog.New(slog.NewTextHandler(logged, nil)),
		more: func(stage *sim.Stage, e *cast.Ensemble, cfg *configs.Room) {
			wire, err := stage.Relay("127.0.0.1:0", broker)
			if err != nil {
				t.Fatal(err)
			}
			e.Wires[brokerLine] = wire
			cfg.Facilities = configs.Facilities{Broker: "tcp://" + wire.Address(), User: theRoom.Name, Password: theRoom.Password}
		},
	}, hasten)
	r := &trial{t: t, house: h, script: s, broker: broker, watcher: h.watch()}
	defer func() {
		if t.Failed() {
			b, _ := os.ReadFile(logged.Name()) //nolint:errcheck // it adds to a failure
			t.Logf("again: go test -race ./cmd/lectern -run TestCampaign -campaign.seed %d\n%s\nthe journal:\n%s\nthe daemon's log:\n%s", seed, s, h.diary(), tail(b))
		} else if *campaignSeed > 0 {
			t.Log(s)
		}
	}()
	for _, part := range []struct {
		name string
		do   func()
	}{{"everybody comes", r.callers}, {"the room is as at the start", r.begin}, {"it happens", r.happen}, {"it heals", r.settle}, {"all go", r.close}, {"the witnesses", r.judge}} {
		began := time.Now()
		part.do()
		t.Logf("%s: %.1f s", part.name, time.Since(began).Seconds())
	}
}

func tail(b []byte) []byte { return b[max(0, len(b)-12000):] }

// The tokens of the two machines.
const (
	machineSecret  = "a secret of the machine in the campaign"
	directorSecret = "a secret of the director in the campaign"
)

// hasten makes the demo room's longest times as short as its equipment is quick, and lets machines in.
func hasten(cfg *configs.Room) {
	for i := range cfg.Devices {
		d := &cfg.Devices[i]
		if d.Transition != nil {
			d.Transition.Warm /= quick
			d.Transition.Cool /= quick
		}
		if d.Relays != nil {
			d.Travel = 1500 * time.Millisecond // longer than a relay's lag, so that only the dead time keeps its turns apart
		}
		if f := reflect.ValueOf(d.Settings); d.Driver == "escvp21" {
			f.Elem().FieldByName("Ignition").SetInt(int64(2 * time.Second))
		}
	}
	for i := range cfg.Scenes {
		cfg.Scenes[i].Hold /= quick
		impatient(cfg.Scenes[i].Steps)
	}
	cfg.Panel.Tokens = append(cfg.Panel.Tokens,
		configs.Token{Name: "machine", Role: "system", Secret: machineSecret}, configs.Token{Name: "director", Role: "system", Secret: directorSecret})
}

// impatient shortens how long the steps of scenes wait for equipment, which is quicker than life here.
func impatient(steps []configs.Step) {
	const times = 20
	for i := range steps {
		steps[i].Within /= times
		impatient(steps[i].Together)
		impatient(steps[i].Undo)
	}
}

// trial is one run under way.
type trial struct {
	t       *testing.T
	house   *house
	script  scenario
	broker  *tavern
	watcher *watcher

	panel, machine, director *client
	office                   *office
	screen                   *screenful
	leave                    context.CancelFunc
	gone                     sync.WaitGroup
}

func (r *trial) fail(format string, args ...any) { r.t.Errorf(format, args...) }

// callers brings everybody into the room.
func (r *trial) callers() {
	h := r.house
	r.panel, r.machine, r.director = h.client("panel", "", r.fail), h.client("http machine", machineSecret, r.fail), h.client("http director", directorSecret, r.fail)
	r.panel.unlock()
	r.office = &office{broker: r.broker.address, base: "homie/5/" + h.cfg.Room.ID, fail: r.fail, told: make(map[string]string)}
	var ctx context.Context
	ctx, r.leave = context.WithCancel(context.Background())
	r.screen = newScreenful(h.url)
	r.gone.Go(func() { r.office.join(ctx) })
	r.gone.Go(func() { r.screen.follow(ctx) })
}

// begin brings the room to where the script begins.
func (r *trial) begin() {
	if !r.script.powered {
		return
	}
	r.house.play("system-on")
	if r.script.lit {
		r.machine.set("projector.power", "on")
		r.house.truly("projector.power", "on")
	}
}

// happen plays the script.
func (r *trial) happen() {
	began := time.Now()
	for _, d := range r.script.deeds {
		time.Sleep(time.Until(began.Add(d.at)))
		switch d.who {
		case "panel":
			r.panel.do(d)
		case "machine":
			r.machine.do(d)
		case "director":
			r.director.do(d)
		case "mqtt":
			r.office.do(d)
		default:
			if err := r.stage(d); err != nil {
				r.fail("%s: %v", d, err)
			}
		}
	}
}

// stage does what happens to the equipment.
func (r *trial) stage(d deed) error {
	e := r.house.cast
	switch device, property, _ := strings.Cut(d.on, "."); d.do {
	case "cut":
		return e.Fault(d.on, d.to)
	case "heal":
		return e.Fault(d.on, "")
	case "nudge":
		return e.Nudge(device, property, d.to)
	case "forget":
		return r.broker.forget()
	case "clock":
		by, err := time.ParseDuration(d.to)
		setClock(by)
		return err //nolint:wrapcheck // the script's own
	}
	return fmt.Errorf("nobody knows how to %s", d.do)
}
