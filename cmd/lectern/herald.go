package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

const (
	readyMost  = 30 * time.Second // after which the daemon counts as started whatever is missing
	statusTime = time.Second      // between two looks at what is missing
	toldMost   = 3                // missing things that a status names
)

// herald tells systemd how the daemon is doing, where systemd has started it (Type=notify). A nil
// *herald tells nobody.
type herald struct {
	log *slog.Logger
	// missing lists what does not work yet, or not any more.
	missing func() []string
	// answers takes the way of a person's press, as far as nothing moves by it, and returns when there was
	// an answer. It may hang for ever where the daemon does.
	answers func()
	send    func(state string) error

	status  string
	asking  atomic.Bool   // answers has not returned
	waiting chan struct{} // it has; holds one
}

func newHerald(d *daemon) *herald {
	return &herald{
		log:     d.log,
		missing: func() []string { return d.now().Missing() },
		answers: d.answers,
		send:    notify,
		waiting: make(chan struct{}, 1),
	}
}

// answers asks every part that a press needs: the web server, the state, every device's gate, the
// scenes, every line.
func (d *daemon) answers() {
	d.parts.Answer()
	request := httptest.NewRequest(http.MethodGet, "http://localhost/api/v1/state", nil)
	d.panel.Handler().ServeHTTP(httptest.NewRecorder(), request)
}

// run tells until ctx ends.
func (h *herald) run(ctx context.Context) {
	if h == nil {
		return
	}
	interval, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		h.log.Warn("the watchdog's interval cannot be read; it is not kept", "error", err)
	}
	var alive <-chan time.Time
	if interval > 0 {
		ticker := time.NewTicker(interval / 4)
		defer ticker.Stop()
		alive = ticker.C
	}
	late := time.NewTimer(readyMost)
	defer late.Stop()
	look := time.NewTicker(statusTime)
	defer look.Stop()
	ready := false
	for {
		missing := h.missing()
		if !ready && len(missing) == 0 {
			ready = true
			h.tell(systemd.SdNotifyReady)
		}
		h.say(ready, missing)
		select {
		case <-ctx.Done():
			h.tell(systemd.SdNotifyStopping + "\nSTATUS=Stopping: motors that were begun are stopped, all else is left as it is")
			return
		case <-late.C:
			if !ready {
				ready = true
				h.tell(systemd.SdNotifyReady)
			}
		case <-alive:
			h.ask()
		case <-h.waiting:
			h.tell(systemd.SdNotifyWatchdog)
		case <-look.C:
		}
	}
}

// ask asks whether the daemon answers. While an answer is due none is asked for again: systemd, which is
// told nothing, then ends the daemon and starts it anew.
func (h *herald) ask() {
	if !h.asking.CompareAndSwap(false, true) {
		return
	}
	go func() {
		h.answers()
		h.asking.Store(false)
		h.waiting <- struct{}{}
	}()
}

// say tells in words what works, where that is another than before.
func (h *herald) say(ready bool, missing []string) {
	status := "Running: all lines are up and all equipment answers"
	switch n := len(missing); {
	case n > 0:
		shown := missing[:min(n, toldMost)]
		status = fmt.Sprintf("Running, but %d missing: %s", n, strings.Join(shown, "; "))
		if !ready {
			status = fmt.Sprintf("Starting, waiting for %d: %s", n, strings.Join(shown, "; "))
		}
		if n > toldMost {
			status += "; ..."
		}
	}
	status = strings.ReplaceAll(status, "\n", " ")
	if status != h.status {
		h.status = status
		h.tell("STATUS=" + status)
	}
}

// reloading and reloaded stand around a reload.
func (h *herald) reloading() {
	if h != nil {
		h.tell(systemd.SdNotifyReloading + "\n" + strings.TrimSpace(systemd.SdNotifyMonotonicUsec()))
	}
}

func (h *herald) reloaded() {
	if h != nil {
		h.tell(systemd.SdNotifyReady)
	}
}

func (h *herald) tell(state string) {
	if err := h.send(state); err != nil {
		h.log.Warn("systemd cannot be told", "state", state, "error", err)
	}
}

// notify tells systemd; where it has not started the daemon nobody hears.
func notify(state string) error {
	_, err := systemd.SdNotify(false, state)
	return err //nolint:wrapcheck // says what it is
}
