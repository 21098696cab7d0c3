package panel

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"
	"golang.org/x/crypto/argon2"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/automatic"
	"lectern/scenes/build"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lamp does as it is told, except that level "high" is refused and "broken" fails.
type lamp struct {
	mu     sync.Mutex
	report devices.Reporter
	did    []string
}

func (*lamp) Properties() []devices.Property {
	return []devices.Property{
		{Name: "level", Kind: devices.KindEnum, Settable: true, Options: devices.Words("off", "low", "high", "broken")},
		{Name: "volume", Kind: devices.KindInteger, Settable: true, Max: 100},
	}
}
func (l *lamp) Bind(r devices.Reporter)       { l.report = r }
func (l *lamp) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (l *lamp) Refresh(context.Context) error { return nil }
func (l *lamp) Set(_ context.Context, p string, v devices.Value) error {
	switch v.String() {
	case "high":
		return &devices.Refusal{Reason: devices.Phrase{ZH: "太亮", EN: "Too bright"}, For: 7 * time.Second}
	case "broken":
		return fmt.Errorf("line bus, unit 3: %w", line.ErrNoReply)
	}
	l.mu.Lock()
	l.did = append(l.did, v.String())
	l.mu.Unlock()
	l.report.Report(p, v, devices.Reported)
	return nil
}

const secret = "a-token-of-twenty-characters"

// rig is a panel with one lamp for everybody and one for system.
type rig struct {
	*Server
	lamp, rack *lamp
	url        string
	stop       func()
}

// making changes what a rig is made of, before it is.
type making func(*Config)

// at rest is a rig whose server does not run yet, for tests that ask its handler.
func atRest(t *testing.T, changes ...making) (*rig, *sequence.Engine) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	r := &rig{lamp: &lamp{}, rack: &lamp{}}
	cfg := &configs.Room{
		Room: configs.About{ID: "hall", Name: configs.Name{ZH: "厅", EN: "Hall"}, Language: "zh"},
		Devices: []configs.Device{
			{ID: "lamp", Kind: "dimmer", Name: configs.Name{ZH: "灯", EN: "Lamp"}, Preview: &configs.Preview{URL: "http://127.0.0.1:1/x"}},
			{ID: "rack", Kind: "circuit", Area: "system"},
		},
		Scenes: []configs.Scene{{ID: "dim", Hold: 2 * time.Second}, {ID: "ask"}, {ID: "long"}},
		Panel: configs.Panel{
			PINs:   map[string]string{"main": cheap("1234"), "system": cheap("5678"), "staff": cheap("2468")},
			Idle:   configs.Idle{Sleep: time.Minute, Lock: time.Hour, Area: 5 * time.Minute},
			Tokens: []configs.Token{{Name: "bms", Role: "system", Secret: secret}, {Name: "eye", Role: "view", Secret: secret + "-view"}},
		},
	}
	config := Config{Cfg: cfg, Journal: journal.Open("", log), Build: "test", Log: log}
	for _, change := range changes {
		change(&config)
	}
	made, err := room.New(room.Config{Members: []room.Member{{ID: "lamp", Device: r.lamp}, {ID: "rack", Device: r.rack}}, Journal: config.Journal, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*lamp{r.lamp, r.rack} {
		l.report.Reach(nil)
		l.report.Report("level", devices.Word("off"), devices.Reported)
	}
	step := func(level string) []sequence.Step {
		return []sequence.Step{{Name: devices.Phrase{ZH: "灯", EN: "Lamp"}, Set: []room.Wish{{Device: "lamp", Property: "level", Value: devices.Word(level)}}}}
	}
	asking := step("broken")
	asking[0].OnFailure = sequence.Ask
	e := sequence.New(sequence.Config{Room: made, Journal: config.Journal, Log: log, Scenes: []sequence.Scene{
		{ID: "dim", Steps: step("low")}, {ID: "ask", Steps: asking}, {ID: "long", Steps: []sequence.Step{{Pause: time.Hour}}},
	}})
	board := automatic.New(made, nil, config.Journal, log)
	board.Add(automatic.Rule, "rain", devices.Phrase{ZH: "雨", EN: "Rain"})
	board.Did(automatic.Rule, "rain", devices.OutcomeOf(nil))
	made.PostEmergency(room.Emergency{Reason: devices.Phrase{ZH: "火警", EN: "Fire"}})
	config.Room, config.Engine, config.Board = made, e, board
	service, err := build.Serve(cfg, &build.Parts{Room: made, Engine: e}, "", log)
	if err != nil {
		t.Fatal(err)
	}
	config.Service = service
	r.Server, err = New(config)
	if err != nil {
		t.Fatal(err)
	}
	return r, e
}

func newRig(t *testing.T, changes ...making) *rig {
	t.Helper()
	r, e := atRest(t, changes...)
	r.start(t, e)
	return r
}

// start runs the server on a port of its own until the test ends.
func (r *rig) start(t *testing.T, e *sequence.Engine) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + listener.Addr().String()
	if r.Certificate != nil {
		r.url = "https://" + listener.Addr().String()
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = e.Run(ctx) })
	wg.Go(func() {
		if err := r.Run(ctx, listener); err != nil {
			t.Error(err)
		}
	})
	r.stop = sync.OnceFunc(func() { cancel(); wg.Wait(); http.DefaultClient.CloseIdleConnections() })
	t.Cleanup(r.stop)
	for !e.Ready() {
		time.Sleep(time.Millisecond)
	}
}

