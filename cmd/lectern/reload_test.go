package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/configs"
	"lectern/devices/line"
	"lectern/panel"
	"lectern/panel/pin"
	"lectern/scenes/meeting"
)

// reload has the daemon read another room file: the one of the house with changes.
func (h *house) reload(changes ...func(*configs.Room)) (done panel.Reloaded) {
	h.t.Helper()
	status, body := h.tryReload(func() (*configs.Room, error) { return h.make(changes...), nil })
	if err := json.Unmarshal([]byte(body), &done); status != http.StatusOK || err != nil {
		h.t.Fatalf("reload: %d %s", status, body)
	}
	return done
}

func (h *house) tryReload(load func() (*configs.Room, error)) (int, string) {
	h.t.Helper()
	h.daemon.mu.Lock()
	h.daemon.load = func(context.Context) (*configs.Room, error) { return load() }
	h.daemon.mu.Unlock()
	return h.call(http.MethodPost, "/api/v1/reload", "")
}

func device(r *configs.Room, id string) *configs.Device {
	return &r.Devices[slices.IndexFunc(r.Devices, func(d configs.Device) bool { return d.ID == id })]
}

func without(id string) func(*configs.Room) {
	return func(r *configs.Room) {
		r.Devices = slices.DeleteFunc(r.Devices, func(d configs.Device) bool { return d.ID == id })
	}
}

func (h *house) line(id string) *line.Line {
	for _, l := range h.daemon.parts.Lines() {
		if l.ID() == id {
			return l
		}
	}
	return nil
}

// seldom has all equipment of a line asked once an hour, so that every byte on it is somebody's.
func seldom(line string) func(*configs.Room) {
	return func(r *configs.Room) {
		for i := range r.Devices {
			if r.Devices[i].Line == line {
				r.Devices[i].Poll = time.Hour
			}
		}
	}
}

func TestAReloadTouchesOnlyTheLineThatChanged(t *testing.T) {
	h := open(t, example("demo.yaml"), seldom("rack"), seldom("matrix"))
	h.play("system-on")
	ready := func() bool { status, _ := h.call(http.MethodGet, "/readyz", ""); return status == http.StatusOK }
	h.until("everything answers", ready)
	kept := []string{"bus", "rack", "projector", "matrix", "recorder"}
	before := make(map[string]*line.Line)
	seqs := make(map[string]uint64)
	for _, id := range kept {
		before[id] = h.line(id)
		entries, _ := h.line(id).Trace(0)
		seqs[id] = entries[len(entries)-1].Seq
	}
	states, _ := h.state()
	rack, matrix := h.listen("rack"), h.listen("matrix")

	done := h.reload(func(r *configs.Room) { device(r, "dvd").Poll = 7 * time.Second })

	if !slices.Equal(done.Kept, kept) {
		t.Errorf("kept %v, want %v", done.Kept, kept)
	}
	if !slices.Equal(done.Closed, []string{"player"}) || !slices.Equal(done.Opened, []string{"player"}) {
		t.Errorf("closed %v, opened %v", done.Closed, done.Opened)
	}
	h.until("the player answers on its new line", ready)
	for _, id := range kept {
		if h.line(id) != before[id] {
			t.Errorf("line %s is another", id)
		}
		entries, _ := h.line(id).Trace(seqs[id])
		for _, e := range entries {
			if e.Dir == "event" {
				t.Errorf("line %s: %s", id, e.Note)
			}
		}
	}
	if b := append(rack.heard(), matrix.heard()...); len(b) > 0 {
		t.Errorf("written to lines that stayed: % X", b)
	}
	after, _ := h.state()
	for name, was := range states {
		if strings.HasPrefix(name, "rack-") && after[name] != was {
			t.Errorf("%s is %v, was %v", name, after[name], was)
		}
	}
}

