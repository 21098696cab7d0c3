package configs

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := MakeSchema(catalogue())
	if err != nil {
		t.Fatal(err)
	}
	return compiledFrom(t, text)
}

func compiledFrom(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("room.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("room.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// asJSON reads a YAML file as an editor does that checks it against a schema.
func asJSON(t *testing.T, data []byte) any {
	t.Helper()
	var written any
	if err := yaml.Unmarshal(data, &written); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(written)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestExamplesMatchTheSchema(t *testing.T) {
	schema := compiled(t)
	names, err := fs.Glob(Examples, "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := Examples.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatLoadsMatchesTheSchema: an editor must not mark what the program takes. Only the file that
// leaves lists empty and ids as numbers is left out: it is odd to a schema, and meant to be.
func TestWhatLoadsMatchesTheSchema(t *testing.T) {
	schema := compiled(t)
	for _, name := range append(files(t, "good-[ps]*.yaml"), files(t, "warn-*.yaml")...) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatASchemaCanSeeDoesNotMatch: the rules that need no look at another place in the file are
// in the schema as well.
func TestWhatASchemaCanSeeDoesNotMatch(t *testing.T) {
	schema := compiled(t)
	for _, rule := range []string{
		"unknown-key", "unknown-setting", "wrong-type", "wrong-type-setting", "duration", "id", "missing-room", "missing-keys",
		"word", "unknown-driver", "kind-keys", "line-keys", "motor", "step", "rule", "volume",
	} {
		data, err := os.ReadFile(filepath.Join("testdata", "bad-"+rule+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(asJSON(t, data)) == nil {
			t.Errorf("bad-%s.yaml matches the schema", rule)
		}
	}
}
