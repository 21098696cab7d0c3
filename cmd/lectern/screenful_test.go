package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"
)

// screenful is what a panel on the wall knows: it follows the stream of events as the touch panel does,
// comes back with what it has seen last, and draws nothing.
type screenful struct {
	url  string
	http *http.Client
	// heard, where it is set, is called with every property that comes, and when; it must not block.
	heard func(p panelProperty, at time.Time)
	slow  time.Duration // it rests so long after every event

	mu       sync.Mutex
	shown    map[string]panelProperty
	revision uint64
	epoch    string
	events   int
	streams  int
	backward bool // a revision came that was older than one before
}

func newScreenful(url string) *screenful {
	return &screenful{url: url, shown: make(map[string]panelProperty), http: &http.Client{Transport: &http.Transport{}}}
}

// rest makes a panel that is slow: it rests after every event, and little fits onto its wire.
func (s *screenful) rest(d time.Duration) {
	s.slow = d
	s.http.Transport = &http.Transport{DialContext: (&net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		wrong := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
		return errors.Join(err, wrong)
	}}).DialContext, ReadBufferSize: 512}
}

// follow reads until ctx ends.
func (s *screenful) follow(ctx context.Context) {
	defer s.http.CloseIdleConnections()
	for ctx.Err() == nil {
		s.stream(ctx)
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

func (s *screenful) stream(ctx context.Context) {
	s.mu.Lock()
	url := s.url + "/api/v1/events?epoch=" + s.epoch
	id, _ := json.Marshal(s.revision) //nolint:errcheck // a number
	s.streams++
	s.mu.Unlock()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	request.Header.Set("Last-Event-ID", string(id))
	reply, err := s.http.Do(request)
	if err != nil {
		return
	}
	defer reply.Body.Close()
	lines := bufio.NewScanner(reply.Body)
	lines.Buffer(nil, 1<<20)
	event := ""
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			event = name
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			s.take(event, []byte(data))
			if s.slow > 0 {
				time.Sleep(s.slow)
			}
		}
	}
}

func (s *screenful) take(event string, data []byte) {
	at := time.Now()
	var u struct {
		panelState
		Epoch string
	}
	if json.Unmarshal(data, &u) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events++
	switch event {
	case "hello":
		s.epoch = u.Epoch
	case "snapshot", "changes":
		s.backward = s.backward || u.Revision < s.revision
		s.revision = u.Revision
		for _, p := range u.Properties {
			s.shown[p.name()] = p
			if s.heard != nil {
				s.heard(p, at)
			}
		}
	}
}

// sees reports what the panel shows of a property.
func (s *screenful) sees(name string) (panelProperty, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown[name], s.revision
}