func TestNamesPINsAndPagesChangeWithoutALineBeingTouched(t *testing.T) {
	h := open(t, example("demo.yaml"))
	was := h.daemon.parts.Lines()
	hash, err := pin.Hash("9753")
	if err != nil {
		t.Fatal(err)
	}
	main, staff := h.finger(), h.finger()
	main.open("main", "1234")
	staff.open("staff", "2468")

	done := h.reload(func(r *configs.Room) {
		device(r, "door-lights").Name.EN = "Entrance"
		device(r, "spot-1").Levels[0].Name = configs.Name{ZH: "微", EN: "Faint"}
		device(r, "matrix").Inputs[0].Name = configs.Name{EN: "Lectern PC"}
		r.Room.Name.EN = "Blue room"
		r.Panel.PINs = map[string]string{"main": r.Panel.PINs["main"], "system": r.Panel.PINs["system"], "staff": hash}
		r.Panel.Tokens = append(r.Panel.Tokens, configs.Token{Name: "new", Role: "view", Secret: strings.Repeat("s", 24)})
		r.Guards = r.Guards[:0]
	})
	if len(done.Opened)+len(done.Closed) > 0 || !slices.Equal(h.daemon.parts.Lines(), was) {
		t.Errorf("lines were touched: %v", done)
	}
	_, body := h.call(http.MethodGet, "/api/v1/room", "")
	for _, word := range []string{"Entrance", "Faint", "Lectern PC", "Blue room"} {
		if !strings.Contains(body, word) {
			t.Errorf("the panels do not hear of %s", word)
		}
	}
	if _, body := main.get("/api/v1/session"); !strings.Contains(body, `"main"`) {
		t.Errorf("a session whose PIN is the same was closed: %s", body)
	}
	if _, body := staff.get("/api/v1/session"); strings.Contains(body, `"staff"`) {
		t.Errorf("a session whose PIN is another stays open: %s", body)
	}
	staff.open("staff", "9753")
	h.set("door-lights.power", true)
	h.truly("door-lights.power", "true")
}

func (f *finger) get(path string) (int, string) {
	f.t.Helper()
	answer, err := f.client.Get(f.house.url + path)
	if err != nil {
		f.t.Fatal(err)
	}
	defer answer.Body.Close()
	var b strings.Builder
	_, _ = bufio.NewReader(answer.Body).WriteTo(&b)
	return answer.StatusCode, b.String()
}

func TestAFaultKeepsTheOldRoomAndIsToldToEverybody(t *testing.T) {
	h := open(t, example("huddle.yaml"))
	lines := h.daemon.parts.Lines()
	for _, c := range []struct {
		what string
		load func() (*configs.Room, error)
		told []string
	}{
		{"faults of the file", func() (*configs.Room, error) {
			return nil, fmt.Errorf("the room file has faults: %w", configs.Faults{{File: "room.yaml", Line: 3, Column: 1, What: "no such kind"}, {File: "room.yaml", Line: 9, Column: 2, What: "no such line"}})
		}, []string{"room.yaml:3:1: no such kind", "room.yaml:9:2: no such line"}},
		{"a file that cannot be built", func() (*configs.Room, error) {
			return h.make(func(r *configs.Room) { r.Devices[0].Driver = "telepathy" }), nil
		}, []string{"telepathy"}},
		{"a logo that is not there", func() (*configs.Room, error) {
			return h.make(func(r *configs.Room) { r.Panel.Theme.Logo = "/nowhere/logo.png" }), nil
		}, []string{"/nowhere/logo.png"}},
		{"certificates that are not there", func() (*configs.Room, error) {
			return h.make(func(r *configs.Room) {
				r.Facilities = configs.Facilities{Broker: "ssl://127.0.0.1:1", CA: "/nowhere/ca.pem"}
			}), nil
		}, []string{"/nowhere/ca.pem"}},
		{"another room", func() (*configs.Room, error) {
			return h.make(func(r *configs.Room) { r.Room.ID = "other" }), nil
		}, []string{"room.id", "restart"}},
		{"a panel that is to speak TLS", func() (*configs.Room, error) {
			return h.make(func(r *configs.Room) { r.Panel.TLS = &configs.TLS{Self: true} }), nil
		}, []string{"panel.tls", "restart"}},
	} {
		status, body := h.tryReload(c.load)
		_, last := h.call(http.MethodGet, "/api/v1/reload", "")
		_, journal := h.call(http.MethodGet, "/api/v1/journal?most=1", "")
		for _, word := range c.told {
			for where, text := range map[string]string{"the answer": body, "GET /api/v1/reload": last, "the journal": journal} {
				if !strings.Contains(text, word) {
					t.Errorf("%s: %s does not say %q: %s", c.what, where, word, text)
				}
			}
		}
		if status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", c.what, status, body)
		}
		if !slices.Equal(h.daemon.parts.Lines(), lines) {
			t.Fatalf("%s: the lines are others", c.what)
		}
	}
	_, state := h.call(http.MethodGet, "/api/v1/state", "")
	if !strings.Contains(state, `"wrong":1`) || strings.Contains(state, "telepathy") {
		t.Errorf("the state, open to all, has how many faults and not which: %s", state)
	}
	h.set("wall-light.power", true)
	h.reload()
	if _, state := h.call(http.MethodGet, "/api/v1/state", ""); !strings.Contains(state, `"wrong":0`) {
		t.Errorf("a good reload does not end the trouble: %s", state)
	}
}

