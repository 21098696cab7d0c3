// Package oppo simulates an OPPO disc player on its serial protocol.
package oppo

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lectern/devices/sim"
)

// Player is the simulated player.
type Player struct {
	id string

	mu      sync.Mutex
	on      bool
	state   string // as QPL says
	speed   int
	chapter int
	volume  int
	muted   bool
	verbose int
	fault   string
	began   time.Time
	say     map[chan string]bool // connections that hear what happens
}

// New makes the player of a device.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d players on one line", len(devices))
	}
	p := &Player{id: devices[0].ID, on: true, state: "STOP", chapter: 1, volume: 40, began: time.Now(), say: make(map[chan string]bool)}
	if o.Picture != nil {
		o.Picture(p.id, p.describe)
	}
	return p, nil
}

func (p *Player) describe() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.on {
		return "STANDBY"
	}
	return fmt.Sprintf("%s CH%02d", p.now(), p.chapter)
}

func (p *Player) now() string {
	if p.fault == "no-disc" {
		return "NO DISC"
	}
	return p.state
}

// Serve implements sim.Stream.
func (p *Player) Serve(ctx context.Context, conn io.ReadWriter) error {
	say := make(chan string, 16)
	p.mu.Lock()
	p.say[say] = true
	p.mu.Unlock()
	gone := make(chan struct{})
	var write sync.Mutex
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case text := <-say:
				write.Lock()
				_, _ = io.WriteString(conn, text)
				write.Unlock()
			case <-gone:
				return
			}
		}
	})
	defer func() {
		p.mu.Lock()
		delete(p.say, say)
		p.mu.Unlock()
		close(gone)
		wg.Wait()
	}()
	var command []byte
	buf := make([]byte, 64)
	for ctx.Err() == nil {
		n, err := conn.Read(buf)
		if err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
		for _, b := range buf[:n] {
			if b != '\r' {
				if len(command) < 25 && b != '\n' { // the manual's bound
					command = append(command, b)
				}
				continue
			}
			reply := p.obey(string(command))
			command = command[:0]
			write.Lock()
			_, err := io.WriteString(conn, reply)
			write.Unlock()
			if err != nil {
				return err //nolint:wrapcheck // the end of a connection
			}
		}
	}
	return nil
}

// tell says something to whoever listens, in verbose mode 2 and 3. The caller holds mu.
func (p *Player) tell(text string) {
	if p.verbose < 2 {
		return
	}
	for say := range p.say {
		select {
		case say <- text + "\r":
		default:
		}
	}
}

func (p *Player) obey(text string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	command, ok := strings.CutPrefix(text, "#")
	name, argument, _ := strings.Cut(command, " ")
	answer, good := "", false
	if ok && p.fault != "nak" {
		answer, good = p.act(name, argument)
	}
	head := "@"
	if p.verbose > 0 && len(name) == 3 {
		head = "@" + name + " "
	}
	if !good {
		return head + "ER\r"
	}
	return strings.TrimSpace(head+"OK "+answer) + "\r"
}

// act does one command and says what stands behind OK.
func (p *Player) act(name, argument string) (string, bool) {
	onOff := map[bool]string{true: "ON", false: "OFF"}
	switch name {
	case "QPW":
		return onOff[p.on], true
	case "PON", "POF", "POW":
		p.on = name == "PON" || name == "POW" && !p.on
		if !p.on {
			p.state = "STOP"
		}
		return onOff[p.on], true
	case "SVM":
		n, err := strconv.Atoi(argument)
		if err != nil || n < 0 || n > 3 {
			return "", false
		}
		p.verbose = n
		return argument, true
	case "QVR":
		return "SIM-1", true
	}
	if !p.on {
		return "", false
	}
	switch name {
	case "QPL":
		return p.now(), true
	case "QVL":
		if p.muted {
			return "MUTE", true
		}
		return strconv.Itoa(p.volume), true
	case "SVL":
		n, err := strconv.Atoi(argument)
		if err != nil || n < 0 || n > 100 {
			return "", false
		}
		p.volume, p.muted = n, false
		return argument, true
	case "MUT":
		p.muted = !p.muted
		return map[bool]string{true: "MUTE", false: "UNMUTE"}[p.muted], true
	case "EJT":
		if p.state == "OPEN" {
			p.state = "STOP"
			return "CLOSE", true
		}
		p.state = "OPEN"
		return "OPEN", true
	}
	if p.fault == "no-disc" || p.state == "OPEN" {
		return "", false
	}
	switch name {
	case "PLA":
		p.state, p.speed = "PLAY", 0
		return "PLAY", true
	case "STP":
		p.state, p.speed = "STOP", 0
		return "STOP", true
	case "PAU":
		p.state = "PAUSE"
		return "PAUSE", true
	case "FWD", "REV":
		if p.state == "STOP" {
			return "", false
		}
		p.speed = p.speed%5 + 1
		p.state = map[string]string{"FWD": "FFWD", "REV": "FREV"}[name]
		return fmt.Sprintf("%dX", p.speed), true
	case "NXT":
		p.chapter++
		return "", true
	case "PRE":
		p.chapter = max(1, p.chapter-1)
		return "", true
	}
	return "", false
}

// Truth implements sim.Equipment.
func (p *Player) Truth() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	word := map[string]string{
		"PLAY": "play", "STOP": "stop", "PAUSE": "pause", "FFWD": "forward", "FREV": "back", "OPEN": "open", "NO DISC": "no-media",
	}[p.now()]
	if !p.on {
		word = "standby"
	}
	volume := p.volume
	if p.muted {
		volume = 0
	}
	return map[string]string{
		p.id + ".transport": word, p.id + ".volume": strconv.Itoa(volume), p.id + ".mute": strconv.FormatBool(p.muted),
	}
}

// Nudge implements sim.Equipment: somebody presses the player's own buttons.
func (p *Player) Nudge(_, property, value string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	words := map[string]string{"play": "PLAY", "stop": "STOP", "pause": "PAUSE", "forward": "FFWD", "back": "FREV", "open": "OPEN"}
	switch {
	case property == "transport" && value == "standby":
		p.on, p.state = false, "STOP"
		p.tell("@UPW 0")
	case property == "transport" && words[value] != "":
		p.on, p.state = true, words[value]
		p.tell("@UPL " + p.now())
	case property == "volume":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > 100 {
			return fmt.Errorf("volume %q: it is 0 to 100", value)
		}
		p.volume, p.muted = n, false
		p.tell("@UVL " + value)
	case property == "mute":
		p.muted = value == "true"
		p.tell("@UVL " + map[bool]string{true: "MUTE", false: strconv.Itoa(p.volume)}[p.muted])
	default:
		return fmt.Errorf("nobody can nudge %s to %q: transport takes play, stop, pause, forward, back, open, standby", property, value)
	}
	return nil
}

// Fault implements sim.Equipment.
func (p *Player) Fault(name string) error {
	if !slices.Contains([]string{"", "nak", "no-disc"}, name) {
		return fmt.Errorf("fault %q is not known: this player takes nak, no-disc", name)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = name
	if name == "no-disc" {
		p.state = "STOP"
		p.tell("@UPL DISC")
	}
	return nil
}
