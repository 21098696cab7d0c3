package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// pack is what go list says of a package.
type pack struct {
	ImportPath string
	Doc        string
	Imports    []string
}

func packages(t *testing.T) []pack {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "lectern/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pack
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p pack
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

// Imports run one way: cmd, panel, scenes, devices, devices/line. configs is a leaf.
func TestImportsRunOneWay(t *testing.T) {
	order := []string{"lectern/devices/line", "lectern/devices", "lectern/scenes", "lectern/panel", "lectern/cmd"}
	floor := func(path string) int {
		return slices.IndexFunc(order, func(prefix string) bool { return path == prefix || strings.HasPrefix(path, prefix+"/") })
	}
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			if !strings.HasPrefix(i, "lectern/") {
				continue
			}
			switch {
			case strings.HasPrefix(p.ImportPath, "lectern/configs"):
				t.Errorf("%s imports %s, and is a leaf", p.ImportPath, i)
			case i != "lectern/configs" && floor(i) > floor(p.ImportPath):
				t.Errorf("%s imports %s, which stands above it", p.ImportPath, i)
			case strings.HasPrefix(i, "lectern/devices/all") || strings.HasPrefix(i, "lectern/devices/sim"):
				if !strings.HasPrefix(p.ImportPath, "lectern/cmd") && !strings.HasPrefix(p.ImportPath, "lectern/devices/sim") && p.ImportPath != "lectern/devices/devicetest" {
					t.Errorf("%s imports %s, which is for cmd and tests", p.ImportPath, i)
				}
			}
		}
	}
}

func TestOnlyLinesOpenPorts(t *testing.T) {
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			opens := strings.HasPrefix(i, "github.com/tarm/serial") || i == "net" && strings.HasPrefix(p.ImportPath, "lectern/devices/")
			if opens && !strings.HasPrefix(p.ImportPath, "lectern/devices/line") && !strings.HasPrefix(p.ImportPath, "lectern/devices/sim") {
				t.Errorf("%s imports %s: only devices/line opens ports", p.ImportPath, i)
			}
		}
	}
}

func TestASimulatorSharesNoCodeWithItsCodec(t *testing.T) {
	for _, p := range packages(t) {
		protocol, ok := strings.CutPrefix(p.ImportPath, "lectern/devices/sim/")
		if !ok || protocol == "cast" {
			continue
		}
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "lectern/devices/") && !strings.HasPrefix(i, "lectern/devices/sim") {
				t.Errorf("%s imports %s", p.ImportPath, i)
			}
		}
	}
}
