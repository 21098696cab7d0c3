package panel

import (
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"lectern/configs"
)

const (
	cookieName   = "lectern"
	sessionsMost = 1024
)

func token() string { return rand.Text() }

// cookie is the session that a browser names; "" where it names none.
func cookie(r *http.Request) string {
	if c, err := r.Cookie(cookieName); err == nil {
		return c.Value
	}
	return ""
}

// sessions are the browsers that have opened an area. One that has locked again is still known: it is
// a panel of this room, and who guesses PINs elsewhere does not make it wait.
type sessions struct {
	idle configs.Idle

	mu  sync.Mutex
	all map[string]*session
}

type session struct {
	areas map[string]opening
	knows map[string]bool // areas it has ever opened
	used  time.Time
}

// opening is an area that is open.
type opening struct {
	name  string // who opened it
	hash  string // with which PIN
	since time.Time
	until time.Time
}

func newSessions(idle configs.Idle) *sessions {
	return &sessions{idle: idle, all: make(map[string]*session)}
}

// renew goes on with what another room file says of idle panels.
func (s *sessions) renew(idle configs.Idle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = idle
}

// lasts says how long an area stays open without a touch. The caller holds mu.
func (s *sessions) lasts(area string) time.Duration {
	switch area {
	case areaMain:
		return s.idle.Lock
	case areaStaff:
		return s.idle.Staff
	}
	return s.idle.Area
}

// until is when an area closes that is touched now.
func (s *sessions) until(area string, o opening, now time.Time) time.Time {
	until := now.Add(s.lasts(area))
	if end := o.since.Add(s.idle.Most); s.idle.Most > 0 && until.After(end) {
		return end
	}
	return until
}

// enter opens an area for the session with the id, or a new one, and returns its id. A session that
// had nothing open gets another id: one that somebody saw before is worth nothing then.
func (s *sessions) enter(id, area string, c credential) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	one := s.all[id]
	if one == nil {
		s.makeRoom()
		one = &session{areas: make(map[string]opening), knows: make(map[string]bool)}
	}
	if s.close(one, now); len(one.areas) == 0 {
		delete(s.all, id)
		id = token()
		s.all[id] = one
	}
	o := opening{name: c.name, hash: c.hash, since: now}
	o.until = s.until(area, o, now)
	one.used, one.knows[area], one.areas[area] = now, true, o
	return id
}

// close closes the areas whose time is over. The caller holds mu.
func (*sessions) close(one *session, now time.Time) {
	for area, o := range one.areas {
		if now.After(o.until) {
			delete(one.areas, area)
		}
	}
}

// makeRoom keeps the sessions bounded: the one that was not used for the longest time goes. The caller
// holds mu.
func (s *sessions) makeRoom() {
	if len(s.all) < sessionsMost {
		return
	}
	oldest := ""
	for id, one := range s.all {
		if oldest == "" || one.used.Before(s.all[oldest].used) {
			oldest = id
		}
	}
	delete(s.all, oldest)
}

// open lists what a session has open. A touch keeps it open.
func (s *sessions) open(id string, access *access, touch bool) map[string]opening {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[id]
	if one == nil {
		return nil
	}
	now := time.Now()
	s.close(one, now)
	open := make(map[string]opening)
	for area, o := range one.areas {
		if !access.holds(area, o.hash) { // the PIN was changed
			delete(one.areas, area)
			continue
		}
		if touch {
			o.until = s.until(area, o, now)
			one.areas[area], one.used = o, now
		}
		open[area] = o
	}
	return open
}

// knows reports whether a session has ever opened an area.
func (s *sessions) knows(id, area string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.all[id]
	return one != nil && one.knows[area]
}

// lock closes what a session has open.
func (s *sessions) lock(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one := s.all[id]; one != nil {
		clear(one.areas)
	}
}

// lockAll closes what every session has open: the meeting is over.
func (s *sessions) lockAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.all {
		clear(one.areas)
	}
}

// count is how many sessions have something open.
func (s *sessions) count() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, one := range s.all {
		if s.close(one, now); len(one.areas) > 0 {
			n++
		}
	}
	return n
}

// lock is DELETE /api/v1/session. The browser keeps its cookie, which opens nothing now: it says that
// this is a panel of the room.
func (s *Server) lock(w http.ResponseWriter, r *http.Request) {
	s.sessions.lock(cookie(r))
	w.WriteHeader(http.StatusNoContent)
}

// session is GET /api/v1/session.
func (s *Server) session(w http.ResponseWriter, r *http.Request) { s.writeSession(w, cookie(r)) }

// stay is PUT /api/v1/session: somebody is at the panel, if only to look. It keeps open what is open.
func (s *Server) stay(w http.ResponseWriter, r *http.Request) {
	if open := s.sessions.open(cookie(r), s.access.Load(), true); len(open) > 0 {
		s.Room.Touch()
	}
	s.writeSession(w, cookie(r))
}

// writeSession answers what a session has open, and until when.
func (s *Server) writeSession(w http.ResponseWriter, id string) {
	until := make(map[string]time.Time)
	for area, o := range s.sessions.open(id, s.access.Load(), false) {
		until[area] = o.until
	}
	writeJSON(w, http.StatusOK, map[string]any{"areas": until})
}
