package configs

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// The walk from the tree to the types is our own because those of the libraries do not serve: the
// strict mode of go.yaml.in/yaml tells lines but no columns and nothing of keys that stand where
// they do not belong, and goccy/go-yaml stops at the first thing it does not know. Here every value
// is visited, every fault is kept with its place, and the place of everything is remembered for the
// checks that come after.

var (
	durationType = reflect.TypeFor[time.Duration]()
	wordsType    = reflect.TypeFor[Words]()
	posType      = reflect.TypeFor[Pos]()
	tlsType      = reflect.TypeFor[TLS]()
	anyType      = reflect.TypeFor[any]()
)

// pair is a key of a mapping with its value.
type pair struct{ key, value *yaml.Node }

// pairs lists what a mapping has, what it takes over with << after its own, and remembers where it
// stands. Keys that stand twice and keys that are no words are faults.
func (d *document) pairs(n *yaml.Node, p path) []pair {
	for i := 0; i+1 < len(n.Content); i += 2 { // all of them first: faults name a thing by its id, which may come last
		k, v := resolve(n.Content[i]), resolve(n.Content[i+1])
		if here := p.key(k.Value); k.Kind == yaml.ScalarNode && k.ShortTag() != "!!merge" && !d.has(here) {
			d.spots[here] = spot{key: k, value: v}
		}
	}
	var list []pair
	var merged []*yaml.Node
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := resolve(n.Content[i]), n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode:
			d.fault(pos(k), "a key in "+d.describe(p)+" is a list or mapping", "a key is a word")
		case k.ShortTag() == "!!merge":
			merged = append(merged, v)
		case lines[k.Value] != 0:
			d.fault(pos(k), fmt.Sprintf("key %q stands twice in %s, first in line %d", k.Value, d.describe(p), lines[k.Value]), "leave one out")
		default:
			lines[k.Value] = k.Line
			list = append(list, pair{k, resolve(v)})
		}
	}
	for _, m := range merged {
		list = d.merge(list, m, p)
	}
	return list
}

// merge adds what a mapping takes over from another, or from several, and does not say itself.
func (d *document) merge(list []pair, from *yaml.Node, p path) []pair {
	from = resolve(from)
	switch from.Kind {
	case yaml.MappingNode:
		for _, other := range d.pairs(from, p) {
			if !slices.ContainsFunc(list, func(own pair) bool { return own.key.Value == other.key.Value }) {
				list = append(list, other)
			}
		}
	case yaml.SequenceNode:
		for _, one := range from.Content {
			list = d.merge(list, one, p)
		}
	default:
		d.fault(pos(from), "<< takes over a mapping, and this is none", "write << with an alias, such as <<: *spot")
	}
	return list
}

// decode puts what stands at p into v.
func (d *document) decode(n *yaml.Node, v reflect.Value, p path) {
	n = resolve(n)
	if null := n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null"; null {
		// A list whose members are all commented out is an empty list; an empty text is a slip.
		if k := v.Kind(); k == reflect.Slice || k == reflect.Map || k == reflect.Struct || k == reflect.Pointer {
			return
		}
		d.wrong(n, p, "is empty", "give it a value or leave it out")
		return
	}
	switch {
	case v.Type() == durationType:
		d.duration(n, v, p)
	case v.Type() == wordsType:
		d.words(n, v, p)
	case v.Type() == tlsType && n.Kind == yaml.ScalarNode:
		if n.Value != "self" {
			d.wrong(n, p, "is "+what(n), "write self, or {cert: FILE, key: FILE}")
			return
		}
		v.Set(reflect.ValueOf(TLS{Self: true}))
	case v.Kind() == reflect.Struct:
		d.structure(n, v, p)
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), p)
	case v.Kind() == reflect.Slice:
		d.list(n, v, p)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, p)
	case v.Type() == anyType:
		if made := d.anything(n, p); made != nil {
			v.Set(reflect.ValueOf(made))
		}
	default:
		d.scalar(n, v, p)
	}
}

// wrong is a fault of the value at p, after which nothing more is said of it.
func (d *document) wrong(n *yaml.Node, p path, what, right string) {
	parent, last := p.up()
	name := d.describe(p)
	if _, err := strconv.Atoi(last); err != nil && last != "" {
		name = fmt.Sprintf("%q in %s", last, d.describe(parent))
	}
	d.fault(pos(n), name+" "+what, right)
	d.spoil(p)
}

