package cast

import (
	"context"
	"testing"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/all"
	"lectern/devices/devicetest"
	"lectern/devices/line"
)

// What a driver says of the frames of a poll, by which the load of a line is reckoned, is what goes over
// the wire when it asks.
func TestAPollHasTheFramesThatItsDriverSays(t *testing.T) {
	shown := examples(t)
	for _, d := range all.Drivers() {
		if d.Poll == nil {
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			example, ok := shown[d.Name]
			if !ok {
				t.Fatal("no example has it")
			}
			p := devicetest.NewPair(t, devicetest.PairConfig{Driver: d, Factory: factoryOf(t, d.Name), Kind: line.Serial, With: example.with, Speed: 100})
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := read(ctx, p.Capability); err != nil {
				t.Fatal(err)
			}
			entries, _ := p.Line.Trace(0)
			var seen []devices.Frames
			for _, e := range entries {
				switch {
				case e.Dir == "tx":
					seen = append(seen, devices.Frames{Asked: len(e.Bytes)})
				case e.Dir == "rx" && len(seen) > 0:
					seen[len(seen)-1].Answered += len(e.Bytes)
				}
			}
			said := d.Poll([]any{example.settings})
			if len(seen) != len(said) {
				t.Fatalf("it says %v and sends %v", said, seen)
			}
			for i := range seen {
				if seen[i] != said[i] {
					t.Errorf("exchange %d: it says %+v and sends %+v", i+1, said[i], seen[i])
				}
			}
		})
	}
}

// read asks a capability for its state, as a poll does.
func read(ctx context.Context, capability any) (err error) {
	switch c := capability.(type) {
	case devices.Switch:
		_, err = c.On(ctx)
	case devices.Dimmer:
		_, err = c.Level(ctx)
	case devices.Positioner:
		_, err = c.Where(ctx)
	case devices.Sensor:
		_, err = c.Measure(ctx)
	case devices.Projector:
		_, err = c.Status(ctx)
	case devices.Player:
		_, err = c.Transport(ctx)
	}
	return err
}

// shownDriver is how an example sets a driver.
type shownDriver struct {
	with     map[string]any
	settings any
}

// examples lists the drivers that the example room files show, each as the first of them has it.
func examples(t *testing.T) map[string]shownDriver {
	t.Helper()
	shown := make(map[string]shownDriver)
	add := func(name string, with map[string]any, settings any) {
		if _, have := shown[name]; !have && name != "" {
			shown[name] = shownDriver{with, settings}
		}
	}
	for _, path := range exampleFiles(t) {
		room, err := configs.Load(path, all.Catalogue(), exampleSecret)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		for _, d := range room.Devices {
			add(d.Driver, d.With, d.Settings)
			if d.Relays != nil {
				add(d.Relays.Up.Driver, d.Relays.Up.With, d.Relays.Up.Settings)
			}
		}
	}
	return shown
}

// exampleSecret stands for whatever an example takes from the environment.
func exampleSecret(string) (string, bool) { return "0123456789-0123456789", true }
