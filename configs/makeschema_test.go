package configs

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/invopop/jsonschema"
)

const (
	durationPattern = `^(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*)$`
	propertyPattern = `^[a-z0-9-]{1,32}\.[a-z0-9-]+$`
)

// MakeSchema makes the JSON schema (draft 2020-12) of the room file, from the types that are loaded and the settings of
// the drivers in the catalogue. It is made here, in the tests, as the library that does it and what comes with it have no
// other use in the program: schema.go carries what was made.
func MakeSchema(cat Catalogue) ([]byte, error) {
	r := reflector()
	r.ExpandedStruct = true
	root := r.Reflect(&Room{})
	root.Title = "Lectern room file"
	s := &schema{root: root}
	s.apply(reflect.TypeFor[Room](), root)
	s.choices()
	s.drivers(cat)
	return written(root)
}

// MakeBuildingSchema makes that of the building file.
func MakeBuildingSchema() ([]byte, error) {
	r := reflector()
	r.ExpandedStruct = true
	root := r.Reflect(&Building{})
	root.Title = "Lectern building file"
	s := &schema{root: root}
	s.apply(reflect.TypeFor[Building](), root)
	return written(root)
}

func written(root *jsonschema.Schema) ([]byte, error) {
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing a schema: %w", err)
	}
	return append(b, '\n'), nil
}

// reflector makes schemas as the loader reads: keys by their yaml tags, nothing beside them, what a
// key means from its doc tag.
func reflector() *jsonschema.Reflector {
	return &jsonschema.Reflector{
		Anonymous: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true,
		LookupComment: func(t reflect.Type, name string) string {
			if t.Kind() != reflect.Struct || name == "" {
				return ""
			}
			f, _ := t.FieldByName(name)
			return f.Tag.Get("doc")
		},
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch {
			case t == durationType:
				return &jsonschema.Schema{Type: "string", Pattern: durationPattern}
			case t == wordsType:
				return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{scalarSchema(), {Type: "array", Items: scalarSchema(), MinItems: ptr(1)}}}
			case t.Kind() == reflect.Map && t.Elem() == anyType:
				return &jsonschema.Schema{Type: "object"}
			case t == tlsType:
				files := jsonschema.NewProperties()
				files.Set("cert", &jsonschema.Schema{Type: "string"})
				files.Set("key", &jsonschema.Schema{Type: "string"})
				return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
					{Const: "self"},
					{Type: "object", Properties: files, Required: []string{"cert", "key"}, AdditionalProperties: jsonschema.FalseSchema},
				}}
			}
			return nil
		},
	}
}

func ptr(n uint64) *uint64 { return &n }

// types is a schema of any of the types.
func types(names ...string) *jsonschema.Schema {
	return &jsonschema.Schema{Extras: map[string]any{"type": names}}
}

func scalarSchema() *jsonschema.Schema { return types("string", "number", "boolean") }

// schema is the schema while what the tags say is put into it.
type schema struct {
	root *jsonschema.Schema
	done []reflect.Type
}

// apply puts what the tags of a struct say into its schema, and goes on with what is in it.
func (s *schema) apply(t reflect.Type, def *jsonschema.Schema) {
	if slices.Contains(s.done, t) {
		return
	}
	s.done = append(s.done, t)
	kinds := []string(nil)
	for _, f := range fields(t) {
		property, _ := def.Properties.Get(f.name)
		if f.name == "kind" {
			kinds = f.words("enum")
		}
		if f.needed("") {
			def.Required = append(def.Required, f.name)
		}
		constrain(f, property)
		if f.name == "id" {
			property.Pattern = idPattern.String()
		}
		inner := f.Type
		for inner.Kind() == reflect.Slice || inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if next := s.root.Definitions[inner.Name()]; inner.Kind() == reflect.Struct && next != nil {
			s.apply(inner, next)
		}
	}
	for _, kind := range kinds {
		if then := ofKind(t, kind); then != nil {
			def.AllOf = append(def.AllOf, &jsonschema.Schema{If: is("kind", kind), Then: then})
		}
	}
}

// constrain puts the tags of one field into its schema.
func constrain(f field, s *jsonschema.Schema) {
	least, most := f.Tag.Get("least"), f.Tag.Get("most")
	switch {
	case f.Type == durationType:
		if least != "" || most != "" {
			s.Description += "; " + map[bool]string{true: "", false: "at least " + least + ", "}[least == ""] + "at most " + most
		}
	case f.Type.Kind() == reflect.Int || f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Int:
		s.Minimum, s.Maximum = json.Number(least), json.Number(most)
	case f.Type.Kind() == reflect.String:
		for _, word := range f.words("enum") {
			s.Enum = append(s.Enum, word)
		}
		if s.Enum == nil {
			s.Type, s.Extras = "", types("string", "number").Extras // a number is a text as it is written
		}
	case slices.Contains([]string{"set", "require", "wait", "when"}, f.name):
		s.PropertyNames = &jsonschema.Schema{Pattern: propertyPattern}
		s.MinProperties = ptr(1)
		if f.Type.Elem() != wordsType {
			s.AdditionalProperties = scalarSchema()
		}
	case f.name == "areas":
		s.Items = &jsonschema.Schema{Type: "string", Enum: []any{"main", "system", "staff"}}
	case f.name == "pins":
		s.PropertyNames = &jsonschema.Schema{Enum: []any{"main", "system", "staff"}}
	}
	if value := f.Tag.Get("default"); value != "" {
		s.Default = value
		if n, err := strconv.Atoi(value); err == nil && f.Type.Kind() == reflect.Int {
			s.Default = n
		}
		if f.Type.Kind() == reflect.Pointer && f.Type.Elem().Kind() == reflect.Bool {
			s.Default = value == "true"
		}
	}
}

