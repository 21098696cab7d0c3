// Package building is the page of a whole building: every room that stands on one MQTT broker, at a
// glance. It knows of a room only what the room publishes there, so that many rooms cost the broker
// something and no server of ours: close the page's program, and no room notices.
//
// What it promises:
//
//   - Everything that comes from the broker is taken for hostile: bounded in number and size, and shown
//     as text.
//   - What it cannot see it does not claim. While the broker is away, and until it has told everything,
//     the rooms are what was last known.
//   - It sets nothing. It subscribes, and has no need of a login that may write.
package building

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"lectern/configs"
	"lectern/panel"
)

// Config is what the page is made of.
type Config struct {
	Cfg         *configs.Building
	Certificate *panel.Certificate // nil where the page is served without TLS
	Log         *slog.Logger
}

// Page follows a broker and serves the page. Its methods may be called from any goroutine.
type Page struct {
	cfg         *configs.Building
	zone        *time.Location
	board       *board
	follower    *follower
	gate        *gate
	front       *panel.Front
	certificate *panel.Certificate
	epoch       string // of this life: revisions of another mean nothing
	mux         *http.ServeMux
	log         *slog.Logger
}

// New makes the page; nothing is opened before Run. It fails where a certificate cannot be read.
func New(c Config) (*Page, error) {
	p := &Page{
		cfg: c.Cfg, zone: time.Local, board: newBoard(c.Cfg, time.Now()), gate: newGate(c.Cfg.Panel.PIN, c.Cfg.Panel.Open, c.Log),
		front: panel.NewFront(c.Cfg.Panel.Hosts, c.Log), certificate: c.Certificate, epoch: newEpoch(), mux: http.NewServeMux(), log: c.Log,
	}
	var err error
	if p.follower, err = newFollower(c.Cfg.Facilities, p.board, c.Log); err != nil {
		return nil, err
	}
	if zone := c.Cfg.Building.Timezone; zone != "" {
		if p.zone, err = time.LoadLocation(zone); err != nil {
			return nil, fmt.Errorf("making the page of the building: %w", err)
		}
	}
	p.routes()
	return p, nil
}

// Handler returns the whole web server.
func (p *Page) Handler() http.Handler { return p.front.Guard(p.mux) }

// Run follows the broker and serves the page on the listener until ctx ends.
func (p *Page) Run(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() { defer close(over); p.follower.run(ctx) }()
	defer func() { cancel(); <-over }()
	if err := p.front.Run(ctx, listener, p.certificate, p.mux); err != nil {
		return fmt.Errorf("serving the page of the building: %w", err)
	}
	return nil
}
