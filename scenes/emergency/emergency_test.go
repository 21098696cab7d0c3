package emergency

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/automatic"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// thing is a piece of equipment that does as it is told, and notes it.
type thing struct {
	hall       *hall
	id         string
	properties []devices.Property

	mu     sync.Mutex
	slow   time.Duration // how long a command takes
	report devices.Reporter
	sick   error
	is     map[string]devices.Value
}

func (t *thing) Properties() []devices.Property { return t.properties }
func (t *thing) Bind(r devices.Reporter)        { t.report = r }
func (t *thing) Run(ctx context.Context) error  { <-ctx.Done(); return nil }
func (t *thing) Refresh(context.Context) error  { return nil }

func (t *thing) Set(ctx context.Context, p string, v devices.Value) error {
	t.mu.Lock()
	slow := t.slow
	t.mu.Unlock()
	time.Sleep(slow)
	t.mu.Lock()
	sick := t.sick
	t.mu.Unlock()
	if sick != nil {
		return sick
	}
	t.hall.note(t.id, p, v)
	if t.id == "projector" && v == devices.Word("off") {
		t.become(p, devices.Word("cooling"))
		time.AfterFunc(40*time.Second, func() { t.become(p, devices.Word("off")) })
		return devices.ErrAccepted
	}
	t.become(p, v)
	return nil
}

// become is what the equipment comes to, by itself or by a hand on it.
func (t *thing) become(p string, v devices.Value) {
	t.mu.Lock()
	t.is[p] = v
	t.mu.Unlock()
	t.report.Report(p, v, devices.Reported)
}

// takes makes commands take a while from now on.
func (t *thing) takes(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.slow = d
}

func (t *thing) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sick = err
}

// hall is a room with an alarm: lamps, behind a circuit; a loudspeaker; a curtain; a projector, whose mains must not
// go while it is hot and which the emergency wishes off.
type hall struct {
	things map[string]*thing
	room   *room.Room
	engine *sequence.Engine
	board  *automatic.Board
	stop   func()

	mu     sync.Mutex
	alarm  bool // to be kept from now on
	did    []string
	undone []string // what equipment was told that undoes the emergency, or that no guard may let through
}

var wishes = []room.Wish{
	{Device: "lamps", Property: "power", Value: devices.Bool(true)},
	{Device: "sound", Property: "mute", Value: devices.Bool(true)},
	{Device: "curtain", Property: "motion", Value: devices.Word("up")},
	{Device: "rack", Property: "power", Value: devices.Bool(false)},
}

var why = devices.Phrase{ZH: "火警", EN: "Fire alarm"}

func (h *hall) note(device, property string, v devices.Value) {
	hot := h.get("projector", "power") != devices.Word("off")
	h.mu.Lock()
	defer h.mu.Unlock()
	said := fmt.Sprintf("%s.%s=%s", device, property, v)
	h.did = append(h.did, said)
	if device == "rack" && !v.Bool() && hot {
		h.undone = append(h.undone, "hot: "+said)
	}
	if !h.alarm {
		return
	}
	if device == "mains" && !v.Bool() {
		h.undone = append(h.undone, said)
	}
	for _, w := range wishes {
		if w.Device == device && (w.Property != property || w.Value != v) {
			h.undone = append(h.undone, said)
		}
	}
}

func (h *hall) get(device, property string) devices.Value {
	t := h.things[device]
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.is[property]
}

