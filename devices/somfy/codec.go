package somfy

import (
	"encoding/hex"
	"fmt"
	"strings"

	"lectern/devices"
	"lectern/devices/line"
)

// A frame is a message, its length, the types of sender and addressee, the two addresses, data and a
// checksum. On the wire every byte but the checksum is inverted, and the checksum is the plain sum of
// what is on the wire, high byte first ("SDN Integration Guide").
const (
	headLength = 9 // message, length, types, source, destination
	frameLeast = headLength + 2
	frameMost  = 32

	lengthMask = 0x7F
	wantsAck   = 0x80 // in the length: answer with ACK or NACK

	sourceAt      = 3
	destinationAt = 6

	messageStop     = 0x02
	messageMoveTo   = 0x03
	messageAskPlace = 0x0C
	messagePlace    = 0x0D
	messageAskState = 0x0E
	messageState    = 0x0F
	messageNack     = 0x6F
	messageAck      = 0x7F

	// What messageMoveTo goes to.
	toDownLimit = 0x00
	toUpLimit   = 0x01
	toPercent   = 0x04

	stateRunning = 0x01
	stateLocked  = 0x03

	goingDown = 0x00
	goingUp   = 0x01

	// unknown stands in place of a position where the limits are not set.
	unknown = 0xFF
)

// address is the address of a node, as its label has it. It travels with its last byte first.
type address [3]byte

// master is who asks. Motors answer whatever address they are asked from; this one is the usual.
var master = address{0x00, 0xFF, 0xFF}

// parseAddress reads an address as a label or the room file has it: "07.68.C0" or "0768C0".
func parseAddress(text string) (address, error) {
	b, err := hex.DecodeString(strings.NewReplacer(".", "", ":", "", " ", "").Replace(text))
	if err != nil || len(b) != 3 {
		return address{}, fmt.Errorf(`motor %q: it is three hex bytes as on the motor's label, such as "07.68.C0"`, text)
	}
	a := address(b)
	switch {
	case a == address{0xFF, 0xFF, 0xFF} || a == address{}:
		return address{}, fmt.Errorf("motor %q: that is every motor on the bus, and they would all answer at once", text)
	case a == master:
		return address{}, fmt.Errorf("motor %q: that is the controller's own address", text)
	}
	return a, nil
}

func (a address) String() string { return fmt.Sprintf("%02X.%02X.%02X", a[0], a[1], a[2]) }

func (a address) wire() []byte { return []byte{^a[2], ^a[1], ^a[0]} }

// encode makes a frame from the master to a motor of the given type, which asks for an answer.
func encode(message byte, kind byte, to address, data ...byte) []byte {
	f := []byte{^message, ^(wantsAck | byte(frameLeast+len(data))), ^(kind & 0x0F)}
	f = append(append(f, master.wire()...), to.wire()...)
	for _, b := range data {
		f = append(f, ^b)
	}
	sum := checksum(f)
	return append(f, byte(sum>>8), byte(sum))
}

func checksum(wire []byte) uint16 {
	var sum uint16
	for _, b := range wire {
		sum += uint16(b)
	}
	return sum
}

// frame is what a frame says, once its bytes are turned right.
type frame struct {
	message byte
	from    address
	to      address
	data    []byte
}

// parse reads the frame at the start of got; n is its length on the wire, 0 where there is none or
// not all of it yet.
func parse(got []byte) (f frame, n int) {
	if len(got) < frameLeast {
		return frame{}, 0
	}
	n = int(^got[1] & lengthMask)
	if n < frameLeast || n > frameMost || n > len(got) {
		return frame{}, 0
	}
	end := n - 2
	if checksum(got[:end]) != uint16(got[end])<<8|uint16(got[end+1]) {
		return frame{}, 0
	}
	at := func(i int) address { return address{^got[i+2], ^got[i+1], ^got[i]} }
	f = frame{message: ^got[0], from: at(sourceAt), to: at(destinationAt)}
	for _, b := range got[headLength:end] {
		f.data = append(f.data, ^b)
	}
	return f, n
}

// find returns how to find a motor's answer: the message with at least so much data, or its NACK.
func find(from address, message byte, least int) func([]byte) (int, int, error) {
	return func(got []byte) (int, int, error) {
		for i := range got {
			f, n := parse(got[i:])
			if n == 0 || f.from != from || f.to != master {
				continue
			}
			if f.message == message && len(f.data) >= least || f.message == messageNack && len(f.data) > 0 {
				return i, i + n, nil
			}
		}
		return 0, 0, nil
	}
}

// refused returns the error code of a NACK.
func (f frame) refused() (code byte, ok bool) {
	if f.message != messageNack {
		return 0, false
	}
	return f.data[0], true
}

// height reads a position in percent from the up limit, as Lectern counts it from the down limit.
func height(data byte, reversed bool) (percent int, known bool, err error) {
	switch {
	case data == unknown:
		return 0, false, nil
	case data > 100:
		return 0, false, fmt.Errorf("position %d%%: %w", data, line.ErrGarbled)
	case reversed:
		return int(data), true, nil
	}
	return 100 - int(data), true, nil
}

// motion reads a motor status: state and direction. A motor that is blocked or locked stands still.
func motion(state, direction byte, reversed bool) (devices.Motion, error) {
	switch {
	case state > stateLocked:
		return "", fmt.Errorf("motor state %02X: %w", state, line.ErrGarbled)
	case state != stateRunning:
		return devices.Stop, nil
	case direction > goingUp:
		return "", fmt.Errorf("the motor runs and does not say which way (%02X): %w", direction, line.ErrGarbled)
	case (direction == goingUp) != reversed:
		return devices.Up, nil
	}
	return devices.Down, nil
}

// rejection puts the error code of a NACK into words. The integration guide has 01, 10, 11 and FF;
// the others are from motors in the field.
func rejection(code byte) *devices.Rejection {
	no := &devices.Rejection{Code: fmt.Sprintf("NACK %02X", code), Reason: devices.Phrase{
		ZH: "电机拒绝执行，请检查电机", EN: "The motor refused to move; have it looked at",
	}}
	switch code {
	case 0x20:
		no.Reason = devices.Phrase{ZH: "电机已被锁定，请先解锁", EN: "The motor is locked; unlock it first"}
	case 0x22:
		no.Reason = noLimits
	case 0xFF:
		no.Reason = devices.Phrase{ZH: "电机忙，请稍后再试", EN: "The motor is busy, try again"}
		no.Busy = true
	}
	return no
}

var noLimits = devices.Phrase{
	ZH: "电机尚未设置上下限位，请先用设置工具设置",
	EN: "The motor's limits are not set; set them with the maker's tool first",
}

// explain says in words what a frame means, either way.
func explain(wire []byte) string {
	f, n := parse(wire)
	if n == 0 {
		return "no SDN frame"
	}
	who := "motor " + f.from.String()
	switch {
	case f.message == messageAck:
		return who + " acknowledges"
	case f.message == messageNack && len(f.data) > 0:
		return fmt.Sprintf("%s refuses: %s", who, rejection(f.data[0]).Reason.EN)
	case f.message == messagePlace && len(f.data) > 2:
		return fmt.Sprintf("%s stands at %d%% from its up limit", who, f.data[2])
	case f.message == messageState && len(f.data) > 1:
		return fmt.Sprintf("%s: state %02X, direction %02X", who, f.data[0], f.data[1])
	}
	return fmt.Sprintf("%s, message %02X", who, f.message)
}
