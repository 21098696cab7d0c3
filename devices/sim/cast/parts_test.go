package cast

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"lectern/devices"
	"lectern/devices/all"
)

var (
	// A test that holds the manual's byte vectors says so in its name.
	vectors = regexp.MustCompile(`(?i)func Test\w*(vector|manual|table|wire|specification|protocol|guide|dialogue|bytes|frame|message|payload)\w*\(`)
	fuzz    = regexp.MustCompile(`func Fuzz\w+\(`)
	suite   = regexp.MustCompile(`devicetest\.\w+\(t, devicetest\.\w+Case`)
	maker   = regexp.MustCompile(`(?m)^func Drivers?\(\) (\[\])?devices\.Driver`)
)

// packageOf returns the folder, below devices/, in which a driver is made: its settings are of there.
func packageOf(d devices.Driver) string {
	if d.Settings == nil {
		return d.Name
	}
	return strings.TrimPrefix(reflect.TypeOf(d.Settings()).Elem().PkgPath(), "lectern/devices/")
}

// sources reads the Go files of a folder below devices/: the program's own, and its tests.
func sources(t *testing.T, folder string) (program, tests string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			tests += string(b)
		} else {
			program += string(b)
		}
	}
	return program, tests
}

// A driver has five parts: codec and capability, its tests, a simulator, a line in the catalogue and an
// example.
func TestEveryDriverHasItsParts(t *testing.T) {
	shown := examples(t)
	listed := make(map[string]bool)
	for _, d := range all.Drivers() {
		folder := packageOf(d)
		listed[folder] = true
		_, tests := sources(t, folder)

		// 1: it says what it is.
		if d.Equipment == "" || d.Facts == "" || len(d.Kinds) == 0 || len(d.Lines) == 0 || d.Settings == nil || d.New == nil {
			t.Errorf("%s says too little of itself: %+v", d.Name, d)
		}
		// 2: vectors, fuzzing, conformance.
		if !vectors.MatchString(tests) {
			t.Errorf("%s: no test in devices/%s holds the manual's bytes; name it TestVectors, or TestRequestsAreTheManuals", d.Name, folder)
		}
		if !fuzz.MatchString(tests) {
			t.Errorf("%s: nothing in devices/%s fuzzes what it parses", d.Name, folder)
		}
		if !suite.MatchString(tests) {
			t.Errorf("%s: no test in devices/%s runs the suite of its capability, devicetest.Switch and its like", d.Name, folder)
		}
		// 3: a simulator, which is a package of its own.
		if !slices.ContainsFunc(Roles(), func(r Role) bool { return slices.Contains(r.Drivers, d.Name) }) {
			t.Errorf("%s has no simulator: add it to Roles", d.Name)
		}
		// 5: an example that loads.
		if _, ok := shown[d.Name]; !ok {
			t.Errorf("%s has no example: show it in configs/examples/", d.Name)
		}
	}
	// 4: nothing that makes drivers is left out of the catalogue.
	folders, err := filepath.Glob("../../*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range folders {
		folder := filepath.Base(path)
		if program, _ := sources(t, folder); maker.MatchString(program) && folder != "all" && !listed[folder] {
			t.Errorf("devices/%s makes drivers and is not in devices/all", folder)
		}
	}
}
