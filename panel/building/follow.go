package building

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/url"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"lectern/configs"
	"lectern/devices/line"
)

const (
	againMost   = 5 * time.Second // longest pause between two attempts
	connectTime = 5 * time.Second // for an attempt, and for each subscription
	keepAlive   = 5 * time.Second
	pingTime    = 3 * time.Second
	tickEvery   = time.Second
	gatherEvery = 10 * time.Minute // what is retained is asked for anew: a broker may have dropped something
	refused     = 0x80             // from here on, what a broker answers to a subscription that it does not take
	restTime    = 250              // ms that a disconnect waits for what is under way
)

// filters lists the topics that are subscribed to, below the one above the rooms. What no tile shows is
// not asked for: no level, no position, no volume.
var filters = []string{"+/$state", "+/$description", "+/controller/+", "+/service/+", "+/$alert/+", "+/scenes/+", "+/+/power", "+/+/temperature", "+/+/band"}

// follower is a reader of the broker.
type follower struct {
	cfg      configs.Watched
	board    *board
	security *tls.Config
	log      *slog.Logger
}

func newFollower(cfg configs.Watched, b *board, log *slog.Logger) (*follower, error) {
	security, err := line.TLS(cfg.CA, cfg.Cert, cfg.Key)
	if err != nil {
		return nil, fmt.Errorf("broker %s: %w", redacted(cfg.Broker), err)
	}
	return &follower{cfg: cfg, board: b, security: security, log: log}, nil
}

// redacted takes a password out of an address.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(unreadable address)"
	}
	return u.Redacted()
}

// run follows the broker until ctx ends, and comes back to it whenever it is lost.
func (f *follower) run(ctx context.Context) {
	said := ""
	for pause := time.Second; ctx.Err() == nil; pause = min(2*pause, againMost) {
		began := time.Now()
		err := f.session(ctx)
		if ctx.Err() != nil {
			return
		}
		f.board.lost(err.Error(), time.Now())
		if time.Since(began) > time.Minute {
			pause, said = time.Second, ""
		}
		if said != err.Error() {
			said = err.Error()
			f.log.Warn("the broker is away; trying on", "broker", redacted(f.cfg.Broker), "error", err)
		}
		select {
		case <-time.After(pause/2 + mathrand.N(pause/2)):
		case <-ctx.Done():
		}
	}
}

// session is one connection, from the connect until it is lost or ctx ends.
func (f *follower) session(ctx context.Context) error {
	lost := make(chan error, 1)
	client := paho.NewClient(paho.NewClientOptions().
		AddBroker(f.cfg.Broker).
		SetClientID("lectern-building-" + rand.Text()[:8]). // two pages on one broker are two clients
		SetUsername(f.cfg.User).SetPassword(f.cfg.Password).
		SetTLSConfig(f.security).
		SetCleanSession(true).SetAutoReconnect(false).SetConnectTimeout(connectTime).
		SetKeepAlive(keepAlive).SetPingTimeout(pingTime).SetWriteTimeout(connectTime).
		SetOrderMatters(true). // take does not block
		SetDefaultPublishHandler(f.take).
		SetConnectionLostHandler(func(_ paho.Client, err error) { lost <- err }))
	defer client.Disconnect(restTime)
	if err := settled(ctx, client.Connect()); err != nil {
		return err
	}
	f.log.Info("following the broker", "broker", redacted(f.cfg.Broker), "topic", f.board.root)
	tick, gather := time.NewTicker(tickEvery), time.NewTicker(gatherEvery)
	defer tick.Stop()
	defer gather.Stop()
	if err := f.gather(ctx, client); err != nil {
		return err
	}
	for {
		select {
		case err := <-lost:
			return err
		case <-tick.C:
			f.board.tick(time.Now())
		case <-gather.C:
			if err := f.gather(ctx, client); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx) //nolint:wrapcheck // nobody is told
		}
	}
}

// gather has the broker tell everything that it keeps. One filter at a time: the less comes at once, the
// less a broker drops that queues only so much. At most once is enough: TCP loses nothing while the
// connection lasts, and after it everything is told again. Some brokers also take a subscription for
// another packet while something that wants an acknowledgement is under way, and refuse it.
func (f *follower) gather(ctx context.Context, client paho.Client) error {
	f.board.connected(time.Now())
	for _, filter := range filters {
		token := client.Subscribe(f.board.root+filter, 0, f.take)
		err := settled(ctx, token)
		if asked, ok := token.(*paho.SubscribeToken); ok && err == nil && asked.Result()[f.board.root+filter] >= refused {
			err = errors.New("the broker refuses; give the login the right to read it")
		}
		if err != nil {
			return fmt.Errorf("subscribing to %s: %w", f.board.root+filter, err)
		}
	}
	f.board.gathering(time.Now())
	return nil
}

func (f *follower) take(_ paho.Client, m paho.Message) {
	f.board.take(m.Topic(), m.Payload(), m.Retained(), time.Now())
}

// settled waits for what the broker says to something.
func settled(ctx context.Context, token paho.Token) error {
	select {
	case <-token.Done():
		return token.Error() //nolint:wrapcheck // the caller says of what
	case <-time.After(2 * connectTime):
		return errors.New("the broker does not answer")
	case <-ctx.Done():
		return context.Cause(ctx) //nolint:wrapcheck // nobody is told
	}
}
