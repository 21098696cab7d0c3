package panel

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// What one address may take. A page with all its files is forty requests, a finger on a volume slider ten
// a second: a presenter never meets these, nor do five tablets behind one router.
const (
	rateMost      = 100 // requests a second, for long
	rateBurst     = 400 // requests at once
	ratesMost     = 4096
	streamsEach   = 32  // event streams
	connsEach     = 128 // connections; a browser has six
	connsMost     = 1024
	rateForgotten = time.Minute
)

// rates hold every address to a number of requests. The machine itself is not held to it.
type rates struct {
	mu  sync.Mutex
	all map[string]*paced
}

type paced struct {
	limit *rate.Limiter
	used  time.Time
}

// allow takes a request of an address, or not.
func (l *rates) allow(from origin, now time.Time) bool {
	if from.loopback {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[string]*paced)
	}
	one := l.all[from.family]
	if one == nil {
		l.makeRoom(now)
		one = &paced{limit: rate.NewLimiter(rateMost, rateBurst)}
		l.all[from.family] = one
	}
	one.used = now
	return one.limit.AllowN(now, 1)
}

// makeRoom keeps the memory bounded: addresses that were quiet for a minute go, which is when they may do
// everything again anyway; and if all are busy, all of them. The caller holds mu.
func (l *rates) makeRoom(now time.Time) {
	if len(l.all) < ratesMost {
		return
	}
	for address, one := range l.all {
		if now.Sub(one.used) > rateForgotten {
			delete(l.all, address)
		}
	}
	if len(l.all) >= ratesMost {
		clear(l.all)
	}
}

// tally counts what each address holds, and bounds it.
type tally struct {
	most int

	mu  sync.Mutex
	all map[string]int
}

// take reports whether an address may have one more; give gives it back.
func (c *tally) take(address string) (give func(), ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = make(map[string]int)
	}
	if c.all[address] >= c.most {
		return nil, false
	}
	c.all[address]++
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.all[address]--; c.all[address] == 0 {
			delete(c.all, address)
		}
	}), true
}

// streamPlace takes a place for an event stream: of all there are, and of those of its address. The machine itself has
// as many as there are. Done gives it back.
func streamPlace(o origin, all chan struct{}, each *tally) (done func(), ok bool) {
	give := func() {}
	if !o.loopback {
		if give, ok = each.take(o.family); !ok {
			return nil, false
		}
	}
	select {
	case all <- struct{}{}:
		return func() { <-all; give() }, true
	default:
		give()
		return nil, false
	}
}

// bounded is a listener that takes so many connections, and so many from one address. The machine itself
// is always let in.
type bounded struct {
	net.Listener
	each  tally
	total tally
}

func newBounded(l net.Listener) *bounded {
	return &bounded{Listener: l, each: tally{most: connsEach}, total: tally{most: connsMost}}
}

// Accept returns the next connection that is within the bounds. The others are closed.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // the server knows its kinds
		}
		at, err := netip.ParseAddrPort(conn.RemoteAddr().String())
		if err != nil || at.Addr().Unmap().IsLoopback() {
			return conn, nil
		}
		one, ok := b.each.take(at.Addr().Unmap().String())
		if !ok {
			_ = conn.Close()
			continue
		}
		all, ok := b.total.take("")
		if !ok {
			one()
			_ = conn.Close()
			continue
		}
		return &counted{conn, func() { one(); all() }}, nil
	}
}

// counted is a connection that is given back when it is closed.
type counted struct {
	net.Conn
	give func()
}

// NetConn returns the connection beneath.
func (c *counted) NetConn() net.Conn { return c.Conn }

// Close closes the connection.
func (c *counted) Close() error {
	defer c.give()
	return c.Conn.Close() //nolint:wrapcheck // is the connection itself
}