// cheap is the hash of a PIN that costs next to nothing to check, for tests of who gets in.
func cheap(digits string) string {
	salt := []byte("salt of the test")
	e := base64.RawStdEncoding.EncodeToString
	return "$argon2id$v=19$m=8,t=1,p=1$" + e(salt) + "$" + e(argon2.IDKey([]byte(digits), salt, 1, 8, 1, 16))
}

// from asks the handler as a client at an address does. Header lines are "Name: value".
func (r *rig) from(address, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, path, strings.NewReader(body))
	request.RemoteAddr, request.Host = net.JoinHostPort(address, "50000"), "127.0.0.1"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			request.Host = value
		}
		request.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, request)
	return w
}

// types types a PIN at an address and returns the answer, and its cookie as a header where there is one.
func (r *rig) types(address, area, digits string, headers ...string) (w *httptest.ResponseRecorder, cookie string) {
	w = r.from(address, http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"pin":%q,"area":%q}`, digits, area), headers...)
	for _, c := range w.Result().Cookies() {
		cookie = "Cookie: " + c.Name + "=" + c.Value
	}
	return w, cookie
}

// ask makes one request; header lines are "Name: value".
func (r *rig) ask(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			request.Host = value
		}
		request.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(b)
}

const bearer = "Authorization: Bearer " + secret

// open types a PIN and returns the cookie as a header.
func (r *rig) open(t *testing.T, area, digits string, headers ...string) string {
	t.Helper()
	answer, body := r.ask(t, http.MethodPost, "/api/v1/session", fmt.Sprintf(`{"pin":%q,"area":%q}`, digits, area), headers...)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("opening %s: %d %s", area, answer.StatusCode, body)
	}
	c := answer.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %+v", c)
	}
	return "Cookie: " + c.Name + "=" + c.Value
}

func TestEveryWrongRequestIsAProblemThatSaysWhatWouldBeRight(t *testing.T) {
	r := newRig(t)
	main := r.open(t, "main", "1234")
	for _, c := range []struct {
		method, path, body, header string
		status                     int
		says                       string
	}{
		{"POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, "", 401, "PIN"},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, "Authorization: Bearer wrong", 401, "token"},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, bearer + "-view", 403, "area main"},
		{"POST", "/api/v1/devices/rack/level", `{"value":"low"}`, main, 403, "area system"},
		{"POST", "/api/v1/devices/lmp/level", `{"value":"low"}`, bearer, 404, "there is lamp, rack"},
		{"POST", "/api/v1/devices/lamp/brightness", `{"value":"low"}`, bearer, 404, "there is level, volume"},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"dark"}`, bearer, 422, "one of off, low, high, broken"},
		{"POST", "/api/v1/devices/lamp/volume", `{"value":101}`, bearer, 422, "from 0 to 100"},
		{"POST", "/api/v1/devices/lamp/volume", `{"value":null}`, bearer, 422, "value"},
		{"POST", "/api/v1/devices/lamp/volume", `{"value":1,"extra":2}`, bearer, 400, "extra"},
		{"POST", "/api/v1/devices/lamp/volume", `{"value":1}{}`, bearer, 400, "more after"},
		{"POST", "/api/v1/devices/lamp/volume", `value=1`, bearer, 400, "JSON"},
		{"POST", "/api/v1/devices/lamp/volume", `{"value":"` + strings.Repeat("x", bodyMost) + `"}`, bearer, 413, "JSON"},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"high"}`, bearer, 409, "Too bright"},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"broken"}`, bearer, 502, "No answer from the equipment"},
		{"POST", "/api/v1/scenes/nothing", ``, bearer, 404, "there is ask, dim, long"},
		{"POST", "/api/v1/scenes/nothing/hold", ``, bearer, 404, "there is ask, dim, long"},
		{"DELETE", "/api/v1/scenes/dim", ``, bearer, 404, "not running"},
		{"POST", "/api/v1/scenes/ask/decision", `{"do":"retry"}`, bearer, 409, "asking"},
		{"POST", "/api/v1/scenes/ask/decision", `{"do":"shrug"}`, bearer, 422, "retry, skip, unwind or stop"},
		{"POST", "/api/v1/automatic/rule/rain", `{"on":false}`, main, 403, "area system"},
		{"POST", "/api/v1/automatic/rule/rain", `{}`, bearer, 422, "on"},
		{"POST", "/api/v1/automatic/rule/snow", `{"on":true}`, bearer, 404, "there is rule rain"},
		{"GET", "/api/v1/journal", ``, "", 401, "PIN"},
		{"GET", "/api/v1/trace", ``, main, 403, "area system"},
		{"GET", "/api/v1/trace?line=bus", ``, bearer, 404, "no such line"},
		{"GET", "/api/v1/preview/rack", ``, bearer, 404, "no preview"},
		{"GET", "/api/v1/preview/lamp", ``, bearer, 502, "no picture"},
		{"GET", "/nothing", ``, "", 404, "openapi"},
		{"PUT", "/api/v1/room", ``, "", 405, "openapi"},
		{"POST", "/api/v1/session", `{"pin":"1234","area":"cellar"}`, "", 422, "main, system and staff"},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, "Sec-Fetch-Site: cross-site", 403, "own pages"},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, "Origin: http://evil.example", 403, "own pages"},
		{"GET", "/api/v1/state", ``, "Host: rebound.example.com", 421, "IP address"},
	} {
		headers := []string{}
		if c.header != "" {
			headers = append(headers, c.header)
		}
		answer, body := r.ask(t, c.method, c.path, c.body, headers...)
		var p problem
		err := json.Unmarshal([]byte(body), &p)
		if answer.StatusCode != c.status || err != nil || p.Status != c.status || p.Title == "" || !strings.Contains(p.Detail, c.says) ||
			answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s %.40s %s: %d %s", c.method, c.path, c.body, c.header, answer.StatusCode, body)
		}
	}
	if len(r.lamp.did)+len(r.rack.did) != 0 {
		t.Errorf("something was done: %v %v", r.lamp.did, r.rack.did)
	}
}

