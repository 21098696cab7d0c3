package panel

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"lectern/scenes/room"
)

// endpoints lists every method and path of the description, with parameters in braces.
func endpoints(t testing.TB) (all [][2]string) {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(description, &doc); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method := range methods {
			all = append(all, [2]string{strings.ToUpper(method), path})
		}
	}
	slices.SortFunc(all, func(a, b [2]string) int { return strings.Compare(a[1]+a[0], b[1]+b[0]) })
	if len(all) < 15 {
		t.Fatalf("%d endpoints", len(all))
	}
	return all
}

var (
	methodsTried = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X"}
	partsTried   = []string{
		"lamp", "rack", "level", "volume", "dim", "ask", "long", "..", ".", "%2e%2e", "%00", "%2F", "lamp%0d%0aX:1", "lamp'--", "${jndi:x}", "<script>", "%ff",
		"灯", "lamp/level", strings.Repeat("x", 4000), "0", "-1", "null", "*", ":device", "{device}",
	}
	bodiesTried = []string{
		``, `{}`, `[]`, `null`, `1`, `"x"`, `{"value":null}`, `{"value":"low"}`, `{"value":1e999}`, `{"value":{"a":[1]}}`, `{"value":-1}`, `{"value":"` + strings.Repeat("9", 5000) + `"}`,
		`{"pin":"0000"}`, `{"pin":"0000","area":"system"}`, `{"pin":1234}`, `{"pin":"` + strings.Repeat("1", 40000) + `"}`, `{"pin":"１２３４"}`, `{"area":"../main","pin":"1"}`,
		`{"do":"retry"}`, `{"do":""}`, `{"hold":"x","confirm":true}`, `{"value":true}{"value":true}`, `{"value":` + strings.Repeat("[", 20000), "\x00\xff", "pin=1234&area=main", "<xml/>",
		strings.Repeat(" ", 70000), `{"__proto__":{},"value":1}`, `{"value":"low","value":"high"}`,
	}
	headersTried = []string{
		"Content-Type: application/json", "Content-Type: text/plain", "Content-Type: multipart/form-data; boundary=x", "Content-Type: \xff", "Authorization: Bearer", "Authorization: Bearer  ", "Authorization: Basic bGVjdGVybg==",
		"Authorization: Bearer " + strings.Repeat("a", 5000), "Cookie: lectern=", "Cookie: lectern=x; lectern=y", "Cookie: " + strings.Repeat("a=b; ", 500), "Accept-Encoding: gzip;q=0", "Accept-Encoding: br", "Range: bytes=0-0,5-,-1",
		"If-None-Match: *", "If-Modified-Since: yesterday", "Last-Event-ID: -1", "Last-Event-ID: 99999999999999999999", "Lectern-Touched: 99999999999999999999", "Lectern-Touched: x", "Expect: 100-continue",
		"X-HTTP-Method-Override: DELETE", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: localhost", "Upgrade: websocket", "Connection: Upgrade", "Origin: null", "Sec-Fetch-Site: none", "Accept: application/xml", "Transfer-Encoding: gzip",
	}
	queriesTried = []string{"", "?before=-1&most=0", "?most=999999999999999999999", "?line=%00", "?after=-1", "?epoch=x&since=-1", "?since=18446744073709551616", "?%zz", "?a=b;c=d", "?" + strings.Repeat("a=b&", 1000), "?url=http://evil.example/"}
)

// hostile draws a request to an endpoint, or beside it.
func hostile(t *rapid.T, all [][2]string) *http.Request {
	at := rapid.SampledFrom(all).Draw(t, "endpoint")
	method := at[0]
	if rapid.Bool().Draw(t, "another method") {
		method = rapid.SampledFrom(methodsTried).Draw(t, "method")
	}
	var parts []string
	for _, part := range strings.Split(at[1], "/") {
		if strings.HasPrefix(part, "{") || rapid.IntRange(0, 15).Draw(t, "spoil") == 0 {
			part = rapid.OneOf(rapid.SampledFrom(partsTried), rapid.String()).Draw(t, "part")
		}
		parts = append(parts, part)
	}
	path := strings.Join(parts, "/") + rapid.SampledFrom(queriesTried).Draw(t, "query")
	body := rapid.OneOf(rapid.SampledFrom(bodiesTried), rapid.String()).Draw(t, "body")
	r := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
	r.Method, r.Host, r.RemoteAddr = method, "127.0.0.1", "127.0.0.1:1"
	// Addresses without number, so that few requests end at the limit of an address.
	switch n := rapid.Uint16().Draw(t, "address"); n % 4 {
	case 0:
		r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:1", n>>8, n&0xff)
	case 1:
		r.RemoteAddr = fmt.Sprintf("[2001:db8:0:%x::1]:1", n)
	case 2:
		r.RemoteAddr = fmt.Sprintf("@%d", n)
	}
	raw, query, _ := strings.Cut(path, "?")
	if u, err := r.URL.Parse("http://127.0.0.1/" + strings.TrimPrefix(raw, "/")); err == nil {
		r.URL = u
	} else {
		r.URL.Path = raw // as it is
	}
	r.URL.RawQuery, r.RequestURI = query, path
	if rapid.Bool().Draw(t, "unknown length") {
		r.ContentLength = -1
	}
	for _, h := range rapid.SliceOfN(rapid.SampledFrom(headersTried), 0, 4).Draw(t, "headers") {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// many checks two thousand requests, where rapid is not told otherwise: one costs next to nothing.
func many(t *testing.T, check func(*rapid.T)) {
	for range 20 {
		rapid.Check(t, check)
	}
}

// answered asks the handler and returns the answer; what would go on is ended at once.
func (r *rig) answered(request *http.Request) *httptest.ResponseRecorder {
	ctx, cancel := context.WithCancel(request.Context())
	if strings.Contains(request.URL.Path, "/events") || strings.Contains(request.URL.Path, "/preview") {
		cancel()
	}
	defer cancel()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, request.WithContext(ctx))
	return w
}

// state is all that a request could have changed.
func (r *rig) changed() string {
	u := r.Room.State()
	r.lamp.mu.Lock()
	defer r.lamp.mu.Unlock()
	return fmt.Sprint(u.Revision, len(u.Runs), r.lamp.did, r.rack.did, r.sessions.count(), len(r.holds.all))
}

// wellFormed says what is wrong with an answer, if anything.
func wellFormed(w *httptest.ResponseRecorder) string {
	if !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		return "lacks its headers"
	}
	if w.Code < 400 || w.Header().Get("Content-Type") == "application/json" { // the latter: not ready
		return ""
	}
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || p.Title == "" || w.Header().Get("Content-Type") != "application/problem+json" {
		return "is no problem document"
	}
	return ""
}

