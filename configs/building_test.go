package configs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var buildingExample = filepath.Join("building", "building.yaml")

func TestTheExampleOfABuildingLoads(t *testing.T) {
	b, err := LoadBuilding(buildingExample, env)
	if err != nil {
		t.Fatal(err)
	}
	if b.Panel.Open == 0 || b.Panel.Gone == 0 {
		t.Errorf("what is left out is not filled in: %+v", b.Panel)
	}
	for id, want := range map[string]string{"demo": "http://127.0.0.1:8080/staff", "huddle": "https://huddle.rooms.example/staff", "other": "https://other.rooms.example/staff"} {
		if got := b.LinkOf(id); got != want {
			t.Errorf("%s is at %s, want %s", id, got, want)
		}
	}
	_, warnings := CheckBuilding(buildingExample, env)
	if len(warnings) != 1 || !strings.Contains(warnings[0].What, "PIN of the demo room") {
		t.Errorf("its PIN is everybody's, and what is said is %v", warnings)
	}
	if !IsBuilding(buildingExample) || IsBuilding("demo.yaml") || IsBuilding("nothing.yaml") {
		t.Error("a building file is not told from a room file")
	}
}

func TestABadBuildingFileSaysWhatIsWrong(t *testing.T) {
	name := filepath.Join("testdata", "building-bad.yaml")
	b, err := LoadBuilding(name, env)
	var faults Faults
	if b != nil || !errors.As(err, &faults) {
		t.Fatalf("loaded, with the error %v", err)
	}
	compare(t, strings.TrimSuffix(name, ".yaml")+".want", strings.ReplaceAll(faults.Error()+"\n", "testdata/", ""))
}

func TestTheSchemaOfABuildingTakesTheExample(t *testing.T) {
	text, err := MakeBuildingSchema()
	if err != nil {
		t.Fatal(err)
	}
	schema := compiledFrom(t, text)
	data, err := os.ReadFile(buildingExample)
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(asJSON(t, data)); err != nil {
		t.Error(err)
	}
	if data, err = os.ReadFile(filepath.Join("testdata", "building-bad.yaml")); err != nil {
		t.Fatal(err)
	}
	if schema.Validate(asJSON(t, data)) == nil {
		t.Error("the bad one matches it")
	}
}

func FuzzABuildingFile(f *testing.F) {
	for _, name := range []string{buildingExample, filepath.Join("testdata", "building-bad.yaml")} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, faults, _ := parseBuilding("fuzz.yaml", data, func(string) (string, bool) { return "", false })
		if len(faults) == 0 && (b == nil || b.Panel.PIN == "" || b.Facilities.Broker == "") {
			t.Errorf("%+v is no building and has no fault", b)
		}
	})
}