func TestARunOfASceneEndsByItsOldDefinition(t *testing.T) {
	h := open(t, example("demo.yaml"))
	status, body := h.call(http.MethodPost, "/api/v1/scenes/system-on", "")
	if status != http.StatusAccepted {
		t.Fatal(body)
	}
	h.truly("rack-matrix.power", "true")
	done := h.reload(func(r *configs.Room) {
		for i := range r.Scenes {
			if r.Scenes[i].ID == "system-on" {
				r.Scenes[i].Steps = r.Scenes[i].Steps[:1]
			}
		}
	})
	if len(done.Opened) > 0 {
		t.Errorf("%v", done)
	}
	h.until("the run ends", func() bool { _, runs := h.state(); return runs["system-on"].State == "finished" })
	h.truly("rack-amplifier.power", "true")
	if r := h.play("system-on"); len(r.Steps) != 1 {
		t.Errorf("the next run has %d steps, want the one of the new file", len(r.Steps))
	}
}

func TestACommandUnderWayOnALineThatStaysComesToItsEnd(t *testing.T) {
	h := open(t, example("demo.yaml"), func(r *configs.Room) { device(r, "floor-curtain").Travel = time.Second })
	h.set("floor-curtain.position", 100, "done", "accepted")
	h.reload(func(r *configs.Room) { device(r, "dvd").Poll = 7 * time.Second })
	h.truly("floor-curtain.position", "100")
	h.says("floor-curtain.position", 100)
}

