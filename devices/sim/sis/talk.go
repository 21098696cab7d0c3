package sis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	escape = 0x1B
	// longest bounds a command that does not end.
	longest = 64
	// backlog bounds what waits to be said to somebody who does not listen.
	backlog = 64
)

// talk is one connection. All but its channels is guarded by the frame.
type talk struct {
	tcp     bool
	in      bool // logged in
	mode    int  // verbose mode
	pending []byte
	last    time.Time // of the last character

	out  chan string
	gone chan struct{}
	once sync.Once
}

// say queues what is to be said; who does not listen misses it.
func (t *talk) say(text string) {
	select {
	case t.out <- text:
	default:
	}
}

// hangUp ends the connection.
func (t *talk) hangUp() { t.once.Do(func() { close(t.gone) }) }

// errRestart ends a telnet connection of equipment whose mains were off.
var errRestart = errors.New("the equipment has restarted")

// Serve implements sim.Stream. Equipment has a serial port and a telnet port; what has an address is
// telnet.
func (f *Frame) Serve(ctx context.Context, conn io.ReadWriter) error {
	network, tcp := conn.(net.Conn)
	t := &talk{tcp: tcp, in: true, mode: 1, out: make(chan string, backlog), gone: make(chan struct{})}
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

	f.mu.Lock()
	if tcp {
		t.mode = 0
		t.say("\r\n" + f.copyright() + "\r\nSat, 01 Mar 2014, 09:00:00\r\n")
		if f.password != "" {
			t.in = false
			t.say("\r\nPassword:")
		}
	}
	f.talks[t] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.talks, t)
		f.mu.Unlock()
	}()

	buf := make([]byte, 256)
	for {
		n, err := conn.Read(buf)
		f.mu.Lock()
		f.hear(t, buf[:n])
		f.mu.Unlock()
		if err != nil {
			select {
			case <-t.gone:
				return errRestart
			default:
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("simulated sis: %w", err)
		}
	}
}

// hear takes characters as they come.
func (f *Frame) hear(t *talk, characters []byte) {
	now := time.Now()
	if now.Sub(t.last) >= f.options.Scale(hesitation) {
		t.pending = t.pending[:0]
	}
	t.last = now
	for _, c := range characters {
		if len(t.pending) >= longest {
			t.pending = t.pending[:0]
			t.say("E10\r\n")
		}
		switch {
		case !t.in:
			f.login(t, c)
		case len(t.pending) > 0 && t.pending[0] == escape:
			if c != '\r' && c != '\n' {
				t.pending = append(t.pending, c)
				continue
			}
			f.answer(t, f.long(t, string(t.pending[1:])))
		case c == escape, c >= '0' && c <= '9', c == '*', c == '+', c == '-':
			if c == escape && len(t.pending) > 0 {
				f.answer(t, "E10")
			}
			t.pending = append(t.pending, c)
		case c == '\r' || c == '\n':
			if len(t.pending) > 0 { // a bare one is harmless
				f.answer(t, "E10")
			}
		default:
			f.answer(t, f.short(t, string(t.pending), c))
		}
	}
}

func (f *Frame) answer(t *talk, text string) {
	t.pending = t.pending[:0]
	t.say(text + "\r\n")
}

func (f *Frame) login(t *talk, c byte) {
	if c != '\r' && c != '\n' {
		t.pending = append(t.pending, c)
		return
	}
	given := string(t.pending)
	t.pending = t.pending[:0]
	switch {
	case given == f.password:
		t.in = true
		t.say("\r\nLogin Administrator\r\n")
	case given != "" || c == '\r':
		t.say("\r\nPassword:")
	}
}

// unwilling returns the error that the present fault answers commands with, "" for none.
func (f *Frame) unwilling() string {
	return map[string]string{"nak": "E14", "busy": "E22"}[f.fault]
}

// done says what a command did: to all others who want to know, and to the one who gave it.
func (f *Frame) done(t *talk, said string) string {
	f.report(said, t)
	return said
}

// tell answers a question, tagged with what was asked in the modes 2 and 3.
func (t *talk) tell(tagged, bare string) string {
	if t.mode >= 2 {
		return tagged
	}
	return bare
}

