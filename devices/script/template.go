package script

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// lookup gives what a placeholder stands for; false where there is nothing of the name.
type lookup func(name string) (string, bool)

// part is one part of a template: bytes, a placeholder, a checksum, or in a hex pattern any byte.
type part struct {
	literal []byte
	name    string
	form    form
	sum     *checksum
	any     bool
}

// form is how a placeholder's value is written: as it stands, as a number, or as a raw byte.
type form struct {
	verb  byte // 0 as it stands; d, x, X; b one byte; u, l in capital, small letters
	width int
	zero  bool
}

// template is a text or hex template, parsed.
type template struct {
	parts []part
	hex   bool // what is formatted is read as hex digits
}

var (
	// field is a placeholder: {name}, {name:02X}, {sum8@2-5:02X}. A placeholder begins with a small
	// letter, so that \d{2} and \x{FF} in a pattern are none.
	field    = regexp.MustCompile(`\{([a-z][a-z0-9_]*)(?:@([0-9]{1,3})(?:-([0-9]{1,3}))?)?(?::([^{}]*))?\}`)
	formText = regexp.MustCompile(`^(0?)([0-9]{0,2})([dxX])$`)
	hexText  = regexp.MustCompile(`^([0-9A-Fa-f]{2})+$`)
)

// placeholder reads a placeholder that field has matched.
func placeholder(m []string) (part, error) {
	name, from, to, format := m[1], m[2], m[3], m[4]
	made := part{name: name}
	switch f := formText.FindStringSubmatch(format); {
	case format == "":
	case format == "byte", format == "upper", format == "lower":
		made.form.verb = format[0]
	case f != nil:
		width, _ := strconv.Atoi(f[2])
		made.form = form{verb: f[3][0], width: width, zero: f[1] != ""}
		if width > 16 {
			return part{}, fmt.Errorf("%s: a number has at most 16 digits", m[0])
		}
	default:
		return part{}, fmt.Errorf("%s: %q is no format; it is as 02d, 02X, 02x, byte, upper or lower", m[0], format)
	}
	sum, isSum := sums[name]
	switch {
	case isSum:
		made.sum = &checksum{name: name, of: sum, from: 1}
		if from != "" {
			made.sum.from, _ = strconv.Atoi(from)
		}
		if to != "" {
			made.sum.to, _ = strconv.Atoi(to)
		}
		if made.sum.from < 1 || made.sum.to != 0 && made.sum.to < made.sum.from {
			return part{}, fmt.Errorf("%s: bytes are counted from 1, the first one first", m[0])
		}
	case from != "":
		return part{}, fmt.Errorf("%s: only checksums have a span; there are %s", m[0], sumNames())
	}
	return made, nil
}

// parseText reads a text template.
func parseText(text string) (template, error) {
	if len(text) > textMost {
		return template{}, fmt.Errorf("it has %d bytes; %d is the most", len(text), textMost)
	}
	var t template
	for len(text) > 0 {
		switch {
		case text[0] == '\\':
			b, n, err := escape(text)
			if err != nil {
				return template{}, err
			}
			t.add(b)
			text = text[n:]
		case text[0] == '{':
			at := field.FindStringSubmatchIndex(text)
			if at == nil || at[0] != 0 {
				return template{}, fmt.Errorf(`%q begins no placeholder; write {name} or {name:02d}, and \{ for a brace`, clip(text))
			}
			p, err := placeholder(field.FindStringSubmatch(text))
			if err != nil {
				return template{}, err
			}
			t.parts = append(t.parts, p)
			text = text[at[1]:]
		default:
			r, n := runeOf(text)
			if r > 0xFF {
				return template{}, fmt.Errorf("%q is no single byte; write it in hex", string(r))
			}
			t.add(byte(r))
			text = text[n:]
		}
	}
	return t, nil
}

// runeOf is the first character of a text. What is no UTF-8 is a byte.
func runeOf(text string) (r rune, n int) {
	if r, n = utf8.DecodeRuneInString(text); r == utf8.RuneError && n == 1 {
		r = rune(text[0])
	}
	return r, n
}

func (t *template) add(b byte) {
	if n := len(t.parts); n > 0 && t.parts[n-1].literal != nil {
		t.parts[n-1].literal = append(t.parts[n-1].literal, b)
		return
	}
	t.parts = append(t.parts, part{literal: []byte{b}})
}

// escape reads an escape at the start of a text.
func escape(text string) (b byte, n int, err error) {
	if len(text) > 1 {
		switch text[1] {
		case 'r':
			return '\r', 2, nil
		case 'n':
			return '\n', 2, nil
		case 't':
			return '\t', 2, nil
		case '\\', '{', '}':
			return text[1], 2, nil
		case 'x':
			if len(text) >= 4 {
				if v, err := strconv.ParseUint(text[2:4], 16, 8); err == nil {
					return byte(v), 4, nil
				}
			}
		}
	}
	return 0, 0, fmt.Errorf(`%q is no escape; there are \r \n \t \xNN \\ \{ and \}`, clip(text))
}

