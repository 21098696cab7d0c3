package hyperdeck

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	lineMost  = 4096 // bytes of a line
	linesMost = 64   // lines of a command
	// backlog bounds what waits to be said to somebody who does not listen.
	backlog = 64
)

// talk is one connection.
type talk struct {
	out  chan string
	gone chan struct{}
	once sync.Once

	// With the deck's mu:
	notify   map[string]bool // what it wants to be told
	override bool            // it may command whatever the front panel says
	period   time.Duration   // of the watchdog; 0 without
	dog      *time.Timer
}

func newTalk() *talk {
	return &talk{out: make(chan string, backlog), gone: make(chan struct{}), notify: make(map[string]bool)}
}

func (t *talk) hangUp() { t.once.Do(func() { close(t.gone) }) }

// say queues what is to be said. A connection that takes nothing is given up, as missing an answer
// would put it out of step for ever.
func (t *talk) say(text string) {
	select {
	case t.out <- text:
	default:
		t.hangUp()
	}
}

// feed keeps the watchdog quiet. The caller holds the deck's mu.
func (t *talk) feed(scale func(time.Duration) time.Duration) {
	if t.dog != nil {
		t.dog.Stop()
		t.dog = nil
	}
	if t.period > 0 {
		t.dog = time.AfterFunc(scale(t.period), t.hangUp)
	}
}

// errOver ends a connection that the deck gives up.
var errOver = errors.New("the recorder has closed the connection")

// Serve implements sim.Stream.
func (d *Deck) Serve(ctx context.Context, conn io.ReadWriter) error {
	t := newTalk()
	ctx, cancel := context.WithCancel(ctx)
	var speaking sync.WaitGroup
	speaking.Go(func() { t.speak(ctx, conn) })
	defer speaking.Wait()
	defer cancel()

	if !d.welcome(t) {
		speaking.Wait() // the last words are still said
		return errOver
	}
	defer d.farewell(t)
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, 512), lineMost)
	for lines.Scan() {
		command, ok := wholeCommand(lines)
		if !ok {
			break
		}
		if command == nil {
			continue
		}
		if !d.hear(t, command) {
			speaking.Wait()
			return errOver
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("simulated recorder: %w", err)
	}
	return nil
}

// speak writes what is to be said until the talk is over. What is said before hanging up is still
// written.
func (t *talk) speak(ctx context.Context, conn io.Writer) {
	defer t.hangUp()
	for {
		select {
		case text := <-t.out:
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
			continue
		default:
		}
		select {
		case text := <-t.out:
			if _, err := io.WriteString(conn, text); err != nil {
				return
			}
		case <-t.gone:
			if c, ok := conn.(io.Closer); ok {
				_ = c.Close()
			}
			return
		case <-ctx.Done():
			return
		}
	}
}

// welcome introduces the deck, or refuses.
func (d *Deck) welcome(t *talk) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault == "refused" {
		t.say("120 connection rejected\r\n")
		t.hangUp()
		return false
	}
	t.say(block("500 connection info", "protocol version: 1.11", "model: Simulated HyperDeck"))
	d.talks[t] = true
	return true
}

func (d *Deck) farewell(t *talk) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.talks, t)
	t.period = 0
	t.feed(d.options.Scale)
}

// wholeCommand returns the lines of the command that begins with the line just read, nil for an empty
// one; false where the connection ends in the middle.
func wholeCommand(lines *bufio.Scanner) (command []string, ok bool) {
	first := line(lines)
	if first == "" {
		return nil, true
	}
	command = []string{first}
	if !strings.HasSuffix(first, ":") {
		return command, true
	}
	for lines.Scan() {
		more := line(lines)
		if more == "" {
			return command, true
		}
		if len(command) < linesMost {
			command = append(command, more)
		}
	}
	return nil, false
}

// line is the line just read. A carriage return within is none of anything's.
func line(lines *bufio.Scanner) string {
	return strings.TrimSpace(strings.ReplaceAll(lines.Text(), "\r", ""))
}

// block is an answer of several lines.
func block(head string, lines ...string) string {
	return head + ":\r\n" + strings.Join(append(lines, "", ""), "\r\n")
}

// What a connection can ask to be told.
const (
	transportNews = "transport"
	slotNews      = "slot"
	remoteNews    = "remote"
)

// announce tells the connections that asked for it. The caller holds mu.
func (d *Deck) announce(what string) {
	for t := range d.talks {
		if !t.notify[what] {
			continue
		}
		switch what {
		case transportNews:
			t.say(block("508 transport info", d.transportLines()...))
		case slotNews:
			t.say(block("502 slot info", d.slotLines(d.active)...))
		case remoteNews:
			t.say(block("510 remote info", d.remoteLines(t)...))
		}
	}
}

func (d *Deck) transportLines() []string {
	at, slotID, clipID := timecode(d.now()), number(d.active+1), number(d.clip())
	if !d.disk().mounted {
		slotID, clipID = "none", "none"
	}
	return []string{
		"status: " + d.status, fmt.Sprintf("speed: %d", d.speed), "slot id: " + slotID, "clip id: " + clipID,
		fmt.Sprintf("single clip: %v", d.single), "display timecode: " + at, "timecode: " + at, "video format: 1080p25", fmt.Sprintf("loop: %v", d.loop),
	}
}

func (d *Deck) slotLines(i int) []string {
	s := d.slots[i]
	status, name, left := "empty", "", 0
	if s.mounted {
		status, name, left = "mounted", fmt.Sprintf("Disk %d", i+1), int(s.left.Seconds())
	}
	return []string{
		fmt.Sprintf("slot id: %d", i+1), "status: " + status, "volume name: " + name,
		fmt.Sprintf("recording time: %d", left), "video format: 1080p25", "blocked: false",
	}
}

func (d *Deck) remoteLines(t *talk) []string {
	return []string{fmt.Sprintf("enabled: %v", d.remote), fmt.Sprintf("override: %v", t.override)}
}
