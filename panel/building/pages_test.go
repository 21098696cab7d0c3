package building

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"lectern/configs"
)

// served is a page without a broker, and a browser that asks it.
func served(t *testing.T) (*Page, func(method, path, body, cookie string) *http.Response) {
	t.Helper()
	cfg := fileFor(t, &venue{address: "127.0.0.1:1"}, "hall")
	p, err := New(Config{Cfg: cfg, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	return p, func(method, path, body, cookie string) *http.Response {
		r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, r)
		return w.Result()
	}
}

// opens types the PIN and returns the cookie.
func opens(t *testing.T, ask func(method, path, body, cookie string) *http.Response) string {
	t.Helper()
	answer := ask("POST", "/enter", "pin="+openPIN, "")
	if answer.StatusCode != http.StatusSeeOther || len(answer.Cookies()) != 1 {
		t.Fatalf("the right PIN: %d, %v", answer.StatusCode, answer.Cookies())
	}
	c := answer.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("%+v", c)
	}
	return c.Name + "=" + c.Value
}

func TestThePageIsBehindItsPIN(t *testing.T) {
	_, ask := served(t)
	for path, want := range map[string]int{"/": http.StatusSeeOther, "/events": http.StatusUnauthorized, "/enter": http.StatusOK, "/building.css": http.StatusOK, "/nothing": http.StatusNotFound} {
		if got := ask("GET", path, "", "lectern-building=guessed").StatusCode; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	cookie := opens(t, ask)
	answer := ask("GET", "/", "", cookie)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Security-Policy") != policy {
		t.Errorf("%d, %v", answer.StatusCode, answer.Header)
	}
	if ask("POST", "/leave", "", cookie); ask("GET", "/", "", cookie).StatusCode != http.StatusSeeOther {
		t.Error("it does not lock")
	}
	for range 5 {
		answer = ask("POST", "/enter", "pin=0000", "")
	}
	if answer.StatusCode != http.StatusUnauthorized || ask("POST", "/enter", "pin="+openPIN, "").StatusCode != http.StatusUnauthorized {
		t.Error("who guesses need not wait")
	}
	if ask("POST", "/enter", "pin="+openPIN, cookie).StatusCode != http.StatusSeeOther {
		t.Error("who was here before waits for a stranger")
	}
}

func TestAnotherSiteCannotOpenOrLockThePage(t *testing.T) {
	p, ask := served(t)
	cookie := opens(t, ask)
	r := httptest.NewRequest("POST", "http://127.0.0.1/leave", nil)
	r.Header.Set("Cookie", cookie)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if p.Handler().ServeHTTP(w, r); w.Code != http.StatusForbidden || ask("GET", "/", "", cookie).StatusCode != http.StatusOK {
		t.Errorf("another site's form: %d", w.Code)
	}
	r = httptest.NewRequest("GET", "http://evil.example/", nil)
	w = httptest.NewRecorder()
	if p.Handler().ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("another name: %d", w.Code)
	}
}

func TestHealthzSaysWhetherTheBrokerIsThere(t *testing.T) {
	p, ask := served(t)
	if got := ask("GET", "/healthz", "", "").StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("without a broker: %d", got)
	}
	p.board.connected(p.board.link.Since)
	if got := ask("GET", "/healthz", "", "").StatusCode; got != http.StatusOK {
		t.Errorf("with one: %d", got)
	}
}

// The stream tells a page what it would be if it were loaded again: a room comes, changes its group, and
// leaves a page that shows only what needs attention.
func TestTheStreamTellsWhatChanges(t *testing.T) {
	p, ask := served(t)
	p.board.connected(p.board.link.Since)
	p.board.gathering(p.board.link.Since)
	p.board.tick(p.board.link.Since.Add(2 * quietAfter))
	cookie := opens(t, ask)
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tune := func(query string) func() map[string]change {
		q := url.Values{"epoch": {p.epoch}, "since": {"1"}}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events?"+q.Encode()+"&"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", cookie)
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		lines := bufio.NewReader(answer.Body)
		return func() map[string]change {
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				var news struct{ Rooms []change }
				if data, ok := strings.CutPrefix(line, "data: {"); ok && json.Unmarshal([]byte("{"+data), &news) == nil {
					all := make(map[string]change)
					for _, c := range news.Rooms {
						all[c.ID] = c
					}
					return all
				}
			}
		}
	}
	all, attention := tune(""), tune("show=attention&by=floor")
	if c := all()["hall"]; c.Group != "attention" || !strings.Contains(c.HTML, "Not on the broker") {
		t.Errorf("%+v", c)
	}
	if c := attention()["hall"]; c.Group != "floor-0" {
		t.Errorf("%+v", c)
	}
	p.board.says("hall/$description", plainRoom)
	p.board.says("hall/$state", "ready")
	if c := all()["hall"]; c.Group != "well" || !strings.Contains(c.HTML, `class="tile well"`) {
		t.Errorf("%+v", c)
	}
	if c, told := attention()["hall"]; !told || c.HTML != "" {
		t.Errorf("a room that is well stays among those that need attention: %+v", c)
	}
	p.board.says("new/$description", plainRoom)
	p.board.says("new/$state", "lost")
	if c := attention()["new"]; c.Group != "other" {
		t.Errorf("%+v", c)
	}
	p.board.says("new/$state", "")
	for c := attention()["new"]; c.HTML != ""; c = attention()["new"] {
		t.Log(c)
	}
	p.gate.leave(&http.Request{Header: http.Header{"Cookie": {cookie}}})
	cancel()
}

func TestTheCommandThatClearsARoomNamesTheBroker(t *testing.T) {
	p, _ := served(t)
	for broker, want := range map[string]string{"tcp://10.0.0.1:1884": "-h 10.0.0.1 -p 1884 -u", "ssl://[::1]:8883": "-h ::1 -p 8883 --tls-use-os-certs -u"} {
		p.cfg.Facilities = configs.Watched{Broker: broker}
		if got := p.clearing("old"); !strings.Contains(got, want) || !strings.Contains(got, "'homie/5/old/#'") {
			t.Errorf("%s: %s", broker, got)
		}
	}
}