func TestPanelsHearThatTheRoomIsAnother(t *testing.T) {
	h := open(t, example("demo.yaml"))
	stream, err := http.Get(h.url + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	hello := func(answer *http.Response) string {
		lines := bufio.NewScanner(answer.Body)
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var said struct{ Epoch string }
				_ = json.Unmarshal([]byte(data), &said)
				return said.Epoch
			}
		}
		return ""
	}
	before := hello(stream)
	done := h.reload(without("dvd"), func(r *configs.Room) {
		r.Lines = slices.DeleteFunc(r.Lines, func(l configs.Line) bool { return l.ID == "player" })
		r.Sources = slices.DeleteFunc(r.Sources, func(s configs.Source) bool { return s.Player == "dvd" })
		r.Scenes = slices.DeleteFunc(r.Scenes, func(s configs.Scene) bool { return slices.Contains(s.Devices(), "dvd") })
		r.Panel.End = ""
	})
	if !slices.Equal(done.Closed, []string{"player"}) || len(done.Opened) > 0 {
		t.Errorf("%v", done)
	}
	over := make(chan error, 1)
	go func() { _, err := bufio.NewReader(stream.Body).WriteTo(new(strings.Builder)); over <- err }()
	select {
	case <-over:
	case <-time.After(patience):
		t.Fatal("the stream of the old room goes on")
	}
	again, err := http.Get(h.url + "/api/v1/events?since=1&epoch=" + before)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Body.Close()
	if after := hello(again); after == before || after == "" {
		t.Errorf("the epoch is %q, was %q", after, before)
	}
	values, _ := h.state()
	if _, still := values["dvd.transport"]; still {
		t.Error("the player is still in the state")
	}
	if status, body := h.call(http.MethodPost, "/api/v1/devices/dvd/transport", `{"value":"stop"}`); status != http.StatusNotFound {
		t.Errorf("the player that is no more: %d %s", status, body)
	}
	if _, body := h.call(http.MethodGet, "/readyz", ""); strings.Contains(body, "player") {
		t.Errorf("the line that is no more is missed: %s", body)
	}
	done = h.reload()
	if !slices.Equal(done.Opened, []string{"player"}) {
		t.Errorf("%v", done)
	}
	h.play("system-on")
	h.says("dvd.transport", "stop")
}

var errReload = errors.New("no")

func TestTheEquipmentCheckAsksWhatAReloadHasLeft(t *testing.T) {
	h := open(t, example("demo.yaml"))
	h.reload(without("temperature"))
	check := h.daemon.service.Check
	if err := check.Start(false, "W"); err != nil {
		t.Fatal(err)
	}
	h.until("the check is over", func() bool { return !check.State().Running })
	found := check.State().Found
	if len(found) != len(h.cfg.Devices)-1 || slices.ContainsFunc(found, func(f meeting.Found) bool { return f.Device == "temperature" }) {
		t.Errorf("of %d devices %d were asked: %+v", len(h.cfg.Devices)-1, len(found), found)
	}
}

func TestReloadIsForWhoMayOpenTheSystem(t *testing.T) {
	h := open(t, example("huddle.yaml"))
	h.daemon.load = func(context.Context) (*configs.Room, error) { t.Error("it was read"); return nil, errReload }
	f := h.finger()
	if status, body := f.post("/api/v1/reload", ""); status != http.StatusUnauthorized {
		t.Errorf("without a PIN: %d %s", status, body)
	}
	f.open("main", "1234")
	if status, body := f.post("/api/v1/reload", ""); status != http.StatusForbidden {
		t.Errorf("with the main PIN: %d %s", status, body)
	}
}

// The description gets another version on the same connection; what came and what went is on the broker.
func TestFacilitiesSeeWhatAReloadHasChanged(t *testing.T) {
	for _, broker := range []string{"embedded", "mosquitto"} {
		t.Run(broker, func(t *testing.T) {
			t.Parallel()
			b := facilities(t, "huddle.yaml", broker)
			version := func() int64 {
				var d struct{ Version int64 }
				_ = json.Unmarshal([]byte(b.heard("$description")), &d)
				return d.Version
			}
			b.h.until("the description is there", func() bool { return version() > 0 })
			first := version()
			client := b.h.daemon.gateway

			b.h.reload(func(r *configs.Room) { r.Panel.Idle.Sleep *= 2 })
			if v := version(); v != first {
				t.Errorf("a change that is the panels' alone makes version %d of %d", v, first)
			}

			b.h.reload(without("wall-light"), func(r *configs.Room) {
				r.Scenes, r.Rules, r.Panel.End = nil, nil, ""
				moved := *device(r, "table-light")
				moved.ID, moved.Name.ZH = "floor-light", "落地灯"
				*device(r, "table-light") = moved
			})
			b.h.until("the description has another version", func() bool { return version() > first })
			b.says("floor-light/online", "true")
			for _, topic := range []string{"wall-light/power", "wall-light/power/$target", "wall-light/online", "table-light/power"} {
				b.says(topic, "(null)") // as mosquitto_sub says that a retained message was taken away
			}
			b.says("$state", "ready")
			if strings.Contains(b.heard("$description"), "wall-light") || !strings.Contains(b.heard("$description"), "落地灯") {
				t.Errorf("the description: %s", b.heard("$description"))
			}
			b.set("floor-light/power", "true")
			if r := b.ask("wall-light/power", "true"); r.Outcome != "refused" {
				t.Errorf("a device that has gone: %+v", r)
			}
			if b.h.daemon.gateway != client {
				t.Error("the gateway is another")
			}
		})
	}
}

