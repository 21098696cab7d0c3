package script

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"lectern/devices/line"
)

// values checks the tables of values.
func (c *compiler) values() {
	for _, name := range slices.Sorted(maps.Keys(c.s.Protocol.Values)) {
		v, where := c.s.Protocol.Values[name], []string{"values", name}
		switch {
		case !slices.Contains(everyValue(), name) && !slices.Contains(codes, name):
			c.add(where, "there is no such value; a %s has %s", c.s.kind, strings.Join(c.p.kind.values, ", "))
		case len(v.Scale) != 0 && (len(v.Scale) != 2 || v.Scale[0] == v.Scale[1]):
			c.add(append(where, "scale"), "a scale is two numbers, what means 0 and what means 100: [0, 255]")
		case len(v.Scale) == 2 && max(abs(v.Scale[0]), abs(v.Scale[1])) > 1<<24:
			c.add(append(where, "scale"), "its numbers are too large")
		case len(v.Scale) != 0 && !isNumber(name):
			c.add(append(where, "scale"), "%s is no number", name)
		case v.Base != 0 && v.Base != 10 && v.Base != 16:
			c.add(append(where, "base"), "base %d: it is 10 or 16", v.Base)
		case len(v.Words) > listMost:
			c.add(append(where, "words"), "there are %d; %d is the most", len(v.Words), listMost)
		default:
			c.words(name, v)
		}
	}
}

// words checks that words mean something.
func (c *compiler) words(name string, v Value) {
	can := meanings(name)
	for _, wire := range slices.Sorted(maps.Keys(v.Words)) {
		means := v.Words[wire]
		switch {
		case len(wire) > wordMost || len(means) > wordMost:
			c.add([]string{"values", name, "words", wire}, "the word is too long")
		case can != nil && !slices.Contains(can, means):
			c.add([]string{"values", name, "words", wire}, "%q cannot mean %q; %s is %s", wire, means, name, strings.Join(can, ", "))
		}
	}
}

// meaning checks that a value which is told can be understood.
func (c *compiler) meaning(value string) {
	v := c.s.Protocol.Values[value]
	switch can := c.p.kind.words[value]; {
	case can == nil:
	case len(v.Words) == 0:
		c.add([]string{"values"}, "nothing says what %s means: add %s: {words: {\"1\": %s, ...}}", value, value, can[0])
	case slices.Equal(can, onOff), value == "power":
		for _, must := range onOff {
			if !slices.Contains(slices.Collect(maps.Values(v.Words)), must) {
				c.add([]string{"values", value, "words"}, "no word of %s means %s", value, must)
			}
		}
	}
}

func isNumber(value string) bool {
	return slices.Contains(percents, value) || slices.Contains(numbers, value)
}

func abs(n int) int { return max(n, -n) }

func number(i int) string { return strconv.Itoa(i) }

// known looks up arguments, after some values.
func (p *program) known(values map[string]string) lookup {
	return func(name string) (string, bool) {
		if v, ok := values[name]; ok {
			return v, true
		}
		v, ok := p.args[name]
		return v, ok
	}
}

// tells reports whether a query gives the value.
func (p *program) tells(value string) bool {
	return slices.ContainsFunc(p.queries, func(m *message) bool { return m.gives[value] != "" })
}

// toWire is a percentage as the equipment counts.
func (p *program) toWire(value string, percent int) string {
	scale := p.values[value].Scale
	if len(scale) != 2 {
		return strconv.Itoa(percent)
	}
	return strconv.Itoa(scale[0] + int(math.Round(float64(scale[1]-scale[0])*float64(percent)/100)))
}

// codeOf is a code of the room file as the equipment has it: the one word that means it, or itself.
func (p *program) codeOf(value, code string) (string, error) {
	var wires []string
	for wire, means := range p.values[value].Words {
		if means == code {
			wires = append(wires, wire)
		}
	}
	switch len(wires) {
	case 0:
		return code, nil
	case 1:
		return wires[0], nil
	}
	slices.Sort(wires)
	return "", fmt.Errorf("the words %s all mean %s, and one of them is to be sent", strings.Join(wires, ", "), code)
}

// garbled is a value that makes no sense.
func garbled(value string, c captured, why string) error {
	return fmt.Errorf("%w: %s %q: %s", line.ErrGarbled, value, clip(c.text), why)
}

// wordOf is what a word of the equipment means. A word that is not in the table is an error: nothing is
// guessed.
func (p *program) wordOf(value string, c captured) (string, error) {
	if means, ok := p.values[value].Words[p.plain(value, c)]; ok {
		return means, nil
	}
	return "", garbled(value, c, "no word in the table of values; add what it means")
}

// textOf is a code of the equipment as the room file has it; "" where the table says that it is none.
func (p *program) textOf(value string, c captured) string {
	text := p.plain(value, c)
	if means, ok := p.values[value].Words[text]; ok {
		text = means
	}
	if text == none {
		return ""
	}
	return text
}

// plain is a text with a number in it as the number, where the value has a base.
func (p *program) plain(value string, c captured) string {
	base := p.values[value].Base
	if base == 0 {
		return c.text
	}
	n, err := strconv.ParseInt(strings.TrimSpace(c.text), base, 32)
	if err != nil {
		return c.text
	}
	return strconv.FormatInt(n, 10)
}

// numberOf is a number of the equipment, on our scale.
func (p *program) numberOf(value string, c captured) (float64, error) {
	v := p.values[value]
	base := v.Base
	if base == 0 && c.raw {
		base = 16
	}
	var n float64
	if base == 16 {
		whole, err := strconv.ParseInt(strings.TrimSpace(c.text), 16, 64)
		if err != nil {
			return 0, garbled(value, c, "no number in hex")
		}
		n = float64(whole)
	} else {
		var err error
		if n, err = strconv.ParseFloat(strings.TrimSpace(c.text), 64); err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return 0, garbled(value, c, "no number")
		}
	}
	digits := c.digits
	if digits == 0 && base == 16 {
		digits = len(strings.TrimSpace(c.text))
	}
	if v.Signed && digits > 0 && digits <= 12 {
		if whole := int64(1) << (4 * digits); n >= float64(whole/2) {
			n -= float64(whole)
		}
	}
	if len(v.Scale) == 2 {
		n = (n - float64(v.Scale[0])) / float64(v.Scale[1]-v.Scale[0]) * 100
	}
	return n, nil
}

// percentOf is a percentage. What rounds to one that is not 0 to 100 is not believed.
func (p *program) percentOf(value string, c captured) (int, error) {
	n, err := p.numberOf(value, c)
	if err != nil {
		return 0, err
	}
	if n = math.Round(n); n < 0 || n > 100 {
		return 0, garbled(value, c, fmt.Sprintf("%v %% is not 0 to 100; see its scale", n))
	}
	return int(n), nil
}
