package denon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

const (
	longest  = 600 // of a packet
	interval = 30 * time.Millisecond
	backlog  = 64 // what waits to be said to somebody who does not listen
)

// talk is one connection.
type talk struct {
	tcp     bool
	words   bool // it acknowledges with words
	paced   bool // it turns away what comes too soon
	pending []byte
	ready   time.Time // nothing is taken before
	out     chan string
	gone    chan struct{}
	once    sync.Once
}

func (t *talk) hangUp() { t.once.Do(func() { close(t.gone) }) }

func (t *talk) say(text string) {
	select {
	case t.out <- text:
	default:
	}
}

// Serve implements sim.Stream.
func (p *Player) Serve(ctx context.Context, conn io.ReadWriter) error {
	network, tcp := conn.(net.Conn)
	t := &talk{tcp: tcp, words: tcp || p.tascam, paced: true, out: make(chan string, backlog), gone: make(chan struct{})}
	p.mu.Lock()
	if tcp && !p.on {
		p.mu.Unlock()
		return nil // nobody listens in standby
	}
	p.talks[t] = true
	p.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	gone := t.gone
	if !tcp {
		gone = nil // a serial port stays
	}
	var speaking sync.WaitGroup
	speaking.Go(func() {
		for {
			select {
			case text := <-t.out:
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
			case <-gone:
				_ = network.Close()
				return
			case <-ctx.Done():
				return
			}
		}
	})
	defer speaking.Wait()
	defer cancel()
	defer func() {
		p.mu.Lock()
		delete(p.talks, t)
		p.mu.Unlock()
	}()

	buf := make([]byte, 64)
	for {
		n, err := conn.Read(buf)
		p.mu.Lock()
		p.hear(t, buf[:n])
		p.mu.Unlock()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("simulated player: %w", err)
		}
	}
}

// hear takes characters as they come. The caller holds mu.
func (p *Player) hear(t *talk, characters []byte) {
	for _, c := range characters {
		if c != '\r' {
			if len(t.pending) < longest {
				t.pending = append(t.pending, c)
			}
			continue
		}
		packet := string(t.pending)
		t.pending = t.pending[:0]
		if answer := p.obey(t, packet); answer != "" {
			t.ready = time.Now().Add(interval) // before the host can have heard the answer
			t.say(answer)
		}
	}
}

// say tells what has happened to whoever listens, and again, since no host acknowledges it. The
// caller holds mu.
func (p *Player) say(status string) {
	if !p.on {
		return
	}
	text := p.start() + status + "\r"
	for t := range p.talks {
		t.say(text)
		time.AfterFunc(interval, func() { t.say(text) })
	}
}

// obey carries out a packet and returns the answer; "" where there is none. The caller holds mu.
func (p *Player) obey(t *talk, packet string) string {
	ack, nack, plus := "\x06", "\x15", ""
	if t.words {
		ack, nack, plus = "ack", "nack", "+"
	}
	command, mine := strings.CutPrefix(packet, p.start())
	switch {
	case !p.on && (t.tcp || command != p.power(true)):
		return "" // over TCP it cannot be switched on
	case t.paced && time.Now().Before(t.ready):
		return p.start() + "BDERBUSY\r"
	case !mine || p.fault == "nak" || len(packet) >= longest:
		return nack
	case strings.HasPrefix(command, "?"):
		answer, ok := p.tell(command[1:])
		if ok && answer == "" {
			return ack
		}
		if !ok {
			return nack
		}
		return ack + plus + p.start() + answer + "\r"
	case !p.do(command):
		return nack
	}
	return ack
}

// tell answers a question. Of the power there is no more to say than that it answers.
func (p *Player) tell(subject string) (answer string, ok bool) {
	switch subject {
	case p.stateWord():
		return subject + p.state(), true
	case p.discWord():
		return subject + p.discState(), true
	case map[bool]string{false: "PW", true: "PWR"}[p.tascam]:
		return "", true
	case map[bool]string{false: "Tr", true: "STC"}[p.tascam]:
		return fmt.Sprintf("%s%04d", map[bool]string{false: "Tr", true: "TNM"}[p.tascam], p.chapter()), true
	case map[bool]string{false: "mt", true: "MUT"}[p.tascam]:
		return subject + map[bool]string{true: "00", false: "01"}[p.muted], true
	}
	return "", false
}

// do carries out a command. It is false for one that is not known: what is known is received, even
// where nothing comes of it.
func (p *Player) do(command string) bool {
	key, known := p.keys()[command]
	switch {
	case !known:
		return false
	case key == "on" || key == "off":
		p.setPower(key == "on")
	case key == "mute" || key == "unmute":
		p.muted = key == "mute"
	case p.loading: // it is not to be disturbed
	case key == "tray out" && p.fault != "tray" && !p.open:
		p.move(true)
	case key == "tray in" && p.fault != "tray" && p.open:
		p.move(false)
	case key == "play" && p.open:
		p.move(false)
		p.wanted = true
	case p.open || !p.disc:
	case key == "play":
		p.become(playing, 0)
	case key == "stop":
		p.become(home, 0)
	case p.mode == home:
	case key == "pause":
		p.become(paused, 0)
	case key == "next" || key == "previous":
		to := p.chapter() - 1 + map[string]int{"next": 1, "previous": -1}[key]
		p.seek(time.Duration(min(max(to, 0), chapters-1)) * chapterLength)
		p.mode = playing
		p.say(p.stateWord() + p.state())
	case key == "forward":
		p.wind(fast)
	case key == "back":
		p.wind(reverse)
	}
	return true
}

// wind is one press of a search key: the next of the speeds, and after the last of them play.
func (p *Player) wind(to mode) {
	switch {
	case p.mode != to:
		p.become(to, 0)
	case p.speed+1 < speeds:
		p.become(to, p.speed+1)
	default:
		p.become(playing, 0)
	}
}