func TestARefusalSaysWhenToTryAgain(t *testing.T) {
	r := newRig(t)
	answer, body := r.ask(t, "POST", "/api/v1/devices/lamp/level", `{"value":"high"}`, bearer)
	if answer.Header.Get("Retry-After") != "7" || !strings.Contains(body, "太亮") {
		t.Errorf("%v %s", answer.Header, body)
	}
}

func TestPINsOpenAreasAndDeleteLocks(t *testing.T) {
	r := newRig(t)
	main := r.open(t, "main", "1234")
	if answer, body := r.ask(t, "POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, main); answer.StatusCode != 200 {
		t.Errorf("main: %d %s", answer.StatusCode, body)
	}
	if answer, _ := r.ask(t, "POST", "/api/v1/session", `{"pin":"5678","area":"system"}`); answer.StatusCode != 403 {
		t.Errorf("system before main: %d", answer.StatusCode)
	}
	r.open(t, "system", "5678", main)
	if answer, body := r.ask(t, "POST", "/api/v1/devices/rack/level", `{"value":"low"}`, main); answer.StatusCode != 200 {
		t.Errorf("system: %d %s", answer.StatusCode, body)
	}
	if _, body := r.ask(t, "GET", "/api/v1/session", "", main); !strings.Contains(body, `"main"`) || !strings.Contains(body, `"system"`) {
		t.Errorf("open: %s", body)
	}
	r.ask(t, "DELETE", "/api/v1/session", "", main)
	if answer, _ := r.ask(t, "POST", "/api/v1/devices/lamp/level", `{"value":"off"}`, main); answer.StatusCode != 401 {
		t.Errorf("after locking: %d", answer.StatusCode)
	}
}

