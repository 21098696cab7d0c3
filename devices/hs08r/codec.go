package hs08r

import "fmt"

// A frame is 5B B5, the unit, a function and six bytes; there is no checksum ("HS-08R-16R 多功能电源
// 时序器通讯协议", V1.1).
const (
	head0, head1 = 0x5B, 0xB5
	frameLength  = 10

	functionRead    = 0x02
	functionControl = 0x16

	// An acknowledgement has one of these where the request had its function.
	success = 0xAA
	failure = 0xFF

	statusHigh, statusLow = 0x20, 0x16
	statusAt              = 6 // where the channel bytes of a status begin
)

// encodeSwitch makes the command that switches one channel.
func encodeSwitch(unit, channel byte, on bool) []byte {
	state := byte(0)
	if on {
		state = 1
	}
	return []byte{head0, head1, unit, functionControl, 0, 0, 0, state, channel, 0xAA}
}

// encodeStatus makes the question for all channels.
func encodeStatus(unit byte) []byte {
	return []byte{head0, head1, unit, functionRead, statusHigh, statusLow, 0, 0, 0, 0}
}

// find looks for a frame of a unit of at least n bytes that match accepts.
func find(got []byte, unit byte, n int, match func(f []byte) bool) (start, end int, err error) {
	for i := 0; i+n <= len(got); i++ {
		f := got[i : i+n]
		if f[0] == head0 && f[1] == head1 && f[2] == unit && match(f) {
			return i, i + n, nil
		}
	}
	return 0, 0, nil
}

// findAck returns how to find the answer to a command: good or bad, it is ten bytes long.
func findAck(unit byte) func([]byte) (int, int, error) {
	return func(got []byte) (int, int, error) {
		return find(got, unit, frameLength, func(f []byte) bool { return f[3] == success || f[3] == failure })
	}
}

// findStatus returns how to find a status with the given number of channel bytes, each 00 or 01, or
// the unit's refusal to tell.
func findStatus(unit byte, channels int) func([]byte) (int, int, error) {
	return func(got []byte) (int, int, error) {
		start, end, err := find(got, unit, max(frameLength, statusAt+channels), func(f []byte) bool {
			return f[3] == functionRead && f[4] == statusHigh && f[5] == statusLow && flags(f[statusAt:statusAt+channels])
		})
		if end != 0 || err != nil {
			return start, end, err
		}
		return find(got, unit, frameLength, func(f []byte) bool { return f[3] == failure })
	}
}

// flags reports whether all bytes are 00 or 01.
func flags(b []byte) bool {
	for _, c := range b {
		if c > 1 {
			return false
		}
	}
	return true
}

// refused reports whether an answer is the unit's no.
func refused(f []byte) bool { return f[3] == failure }

// explain says in words what a frame means.
func explain(f []byte) string {
	if len(f) < frameLength || f[0] != head0 || f[1] != head1 {
		return "no sequencer frame"
	}
	switch f[3] {
	case success:
		return fmt.Sprintf("unit %d: done", f[2])
	case failure:
		return fmt.Sprintf("unit %d: refused", f[2])
	case functionRead:
		return fmt.Sprintf("unit %d: channels from 1 on: % X", f[2], f[statusAt:])
	}
	return fmt.Sprintf("unit %d, function %02X", f[2], f[3])
}
