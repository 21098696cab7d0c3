package sony

import "bytes"

// A frame on the serial port: A9, the item, the type, two bytes of data, the check sum, 9A.
const (
	frameLength = 8
	frameStart  = 0xA9
	frameEnd    = 0x9A
)

// kind is the type byte of a frame.
type kind byte

const (
	kindSet   kind = 0x00
	kindGet   kind = 0x01
	kindReply kind = 0x02
	kindAck   kind = 0x03 // with the error in place of the item; 0000 is done
)

// frame is a frame that has been read.
type frame struct {
	item  item
	kind  kind
	value uint16
}

// checksum is the bitwise or of the five bytes between the start and the check sum.
func checksum(middle []byte) byte {
	var sum byte
	for _, b := range middle {
		sum |= b
	}
	return sum
}

// encode makes a frame ready for the wire.
func (f frame) encode() []byte {
	b := []byte{frameStart, byte(f.item >> 8), byte(f.item), byte(f.kind), byte(f.value >> 8), byte(f.value)}
	return append(b, checksum(b[1:]), frameEnd)
}

// splitFrames cuts the stream into frames. What begins none is cut off up to the next byte that may.
func splitFrames(got []byte) int {
	if len(got) == 0 {
		return 0
	}
	if got[0] != frameStart {
		if next := bytes.IndexByte(got, frameStart); next > 0 {
			return next
		}
		return len(got)
	}
	if len(got) < frameLength {
		return 0
	}
	if _, ok := parseFrame(got[:frameLength]); !ok {
		return 1
	}
	return frameLength
}

// parseFrame reads a frame as cut by splitFrames; false for noise.
func parseFrame(b []byte) (frame, bool) {
	if len(b) != frameLength || b[0] != frameStart || b[7] != frameEnd || b[6] != checksum(b[1:6]) {
		return frame{}, false
	}
	return frame{item: item(b[1])<<8 | item(b[2]), kind: kind(b[3]), value: uint16(b[4])<<8 | uint16(b[5])}, true
}

// answers reports whether a frame is the answer to another.
func (f frame) answers(asked frame) bool {
	switch f.kind {
	case kindReply:
		return asked.kind == kindGet && f.item == asked.item
	case kindAck:
		return asked.kind == kindSet || f.item != 0 // an error answers anything
	}
	return false
}

// explainFrame says in words what a frame means.
func explainFrame(b []byte) string {
	f, ok := parseFrame(b)
	switch {
	case !ok:
		return "noise"
	case f.kind == kindAck && f.item == 0:
		return "done"
	case f.kind == kindAck:
		return rejection(uint16(f.item)).Error()
	}
	return explainItem(f.item, f.value)
}