// short carries out a command that ends with its own letter.
func (f *Frame) short(t *talk, numbers string, letter byte) string {
	switch letter {
	case 'I', 'i':
		if numbers == "35" {
			return f.elapsed(t)
		}
		return f.model()
	case 'Q', 'q':
		return "1.07"
	case 'N', 'n':
		return "60-1381-01"
	}
	if e := f.unwilling(); e != "" {
		return e
	}
	switch letter {
	case '!', '%', '&', '$':
		return f.route(t, numbers, map[byte]string{'!': wordAll, '%': wordVideo, '&': wordVideo, '$': wordAudio}[letter])
	case 'V', 'v':
		return f.loudness(t, numbers)
	case 'Z', 'z':
		state := digits(numbers)
		switch {
		case numbers == "":
			text := map[bool]string{false: "0", true: "1"}[f.muted]
			return t.tell("Amt"+text, text)
		case state != 0 && state != 1:
			return "E13"
		}
		return f.done(t, f.mute(device{}, state == 1))
	case ',', '.':
		return f.preset(t, digits(numbers), letter == '.')
	}
	return "E10"
}

func (f *Frame) loudness(t *talk, numbers string) string {
	percent := digits(numbers)
	switch {
	case numbers == "":
		return t.tell(fmt.Sprintf("Vol%d", f.volume), strconv.Itoa(f.volume))
	case numbers == "+":
		percent = min(f.volume+1, 100)
	case numbers == "-":
		percent = max(f.volume-1, 0)
	case percent < 0 || percent > 100:
		return "E13"
	}
	return f.done(t, f.fade(device{}, percent))
}

// route ties and tells ties.
func (f *Frame) route(t *talk, numbers, word string) string {
	if len(f.video) == 1 {
		return "E14" // no matrix in it
	}
	ties := f.video
	if word == wordAudio {
		ties = f.audio
	}
	first, second, two := strings.Cut(numbers, "*")
	in, out := digits(first), digits(second)
	switch {
	case f.switcher && numbers == "":
		return t.tell(fmt.Sprintf("In%d %s", ties[1], word), strconv.Itoa(ties[1]))
	case f.switcher && !two:
		out = 1
	case f.switcher:
		return "E10"
	case !two:
		if out = in; out < 1 || out >= len(ties) {
			return "E12"
		}
		if word == wordAll {
			return "E10"
		}
		return t.tell(fmt.Sprintf("Out%d In%d %s", out, ties[out], word), strconv.Itoa(ties[out]))
	}
	switch {
	case in < 0 || in > f.inputs:
		return "E01"
	case second == "" && two:
		for o := 1; o < len(ties); o++ {
			f.tie(in, o, word)
		}
		return f.done(t, fmt.Sprintf("In%d %s", in, word))
	case out < 1 || out >= len(ties):
		return "E12"
	}
	return f.done(t, f.tie(in, out, word))
}

func (f *Frame) preset(t *talk, n int, recall bool) string {
	if n < 1 || n > 32 {
		return "E11"
	}
	if !recall {
		f.presets[n] = [2][]int{slices.Clone(f.video), slices.Clone(f.audio)}
		return f.done(t, fmt.Sprintf("Spr%02d", n))
	}
	saved, ok := f.presets[n]
	if !ok {
		return "E11"
	}
	copy(f.video, saved[0])
	copy(f.audio, saved[1])
	return f.done(t, fmt.Sprintf("Rpr%02d", n))
}

var (
	modeForm  = regexp.MustCompile(`^([0-9]?)CV$`)
	faderForm = regexp.MustCompile(`^D([0-9]{1,2})(?:\*([+-]?[0-9]{1,5})\*?)?GRPM$`)
)

// long carries out an escape command, given without its ends.
func (f *Frame) long(t *talk, command string) string {
	command = strings.ToUpper(command)
	if m := modeForm.FindStringSubmatch(command); m != nil {
		if m[1] == "" {
			return t.tell(fmt.Sprintf("Vrb%d", t.mode), strconv.Itoa(t.mode))
		}
		mode, _ := strconv.Atoi(m[1])
		if mode > 3 {
			return "E13"
		}
		t.mode = mode
		return fmt.Sprintf("Vrb%d", mode)
	}
	if m := recorderForm.FindStringSubmatch(command); m != nil && f.model() == "SMP 351" {
		if e := f.unwilling(); e != "" {
			return e
		}
		return f.recorder(t, m)
	}
	m := faderForm.FindStringSubmatch(command)
	if m == nil {
		return "E10"
	}
	if e := f.unwilling(); e != "" {
		return e
	}
	group, _ := strconv.Atoi(m[1])
	if _, ok := f.groups[group]; !ok {
		return "E14" // a group without members
	}
	if m[2] == "" {
		return t.tell(f.fader(group), fmt.Sprintf("%+06d", f.groups[group]))
	}
	value, _ := strconv.Atoi(m[2])
	mutes := slices.ContainsFunc(f.devices, func(d device) bool { return d.mute == group })
	if mutes && value != 0 && value != 1 || value < -1000 || value > 120 {
		return "E13"
	}
	f.groups[group] = value
	return f.done(t, f.fader(group))
}
