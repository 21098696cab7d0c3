package configs

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// files that tags describe.
var (
	roomRoot     = reflect.TypeFor[Room]()
	buildingRoot = reflect.TypeFor[Building]()
)

// allTypes lists the structs of a room file, or of a building's.
func allTypes(root reflect.Type) []reflect.Type {
	var list []reflect.Type
	var visit func(t reflect.Type)
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || slices.Contains(list, t) {
			return
		}
		list = append(list, t)
		for _, f := range fields(t) {
			visit(f.Type)
		}
	}
	visit(root)
	return list
}

func TestTagsCanBeRead(t *testing.T) {
	for _, typ := range append(allTypes(roomRoot), allTypes(buildingRoot)...) {
		var kinds []string
		for _, f := range fields(typ) {
			if f.name == "kind" {
				kinds = f.words("enum")
			}
			if f.Tag.Get("doc") == "" {
				t.Errorf("%s.%s has no doc", typ.Name(), f.Name)
			}
			if f.Tag.Get("yaml") == "" {
				t.Errorf("%s.%s has no yaml key", typ.Name(), f.Name)
			}
			for _, tag := range []string{"least", "most", "default"} {
				value := f.Tag.Get(tag)
				if value == "" || f.Type.Kind() == reflect.String {
					continue
				}
				_, err := strconv.Atoi(value)
				switch {
				case f.Type == durationType:
					_, err = time.ParseDuration(value)
				case f.Type == reflect.TypeFor[*bool]():
					_, err = strconv.ParseBool(value)
				}
				if err != nil {
					t.Errorf("%s.%s: %s %q cannot be read", typ.Name(), f.Name, tag, value)
				}
			}
			if value := f.Tag.Get("default"); f.words("enum") != nil && value != "" && !slices.Contains(f.words("enum"), value) {
				t.Errorf("%s.%s: the default %q is none of its words", typ.Name(), f.Name, value)
			}
		}
		for _, f := range fields(typ) {
			for _, kind := range append(f.words("kinds"), f.words("need")...) {
				if kind != "*" && !slices.Contains(kinds, kind) {
					t.Errorf("%s.%s: there is no kind %q", typ.Name(), f.Name, kind)
				}
			}
			for _, kind := range f.words("need") {
				if kind != "*" && !f.belongs(kind) {
					t.Errorf("%s.%s: a %s needs it and may not have it", typ.Name(), f.Name, kind)
				}
			}
		}
	}
}

// TestReadmeHasTheTableOfKeys keeps the page that people read up with the types.
func TestReadmeHasTheTableOfKeys(t *testing.T) {
	const begin, end = "<!-- keys: written by go test ./configs -update -->\n", "<!-- end of keys -->\n"
	for file, root := range map[string]reflect.Type{"README.md": roomRoot, "building/README.md": buildingRoot} {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		before, rest, ok := strings.Cut(string(page), begin)
		_, after, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("%s has lost the place of the table", file)
		}
		compare(t, file, before+begin+table(root)+end+after)
	}
}

// table writes the keys of all types as Markdown.
func table(root reflect.Type) string {
	var b strings.Builder
	for _, typ := range allTypes(root) {
		fmt.Fprintf(&b, "\n### %s\n\n| key | for | means | left out |\n| --- | --- | --- | --- |\n", heading(root, typ))
		for _, f := range fields(typ) {
			means := f.Tag.Get("doc")
			if words := f.words("enum"); words != nil {
				means = either(words) + ": " + means
			}
			switch least, most := f.Tag.Get("least"), f.Tag.Get("most"); {
			case least != "" && most != "":
				means += " (" + least + " to " + most + ")"
			case most != "":
				means += " (at most " + most + ")"
			}
			kinds := strings.Join(f.words("kinds"), ", ")
			if len(f.words("kinds")) > few {
				kinds = "all but camera"
			}
			out := f.Tag.Get("default")
			switch need := f.words("need"); {
			case f.needed(""):
				out = "a fault"
			case len(need) > few || slices.Equal(need, f.words("kinds")) && need != nil:
				out = "a fault"
			case need != nil:
				out = "a fault for " + either(need)
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.name, kinds, means, out)
		}
	}
	b.WriteString("\n")
	return b.String()
}

// heading names a type by the keys under which it stands.
func heading(root, t reflect.Type) string {
	if t == root {
		return "The file"
	}
	var keys []string
	for _, typ := range allTypes(root) {
		for _, f := range fields(typ) {
			inner, list := f.Type, f.Type.Kind() == reflect.Slice
			for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if key := "`" + f.name + "`"; inner == t && !slices.Contains(keys, key) {
				if list {
					key = "each of `" + f.name + "`"
				}
				if !slices.Contains(keys, key) {
					keys = append(keys, key)
				}
			}
		}
	}
	return strings.Join(keys, ", ")
}

func TestNearestForgivesASlipAndNoMore(t *testing.T) {
	words := []string{"levels", "level", "travel", "driver", "id", "modbus-coil"}
	for wrong, want := range map[string]string{
		"levls": "levels", "LEVELS": "levels", "dirver": "driver", "drivr": "driver", "modbus-coli": "modbus-coil", "modbuscoil": "modbus-coil",
		"colour": "", "x": "", "": "", "ids": "id", "transport": "", strings.Repeat("driver", 100): "",
	} {
		if got := nearest(wrong, words); got != want {
			t.Errorf("%q: did you mean %q? want %q", wrong, got, want)
		}
	}
}
