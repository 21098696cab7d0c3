package panel

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
)

// sheet is a panel's connection: it notes when what is written to it, and how long there was for it.
type sheet struct {
	http.ResponseWriter
	began    time.Time
	deadline time.Time
	names    []string
	at, left []time.Duration
}

func (s *sheet) SetWriteDeadline(t time.Time) error { s.deadline = t; return nil }

func (s *sheet) FlushError() error { return nil }

func (s *sheet) Write(b []byte) (int, error) {
	_, rest, _ := strings.Cut(string(b), "event: ")
	name, _, _ := strings.Cut(rest, "\n")
	s.names = append(s.names, name)
	s.at = append(s.at, time.Since(s.began))
	s.left = append(s.left, time.Until(s.deadline))
	return len(b), nil
}

// A stream that lives long has time for each event, and is heard of at least once in a beat, from its last word on.
func TestAStreamHasTimeForEachEventAndBeatsInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := atRest(t)
		s := &sheet{ResponseWriter: httptest.NewRecorder(), began: time.Now()}
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() {
			defer close(over)
			r.events(s, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events", nil))
		}()
		synctest.Wait()
		levels := []devices.Value{devices.Word("low"), devices.Word("off")}
		const events, every = 19, 3 * time.Second // for much longer than a deadline
		for i := range events {
			time.Sleep(every)
			r.lamp.report.Report("level", levels[i%2], devices.Reported)
		}
		time.Sleep(3*beat + time.Second)
		cancel()
		<-over
		if got := strings.Join(s.names, " "); got != "hello snapshot"+strings.Repeat(" changes", events)+" beat beat beat" {
			t.Errorf("%s", got)
		}
		for i, left := range s.left {
			if left < r.times.event/2 || left > r.times.event {
				t.Errorf("%s after %s has %s", s.names[i], s.at[i], left)
			}
		}
		for i := range 3 {
			if got, want := s.at[len(s.at)-3+i], events*every+time.Duration(i+1)*beat; got != want {
				t.Errorf("a beat at %s, not %s", got, want)
			}
		}
	})
}
