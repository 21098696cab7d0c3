package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/devices/sim"
	"lectern/devices/sim/cast"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(everyTest{m}) }

// everyTest runs all tests, and then ends what they have shared.
type everyTest struct{ *testing.M }

func (e everyTest) Run() int {
	defer chromium.close()
	return e.M.Run()
}

// quick is how much faster than life the equipment and the pauses of the scenes are in these tests.
const quick = 50

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// house is a whole room at work: the daemon as it is, its equipment on real ptys and sockets, and a
// machine that speaks to it over HTTP.
type house struct {
	t      testing.TB
	cfg    *configs.Room
	url    string
	secret string
	cast   *cast.Ensemble
	data   string
	log    *slog.Logger
	daemon *daemon
	make   func(changes ...func(*configs.Room)) *configs.Room // the room file as it was, with changes
	stop   func()                                             // ends the daemon, not its equipment
}

// example is the path of a room file that comes with the program.
func example(name string) string { return filepath.Join("..", "..", "configs", name) }

// open starts a room on simulated equipment until the test ends. Changes are made to the room file
// before anything starts.
func open(t testing.TB, path string, changes ...func(*configs.Room)) *house {
	t.Helper()
	return raise(t, path, staging{log: slog.New(slog.DiscardHandler)}, changes...)
}

// staging is how a room is put up, beside what its file says.
type staging struct {
	seed uint64 // of the noise on its wires; 0 for any
	log  *slog.Logger
	more func(*sim.Stage, *cast.Ensemble, *configs.Room) // puts further equipment on the stage before the daemon starts; may be nil
}

func raise(t testing.TB, path string, how staging, changes ...func(*configs.Room)) *house {
	t.Helper()
	file := func(more ...func(*configs.Room)) *configs.Room {
		cfg, err := configs.Load(path, all.Catalogue(), os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		for i := range cfg.Scenes {
			hurry(cfg.Scenes[i].Steps)
		}
		for i := range cfg.Devices {
			cfg.Devices[i].Travel /= quick
			if cfg.Devices[i].Relays != nil { // timed by the daemon itself, on a machine that is busy with other rooms
				cfg.Devices[i].Travel *= 4
			}
			hurryDriver(cfg.Devices[i].Settings)
		}
		for _, change := range append(slices.Clone(changes), more...) {
			change(cfg)
		}
		return cfg
	}
	cfg := file()
	ctx, cancel := context.WithCancel(context.Background())
	stage := sim.NewStage(ctx)
	stage.Seed(how.seed)
	played, err := cast.Play(ctx, stage, cfg, cast.Options{Speed: quick, Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	played.Endpoints.Apply(cfg)
	if how.more != nil {
		how.more(stage, played, cfg)
	}
	h := &house{t: t, cfg: cfg, cast: played, data: t.TempDir(), log: how.log, make: func(changes ...func(*configs.Room)) *configs.Room {
		cfg := file(changes...)
		played.Endpoints.Apply(cfg)
		return cfg
	}}
	h.start()
	t.Cleanup(func() {
		h.stop()
		cancel()
		stage.Wait()
		http.DefaultClient.CloseIdleConnections()
	})
	return h
}

// start starts the daemon, on a port of its own, and waits until the room is ready.
func (h *house) start() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d, err := newDaemon(ctx, h.cfg, h.data, true, h.log)
	if err != nil {
		h.t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- d.run(ctx, listener) }()
	h.daemon = d
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-over; err != nil {
			h.t.Errorf("the daemon ended with %v", err)
		}
	})
	secret, err := os.ReadFile(filepath.Join(h.data, tokenFile))
	if err != nil {
		h.t.Fatal(err)
	}
	h.url, h.secret = "http://"+listener.Addr().String(), strings.TrimSpace(string(secret))
	h.until("the room is ready", func() bool { status, _ := h.call(http.MethodGet, "/readyz", ""); return status == http.StatusOK })
}

// hurryDriver shortens what a driver reckons or waits for by the clock, as the equipment that it speaks with is
// quicker than life.
func hurryDriver(settings any) {
	v := reflect.ValueOf(settings)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return
	}
	for _, name := range []string{"Warming", "Cooling", "AfterPower", "AfterInput"} {
		if f := v.Elem().FieldByName(name); f.IsValid() && f.Kind() == reflect.Int64 {
			f.SetInt(f.Int() / quick)
		}
	}
}

// hurry shortens the pauses of scenes; their order and their conditions stay.
func hurry(steps []configs.Step) {
	for i := range steps {
		steps[i].After /= quick
		steps[i].Pause /= quick
		hurry(steps[i].Together)
		hurry(steps[i].Undo)
	}
}

