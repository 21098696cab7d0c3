// Package hyperdeck simulates a disk recorder with the HyperDeck Ethernet protocol.
package hyperdeck

import (
	"bufio"
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

// Deck is the simulated recorder.
type Deck struct {
	id string

	mu     sync.Mutex
	status string // as transport info says
	speed  int
	clip   int
	clips  int
	fault  string
	began  time.Time
	hears  map[*client]bool
}

// client is one connection.
type client struct {
	out       chan string
	transport bool // it wants to be told
}

// New makes the recorder of a device.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d recorders at one address", len(devices))
	}
	d := &Deck{id: devices[0].ID, status: "stopped", clip: 1, clips: 3, began: time.Now(), hears: make(map[*client]bool)}
	if o.Picture != nil {
		o.Picture(d.id, func() string {
			d.mu.Lock()
			defer d.mu.Unlock()
			return fmt.Sprintf("%s CLIP %d", strings.ToUpper(d.status), d.clip)
		})
	}
	return d, nil
}

// Serve implements sim.Stream.
func (d *Deck) Serve(ctx context.Context, conn io.ReadWriter) error {
	c := &client{out: make(chan string, 64)}
	d.mu.Lock()
	d.hears[c] = true
	d.mu.Unlock()
	gone := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // everything is written by one goroutine, as answers and notices interleave
		for {
			select {
			case text := <-c.out:
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
			case <-gone:
				return
			}
		}
	})
	defer func() {
		d.mu.Lock()
		delete(d.hears, c)
		d.mu.Unlock()
		close(gone)
		wg.Wait()
	}()
	send := func(text string) bool {
		select {
		case c.out <- text:
			return true
		case <-time.After(5 * time.Second):
			return false // a client that does not read
		case <-ctx.Done():
			return false
		}
	}
	send("500 connection info:\r\nprotocol version: 1.11\r\nmodel: Simulated HyperDeck\r\n\r\n")
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, 512), 4096)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		name, rest, _ := strings.Cut(text, ":")
		if strings.HasSuffix(text, ":") { // the form of several lines
			for lines.Scan() {
				more := strings.TrimSpace(lines.Text())
				if more == "" {
					break
				}
				rest += " " + more
			}
		}
		if name == "quit" {
			return nil
		}
		if !send(d.obey(c, strings.TrimSpace(name), parameters(rest))) {
			return nil
		}
	}
	return lines.Err() //nolint:wrapcheck // the end of a connection
}

// parameters reads "slot id: 1 speed: 200" by the names that the protocol has.
func parameters(text string) map[string]string {
	names := []string{"clip id", "clip", "timeline", "timecode", "slot id", "speed", "loop", "single clip", "enable", "override", "transport", "remote", "slot", "name", "period"}
	made := make(map[string]string)
	for text = strings.TrimSpace(text); text != ""; {
		found := false
		for _, n := range names {
			if rest, ok := strings.CutPrefix(text, n+":"); ok {
				value, more, _ := strings.Cut(strings.TrimSpace(rest), " ")
				made[n], text, found = value, strings.TrimSpace(more), true
				break
			}
		}
		if !found {
			made["?"] = text
			return made
		}
	}
	return made
}

