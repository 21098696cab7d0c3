package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// streams are panels that follow the events of a room.
type streams struct {
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// follow has n panels follow the room; the first tells what it is sent of every lamp. It returns when all of them
// have the whole room, or with an error where one does not get it.
func follow(ctx context.Context, url string, n int, tell func(device string, on bool, at time.Time)) (*streams, error) {
	s := new(streams)
	ctx, s.cancel = context.WithCancel(ctx)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}}
	whole := make(chan bool, 2*n) // true from each that has it, false when one ends
	for i := range n {
		s.wg.Go(func() {
			told := tell
			if i > 0 {
				told = nil
			}
			panel(ctx, client, url, func() { whole <- true }, told)
			whole <- false
		})
	}
	for range n {
		if !<-whole {
			s.close()
			return nil, errors.New("a panel does not get the events of the room")
		}
	}
	return s, nil
}

// panel reads the stream of one panel until it ends.
func panel(ctx context.Context, client *http.Client, url string, whole func(), tell func(string, bool, time.Time)) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/events", nil)
	if err != nil {
		return
	}
	answer, err := client.Do(r)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(make([]byte, 0, 4<<10), 4<<20)
	event, whole := "", sync.OnceFunc(whole)
	for lines.Scan() {
		at := time.Now()
		if name, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
			if event = name; event == "snapshot" {
				whole()
			}
			continue
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok || tell == nil || event != "changes" {
			continue
		}
		var changes struct {
			Properties []struct {
				Device, Property string
				Value            any
			}
		}
		if json.Unmarshal([]byte(data), &changes) != nil {
			continue
		}
		for _, p := range changes.Properties {
			if on, ok := p.Value.(bool); ok && p.Property == "power" {
				tell(p.Device, on, at)
			}
		}
	}
}

func (s *streams) close() {
	s.cancel()
	s.wg.Wait()
}
