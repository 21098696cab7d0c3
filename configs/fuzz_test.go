package configs

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"
)

// FuzzParse holds the loader to what it promises of any file: it ends, it returns a room or faults
// and not both, the faults stand in order at places that the file has, and it says the same of the
// same file every time.
func FuzzParse(f *testing.F) {
	examples, err := fs.Glob(Examples, "*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range examples {
		data, err := Examples.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	folder, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, entry := range folder {
		if data, err := os.ReadFile("testdata/" + entry.Name()); err == nil {
			f.Add(data)
		}
	}
	f.Add([]byte("a: &a {<<: *a}\n"))
	f.Add([]byte("room: &r {id: x, name: *r}\n"))
	f.Add([]byte("? {a: b}\n: c\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		room, err := Parse("room.yaml", data, catalogue(), env)
		if (room == nil) == (err == nil) {
			t.Fatalf("room %v with error %v", room != nil, err)
		}
		if err == nil {
			return
		}
		var faults Faults
		if !errors.As(err, &faults) || len(faults) == 0 {
			t.Fatalf("%T: %v", err, err)
		}
		lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + bytes.Count(data, []byte("\u2028")) +
			bytes.Count(data, []byte("\u2029")) + bytes.Count(data, []byte("\u0085")) + 1
		last := Pos{}
		for _, fault := range faults {
			if fault.Line < last.Line || fault.Line == last.Line && fault.Column < last.Column {
				t.Errorf("out of order: %v", fault)
			}
			last = Pos{fault.Line, fault.Column}
			if fault.Line < 1 || fault.Line > lines || fault.Column < 1 || fault.File != "room.yaml" || fault.What == "" {
				t.Errorf("a place that is not there (%d lines): %+v", lines, fault)
			}
		}
		if _, again := Parse("room.yaml", data, catalogue(), env); again == nil || again.Error() != err.Error() {
			t.Errorf("the second time it says\n%v\nnot\n%v", again, err)
		}
	})
}
