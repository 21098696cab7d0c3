package panel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"lectern/panel/pin"
	"lectern/scenes/journal"
)

// keypad decides who may try a PIN, and when. There are two lanes, so that those who guess never make
// the panel on the wall wait: one for panels that have opened the area before and for the controller's
// own screen, one for strangers. In each one PIN is checked at a time.
type keypad struct {
	backoff pin.Backoff
	crowds  map[string]*pin.Crowd // by area; strangers only
	known   *pin.Lane
	strange *pin.Lane
	misses  misses
}

func newKeypad(j *journal.Journal) *keypad {
	k := &keypad{crowds: make(map[string]*pin.Crowd), known: pin.NewLane(), strange: pin.NewLane(), misses: misses{journal: j}}
	for _, area := range allAreas() {
		k.crowds[area] = new(pin.Crowd)
	}
	return k
}

// guest is who types a PIN: a panel that is known, by its session, or what is at an address.
type guest struct {
	address, panel string // as Backoff counts them, each with the area: a right PIN of one is no right one of another
	known          bool
}

// guest finds out who types a PIN for an area.
func (s *Server) guest(r *http.Request, area string) guest {
	from := sender(r)
	g := guest{address: area + " " + from.family, known: from.loopback}
	g.panel = g.address
	if id := cookie(r); s.sessions.knows(id, area) {
		g.panel, g.known = area+" session "+id, true
	}
	return g
}

// verdict is what a keypad says of a try.
type verdict struct {
	who   credential
	tried bool // it was looked at
	right bool
	left  int           // tries, where it was wrong
	wait  time.Duration // before the next
	crowd bool          // the wait is for others that guess
}

// try lets a guest try a PIN. It is counted before it is checked, so that a hundred at once are a hundred.
func (k *keypad) try(ctx context.Context, g guest, area string, check func() (credential, bool, error)) (v verdict, err error) {
	crowd := k.crowds[area]
	if !g.known {
		if v.wait = k.backoff.Wait(g.panel); v.wait > 0 {
			return v, nil
		}
		wait, begins, ok := crowd.Try(g.address)
		if !ok {
			v.wait, v.crowd = wait, true
			return v, nil
		}
		if begins {
			k.misses.crowd(area)
		}
	}
	if v.left, v.wait, v.tried = k.backoff.Try(g.panel); !v.tried {
		if !g.known {
			crowd.Undo()
		}
		return v, nil
	}
	lane := k.strange
	if g.known {
		lane = k.known
	}
	if e := lane.Do(ctx, func() { v.who, v.right, err = check() }); e != nil {
		err = e
	}
	if err != nil {
		k.backoff.Undo(g.panel)
	} else if v.right {
		k.backoff.Right(g.panel)
	} else if g.panel != g.address { // a panel's wrong PINs count for its address too, where it could begin anew
		k.backoff.Wrong(g.address)
	}
	if !g.known && (err != nil || v.right) {
		crowd.Undo()
	}
	return v, err
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
	access := s.access.Load()
	if len(access.pins[in.Area]) == 0 {
		writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Title: "No such area", Detail: "the areas are main, system and staff, as far as the room file gives them a PIN", ZH: "没有这个区域"})
		return
	}
	if in.Area == areaSystem && !s.who(r, false).areas[areaMain] {
		writeProblem(w, problem{Status: http.StatusForbidden, Title: "Locked", Detail: "open the area main first", ZH: "请先输入主页密码"})
		return
	}
	v, err := s.keypad.try(r.Context(), s.guest(r, in.Area), in.Area, func() (credential, bool, error) { return access.check(in.Area, in.PIN) })
	switch {
	case errors.Is(err, pin.ErrBusy):
		s.counts.pin("busy")
		writeProblem(w, problem{Status: http.StatusTooManyRequests, Title: "Too many PINs at once", Detail: "others are trying PINs; try again", ZH: "有人在试密码，请稍候", RetryAfter: 2})
	case err != nil && r.Context().Err() != nil: // nobody waits for the answer
	case err != nil:
		s.Log.Error("a PIN of the room file cannot be checked", "area", in.Area, "error", err)
		writeError(w, err)
	case v.right:
		s.counts.pin("right")
		s.enter(w, r, in.Area, v.who)
	default:
		s.wrong(w, r, in.Area, v)
	}
}

// wrong answers a PIN that was wrong, or was not looked at because it is not the time for it.
func (s *Server) wrong(w http.ResponseWriter, r *http.Request, area string, v verdict) {
	outcome := "waits"
	if v.tried {
		outcome = "wrong"
		s.keypad.misses.note(area, sender(r).address)
	}
	s.counts.pin(outcome)
	switch {
	case v.left > 0:
		writeProblem(w, problem{Status: http.StatusUnauthorized, Title: "Wrong PIN", Detail: "wrong PIN", ZH: "密码错误", Left: &v.left})
	case v.crowd:
		writeProblem(w, problem{
			Status: http.StatusTooManyRequests, Title: "PINs are being guessed", Detail: "others try PINs; it is this panel's turn later", ZH: "有人在试密码，请稍候",
			RetryAfter: seconds(v.wait),
		})
	default:
		writeProblem(w, problem{
			Status: http.StatusTooManyRequests, Title: "Too many wrong PINs", Detail: "wait before the next try", ZH: "密码错误次数过多，请稍候",
			RetryAfter: seconds(v.wait), Left: &v.left,
		})
	}
}

// seconds is a wait as people are told it, never too short.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// enter opens an area for who has typed its PIN.
func (s *Server) enter(w http.ResponseWriter, r *http.Request, area string, who credential) {
	id := s.sessions.enter(cookie(r), area, who)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
	s.Journal.Record(journal.Entry{Time: time.Now(), By: journal.By{Via: "panel", Name: who.name, From: sender(r).address}, Outcome: "opened", Detail: "area " + area})
	s.Room.Touch()
	s.writeSession(w, id)
}

const (
	missesTold = 5           // wrong PINs in a minute that have an entry each
	missesSpan = time.Minute // after which the others have one together
)

// misses tells the journal of wrong PINs, and of thousands in few words.
type misses struct {
	journal *journal.Journal

	mu     sync.Mutex
	since  time.Time
	told   int
	silent int
}

// note tells of a wrong PIN.
func (m *misses) note(area, address string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if now.Sub(m.since) > missesSpan {
		m.since, m.told = now, 0
	}
	if m.told++; m.told <= missesTold {
		m.journal.Record(journal.Entry{Time: now, By: journal.By{Via: "panel", From: address}, Outcome: "wrong PIN", Detail: "area " + area})
		return
	}
	if m.silent++; m.silent == 1 {
		time.AfterFunc(missesSpan, m.sum)
	}
}

// sum tells of the wrong PINs that have no entry of their own.
func (m *misses) sum() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.journal.Record(journal.Entry{Time: time.Now(), By: journal.By{Via: "panel"}, Outcome: "wrong PIN", Detail: fmt.Sprintf("%d more within a minute", m.silent)})
	m.silent = 0
}

// crowd tells that strangers must wait for their turn from now.
func (m *misses) crowd(area string) {
	m.journal.Record(journal.Entry{
		Time: time.Now(), By: journal.By{Via: "panel"}, Outcome: "guessing",
		Detail: "area " + area + ": many wrong PINs; unknown panels wait for their turn, those that were opened before do not",
	})
}
