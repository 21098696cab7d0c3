package build

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/all"
	"lectern/scenes/journal"
)

func load(t *testing.T, name string) (*configs.Room, *Parts) {
	t.Helper()
	cfg, err := configs.Load(filepath.Join("..", "..", "configs", name), all.Catalogue(), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	parts, err := Build(cfg, Options{Find: all.Find, Journal: journal.Open("", log), Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return cfg, parts
}

var examples = []string{"demo.yaml", "lecture-hall.yaml", "huddle.yaml"}

// The loader knows what properties each kind of device has, to check a file without making anything.
// What it knows must be what the equipment then says of itself.
func TestLoaderAndEquipmentAgreeOnTheProperties(t *testing.T) {
	for _, name := range examples {
		cfg, parts := load(t, name)
		for _, d := range cfg.Devices {
			if d.Kind == "camera" {
				continue
			}
			known := configs.PropertiesOf(d)
			for _, p := range parts.Room.Properties(d.ID) {
				info, ok := known[p.Name]
				if !ok {
					t.Errorf("%s: %s.%s is not known to the loader", name, d.ID, p.Name)
					continue
				}
				for _, o := range p.Options {
					if words := slices.Concat(info.Words, info.States, info.Acts); !slices.Contains(words, o.Value) {
						t.Errorf("%s: %s.%s: %q is not known to the loader, which has %v", name, d.ID, p.Name, o.Value, words)
					}
				}
				delete(known, p.Name)
			}
			for property, info := range known {
				if !info.Optional {
					t.Errorf("%s: the loader takes %s.%s, which the equipment does not have", name, d.ID, property)
				}
			}
		}
	}
}

func TestStepsAreNamedInBothLanguages(t *testing.T) {
	for _, name := range examples {
		cfg, parts := load(t, name)
		b := &builder{cfg: cfg, properties: make(map[string]devices.Property)}
		for _, s := range cfg.Scenes {
			for i, step := range s.Steps {
				if n := b.stepName(step); n.ZH == "" || n.EN == "" {
					t.Errorf("%s: scene %s, step %d is called %+v", name, s.ID, i+1, n)
				}
			}
		}
		if parts.Engine == nil || len(parts.Lines()) != len(cfg.Lines) {
			t.Errorf("%s: parts are missing", name)
		}
	}
}

func TestAFileThatWasNotCheckedIsRefusedWithAllItsFaults(t *testing.T) {
	cfg, _ := load(t, "huddle.yaml")
	cfg.Devices[0].Driver = "telepathy"
	log := slog.New(slog.DiscardHandler)
	if _, err := Build(cfg, Options{Find: all.Find, Log: log}); err == nil {
		t.Error("a driver that is not there was built")
	}
}