func TestNoHostileRequestWithoutAuthorityChangesOrBreaksAnything(t *testing.T) {
	all := endpoints(t)
	r := newRig(t, guarded)
	before := r.changed()
	many(t, func(t *rapid.T) {
		request := hostile(t, all)
		w := r.answered(request)
		if w.Code >= 500 {
			t.Fatalf("%s %q: %d %s", request.Method, request.URL, w.Code, w.Body)
		}
		if wrong := wellFormed(w); wrong != "" {
			t.Fatalf("%s %q: the answer %d %s: %.300s", request.Method, request.URL, w.Code, wrong, w.Body)
		}
		if now := r.changed(); now != before {
			t.Fatalf("%s %q changed %s to %s", request.Method, request.URL, before, now)
		}
	})
}

// With authority equipment may refuse or fail, and says so; the daemon itself never breaks, and never
// does what is not in the description.
func TestNoHostileRequestWithAuthorityBreaksAnything(t *testing.T) {
	all := endpoints(t)
	r := newRig(t, guarded)
	many(t, func(t *rapid.T) {
		request := hostile(t, all)
		request.Header.Set("Authorization", "Bearer "+secret)
		w := r.answered(request)
		if w.Code >= 500 && w.Code != http.StatusBadGateway {
			t.Fatalf("%s %q: %d %s", request.Method, request.URL, w.Code, w.Body)
		}
		if wrong := wellFormed(w); wrong != "" {
			t.Fatalf("%s %q: the answer %d %s: %.300s", request.Method, request.URL, w.Code, wrong, w.Body)
		}
	})
	if r.Room.State().Runs != nil && slices.ContainsFunc(r.Room.State().Runs, func(one room.Run) bool { return one.State == "" }) {
		t.Errorf("%+v", r.Room.State().Runs)
	}
}

// What is no HTTP at all ends the connection, and nothing else.
func TestWhatIsNoHTTPIsCut(t *testing.T) {
	r := newRig(t, guarded)
	before := r.changed()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{
			"GET / HTTP/1.1", "POST /api/v1/scenes/long HTTP/1.1", "GET / HTTP/9.9", "GET  /", "PRI * HTTP/2.0", "\x16\x03\x01\x02\x00\x01", "Host: localhost", "Host: a", "Content-Length: 5",
			"Content-Length: 6", "Content-Length: -1", "Transfer-Encoding: chunked", "Transfer-Encoding: xchunked", "ffffffffffffffff", "0", "", " folded: line", "No colon", "X: \x00", "X: " + strings.Repeat("y", 40000), "Connection: close",
		}), 1, 12).Draw(t, "lines")
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n")
		_ = conn.(*net.TCPConn).CloseWrite()
		answer, err := io.ReadAll(conn)
		if net, ok := err.(net.Error); ok && net.Timeout() { // a reset is an answer too
			t.Fatalf("%q: no end", lines)
		}
		for _, bad := range []string{"HTTP/1.1 500", "HTTP/1.1 502", "HTTP/1.1 503"} {
			if strings.Contains(string(answer), bad) {
				t.Fatalf("%q: %s", lines, answer)
			}
		}
	})
	if now := r.changed(); now != before {
		t.Errorf("%s became %s", before, now)
	}
}

func FuzzEveryEndpoint(f *testing.F) {
	for _, at := range endpoints(f) {
		f.Add(at[0], at[1], "Cookie: lectern=x", `{"value":"low"}`)
	}
	var r *rig
	f.Fuzz(func(t *testing.T, method, path, header, body string) {
		if r == nil {
			r, _ = atRest(t, guarded)
		}
		request := httptest.NewRequest(http.MethodGet, "/", strings.NewReader(body))
		request.Method, request.URL.Path, request.Host = method, path, "localhost"
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
		before := r.changed()
		w := r.answered(request)
		if w.Code >= 500 && request.URL.Path != "/readyz" || wellFormed(w) != "" || r.changed() != before {
			t.Errorf("%s %q %q: %d %s", method, path, header, w.Code, w.Body)
		}
	})
}
