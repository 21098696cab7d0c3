package nec

import (
	"bytes"
	"errors"
	"fmt"

	"lectern/devices"
)

const (
	overhead  = 6    // what a frame has beside its data: two bytes of command, two of ID, length, checksum
	answered  = 0x20 // what a reply's first byte is above the request's
	refused   = 0xA0
	dataStart = 5
)

// request is one request of the manual, and what its reply must have.
type request struct {
	name          string // its name in the manual
	kind, command byte   // the first two bytes
	data          []byte
	repeats       []byte // what the reply's data begin with
	least         int    // how many bytes of data the reply has at least
}

// The requests, with the manual's numbers. They are never changed.
var (
	askErrors      = request{name: "009 error status", command: 0x88, least: 12}
	powerOn        = request{name: "015 power on", kind: 0x02, command: 0x00}
	powerOff       = request{name: "016 power off", kind: 0x02, command: 0x01}
	askRunning     = request{name: "004 running sense", command: 0x81, least: 1}
	askInformation = request{name: "037 information", kind: 0x03, command: 0x8A, least: 98}
	askLamp        = request{name: "037-4 lamp 1 usage", kind: 0x03, command: 0x96, data: []byte{0, 1}, repeats: []byte{0, 1}, least: 6}
	askInput       = request{name: "078-3 input status", command: 0x85, data: []byte{2}, least: 16}
	askBasic       = request{name: "305-3 basic information", command: 0xBF, data: []byte{2}, repeats: []byte{2}, least: 16}
)

// chooseInput is 018 INPUT SW CHANGE.
func chooseInput(code byte) request {
	return request{name: fmt.Sprintf("018 input %02X", code), kind: 0x02, command: 0x03, data: []byte{1, code}, least: 1}
}

// encode makes the frame. The IDs of a request are 0: whoever hears it is meant.
func (r request) encode() []byte {
	frame := append([]byte{r.kind, r.command, 0, 0, byte(len(r.data))}, r.data...)
	return append(frame, checksum(frame))
}

// checksum is the low byte of the sum (section 2.3).
func checksum(b []byte) (sum byte) {
	for _, c := range b {
		sum += c
	}
	return sum
}

// find looks for the reply. What stands before it, or is not whole, is passed over.
func (r request) find(got []byte) (start, end int, err error) {
	for start = 0; start+overhead <= len(got); start++ {
		rest := got[start:]
		if rest[1] != r.command || rest[0] != r.kind+answered && rest[0] != r.kind+refused {
			continue
		}
		n := overhead + int(rest[4])
		if n > len(rest) || checksum(rest[:n-1]) != rest[n-1] {
			continue
		}
		data := rest[dataStart : n-1]
		if rest[0] == r.kind+refused && len(data) == 2 || rest[0] == r.kind+answered && r.fits(data) {
			return start, start + n, nil
		}
	}
	return 0, 0, nil
}

func (r request) fits(data []byte) bool {
	return len(data) >= r.least && bytes.HasPrefix(data, r.repeats)
}

var errForm = errors.New("not an NEC reply")

// decode returns the data of a reply, or what the projector refuses with.
func decode(frame []byte) ([]byte, error) {
	if len(frame) < overhead || len(frame) != overhead+int(frame[4]) || checksum(frame[:len(frame)-1]) != frame[len(frame)-1] {
		return nil, fmt.Errorf("%w: % X", errForm, frame)
	}
	data := frame[dataStart : len(frame)-1]
	if frame[0] < refused {
		return data, nil
	}
	if len(data) != 2 {
		return nil, fmt.Errorf("%w: % X", errForm, frame)
	}
	return nil, rejection(data[0], data[1])
}

// rejection puts an error reply into words (section 2.4).
func rejection(err1, err2 byte) *devices.Rejection {
	r := &devices.Rejection{Code: fmt.Sprintf("%02X%02X", err1, err2)}
	switch r.Code {
	case "0000":
		r.Reason = devices.Phrase{ZH: "投影机不认识此命令", EN: "The projector does not know this command"}
	case "0001":
		r.Reason = devices.Phrase{ZH: "此型号不支持此命令", EN: "This model does not have this command"}
	case "0100":
		r.Reason = devices.Phrase{ZH: "参数无效", EN: "The value is not valid"}
	case "0101":
		r.Reason = devices.Phrase{ZH: "投影机没有此信号源", EN: "The projector has no such input"}
	case "0202":
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机忙", EN: "The projector is busy"}
	case "0203":
		r.Reason = devices.Phrase{ZH: "无法设定此值", EN: "The value cannot be set"}
	case "0207":
		r.Reason = devices.Phrase{ZH: "没有信号", EN: "There is no signal"}
	case "020D":
		r.Busy = true // it may be on its way to being on
		r.Reason = devices.Phrase{ZH: "投影机未开机，不接受此命令", EN: "The projector is off and does not take this command"}
	case "020E":
		r.Busy = true
		r.Reason = devices.Phrase{ZH: "投影机现在无法执行此命令", EN: "The projector cannot do this now"}
	case "020F":
		r.Reason = devices.Phrase{ZH: "没有操作权限", EN: "The projector demands an authority for this"}
	default:
		r.Reason = devices.Phrase{ZH: "投影机拒绝了此命令", EN: "The projector refused this command"}
	}
	return r
}

// States of 305-3 that mean more than off.
const (
	standbyError  = 0x06
	standbySaving = 0x0F
)

// powerOf reads the operation status of 305-3.
func powerOf(code byte) (p devices.Power, known bool) {
	switch code {
	case 0x00, standbyError, standbySaving, 0x10: // sleep, after a fault, power saving, network standby
		return devices.PowerOff, true
	case 0x01, 0x02, 0x03: // initialising, starting, warming up: not in the manual, see the package comment
		return devices.PowerWarming, true
	case 0x04:
		return devices.PowerOn, true
	case 0x05:
		return devices.PowerCooling, true
	}
	return devices.PowerUnknown, false
}

// senseOf reads the status of 004. Bit 7 is switching on or off, bit 5 cooling and bit 1 power.
func senseOf(status byte) devices.Power {
	switch {
	case status&0x20 != 0:
		return devices.PowerCooling
	case status&0x80 != 0:
		return devices.PowerWarming
	case status&0x02 != 0:
		return devices.PowerOn
	}
	return devices.PowerOff
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	data, err := decode(frame)
	var no *devices.Rejection
	switch {
	case errors.As(err, &no):
		return "refused: " + no.Reason.EN
	case err != nil:
		return ""
	}
	switch head := [2]byte{frame[0], frame[1]}; {
	case head == [2]byte{0x20, 0xBF} && askBasic.fits(data):
		if power, ok := powerOf(data[1]); ok {
			return "power is " + string(power)
		}
		return fmt.Sprintf("power is in state %02X", data[1])
	case head == [2]byte{0x20, 0x81} && askRunning.fits(data):
		return "power is " + string(senseOf(data[0]))
	case head == [2]byte{0x20, 0x88}:
		if f := faultOf(data); f.Code != "" {
			return f.Text.EN
		}
		return "no fault"
	}
	return "done"
}
