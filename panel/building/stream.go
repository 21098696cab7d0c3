package building

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

const (
	// beat is how often a page hears that it is still connected; its script waits twice that and a little.
	beat = 5 * time.Second
	// gatherTime is how long after one event the next is sent at the earliest: a broker that comes back
	// changes every room at once.
	gatherTime = 100 * time.Millisecond
)

// change is what a page is told: a tile that is new or another, or none, where the room is not to be seen.
type change struct {
	ID    string `json:"id"`
	HTML  string `json:"html"`
	Group string `json:"group,omitempty"`
}

// events is GET /events: what changes, as the browser that asks wants to see it.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	stream, done, ok := p.front.Stream(w, r)
	if !ok {
		return
	}
	defer done()
	var seen uint64
	if r.URL.Query().Get("epoch") == p.epoch {
		seen, _ = strconv.ParseUint(r.URL.Query().Get("since"), 10, 64)
	}
	s, c := p.says(r), chosen(r)
	pulse := time.NewTicker(beat)
	defer pulse.Stop()
	for first := true; ; first = false {
		n := p.board.since(seen)
		switch {
		case !p.gate.opened(r):
			stream.Send("locked", "")
			return
		case n.Old || first && seen == 0: // of another life of this program
			stream.Send("anew", "")
			return
		}
		if n.Revision > seen || first {
			if !p.send(stream.Send, s, c, n) {
				return
			}
			seen = n.Revision
			select {
			case <-time.After(gatherTime):
			case <-stream.Done():
				return
			}
		}
		for waiting := true; waiting; {
			select {
			case <-n.Turn:
				waiting = false
			case <-pulse.C:
				if !p.gate.opened(r) {
					waiting = false
				} else if !stream.Send("beat", s.t("now", s.clock(time.Now()))) {
					return
				}
			case <-stream.Done():
				return
			}
		}
	}
}

// send tells a page what is new.
func (p *Page) send(to func(event, data string) bool, s say, c choice, n news) bool {
	var list []change
	for _, id := range n.Removed {
		list = append(list, change{ID: id})
	}
	for _, v := range n.Views {
		one := change{ID: v.ID}
		if c.takes(&v) {
			text, err := render(s.tile(tile{v, c.key(&v)}))
			if err != nil {
				p.log.Error("making a tile", "room", v.ID, "error", err)
				continue
			}
			one.HTML, one.Group = text, c.group(&v)
		}
		list = append(list, one)
	}
	head, err := render(s.sums(sumUp(p.board.since(0))))
	if err != nil {
		p.log.Error("making the sums", "error", err)
	}
	b, err := json.Marshal(map[string]any{"rooms": list, "sums": head, "revision": n.Revision})
	if err != nil {
		p.log.Error("writing an event", "error", err)
		return false
	}
	return to("rooms", string(b))
}
