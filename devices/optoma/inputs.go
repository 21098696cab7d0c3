package optoma

import (
	"fmt"
	"maps"
	"slices"
)

// inputs knows what the projector tells for an input (command 121) and what chooses it (command 12):
// the two are numbered differently.
type inputs map[string]string // the code that chooses it, by the code that is told

// toldFor is what most models tell for the codes that choose.
func toldFor() map[string]string {
	return map[string]string{
		"1":  "7",  // HDMI 1
		"15": "8",  // HDMI 2
		"16": "14", // HDMI 3
		"2":  "1",  // DVI-D
		"5":  "2",  // VGA 1
		"6":  "3",  // VGA 2
		"10": "5",  // video
		"18": "12", // network
		"20": "15", // DisplayPort
		"21": "16", // HDBaseT
		"22": "18", // SDI
	}
}

// newInputs makes the table of a model: as usual, but for what its room file says.
func newInputs(otherwise map[string]string) inputs {
	in := make(inputs)
	for code, told := range toldFor() {
		if _, ok := otherwise[code]; !ok {
			in[told] = code
		}
	}
	for code, told := range otherwise {
		in[told] = code
	}
	return in
}

// check says what is wrong with the inputs of a room file.
func check(otherwise map[string]string) error {
	seen := make(map[string]string)
	for _, code := range slices.Sorted(maps.Keys(otherwise)) {
		told := otherwise[code]
		if !isCode(code) || !isCode(told) {
			return fmt.Errorf("inputs: %s: %s: both are numbers as the projector's manual has them, without zeros in front", code, told)
		}
		if other, ok := seen[told]; ok {
			return fmt.Errorf("inputs: %s and %s are both told as %s: nobody could tell them apart", other, code, told)
		}
		seen[told] = code
	}
	return nil
}

// isCode reports whether a text is the code of an input.
func isCode(s string) bool { return isNumber(s, 2) && (s == "0" || s[0] != '0') }

// code returns the code that chooses the input that is told; "" where the projector shows none. What
// is not in the table is no input of the room file, and is given in a form that none has.
func (in inputs) code(told string) string {
	if code, ok := in[told]; ok {
		return code
	}
	if told == "0" {
		return ""
	}
	return "told as " + clip(told)
}
