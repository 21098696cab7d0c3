// Package staff is the tablet of property staff: the day's meetings with their checklists, the health of
// the equipment, the equipment check, repair orders (维修单), the records of meetings and a month's
// figures.
//
// Its pages are plain: tables and forms, no script, so that the oldest tablet shows them and a printer
// prints them. Everything that changes anything is a form of the page's own, with a mark that no other
// site knows. It keeps nothing: what staff write down goes into the books of the service.
package staff

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/line"
	"lectern/panel/markup"
	"lectern/scenes/build"
	"lectern/scenes/room"
)

//go:embed staff.css
var style []byte

// Gate is who lets people in: the panel's server, by the PIN of the area staff.
type Gate interface {
	// Staff returns the session of a browser that has opened the area. A touch keeps it open.
	Staff(r *http.Request, touch bool) (session string, ok bool)
	// Enter tries a PIN. Where it is right the answer's header has the session; where not it says why.
	Enter(w http.ResponseWriter, r *http.Request, pin string) (refused devices.Phrase, ok bool)
	// Leave locks again.
	Leave(w http.ResponseWriter, r *http.Request)
}

// Config is what the pages are made of.
type Config struct {
	Cfg     *configs.Room
	Room    *room.Room
	Service *build.Service
	Lines   func() []*line.Line       // as they are now; nil for none
	Words   map[string]devices.Phrase // of the panel, for the values of equipment
	Gate    Gate
	Log     *slog.Logger
}

// Pages serves the pages below /staff.
type Pages struct {
	Config
	zone *time.Location
	mark []byte // key of the marks in forms
	mux  *http.ServeMux
}

// policy is the content security policy of the pages: a style sheet and forms, no script at all.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// New makes the pages.
func New(c Config) (*Pages, error) {
	p := &Pages{Config: c, zone: time.Local, mark: make([]byte, 32), mux: http.NewServeMux()}
	if _, err := rand.Read(p.mark); err != nil {
		return nil, fmt.Errorf("making the staff pages: %w", err)
	}
	if c.Cfg.Room.Timezone != "" {
		l, err := time.LoadLocation(c.Cfg.Room.Timezone)
		if err != nil {
			return nil, fmt.Errorf("making the staff pages: %w", err)
		}
		p.zone = l
	}
	p.routes()
	return p, nil
}

func (p *Pages) routes() {
	p.mux.HandleFunc("GET /staff/staff.css", p.style)
	p.mux.HandleFunc("GET /staff/enter", p.door)
	p.mux.HandleFunc("POST /staff/enter", p.enter)
	p.mux.HandleFunc("GET /staff/lang", p.language)
	for pattern, handle := range map[string]func(*visit){
		"GET /staff":                          p.today,
		"GET /staff/health":                   p.health,
		"GET /staff/maintenance":              p.maintenance,
		"POST /staff/maintenance":             p.maintenanceBegin,
		"POST /staff/maintenance/end":         p.maintenanceEnd,
		"GET /staff/check":                    p.checkPage,
		"POST /staff/check":                   p.checkStart,
		"GET /staff/orders":                   p.orders,
		"POST /staff/orders":                  p.orderOpen,
		"GET /staff/orders.csv":               p.ordersCSV,
		"GET /staff/orders/{id}":              p.order,
		"POST /staff/orders/{id}":             p.orderDo,
		"GET /staff/orders/{id}/picture.json": p.picture,
		"GET /staff/meetings/new":             p.meetingForm,
		"GET /staff/meetings/{id}/edit":       p.meetingForm,
		"POST /staff/meetings":                p.meetingEnter,
		"POST /staff/meetings/{id}/phase":     p.meetingMove,
		"POST /staff/meetings/{id}/tick":      p.tick,
		"POST /staff/meetings/{id}/tea":       p.tea,
		"POST /staff/meetings/{id}/note":      p.note,
		"GET /staff/records":                  p.records,
		"GET /staff/records.csv":              p.recordsCSV,
		"GET /staff/records/{id}":             p.record,
		"GET /staff/month":                    p.month,
		"GET /staff/month.csv":                p.monthCSV,
		"POST /staff/calendar":                p.calendar,
		"POST /staff/leave":                   p.leave,
	} {
		p.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { p.visit(w, r, handle) })
	}
}