// obey carries out a command and returns the answer.
func (d *Deck) obey(c *client, name string, p map[string]string) string {
	const ok = "200 ok\r\n"
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault == "nak" {
		return "108 internal error\r\n"
	}
	if _, bad := p["?"]; bad {
		return "100 syntax error\r\n"
	}
	switch name {
	case "ping":
		return ok
	case "transport info":
		return "208 transport info:\r\n" + d.info()
	case "device info":
		return "204 device info:\r\nprotocol version: 1.11\r\nmodel: Simulated HyperDeck\r\nslot count: 1\r\n\r\n"
	case "remote":
		return "210 remote info:\r\nenabled: " + strconv.FormatBool(d.fault != "remote-disabled") + "\r\noverride: false\r\n\r\n"
	case "clips count":
		return fmt.Sprintf("214 clips count:\r\nclip count: %d\r\n\r\n", d.clips)
	case "notify":
		if v, given := p["transport"]; given {
			c.transport = v == "true"
		}
		return ok
	case "play", "stop", "record", "goto", "shuttle", "jog":
	default:
		return "103 unsupported\r\n"
	}
	switch {
	case d.fault == "remote-disabled":
		return "111 remote control disabled\r\n"
	case d.fault == "no-disk":
		return "105 no disk\r\n"
	}
	before := d.info()
	switch name {
	case "stop":
		d.status, d.speed = "stopped", 0
	case "record":
		if d.fault == "no-input" {
			return "110 no input\r\n"
		}
		if d.status != "record" {
			d.clips++
			d.clip = d.clips
		}
		d.status, d.speed = "record", 100
	case "play", "shuttle":
		speed := 100
		if given, some := p["speed"]; some {
			n, err := strconv.Atoi(given)
			if err != nil || n < -1600 || n > 1600 {
				return "102 invalid value\r\n"
			}
			speed = n
		}
		d.status, d.speed = "play", speed
		if speed > 100 {
			d.status = "forward"
		} else if speed < 0 {
			d.status = "rewind"
		}
		if name == "shuttle" {
			d.status = "shuttle"
		}
	case "goto":
		id := p["clip id"]
		n, err := strconv.Atoi(id)
		if err != nil {
			return "102 invalid value\r\n"
		}
		if strings.HasPrefix(id, "+") || strings.HasPrefix(id, "-") {
			n += d.clip
		}
		if n < 1 || n > d.clips {
			return "109 out of range\r\n"
		}
		d.clip = n
	}
	if d.info() != before {
		d.tell()
	}
	return ok
}

// info is the body of a transport info. The caller holds mu.
func (d *Deck) info() string {
	slot := "1"
	if d.fault == "no-disk" {
		slot = "none"
	}
	return fmt.Sprintf("status: %s\r\nspeed: %d\r\nslot id: %s\r\nclip id: %d\r\nsingle clip: false\r\ndisplay timecode: 00:00:00:00\r\n"+
		"timecode: 00:00:00:00\r\nvideo format: 1080p25\r\nloop: false\r\n\r\n", d.status, d.speed, slot, d.clip)
}

// tell notifies the clients that asked for it. The caller holds mu.
func (d *Deck) tell() {
	for c := range d.hears {
		if c.transport {
			select {
			case c.out <- "508 transport info:\r\n" + d.info():
			default:
			}
		}
	}
}

// Truth implements sim.Equipment.
func (d *Deck) Truth() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	word := map[string]string{
		"stopped": "stop", "preview": "stop", "play": "play", "record": "record", "forward": "forward", "rewind": "back", "shuttle": "forward",
	}[d.status]
	if d.fault == "no-disk" {
		word = "no-media"
	}
	return map[string]string{d.id + ".transport": word}
}

// Nudge implements sim.Equipment: somebody presses the recorder's own buttons.
func (d *Deck) Nudge(_, property, value string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	states := map[string]string{"stop": "stopped", "play": "play", "record": "record", "forward": "forward", "back": "rewind"}
	if property != "transport" || states[value] == "" {
		return fmt.Errorf("nobody can nudge %s to %q: transport takes stop, play, record, forward, back", property, value)
	}
	d.status, d.speed = states[value], map[string]int{"play": 100, "record": 100, "forward": 400, "back": -400}[value]
	d.tell()
	return nil
}

// Fault implements sim.Equipment.
func (d *Deck) Fault(name string) error {
	if !slices.Contains([]string{"", "nak", "no-disk", "no-input", "remote-disabled"}, name) {
		return fmt.Errorf("fault %q is not known: this recorder takes nak, no-disk, no-input, remote-disabled", name)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = name
	if name == "no-disk" {
		d.status, d.speed = "stopped", 0
	}
	d.tell()
	return nil
}
