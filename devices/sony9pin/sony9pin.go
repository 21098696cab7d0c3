// Package sony9pin speaks the Sony 9-pin protocol to video recorders over RS-422 (38400 baud, eight
// data bits, odd parity, one stop bit).
//
// A packet is two command bytes, up to fifteen data bytes and a checksum; the low half of the first
// byte counts the data ("Sony 9-Pin Remote Protocol"). One command is sent for each video frame. An
// acknowledgement means accepted, not done: what the recorder does is asked with a status sense.
package sony9pin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// The recorder begins its answer within 9 ms; a play from idle takes up to 700 ms (Datavideo
	// DN-600 manual, p. 29).
	replyTime = 800 * time.Millisecond
	frameTime = 40 * time.Millisecond // one command for each video frame, at 25 a second

)

// Command bytes.
const (
	ack          = 0x10 // 10 01
	nak          = 0x11 // 11 12
	statusReturn = 0x70 // 7n 20
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "sony9pin", Equipment: "video recorders with Sony 9-pin remote (RS-422)",
		Facts: "Sony 9-Pin Remote Protocol; Alesis M20 and Datavideo DN-600 manuals",
		Kinds: []string{"recorder", "player"}, Lines: []line.Kind{line.Serial, line.TCP}, Feedback: "status sense",
		Settings: func() any { return &Settings{} },
		Probe: &devices.Probe{Protocol: "Sony 9-pin", Bauds: []int{38400}, Formats: []string{"8O1"}, Ask: func(line.Kind, any) line.Exchange {
			return line.Exchange{
				Request: encode(0x00, 0x11), Note: "device type request", Timeout: 500 * time.Millisecond, Explain: deviceType,
				Find: line.FindFrame(split, func(f []byte) bool { return len(f) == 5 && f[0] == 0x12 && f[1] == 0x11 }),
			}
		}},
		New: func(e devices.Env, _ any) (any, error) {
			if err := e.Line.Use(line.Session{Name: "Sony 9-pin", Split: split, Explain: explain}); err != nil {
				return nil, fmt.Errorf("sony9pin: %w", err)
			}
			return &Recorder{line: e.Line}, nil
		},
	}
}

// Settings are the driver's settings: there are none.
type Settings struct{}

// checksum is the low byte of the sum of what is before it.
func checksum(b []byte) byte {
	var sum byte
	for _, x := range b {
		sum += x
	}
	return sum
}

// encode makes a packet.
func encode(first, second byte, data ...byte) []byte {
	packet := append([]byte{first&0xF0 | byte(len(data)), second}, data...)
	return append(packet, checksum(packet))
}

// split cuts the stream into packets. Bytes that begin none, or whose checksum is wrong, are cut off
// one by one until something fits.
func split(got []byte) int {
	if len(got) == 0 {
		return 0
	}
	n := int(got[0]&0x0F) + 3
	if !known(got[0]) {
		return 1
	}
	if len(got) < n {
		return 0
	}
	if checksum(got[:n-1]) != got[n-1] {
		return 1
	}
	return n
}

// known reports whether a byte may begin an answer: system return or sense return.
func known(first byte) bool { return first&0xF0 == ack&0xF0 || first&0xF0 == statusReturn }

// Recorder is one recorder.
type Recorder struct{ line *line.Line }

var _ devices.Player = (*Recorder)(nil)

// ask sends a packet and returns the answer, or the recorder's refusal.
func (r *Recorder) ask(ctx context.Context, note string, packet []byte, want func(frame []byte) bool) ([]byte, error) {
	frame, err := r.line.Do(ctx, line.Exchange{
		Request: packet, Note: note, Timeout: replyTime, Pause: frameTime, Explain: explain,
		Accept: func(f []byte) bool { return len(f) >= 3 && (isNak(f) || want(f)) },
	})
	if err != nil {
		return nil, fmt.Errorf("sony9pin %s: %w", note, err)
	}
	if isNak(frame) {
		return nil, fmt.Errorf("sony9pin %s: %w", note, rejection(frame[2]))
	}
	return frame, nil
}

func isAck(f []byte) bool { return len(f) == 3 && f[0] == ack && f[1] == 0x01 }
func isNak(f []byte) bool { return len(f) == 4 && f[0] == nak && f[1] == 0x12 }
func isStatus(f []byte) bool {
	return len(f) == statusLength+3 && f[0] == statusReturn|statusLength && f[1] == 0x20
}

