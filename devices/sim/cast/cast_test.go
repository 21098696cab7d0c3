package cast

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lectern/devices/all"
)

// A driver has five parts: codec, vectors, simulator, a line in the catalogue and an example. Those
// that can be looked for are looked for here.
func TestEveryDriverHasItsParts(t *testing.T) {
	examples, err := filepath.Glob("../../../configs/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	var shown strings.Builder
	for _, path := range examples {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(b)
	}
	good, err := filepath.Glob("../../../configs/testdata/good-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := filepath.Glob("../../../configs/examples/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(good, rooms...) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(b)
	}
	for _, d := range all.Drivers() {
		if !slices.ContainsFunc(Roles(), func(r Role) bool { return slices.Contains(r.Drivers, d.Name) }) {
			t.Errorf("%s has no simulator", d.Name)
		}
		if !strings.Contains(shown.String(), "driver: "+d.Name+",") && !strings.Contains(shown.String(), "driver: "+d.Name+"\n") {
			t.Errorf("%s has no example in configs/", d.Name)
		}
		if d.Equipment == "" || d.Facts == "" || len(d.Kinds) == 0 || len(d.Lines) == 0 || d.Settings == nil || d.New == nil {
			t.Errorf("%s says too little of itself: %+v", d.Name, d)
		}
	}
}

func TestEverySimulatorPlaysADriver(t *testing.T) {
	for _, r := range Roles() {
		for _, name := range r.Drivers {
			if _, ok := all.Find(name); !ok {
				t.Errorf("%s is played and not in the catalogue", name)
			}
		}
	}
}
