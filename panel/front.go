package panel

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"lectern/configs"
)

// Front is what stands before pages that are of no one room: it answers to the names, keeps the limits and
// times and speaks the TLS that a room's panel does. Its methods may be called from any goroutine.
type Front struct {
	hosts   hosts
	rates   *rates
	streams chan struct{}
	each    *tally
	times   times
	life    context.Context // ends with Run, so that streams do
	end     context.CancelFunc
	log     *slog.Logger
}

// NewFront makes a front that answers to names beside those that the machine itself knows.
func NewFront(names []string, log *slog.Logger) *Front {
	f := &Front{
		hosts: newHosts(&configs.Panel{Hosts: names}), rates: new(rates), streams: make(chan struct{}, streamsMost),
		each: &tally{most: streamsEach}, times: defaultTimes(), log: log,
	}
	f.life, f.end = context.WithCancel(context.Background())
	return f
}

// Run serves pages on the listener until ctx ends; certificate is nil where it speaks no TLS. Where a page
// sets no Content-Security-Policy of its own it has the panel's.
func (f *Front) Run(ctx context.Context, listener net.Listener, certificate *Certificate, pages http.Handler) error {
	return serve(ctx, listener, certificate, f.Guard(pages), f.times, f.end, f.log)
}

// Guard refuses what no page of this server sends, before the pages see it.
func (f *Front) Guard(pages http.Handler) http.Handler {
	return guard(f.hosts, f.rates, f.times.body, pages)
}

// Sender is where a request comes from.
type Sender struct {
	Address string
	Family  string // what one person has: an IPv4 address, or the network that IPv6 gives to each
	Local   bool   // from this machine itself, and not passed on by a proxy
}

// From says where a request comes from.
func From(r *http.Request) Sender {
	o := sender(r)
	return Sender{Address: o.address, Family: o.family, Local: o.loopback}
}

// Stream is an answer that goes on: events for one browser. It is for one goroutine.
type Stream struct {
	context.Context // ends with the request, and with the server

	w       http.ResponseWriter
	control *http.ResponseController
	most    time.Duration // for one event
}

// Stream begins an answer that goes on, within the bounds of streams; done gives it back. Where there are
// too many it has answered, and ok is false.
func (f *Front) Stream(w http.ResponseWriter, r *http.Request) (s *Stream, done func(), ok bool) {
	give, ok := streamPlace(sender(r), f.streams, f.each)
	if !ok {
		writeProblem(w, problem{Status: http.StatusServiceUnavailable, Title: "Too many pages", Detail: "no further event stream; close one", ZH: "打开的页面太多", RetryAfter: 10})
		return nil, nil, false
	}
	ctx, cancel := context.WithCancel(r.Context())
	stop := context.AfterFunc(f.life, cancel)
	narrow(r)
	w.Header().Set("Content-Type", "text/event-stream")
	s = &Stream{Context: ctx, w: w, control: http.NewResponseController(w), most: f.times.event}
	return s, func() { stop(); cancel(); give() }, true
}

// Send sends one event and reports whether the browser took it. Data is one line: JSON, or nothing.
func (s *Stream) Send(event, data string) bool {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.most))
	fmt.Fprintf(s.w, "event: %s\ndata: %s\n\n", event, data)
	return s.control.Flush() == nil
}
