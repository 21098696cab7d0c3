package configs

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// duration takes a time as Go writes it.
func (d *document) duration(n *yaml.Node, v reflect.Value, p path) {
	made, err := time.ParseDuration(n.Value)
	switch {
	case n.Kind != yaml.ScalarNode:
		d.wrong(n, p, "is "+what(n), "it takes a time, such as 500ms, 2s or 1m30s")
	case err != nil:
		d.wrong(n, p, fmt.Sprintf("is %s, which is no time", shown(n.Value)), "write a number with its unit, such as 500ms, 2s or 1m30s")
	case made < 0:
		d.wrong(n, p, "is "+made.String(), "a time cannot be negative")
	default:
		v.SetInt(int64(made))
	}
}

// scalar takes a text, a bool or a number.
func (d *document) scalar(n *yaml.Node, v reflect.Value, p path) {
	tag := n.ShortTag()
	switch v.Kind() {
	case reflect.String:
		// A number is a text as it is written: codes and ids often look like one. A bool is not: what
		// was meant is a word in quotes.
		if n.Kind != yaml.ScalarNode || tag == "!!bool" {
			d.wrong(n, p, "is "+what(n), "it takes a text")
			return
		}
		v.SetString(n.Value)
	case reflect.Bool:
		var made bool
		// Into a bool, on and off and yes and no are read as YAML 1.1 has them.
		if n.Kind != yaml.ScalarNode || n.Decode(&made) != nil {
			d.wrong(n, p, "is "+what(n), "it takes true or false")
			return
		}
		v.SetBool(made)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		var made int64
		if tag != "!!int" || n.Decode(&made) != nil || v.OverflowInt(made) {
			d.wrong(n, p, "is "+what(n), "it takes a whole number"+reach(v.Type()))
			return
		}
		v.SetInt(made)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var made uint64
		if tag != "!!int" || n.Decode(&made) != nil || v.OverflowUint(made) {
			d.wrong(n, p, "is "+what(n), "it takes a whole number"+reach(v.Type()))
			return
		}
		v.SetUint(made)
	case reflect.Float32, reflect.Float64:
		var made float64
		if tag != "!!int" && tag != "!!float" || n.Decode(&made) != nil || math.IsNaN(made) || math.IsInf(made, 0) {
			d.wrong(n, p, "is "+what(n), "it takes a number")
			return
		}
		v.SetFloat(made)
	default:
		d.wrong(n, p, "cannot be read: the program has no rule for "+v.Type().String(), "this is a fault of the program; please report it")
	}
}

// reach says which whole numbers a small type takes.
func reach(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Uint8:
		return " from 0 to 255"
	case reflect.Uint16:
		return " from 0 to 65535"
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		return " from 0"
	}
	return ""
}

// what says what a value is where it should be something else.
func what(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the truth value " + n.Value
	}
	return "the text " + shown(n.Value)
}

// shown quotes a text from the file, cut where it is long.
func shown(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return strconv.Quote(s)
}
