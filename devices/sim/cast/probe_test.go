package cast

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"lectern/devices"
	"lectern/devices/all"
	"lectern/devices/line"
	"lectern/devices/probe"
	"lectern/devices/sim"
)

// Every driver that says how its equipment is found is found by that, on every line that it speaks on,
// and nothing has moved by it.
func TestEveryProbeFindsItsEquipmentAndChangesNothing(t *testing.T) {
	shown := examples(t)
	for _, d := range all.Drivers() {
		if d.Probe == nil {
			continue
		}
		for _, kind := range d.Lines {
			t.Run(d.Name+" on "+string(kind), func(t *testing.T) {
				t.Parallel()
				example := shown[d.Name]
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				stage := sim.NewStage(ctx)
				defer stage.Wait()
				defer cancel()
				equipment, err := factoryOf(t, d.Name)(sim.Options{}, []sim.Device{{ID: "device", Kind: d.Kinds[0], Driver: d.Name, With: example.with}})
				if err != nil {
					t.Fatal(err)
				}
				config := line.Config{ID: "line", Kind: kind}
				switch kind {
				case line.Serial:
					wire, err := stage.Serial(t.TempDir()+"/port", 0, equipment)
					if err != nil {
						t.Fatal(err)
					}
					config.Port = wire.Path()
				case line.ModbusTCP:
					server, ok := equipment.(sim.Server)
					if !ok {
						t.Skip("its simulator speaks no Modbus TCP")
					}
					wire, err := stage.Relay("127.0.0.1:0", server)
					if err != nil {
						t.Fatal(err)
					}
					config.Address = wire.Address()
				default:
					wire, err := stage.TCP("127.0.0.1:0", equipment)
					if err != nil {
						t.Fatal(err)
					}
					config.Address = wire.Address()
				}
				before := equipment.Truth()
				to := 1
				if d.Unit != nil { // as far as its unit
					for to < 247 {
						if unit, _ := d.Unit(example.settings); unit == fmt.Sprintf("unit %d", to) {
							break
						}
						to++
					}
				}
				var found []probe.Found
				err = probe.Run(ctx, probe.Plan{
					Line: config, Drivers: []devices.Driver{d}, Settings: map[string][]any{d.Name: {example.settings}}, From: max(1, to-1), To: to, Registers: 4,
				}, func(f probe.Found) { found = append(found, f) }, func(string) {})
				if err != nil || len(found) == 0 {
					t.Fatalf("found %v, %v", found, err)
				}
				if f := found[0]; !slices.Contains(f.Drivers, d.Name) || f.What == "" || (kind == line.Serial) != (f.Baud > 0) {
					t.Errorf("found %+v", f)
				}
				if after := equipment.Truth(); !maps.Equal(before, after) {
					t.Errorf("it was %v and is %v", before, after)
				}
			})
		}
	}
}
