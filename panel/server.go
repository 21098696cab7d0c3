// Package panel is what people and machines meet: the HTTP API, the stream of events, areas that PINs
// open, and the pages of the touch panel.
//
// It decides who may ask; whether what they ask for is safe the room decides. Everything it knows of
// the room comes from the room file and the room's state.
package panel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"lectern/configs"
	"lectern/devices/line"
	"lectern/panel/staff"
	"lectern/scenes/automatic"
	"lectern/scenes/build"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

const (
	headerMost = 32 << 10
	idleTime   = 2 * time.Minute // between two requests of a connection
	stopTime   = 3 * time.Second
)

// times bound what a client that is slow, or means to be, may hold up.
type times struct {
	header time.Duration // for all headers to arrive
	body   time.Duration // for a body
	answer time.Duration // for an answer to be taken
	event  time.Duration // for one event of a stream, or one piece of a picture
}

func defaultTimes() times {
	return times{header: 5 * time.Second, body: 10 * time.Second, answer: time.Minute, event: 10 * time.Second}
}

// Config is what a panel serves.
type Config struct {
	Cfg       *configs.Room
	Room      *room.Room
	Engine    *sequence.Engine
	Board     *automatic.Board
	Journal   *journal.Journal
	Lines     func() []*line.Line // as they are now; nil for none
	Service   *build.Service      // what staff work with; nil for none
	Build     string
	Simulated bool
	// Reload reads the room file again and does what it says. The error is told to who asked; where it
	// is configs.Faults, each of them. Nil where there is no room file.
	Reload func(ctx context.Context, by journal.By) (Reloaded, error)
	// Broker reports whether the room is on its MQTT broker; nil where it names none.
	Broker func() bool
	// Before is the server of the room file before, whose sessions, wrong PINs and counters this one goes
	// on with; nil at the start. See Succeed.
	Before *Server
	// Certificate makes the panel speak TLS; nil where it does not.
	Certificate *Certificate
	Log         *slog.Logger
}

// Server serves one room.
type Server struct {
	Config
	echo     *echo.Echo
	site     *website
	about    func() (all, locked asset) // the answers to GET /api/v1/room: to who may see the room, and to others
	front    atomic.Pointer[Server]
	access   atomic.Pointer[access]
	sessions *sessions
	keypad   *keypad
	holds    *holds
	hosts    hosts
	rates    *rates
	streams  chan struct{} // bounds the event streams
	each     *tally        // and those of one address
	times    times
	pictures chan struct{} // bounds the pictures relayed
	counts   *counts
	exports  *export
	staff    *staff.Pages // nil where staff have no PIN
	reports  reports
	relay    *http.Transport // to the equipment's pictures
	epoch    string
	news     news
	rounds   rounds          // of the panels that follow the room
	life     context.Context // ends with Run, so that streams do
	end      context.CancelFunc
}

// New makes a server. Nothing is opened before Run, and the room may still be another than Cfg says.
func New(c Config) (*Server, error) {
	site, err := newWebsite(c.Cfg)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Config: c, site: site, sessions: newSessions(c.Cfg.Panel.Idle), keypad: newKeypad(c.Journal), holds: newHolds(), hosts: newHosts(&c.Cfg.Panel),
		rates: new(rates), streams: make(chan struct{}, streamsMost), each: &tally{most: streamsEach}, pictures: make(chan struct{}, picturesMost),
		exports: new(export), relay: newRelay(), epoch: token(), counts: newCounts(),
		times: defaultTimes(), rounds: rounds{room: c.Room},
	}
	s.about = sync.OnceValues(func() (all, locked asset) {
		a, l := describe(c.Cfg, c.Room)
		return text("application/json", a), text("application/json", l)
	})
	s.Admit(&c.Cfg.Panel)
	s.life, s.end = context.WithCancel(context.Background())
	if b := c.Before; b != nil {
		s.sessions, s.keypad, s.holds, s.rates, s.streams, s.each = b.sessions, b.keypad, b.holds, b.rates, b.streams, b.each
		s.pictures, s.relay, s.exports, s.counts, s.times = b.pictures, b.relay, b.exports, b.counts, b.times
	}
	s.Before = nil // what was before that one is not kept
	if err := s.tablet(); err != nil {
		return nil, err
	}
	s.routes()
	return s, nil
}

// Succeed puts a server for another room file in the place of the one that answers, on the listener of
// the first. Streams of the old one end, and panels come back to find that all is to be read anew.
// Sessions stay open but for areas whose PIN is another now; what the old server is still answering is
// held to the new PINs and tokens too.
func (s *Server) Succeed(next *Server) {
	before := s.now()
	before.Admit(&next.Cfg.Panel)
	next.sessions.renew(next.Cfg.Panel.Idle)
	s.front.Store(next)
	before.end()
}

// now is the server that answers.
func (s *Server) now() *Server {
	if next := s.front.Load(); next != nil {
		return next
	}
	return s
}

// Handler returns the whole web server.
func (s *Server) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := s.now()
		now.guardWeb(now.echo).ServeHTTP(w, r)
	})
}

// Run serves on the listener until ctx ends; streams then end and what is under way is finished.
func (s *Server) Run(ctx context.Context, listener net.Listener) error {
	return serve(ctx, listener, s.Certificate, s.Handler(), s.times, func() { s.now().end() }, s.Log)
}

// serve answers on a listener until ctx ends. End then ends what would go on for ever.
func serve(ctx context.Context, listener net.Listener, certificate *Certificate, handler http.Handler, times times, end func(), log *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: times.header, WriteTimeout: times.answer, IdleTimeout: idleTime, MaxHeaderBytes: headerMost,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnContext: withConn,
	}
	listener = newBounded(listener)
	if certificate != nil {
		listener = tls.NewListener(listener, certificate.Config())
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving the panel: %w", err)
	case <-ctx.Done():
	}
	end()
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

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// streamBuffer is how much of a stream of events the kernel may hold for a client that is slow. What lies
// there is a backlog, and a panel that falls behind is to get the latest.
const streamBuffer = 4 << 10

// narrow keeps the kernel from holding more of a stream than that.
func narrow(r *http.Request) {
	c, _ := r.Context().Value(connKey{}).(net.Conn)
	for c != nil {
		switch inner := c.(type) {
		case *net.TCPConn:
			_ = inner.SetWriteBuffer(streamBuffer)
			return
		case interface{ NetConn() net.Conn }: // TLS, or one that is counted
			c = inner.NetConn()
		default:
			return
		}
	}
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
		{http.MethodGet, "/api/v1/automatic", s.listAutomatic},
		{http.MethodPost, "/api/v1/automatic/:kind/:id", s.switchAutomatic},
		{http.MethodPost, "/api/v1/presence", s.present},
		{http.MethodGet, "/api/v1/journal", s.readJournal},
		{http.MethodPost, "/api/v1/orders", s.report},
		{http.MethodGet, "/api/v1/orders", s.readReports},
		{http.MethodGet, "/api/v1/trace", s.trace},
		{http.MethodGet, "/api/v1/preview/:device", s.preview},
		{http.MethodPost, "/api/v1/reload", s.reload},
		{http.MethodGet, "/api/v1/reload", s.lastReload},
		{http.MethodGet, "/guide", s.guide},
		{http.MethodGet, "/api/openapi.json", s.openapi},
		{http.MethodGet, "/healthz", s.healthz},
		{http.MethodGet, "/readyz", s.readyz},
		{http.MethodGet, "/metrics", s.showMetrics},
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