// parseHex reads a hex template, or with wild a hex pattern, which may have ?? in it.
func parseHex(text string, wild bool) (template, error) {
	if len(text) > textMost {
		return template{}, fmt.Errorf("it has %d bytes; %d is the most", len(text), textMost)
	}
	t := template{hex: true}
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		switch {
		case text[0] == '{':
			at := field.FindStringSubmatchIndex(text)
			if at == nil || at[0] != 0 {
				return template{}, fmt.Errorf("%q begins no placeholder; write {name} or {name:02X}", clip(text))
			}
			p, err := placeholder(field.FindStringSubmatch(text))
			switch {
			case err != nil:
				return template{}, err
			case p.form.verb == 'b', p.sum != nil && p.form.verb != 0:
				return template{}, fmt.Errorf("%s: in hex it is bytes already; leave the format out", text[:at[1]])
			}
			t.parts = append(t.parts, p)
			text = text[at[1]:]
		case wild && strings.HasPrefix(text, "??"):
			t.parts = append(t.parts, part{any: true})
			text = text[2:]
		case len(text) >= 2 && hexText.MatchString(text[:2]):
			v, _ := strconv.ParseUint(text[:2], 16, 8)
			t.add(byte(v))
			text = text[2:]
		default:
			return template{}, fmt.Errorf("%q is no byte in hex; write two digits each, such as A5 5B", clip(text))
		}
	}
	return t, nil
}

// write makes a value's text in the form.
func (f form) write(value string) (string, error) {
	switch f.verb {
	case 0:
		return value, nil
	case 'u':
		return strings.ToUpper(value), nil
	case 'l':
		return strings.ToLower(value), nil
	}
	n, err := whole(value)
	if err != nil {
		return "", err
	}
	if f.verb == 'b' {
		if n < 0 || n > 0xFF {
			return "", fmt.Errorf("%d is no byte", n)
		}
		return string([]byte{byte(n)}), nil
	}
	text := ""
	switch {
	case f.verb == 'd':
		text = strconv.FormatInt(n, 10)
	case n < 0 && (f.width == 0 || f.width > 8 || -n > 1<<(4*f.width-1)):
		return "", fmt.Errorf("%d does not fit into %d hex digits", n, f.width)
	case n < 0:
		text = strconv.FormatInt(n+1<<(4*f.width), 16)
	default:
		text = strconv.FormatInt(n, 16)
	}
	if f.verb == 'X' {
		text = strings.ToUpper(text)
	}
	if f.width > 0 && len(text) > f.width && f.verb != 'd' {
		return "", fmt.Errorf("%d does not fit into %d hex digits", n, f.width)
	}
	fill := " "
	if f.zero {
		fill = "0"
	}
	if lack := f.width - len(text); lack > 0 {
		if f.zero && strings.HasPrefix(text, "-") {
			return "-" + strings.Repeat("0", lack) + text[1:], nil
		}
		text = strings.Repeat(fill, lack) + text
	}
	return text, nil
}

// whole reads a whole number, decimal or 0x.
func whole(text string) (int64, error) {
	text = strings.TrimSpace(text)
	base := 10
	if rest, ok := strings.CutPrefix(text, "0x"); ok {
		text, base = rest, 16
	}
	n, err := strconv.ParseInt(text, base, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number", clip(text))
	}
	return n, nil
}

// bytes makes the bytes of a placeholder.
func (p part) bytes(t template, value string) ([]byte, error) {
	text, err := p.form.write(value)
	if err != nil {
		return nil, fmt.Errorf("{%s}: %w", p.name, err)
	}
	if !t.hex {
		return []byte(text), nil
	}
	if !hexText.MatchString(text) {
		return nil, fmt.Errorf("{%s}: %q is no bytes in hex; a number needs a format, such as {%s:02X}", p.name, clip(text), p.name)
	}
	return hex.DecodeString(text) //nolint:wrapcheck // it matched
}

// render makes the bytes of a template.
func (t template) render(of lookup) ([]byte, error) {
	var out []byte
	for _, p := range t.parts {
		switch {
		case p.sum != nil:
			b, err := p.sum.bytes(out, p.form)
			if err != nil {
				return nil, err
			}
			out = append(out, b...)
		case p.name != "":
			value, ok := of(p.name)
			if !ok {
				return nil, &unknown{p.name}
			}
			b, err := p.bytes(t, value)
			if err != nil {
				return nil, err
			}
			out = append(out, b...)
		default:
			out = append(out, p.literal...)
		}
		if len(out) > textMost {
			return nil, fmt.Errorf("what is sent has more than %d bytes", textMost)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("it sends nothing")
	}
	return out, nil
}

// unknown is a placeholder that stands for nothing.
type unknown struct{ name string }

func (u *unknown) Error() string { return fmt.Sprintf("{%s} stands for nothing here", u.name) }

// names lists the placeholders of a template that are no checksums.
func (t template) names() []string {
	var names []string
	for _, p := range t.parts {
		if p.name != "" && p.sum == nil {
			names = append(names, p.name)
		}
	}
	return names
}

// clip shortens a text for an error.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
