package mqtt

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// jinja evaluates the small part of Home Assistant's template language that the discovery payload uses, so
// that a test can see what Home Assistant would: literals, lists, value, an index, a slice, .index(), the
// filters int and replace, ==, in, and if-else.
func jinja(template, value string) (out string, err error) {
	inner, ok := strings.CutPrefix(template, "{{ ")
	inner, ends := strings.CutSuffix(inner, " }}")
	if !ok || !ends || strings.Contains(inner, "{{") || strings.Contains(inner, "}}") {
		return "", fmt.Errorf("%s is not one expression", template)
	}
	e := &expression{value: value}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s with %q: %v", template, value, r)
		}
	}()
	for rest := inner; strings.TrimSpace(rest) != ""; {
		m := jinjaToken.FindString(rest)
		if m == "" {
			return "", fmt.Errorf("%s: what is %q", template, rest)
		}
		rest = rest[len(m):]
		e.tokens = append(e.tokens, strings.TrimSpace(m))
	}
	result := e.choice()
	if len(e.tokens) > 0 {
		return "", fmt.Errorf("%s: what is %q", template, e.tokens)
	}
	return fmt.Sprint(result), nil
}

var jinjaToken = regexp.MustCompile(`^\s*('(?:[^'\\]|\\.)*'|[a-z_]+|[0-9]+|==|[\[\](),|.:])`)

type expression struct {
	value  string
	tokens []string
}

func (e *expression) peek() string {
	if len(e.tokens) == 0 {
		return ""
	}
	return e.tokens[0]
}

func (e *expression) next() string {
	t := e.peek()
	e.tokens = e.tokens[min(1, len(e.tokens)):]
	return t
}

func (e *expression) want(t string) {
	if got := e.next(); got != t {
		panic(fmt.Sprintf("%q where %q should be", got, t))
	}
}

// choice is: filtered, or a if b else c. Like Home Assistant it works out only the branch that is taken.
func (e *expression) choice() any {
	branch := e.tokens
	if depth, i := 0, 0; true { // find the if of this choice, and look at its condition first
		for i = range branch {
			switch branch[i] {
			case "[", "(":
				depth++
			case "]", ")":
				depth--
			}
			if branch[i] == "if" && depth == 0 {
				taken := &expression{e.value, branch[:i]}
				e.tokens = branch[i+1:]
				holds := e.condition()
				e.want("else")
				if !holds {
					return e.choice()
				}
				e.tokens = nil
				result := taken.filtered()
				if len(taken.tokens) > 0 {
					panic(fmt.Sprint("what is ", taken.tokens))
				}
				return result
			}
		}
	}
	return e.filtered()
}

func (e *expression) condition() bool {
	left := e.filtered()
	switch op := e.next(); op {
	case "==":
		return left == e.filtered()
	case "in":
		return slices.Contains(e.filtered().([]any), left)
	default:
		panic("no condition: " + op)
	}
}

func (e *expression) filtered() any {
	v := e.atom()
	for {
		switch e.peek() {
		case "[":
			e.next()
			if e.peek() == ":" {
				e.next()
				n := e.filtered().(int)
				runes := []rune(v.(string))
				v = string(runes[:min(n, len(runes))])
			} else {
				v = v.([]any)[e.filtered().(int)]
			}
			e.want("]")
		case ".":
			e.next()
			e.want("index")
			e.want("(")
			v = slices.Index(v.([]any), e.filtered())
			if v == -1 {
				panic("not in the list")
			}
			e.want(")")
		case "|":
			e.next()
			switch filter := e.next(); filter {
			case "int":
				n, err := strconv.Atoi(v.(string))
				if err != nil {
					panic(err)
				}
				v = n
			case "replace":
				e.want("(")
				old := e.filtered().(string)
				e.want(",")
				v = strings.ReplaceAll(v.(string), old, e.filtered().(string))
				e.want(")")
			default:
				panic("no filter " + filter)
			}
		default:
			return v
		}
	}
}

func (e *expression) atom() any {
	switch t := e.next(); {
	case t == "value":
		return e.value
	case strings.HasPrefix(t, "'"):
		s, err := strconv.Unquote(`"` + strings.ReplaceAll(t[1:len(t)-1], `"`, `\"`) + `"`)
		if err != nil {
			panic(err)
		}
		return s
	case t == "[":
		list := []any{}
		for e.peek() != "]" {
			list = append(list, e.filtered())
			if e.peek() == "," {
				e.next()
			}
		}
		e.next()
		return list
	default:
		n, err := strconv.Atoi(t)
		if err != nil {
			panic(err)
		}
		return n
	}
}

func TestTheTemplateLanguage(t *testing.T) {
	for _, test := range [][3]string{
		{"{{ 'a' if value == 'x' else 'b' }}", "x", "a"},
		{"{{ 'a' if value in ['x','y'] else 'b' if value in ['z'] else 'None' }}", "z", "b"},
		{"{{ 'a' if value in ['x','y'] else 'b' if value in ['z'] else 'None' }}", "?", "None"},
		{"{{ ['off','low'][value | int] }}", "1", "low"},
		{"{{ ['off','low'].index(value) if value in ['off','low'] else 0 }}", "low", "1"},
		{"{{ ['off','low'].index(value) if value in ['off','low'] else 0 }}", "", "0"},
		{`{{ value[:3] | replace('\x00', '') }}`, "\x00abcd", "ab"},
	} {
		if got, err := jinja(test[0], test[1]); err != nil || got != test[2] {
			t.Errorf("%s with %q is %q, %v; want %q", test[0], test[1], got, err, test[2])
		}
	}
	for _, bad := range []string{"value", "{{ value }", "{{ 'a }}", "{{ value | nothing }}", "{{ [1,2][value | int] }}", "{{ value if }}", "{{ value 'a' }}"} {
		if got, err := jinja(bad, "9"); err == nil {
			t.Errorf("%s gives %q", bad, got)
		}
	}
}
