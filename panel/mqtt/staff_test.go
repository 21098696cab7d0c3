package mqtt

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/room"
)

func TestMaintenanceAndRepairOrdersAreTold(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		h, f := show(t, v)
		f.says(t, "homie/5/hall/controller/maintenance", "false") // also where nobody has said anything yet
		f.says(t, "homie/5/hall/controller/orders-unclosed", "0")
		f.says(t, "homie/5/hall/controller/orders", "[]")
		until := time.Date(2026, 11, 24, 18, 0, 0, 0, time.FixedZone("CST", 8*3600))
		first := room.Order{ID: "20261124-01", State: "open", Device: "spot", Opened: until}
		h.rooms.PostStaff(room.Staff{Maintenance: until, Unclosed: 1, Orders: []room.Order{first}})
		f.says(t, "homie/5/hall/controller/maintenance", "true")
		f.says(t, "homie/5/hall/controller/maintenance-until", "2026-11-24T10:00:00Z")
		f.says(t, "homie/5/hall/controller/orders-unclosed", "1")
		f.until(t, "the order", func() bool {
			var orders []room.Order
			_ = json.Unmarshal([]byte(f.last["homie/5/hall/controller/orders"]), &orders)
			return len(orders) == 1 && orders[0].ID == first.ID && orders[0].State == "open" && orders[0].Device == "spot" && orders[0].Opened.Equal(until)
		})
		// Who comes later finds it there.
		late := listen(t, v)
		late.says(t, "homie/5/hall/controller/maintenance", "true")
		late.says(t, "homie/5/hall/controller/orders-unclosed", "1")
		h.rooms.PostStaff(room.Staff{})
		f.says(t, "homie/5/hall/controller/maintenance", "false")
		f.says(t, "homie/5/hall/controller/maintenance-until", "\x00")
		f.says(t, "homie/5/hall/controller/orders", "[]")
	})
}

// thermometer measures what it is told to.
type thermometer struct{ report devices.Reporter }

func (*thermometer) Properties() []devices.Property {
	return []devices.Property{{Name: "temperature", Kind: devices.KindNumber, Unit: "°C"}}
}
func (d *thermometer) Bind(r devices.Reporter)                        { d.report = r }
func (*thermometer) Run(ctx context.Context) error                    { <-ctx.Done(); return nil }
func (*thermometer) Refresh(context.Context) error                    { return nil }
func (*thermometer) Set(context.Context, string, devices.Value) error { return nil }

func TestATemperatureTellsHowItStandsToItsBand(t *testing.T) {
	everywhere(t, func(t *testing.T, v *venue) {
		air := &thermometer{}
		made, err := room.New(room.Config{Members: []room.Member{{ID: "air", Device: air}}, Log: silent})
		if err != nil {
			t.Fatal(err)
		}
		cfg := hallFile("hall")
		cfg.Devices = []configs.Device{{ID: "air", Kind: "sensor", Measures: "temperature", Unit: "°C", Name: configs.Name{ZH: "室温", EN: "Air"}}}
		cfg.Meetings.Low, cfg.Meetings.High = 22, 24
		_, f := show(t, v, func(c *Config) { c.Room, c.Cfg = made, cfg })
		f.says(t, "homie/5/hall/air/band", "unknown")
		air.report.Reach(nil)
		for _, c := range []struct {
			measured float64
			want     string
		}{{21.9, "below"}, {22, "in"}, {24, "in"}, {24.1, "above"}} {
			air.report.Report("temperature", devices.Number(c.measured), devices.Reported)
			f.says(t, "homie/5/hall/air/band", c.want)
		}
		// One that is not heard any more says nothing of now.
		air.report.Report("temperature", devices.Number(24.1), devices.Stale)
		f.says(t, "homie/5/hall/air/band", "unknown")
		var told struct {
			Components map[string]struct {
				Options    []string `json:"options"`
				StateTopic string   `json:"state_topic"`
			}
		}
		f.until(t, "Home Assistant is told of the band", func() bool {
			_ = json.Unmarshal([]byte(f.last["homeassistant/device/lectern-hall/config"]), &told)
			band := told.Components["air_band"]
			return band.StateTopic == "homie/5/hall/air/band" && slices.Equal(band.Options, []string{"in", "below", "above", "unknown"})
		})
	})
}