// is is a condition: the key is there and has the value.
func is(key, value string) *jsonschema.Schema {
	properties := jsonschema.NewProperties()
	properties.Set(key, &jsonschema.Schema{Const: value})
	return &jsonschema.Schema{Properties: properties, Required: []string{key}}
}

// has is a condition: the keys are there.
func has(keys ...string) *jsonschema.Schema { return &jsonschema.Schema{Required: keys} }

// ofKind says what a thing of the kind must and must not have; nil where that is nothing.
func ofKind(t reflect.Type, kind string) *jsonschema.Schema {
	then := &jsonschema.Schema{Properties: jsonschema.NewProperties()}
	for _, f := range fields(t) {
		if !f.belongs(kind) {
			then.Properties.Set(f.name, jsonschema.FalseSchema)
		} else if f.needed(kind) && !f.needed("") {
			then.Required = append(then.Required, f.name)
		}
	}
	if then.Required == nil && then.Properties.Len() == 0 {
		return nil
	}
	return then
}

// choices adds what no tag can say: keys of which a thing has one or another.
func (s *schema) choices() {
	defs := s.root.Definitions
	defs["Step"].OneOf = []*jsonschema.Schema{has("set"), has("wait"), has("pause"), has("scene"), has("together")}
	defs["Scene"].OneOf = []*jsonschema.Schema{has("steps"), has("reverse_of")}
	defs["Panel"].AnyOf = []*jsonschema.Schema{has("pins"), has("people")}
	defs["Rule"].AnyOf = []*jsonschema.Schema{has("set"), has("run")}
	defs["Scheduled"].AnyOf = []*jsonschema.Schema{has("set"), has("run")}
	defs["Scheduled"].OneOf = []*jsonschema.Schema{has("at"), has("cron")}
	defs["AutoOff"].AnyOf = []*jsonschema.Schema{has("presence", "absent"), has("untouched")}
	motor := &jsonschema.Schema{OneOf: []*jsonschema.Schema{has("driver", "line"), has("relays", "travel")}}
	for _, kind := range []string{"curtain", "screen"} {
		defs["Device"].AllOf = append(defs["Device"].AllOf, &jsonschema.Schema{If: is("kind", kind), Then: motor})
	}
}

// drivers adds the drivers' names and, for each, the settings that go with it.
func (s *schema) drivers(cat Catalogue) {
	driven := &jsonschema.Schema{}
	var known []any
	for _, name := range cat.Names() {
		d, ok := cat.Driver(name)
		if !ok {
			continue
		}
		known = append(known, name)
		with := jsonschema.FalseSchema
		if d.Settings != nil {
			s.root.Definitions["with-"+name] = s.settings(d.Settings())
			with = &jsonschema.Schema{Ref: "#/$defs/with-" + name}
		}
		then := &jsonschema.Schema{Properties: jsonschema.NewProperties()}
		then.Properties.Set("with", with)
		driven.AllOf = append(driven.AllOf, &jsonschema.Schema{If: is("driver", name), Then: then})
	}
	s.root.Definitions["Driven"] = driven
	for _, name := range []string{"Device", "Relay"} {
		def := s.root.Definitions[name]
		def.AllOf = append(def.AllOf, &jsonschema.Schema{Ref: "#/$defs/Driven"})
		driver, _ := def.Properties.Get("driver")
		driver.Type, driver.Extras, driver.Enum = "string", nil, known
	}
}

// settings makes the schema of a driver's settings. Each stands for itself, as the types of different
// drivers may have the same name.
func (s *schema) settings(settings any) *jsonschema.Schema {
	r := reflector()
	r.DoNotReference = true
	made := r.Reflect(settings)
	made.Version = ""
	t := reflect.TypeOf(settings).Elem()
	for _, f := range fields(t) {
		property, ok := made.Properties.Get(f.name)
		if !ok {
			continue
		}
		if list := f.Tag.Get("from"); list != "" {
			made.Properties.Set(f.name, s.lent(list, property))
			continue
		}
		constrain(f, property)
	}
	if slices.ContainsFunc(reflect.VisibleFields(t), isInline) {
		made.AdditionalProperties = types("string", "number")
	}
	return made
}

// lent is the schema of a setting that names a thing in a list of the file, or is such a thing; the
// members of the list become what the setting is.
func (s *schema) lent(list string, thing *jsonschema.Schema) *jsonschema.Schema {
	loosen(thing)
	about := thing.Description
	thing.Description = ""
	items, _ := s.root.Properties.Get(list)
	if id, ok := s.root.Definitions["Protocol"].Properties.Get("id"); ok && items != nil {
		thing.Properties.Set("id", id)
		thing.Required = []string{"id"}
		items.Items = thing
		delete(s.root.Definitions, "Protocol")
	}
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{types("string", "number"), thing}, Description: about}
}

// loosen lets a number stand for a text everywhere in a schema, as the loader does.
func loosen(one *jsonschema.Schema) {
	if one == nil {
		return
	}
	if one.Type == "string" && one.Enum == nil && one.Pattern == "" {
		one.Type, one.Extras = "", types("string", "number").Extras
	}
	for pair := one.Properties.Oldest(); pair != nil; pair = pair.Next() {
		loosen(pair.Value)
	}
	loosen(one.Items)
	loosen(one.AdditionalProperties)
}
