package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	sizeMost  = 1 << 20 // bytes; the largest room anyone has written has a fiftieth of that
	depthMost = 32
	// valuesMost bounds what aliases expand to: nine lists that each name the one before nine times
	// are some hundred bytes and a thousand million values. The demo room has two thousand.
	valuesMost = 100_000
)

// path names a place in the tree: the keys and indices that lead to it, each after a slash.
type path string

func (p path) key(name string) path { return p + "/" + path(name) }
func (p path) at(i int) path        { return p + "/" + path(strconv.Itoa(i)) }

// up returns the place that this one is in, and the key or index of it there.
func (p path) up() (parent path, last string) {
	i := strings.LastIndexByte(string(p), '/')
	if i < 0 {
		return "", ""
	}
	return p[:i], string(p[i+1:])
}

// spot is what stands at a place.
type spot struct {
	key   *yaml.Node // nil in a list
	value *yaml.Node // never an alias
	bad   bool       // of a wrong type: a fault says so, nothing more is to be said of it
}

// document is a room file while it is read: where everything stands, and what is wrong so far.
type document struct {
	file   string
	text   []byte
	folder string // that relative paths start from
	env    func(string) (string, bool)
	spots  map[path]spot
	faults Faults
	warned Faults
	lent   map[path]reflect.Value // what was decoded of things that others name, see borrow
	lender map[path]path          // where a thing stands that is named here
	noun   string                 // what the file is for people
}

func newDocument(name string, data []byte, env func(string) (string, bool)) *document {
	return &document{
		file: name, text: data, folder: filepath.Dir(name), env: env, noun: "the room file",
		spots: make(map[path]spot), lent: make(map[path]reflect.Value), lender: make(map[path]path),
	}
}

func (d *document) fault(at Pos, what, right string) {
	d.faults = append(d.faults, Fault{File: d.file, Line: max(1, at.Line), Column: max(1, at.Column), What: what, Right: right})
}

func (d *document) warn(at Pos, what, right string) {
	d.warned = append(d.warned, Fault{File: d.file, Line: max(1, at.Line), Column: max(1, at.Column), What: what, Right: right})
}

// has reports whether the file has something at the place, right or wrong.
func (d *document) has(p path) bool { _, ok := d.spots[p]; return ok }

// bad reports whether what stands at the place is already known to be wrong.
func (d *document) bad(p path) bool { return d.spots[p].bad }

func (d *document) spoil(p path) {
	s := d.spots[p]
	s.bad = true
	d.spots[p] = s
}

// value returns where the value at the place stands; where there is none, the thing it would be in.
func (d *document) value(p path) Pos {
	for {
		if s, ok := d.spots[p]; ok {
			return pos(s.value)
		}
		if p == "" {
			return Pos{}
		}
		p, _ = p.up()
	}
}

// keyAt returns where the key of the place stands; the value where it has no key.
func (d *document) keyAt(p path) Pos {
	if s, ok := d.spots[p]; ok && s.key != nil {
		return pos(s.key)
	}
	return d.value(p)
}

func pos(n *yaml.Node) Pos { return Pos{Line: n.Line, Column: n.Column} }

// resolve returns what an alias stands for. Bounded has made sure that aliases end.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// describe names a place for people: level "low" of device "spot-1".
func (d *document) describe(p path) string {
	var parts []string
	for p != "" {
		parent, last := p.up()
		if i, err := strconv.Atoi(last); err == nil {
			var list string
			parent, list = parent.up()
			parts = append(parts, d.member(p, list, i))
		} else {
			parts = append(parts, last)
		}
		p = parent
	}
	if len(parts) == 0 {
		return d.noun
	}
	return strings.Join(parts, " of ")
}

// member names one of a list, by its id where it has one.
func (d *document) member(p path, list string, i int) string {
	noun := strings.TrimSuffix(list, "s")
	switch list {
	case "together":
		noun = "part"
	case "people":
		noun = "person"
	case "undo":
		noun = "undo step"
	}
	for _, key := range []string{"id", "name"} {
		if s, ok := d.spots[p.key(key)]; ok && s.value.Kind == yaml.ScalarNode && s.value.Value != "" {
			return fmt.Sprintf("%s %q", noun, s.value.Value)
		}
	}
	return fmt.Sprintf("%s %d", noun, i+1)
}

