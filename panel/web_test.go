package panel

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/journal"
)

func TestRebindingAndOtherSitesAreRefused(t *testing.T) {
	r, _ := atRest(t, guarded, func(c *Config) { c.Cfg.Panel.Hosts = []string{"Hall.Building.example"} })
	_, cookie := r.types(wall, "main", rightly)
	self, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(self, ".")
	for _, host := range []string{"localhost", "localhost:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.1.20", "hall.building.example:8080", "HALL.building.example.", self, first + ".local"} {
		if w := r.from(wall, "GET", "/api/v1/state", "", "Host: "+host); w.Code != http.StatusOK {
			t.Errorf("Host %s: %d %s", host, w.Code, w.Body)
		}
	}
	for _, host := range []string{"evil.example", "evil.example:8080", "hall.building.example.evil.example", "127.0.0.1.evil.example", "evil.local", "evil", "localhost.evil.example", "2130706433", "0x7f000001", "", ":8080", "user@localhost"} {
		for _, path := range []string{"/", "/api/v1/state", "/healthz", "/api/v1/session"} {
			if w := r.from(wall, "GET", path, "", "Host: "+host); w.Code != http.StatusMisdirectedRequest {
				t.Errorf("Host %q %s: %d", host, path, w.Code)
			}
		}
	}
	for _, headers := range [][]string{
		{"Origin: http://evil.example"}, {"Origin: null"}, {"Origin: http://127.0.0.1:81"}, {"Origin: http://127.0.0.1.evil.example"},
		{"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: same-site"}, {"Sec-Fetch-Site: same-origin", "Origin: http://evil.example"},
	} {
		for _, c := range []struct{ method, path string }{
			{"POST", "/api/v1/session"}, {"DELETE", "/api/v1/session"}, {"PUT", "/api/v1/session"}, {"POST", "/api/v1/devices/lamp/level"},
			{"POST", "/api/v1/scenes/ask"}, {"GET", "/api/v1/state"}, {"GET", "/api/v1/events"}, {"OPTIONS", "/api/v1/devices/lamp/level"}, {"PATCH", "/"},
		} {
			w := r.from(wall, c.method, c.path, `{"value":"low"}`, append(headers, cookie, "Content-Type: text/plain")...)
			if w.Code != http.StatusForbidden || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%v %s %s: %d", headers, c.method, c.path, w.Code)
			}
		}
	}
	if !r.opens(cookie) || len(r.lamp.did) != 1 {
		t.Errorf("something was done or closed: %v", r.lamp.did)
	}
	// A link from elsewhere leads to the page, and that is all.
	if w := r.from(wall, "GET", "/", "", "Sec-Fetch-Site: cross-site"); w.Code != http.StatusOK {
		t.Errorf("a link to the panel: %d", w.Code)
	}
}

// hurried makes a rig that has no patience with slow clients.
func hurried(t *testing.T) *rig {
	t.Helper()
	r, e := atRest(t, guarded)
	r.times = times{header: 200 * time.Millisecond, body: 200 * time.Millisecond, answer: 200 * time.Millisecond, event: 200 * time.Millisecond}
	r.start(t, e)
	return r
}