// call asks the daemon as a machine does, and returns status and body.
func (h *house) call(method, path, body string) (int, string) {
	h.t.Helper()
	request, err := http.NewRequest(method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+h.secret)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// set sets a property and wants an outcome of those given.
func (h *house) set(name string, value any, outcomes ...string) string {
	h.t.Helper()
	device, property, _ := strings.Cut(name, ".")
	b, err := json.Marshal(map[string]any{"value": value})
	if err != nil {
		h.t.Fatal(err)
	}
	_, body := h.call(http.MethodPost, "/api/v1/devices/"+device+"/"+property, string(b))
	var answer struct {
		Outcome string `json:"outcome"`
	}
	_ = json.Unmarshal([]byte(body), &answer)
	if len(outcomes) == 0 {
		outcomes = []string{"done"}
	}
	for _, o := range outcomes {
		if answer.Outcome == o {
			return body
		}
	}
	h.t.Errorf("setting %s to %v: %s, want %v", name, value, strings.TrimSpace(body), outcomes)
	return body
}

// known is what the daemon says of a property.
type known struct {
	Value   any    `json:"value"`
	Quality string `json:"quality"`
}

func (h *house) state() (map[string]known, map[string]sceneRun) {
	h.t.Helper()
	_, body := h.call(http.MethodGet, "/api/v1/state", "")
	var s struct {
		Properties []struct {
			Device, Property string
			known
		} `json:"properties"`
		Runs []sceneRun `json:"runs"`
	}
	if err := json.Unmarshal([]byte(body), &s); err != nil {
		h.t.Fatal(err)
	}
	values, runs := make(map[string]known), make(map[string]sceneRun)
	for _, p := range s.Properties {
		values[p.Device+"."+p.Property] = p.known
	}
	for _, r := range s.Runs {
		runs[r.Scene] = r
	}
	return values, runs
}

// until waits until a condition holds.
func (h *house) until(what string, holds func() bool) {
	h.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	values, runs := h.state()
	h.t.Fatalf("it never came about that %s\nstate %v\nruns %v\ntruth %v", what, values, runs, h.cast.Truth())
}

// says waits until the daemon reports a value.
func (h *house) says(name string, want any) {
	h.t.Helper()
	h.until(fmt.Sprintf("%s is %v", name, want), func() bool {
		values, _ := h.state()
		p := values[name]
		return fmt.Sprint(p.Value) == fmt.Sprint(want) && (p.Quality == "reported" || p.Quality == "assumed")
	})
}

// truly waits until the equipment itself is so.
func (h *house) truly(name, want string) {
	h.t.Helper()
	h.until(fmt.Sprintf("%s truly is %s", name, want), func() bool { return h.cast.Truth()[name] == want })
}

// play runs a scene to its end.
func (h *house) play(scene string) sceneRun {
	h.t.Helper()
	status, body := h.call(http.MethodPost, "/api/v1/scenes/"+scene, "")
	if status != http.StatusAccepted {
		h.t.Fatalf("starting %s: %d %s", scene, status, body)
	}
	var started, ended sceneRun
	if err := json.Unmarshal([]byte(body), &started); err != nil {
		h.t.Fatal(err)
	}
	h.until("scene "+scene+" ends", func() bool {
		_, runs := h.state()
		ended = runs[scene]
		return ended.ID == started.ID && ended.State != "running" && ended.State != "unwinding" && ended.State != "asking"
	})
	return ended
}

// ear hears what arrives at the equipment of a line from now on.
type ear struct {
	wire *sim.Wire
	from uint64
}

func (h *house) listen(line string) ear {
	wire := h.cast.Wires[line]
	_, count, _ := wire.Heard(0)
	return ear{wire, count}
}

// heard is everything that has arrived since.
func (e ear) heard() []byte {
	chunks, _, _ := e.wire.Heard(e.from)
	return bytes.Join(chunks, nil)
}

// hears wants frames on the wire, in this order, whatever polls are between.
func (h *house) hears(e ear, frames ...string) {
	h.t.Helper()
	rest := e.heard()
	for _, f := range frames {
		b := wireBytes(f)
		i := bytes.Index(rest, b)
		if i < 0 {
			h.t.Errorf("on the wire there is no %q (in this order) in\n% X\n%q", f, e.heard(), e.heard())
			return
		}
		rest = rest[i+len(b):]
	}
}

// wireBytes reads "01 05 00" as bytes in hexadecimal and everything else as text.
func wireBytes(s string) []byte {
	var b []byte
	for _, word := range strings.Fields(s) {
		var x byte
		if n, err := fmt.Sscanf(word, "%02X", &x); n != 1 || err != nil || len(word) != 2 {
			return []byte(s)
		}
		b = append(b, x)
	}
	return b
}
