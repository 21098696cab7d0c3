package pioneer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longest is what a string of commands may have.
const longest = 128

// Serve implements sim.Stream. The player says nothing that it was not asked for.
func (p *Player) Serve(ctx context.Context, conn io.ReadWriter) error {
	var pending []byte
	wait := func(d time.Duration) {
		select {
		case <-time.After(p.options.Scale(d)):
		case <-ctx.Done():
		}
	}
	for buf := make([]byte, 64); ; {
		n, err := conn.Read(buf)
		for _, c := range buf[:n] {
			switch {
			case c == '\n' || c == ' ': // "have no effect on the player"
			case c == '\r':
				answer := p.obey(string(pending), wait)
				pending = pending[:0]
				if _, err := io.WriteString(conn, answer+"\r"); err != nil {
					return fmt.Errorf("simulated player: %w", err)
				}
			case len(pending) < longest:
				pending = append(pending, c)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("simulated player: %w", err)
		}
	}
}

var stringForm = regexp.MustCompile(`^(?:[0-9]{0,5}(?:[A-Z]{2}|\?[A-Z]))+$`)
var commandForm = regexp.MustCompile(`([0-9]{0,5})([A-Z]{2}|\?[A-Z])`)

// obey executes a string of commands and returns the answer; wait takes the time of the mechanics. An
// error ends the string.
func (p *Player) obey(text string, wait func(time.Duration)) string {
	answer := "R"
	switch {
	case p.faulty("nak"), text != "" && !stringForm.MatchString(text):
		answer = "E04"
	default:
		for _, command := range commandForm.FindAllStringSubmatch(text, -1) {
			if answer = p.execute(command[2], command[1], wait); strings.HasPrefix(answer, "E") {
				break
			}
		}
	}
	if strings.HasPrefix(answer, "E") && text != "?E" {
		p.mu.Lock()
		p.failed = answer
		p.mu.Unlock()
	}
	return answer
}

func (p *Player) faulty(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault == name
}

// execute carries out one command and returns R, an error, or the answer to a question.
func (p *Player) execute(command, argument string, wait func(time.Duration)) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if command[0] == '?' {
		return p.tell(command)
	}
	now := p.mode
	switch command {
	case "CH", "TR", "TI":
		p.search = command
		return "R"
	case "SP":
		p.speed, _ = strconv.Atoi(argument)
		return "R"
	case "OP":
		if now != open {
			p.pass(unload, open, trayTime, wait)
		}
		return "R"
	case "CO":
		if now == open {
			p.pass(setUp, park, trayTime, wait)
		}
		return "R"
	case "RJ":
		switch {
		case now == open:
			return "E04"
		case now != park:
			p.pass(setUp, park, stopTime, wait)
		case argument != "99":
			p.pass(unload, open, trayTime, wait)
		}
		return "R"
	case "PL", "SA":
		to := map[string]mode{"PL": play, "SA": still}[command]
		switch {
		case now.runs():
			p.become(to)
		case !p.disc:
			p.pass(setUp, park, trayTime, wait)
			return "E11"
		default:
			p.pass(setUp, to, spinUpTime, wait)
		}
		return "R"
	}
	if !now.runs() {
		return "E04"
	}
	return p.run(command, argument, wait)
}

// run carries out a command that needs a disc that runs. The caller holds mu.
func (p *Player) run(command, argument string, wait func(time.Duration)) string {
	switch command {
	case "ST", "SF", "SR":
		p.become(still)
	case "PA":
		p.become(pause)
	case "NF":
		p.become(scan)
	case "NR":
		p.become(rescan)
	case "NS":
		p.become(play)
	case "SE", "SL":
		to, err := strconv.Atoi(argument)
		switch {
		case err != nil:
			return "E06"
		case p.search == "TR": // a DVD has no tracks
			return "E04"
		case to < 1 || p.search == "CH" && to > chapters || p.search == "TI" && to > 1:
			return "E12"
		case p.search == "TI":
			to = 1
		}
		p.place, p.since = time.Duration(to-1)*chapterLength, time.Now()
		p.mode = search
		p.pass(search, map[string]mode{"SE": still, "SL": play}[command], seekTime, wait)
	default:
		return "E04"
	}
	return "R"
}

// pass goes through one mode into another, unless somebody does something else meanwhile. The caller
// holds mu, which is let go while it takes its time.
func (p *Player) pass(through, to mode, takes time.Duration, wait func(time.Duration)) {
	p.become(through)
	if through != search {
		p.place = 0 // the disc is played from its beginning
	}
	mine := p.epoch
	p.mu.Unlock()
	wait(takes)
	p.mu.Lock()
	if p.epoch == mine {
		p.become(to)
	}
}

// tell answers a question. The caller holds mu.
func (p *Player) tell(query string) string {
	switch query {
	case "?P":
		return p.mode.code()
	case "?D":
		if !p.disc || p.mode == open {
			return "0XXXX"
		}
		return "10001"
	case "?X":
		return "P157100"
	case "?M":
		return "CM3"
	case "?E":
		return p.failed
	}
	if !p.mode.runs() {
		return "E04"
	}
	s := int(p.now().Seconds())
	switch query {
	case "?C":
		return fmt.Sprintf("%02d", p.chapter())
	case "?R":
		return "01"
	case "?T":
		return fmt.Sprintf("%d%02d%02d", s/3600, s/60%60, s%60)
	case "?F":
		return strconv.Itoa(25 * s)
	}
	return "E04"
}
