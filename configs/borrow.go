package configs

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Two things that a struct can have beside its fields: what stands elsewhere in the file and is named
// where it is used, and keys that are free.

// borrow decodes what stands in a list at the top of the file under the id that n is. Whoever names the
// same thing has the same faults, so they are found once.
func (d *document) borrow(n *yaml.Node, v reflect.Value, p path, list string) {
	var ids []string
	at := path("")
	for i := 0; d.has(path("").key(list).at(i)); i++ {
		here := path("").key(list).at(i)
		id := d.spots[here.key("id")].value
		if id == nil {
			continue
		}
		if ids = append(ids, id.Value); id.Value == n.Value && at == "" {
			at = here
		}
	}
	if at == "" {
		_, noun := p.up()
		d.fault(pos(n), fmt.Sprintf("%s names the %s %s, which is not there", d.owned(p), noun, shown(n.Value)), lending(n.Value, ids, list))
		d.spoil(p)
		return
	}
	d.lender[p] = at
	made, known := d.lent[at]
	if !known {
		before := len(d.faults)
		made = reflect.New(v.Type()).Elem()
		d.decode(d.spots[at].value, made, at)
		if len(d.faults) > before {
			d.spoil(at)
		}
		d.lent[at] = made
	}
	if d.bad(at) || made.Type() != v.Type() {
		d.spoil(p)
		return
	}
	v.Set(made)
}

func lending(wrong string, ids []string, list string) string {
	if len(ids) == 0 {
		return fmt.Sprintf("write it under %s:, a section of the file", list)
	}
	return instead(wrong, ids, "there is")
}

// borrowed reports whether anything names the thing at the place.
func (d *document) borrowed(p path) bool {
	return slices.Contains(slices.Collect(maps.Values(d.lender)), p)
}

// inline puts a key that no field has into the struct's map for such keys; false where it has none.
func (d *document) inline(kv pair, v reflect.Value, p path) bool {
	i := slices.IndexFunc(reflect.VisibleFields(v.Type()), isInline)
	if i < 0 {
		return false
	}
	to := v.Field(i)
	if to.IsNil() {
		to.Set(reflect.MakeMap(to.Type()))
	}
	made := reflect.New(to.Type().Elem()).Elem()
	d.decode(kv.value, made, p)
	to.SetMapIndex(reflect.ValueOf(kv.key.Value), made)
	return true
}

func isInline(f reflect.StructField) bool { return f.Tag.Get("yaml") == ",inline" }
