package devices

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxText bounds a text value set from outside, in bytes.
const maxText = 256

// Property describes one thing about a device: its name, what its values are, and how it is set.
type Property struct {
	Name     string `json:"name"`
	Kind     Kind   `json:"type"`
	Settable bool   `json:"settable"`

	// Momentary marks a property whose set is an act rather than a lasting wish (play, stop): doing
	// it twice is two acts, and it is never shown as pending after its outcome.
	Momentary bool `json:"momentary,omitempty"`

	// Continuous marks a property that a finger drags (volume, position, level): a newer value
	// replaces an older one that still waits for the wire.
	Continuous bool `json:"continuous,omitempty"`

	// Unit, Min, Max and Step bound a number. Step 0 means any value in the range.
	Unit string  `json:"unit,omitempty"`
	Min  float64 `json:"min,omitempty"`
	Max  float64 `json:"max,omitempty"`
	Step float64 `json:"step,omitempty"`

	// Limit is the most that may be asked for where that is less than Max: the room file limits a
	// volume, and somebody at the equipment's own knob can still turn it higher. 0 means Max.
	Limit float64 `json:"limit,omitempty"`

	// Options lists the words of an enum.
	Options []Option `json:"options,omitempty"`

	// Diagnostic marks a property that staff want and presenters do not (lamp hours).
	Diagnostic bool `json:"diagnostic,omitempty"`
}

// Option is one word of an enum.
type Option struct {
	Value string `json:"value"`
	// Label is what people read, where the room file gives it; else the panel's catalogue does.
	Label Phrase `json:"label,omitzero"`
	// State marks a word that the equipment reports but nobody can ask for (warming).
	State bool `json:"state,omitempty"`
	// Act marks a word that can be asked for but is never a state (next chapter).
	Act bool `json:"act,omitempty"`
}

// Words makes options of plain words.
func Words(words ...string) []Option {
	options := make([]Option, len(words))
	for i, w := range words {
		options[i] = Option{Value: w}
	}
	return options
}

// Check turns what came from outside (JSON, YAML, a word on a command line) into a value of the
// property that may be set, or says what would be right.
func (p Property) Check(raw any) (Value, error) {
	if !p.Settable {
		return Value{}, fmt.Errorf("%s can be read but not set", p.Name)
	}
	// What cannot be asked for is not offered.
	asked := p
	asked.Options = slices.DeleteFunc(slices.Clone(p.Options), func(o Option) bool { return o.State })
	return asked.Read(raw)
}

// Read turns what came from outside into a value that the property may have, whether or not it
// can be set: a state to wait for, or the condition of a rule.
func (p Property) Read(raw any) (Value, error) {
	if v, ok := raw.(Value); ok {
		raw = v.Any()
	}
	wrong := func() (Value, error) {
		shown := fmt.Sprint(raw)
		if len(shown) > 40 {
			shown = shown[:40] + "…"
		}
		return Value{}, fmt.Errorf("%s cannot be %q: it takes %s", p.Name, shown, p.takes())
	}
	switch p.Kind {
	case KindBool:
		switch b := raw.(type) {
		case bool:
			return Bool(b), nil
		case string:
			switch b {
			case "true", "on":
				return Bool(true), nil
			case "false", "off":
				return Bool(false), nil
			}
		}
	case KindInteger, KindNumber:
		f, ok := number(raw)
		if !ok || math.IsNaN(f) || f < p.Min || f > p.Max {
			return wrong()
		}
		if p.Kind == KindNumber {
			return Number(f), nil
		}
		if f != math.Trunc(f) || p.Step > 1 && math.Mod(f-p.Min, p.Step) != 0 {
			return wrong()
		}
		return Int(int(f)), nil
	case KindEnum:
		// A level may be written as a number, and YAML reads a bare on or off as a bool.
		word := fmt.Sprint(raw)
		if b, ok := raw.(bool); ok {
			word = map[bool]string{true: "on", false: "off"}[b]
		}
		if slices.ContainsFunc(p.Options, func(o Option) bool { return o.Value == word }) {
			return Word(word), nil
		}
	case KindText:
		if s, ok := raw.(string); ok && len(s) <= maxText {
			return Text(s), nil
		}
	}
	return wrong()
}

// Asks reports whether the value can be asked for; a word like "warming" can only be reported.
func (p Property) Asks(v Value) bool {
	_, err := p.Check(v)
	return err == nil
}

func (p Property) takes() string {
	switch p.Kind {
	case KindBool:
		return "true or false"
	case KindInteger, KindNumber:
		s := fmt.Sprintf("a number from %s to %s", plain(p.Min), plain(p.Max))
		if p.Kind == KindInteger {
			s = "a whole" + s[1:]
		}
		if p.Step > 1 {
			s += " in steps of " + plain(p.Step)
		}
		if p.Unit != "" {
			s += " " + p.Unit
		}
		return s
	case KindEnum:
		words := make([]string, len(p.Options))
		for i, o := range p.Options {
			words[i] = o.Value
		}
		return "one of " + strings.Join(words, ", ")
	}
	return fmt.Sprintf("a text of at most %d bytes", maxText)
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func number(raw any) (float64, bool) {
	switch n := raw.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case uint64:
		return float64(n), true
	case float64:
		return n, true
	case string:
		f, err := strconv.ParseFloat(n, 64)
		return f, err == nil
	}
	return 0, false
}
