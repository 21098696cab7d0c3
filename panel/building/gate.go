package building

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"lectern/devices"
	"lectern/panel"
	"lectern/panel/pin"
)

const (
	cookieName   = "lectern-building" // cookies know no ports: a room's panel on the same machine has another
	sessionsMost = 1024
)

// gate lets people in by the PIN of the page, as a room's panel does: who guesses waits, and makes nobody
// wait who has been here before.
type gate struct {
	hash    string
	open    time.Duration
	backoff pin.Backoff
	crowd   pin.Crowd
	known   *pin.Lane
	strange *pin.Lane
	log     *slog.Logger

	mu  sync.Mutex
	all map[string]session
}

// session is a browser that has opened the page. One that has locked it again is still known.
type session struct{ until, used time.Time }

func newGate(hash string, open time.Duration, log *slog.Logger) *gate {
	return &gate{hash: hash, open: open, known: pin.NewLane(), strange: pin.NewLane(), log: log, all: make(map[string]session)}
}

// cookie is the session that a browser names; "" where it names none.
func cookie(r *http.Request) string {
	if c, err := r.Cookie(cookieName); err == nil {
		return c.Value
	}
	return ""
}

// opened reports whether a browser may see the page now.
func (g *gate) opened(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.all[cookie(r)].until)
}

// leave locks the page for a browser.
func (g *gate) leave(r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if one, ok := g.all[cookie(r)]; ok {
		one.until = time.Time{}
		g.all[cookie(r)] = one
	}
}

// enter tries a PIN. Where it is right the answer's header has a session; where not it says why.
func (g *gate) enter(w http.ResponseWriter, r *http.Request, digits string) (refused devices.Phrase, ok bool) {
	from := panel.From(r)
	who, lane := from.Family, g.strange
	g.mu.Lock()
	_, known := g.all[cookie(r)]
	g.mu.Unlock()
	if known {
		who = "session " + cookie(r)
	}
	stranger := !known && !from.Local
	if stranger {
		if wait := g.backoff.Wait(who); wait > 0 {
			return waits(wait), false
		}
		if wait, _, ok := g.crowd.Try(who); !ok {
			return waits(wait), false
		}
	} else {
		lane = g.known
	}
	left, wait, tried := g.backoff.Try(who)
	if !tried {
		if stranger {
			g.crowd.Undo()
		}
		return waits(wait), false
	}
	right, err := g.check(r.Context(), lane, digits)
	if stranger && (err != nil || right) {
		g.crowd.Undo()
	}
	switch {
	case err != nil:
		g.backoff.Undo(who)
		return devices.Phrase{ZH: "有人在试密码，请稍候再试", EN: "Others are trying PINs; try again"}, false
	case !right:
		if known { // counts for its address too, where it could begin anew
			g.backoff.Wrong(from.Family)
		}
		g.log.Warn("a wrong PIN for the page of the building", "from", from.Address)
		if left == 0 {
			return waits(wait), false
		}
		return devices.Phrase{ZH: fmt.Sprintf("密码错误，还可试%d次", left), EN: fmt.Sprintf("Wrong PIN, %d tries left", left)}, false
	}
	g.backoff.Right(who)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: g.begin(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
	g.log.Info("the page of the building was opened", "from", from.Address)
	return devices.Phrase{}, true
}

func (g *gate) check(ctx context.Context, lane *pin.Lane, digits string) (right bool, err error) {
	if e := lane.Do(ctx, func() { right, err = pin.Verify(g.hash, digits) }); e != nil {
		return false, e //nolint:wrapcheck // only that it was not checked is told
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		g.log.Error("the PIN of the building file cannot be checked", "error", err)
	}
	return right, err
}

func waits(d time.Duration) devices.Phrase {
	n := int((d + time.Second - 1) / time.Second)
	return devices.Phrase{ZH: fmt.Sprintf("密码错误次数过多，请等%d秒", n), EN: fmt.Sprintf("Too many wrong PINs, wait %d s", n)}
}

// begin makes a session. They are bounded: the one that was opened the longest time ago goes.
func (g *gate) begin() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.all) >= sessionsMost {
		oldest := ""
		for id, one := range g.all {
			if oldest == "" || one.used.Before(g.all[oldest].used) {
				oldest = id
			}
		}
		delete(g.all, oldest)
	}
	id, now := rand.Text(), time.Now()
	g.all[id] = session{until: now.Add(g.open), used: now}
	return id
}