// ServeHTTP implements http.Handler.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	// Without a referrer at all a browser says of its own forms that they come from nowhere.
	h.Set("Referrer-Policy", "same-origin")
	if path, ok := strings.CutSuffix(r.URL.Path, "/"); ok && path == "/staff" {
		http.Redirect(w, r, path, http.StatusSeeOther)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// visit is one request of somebody who has opened the area.
type visit struct {
	*say
	w       http.ResponseWriter
	r       *http.Request
	session string
}

// Of an address, quiet marks the reload of a page that nobody touched, and still a page that does not
// load itself again: who reads slowly, or hears the page read, can have it so.
const (
	quiet = "quiet"
	still = "still"
)

func (p *Pages) visit(w http.ResponseWriter, r *http.Request, handle func(*visit)) {
	session, ok := p.Gate.Staff(r, !r.URL.Query().Has(quiet))
	if !ok {
		http.Redirect(w, r, "/staff/enter?to="+url.QueryEscape(back(r.URL.Path)), http.StatusSeeOther)
		return
	}
	v := &visit{say: p.says(r), w: w, r: r, session: session}
	if r.Method == http.MethodPost && !hmac.Equal([]byte(v.mark()), []byte(r.PostFormValue("mark"))) {
		v.fail(http.StatusForbidden, "wrong.mark")
		return
	}
	handle(v)
}

// mark is what a form of this session has in it and no other site can know.
func (v *visit) mark() string {
	m := hmac.New(sha256.New, v.p.mark)
	m.Write([]byte(v.session))
	return hex.EncodeToString(m.Sum(nil))
}

// back is a path of these pages, or the first of them: nobody is sent elsewhere.
func back(path string) string {
	if path == "/staff" || strings.HasPrefix(path, "/staff/") && !strings.ContainsAny(path, "\\\r\n") && !strings.Contains(path, "//") {
		return path
	}
	return "/staff"
}

// fail says what is wrong and what would be right.
func (v *visit) fail(status int, word string) { v.showAs(status, "wrong", 0, wrongPage(word)) }

func (v *visit) goTo(path string) { http.Redirect(v.w, v.r, path, http.StatusSeeOther) }

// initialsCookie keeps who last ticked on this tablet, to be offered again.
const initialsCookie = "lectern-initials"

// initials are those of who last wrote something on this tablet.
func (v *visit) initials() string {
	if typed := v.r.PostFormValue("who"); typed != "" {
		return typed // into a form that was not taken
	}
	if c, err := v.r.Cookie(initialsCookie); err == nil {
		if s, err := url.QueryUnescape(c.Value); err == nil {
			return s
		}
	}
	return ""
}

// who is who fills in a form, kept for the next one; "" where they did not say.
func (v *visit) who() string {
	name := strings.TrimSpace(v.r.PostFormValue("who"))
	if n := len([]rune(name)); n == 0 || n > 20 {
		return ""
	}
	http.SetCookie(v.w, &http.Cookie{Name: initialsCookie, Value: url.QueryEscape(name), Path: "/staff", MaxAge: 12 * 3600, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return name
}

func (p *Pages) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(style)
}

const languageCookie = "lectern-language"

func (p *Pages) language(w http.ResponseWriter, r *http.Request) {
	to := r.URL.Query().Get("to")
	if to == "zh" || to == "en" {
		http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: to, Path: "/staff", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	}
	http.Redirect(w, r, back(r.URL.Query().Get("back")), http.StatusSeeOther)
}

func (p *Pages) door(w http.ResponseWriter, r *http.Request) {
	p.ask(w, r, http.StatusOK, devices.Phrase{})
}

func (p *Pages) ask(w http.ResponseWriter, r *http.Request, status int, refused devices.Phrase) {
	now := time.Now()
	reload(w, seen, "/staff/enter")
	p.render(w, status, "enter", p.says(r).doorPage(back(r.FormValue("to")), refused, p.teaDue(now), p.left(now)))
}

// doorPage asks for the PIN. What is due it says all the same, without a word of whose meeting it is.
func (s *say) doorPage(to string, refused devices.Phrase, tea *teaDue, due int) g.Node {
	var banners g.Group
	if tea != nil {
		banners = append(banners, h.P(h.Class("banner tea"), h.Role("status"), g.Text("☕ "+s.t("tea.due", s.clock(tea.Since)))))
	}
	if due > 0 {
		banners = append(banners, h.P(h.Class("banner due"), h.Role("status"), g.Text("☑ "+s.t("enter.due", due))))
	}
	if why := s.phrase(refused); why != "" {
		banners = append(banners, h.P(h.Class("banner bad"), h.Role("alert"), g.Text("⚠ "+why)))
	}
	return s.document(h.Class("enter"), h.Main(
		h.P(h.Class("room"), g.Text(s.roomName())),
		h.H1(s.text("enter.title")),
		banners,
		h.Form(h.Method("post"), h.Action("/staff/enter"), hidden("to", to), markup.Spaced(
			s.labelled("enter.pin", h.Input(h.Type("password"), h.Name("pin"), g.Attr("inputmode", "numeric"), h.Pattern("[0-9]*"),
				h.MaxLength("12"), h.AutoComplete("off"), h.Required(), h.AutoFocus())),
			h.Button(h.Class("main"), s.text("enter.go")),
		)),
		h.P(s.otherLanguage("/staff")),
	))
}

func (p *Pages) enter(w http.ResponseWriter, r *http.Request) {
	if refused, ok := p.Gate.Enter(w, r, r.PostFormValue("pin")); !ok {
		p.ask(w, r, http.StatusUnauthorized, refused)
		return
	}
	http.Redirect(w, r, back(r.PostFormValue("to")), http.StatusSeeOther)
}

func (p *Pages) leave(v *visit) {
	p.Gate.Leave(v.w, v.r)
	v.goTo("/staff/enter")
}

// path is where the page is, for what comes back to it.
func (v *visit) path() string {
	if path := v.r.URL.Path; v.r.Method == http.MethodGet || strings.HasPrefix(path, "/staff/orders") || path == "/staff/check" || path == "/staff/maintenance" {
		return back(path)
	}
	return "/staff" // a form of another page
}

// link is a way to one of the pages.
type link struct {
	Path, Word string
	Here       bool
}

// links are the ways to the pages.
func (v *visit) links() []link {
	list := []link{
		{"/staff", "nav.today", false}, {"/staff/health", "nav.health", false}, {"/staff/check", "nav.check", false},
		{"/staff/orders", "nav.orders", false}, {"/staff/records", "nav.records", false}, {"/staff/month", "nav.month", false},
	}
	for i := range list {
		list[i].Here = v.r.URL.Path == list[i].Path || i > 0 && strings.HasPrefix(v.r.URL.Path, list[i].Path+"/") || list[i].Path == "/staff/health" && v.r.URL.Path == "/staff/maintenance"
	}
	return list
}
