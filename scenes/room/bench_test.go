package room

import (
	"context"
	"testing"
	"time"

	"lectern/devices"
)

// What a poll that finds nothing new costs: most do.
func BenchmarkReportOfWhatIsKnown(b *testing.B) {
	light := circuit()
	newRoom(b, Config{Members: []Member{{ID: "light", Device: light}}})
	on := devices.Bool(true)
	light.report.Report("power", on, devices.Reported)
	b.ReportAllocs()
	for b.Loop() {
		light.report.Report("power", on, devices.Reported)
		light.report.Reach(nil)
	}
}

// What a change costs with so many panels that follow it; ns and allocations are for one change and all of them.
func BenchmarkAChangeForManySubscribers(b *testing.B) {
	const panels = 200
	light := circuit()
	r := newRoom(b, Config{Members: []Member{{ID: "light", Device: light}}})
	all := make([]*Subscription, panels)
	for i := range all {
		all[i] = r.Subscribe(0)
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	follow := func() {
		for _, s := range all {
			if _, err := s.Next(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
	follow()
	on := false
	b.ReportAllocs()
	for b.Loop() {
		on = !on
		light.report.Report("power", devices.Bool(on), devices.Reported)
		follow()
	}
}