func open(t *testing.T, folder string) *hall {
	t.Helper()
	h := &hall{things: make(map[string]*thing)}
	power := devices.Property{Name: "power", Kind: devices.KindBool, Settable: true}
	var members []room.Member
	add := func(id, mains string, properties ...devices.Property) *thing {
		h.things[id] = &thing{hall: h, id: id, properties: properties, is: make(map[string]devices.Value)}
		members = append(members, room.Member{ID: id, Mains: mains, Device: h.things[id]})
		return h.things[id]
	}
	add("mains", "", power)
	add("lamps", "mains", power)
	add("other", "", power)
	add("sound", "", devices.Property{Name: "mute", Kind: devices.KindBool, Settable: true}, devices.Property{Name: "volume", Kind: devices.KindInteger, Settable: true, Max: 100})
	add("curtain", "", devices.Property{Name: "motion", Kind: devices.KindEnum, Settable: true, Options: devices.Words("up", "stop", "down")})
	add("rack", "", power)
	add("projector", "", devices.Property{Name: "power", Kind: devices.KindEnum, Settable: true, Options: append(devices.Words("off", "on"), devices.Option{Value: "cooling", State: true})})
	add("fire", "", devices.Property{Name: "contact", Kind: devices.KindBool})
	log := slog.New(slog.DiscardHandler)
	made, err := room.New(room.Config{
		Members: members, Log: log,
		Guards: []room.Guard{{
			ID: "hot", Reason: devices.Phrase{EN: "The lamp is hot"},
			Set:     []room.Match{{Device: "rack", Property: "power", Values: []devices.Value{devices.Bool(false)}}},
			Require: []room.Match{{Device: "projector", Property: "power", Values: []devices.Value{devices.Word("off")}}},
		}},
		Sources: []room.Source{{ID: "dark", On: "sources", Set: []room.Wish{{Device: "other", Property: "power", Value: devices.Bool(true)}, {Device: "lamps", Property: "power", Value: devices.Bool(false)}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.room = made
	for id, p := range map[string]string{"mains": "power", "rack": "power"} {
		h.things[id].become(p, devices.Bool(true))
	}
	for id, p := range map[string]string{"lamps": "power", "other": "power", "sound": "mute"} {
		h.things[id].become(p, devices.Bool(false))
	}
	h.things["curtain"].become("motion", devices.Word("stop"))
	h.things["projector"].become("power", devices.Word("on"))
	j := journal.Open("", log)
	off := sequence.Step{Set: []room.Wish{{Device: "lamps", Property: "power", Value: devices.Bool(false)}, {Device: "sound", Property: "mute", Value: devices.Bool(false)}}}
	h.engine = sequence.New(sequence.Config{Room: made, Log: log, Journal: j, Scenes: []sequence.Scene{
		{ID: "dark", Steps: []sequence.Step{off}}, {ID: "show", Steps: []sequence.Step{{Pause: 20 * time.Second}, off}},
	}})
	var store automatic.Store
	if folder != "" {
		store = automatic.File{Path: filepath.Join(folder, "automatic.json")}
	}
	h.board = automatic.New(made, store, j, log)
	e := &Emergency{
		Room: made, Engine: h.engine, Board: h.board, Journal: j, Log: log, Reason: why, Set: wishes,
		Contact: room.Match{Device: "fire", Property: "contact", Values: []devices.Value{devices.Bool(true)}},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.engine.Run(ctx) })
	wg.Go(func() { _ = e.Run(ctx) })
	h.stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	synctest.Wait()
	return h
}

func (h *hall) contact(on bool) {
	h.things["fire"].become("contact", devices.Bool(on))
	synctest.Wait()
	h.mu.Lock()
	h.alarm = on
	h.mu.Unlock()
}

func (h *hall) do(device, property string, v devices.Value) devices.Outcome {
	o, err := h.room.Do(context.Background(), room.Command{Device: device, Property: property, Value: v, By: journal.By{Via: "panel"}})
	if err != nil {
		panic(err)
	}
	return o
}

func (h *hall) emergency() room.Emergency {
	if e := h.room.State().Emergency; e != nil {
		return *e
	}
	return room.Emergency{}
}

// kept says what of the wishes is not so.
func (h *hall) kept() string {
	var not []string
	for _, w := range wishes {
		if h.get(w.Device, w.Property) != w.Value {
			not = append(not, fmt.Sprintf("%s.%s is %s", w.Device, w.Property, h.get(w.Device, w.Property)))
		}
	}
	return strings.Join(not, ", ")
}

func TestAnAlarmOverridesAndItsEndMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, "")
		defer h.stop()
		h.contact(false)
		if _, err := h.engine.Start("show", journal.By{Via: "panel"}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		h.contact(true)
		if not := h.kept(); not != "rack.power is true" {
			t.Errorf("at once: %s; only what a guard keeps may be otherwise", not)
		}
		if e := h.emergency(); !e.On || e.Fault || e.Reason != why {
			t.Errorf("the panels are told %+v", e)
		}
		if runs := h.room.State().Runs; len(runs) != 1 || runs[0].State != room.Cancelled || runs[0].Reason != why {
			t.Errorf("the scene under way: %+v", runs)
		}
		if _, err := h.engine.Start("dark", journal.By{Via: "schedule"}); devices.OutcomeOf(err).Reason != why {
			t.Errorf("a scene began: %v", err)
		}
		for _, c := range []struct {
			device, property string
			v                devices.Value
			want             devices.Result
		}{
			{"lamps", "power", devices.Bool(false), devices.Refused},
			{"lamps", "power", devices.Bool(true), devices.Done},
			{"mains", "power", devices.Bool(false), devices.Refused}, // the lamps hang on it
			{"sound", "volume", devices.Int(50), devices.Refused},
			{"curtain", "motion", devices.Word("stop"), devices.Refused},
			{"sources", "selected", devices.Word("dark"), devices.Refused},
			{"other", "power", devices.Bool(false), devices.Done}, // is none of its business
		} {
			if o := h.do(c.device, c.property, c.v); o.Result != c.want || o.Result == devices.Refused && o.Reason != why {
				t.Errorf("%s.%s to %s: %+v, want %s", c.device, c.property, c.v, o, c.want)
			}
		}
		// The projector goes off, and when it has cooled down its mains does too.
		h.do("projector", "power", devices.Word("off"))
		time.Sleep(45 * time.Second)
		if not := h.kept(); not != "" || len(h.undone) > 0 {
			t.Errorf("%s; %v", not, h.undone)
		}
		before := len(h.did)
		h.contact(false)
		time.Sleep(time.Hour)
		if moved := h.did[before:]; len(moved) > 0 {
			t.Errorf("its end moved %v", moved)
		}
		if o := h.do("lamps", "power", devices.Bool(false)); o.Result != devices.Done {
			t.Errorf("after the end: %+v", o)
		}
		for _, p := range h.room.State().Properties {
			if len(p.Locks) > 0 && p.Device != "rack" {
				t.Errorf("still locked: %+v", p)
			}
		}
	})
}

func TestAnUnknownContactIsAFaultAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, "")
		defer h.stop()
		time.Sleep(time.Minute)
		if e := h.emergency(); e.On || !e.Fault {
			t.Errorf("never read: %+v", e)
		}
		h.contact(false)
		h.things["fire"].report.Reach(line.ErrNoReply) // stale
		time.Sleep(time.Minute)
		if e := h.emergency(); e.On || !e.Fault || len(h.did) > 0 {
			t.Errorf("stale, no alarm: %+v, did %v", e, h.did)
		}
		h.contact(true)
		h.things["fire"].report.Reach(line.ErrNoReply)
		h.things["lamps"].become("power", devices.Bool(false)) // by a switch on the wall
		time.Sleep(time.Minute)
		if e := h.emergency(); !e.On || !e.Fault {
			t.Errorf("stale in an alarm: %+v", e)
		}
		if h.get("lamps", "power") != devices.Bool(true) {
			t.Error("a contact that went silent ended the alarm")
		}
	})
}

