// Package panel is what people and machines meet: the HTTP API, the stream of events, areas that PINs
// open, and the pages of the touch panel.
//
// It decides who may ask; whether what they ask for is safe the room decides. Everything it knows of
// the room comes from the room file and the room's state.
package panel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/configs"
	"lectern/devices/line"
	"lectern/panel/pin"
	"lectern/panel/staff"
	"lectern/scenes/build"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

const (
	bodyMost   = 64 << 10
	headerMost = 32 << 10
	headerTime = 5 * time.Second
	idleTime   = 2 * time.Minute
	stopTime   = 3 * time.Second
)

// Config is what a panel serves.
type Config struct {
	Cfg       *configs.Room
	Room      *room.Room
	Engine    *sequence.Engine
	Journal   *journal.Journal
	Lines     []*line.Line
	Service   *build.Service // what staff work with; nil for none
	Build     string
	Simulated bool
	Log       *slog.Logger
}

// Server serves one room.
type Server struct {
	Config
	echo     *echo.Echo
	site     *website
	about    asset // the answer to GET /api/v1/room
	sessions *sessions
	holds    *holds
	backoff  pin.Backoff
	hashing  chan struct{} // bounds how many PINs are hashed at a time
	streams  chan struct{} // bounds the event streams
	pictures chan struct{} // bounds the pictures relayed
	metrics  *metrics
	staff    *staff.Pages // nil where staff have no PIN
	reports  reports
	relay    *http.Transport // to the equipment's pictures
	epoch    string
	life     context.Context // ends with Run, so that streams do
	end      context.CancelFunc
}

// New makes a server. Nothing is opened before Run.
func New(c Config) (*Server, error) {
	about, err := describe(c.Cfg, c.Room)
	if err != nil {
		return nil, err
	}
	site, err := newWebsite(c.Cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Config: c, site: site, about: text("application/json", about), sessions: newSessions(c.Cfg.Panel.Idle), holds: newHolds(),
		hashing: make(chan struct{}, hashesMost), streams: make(chan struct{}, streamsMost), pictures: make(chan struct{}, picturesMost),
		relay: &http.Transport{DisableKeepAlives: true}, epoch: token(),
	}
	s.life, s.end = context.WithCancel(context.Background())
	s.metrics = newMetrics(s)
	if err := s.tablet(); err != nil {
		return nil, err
	}
	s.routes()
	return s, nil
}

// Handler returns the whole web server.
func (s *Server) Handler() http.Handler { return s.guardWeb(s.echo) }

// Run serves on the listener until ctx ends; streams then end and what is under way is finished.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerMost,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving the panel: %w", err)
	case <-ctx.Done():
	}
	s.end()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		_ = server.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the panel: %w", err)
	}
	return nil
}

// streaming returns a context for an answer that goes on: it ends with the request, and with the
// server, which would wait for it otherwise.
func (s *Server) streaming(r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(s.life, cancel)
	return ctx, func() { stop(); cancel() }
}

// route is one way into the API; the OpenAPI description is held against the list.
type route struct {
	method, path string
	handle       http.HandlerFunc
}

// routes lists them all. echo finds the handler; the handlers are the standard library's.
func (s *Server) routes() {
	s.echo = echo.New()
	s.echo.HideBanner = true
	// Without it X-Forwarded-For is believed, and whoever guesses PINs is a new person each time.
	s.echo.IPExtractor = echo.ExtractIPDirect()
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) {
		code := http.StatusInternalServerError
		if he := new(echo.HTTPError); errors.As(err, &he) {
			code = he.Code
		}
		writeProblem(c.Response(), problem{Status: code, Title: http.StatusText(code), Detail: "no such path or method; GET /api/openapi.json lists them"})
	}
	for _, r := range s.table() {
		s.echo.Add(r.method, r.path, func(c echo.Context) error {
			r.handle(c.Response(), withParams(c))
			return nil
		})
	}
}

func (s *Server) table() []route {
	return append([]route{
		{http.MethodPost, "/api/v1/session", s.openArea},
		{http.MethodDelete, "/api/v1/session", s.lock},
		{http.MethodGet, "/api/v1/session", s.session},
		{http.MethodPut, "/api/v1/session", s.stay},
		{http.MethodGet, "/api/v1/room", s.room},
		{http.MethodGet, "/api/v1/state", s.state},
		{http.MethodGet, "/api/v1/events", s.events},
		{http.MethodPost, "/api/v1/devices/:device/:property", s.set},
		{http.MethodPost, "/api/v1/scenes/:scene", s.startScene},
		{http.MethodDelete, "/api/v1/scenes/:scene", s.cancelScene},
		{http.MethodPost, "/api/v1/scenes/:scene/hold", s.hold},
		{http.MethodPost, "/api/v1/scenes/:scene/decision", s.decide},
		{http.MethodGet, "/api/v1/journal", s.readJournal},
		{http.MethodPost, "/api/v1/orders", s.report},
		{http.MethodGet, "/api/v1/orders", s.readReports},
		{http.MethodGet, "/api/v1/trace", s.trace},
		{http.MethodGet, "/api/v1/preview/:device", s.preview},
		{http.MethodGet, "/guide", s.guide},
		{http.MethodGet, "/api/openapi.json", s.openapi},
		{http.MethodGet, "/healthz", s.healthz},
		{http.MethodGet, "/readyz", s.readyz},
		{http.MethodGet, "/metrics", s.metrics.serve},
	}, append(s.pages(), s.tabletRoutes()...)...)
}

type paramKey string

// withParams puts echo's path parameters where a plain handler finds them.
func withParams(c echo.Context) *http.Request {
	ctx := c.Request().Context()
	for i, name := range c.ParamNames() {
		ctx = context.WithValue(ctx, paramKey(name), c.ParamValues()[i])
	}
	return c.Request().WithContext(ctx)
}

func param(r *http.Request, name string) string {
	v, _ := r.Context().Value(paramKey(name)).(string)
	return v
}

// policy is the content security policy of every page: nothing from elsewhere, no script or style in
// the page itself.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
	"manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// guardWeb refuses what no panel of this room sends, before anything is looked at.
func (s *Server) guardWeb(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !localHost(r.Host) {
			writeProblem(w, problem{Status: http.StatusMisdirectedRequest, Title: "Unknown host", Detail: "ask by the controller's IP address or as localhost", ZH: "请使用控制器的IP地址访问"})
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead && crossSite(r) {
			writeProblem(w, problem{Status: http.StatusForbidden, Title: "Request from another site", Detail: "commands are taken from this panel's own pages", ZH: "只接受本面板页面发出的命令"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, bodyMost)
		next.ServeHTTP(w, r)
	})
}

// localHost reports whether a Host header is one that this server has. Another name may be a site
// whose address was made to point here, so that its scripts look like ours (DNS rebinding).
func localHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || strings.HasSuffix(host, ".local") || !strings.Contains(host, ".") && host != "" ||
		net.ParseIP(strings.Trim(host, "[]")) != nil
}

// crossSite reports whether a browser says that another site sent the request.
func crossSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return true
	}
	origin := r.Header.Get("Origin")
	return origin != "" && origin != "http://"+r.Host && origin != "https://"+r.Host
}
