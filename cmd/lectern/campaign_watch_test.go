package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lectern/devices/sim"
)

// deadTime is what the demo room keeps between the two directions of the screen's motor.
const deadTime = 500 * time.Millisecond

// watcher stands beside the equipment for a whole run and believes nobody. It looks at what the
// simulators really do and at every byte that reaches them, and knows nothing of the daemon.
type watcher struct {
	truth func() map[string]string
	heard func(write) // called with every write; may be nil
	stop  chan struct{}
	wg    sync.WaitGroup

	mu     sync.Mutex
	broken []string // guards and interlocks
	writes []write
	looks  int

	last    map[string]string
	upOn    time.Time // when each of the screen's relays was last seen closed
	downOn  time.Time
	coldCut bool // the mains was off at the last look, with the lamp burning
	unfed   bool // and had been off before the lamp was lit, which only a simulated projector does
}

// write is a command on a wire that changes something, as the equipment's manual reads it.
type write struct {
	at                      time.Time
	device, property, value string
}

func (w write) String() string {
	return fmt.Sprintf("%s %s.%s %s", w.at.Format("15:04:05.000"), w.device, w.property, w.value)
}

// lookEvery is how often the witness looks when nothing happens; it looks at every write as well.
const (
	lookEvery = 15 * time.Millisecond
	obeyed    = 5 * time.Millisecond // after a write the equipment has moved
)

// watch begins to look.
func (h *house) watch() *watcher {
	w := &watcher{truth: h.cast.Truth, stop: make(chan struct{})}
	w.wg.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				w.look(time.Now())
			case <-w.stop:
				return
			}
		}
	})
	for line, read := range readers {
		w.wg.Go(func() { w.listen(h.cast.Wires[line], read) })
	}
	return w
}

func (w *watcher) end() {
	close(w.stop)
	w.wg.Wait()
}

