// Package sony9pin simulates a video recorder with Sony 9-pin remote control.
package sony9pin

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"lectern/devices/sim"
)

// Recorder is the simulated recorder.
type Recorder struct {
	id string

	mu    sync.Mutex
	state string // stop, play, pause, forward, back, record, ejected
	fault string
}

// New makes the recorder of a device.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d recorders on one line", len(devices))
	}
	r := &Recorder{id: devices[0].ID, state: "stop"}
	if o.Picture != nil {
		o.Picture(r.id, func() string { return strings.ToUpper(r.Truth()[r.id+".transport"]) })
	}
	return r, nil
}

// Serve implements sim.Stream.
func (r *Recorder) Serve(ctx context.Context, conn io.ReadWriter) error {
	var got []byte
	buf := make([]byte, 64)
	for ctx.Err() == nil {
		n, err := conn.Read(buf)
		if err != nil {
			return err //nolint:wrapcheck // the end of a connection
		}
		got = append(got, buf[:n]...)
		for len(got) >= 3 {
			size := int(got[0]%16) + 3
			if len(got) < size {
				break
			}
			reply := r.obey(got[:size])
			got = got[size:]
			if _, err := conn.Write(reply); err != nil {
				return err //nolint:wrapcheck // the end of a connection
			}
		}
		if len(got) > 64 {
			got = nil
		}
	}
	return nil
}

// seal appends the sum of a packet.
func seal(packet ...byte) []byte {
	total := 0
	for _, b := range packet {
		total += int(b)
	}
	return append(packet, byte(total%256))
}

func (r *Recorder) obey(packet []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	body := packet[:len(packet)-1]
	if sealed := seal(slices.Clone(body)...); sealed[len(sealed)-1] != packet[len(packet)-1] {
		return seal(0x11, 0x12, 0x04) // checksum
	}
	if r.fault == "nak" {
		return seal(0x11, 0x12, 0x01)
	}
	command := fmt.Sprintf("%X0 %02X", packet[0]>>4, packet[1])
	switch command {
	case "00 11":
		return seal(0x12, 0x11, 0xFE, 0x01)
	case "60 20":
		return r.sense(packet)
	}
	next, known := map[string]string{
		"20 00": "stop", "20 01": "play", "20 02": "record", "20 10": "forward", "20 20": "back", "20 0F": "ejected",
	}[command]
	if command == "20 11" || command == "20 21" { // jog: at speed 0 a still picture
		next, known = "forward", true
		if len(packet) > 3 && packet[2] == 0 {
			next = "pause"
		} else if command == "20 21" {
			next = "back"
		}
	}
	if !known {
		return seal(0x11, 0x12, 0x01)
	}
	// Without a cassette every command is accepted and nothing moves.
	if r.fault != "local" && r.fault != "no-tape" && r.state != "ejected" {
		r.state = next
	}
	return seal(0x10, 0x01)
}

// sense answers a status sense: from which byte, how many.
func (r *Recorder) sense(packet []byte) []byte {
	all := make([]byte, 16)
	switch r.state {
	case "stop":
		all[1] |= 0x20
	case "play":
		all[1] |= 0x01
		all[2] |= 0x80
	case "record":
		all[1] |= 0x03
		all[2] |= 0x80
	case "forward":
		all[1] |= 0x04
	case "back":
		all[1] |= 0x08
	case "pause":
		all[2] |= 0x02 | 0x10
	}
	if r.fault == "no-tape" || r.state == "ejected" {
		all[0] |= 0x20
	}
	if r.fault == "local" {
		all[0] |= 0x01
	}
	if len(packet) != 4 {
		return seal(0x11, 0x12, 0x01)
	}
	from, count := int(packet[2]>>4), int(packet[2]&0x0F)
	if count == 0 || from+count > len(all) {
		return seal(0x11, 0x12, 0x01)
	}
	return seal(append([]byte{0x70 | byte(count), 0x20}, all[from:from+count]...)...)
}

// Truth implements sim.Equipment.
func (r *Recorder) Truth() map[string]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := r.state
	if r.fault == "no-tape" || r.state == "ejected" {
		state = "no-media"
	}
	return map[string]string{r.id + ".transport": state}
}

// Nudge implements sim.Equipment: somebody presses the recorder's own buttons, or puts the cassette
// back in.
func (r *Recorder) Nudge(_, property, value string) error {
	if property != "transport" || !slices.Contains([]string{"stop", "play", "pause", "forward", "back", "record"}, value) {
		return fmt.Errorf("nobody can nudge %s to %q: transport takes stop, play, pause, forward, back, record", property, value)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state = value
	return nil
}

// Fault implements sim.Equipment.
func (r *Recorder) Fault(name string) error {
	if !slices.Contains([]string{"", "nak", "no-tape", "local"}, name) {
		return fmt.Errorf("fault %q is not known: this recorder takes nak, no-tape, local", name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fault = name; name == "no-tape" {
		r.state = "stop"
	}
	return nil
}