func TestARestartIsNoAllClear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		folder := t.TempDir()
		h := open(t, folder)
		h.contact(true)
		h.stop()
		h = open(t, folder)
		time.Sleep(time.Minute)
		if e := h.emergency(); !e.On || !e.Fault || h.get("lamps", "power") != devices.Bool(true) {
			t.Errorf("after a restart with a silent contact: %+v", e)
		}
		h.contact(false)
		h.stop()
		h = open(t, folder)
		defer h.stop()
		time.Sleep(time.Minute)
		if e := h.emergency(); e.On || len(h.did) > 0 {
			t.Errorf("after the end and a restart: %+v, did %v", e, h.did)
		}
	})
}

func TestEquipmentThatDoesNotAnswerIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, "")
		defer h.stop()
		h.things["lamps"].fail(line.ErrNoReply)
		h.contact(true)
		time.Sleep(time.Minute)
		h.things["lamps"].fail(nil)
		time.Sleep(failedMost)
		if h.get("lamps", "power") != devices.Bool(true) {
			t.Error("the lamps came back and were not switched on")
		}
	})
}

// A command that was on its way before the alarm may arrive after it: what it did is put right.
func TestWhatWasUnderWayIsPutRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, "")
		defer h.stop()
		h.contact(false)
		h.do("lamps", "power", devices.Bool(true))
		h.things["lamps"].takes(3 * time.Second)
		var wg sync.WaitGroup
		wg.Go(func() { h.do("lamps", "power", devices.Bool(false)) })
		time.Sleep(time.Second)
		h.things["fire"].become("contact", devices.Bool(true))
		wg.Wait()
		time.Sleep(settleTime + 4*time.Second)
		if not := h.kept(); strings.Contains(not, "lamps") {
			t.Error(not)
		}
	})
}