func TestWrongPINsAreCountedAndThenWait(t *testing.T) {
	r := newRig(t)
	for left := 4; left > 0; left-- {
		answer, body := r.ask(t, "POST", "/api/v1/session", `{"pin":"0000"}`)
		if answer.StatusCode != 401 || !strings.Contains(body, fmt.Sprintf(`"tries_left":%d`, left)) {
			t.Errorf("%d %s", answer.StatusCode, body)
		}
	}
	for range 2 {
		answer, body := r.ask(t, "POST", "/api/v1/session", `{"pin":"1234"}`)
		if answer.StatusCode == 200 {
			break // the fifth try may be the right one
		}
		t.Errorf("the fifth try, right: %d %s", answer.StatusCode, body)
	}
	for range 5 {
		r.ask(t, "POST", "/api/v1/session", `{"pin":"0000"}`)
	}
	answer, body := r.ask(t, "POST", "/api/v1/session", `{"pin":"1234"}`, "X-Forwarded-For: 10.9.8.7")
	if answer.StatusCode != 429 || answer.Header.Get("Retry-After") == "" {
		t.Errorf("after five: %d %s", answer.StatusCode, body)
	}
	if _, body := r.ask(t, "GET", "/api/v1/journal", "", bearer); !strings.Contains(body, "wrong PIN") || strings.Contains(body, "0000") {
		t.Errorf("journal: %s", body)
	}
}

func TestTheServerMeasuresTheHold(t *testing.T) {
	h := newHolds()
	synctest.Test(t, func(t *testing.T) {
		id := h.begin("dim")
		time.Sleep(1500 * time.Millisecond)
		if held, err := h.end(id, "dim"); err != nil || held != 1500*time.Millisecond {
			t.Errorf("held %s, %v", held, err)
		}
		if _, err := h.end(id, "dim"); err == nil {
			t.Error("one hold was used twice")
		}
		id = h.begin("dim")
		time.Sleep(2300 * time.Millisecond)
		if _, err := h.end(id, "other"); err == nil {
			t.Error("a hold of another scene")
		}
		id = h.begin("dim")
		time.Sleep(time.Minute)
		if _, err := h.end(id, "dim"); err == nil {
			t.Error("a finger that never lifts")
		}
	})
}

func TestASceneThatMustBeHeldIsNotTapped(t *testing.T) {
	r := newRig(t)
	main := r.open(t, "main", "1234")
	if answer, body := r.ask(t, "POST", "/api/v1/scenes/dim", `{}`, main); answer.StatusCode != 409 || !strings.Contains(body, "of 2.0 s") {
		t.Errorf("a tap: %d %s", answer.StatusCode, body)
	}
	if answer, body := r.ask(t, "POST", "/api/v1/scenes/dim", `{"confirm":true}`, main); answer.StatusCode != 202 {
		t.Errorf("confirmed: %d %s", answer.StatusCode, body)
	}
}

// stream reads server-sent events.
func (r *rig) stream(t *testing.T, path string) (next func() (event, id string, data map[string]any), done func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	next = func() (event, id string, data map[string]any) {
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "event":
				event = value
			case "id":
				id = value
			case "data":
				if err := json.Unmarshal([]byte(value), &data); err != nil {
					t.Error(err)
				}
			case "":
				return event, id, data
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return "", "", nil
	}
	return next, func() { cancel(); answer.Body.Close() }
}