// rejection puts the bits of a NAK into words.
func rejection(bits byte) *devices.Rejection {
	reason := devices.Phrase{ZH: "录像机不接受此命令", EN: "The recorder does not take this command"}
	switch {
	case bits&0x01 != 0:
		reason = devices.Phrase{ZH: "录像机不支持此命令", EN: "The recorder does not know this command"}
	case bits&0x74 != 0: // checksum, parity, overrun, framing
		reason = devices.Phrase{ZH: "传输错误，请检查连线和串口参数", EN: "Transmission error: check cable, baud rate and parity (38400 8O1)"}
	case bits&0x80 != 0:
		reason = devices.Phrase{ZH: "录像机接收超时", EN: "The recorder timed out while receiving"}
	}
	return &devices.Rejection{Code: fmt.Sprintf("NAK %02X", bits), Reason: reason}
}

// statusLength is how many status bytes are asked for, from byte 0.
const statusLength = 10

// status is what a status sense says; bytes that the recorder does not send are 0.
type status [statusLength]byte

func parseStatus(frame []byte) status {
	var s status
	copy(s[:], frame[2:len(frame)-1])
	return s
}

func (s status) local() bool { return s[0]&0x01 != 0 }

// transport reads the bits. Record comes before play, since a recorder that records plays too.
func (s status) transport() devices.Transport {
	switch {
	case s[0]&0x20 != 0:
		return devices.TransportNoMedia
	case s[1]&0x10 != 0:
		return devices.TransportEject
	case s[1]&0x02 != 0:
		return devices.TransportRecord
	case s[1]&0x04 != 0:
		return devices.TransportForward
	case s[1]&0x08 != 0:
		return devices.TransportBack
	case s[2]&0x02 != 0:
		return devices.TransportPause
	case s[2]&0x30 != 0 && s[2]&0x04 != 0:
		return devices.TransportBack
	case s[2]&0x30 != 0:
		return devices.TransportForward
	case s[1]&0x01 != 0:
		return devices.TransportPlay
	}
	return devices.TransportStop
}

func (r *Recorder) sense(ctx context.Context) (status, error) {
	frame, err := r.ask(ctx, "status sense", encode(0x60, 0x20, statusLength), isStatus)
	if err != nil {
		return status{}, err
	}
	return parseStatus(frame), nil
}

// Transport implements devices.Player.
func (r *Recorder) Transport(ctx context.Context) (devices.Transport, error) {
	s, err := r.sense(ctx)
	if err != nil {
		return "", err
	}
	if t := s.transport(); t != devices.TransportEject {
		return t, nil
	}
	return devices.TransportOpen, nil
}

// Transports implements devices.Player.
func (*Recorder) Transports() []devices.Transport {
	return []devices.Transport{
		devices.TransportPlay, devices.TransportStop, devices.TransportPause, devices.TransportBack, devices.TransportForward,
		devices.TransportRecord, devices.TransportEject,
	}
}

// Act implements devices.Player.
func (r *Recorder) Act(ctx context.Context, t devices.Transport) error {
	var packet []byte
	switch t {
	case devices.TransportPlay:
		packet = encode(0x20, 0x01)
	case devices.TransportStop:
		packet = encode(0x20, 0x00)
	case devices.TransportPause: // a jog at speed 0 is a still picture
		packet = encode(0x20, 0x11, 0x00)
	case devices.TransportForward:
		packet = encode(0x20, 0x10)
	case devices.TransportBack:
		packet = encode(0x20, 0x20)
	case devices.TransportRecord:
		packet = encode(0x20, 0x02)
	case devices.TransportEject:
		packet = encode(0x20, 0x0F)
	default:
		return fmt.Errorf("a 9-pin recorder has no %s", t)
	}
	// A recorder in local acknowledges and does nothing, so it is asked first.
	s, err := r.sense(ctx)
	if err != nil {
		return err
	}
	switch {
	case s.local():
		return &devices.Rejection{Code: "LOCAL", Reason: devices.Phrase{
			ZH: "录像机处于本地控制，请在面板上切换到REMOTE", EN: "The recorder is in local: switch its panel to REMOTE",
		}}
	case s.transport() == devices.TransportNoMedia && t != devices.TransportEject:
		return &devices.Rejection{Code: "CASSETTE OUT", Reason: devices.Phrase{ZH: "没有录像带", EN: "There is no cassette in the recorder"}}
	}
	_, err = r.ask(ctx, string(t), packet, isAck)
	return err
}

// explain says in words what a packet means.
func explain(frame []byte) string {
	switch {
	case len(frame) < 3:
		return "too short"
	case isAck(frame):
		return "accepted"
	case isNak(frame):
		return rejection(frame[2]).Error()
	case isStatus(frame):
		words := []string{string(parseStatus(frame).transport())}
		if parseStatus(frame).local() {
			words = append(words, "local")
		}
		return strings.Join(words, ", ")
	}
	return ""
}

// deviceType reads the answer to a device type request.
func deviceType(f []byte) string {
	if len(f) != 5 {
		return explain(f)
	}
	return fmt.Sprintf("device type %02X%02X", f[2], f[3])
}