// While an alarm lasts nothing undoes it, whoever asks and in whatever order: no equipment is told otherwise, the
// lamp is never cut hot, and what somebody changes at the equipment itself is put right.
func TestNothingUndoesAnAlarm(t *testing.T) {
	type act struct {
		kind, device, property string
		value                  devices.Value
		wait                   time.Duration
	}
	truth := []devices.Value{devices.Bool(true), devices.Bool(false)}
	values := map[string][]devices.Value{
		"lamps.power": truth, "mains.power": truth, "other.power": truth, "rack.power": truth, "sound.mute": truth,
		"sound.volume": {devices.Int(0), devices.Int(80)}, "curtain.motion": {devices.Word("up"), devices.Word("stop"), devices.Word("down")},
		"projector.power": {devices.Word("on"), devices.Word("off")}, "sources.selected": {devices.Word("dark")},
	}
	names := []string{"lamps.power", "mains.power", "other.power", "rack.power", "sound.mute", "sound.volume", "curtain.motion", "projector.power", "sources.selected"}
	rapid.Check(t, func(rt *rapid.T) {
		acts := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) act {
			name := rapid.SampledFrom(names).Draw(rt, "property")
			device, property, _ := strings.Cut(name, ".")
			return act{
				kind:   rapid.SampledFrom([]string{"do", "do", "do", "slow", "scene", "hand", "silence"}).Draw(rt, "kind"),
				device: device, property: property, value: rapid.SampledFrom(values[name]).Draw(rt, "value"),
				wait: time.Duration(rapid.IntRange(0, 3000).Draw(rt, "wait")) * time.Millisecond,
			}
		}), 1, 12).Draw(rt, "acts")
		begin := rapid.IntRange(0, len(acts)).Draw(rt, "alarm")
		var fault string
		synctest.Test(t, func(t *testing.T) {
			h := open(t, "")
			defer h.stop()
			h.contact(false)
			var wg sync.WaitGroup
			for i, a := range acts {
				if i == begin {
					wg.Wait() // what had begun before is over: it was right when it was done
					h.contact(true)
				}
				switch a.kind {
				case "do":
					wg.Go(func() { h.do(a.device, a.property, a.value) })
				case "slow":
					if thing := h.things[a.device]; thing != nil && i >= begin {
						wg.Wait()
						thing.takes(2 * time.Second)
					}
				case "scene":
					_, _ = h.engine.Start([]string{"dark", "show"}[len(a.device)%2], journal.By{Via: "rule"})
				case "hand":
					if a.device == "lamps" || a.device == "sound" && a.property == "mute" {
						h.things[a.device].become(a.property, a.value)
					}
				case "silence":
					if i > begin {
						h.things["fire"].report.Reach(line.ErrNoReply)
					}
				}
				time.Sleep(a.wait)
			}
			wg.Wait()
			if begin == len(acts) {
				h.contact(true)
			}
			h.do("projector", "power", devices.Word("off"))
			time.Sleep(2 * time.Minute)
			if not := h.kept(); not != "" || len(h.undone) > 0 || !h.emergency().On {
				fault = fmt.Sprintf("%s; told otherwise: %v; %+v", not, h.undone, h.emergency())
			}
		})
		if fault != "" {
			rt.Fatal(fault)
		}
	})
}
