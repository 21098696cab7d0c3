package script

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// captured is what a pattern took out of a reply.
type captured struct {
	text   string
	digits int  // hex digits it stood in; 0 where it is text
	raw    bool // the text is those digits
}

// pattern is what a reply looks like: a regular expression, or bytes in hex. Placeholders in it that
// stand for something must be met; others, in hex, are captured.
type pattern struct {
	text  string // of the expression
	fixed *regexp.Regexp
	bytes template
	isHex bool
}

// matcher is a pattern with its placeholders filled in.
type matcher struct {
	form  *regexp.Regexp
	bytes []slot
}

// slot is one byte of a hex pattern, or several that are captured or a checksum.
type slot struct {
	literal []byte
	any     bool
	sum     *checksum
	name    string
	form    form
	size    int
}

// parsePattern reads the pattern of a reply; nil where there is none.
func parsePattern(text, inHex string) (*pattern, error) {
	switch {
	case text != "" && inHex != "":
		return nil, errors.New("it has reply and reply_hex; it takes one of them")
	case inHex != "":
		t, err := parseHex(inHex, true)
		if err != nil {
			return nil, err
		}
		return &pattern{bytes: t, isHex: true}, nil
	case text == "":
		return nil, nil
	case len(text) > textMost:
		return nil, fmt.Errorf("it has %d bytes; %d is the most", len(text), textMost)
	}
	p := &pattern{text: text}
	for _, m := range field.FindAllStringSubmatch(text, -1) {
		made, err := placeholder(m)
		if err != nil {
			return nil, err
		}
		if made.sum != nil {
			return nil, fmt.Errorf("%s: a checksum is checked in reply_hex only", m[0])
		}
	}
	if len(p.names()) == 0 {
		m, err := p.bind(nil)
		if err != nil {
			return nil, err
		}
		p.fixed = m.form
	}
	return p, nil
}

// names lists the placeholders of a pattern.
func (p *pattern) names() []string {
	if p.isHex {
		return p.bytes.names()
	}
	var names []string
	for _, m := range field.FindAllStringSubmatch(p.text, -1) {
		names = append(names, m[1])
	}
	return names
}

// bind fills in what is known.
func (p *pattern) bind(of lookup) (matcher, error) {
	if p.fixed != nil {
		return matcher{form: p.fixed}, nil
	}
	if p.isHex {
		return p.bindHex(of)
	}
	var wrong error
	text := field.ReplaceAllStringFunc(p.text, func(found string) string {
		made, err := placeholder(field.FindStringSubmatch(found))
		if err != nil {
			wrong = err
			return ""
		}
		value, ok := of(made.name)
		if !ok {
			wrong = &unknown{made.name}
			return ""
		}
		b, err := made.bytes(template{}, value)
		if err != nil {
			wrong = err
		}
		return regexp.QuoteMeta(latin(b))
	})
	if wrong != nil {
		return matcher{}, wrong
	}
	made, err := regexp.Compile(`(?s)\A(?:` + text + `)\z`)
	if err != nil {
		return matcher{}, fmt.Errorf("%q is no pattern: %w", clip(p.text), err)
	}
	return matcher{form: made}, nil
}

func (p *pattern) bindHex(of lookup) (matcher, error) {
	var m matcher
	for _, one := range p.bytes.parts {
		switch {
		case one.sum != nil:
			m.bytes = append(m.bytes, slot{sum: one.sum, size: one.sum.size()})
		case one.name != "":
			value, known := "", false
			if of != nil {
				value, known = of(one.name)
			}
			if known {
				b, err := one.bytes(p.bytes, value)
				if err != nil {
					return matcher{}, err
				}
				m.bytes = append(m.bytes, slot{literal: b, size: len(b)})
				continue
			}
			digits := max(one.form.width, 2)
			if digits%2 != 0 {
				return matcher{}, fmt.Errorf("{%s}: %d hex digits are no whole bytes", one.name, digits)
			}
			m.bytes = append(m.bytes, slot{name: one.name, form: one.form, size: digits / 2})
		case one.any:
			m.bytes = append(m.bytes, slot{any: true, size: 1})
		default:
			m.bytes = append(m.bytes, slot{literal: one.literal, size: len(one.literal)})
		}
	}
	if len(m.bytes) == 0 {
		return matcher{}, errors.New("it is empty")
	}
	return m, nil
}

// size is how many bytes a hex pattern has.
func (m matcher) size() int {
	n := 0
	for _, s := range m.bytes {
		n += s.size
	}
	return n
}

// match holds a whole reply against the pattern. Text is what the reply is without its end.
func (m matcher) match(frame []byte, text string) (map[string]captured, bool) {
	if m.form == nil {
		if len(frame) != m.size() {
			return nil, false
		}
		return m.matchHex(frame)
	}
	found := m.form.FindStringSubmatch(text)
	if found == nil {
		return nil, false
	}
	got := make(map[string]captured)
	for i, name := range m.form.SubexpNames() {
		if name != "" && (found[i] != "" || got[name].text == "") {
			got[name] = captured{text: found[i]}
		}
	}
	return got, true
}

// matchHex holds bytes, as many as the pattern has, against it.
func (m matcher) matchHex(b []byte) (map[string]captured, bool) {
	got := make(map[string]captured)
	at := 0
	for _, s := range m.bytes {
		here := b[at : at+s.size]
		switch {
		case s.sum != nil:
			if want, err := s.sum.bytes(b[:at], form{}); err != nil || !bytes.Equal(want, here) {
				return nil, false
			}
		case s.name != "":
			c := captured{text: strings.ToUpper(hex.EncodeToString(here)), digits: 2 * s.size, raw: s.form.verb == 0}
			if s.form.verb == 'x' || s.form.verb == 'X' {
				n, err := strconv.ParseUint(c.text, 16, 64)
				if err != nil {
					return nil, false
				}
				c.text = strconv.FormatUint(n, 10)
			}
			got[s.name] = c
		case !s.any && !bytes.Equal(s.literal, here):
			return nil, false
		}
		at += s.size
	}
	return got, true
}

// captures lists what a pattern may give, besides what is known.
func (p *pattern) captures(m matcher) []string {
	var names []string
	if m.form != nil {
		names = m.form.SubexpNames()
	}
	for _, s := range m.bytes {
		names = append(names, s.name)
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "" })
}

// latin makes a character of each byte, so that \xA5 in an expression is the byte A5.
func latin(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}
