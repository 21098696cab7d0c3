package building

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	g "maragu.dev/gomponents"

	"lectern/devices"
)

// policy is the content security policy: a style sheet and one script of our own. The script makes
// elements of what this server sends and of nothing else, under a name that the browser holds it to.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; " +
	"frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types building"

var (
	//go:embed building.css
	style []byte
	//go:embed building.js
	script []byte
)

func newEpoch() string { return rand.Text() }

func (p *Page) routes() {
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /{$}":          p.behind(p.overview),
		"GET /events":       p.behind(p.events),
		"GET /enter":        func(w http.ResponseWriter, r *http.Request) { p.ask(w, r, http.StatusOK, devices.Phrase{}) },
		"POST /enter":       p.enter,
		"POST /leave":       p.leave,
		"GET /lang":         p.language,
		"GET /healthz":      p.healthz,
		"GET /building.css": file(style, "text/css; charset=utf-8"),
		"GET /building.js":  file(script, "text/javascript; charset=utf-8"),
	} {
		p.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			h := w.Header()
			h.Set("Content-Security-Policy", policy)
			// Without a referrer at all a browser says of its own forms that they come from nowhere.
			h.Set("Referrer-Policy", "same-origin")
			handle(w, r)
		})
	}
}

func file(b []byte, content string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", content)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(b)
	}
}

// behind lets in who has opened the page. A stream is not sent elsewhere: its browser would not go.
func (p *Page) behind(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p.gate.opened(r) {
			handle(w, r)
			return
		}
		if r.URL.Path != "/" {
			http.Error(w, "the page is locked: open it with its PIN", http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, "/enter", http.StatusSeeOther)
	}
}

// choice is what somebody wants to see, and in which order. It stands in the address, so that a bookmark
// keeps it.
type choice struct {
	Attention bool // only what needs it
	ByFloor   bool
}

func chosen(r *http.Request) choice {
	q := r.URL.Query()
	return choice{q.Get("show") == "attention", q.Get("by") == "floor"}
}

// query is the choice as it stands in an address.
func (c choice) query() string {
	q := make(url.Values)
	if c.Attention {
		q.Set("show", "attention")
	}
	if c.ByFloor {
		q.Set("by", "floor")
	}
	return q.Encode()
}

// shown and sorted are the addresses of the other choices.
func (c choice) shown(attention bool) string { return "/?" + choice{attention, c.ByFloor}.query() }

// sorted is the address of the same rooms in an order.
func (c choice) sorted(byFloor bool) string { return "/?" + choice{c.Attention, byFloor}.query() }

// takes reports whether a room is among what somebody wants to see.
func (c choice) takes(v *View) bool { return !c.Attention || v.Standing.Wants() }

// group is the id of the part of the page in which a room stands.
func (c choice) group(v *View) string {
	switch {
	case v.Standing == Gone:
		return "gone"
	case !c.ByFloor && v.Standing.Wants():
		return "attention"
	case !c.ByFloor:
		return "well"
	case v.floor < 0:
		return "other"
	}
	return fmt.Sprint("floor-", v.floor)
}

// key sorts the rooms of a group as texts are sorted.
func (c choice) key(v *View) string {
	rank := 0
	if !c.ByFloor {
		rank = v.Standing.rank()
	}
	return fmt.Sprintf("%02d-%05d-%s", rank, v.index, v.ID)
}

// tile is a room on the page.
type tile struct {
	View
	Key string
}

// group is a part of the page.
type group struct {
	ID    string
	Title string
	Gone  bool
	Spare bool // not worth a heading where it is empty
	Tiles []tile
}

// groups lists the parts of the page, those without a room too: one may come.
func (p *Page) groups(s say, c choice, views []View) []group {
	var list []group
	add := func(id, title string) { list = append(list, group{ID: id, Title: title, Gone: id == "gone"}) }
	if c.ByFloor {
		for i, floor := range p.cfg.Floors {
			add(fmt.Sprint("floor-", i), s.phrase(devices.Phrase(floor.Name)))
		}
		add("other", s.t("group.other"))
		list[len(list)-1].Spare = true
	} else {
		add("attention", s.t("group.attention"))
		if !c.Attention {
			add("well", s.t("group.well"))
		}
	}
	if !c.Attention {
		add("gone", s.t("group.gone"))
	}
	for _, v := range views {
		id := c.group(&v)
		if i := slices.IndexFunc(list, func(g group) bool { return g.ID == id }); i >= 0 && c.takes(&v) {
			list[i].Tiles = append(list[i].Tiles, tile{v, c.key(&v)})
		}
	}
	for _, g := range list {
		slices.SortFunc(g.Tiles, func(a, b tile) int { return strings.Compare(a.Key, b.Key) })
	}
	return list
}

// sums are the figures above the rooms.
type sums struct {
	Link                                        Link
	Now                                         time.Time
	Rooms, Attention, Away, Busy, Calls, Orders int
}

func sumUp(n news) sums {
	s := sums{Link: n.Link, Now: time.Now()}
	for _, v := range n.Views {
		if v.Standing == Gone {
			continue
		}
		s.Rooms++
		if v.Standing.Wants() {
			s.Attention++
		}
		if v.Standing.away() {
			s.Away++
			continue
		}
		if v.Busy() {
			s.Busy++
		}
		s.Calls += v.Calls
		s.Orders += v.Orders
	}
	return s
}

const languageCookie = "lectern-language"

func (p *Page) says(r *http.Request) say {
	s := say{p, p.cfg.Building.Language}
	if c, err := r.Cookie(languageCookie); err == nil && speaks(c.Value) {
		s.lang = c.Value
	}
	return s
}

// overview is the page.
func (p *Page) overview(w http.ResponseWriter, r *http.Request) {
	s, c := p.says(r), chosen(r)
	n := p.board.since(0)
	p.show(w, http.StatusOK, "overview", s.overview(c, n.Revision, sumUp(n), p.groups(s, c, n.Views)))
}

// show sends a page, whole or not at all.
func (p *Page) show(w http.ResponseWriter, status int, name string, page g.Node) {
	text, err := render(page)
	if err != nil {
		p.log.Error("making the page of the building", "page", name, "error", err)
		http.Error(w, "the page could not be made; see the program's log", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

func render(node g.Node) (string, error) {
	var out bytes.Buffer
	err := node.Render(&out)
	return out.String(), err //nolint:wrapcheck // the caller says of what
}

func (p *Page) ask(w http.ResponseWriter, r *http.Request, status int, refused devices.Phrase) {
	p.show(w, status, "enter", p.says(r).door(refused))
}

func (p *Page) enter(w http.ResponseWriter, r *http.Request) {
	if refused, ok := p.gate.enter(w, r, r.PostFormValue("pin")); !ok {
		p.ask(w, r, http.StatusUnauthorized, refused)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (p *Page) leave(w http.ResponseWriter, r *http.Request) {
	p.gate.leave(r)
	http.Redirect(w, r, "/enter", http.StatusSeeOther)
}

func (p *Page) language(w http.ResponseWriter, r *http.Request) {
	if to := r.URL.Query().Get("to"); speaks(to) {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: to, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	}
	http.Redirect(w, r, "/?"+chosen(r).query(), http.StatusSeeOther)
}

// healthz is for who watches this program: 503 while the broker is away.
func (p *Page) healthz(w http.ResponseWriter, _ *http.Request) {
	if link := p.board.since(0).Link; !link.Up {
		http.Error(w, "the broker cannot be reached: "+html.EscapeString(link.Error), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