func TestEventsBeginWithAllAndGoOnWithChanges(t *testing.T) {
	r := newRig(t)
	next, done := r.stream(t, "/api/v1/events")
	event, _, hello := next()
	if event != "hello" || hello["build"] != "test" {
		t.Fatalf("%s %v", event, hello)
	}
	event, id, all := next()
	if event != "snapshot" || len(all["properties"].([]any)) != 4 || id == "" {
		t.Fatalf("%s %v", event, all)
	}
	r.lamp.report.Report("level", devices.Word("low"), devices.Reported)
	event, id, changes := next()
	if event != "changes" || len(changes["properties"].([]any)) != 1 {
		t.Fatalf("%s %v", event, changes)
	}
	done()
	// A panel that comes back gets what it has missed; one from before a restart gets all.
	r.lamp.report.Report("level", devices.Word("off"), devices.Reported)
	for epoch, want := range map[string]string{fmt.Sprint(hello["epoch"]): "changes", "another": "snapshot"} {
		next, done := r.stream(t, "/api/v1/events?epoch="+epoch+"&since="+id)
		next()
		if event, _, u := next(); event != want {
			t.Errorf("epoch %s: %s %v", epoch, event, u)
		}
		done()
	}
}

func TestStreamsEndWithTheServerAndAreBounded(t *testing.T) {
	r := newRig(t)
	next, done := r.stream(t, "/api/v1/events")
	defer done()
	next()
	for range streamsMost - 1 {
		r.streams <- struct{}{}
	}
	if answer, body := r.ask(t, "GET", "/api/v1/events", ""); answer.StatusCode != 503 {
		t.Errorf("one panel too many: %d %s", answer.StatusCode, body)
	}
	r.stop() // hangs where a stream holds the server
}

func TestPagesAreSafe(t *testing.T) {
	r := newRig(t)
	names := []string{"/", "/manifest.webmanifest"}
	for name := range r.site.assets {
		names = append(names, r.site.base+"/"+name)
	}
	for _, path := range names {
		answer, body := r.ask(t, "GET", path, "")
		csp := answer.Header.Get("Content-Security-Policy")
		keeps := map[bool]string{true: "public, max-age=31536000, immutable", false: "no-store"}[strings.HasPrefix(path, "/assets/")]
		if answer.StatusCode != 200 || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") ||
			answer.Header.Get("X-Content-Type-Options") != "nosniff" || answer.Header.Get("Cache-Control") != keeps {
			t.Errorf("%s: %d %v", path, answer.StatusCode, answer.Header)
		}
		if strings.Contains(path, "/vendor/") || !strings.HasSuffix(path, ".js") && path != "/" {
			continue
		}
		for _, bad := range []string{"innerHTML", "onclick=\"", "style=\"", "eval("} {
			if strings.Contains(body, bad) {
				t.Errorf("%s holds %s", path, bad)
			}
		}
	}
}

func TestAssetsOfAnotherBuildAreNotKept(t *testing.T) {
	r := newRig(t)
	if answer, _ := r.ask(t, "GET", "/assets/0000000000000000/main.js", ""); answer.StatusCode != 200 || answer.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", answer.StatusCode, answer.Header)
	}
	if answer, _ := r.ask(t, "GET", r.site.base+"/../pages.go", ""); answer.StatusCode != 404 {
		t.Errorf("a file beside the pages: %d", answer.StatusCode)
	}
}

// What every panel loads before it shows anything, compressed and without the fonts.
func TestThePanelIsSmall(t *testing.T) {
	const most = 60 << 10
	r := newRig(t)
	size := len(r.site.index.zipped)
	for name, a := range r.site.assets {
		if strings.HasPrefix(name, "fonts/") || strings.HasSuffix(name, ".png") {
			continue
		}
		size += min(len(a.plain), len(a.zipped))
	}
	t.Logf("%d bytes", size)
	if size > most {
		t.Errorf("the panel has %d bytes, more than %d", size, most)
	}
}

func TestALateTouchIsNotCarriedOut(t *testing.T) {
	r := newRig(t)
	late := strconv.FormatInt(time.Now().Add(-lateMost-time.Second).UnixMilli(), 10)
	answer, body := r.ask(t, "POST", "/api/v1/scenes/any", "", touchedHeader+": "+late)
	if answer.StatusCode != 409 || !strings.Contains(body, `"expired"`) || !strings.Contains(body, "太晚") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
}