func TestAReloadMovesTheRoomToAnotherBroker(t *testing.T) {
	b := facilities(t, "huddle.yaml", "embedded")
	b.h.reload(func(r *configs.Room) { r.Facilities = configs.Facilities{} })
	if b.h.daemon.gateway != nil || b.h.daemon.broker != nil {
		t.Error("the broker stays")
	}
	b.h.reload(func(r *configs.Room) { r.Facilities = configs.Facilities{Broker: "embedded"} })
	b.h.until("the room is on its broker again", b.h.daemon.onBroker)
}

// Reloads come while people press, scenes run, panels come and go and operators look. Nothing is lost but
// what was on a line that changed, and what was said last is what is.
func TestReloadsAmidEverythingElse(t *testing.T) {
	h := open(t, example("demo.yaml"))
	h.play("system-on")
	ctx, cancel := context.WithCancel(t.Context())
	var others sync.WaitGroup
	again := func(f func()) {
		others.Go(func() {
			for ctx.Err() == nil {
				f()
			}
		})
	}
	say := func(method, path, body string) int { status, _ := h.call(method, path, body); return status }
	again(func() {
		for _, value := range []string{"true", "false"} {
			status, body := h.call(http.MethodPost, "/api/v1/devices/door-lights/power", `{"value":`+value+`}`)
			if status == http.StatusNotFound || strings.Contains(body, "closed") {
				t.Errorf("a light on a line that stays: %d %s", status, body)
			} else if status != http.StatusOK {
				t.Logf("a light, %d: %s", status, body) // superseded by the scene's, or its time-outs on a busy machine
			}
		}
	})
	again(func() { say(http.MethodPost, "/api/v1/devices/dvd/transport", `{"value":"stop"}`) })
	again(func() { say(http.MethodPost, "/api/v1/scenes/lights-on", ""); say(http.MethodGet, "/metrics", "") })
	again(func() { say(http.MethodGet, "/api/v1/room", ""); say(http.MethodGet, "/readyz", "") })
	again(func() {
		short, end := context.WithTimeout(ctx, 50*time.Millisecond)
		defer end()
		request, _ := http.NewRequestWithContext(short, http.MethodGet, h.url+"/api/v1/events", nil)
		if answer, err := http.DefaultClient.Do(request); err == nil {
			_, _ = bufio.NewReader(answer.Body).WriteTo(new(strings.Builder))
			_ = answer.Body.Close()
		}
	})
	bus := h.line("bus")
	for i := range 6 {
		h.reload(func(r *configs.Room) {
			device(r, "dvd").Poll = time.Duration(2+i%3) * time.Second
			device(r, "spot-1").Name.EN = fmt.Sprint("Spot ", i)
			if i%2 == 0 {
				r.Guards, r.Rules = nil, nil
			}
		})
	}
	cancel()
	others.Wait()
	if h.line("bus") != bus {
		t.Error("the bus was opened anew")
	}
	h.set("door-lights.power", true)
	h.truly("door-lights.power", "true")
	h.says("dvd.transport", "stop")
}
