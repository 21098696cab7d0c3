package panel

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/panel/pin"
	"lectern/scenes/journal"
)

const (
	cookieName   = "lectern"
	sessionsMost = 1024
	hashesMost   = 2
)

// Areas of the panel. Staff and system are opened beside main.
const (
	areaMain   = "main"
	areaSystem = "system"
	areaStaff  = "staff"
)

func token() string { return rand.Text() }

// sessions are the browsers that have opened an area.
type sessions struct {
	idle configs.Idle

	mu  sync.Mutex
	all map[string]*session
}

type session struct {
	until map[string]time.Time // by area
	used  time.Time
}

func newSessions(idle configs.Idle) *sessions {
	return &sessions{idle: idle, all: make(map[string]*session)}
}

func (s *sessions) lasts(area string) time.Duration {
	if area == areaMain {
		return s.idle.Lock
	}
	return s.idle.Area
}

// open opens an area for the session with the id, or a new one, and returns its id.
func (s *sessions) open(id, area string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	one := s.all[id]
	if one == nil {
		if len(s.all) >= sessionsMost {
			oldest := ""
			for other, o := range s.all {
				if oldest == "" || o.used.Before(s.all[oldest].used) {
					oldest = other
				}
			}
			delete(s.all, oldest)
		}
		id, one = token(), &session{until: make(map[string]time.Time)}
		s.all[id] = one
	}
	one.used, one.until[area] = now, now.Add(s.lasts(area))
	return id
}

// areas lists what a session has open, with the time left. A touch keeps it open.
func (s *sessions) areas(id string, touch bool) map[string]time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[id]
	if one == nil {
		return nil
	}
	now, open := time.Now(), make(map[string]time.Time)
	for area, until := range one.until {
		switch {
		case now.After(until):
			delete(one.until, area)
		case touch:
			one.until[area] = now.Add(s.lasts(area))
			fallthrough
		default:
			open[area] = one.until[area]
		}
	}
	if touch {
		one.used = now
	}
	return open
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, id)
}

// caller is who asks.
type caller struct {
	by    journal.By
	areas map[string]bool
	token bool   // a machine
	id    string // of the session
}

// who finds out who asks, by token or cookie. A touch keeps a session open.
func (s *Server) who(r *http.Request, touch bool) caller {
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		for _, t := range s.Cfg.Panel.Tokens {
			if subtle.ConstantTimeCompare([]byte(given), []byte(t.Secret)) == 1 {
				roles := map[string][]string{"view": {"view"}, "operate": {"view", areaMain}, "system": {"view", areaMain, areaSystem, areaStaff}}
				c := caller{by: journal.By{Via: "http", Name: t.Name}, areas: make(map[string]bool), token: true}
				for _, area := range roles[t.Role] {
					c.areas[area] = true
				}
				return c
			}
		}
		return caller{}
	}
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return caller{}
	}
	c := caller{by: journal.By{Via: "panel"}, areas: make(map[string]bool), id: cookie.Value}
	for area := range s.sessions.areas(cookie.Value, touch) {
		c.areas[area] = true
		c.areas["view"] = true
		c.by.Name = area
	}
	return c
}

// allowed finds out who asks and whether the area is open to them; where it is not it has answered.
func (s *Server) allowed(w http.ResponseWriter, r *http.Request, area string) (caller, bool) {
	if r.Method != http.MethodGet && late(r) {
		writeProblem(w, problem{
			Status: http.StatusConflict, Title: "Too late", Outcome: string(devices.Expired),
			Detail: "the touch arrived too late and was not carried out; try again", ZH: "触摸到达太晚，未执行，请重试",
		})
		return caller{}, false
	}
	c := s.who(r, r.Method != http.MethodGet)
	c.by.From = addressOf(r)
	if c.areas[area] {
		if !c.token {
			c.by.Name = area
		}
		return c, true
	}
	if len(c.areas) == 0 {
		writeProblem(w, problem{Status: http.StatusUnauthorized, Title: "Locked", Detail: "open the area " + area + " with its PIN, or give a token", ZH: "请先输入密码"})
	} else {
		writeProblem(w, problem{Status: http.StatusForbidden, Title: "Another area", Detail: "this needs the PIN of the area " + area, ZH: "需要另一个密码"})
	}
	return c, false
}

// touchedHeader is when a finger touched, by the controller's own clock as the stream of events tells
// it, in milliseconds since 1970. Machines need not send it.
const touchedHeader = "Lectern-Touched"

