package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// presser presses lamps on and off, and knows when each press reached the equipment.
type presser struct {
	slave *slave
	send  sender

	mu      sync.Mutex
	waiting map[point][]press // presses that have not arrived, the oldest first
	wire    times             // from the press to the equipment
	answer  times             // from the press to the answer
	seen    times             // from the equipment to another panel
	shown   times             // from the press to another panel
	arrived map[string]unseen
	pressed int
	extra   int // writes that nobody asked for, or in another order
	failed  int
}

// press is one press under way.
type press struct {
	on bool
	at time.Time
}

// unseen is what has reached the equipment of one lamp and was not seen on the other panel yet.
type unseen struct {
	on          bool
	pressed, at time.Time
}

// sender presses one lamp and returns when the other side has answered.
type sender func(ctx context.Context, coil int, on bool) error

func newPresser(s *slave, send sender) *presser {
	p := &presser{slave: s, send: send, waiting: make(map[point][]press), arrived: make(map[string]unseen)}
	s.hears(p.hear)
	return p
}

// hear takes what reached the equipment.
func (p *presser) hear(a arrival) {
	p.mu.Lock()
	defer p.mu.Unlock()
	queue := p.waiting[a.point]
	if len(queue) == 0 || queue[0].on != (a.value != 0) {
		p.extra++
		return
	}
	p.waiting[a.point] = queue[1:]
	p.wire.add(a.at.Sub(queue[0].at))
	p.arrived[lamp(int(a.address))] = unseen{a.value != 0, queue[0].at, a.at}
}

// see takes what another panel was sent of a lamp.
func (p *presser) see(device string, on bool, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := p.arrived[device]; ok && a.on == on {
		delete(p.arrived, device)
		p.seen.add(at.Sub(a.at))
		p.shown.add(at.Sub(a.pressed))
	}
}

// press presses a lamp once.
func (p *presser) press(ctx context.Context, coil int, on bool, at time.Time) {
	where := point{1, uint16(coil)}
	p.mu.Lock()
	p.waiting[where] = append(p.waiting[where], press{on, at})
	p.pressed++
	p.mu.Unlock()
	err := p.send(ctx, coil, on)
	p.answer.add(time.Since(at))
	if err != nil {
		p.mu.Lock()
		p.failed++
		p.mu.Unlock()
	}
}

// drive presses n times, perSecond a second, one lamp after the other of those from and below to, each on and then off.
// The presses are so many hands' at once; each hand has lamps of its own, and one that is late is late in the figures.
func (p *presser) drive(ctx context.Context, n, perSecond, hands, from, to int) {
	begin := time.Now()
	var wg sync.WaitGroup
	for hand := range hands {
		wg.Go(func() {
			for i := hand; i < n && ctx.Err() == nil; i += hands {
				at := begin.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
				time.Sleep(time.Until(at))
				// A sleeper is woken late by the machine, not by what is measured.
				if now := time.Now(); now.Sub(at) < 2*time.Millisecond || hands == 1 {
					at = now
				}
				lamps := (to - from) / hands
				turn := i / hands
				p.press(ctx, from+hand*lamps+turn%lamps, turn/lamps%2 == 0, at)
			}
		})
	}
	wg.Wait()
}

// lost returns how many presses have not reached the equipment, once the wire is quiet.
func (p *presser) lost() int {
	for range 50 {
		p.mu.Lock()
		n := 0
		for _, queue := range p.waiting {
			n += len(queue)
		}
		p.mu.Unlock()
		if n == 0 {
			return 0
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, queue := range p.waiting {
		n += len(queue)
	}
	return n
}

// byHTTP presses as a panel does, over connections that are kept. They are written and read by who presses: the goroutines
// of http.Transport would be measured with the room.
func byHTTP(url, token string) sender {
	host := strings.TrimPrefix(url, "http://")
	free := make(chan *caller, 256)
	return func(ctx context.Context, coil int, on bool) error {
		var c *caller
		select {
		case c = <-free:
		default:
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
			if err != nil {
				return err //nolint:wrapcheck // counted, not shown
			}
			c = &caller{conn, bufio.NewReader(conn)}
		}
		err := c.post(fmt.Sprintf("POST /api/v1/devices/%s/power HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n{\"value\":%t}",
			lamp(coil), host, token, len(`{"value":}`)+len(strconv.FormatBool(on)), on))
		if err != nil {
			_ = c.Close()
			return err
		}
		free <- c
		return nil
	}
}

// caller is one connection to the room.
type caller struct {
	net.Conn
	read *bufio.Reader
}

// post sends a request and reads its answer, which is an error where it is not 200.
func (c *caller) post(request string) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, request); err != nil {
		return err //nolint:wrapcheck // counted, not shown
	}
	answer, err := http.ReadResponse(c.read, nil)
	if err != nil {
		return err //nolint:wrapcheck // as above
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", answer.Status, body)
	}
	return err
}