func (d *document) structure(n *yaml.Node, v reflect.Value, p path) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, p, "is "+what(n), "it takes the keys "+either(takes(fields(v.Type()), nil)))
		return
	}
	if f := v.FieldByName("Pos"); f.IsValid() && f.Type() == posType {
		f.Set(reflect.ValueOf(pos(n)))
	}
	list := d.pairs(n, p)
	known := fields(v.Type())
	for _, kv := range list {
		here := p.key(kv.key.Value)
		i := slices.IndexFunc(known, func(f field) bool { return f.name == kv.key.Value })
		if i < 0 && d.inline(kv, v, here) {
			continue
		}
		if i < 0 {
			d.fault(pos(kv.key), fmt.Sprintf("unknown key %q in %s", kv.key.Value, d.describe(p)), instead(kv.key.Value, takes(known, list), "it takes"))
			d.spoil(here)
			continue
		}
		if list := known[i].Tag.Get("from"); list != "" && kv.value.Kind == yaml.ScalarNode {
			d.borrow(kv.value, v.FieldByIndex(known[i].Index), here, list)
			continue
		}
		d.decode(kv.value, v.FieldByIndex(known[i].Index), here)
	}
}

// takes lists the keys that a thing with these may have: where its kind is known, those of its kind.
func takes(known []field, list []pair) []string {
	kind := ""
	for _, f := range known {
		for _, kv := range list {
			if f.name == "kind" && kv.key.Value == "kind" && slices.Contains(f.words("enum"), kv.value.Value) {
				kind = kv.value.Value
			}
		}
	}
	var names []string
	for _, f := range known {
		if kind == "" || f.belongs(kind) {
			names = append(names, f.name)
		}
	}
	return names
}

func (d *document) list(n *yaml.Node, v reflect.Value, p path) {
	if n.Kind != yaml.SequenceNode {
		d.wrong(n, p, "is "+what(n), "it takes a list: each member after a dash, or all in [ ]")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, member := range n.Content {
		d.spots[p.at(i)] = spot{value: resolve(member)}
		d.decode(member, v.Index(i), p.at(i))
	}
}

func (d *document) mapping(n *yaml.Node, v reflect.Value, p path) {
	if n.Kind != yaml.MappingNode {
		d.wrong(n, p, "is "+what(n), "it takes keys with values")
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, kv := range d.pairs(n, p) {
		here := p.key(kv.key.Value)
		made := reflect.New(v.Type().Elem()).Elem()
		if made.Kind() == reflect.String && kv.value.Kind == yaml.ScalarNode && kv.value.ShortTag() == "!!bool" {
			made.SetString(kv.value.Value) // the value of a property: what is right for it is checked later
		} else {
			d.decode(kv.value, made, here)
		}
		v.SetMapIndex(reflect.ValueOf(kv.key.Value).Convert(v.Type().Key()), made)
	}
}

// words takes one value or a list of values.
func (d *document) words(n *yaml.Node, v reflect.Value, p path) {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		if list = n.Content; len(list) == 0 {
			d.wrong(n, p, "is empty", "it takes a value or a list of values")
			return
		}
	}
	made := make(Words, 0, len(list))
	for i, one := range list {
		if one = resolve(one); one.Kind != yaml.ScalarNode || one.ShortTag() == "!!null" {
			d.wrong(n, p, "is "+what(one), "it takes a value or a list of values")
			return
		}
		d.spots[p.at(i)] = spot{value: one}
		made = append(made, plainValue(one))
	}
	v.Set(reflect.ValueOf(made))
}

// anything keeps a value as it is written.
func (d *document) anything(n *yaml.Node, p path) any {
	switch n = resolve(n); n.Kind {
	case yaml.MappingNode:
		made := make(map[string]any)
		for _, kv := range d.pairs(n, p) {
			made[kv.key.Value] = d.anything(kv.value, p.key(kv.key.Value))
		}
		return made
	case yaml.SequenceNode:
		made := make([]any, len(n.Content))
		for i, member := range n.Content {
			d.spots[p.at(i)] = spot{value: resolve(member)}
			made[i] = d.anything(member, p.at(i))
		}
		return made
	}
	return plainValue(n)
}

// plainValue is a scalar as it is written: a bool, int, float64 or string, or nil. What YAML would
// take for a date or for binary data is a string here.
func plainValue(n *yaml.Node) any {
	switch n.ShortTag() {
	case "!!bool", "!!int", "!!float", "!!null":
		var made any
		if err := n.Decode(&made); err == nil {
			return made
		}
	}
	return n.Value
}
