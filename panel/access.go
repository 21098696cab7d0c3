package panel

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/panel/pin"
	"lectern/scenes/journal"
)

// Areas of the panel. Staff and system are opened beside main. View is what a session or token may see
// where the room file hides the state from others.
const (
	areaMain   = "main"
	areaSystem = "system"
	areaStaff  = "staff"
	areaView   = "view"
)

func allAreas() []string { return []string{areaMain, areaSystem, areaStaff} }

// access is who may come in: PINs, of areas and of people, and tokens.
type access struct {
	pins   map[string][]credential // by area
	tokens []tokenSum
}

// credential is a PIN as the room file stores it, and whose it is.
type credential struct {
	name string // of the person, or of the area where many share the PIN
	hash string
}

// tokenSum is a machine's token. Sums have one length, so that comparing them tells nothing of it.
type tokenSum struct {
	sum  [sha256.Size]byte
	name string
	role string
}

func newAccess(p *configs.Panel) *access {
	a := &access{pins: make(map[string][]credential)}
	for _, area := range allAreas() {
		if hash, ok := p.PINs[area]; ok {
			a.pins[area] = append(a.pins[area], credential{area, hash})
		}
		for _, one := range p.People {
			if slices.Contains(one.Areas, area) || len(one.Areas) == 0 && area == areaMain {
				a.pins[area] = append(a.pins[area], credential{one.Name, one.PIN})
			}
		}
	}
	for _, t := range p.Tokens {
		a.tokens = append(a.tokens, tokenSum{sha256.Sum256([]byte(t.Secret)), t.Name, t.Role})
	}
	return a
}

// areas lists those that somebody has a PIN for.
func (a *access) areas() []string {
	areas := []string{}
	for _, area := range allAreas() {
		if len(a.pins[area]) > 0 {
			areas = append(areas, area)
		}
	}
	return areas
}

// holds reports whether a PIN still opens an area.
func (a *access) holds(area, hash string) bool {
	return slices.ContainsFunc(a.pins[area], func(c credential) bool { return c.hash == hash })
}

// check finds whose a PIN is. It is held against every PIN of the area, whether one before it was
// right or not, so that how long it takes tells nothing. Two people may have chosen one PIN; who it
// was is then not known, and both are named.
func (a *access) check(area, digits string) (found credential, right bool, err error) {
	for _, c := range a.pins[area] {
		ok, e := pin.Verify(c.hash, digits)
		switch {
		case e != nil:
			err = e
		case ok && right:
			found.name += " / " + c.name
		case ok:
			found, right = c, true
		}
	}
	return found, right, err
}

// machine finds the machine that a token is for. All of them are compared.
func (a *access) machine(given string) (tokenSum, bool) {
	sum := sha256.Sum256([]byte(given))
	at := -1
	for i, t := range a.tokens {
		if subtle.ConstantTimeCompare(sum[:], t.sum[:]) == 1 {
			at = i
		}
	}
	if at < 0 {
		return tokenSum{}, false
	}
	return a.tokens[at], true
}

// opens lists the areas that a role has.
func (t tokenSum) opens() []string {
	switch t.role {
	case "view":
		return []string{areaView}
	case "operate":
		return []string{areaView, areaMain}
	case "system":
		return append([]string{areaView}, allAreas()...)
	}
	return nil
}

// Admit takes over PINs, people and tokens of a room file that was read again. What was opened with a
// PIN that is no longer there is closed.
func (s *Server) Admit(p *configs.Panel) { s.access.Store(newAccess(p)) }

// caller is who asks.
type caller struct {
	by    journal.By
	areas map[string]bool
	names map[string]string // who opened an area
	token bool              // a machine
}

// who finds out who asks, by token or cookie. A touch keeps a session open.
func (s *Server) who(r *http.Request, touch bool) caller {
	access := s.access.Load()
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		t, ok := access.machine(given)
		if !ok {
			return caller{}
		}
		c := caller{by: journal.By{Via: "http", Name: t.name}, areas: make(map[string]bool), token: true}
		for _, area := range t.opens() {
			c.areas[area] = true
		}
		return c
	}
	c := caller{by: journal.By{Via: "panel"}, areas: make(map[string]bool), names: make(map[string]string)}
	open := s.sessions.open(cookie(r), access, touch)
	for _, area := range allAreas() {
		if o, ok := open[area]; ok {
			c.areas[area], c.areas[areaView] = true, true
			c.names[area] = o.name
			if c.by.Name == "" {
				c.by.Name = o.name
			}
		}
	}
	return c
}

// allowed finds out who asks and whether the area is open to them; where it is not it has answered.
func (s *Server) allowed(w http.ResponseWriter, r *http.Request, area string) (caller, bool) {
	if r.Method != http.MethodGet && late(r) {
		writeLate(w)
		return caller{}, false
	}
	c := s.who(r, r.Method != http.MethodGet)
	c.by.From = sender(r).address
	if c.areas[area] {
		if name := c.names[area]; name != "" {
			c.by.Name = name
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

// views reports whether who asks may see the state of the room; everybody may where the room file
// does not hide it.
func (s *Server) views(r *http.Request) bool {
	return s.Cfg.Panel.Viewable() || s.who(r, false).areas[areaView]
}

// viewed is views, and has answered where it is not so.
func (s *Server) viewed(w http.ResponseWriter, r *http.Request) bool {
	if s.views(r) {
		return true
	}
	writeProblem(w, problem{Status: http.StatusUnauthorized, Title: "Locked", Detail: "this room shows its state to who has opened it with a PIN, or gives a token", ZH: "请先输入密码"})
	return false
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

func writeLate(w http.ResponseWriter) {
	writeProblem(w, problem{
		Status: http.StatusConflict, Title: "Too late", Outcome: string(devices.Expired),
		Detail: "the touch arrived too late and was not carried out; try again", ZH: "触摸到达太晚，未执行，请重试",
	})
}
