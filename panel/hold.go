package panel

import (
	"errors"
	"sync"
	"time"
)

var errHold = errors.New("hold")

// holds are buttons that are being held, measured here and not in the browser.
type holds struct {
	mu  sync.Mutex
	all map[string]heldButton
}

type heldButton struct {
	scene string
	since time.Time
}

const (
	holdMost  = 30 * time.Second
	holdsMost = 256
)

func newHolds() *holds { return &holds{all: make(map[string]heldButton)} }

func (h *holds) begin(scene string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for id, b := range h.all {
		if now.Sub(b.since) > holdMost || len(h.all) >= holdsMost {
			delete(h.all, id)
		}
	}
	id := token()
	h.all[id] = heldButton{scene, now}
	return id
}

// end says how long a button was held; it can be used once.
func (h *holds) end(id, scene string) (time.Duration, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b, ok := h.all[id]
	delete(h.all, id)
	held := time.Since(b.since)
	if !ok || b.scene != scene || held > holdMost {
		return 0, errHold
	}
	return held, nil
}
