package kramer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

const (
	// longest is the most a command string may have (905xl, maximum string length).
	longest = 64
	// backlog bounds what waits to be said to somebody who does not listen.
	backlog = 64
)

// talk is one connection. All but its channel is guarded by the switcher.
type talk struct {
	pending []byte
	out     chan string
}

// say queues what is to be said; who does not listen misses it.
func (t *talk) say(text string) {
	select {
	case t.out <- text:
	default:
	}
}

// Serve implements sim.Stream.
func (s *Switcher) Serve(ctx context.Context, conn io.ReadWriter) error {
	t := &talk{out: make(chan string, backlog)}
	ctx, cancel := context.WithCancel(ctx)
	var speaking sync.WaitGroup
	speaking.Go(func() {
		defer cancel()
		for {
			select {
			case text := <-t.out:
				if _, err := conn.Write([]byte(text)); err != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
	defer speaking.Wait()
	defer cancel()

	s.mu.Lock()
	s.talks[t] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.talks, t)
	}()
	buf := make([]byte, 256)
	for {
		n, err := conn.Read(buf)
		s.mu.Lock()
		s.hear(t, buf[:n])
		s.mu.Unlock()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("simulated kramer: %w", err)
		}
	}
}

// hear takes characters as they come. A line feed is ignored (905xl, entering commands).
func (s *Switcher) hear(t *talk, characters []byte) {
	for _, c := range characters {
		switch {
		case c == '\n':
		case c != '\r':
			if len(t.pending) <= longest {
				t.pending = append(t.pending, c)
			}
		case len(t.pending) > longest:
			t.pending = t.pending[:0]
			t.say(s.framed("ERR001"))
		default:
			line := string(t.pending)
			t.pending = t.pending[:0]
			s.obey(t, line)
		}
	}
}

var addressForm = regexp.MustCompile(`^#(?:([0-9]{1,2})@)?(.*)$`)

// obey carries out a line: one command, or several in a chain.
func (s *Switcher) obey(t *talk, line string) {
	f := addressForm.FindStringSubmatch(line)
	if f == nil {
		t.say(s.framed("ERR001"))
		return
	}
	if f[1] != "" && number(f[1]) != s.machine {
		return // for somebody else on the bus
	}
	for command := range strings.SplitSeq(f[2], "|") {
		t.say(s.framed(s.answer(t, strings.TrimSpace(command))))
	}
}

// answer carries out one command and returns what is said to the one who gave it.
func (s *Switcher) answer(t *talk, command string) string {
	word, rest, _ := strings.Cut(command, " ")
	parameters := strings.Split(strings.ReplaceAll(rest, " ", ""), ",")
	switch {
	case command == "":
		return "OK"
	case word == "MODEL?":
		return "MODEL VS-88UT"
	case s.fault == "nak":
		return s.no(word, "003")
	case s.fault == "busy":
		return s.no(word, "006")
	}
	var said, code string
	switch word {
	case "ROUTE", "ROUTE?":
		if s.legacy {
			return s.no(word, "002")
		}
		said, code = s.route(parameters, word == "ROUTE?")
	case "AV", "VID", "AUD", "V", "A":
		said, code = s.switches(word, parameters)
	case "VID?", "AUD?", "V?", "A?":
		return s.tell(word, parameters)
	case "AUD-LVL", "AUD-LVL?":
		said, code = s.level(parameters, word == "AUD-LVL?")
	case "MUTE", "MUTE?":
		said, code = s.mute(parameters, word == "MUTE?")
	default:
		return s.no(word, "002")
	}
	if code != "" {
		return s.no(word, code)
	}
	if strings.HasSuffix(word, "?") {
		return said
	}
	s.report(said, t)
	return said + " OK"
}

// no is an error reply. Manuals print it with and without a blank, and with and without the command.
func (s *Switcher) no(word, code string) string {
	word = strings.TrimSuffix(word, "?")
	switch {
	case s.legacy:
		return "ERR" + code
	case code == "003":
		return word + " ERR003"
	}
	return word + " ERR " + code
}

// number reads a number of a command; -1 where it is none.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || strings.HasPrefix(text, "+") {
		return -1
	}
	return n
}

func (s *Switcher) isOutput(n int) bool { return n >= 1 && n < len(s.levels) }

// route ties by layer, destination, source.
func (s *Switcher) route(p []string, asked bool) (said, code string) {
	layer := map[string]string{"1": "video", "2": "audio", "3": "usb", "12": "all"}[p[0]]
	switch {
	case layer == "" || asked && (len(p) != 2 || layer == "all") || !asked && len(p) != 3:
		return "", "003"
	case !s.isOutput(number(p[1])):
		return "", "003"
	case asked:
		return fmt.Sprintf("ROUTE %s,%s,%d", p[0], p[1], s.ties[layer][number(p[1])]), ""
	}
	in := number(p[2])
	if strings.EqualFold(p[2], "x") {
		in = 0
	}
	if in < 0 || in > s.inputs {
		return "", "003"
	}
	s.tie(layer, in, number(p[1]))
	return "ROUTE " + strings.Join(p, ","), ""
}

// switches ties by in>out, several at a time.
func (s *Switcher) switches(word string, pairs []string) (said, code string) {
	word = map[string]string{"V": "VID", "A": "AUD", "VID": "VID", "AUD": "AUD", "AV": "AV"}[word]
	layer := map[string]string{"AV": "all", "VID": "video", "AUD": "audio"}[word]
	for _, pair := range pairs {
		in, out, ok := strings.Cut(pair, ">")
		from, to := number(in), number(out)
		if !ok || from < 0 || from > s.inputs || out != "*" && !s.isOutput(to) {
			return "", "003"
		}
		for o := 1; o < len(s.levels); o++ {
			if out == "*" || o == to {
				s.tie(layer, from, o)
			}
		}
	}
	return word + " " + strings.Join(pairs, ","), ""
}

// tell answers which input an output has, or all of them.
func (s *Switcher) tell(word string, p []string) string {
	name, layer := "VID", "video"
	if word[0] == 'A' {
		name, layer = "AUD", "audio"
	}
	ties := s.ties[layer]
	if out := number(p[0]); s.isOutput(out) {
		return fmt.Sprintf("%s %d>%d", name, ties[out], out)
	}
	if p[0] != "*" {
		return s.no(word, "003")
	}
	var all []string
	for out := 1; out < len(ties); out++ {
		all = append(all, fmt.Sprintf("%d>%d", ties[out], out))
	}
	return name + " " + strings.Join(all, ",")
}

func (s *Switcher) level(p []string, asked bool) (said, code string) {
	if len(p) < 2 || p[0] != s.stage || !s.isOutput(number(p[1])) || asked != (len(p) == 2) {
		return "", "003"
	}
	channel := number(p[1])
	if !asked {
		to, err := strconv.Atoi(p[2])
		switch {
		case p[2] == "++":
			to = s.levels[channel] + 1
		case p[2] == "--":
			to = s.levels[channel] - 1
		case err != nil:
			return "", "001"
		}
		if to < lowest || to > highest {
			return "", "003"
		}
		s.levels[channel] = to
	}
	return s.levelOf(channel), ""
}

func (s *Switcher) mute(p []string, asked bool) (said, code string) {
	channel := number(p[0])
	if !s.isOutput(channel) || asked != (len(p) == 1) {
		return "", "003"
	}
	if !asked {
		on, ok := map[string]bool{"0": false, "OFF": false, "1": true, "ON": true}[p[1]]
		if !ok {
			return "", "003"
		}
		s.mutes[channel] = on
	}
	return s.muteOf(channel), ""
}
