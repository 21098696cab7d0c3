package nec

import (
	"encoding/hex"
	"fmt"
	"maps"
	"strings"
)

// signal is how an input is read back: selection signal types 1 and 2 of 078-3 and 305-3.
type signal [2]byte

// usual says which input code leads to which signal types (the manual's appendix, and what units in
// the field tell).
func usual() map[signal]string {
	return map[signal]string{
		{0x01, 0x01}: "01", // computer 1
		{0x02, 0x01}: "02", // computer 2
		{0x01, 0x02}: "06", // video
		{0x01, 0x03}: "0B", // S-video
		{0x01, 0x04}: "10", // component
		{0x02, 0x04}: "11",
		{0x01, 0x06}: "1A", // HDMI or DVI of models before 2014
		{0x02, 0x06}: "1B",
		{0x01, 0x07}: "1F", // viewer
		{0x02, 0x07}: "20", // LAN
		{0x01, 0x21}: "A1", // HDMI 1
		{0x02, 0x21}: "A2", // HDMI 2
		{0x01, 0x22}: "A6", // DisplayPort
		{0x01, 0x27}: "BF", // HDBaseT
		{0x01, 0x28}: "BE", // SDI
	}
}

// table is the usual one with what the settings say.
func (s *Settings) table() map[signal]string {
	table := usual()
	said := make(map[signal]string)
	for code, text := range s.Inputs {
		if types, err := signalTypes(text); err == nil {
			said[types] = strings.ToUpper(code)
		}
	}
	maps.Copy(table, said)
	return table
}

// inputCode reads a code of an input: "1A".
func inputCode(code string) (byte, error) {
	b, err := hex.DecodeString(code)
	if err != nil || len(b) != 1 {
		return 0, fmt.Errorf("%q is no input code: write the manual's two hexadecimal digits, such as 1A", code)
	}
	return b[0], nil
}

// signalTypes reads "01 21".
func signalTypes(text string) (signal, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil || len(b) != 2 {
		return signal{}, fmt.Errorf("%q are no signal types: write DATA03 and DATA04 of 078-3 in hexadecimal, such as \"01 21\"", text)
	}
	return signal{b[0], b[1]}, nil
}
