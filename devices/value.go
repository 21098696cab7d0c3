package devices

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Kind says what the values of a property are made of.
type Kind string

// The kinds of value.
const (
	KindBool    Kind = "bool"
	KindInteger Kind = "integer"
	KindNumber  Kind = "number" // a decimal number, such as a temperature
	KindEnum    Kind = "enum"   // one of a list of words
	KindText    Kind = "text"
)

// Value is one value of a property: a bool, a number or a word. It is small, immutable and
// comparable with ==. The zero Value means that no value is known.
type Value struct {
	kind Kind
	num  float64
	text string
}

// Bool returns the value true or false.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// Int returns an integer value.
func Int(i int) Value { return Value{kind: KindInteger, num: float64(i)} }

// Number returns a decimal value.
func Number(f float64) Value { return Value{kind: KindNumber, num: f} }

// Word returns a value of an enum.
func Word(s string) Value { return Value{kind: KindEnum, text: s} }

// Text returns a text value.
func Text(s string) Value { return Value{kind: KindText, text: s} }

// Kind returns the kind of the value; empty for the zero Value.
func (v Value) Kind() Kind { return v.kind }

// IsZero reports whether no value is known.
func (v Value) IsZero() bool { return v.kind == "" }

// Bool returns a bool value; false for any other kind.
func (v Value) Bool() bool { return v.kind == KindBool && v.num != 0 }

// Int returns an integer or decimal value, rounded toward zero; 0 for any other kind.
func (v Value) Int() int { return int(v.num) }

// Float returns an integer or decimal value; 0 for any other kind.
func (v Value) Float() float64 { return v.num }

// Any returns the value as JSON, YAML and templates know it: nil, bool, int, float64 or string.
func (v Value) Any() any {
	switch v.kind {
	case KindBool:
		return v.num != 0
	case KindInteger:
		return int(v.num)
	case KindNumber:
		return v.num
	case KindEnum, KindText:
		return v.text
	}
	return nil
}

// String returns the value as text, the way MQTT and the command line write it.
func (v Value) String() string {
	switch v.kind {
	case KindBool:
		return strconv.FormatBool(v.num != 0)
	case KindInteger:
		return strconv.Itoa(int(v.num))
	case KindNumber:
		return strconv.FormatFloat(v.num, 'f', -1, 64)
	case KindEnum, KindText:
		return v.text
	}
	return ""
}

// MarshalJSON writes the value as plain JSON; the zero Value as null.
func (v Value) MarshalJSON() ([]byte, error) {
	b, err := json.Marshal(v.Any())
	if err != nil {
		return nil, fmt.Errorf("value %q: %w", v.text, err)
	}
	return b, nil
}

// Quality says how far a reading can be believed.
type Quality string

// The qualities of a reading, from best to worst.
const (
	// Reported means that the equipment itself said so, on its last answer.
	Reported Quality = "reported"
	// Assumed means that Lectern reckons so - from what it sent to one-way equipment, or from the
	// travel time of a curtain - and nothing on the wire has contradicted it.
	Assumed Quality = "assumed"
	// Stale means that it was so once, and the equipment has not answered since.
	Stale Quality = "stale"
	// Unknown means that nobody can say. Unknown is not off.
	Unknown Quality = "unknown"
)
