package script

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables that tests compare with; read the difference before you commit it")

// TestReadmeHasTheTablesOfKeys keeps the page that people read up with the types.
func TestReadmeHasTheTablesOfKeys(t *testing.T) {
	const begin, end = "<!-- protocol: written by go test ./devices/script -update -->\n", "<!-- end of protocol -->\n"
	path := filepath.Join("..", "..", "configs", "README.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatal("README.md has lost the place of the tables")
	}
	want := before + begin + tables() + end + after
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(page) != want {
		t.Error("the tables in configs/README.md are not those of the types: run go test ./devices/script -update")
	}
}

// tables writes the keys of a protocol as Markdown.
func tables() string {
	var b strings.Builder
	for _, one := range []struct {
		heading string
		of      reflect.Type
	}{
		{"each of `protocols`, with driver script", reflect.TypeFor[Protocol]()},
		{"`frame`", reflect.TypeFor[Frame]()},
		{"each of `commands`", reflect.TypeFor[Message]()},
		{"each of `queries`", reflect.TypeFor[Query]()},
		{"each of `values`", reflect.TypeFor[Value]()},
		{"each of `greet`", reflect.TypeFor[Step]()},
		{"each of `errors`", reflect.TypeFor[Refused]()},
		{"each of `unasked`", reflect.TypeFor[Heard]()},
		{"`lamp`", reflect.TypeFor[Lamp]()},
		{"each of `faults`", reflect.TypeFor[Fault]()},
		{"`with`, of a scripted device", reflect.TypeFor[Settings]()},
	} {
		fmt.Fprintf(&b, "\n#### %s\n\n| key | means |\n| --- | --- |\n", one.heading)
		for i := range one.of.NumField() {
			f := one.of.Field(i)
			if key := f.Tag.Get("yaml"); key != "" && key != ",inline" {
				fmt.Fprintf(&b, "| `%s` | %s |\n", key, strings.ReplaceAll(f.Tag.Get("doc"), "|", `\|`))
			}
		}
	}
	b.WriteString("| anything else | an argument of the protocol's placeholders; `password` may be ${NAME} or file:PATH |\n\n")
	return b.String()
}

func TestEveryKeySaysWhatItMeans(t *testing.T) {
	if n := strings.Count(tables(), "|  |"); n > 0 {
		t.Errorf("%d keys have no doc", n)
	}
}
