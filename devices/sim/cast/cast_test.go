package cast

import (
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"lectern/devices/all"
	"lectern/devices/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// exampleFiles lists the room files that show how drivers are used.
func exampleFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"../../../configs/*.yaml", "../../../configs/examples/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 3 {
		t.Fatalf("only %v: has configs moved?", files)
	}
	return files
}

// factoryOf returns the simulator of a driver's equipment.
func factoryOf(t *testing.T, driver string) sim.Factory {
	t.Helper()
	for _, r := range Roles() {
		if slices.Contains(r.Drivers, driver) {
			return r.New
		}
	}
	t.Fatalf("%s has no simulator", driver)
	return nil
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
