package script

import (
	"fmt"
	"slices"
	"strings"
)

// checksum is a checksum over what stands before it, or over a span of that. Bytes are counted from 1,
// as manuals do.
type checksum struct {
	name     string
	of       func([]byte) []byte
	from, to int // to 0: up to the checksum
}

// sums are the checksums that manuals of room equipment have.
var sums = map[string]func([]byte) []byte{
	"sum8": func(b []byte) []byte { return []byte{sum(b)} },
	"neg8": func(b []byte) []byte { return []byte{-sum(b)} }, // with it, all add up to 0
	"not8": func(b []byte) []byte { return []byte{^sum(b)} },
	"xor8": func(b []byte) []byte { return []byte{fold(b, func(x, y byte) byte { return x ^ y })} },
	"or8":  func(b []byte) []byte { return []byte{fold(b, func(x, y byte) byte { return x | y })} },
	"crc16": func(b []byte) []byte { // of Modbus, the low byte first
		crc := uint16(0xFFFF)
		for _, c := range b {
			crc ^= uint16(c)
			for range 8 {
				if crc&1 != 0 {
					crc = crc>>1 ^ 0xA001
				} else {
					crc >>= 1
				}
			}
		}
		return []byte{byte(crc), byte(crc >> 8)}
	},
}

func sum(b []byte) byte { return fold(b, func(x, y byte) byte { return x + y }) }

func fold(b []byte, with func(x, y byte) byte) byte {
	var made byte
	for _, c := range b {
		made = with(made, c)
	}
	return made
}

func sumNames() string {
	var names []string
	for name := range sums {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// size is how many bytes the checksum has.
func (c *checksum) size() int { return len(c.of(nil)) }

// bytes makes the checksum after what stands before it: raw, or in hex digits.
func (c *checksum) bytes(before []byte, f form) ([]byte, error) {
	to := c.to
	if to == 0 {
		to = len(before)
	}
	if c.from > len(before) || to > len(before) {
		return nil, fmt.Errorf("{%s}: it spans bytes %d to %d, and %d stand before it", c.name, c.from, to, len(before))
	}
	raw := c.of(before[c.from-1 : to])
	switch f.verb {
	case 'x':
		return fmt.Appendf(nil, "%x", raw), nil
	case 'X':
		return fmt.Appendf(nil, "%X", raw), nil
	}
	return raw, nil
}