// look takes one look at the equipment.
func (w *watcher) look(now time.Time) {
	before := w.truth()
	t := before
	if before["rack-projector.power"] == "false" && before["projector.power"] != "off" {
		t = w.truth() // again, as two pieces of equipment cannot be looked at in one moment
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.looks++
	dark := before["rack-projector.power"] == "false" && t["rack-projector.power"] == "false"
	if cut := dark && before["projector.power"] != "off" && t["projector.power"] != "off"; cut {
		w.unfed = w.unfed || w.last["rack-projector.power"] == "false" && w.last["projector.power"] == "off"
		if w.coldCut && !w.unfed && !slices.Contains(w.broken, hotCut) {
			w.broken = append(w.broken, hotCut)
		}
		w.coldCut = true
	} else {
		w.coldCut, w.unfed = false, false
	}
	up, down := t["screen-up.power"] == "true", t["screen-down.power"] == "true"
	if up && down {
		w.broken = append(w.broken, "the screen's motor is driven both ways")
	}
	// Seen from outside a gap looks longer than it is, never shorter: what looks too short is too short.
	if up && w.last["screen-up.power"] != "true" && now.Sub(w.downOn) < deadTime {
		w.broken = append(w.broken, fmt.Sprintf("the screen's motor is turned up %s after down", now.Sub(w.downOn)))
	}
	if down && w.last["screen-down.power"] != "true" && now.Sub(w.upOn) < deadTime {
		w.broken = append(w.broken, fmt.Sprintf("the screen's motor is turned down %s after up", now.Sub(w.upOn)))
	}
	if up {
		w.upOn = now
	}
	if down {
		w.downOn = now
	}
	w.last = t
}

const hotCut = "the projector's mains is off while its lamp burns or cools"

// listen notes every write that reaches the equipment of a wire.
func (w *watcher) listen(wire *sim.Wire, read func([]byte) ([]write, int)) {
	var rest []byte
	var seen uint64
	for {
		chunks, count, more := wire.Heard(seen)
		now := time.Now()
		seen = count
		for _, c := range chunks {
			rest = append(rest, c...)
		}
		found, used := read(rest)
		rest = append([]byte(nil), rest[used:]...)
		w.mu.Lock()
		for _, f := range found {
			f.at = now
			w.writes = append(w.writes, f)
			if w.heard != nil {
				w.heard(f)
			}
		}
		w.mu.Unlock()
		if w.truth != nil && len(found) > 0 {
			time.Sleep(obeyed)
			w.look(time.Now())
		}
		select {
		case <-more:
		case <-w.stop:
			return
		}
	}
}

// readers find the commands in what comes on a line. They are written from the manuals and share no code
// with the drivers.
var readers = map[string]func([]byte) ([]write, int){
	"bus":       readBus,
	"rack":      readRack,
	"projector": byLine('\r', readProjector),
	"matrix":    readMatrix,
	"player":    byLine('\r', readPlayer),
	"recorder":  byLine('\n', readRecorder),
}

// crc is 0 over a frame that ends in its own CRC-16 (Modbus), low byte first; Dooya has the same.
func crc(b []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, x := range b {
		sum ^= uint16(x)
		for range 8 {
			carry := sum & 1
			if sum >>= 1; carry == 1 {
				sum ^= 0xA001
			}
		}
	}
	return sum
}

func readBus(b []byte) (found []write, used int) {
	const longest = 8
	for i := 0; i < len(b); i++ {
		for _, n := range []int{7, 8} {
			if i+n > len(b) || crc(b[i:i+n]) != 0 {
				continue
			}
			if w, ok := onBus(b[i : i+n]); ok {
				found = append(found, w)
			}
			i, used = i+n-1, i+n
			break
		}
	}
	return found, max(used, len(b)-longest)
}

func onBus(f []byte) (write, bool) {
	if f[0] == 0x55 && f[1] == 0x12 && f[3] == 3 && f[2] >= 1 && f[2] <= 3 {
		w := write{device: curtainIDs[f[2]-1], property: "motion", value: map[byte]string{1: "up", 2: "down", 3: "stop"}[f[4]]}
		if f[4] == 4 {
			w.property, w.value = "position", fmt.Sprint(f[5])
		}
		return w, true
	}
	if len(f) != 8 || f[1] != 5 && f[1] != 6 {
		return write{}, false
	}
	at, on := int(f[3]), fmt.Sprint(f[4] == 0xFF)
	switch unit, function := f[0], f[1]; {
	case unit == 1 && function == 5 && at < 3:
		return write{device: []string{"door-lights", "wall-lights", "window-lights"}[at], property: "power", value: on}, true
	case unit == 2 && function == 5 && at < 2:
		return write{device: []string{"screen-up", "screen-down"}[at], property: "power", value: on}, true
	case unit == 3 && function == 6 && at < 4:
		return write{device: fmt.Sprintf("spot-%d", at+1), property: "level", value: levelOf(int(f[5]))}, true
	}
	return write{device: fmt.Sprintf("unit %d", f[0]), property: fmt.Sprintf("% X", f[1:]), value: "?"}, true
}

func levelOf(percent int) string {
	return map[int]string{0: "off", 25: "low", 50: "mid", 75: "high", 100: "full"}[percent]
}

var rackIDs = []string{"rack-matrix", "rack-player", "rack-recorder", "rack-computers", "rack-projector", "rack-amplifier"}

func readRack(b []byte) (found []write, used int) {
	const length = 10
	for i := 0; i+length <= len(b); i++ {
		f := b[i : i+length]
		if f[0] != 0x5B || f[1] != 0xB5 {
			continue
		}
		if f[3] != 2 {
			w := write{device: "rack", property: fmt.Sprintf("% X", f), value: "?"}
			if n := int(f[8]); f[3] == 0x16 && n >= 1 && n <= len(rackIDs) {
				w = write{device: rackIDs[n-1], property: "power", value: fmt.Sprint(f[7] == 1)}
			}
			found = append(found, w)
		}
		i, used = i+length-1, i+length
	}
	return found, max(used, len(b)-length)
}

// byLine reads commands that end in a byte.
func byLine(end byte, read func(string) (write, bool)) func([]byte) ([]write, int) {
	return func(b []byte) (found []write, used int) {
		for {
			i := slices.Index(b[used:], end)
			if i < 0 {
				return found, used
			}
			if w, ok := read(strings.TrimRight(string(b[used:used+i]), "\r")); ok {
				found = append(found, w)
			}
			used += i + 1
		}
	}
}

func readProjector(s string) (write, bool) {
	if code, ok := strings.CutPrefix(s, "SOURCE "); ok {
		return write{device: "projector", property: "input", value: map[string]string{"30": "hdmi1"}[code]}, true
	}
	to, ok := strings.CutPrefix(s, "PWR ")
	return write{device: "projector", property: "power", value: strings.ToLower(to)}, ok
}

func readPlayer(s string) (write, bool) {
	if i := strings.LastIndexByte(s, '#'); i >= 0 {
		s = s[i+1:]
	}
	if n, ok := strings.CutPrefix(s, "SVL "); ok {
		return write{device: "dvd", property: "volume", value: strings.TrimLeft(n, "0")}, true
	}
	t, ok := map[string]string{"PLA": "play", "STP": "stop", "PAU": "pause", "FWD": "forward", "REV": "back", "NXT": "next", "PRE": "previous"}[s]
	if !ok {
		return write{device: "dvd", property: "mute", value: "*"}, s == "MUT" // a toggle
	}
	return write{device: "dvd", property: "transport", value: t}, true
}

func readRecorder(s string) (write, bool) {
	t, ok := map[string]string{
		"play": "play", "stop": "stop", "record": "record", "play: speed: 400": "forward", "play: speed: -400": "back",
		"goto: clip id: +1": "next", "goto: clip id: -1": "previous",
	}[s]
	return write{device: "recorder", property: "transport", value: t}, ok
}

// A lamp that is cut is told; one that the simulation lights without mains is not, since it never had any.
func TestTheWitnessTellsACutFromALampLitInTheDark(t *testing.T) {
	for want, looks := range map[string][][2]string{
		hotCut: {{"true", "on"}, {"false", "on"}, {"false", "on"}},
		"":     {{"true", "off"}, {"false", "off"}, {"false", "warming"}, {"false", "warming"}, {"false", "on"}, {"true", "on"}},
	} {
		now := looks[0]
		w := &watcher{truth: func() map[string]string {
			return map[string]string{"rack-projector.power": now[0], "projector.power": now[1]}
		}}
		for _, now = range looks {
			w.look(time.Now())
		}
		if got := strings.Join(w.broken, "; "); got != want {
			t.Errorf("%v: %q", looks, got)
		}
	}
}
