package dooya

import (
	"encoding/hex"
	"fmt"
	"strings"

	"lectern/devices"
	"lectern/devices/line"
)

// A frame is 55, the two bytes of the id, a function, its arguments and a CRC-16/MODBUS, low byte
// first ("485 communication protocol A4", frame format).
const (
	header = 0x55

	functionRead    = 0x01
	functionControl = 0x03

	commandOpen  = 0x01
	commandClose = 0x02
	commandStop  = 0x03
	commandGoTo  = 0x04

	registerPosition = 0x02
	registerStatus   = 0x05

	// refused stands in place of the data: in an acknowledgement it makes the frame an error reply,
	// in a position it means that the motor has no stroke.
	refused = 0xFF

	shortLength = 7 // an acknowledged open, close or stop
	longLength  = 8 // everything else that a motor says
)

// id is the address of a motor on the bus.
type id [2]byte

// parseID reads an id as the room file has it, "12 34" or "1234".
func parseID(text string) (id, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil || len(b) != 2 {
		return id{}, fmt.Errorf(`id %q: it is two hex bytes, such as "12 34"`, text)
	}
	if b[0] == 0 && b[1] == 0 {
		return id{}, fmt.Errorf("id %q: 00 00 is every motor on the bus, and none of them answers", text)
	}
	return id(b), nil
}

func (m id) String() string { return fmt.Sprintf("%02X %02X", m[0], m[1]) }

// encode makes a frame to or from a motor.
func encode(m id, body ...byte) []byte {
	f := append([]byte{header, m[0], m[1]}, body...)
	sum := crc(f)
	return append(f, byte(sum), byte(sum>>8))
}

// crc is CRC-16/MODBUS: polynomial A001 reflected, start FFFF.
func crc(b []byte) uint16 {
	sum := uint16(0xFFFF)
	for _, c := range b {
		sum ^= uint16(c)
		for range 8 {
			carry := sum & 1
			sum >>= 1
			sum ^= 0xA001 * carry
		}
	}
	return sum
}

// whole reports whether f is one frame with a right checksum.
func whole(f []byte) bool {
	n := len(f) - 2
	return n > 3 && f[0] == header && crc(f[:n]) == uint16(f[n])|uint16(f[n+1])<<8
}

// reply looks in what came for a frame of the motor with the given function and first argument.
// Where data is not nil, the frame has a data byte that data accepts; else it may be without, or
// carry the mark of an error.
func reply(got []byte, m id, function, argument byte, data func(byte) bool) (start, end int) {
	for i := 0; i+shortLength <= len(got); i++ {
		f := got[i:]
		if f[0] != header || id(f[1:3]) != m || f[3] != function || f[4] != argument {
			continue
		}
		// Longest first: where the checksum of the short frame has FF as its low byte, the error
		// reply is that frame and one byte more (00). As long as that byte has not come the two
		// cannot be told apart, and the motor is taken at its word; the position tells in the end.
		long := len(f) >= longLength && whole(f[:longLength])
		if data == nil && !(long && f[5] == refused) && whole(f[:shortLength]) {
			return i, i + shortLength
		}
		if !long {
			continue
		}
		if data == nil && f[5] == refused || data != nil && data(f[5]) {
			return i, i + longLength
		}
	}
	return 0, 0
}

// findControl returns how to find the acknowledgement of open, close or stop, or its error reply,
// which is one byte longer: 55 01 01 03 01 FF 81 F2 is "open" to a motor that is open.
func findControl(m id, command byte) func([]byte) (int, int, error) {
	return func(got []byte) (int, int, error) {
		start, end := reply(got, m, functionControl, command, nil)
		return start, end, nil
	}
}

// findGoTo returns how to find the acknowledgement of a position. It repeats the position, so that
// the late acknowledgement of another one is told apart.
func findGoTo(m id, percent byte) func([]byte) (int, int, error) {
	return func(got []byte) (int, int, error) {
		start, end := reply(got, m, functionControl, commandGoTo, func(b byte) bool {
			return b == percent || b == refused
		})
		return start, end, nil
	}
}

// findRead returns how to find the answer to a read. Its fifth byte is the number of data bytes,
// not the register that was asked for: nothing in the frame tells a position from a status.
func findRead(m id) func([]byte) (int, int, error) {
	return func(got []byte) (int, int, error) {
		start, end := reply(got, m, functionRead, 1, func(byte) bool { return true })
		return start, end, nil
	}
}

// isError reports whether an acknowledgement is an error reply.
func isError(f []byte) bool { return len(f) == longLength && f[5] == refused }

// position reads a position; known is false where the motor has no stroke.
func position(data byte) (percent int, known bool, err error) {
	switch {
	case data == refused:
		return 0, false, nil
	case data > 100:
		return 0, false, fmt.Errorf("position %d%%: %w", data, line.ErrGarbled)
	}
	return int(data), true, nil
}

// motion reads a motor status.
func motion(data byte) (devices.Motion, error) {
	switch data {
	case 0:
		return devices.Stop, nil
	case 1:
		return devices.Up, nil
	case 2:
		return devices.Down, nil
	case 3:
		// "Setting": a fitter is teaching the limits at the motor's button. It moves only while
		// the button is held, and nobody here can tell which way.
		return devices.Stop, nil
	}
	return "", fmt.Errorf("motor status %02X: %w", data, line.ErrGarbled)
}

// explain says in words what a frame means, either way.
func explain(f []byte) string {
	if !whole(f) || len(f) < shortLength {
		return "no Dooya frame"
	}
	who := id(f[1:3]).String()
	switch f[3] {
	case functionRead:
		return fmt.Sprintf("motor %s answers %02X", who, f[5])
	case functionControl:
		word, ok := map[byte]string{
			commandOpen: "open", commandClose: "close", commandStop: "stop", commandGoTo: "go to",
		}[f[4]]
		if !ok {
			word = fmt.Sprintf("control %02X", f[4])
		}
		if isError(f) {
			return fmt.Sprintf("motor %s refuses: %s", who, word)
		}
		if len(f) == longLength {
			word = fmt.Sprintf("%s %d%%", word, f[5])
		}
		return fmt.Sprintf("motor %s acknowledges: %s", who, word)
	}
	return fmt.Sprintf("motor %s, function %02X", who, f[3])
}