// schemas compiles the description's schemas.
func schemas(t *testing.T) (doc map[string]any, compile func(pointer string) *jsonschema.Schema) {
	t.Helper()
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(description))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("api.json", parsed); err != nil {
		t.Fatal(err)
	}
	return parsed.(map[string]any), func(pointer string) *jsonschema.Schema {
		s, err := c.Compile("api.json#" + pointer)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestDescriptionAndRoutesAreTheSame(t *testing.T) {
	r := newRig(t)
	doc, _ := schemas(t)
	described := make(map[string]bool)
	for path, methods := range doc["paths"].(map[string]any) {
		for method := range methods.(map[string]any) {
			described[strings.ToUpper(method)+" "+path] = true
		}
	}
	for _, route := range r.table() {
		path := route.path
		for _, name := range []string{"device", "property", "scene", "kind", "id"} {
			path = strings.ReplaceAll(path, ":"+name, "{"+name+"}")
		}
		key := route.method + " " + path
		if !described[key] && !strings.HasPrefix(path, "/assets/") && path != "/" {
			t.Errorf("%s is not described", key)
		}
		delete(described, key)
	}
	for key := range described {
		t.Errorf("%s is described and not there", key)
	}
}

func TestAnswersAreAsDescribed(t *testing.T) {
	r := newRig(t)
	doc, compile := schemas(t)
	r.ask(t, "POST", "/api/v1/scenes/ask", ``, bearer)
	for r.Room.State().Runs[0].State != room.Asking {
		time.Sleep(time.Millisecond)
	}
	for _, c := range []struct{ method, path, template, body string }{
		{"POST", "/api/v1/session", "", `{"pin":"1234"}`},
		{"POST", "/api/v1/session", "", `{"pin":"0000"}`},
		{"GET", "/api/v1/session", "", ``},
		{"GET", "/api/v1/room", "", ``},
		{"GET", "/api/v1/state", "", ``},
		{"POST", "/api/v1/devices/lamp/level", "/api/v1/devices/{device}/{property}", `{"value":"low"}`},
		{"POST", "/api/v1/devices/lamp/level", "/api/v1/devices/{device}/{property}", `{"value":"high"}`},
		{"POST", "/api/v1/devices/lamp/level", "/api/v1/devices/{device}/{property}", `{"value":"broken"}`},
		{"POST", "/api/v1/scenes/long", "/api/v1/scenes/{scene}", ``},
		{"POST", "/api/v1/scenes/long", "/api/v1/scenes/{scene}", ``},
		{"DELETE", "/api/v1/scenes/long", "/api/v1/scenes/{scene}", ``},
		{"POST", "/api/v1/scenes/dim/hold", "/api/v1/scenes/{scene}/hold", ``},
		{"POST", "/api/v1/scenes/ask/decision", "/api/v1/scenes/{scene}/decision", `{"do":"skip"}`},
		{"GET", "/api/v1/automatic", "", ``},
		{"POST", "/api/v1/automatic/rule/rain", "/api/v1/automatic/{kind}/{id}", `{"on":false}`},
		{"POST", "/api/v1/automatic/rule/snow", "/api/v1/automatic/{kind}/{id}", `{"on":false}`},
		{"POST", "/api/v1/presence", "", ``},
		{"GET", "/api/v1/state", "", ``},
		{"GET", "/api/v1/journal", "", ``},
		{"GET", "/api/v1/journal?format=csv", "/api/v1/journal", ``},
		{"GET", "/api/v1/journal?most=0", "/api/v1/journal", ``},
		{"GET", "/api/v1/trace", "", ``},
		{"POST", "/api/v1/orders", "", `{"symptom":"no sound","device":"lamp"}`},
		{"POST", "/api/v1/orders", "", `{"symptom":" "}`},
		{"POST", "/api/v1/orders", "", `{"symptom":"x","device":"lmp"}`},
		{"GET", "/api/v1/orders", "", ``},
		{"GET", "/api/v1/trace?dir=up", "/api/v1/trace", ``},
		{"POST", "/api/v1/reload", "", ``},
		{"GET", "/api/v1/reload", "", ``},
		{"GET", "/api/openapi.json", "", ``},
		{"GET", "/healthz", "", ``},
		{"GET", "/readyz", "", ``},
		{"GET", "/metrics", "", ``},
		{"GET", "/guide", "", ``},
		{"DELETE", "/api/v1/session", "", ``},
	} {
		template := c.template
		if template == "" {
			template = c.path
		}
		answer, body := r.ask(t, c.method, c.path, c.body, bearer)
		operation := doc["paths"].(map[string]any)[template].(map[string]any)[strings.ToLower(c.method)].(map[string]any)
		response, ok := operation["responses"].(map[string]any)[fmt.Sprint(answer.StatusCode)].(map[string]any)
		if !ok {
			t.Errorf("%s %s: %d is not described: %s", c.method, c.path, answer.StatusCode, body)
			continue
		}
		content, ok := response["content"].(map[string]any)
		kind, _, _ := strings.Cut(answer.Header.Get("Content-Type"), ";")
		if !ok {
			if body != "" {
				t.Errorf("%s %s: an answer where none is described: %s", c.method, c.path, body)
			}
			continue
		}
		if _, ok := content[kind]; !ok {
			t.Errorf("%s %s: content type %q", c.method, c.path, kind)
			continue
		}
		if !strings.HasSuffix(kind, "json") {
			continue
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
			continue
		}
		escape := strings.NewReplacer("~", "~0", "/", "~1")
		pointer := "/paths/" + strings.ReplaceAll(strings.ReplaceAll(escape.Replace(template), "{", "%7B"), "}", "%7D") + "/" + strings.ToLower(c.method) +
			"/responses/" + fmt.Sprint(answer.StatusCode) + "/content/" + escape.Replace(kind) + "/schema"
		if err := compile(pointer).Validate(value); err != nil {
			t.Errorf("%s %s: %v\n%s", c.method, c.path, err, body)
		}
	}
}

// The guide tells where the wires lead: it is for who has opened an area, and its page brings its
// style under its own policy.
func TestTheGuideIsForWhoHasOpenedAnArea(t *testing.T) {
	r := newRig(t)
	if answer, body := r.ask(t, "GET", "/guide", ``); answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("a stranger gets %d %.80s", answer.StatusCode, body)
	}
	answer, body := r.ask(t, "GET", "/guide?lang=zh", ``, bearer)
	policy := answer.Header.Get("Content-Security-Policy")
	if answer.StatusCode != http.StatusOK || !strings.Contains(body, "作业指导书") || !strings.Contains(policy, "style-src 'sha256-") {
		t.Errorf("%d %q %.80s", answer.StatusCode, policy, body)
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add(`{"value":true}`)
	f.Add(`{"value":1}{}`)
	f.Fuzz(func(t *testing.T, body string) {
		w := httptest.NewRecorder()
		var in struct {
			Value any `json:"value"`
		}
		ok := readJSON(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), &in)
		if ok != (w.Body.Len() == 0) {
			t.Errorf("%q: taken %v and answered %q", body, ok, w.Body)
		}
	})
}