// lateMost is how old a touch may be. Networks keep what they could not deliver: a curtain must not
// move when the cable is plugged in again.
const lateMost = 4 * time.Second

func late(r *http.Request) bool {
	at, err := strconv.ParseInt(r.Header.Get(touchedHeader), 10, 64)
	return err == nil && time.Since(time.UnixMilli(at)) > lateMost
}

// openArea is POST /api/v1/session.
func (s *Server) openArea(w http.ResponseWriter, r *http.Request) {
	var in struct {
		PIN  string `json:"pin"`
		Area string `json:"area"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if in.Area == "" {
		in.Area = areaMain
	}
	hash, ok := s.Cfg.Panel.PINs[in.Area]
	if !ok {
		writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Title: "No such area", Detail: "the areas are main, system and staff, as far as the room file gives them a PIN", ZH: "没有这个区域"})
		return
	}
	if in.Area == areaSystem && !s.who(r, false).areas[areaMain] {
		writeProblem(w, problem{Status: http.StatusForbidden, Title: "Locked", Detail: "open the area main first", ZH: "请先输入主页密码"})
		return
	}
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	wait := s.backoff.Wait(address)
	if wait == 0 {
		select {
		case s.hashing <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		var right bool
		right, err = pin.Verify(hash, in.PIN)
		<-s.hashing
		if err != nil {
			writeError(w, err)
			return
		}
		if right {
			s.backoff.Right(address)
			s.enter(w, r, in.Area)
			return
		}
		s.Journal.Record(journal.Entry{Time: time.Now(), By: journal.By{Via: "panel", Name: address}, Outcome: "wrong PIN", Detail: "area " + in.Area})
		var left int
		if left, wait = s.backoff.Wrong(address); wait == 0 {
			writeProblem(w, problem{Status: http.StatusUnauthorized, Title: "Wrong PIN", Detail: "wrong PIN", ZH: "密码错误", Left: &left})
			return
		}
	}
	none := 0
	writeProblem(w, problem{
		Status: http.StatusTooManyRequests, Title: "Too many wrong PINs", Detail: "wait before the next try", ZH: "密码错误次数过多，请稍候",
		RetryAfter: int(wait/time.Second) + 1, Left: &none,
	})
}

func (s *Server) enter(w http.ResponseWriter, r *http.Request, area string) {
	id := ""
	if c, err := r.Cookie(cookieName); err == nil {
		id = c.Value
	}
	id = s.sessions.open(id, area)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
	s.Journal.Record(journal.Entry{Time: time.Now(), By: journal.By{Via: "panel", Name: area, From: addressOf(r)}, Outcome: "opened"})
	s.writeSession(w, s.sessions.areas(id, false))
}

func (s *Server) writeSession(w http.ResponseWriter, open map[string]time.Time) {
	if open == nil {
		open = map[string]time.Time{}
	}
	writeJSON(w, http.StatusOK, map[string]any{"areas": open})
}

// lock is DELETE /api/v1/session.
func (s *Server) lock(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		s.sessions.end(c.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	w.WriteHeader(http.StatusNoContent)
}

// session is GET /api/v1/session.
func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	id := ""
	if c, err := r.Cookie(cookieName); err == nil {
		id = c.Value
	}
	s.writeSession(w, s.sessions.areas(id, false))
}

// stay is PUT /api/v1/session: somebody is at the panel, if only to look. It keeps open what is open.
func (s *Server) stay(w http.ResponseWriter, r *http.Request) {
	id := ""
	if c, err := r.Cookie(cookieName); err == nil {
		id = c.Value
	}
	s.writeSession(w, s.sessions.areas(id, true))
}

var errHold = errors.New("hold")

// holds are buttons that are being held, measured here and not in the browser.
type holds struct {
	mu  sync.Mutex
	all map[string]heldButton
}

type heldButton struct {
	scene string
	since time.Time
}

const (
	holdMost  = 30 * time.Second
	holdsMost = 256
)

func newHolds() *holds { return &holds{all: make(map[string]heldButton)} }

func (h *holds) begin(scene string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for id, b := range h.all {
		if now.Sub(b.since) > holdMost || len(h.all) >= holdsMost {
			delete(h.all, id)
		}
	}
	id := token()
	h.all[id] = heldButton{scene, now}
	return id
}

// end says how long a button was held; it can be used once.
func (h *holds) end(id, scene string) (time.Duration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, ok := h.all[id]
	delete(h.all, id)
	held := time.Since(b.since)
	if !ok || b.scene != scene || held > holdMost {
		return 0, errHold
	}
	return held, nil
}