// parse makes the tree of a file, or says what keeps it from being one.
func (d *document) parse(data []byte) *yaml.Node {
	if len(data) > sizeMost {
		d.fault(Pos{}, fmt.Sprintf("the file is %d bytes long", len(data)), "a room file has at most 1 MiB")
		return nil
	}
	if i := invalid(data); i >= 0 {
		d.fault(place(data, i), "this is not UTF-8", "save the file as UTF-8")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var root, second yaml.Node
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF) || err == nil && len(root.Content) == 0:
		d.fault(Pos{}, "the file is empty", "start from one of the examples, such as configs/huddle.yaml")
		return nil
	case err != nil:
		d.syntax(data, err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		d.fault(pos(&second), "a second document begins", "a room file has one; remove the line ---")
		return nil
	case !errors.Is(err, io.EOF):
		d.syntax(data, err)
		return nil
	}
	left := valuesMost
	if wrong, what, right := bounded(root.Content[0], 1, &left); wrong != nil {
		d.fault(pos(wrong), what, right)
		return nil
	}
	return root.Content[0]
}

// bounded makes sure that the tree, its aliases expanded, has an end that is not far. It returns
// the first node beyond it, with what is wrong and what would be right.
func bounded(n *yaml.Node, depth int, left *int) (wrong *yaml.Node, what, right string) {
	if *left--; *left < 0 {
		return n, fmt.Sprintf("with its aliases written out the file has more than %d values", valuesMost), "write less of it as aliases"
	}
	if depth > depthMost {
		return n, fmt.Sprintf("this is nested more than %d deep", depthMost), "a room file needs no more than ten; does an alias name what it is in?"
	}
	if n.Kind == yaml.AliasNode {
		return bounded(n.Alias, depth+1, left)
	}
	for _, inner := range n.Content {
		if wrong, what, right = bounded(inner, depth+1, left); wrong != nil {
			return wrong, what, right
		}
	}
	return nil, "", ""
}

var (
	syntaxLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	lostAnchor = regexp.MustCompile(`^unknown anchor '(.+)' referenced$`)
)

// syntax turns what the parser says into a fault. The parser knows the line at best; where what is
// wrong can be found in the text, its column is given too.
func (d *document) syntax(data []byte, err error) {
	at, what := Pos{Line: 1, Column: 1}, err.Error()
	if m := syntaxLine.FindStringSubmatch(what); m != nil {
		what = m[2]
		if n, err := strconv.Atoi(m[1]); err == nil {
			at.Line = n
		}
	}
	right := ""
	switch {
	case lostAnchor.MatchString(what):
		name := lostAnchor.FindStringSubmatch(what)[1]
		if i := bytes.Index(data, []byte("*"+name)); i >= 0 {
			at = place(data, i)
		}
		what, right = fmt.Sprintf("the alias *%s stands for nothing", name), fmt.Sprintf("write &%s before the value that it means, further up", name)
	case strings.Contains(what, "cannot start any token") && tab(data) >= 0:
		at = place(data, tab(data))
		what, right = "a tab", "YAML is indented with spaces"
	case strings.Contains(what, "mapping values are not allowed"):
		right = "a text with a colon in it is put in quotes, and keys of one thing are indented alike"
	case strings.Contains(what, "did not find expected"), strings.Contains(what, "could not find expected"):
		right = "see that keys of one thing are indented alike and that brackets and quotes are closed, here and in the line before"
	}
	d.fault(at, "not YAML: "+what, right)
}

// tab returns where a line begins with a tab, or -1.
func tab(data []byte) int {
	start := 0
	for line := range bytes.Lines(data) {
		if i := len(line) - len(bytes.TrimLeft(line, " ")); i < len(line) && line[i] == '\t' {
			return start + i
		}
		start += len(line)
	}
	return -1
}

// invalid returns where the first byte that is not UTF-8 stands, or -1.
func invalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

// place turns an offset into line and column.
func place(data []byte, offset int) Pos {
	before := data[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	return Pos{Line: 1 + bytes.Count(before, []byte{'\n'}), Column: 1 + utf8.RuneCount(before[start:])}
}
