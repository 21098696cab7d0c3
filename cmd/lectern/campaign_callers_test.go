package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"sync"
	"time"
)

// asked is a command over HTTP, with what the caller was told.
type asked struct {
	by, device, property, value string
	outcome                     string // "" where nothing was tried: an impossible value
	took                        time.Duration
}

// client is somebody who speaks HTTP with the daemon: a browser with its cookie, or a machine with its
// token.
type client struct {
	name   string // in the journal: how, and who
	url    string
	secret string // "" for a browser
	http   *http.Client
	fail   func(string, ...any)
	keys   sync.Mutex // one opens the areas at a time

	mu      sync.Mutex
	asked   []asked
	started []string // scenes
	waiting sync.WaitGroup
}

func (h *house) client(name, secret string, fail func(string, ...any)) *client {
	return newClient(h.url, name, secret, fail)
}

func newClient(url, name, secret string, fail func(string, ...any)) *client {
	jar, _ := cookiejar.New(nil) //nolint:errcheck // without options it cannot fail
	return &client{name: name, url: url, secret: secret, fail: fail, http: &http.Client{Jar: jar, Transport: &http.Transport{}, Timeout: time.Minute}}
}

// answer is what a caller reads of an answer.
type answer struct {
	Outcome string `json:"outcome"`
	Hold    string `json:"hold"`
	Detail  string `json:"detail"`

	took time.Duration // without the PINs that had to be typed before
}

// ask sends one request. Nothing but an answer in time is allowed: a person is never left waiting.
func (c *client) ask(method, path string, body any) (int, answer) {
	status, a := c.once(method, path, body)
	// Somebody has ended the meeting, which locks every panel, or another finger is half way in. It may happen again.
	for tries := 0; tries < 5 && (status == http.StatusUnauthorized || status == http.StatusForbidden); tries++ {
		if c.secret != "" || strings.HasSuffix(path, "/session") {
			break
		}
		c.keys.Lock()
		c.unlock()
		c.keys.Unlock()
		status, a = c.once(method, path, body)
	}
	return status, a
}

func (c *client) once(method, path string, body any) (int, answer) {
	b, err := json.Marshal(body)
	if err != nil {
		c.fail("%s: %v", c.name, err)
		return 0, answer{}
	}
	request, err := http.NewRequest(method, c.url+path, bytes.NewReader(b))
	if err != nil {
		c.fail("%s: %v", c.name, err)
		return 0, answer{}
	}
	if c.secret != "" {
		request.Header.Set("Authorization", "Bearer "+c.secret)
	}
	began := time.Now()
	reply, err := c.http.Do(request)
	if err != nil {
		c.fail("%s: %s %s: %v", c.name, method, path, err)
		return 0, answer{}
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		c.fail("%s: %s %s: %v", c.name, method, path, err)
	}
	var a answer
	if len(text) > 0 {
		if err := json.Unmarshal(text, &a); err != nil {
			c.fail("%s: %s %s: %d %s: %v", c.name, method, path, reply.StatusCode, text, err)
		}
	}
	if reply.StatusCode >= http.StatusInternalServerError && a.Outcome == "" {
		c.fail("%s: %s %s: %d %s", c.name, method, path, reply.StatusCode, text)
	}
	a.took = time.Since(began)
	return reply.StatusCode, a
}

// set sets a property and notes what became of it.
func (c *client) set(name, value string) string {
	device, property, _ := strings.Cut(name, ".")
	var typed any = value
	if n, err := strconv.Atoi(value); err == nil {
		typed = n
	} else if b, err := strconv.ParseBool(value); err == nil {
		typed = b
	}
	status, a := c.ask(http.MethodPost, "/api/v1/devices/"+device+"/"+property, map[string]any{"value": typed})
	if a.Outcome == "" && status != http.StatusUnprocessableEntity {
		c.fail("%s: setting %s to %s: %d with no outcome", c.name, name, value, status)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, asked{c.name, device, property, value, a.Outcome, a.took})
	return a.Outcome
}

// do does a deed in the background, so that a slow answer holds up nothing else.
func (c *client) do(d deed) {
	c.waiting.Go(func() {
		scene := "/api/v1/scenes/" + d.on
		switch d.do {
		case "set":
			c.set(d.on, d.to)
		case "cancel":
			c.ask(http.MethodDelete, scene, nil)
		case "decide":
			c.ask(http.MethodPost, scene+"/decision", map[string]any{"do": d.to})
		case "scene":
			c.begun(c.ask(http.MethodPost, scene, map[string]any{}))(d.on)
		case "hold":
			_, held := c.ask(http.MethodPost, scene+"/hold", map[string]any{})
			ms, _ := strconv.Atoi(d.to) //nolint:errcheck // the script's own
			time.Sleep(time.Duration(ms) * time.Millisecond)
			c.begun(c.ask(http.MethodPost, scene, map[string]any{"hold": held.Hold}))(d.on)
		default:
			c.fail("nobody knows how to %s", d)
		}
	})
}

// begun notes a scene that was started.
func (c *client) begun(status int, _ answer) func(scene string) {
	return func(scene string) {
		if status != http.StatusAccepted {
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.started = append(c.started, scene)
	}
}

// unlock opens the panel's areas.
func (c *client) unlock() {
	for _, area := range [][2]string{{"main", "1234"}, {"system", "5678"}} {
		if status, a := c.ask(http.MethodPost, "/api/v1/session", map[string]any{"area": area[0], "pin": area[1]}); status != http.StatusOK {
			c.fail("opening %s: %d %s", area[0], status, a.Detail)
		}
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// slowest is the answer that took longest.
func (c *client) slowest() (worst asked) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.asked {
		if a.took > worst.took {
			worst = a
		}
	}
	return worst
}

func (a asked) String() string {
	return fmt.Sprintf("%s %s.%s %s: %s in %s", a.by, a.device, a.property, a.value, a.outcome, a.took)
}