// says opens a connection, sends some bytes and no more.
func (r *rig) says(t *testing.T, bytes string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, bytes); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestASlowClientIsCut(t *testing.T) {
	r := hurried(t)
	for name, sent := range map[string]string{
		"half a request line":   "GET /api/v1/st",
		"headers without end":   "GET /api/v1/state HTTP/1.1\r\nHost: localhost\r\nX-A: b\r\n",
		"half a body":           "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{\"pin\":",
		"half a chunk":          "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n{",
		"a body that is unread": "POST /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n{",
		"a body for a page":     "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n{",
	} {
		conn := r.says(t, sent)
		if _, err := io.Copy(io.Discard, conn); err != nil { // until the server closes
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A client that reads nothing holds a stream until the network's buffers are full, and no longer.
func TestAStreamThatNobodyReadsIsCut(t *testing.T) {
	r := hurried(t)
	conn := r.says(t, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if err := conn.(*net.TCPConn).SetReadBuffer(1); err != nil {
		t.Fatal(err)
	}
	for len(r.streams) == 0 {
		time.Sleep(time.Millisecond)
	}
	levels := []string{"low", "off"}
	for i := 0; len(r.streams) > 0; i++ {
		if i > 2_000_000 {
			t.Fatal("the stream goes on")
		}
		r.lamp.report.Report("level", devices.Word(levels[i%2]), devices.Reported)
		time.Sleep(10 * time.Microsecond)
	}
}

func TestOneAddressHoldsSoManyStreamsAndNoMore(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	ask := func(ctx context.Context, from string) *httptest.ResponseRecorder {
		request := httptest.NewRequestWithContext(ctx, "GET", "/api/v1/events", nil)
		request.RemoteAddr, request.Host = from, "localhost"
		w := httptest.NewRecorder()
		r.Handler().ServeHTTP(w, request)
		return w
	}
	var open sync.WaitGroup
	defer open.Wait()
	defer cancel()
	hold := func(n int, from string) {
		t.Helper()
		before := len(r.streams)
		for range n {
			open.Go(func() { ask(ctx, from) })
		}
		for until := time.Now().Add(20 * time.Second); len(r.streams) < before+n; time.Sleep(time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("of %d streams from %s %d are open", n, from, len(r.streams)-before)
			}
		}
	}
	hold(streamsEach, "10.0.0.7:1")
	if w := ask(ctx, "10.0.0.7:1"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one more: %d %s", w.Code, w.Body)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if w := ask(over, "10.0.0.1:1"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "event: hello") {
		t.Errorf("another address: %d %s", w.Code, w.Body)
	}
	hold(2*streamsEach, "127.0.0.1:1") // the machine itself
}

func TestAFloodIsTurnedAwayAndAPresenterIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := atRest(t, guarded)
		_, cookie := r.types(wall, "main", rightly)
		const flood, seconds = 500, 60
		over, refused := make(chan struct{}), 0
		go func() { // as fast as it can
			defer close(over)
			for range seconds {
				for range flood {
					if w := r.from("10.0.0.1", "GET", "/healthz", ""); w.Code == http.StatusTooManyRequests && told(w) == time.Second {
						refused++
					}
				}
				time.Sleep(time.Second)
			}
		}()
		// The pages of five tablets behind one address anew each half minute, a finger on a slider ten times a second.
		for second := range seconds {
			if second%30 == 0 {
				for range 5 * 45 {
					if w := r.from(wall, "GET", r.site.base+"/main.js", ""); w.Code != http.StatusOK {
						t.Fatalf("a page after %d s: %d", second, w.Code)
					}
				}
			}
			for i := range 10 {
				if w := r.from(wall, "POST", "/api/v1/devices/lamp/volume", fmt.Sprintf(`{"value":%d}`, i), cookie); w.Code != http.StatusOK {
					t.Fatalf("the slider after %d s: %d %s", second, w.Code, w.Body)
				}
				time.Sleep(100 * time.Millisecond)
			}
		}
		<-over
		if want := seconds*(flood-rateMost) - rateBurst; refused < want {
			t.Errorf("of a flood %d were refused, want %d", refused, want)
		}
		var l rates
		for i := range 3 * ratesMost {
			l.allow(origin{family: fmt.Sprint(i)}, time.Now())
		}
		if len(l.all) > ratesMost {
			t.Errorf("%d addresses are remembered", len(l.all))
		}
	})
}

func TestAnIPv6NetworkIsOneAddress(t *testing.T) {
	family := func(remote string, headers ...string) origin {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		for _, h := range headers {
			r.Header.Set(h, "10.9.8.7")
		}
		return sender(r)
	}
	if a, b := family("[2001:db8::1]:1"), family("[2001:db8::ffff:2]:9"); a.family != b.family || a.address == b.address {
		t.Errorf("%+v %+v", a, b)
	}
	if a, b := family("[2001:db8:0:1::1]:1"), family("[2001:db8:0:2::1]:1"); a.family == b.family {
		t.Errorf("%+v %+v", a, b)
	}
	if a := family("[::ffff:192.168.1.5]:1"); a.family != "192.168.1.5" {
		t.Errorf("%+v", a)
	}
	if !family("127.0.0.1:1").loopback || !family("[::1]:1").loopback || family("127.0.0.1:1", "X-Forwarded-For").loopback || family("192.168.1.5:1", "X-Forwarded-For").address != "192.168.1.5" {
		t.Error("who is at this machine, and who behind a proxy on it")
	}
}

// switchboard hands out connections that say where they come from.
type switchboard chan net.Conn

func (l switchboard) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (switchboard) Close() error   { return nil }
func (switchboard) Addr() net.Addr { return nil }

type caller4 struct {
	net.Conn
	from   string
	closed *bool
}

func (c caller4) RemoteAddr() net.Addr { a, _ := net.ResolveTCPAddr("tcp", c.from+":1"); return a }
func (c caller4) Close() error         { *c.closed = true; return nil }

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	l := make(switchboard, 1)
	b := newBounded(l)
	call := func(from string) (closed *bool) { closed = new(bool); l <- caller4{nil, from, closed}; return closed }
	var taken []net.Conn
	for range connsEach {
		call("10.0.0.1")
		c, err := b.Accept()
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, c)
	}
	turned := call("10.0.0.1")
	go call("10.0.0.2")
	c, err := b.Accept()
	if err != nil || !strings.HasPrefix(c.RemoteAddr().String(), "10.0.0.2") || !*turned {
		t.Fatalf("one too many was let in, or another kept out: %v %v", err, *turned)
	}
	_ = taken[0].Close()
	call("10.0.0.1")
	if c, err := b.Accept(); err != nil || !strings.HasPrefix(c.RemoteAddr().String(), "10.0.0.1") {
		t.Errorf("after one has gone: %v", err)
	}
}