// What the panels ask is answered by a touch on any of them, locked or not; a touch is a command, a look or a PIN.
func TestATouchIsAPersonAndALookIsNot(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		method, path, body, header string
		touches                    bool
	}{
		{"GET", "/api/v1/state", "", bearer, false},
		{"GET", "/api/v1/automatic", "", "", false},
		{"PUT", "/api/v1/session", "", "", false}, // a panel that nobody has opened
		{"POST", "/api/v1/presence", "", "", true},
		{"POST", "/api/v1/session", `{"pin":"0000"}`, "", false},
		{"POST", "/api/v1/session", `{"pin":"1234"}`, "", true},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, bearer, true},
		{"POST", "/api/v1/devices/lamp/level", `{"value":"low"}`, "", false},
		{"POST", "/api/v1/scenes/ask", ``, bearer, true},
		{"POST", "/api/v1/automatic/rule/rain", `{"on":true}`, bearer, true},
		{"POST", "/api/v1/presence", "", touchedHeader + ": 1000", false}, // long ago
	} {
		before := r.Room.Touched()
		headers := []string{}
		if c.header != "" {
			headers = append(headers, c.header)
		}
		answer, _ := r.ask(t, c.method, c.path, c.body, headers...)
		if touched := r.Room.Touched().After(before); touched != c.touches {
			t.Errorf("%s %s %s: %d, a touch: %v", c.method, c.path, c.body, answer.StatusCode, touched)
		}
	}
}
