package configs

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field is a field of a struct as the file knows it.
type field struct {
	name string
	reflect.StructField
}

// fields lists the fields of a struct that a file can have, those of embedded structs among them.
func fields(t reflect.Type) []field {
	var list []field
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "-" && name != "" && f.IsExported() {
			list = append(list, field{name, f})
		}
	}
	return list
}

// words returns the words of a tag that is a list.
func (f field) words(tag string) []string {
	if t := f.Tag.Get(tag); t != "" {
		return strings.Split(t, ",")
	}
	return nil
}

// belongs reports whether a thing of the kind may have the field.
func (f field) belongs(kind string) bool {
	kinds := f.words("kinds")
	return kinds == nil || slices.Contains(kinds, kind)
}

// needed reports whether a thing of the kind must have the field; kind is "" where things have none.
func (f field) needed(kind string) bool {
	need := f.words("need")
	return slices.Contains(need, "*") || slices.Contains(need, kind)
}

// few is how many kinds are worth listing to a person.
const few = 6

// tags checks everything that the tags of the types say: keys that must be there, keys that belong
// to another kind, words and bounds.
func (c *checker) tags(v reflect.Value, p path) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.tags(v.Elem(), p)
		}
	case reflect.Slice:
		for i := range v.Len() {
			c.tags(v.Index(i), p.at(i))
		}
	case reflect.Struct:
		if c.bad(p) {
			return
		}
		list := fields(v.Type())
		kind, known := "", true
		for _, f := range list {
			if f.name == "kind" {
				kind = v.FieldByIndex(f.Index).String()
				known = slices.Contains(f.words("enum"), kind)
			}
		}
		for _, f := range list {
			c.field(f, v.FieldByIndex(f.Index), p, kind, known)
		}
	}
}

// field checks what the tags say of one field.
func (c *checker) field(f field, v reflect.Value, p path, kind string, known bool) {
	here := p.key(f.name)
	if missing := !c.has(here) || v.Kind() == reflect.Pointer && v.IsNil() && !c.bad(here); missing {
		if f.needed(kind) {
			c.fault(c.value(p), fmt.Sprintf("%s has no %q", c.describe(p), f.name), "add it: "+f.Tag.Get("doc"))
		}
		return
	}
	if known && !f.belongs(kind) {
		thing, right := kind, "it is for "+either(f.words("kinds"))
		if list, _ := p.up(); list == "/lines" {
			thing += " line"
		}
		if len(f.words("kinds")) > few {
			right = "leave it out"
		}
		c.fault(c.keyAt(here), fmt.Sprintf("key %q in %s does not belong to %s", f.name, c.describe(p), a(thing)), right)
		c.spoil(here)
	}
	if c.bad(here) {
		return
	}
	if enum := f.words("enum"); enum != nil && !slices.Contains(enum, v.String()) {
		c.fault(c.value(here), fmt.Sprintf("%q in %s cannot be %s", f.name, c.describe(p), shown(v.String())), instead(v.String(), enum, "it is"))
		return
	}
	c.bounds(f, v, here)
	c.tags(v, here)
}

// bounds checks the least and the most that a number or a time may be.
func (c *checker) bounds(f field, v reflect.Value, p path) {
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	least, most := f.Tag.Get("least"), f.Tag.Get("most")
	if !v.CanInt() || least == "" && most == "" {
		return
	}
	if least != "" && v.Int() < number(least) || most != "" && v.Int() > number(most) {
		parent, name := p.up()
		is := strconv.FormatInt(v.Int(), 10)
		if v.Type() == durationType {
			is = short(time.Duration(v.Int()))
		}
		right := "it is " + least + " to " + most
		switch {
		case most == "":
			right = "it is at least " + least
		case least == "":
			right = "it is at most " + most
		}
		c.fault(c.value(p), fmt.Sprintf("%q in %s is %s", name, c.describe(parent), is), right)
		c.spoil(p)
	}
}

// number reads a number or a time from a tag.
func number(tag string) int64 {
	if d, err := time.ParseDuration(tag); err == nil {
		return int64(d)
	}
	n, _ := strconv.ParseInt(tag, 10, 64) // a test reads all tags
	return n
}

// short writes a time without the zeros that Go puts after it: 3m rather than 3m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// fill puts the default of its tag into every field that the file leaves out.
func (d *document) fill(v reflect.Value, p path) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			d.fill(v.Elem(), p)
		}
	case reflect.Slice:
		for i := range v.Len() {
			d.fill(v.Index(i), p.at(i))
		}
	case reflect.Struct:
		kind := ""
		if f := v.FieldByName("Kind"); f.IsValid() {
			kind = f.String()
		}
		for _, f := range fields(v.Type()) {
			inner, tag := v.FieldByIndex(f.Index), f.Tag.Get("default")
			switch {
			case tag == "" || d.has(p.key(f.name)) || !f.belongs(kind):
				d.fill(inner, p.key(f.name))
			case inner.Kind() == reflect.String:
				inner.SetString(tag)
			case inner.CanInt():
				inner.SetInt(number(tag))
			}
		}
	}
}