func TestThePreviewGoesNowhereElse(t *testing.T) {
	asked := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Content-Type", "image/png")
	}))
	defer elsewhere.Close()
	camera := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/page":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<script>")
		case "/svg":
			w.Header().Set("Content-Type", "image/svg+xml")
		case "/headers":
			w.Header().Set("Content-Type", "image/png")
			w.Header().Set("X-Long", strings.Repeat("x", 2*headerMost))
		default:
			w.Header().Set("Content-Type", "image/jpeg")
			w.Header().Set("Set-Cookie", "lectern=camera")
			_, _ = io.WriteString(w, "picture")
		}
	}))
	defer camera.Close()
	for path, want := range map[string]int{"/away": 502, "/page": 502, "/svg": 502, "/headers": 502, "/": 200} {
		r, _ := atRest(t, guarded, func(c *Config) { c.Cfg.Devices[0].Preview = &configs.Preview{URL: camera.URL + path, Kind: "snapshot"} })
		_, cookie := r.types(wall, "main", rightly)
		w := r.from(wall, "GET", "/api/v1/preview/lamp?url="+elsewhere.URL, "", cookie)
		if w.Code != want || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	if asked != 0 {
		t.Error("the relay went elsewhere")
	}
}

// Everything that a daemon writes after a session with known secrets is searched for them.
func TestSecretsAreNeverWritten(t *testing.T) {
	const right, other, mistyped, typo = "314159", "271828", "161803", "577215"
	folder := t.TempDir()
	var written bytes.Buffer
	log := slog.New(slog.NewTextHandler(&written, &slog.HandlerOptions{Level: slog.LevelDebug}))
	machine := "machine-token-0123456789"
	j := journal.Open(folder, log)
	r, _ := atRest(t, func(c *Config) {
		c.Log, c.Journal = log, j
		c.Cfg.Panel.PINs = map[string]string{"main": cheap(right), "system": cheap(other), "staff": "$argon2id$broken"}
		c.Cfg.Panel.Tokens = []configs.Token{{Name: "bms", Role: "system", Secret: machine}}
		c.Cfg.Devices[0].Preview = &configs.Preview{URL: "http://admin:" + typo + "@127.0.0.1:1/?key=" + typo}
	})
	_, cookie := r.types(wall, "main", right)
	id := strings.TrimPrefix(cookie, "Cookie: lectern=")
	r.types(wall, "system", other, cookie)
	r.types(wall, "staff", mistyped, cookie)
	for range 8 {
		r.types("10.0.0.1", "main", mistyped)
	}
	for _, body := range []string{`{"pin":` + mistyped + `}`, `{"` + mistyped + `":1}`, mistyped, `{"pin":"` + mistyped + `"`, `{"pin":"x","area":"` + mistyped + `"}`} {
		if w := r.from("10.0.0.2", "POST", "/api/v1/session?pin="+mistyped, body); w.Code < 400 {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
	good, bad := "Authorization: Bearer "+machine, "Authorization: Bearer wrong-"+machine
	for _, header := range []string{good, bad, cookie} {
		r.from("10.0.0.3", "POST", "/api/v1/devices/lamp/level?token="+machine, `{"value":"low"}`, header)
		r.from("10.0.0.3", "POST", "/api/v1/devices/lamp/level", `{"value":"broken"}`, header)
		r.from("10.0.0.3", "GET", "/api/v1/preview/lamp", "", header)
		r.from("10.0.0.3", "GET", "/"+mistyped+"/"+machine, "", header)
	}
	for _, path := range []string{"/metrics", "/api/v1/journal?most=500", "/api/v1/trace", "/api/v1/state", "/api/v1/room", "/readyz"} {
		w := r.from("127.0.0.1", "GET", path, "", good)
		fmt.Fprintln(&written, path, w.Code, w.Body)
	}
	j.Close()
	written.Write(everyFile(t, folder))
	for _, expected := range []string{"wrong PIN", "no picture", "bms", "lectern_pins_total"} {
		if !strings.Contains(written.String(), expected) {
			t.Errorf("nothing was written of %q: the test looks in the wrong place", expected)
		}
	}
	for _, secret := range []string{right, other, mistyped, typo, machine, id, cheap(right)} {
		for lines := bufio.NewScanner(bytes.NewReader(written.Bytes())); lines.Scan(); {
			if strings.Contains(lines.Text(), secret) {
				t.Errorf("%s was written: %.300s", secret, lines.Text())
			}
		}
	}
}

// everyFile is what stands in all files of a folder.
func everyFile(t *testing.T, folder string) []byte {
	t.Helper()
	var all []byte
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(folder + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		all = append(append(all, e.Name()...), b...)
	}
	return all
}
