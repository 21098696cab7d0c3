package oppo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// longest is what a command may have with its # and its carriage return.
	longest = 25
	// backlog bounds what waits to be said to somebody who does not listen.
	backlog = 64
)

// talk is one connection.
type talk struct {
	tcp     bool
	pending []byte
	long    bool // it has more than a command may have
	out     chan string
	gone    chan struct{}
	once    sync.Once
}

func (t *talk) hangUp() {
	if t.tcp { // a serial port stays
		t.once.Do(func() { close(t.gone) })
	}
}

func (t *talk) say(text string) {
	select {
	case t.out <- "@" + text + "\r":
	default:
	}
}

// Serve implements sim.Stream.
func (p *Player) Serve(ctx context.Context, conn io.ReadWriter) error {
	network, tcp := conn.(net.Conn)
	t := &talk{tcp: tcp, out: make(chan string, backlog), gone: make(chan struct{})}
	ctx, cancel := context.WithCancel(ctx)
	var speaking sync.WaitGroup
	speaking.Go(func() {
		for {
			select {
			case text := <-t.out:
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
			case <-t.gone:
				_ = network.Close()
				return
			case <-ctx.Done():
				return
			}
		}
	})
	defer speaking.Wait()
	defer cancel()

	p.mu.Lock()
	p.talks[t] = true
	p.mu.Unlock()
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
		switch {
		case c == '#': // begins a command, whatever stood before it
			t.pending, t.long = append(t.pending[:0], c), false
		case c == '\r':
			if len(t.pending) > 0 {
				t.say(p.obey(t, string(t.pending)))
			}
			t.pending, t.long = t.pending[:0], false
		case len(t.pending) == 0: // a line feed after the last command, or noise
		case len(t.pending) == longest-1:
			t.long = true
		default:
			t.pending = append(t.pending, c)
		}
	}
}

// say tells what has happened to whoever listens, in verbose mode 2 and 3. The caller holds mu.
func (p *Player) say(text string) {
	if p.verbose < 2 {
		return
	}
	for t := range p.talks {
		t.say(text)
	}
}

// updateOf is what the player says by itself of a state. It uses words of four letters there.
func updateOf(state string, speed int) string {
	if word, ok := map[string]string{fast: "FFW", reverse: "FRV", slow: "SFW", slowRev: "SRV"}[state]; ok {
		return fmt.Sprintf("UPL %s%d", word, speed)
	}
	if word, ok := map[string]string{paused: "PAUS", closing: "CLOS", loading: "LOAD", noDisc: "DISC"}[state]; ok {
		return "UPL " + word
	}
	return "UPL " + state
}

// obey carries out a command and returns the answer without its ends. The caller holds mu.
func (p *Player) obey(t *talk, text string) string {
	name, argument, _ := strings.Cut(text[1:], " ")
	value, ok := "", false
	if p.fault != "nak" && !t.long && len(name) == 3 {
		value, ok = p.act(name, argument)
	}
	answer := map[bool]string{true: "OK", false: "ER"}[ok]
	if len(name) == 3 && (t.tcp || p.verbose > 0) {
		answer = name + " " + answer
	}
	return strings.TrimSpace(answer + " " + value)
}

// act does one command and says what stands behind OK. The caller holds mu.
func (p *Player) act(name, argument string) (string, bool) {
	power := func() (string, bool) { return map[bool]string{true: "ON", false: "OFF"}[p.on], true }
	switch name {
	case "QPW":
		return power()
	case "PON", "POF", "POW":
		p.setPower(name == "PON" || name == "POW" && !p.on)
		return power()
	case "SVM":
		n, err := strconv.Atoi(argument)
		if err != nil || n < 0 || n > 3 {
			return "", false
		}
		p.verbose = n
		return argument, true
	case "QVM":
		return strconv.Itoa(p.verbose), true
	case "QVR":
		return "BDP10X-SIM", true
	}
	switch {
	case !p.on:
		return "", false // in standby it knows nothing else
	case name == "QPL":
		return p.state, true
	case strings.HasPrefix(name, "Q"):
		return p.tell(name)
	}
	if value, ok, mine := p.sound(name, argument); mine {
		return value, ok
	}
	return p.move(name)
}

// tell answers the other questions.
func (p *Player) tell(name string) (string, bool) {
	switch name {
	case "QVL":
		return p.loudness(), true
	case "QTK":
		return "01/01", p.disc
	case "QCH":
		return fmt.Sprintf("%02d/%02d", p.chapter(), chapters), p.disc
	case "QTE", "QEL":
		s := int(p.now().Seconds())
		return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60), p.disc
	}
	return "", false
}

// sound does the commands of the volume; mine is false for any other.
func (p *Player) sound(name, argument string) (value string, ok, mine bool) {
	switch name {
	case "SVL":
		n, err := strconv.Atoi(argument)
		switch {
		case argument == "MUTE":
			p.setMute(true)
		case err != nil || n < 0 || n > 100:
			return "", false, true
		default:
			p.setVolume(n)
		}
		return argument, true, true
	case "VUP", "VDN":
		p.setVolume(min(max(p.volume+map[string]int{"VUP": 1, "VDN": -1}[name], 0), 100))
		return strconv.Itoa(p.volume), true, true
	case "MUT":
		p.setMute(!p.muted)
		return map[bool]string{true: "MUTE", false: "UNMUTE"}[p.muted], true, true
	}
	return "", false, false
}

// move does the commands of the disc.
func (p *Player) move(name string) (string, bool) {
	if p.state == loading || p.state == closing {
		return "", false // it is not to be disturbed
	}
	switch {
	case name == "EJT" && p.state == open:
		p.become(closing, 0)
		return "CLOSE", true
	case name == "EJT":
		p.become(open, 0)
		return "OPEN", true
	case name == "PLA" && p.state == open:
		p.become(closing, 0)
		p.wanted = true
		return "PLAY", true
	case p.state == open || p.state == noDisc:
		return "", false
	}
	switch name {
	case "PLA":
		p.become(playing, 0)
		return "PLAY", true
	case "STP":
		p.become(stopped, 0)
		return "STOP", true
	case "FWD", "REV", "PAU", "NXT", "PRE":
		if p.state == stopped {
			return "", false
		}
	default:
		return "", false
	}
	switch name {
	case "PAU":
		p.become(paused, 0)
		return "PAUSE", true
	case "FWD":
		return p.wind(slow, fast), true
	case "REV":
		return p.wind(slowRev, reverse), true
	}
	step := map[string]int{"NXT": 1, "PRE": -1}[name]
	to := p.chapter() - 1 + step
	if to < 0 || to >= chapters {
		return "", false
	}
	p.seek(time.Duration(to) * chapterLength)
	p.become(playing, 0)
	return "", true
}

// wind goes forward or back, slowly from a still picture; each press is the next of five speeds.
func (p *Player) wind(slowly, quickly string) string {
	state, speed := quickly, 1
	if slices.Contains([]string{paused, slow, slowRev}, p.state) {
		state = slowly
	}
	if p.state == state {
		speed = p.speed%5 + 1
	}
	p.become(state, speed)
	return fmt.Sprintf("%dX", speed)
}
