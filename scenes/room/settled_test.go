package room

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
)

// What follows the room by NextSettled hears of a press with what came of it, or after its time without; of all else at
// once, also while something is under way.
func TestNextSettledWaitsForWhatComesOfAPress(t *testing.T) {
	const most = 2 * time.Millisecond
	patience := func() time.Duration { return most }
	for name, c := range map[string]struct {
		takes         time.Duration // the equipment, to do it
		meets         time.Duration // after which another changes by itself; 0 for never
		after         time.Duration // that it is told
		value, target devices.Value
	}{
		"done soon":            {takes: most / 2, after: most / 2, value: devices.Bool(true)},
		"done late":            {takes: time.Second, after: most, target: devices.Bool(true)},
		"meets another change": {takes: time.Second, meets: most / 4, after: most / 4, target: devices.Bool(true)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lamp, other := circuit(), circuit()
				lamp.set = func(_ context.Context, l *thing, property string, v devices.Value) error {
					time.Sleep(c.takes)
					l.report.Report(property, v, devices.Reported)
					return nil
				}
				r := newRoom(t, Config{Members: []Member{{ID: "lamp", Device: lamp}, {ID: "other", Device: other}}})
				s := r.Subscribe(0)
				if u, err := s.NextSettled(t.Context(), patience); err != nil || !u.Full {
					t.Fatalf("%+v, %v", u, err)
				}
				began := time.Now()
				go r.Do(t.Context(), Command{Device: "lamp", Property: "power", Value: true, By: tester}) //nolint:errcheck // what comes of it is followed
				if c.meets > 0 {
					time.AfterFunc(c.meets, func() { other.report.Report("power", devices.Bool(true), devices.Reported) })
				}
				u, err := s.NextSettled(t.Context(), patience)
				if err != nil || time.Since(began) != c.after {
					t.Errorf("%v after %s, not %s", err, time.Since(began), c.after)
				}
				p := u.Properties[0]
				if p.Device != "lamp" || p.Value != c.value || p.Target != c.target {
					t.Errorf("heard %+v", u.Properties)
				}
				time.Sleep(2 * time.Second)
				if c.takes == time.Second {
					u, err = s.NextSettled(t.Context(), patience)
					if p := u.Properties[len(u.Properties)-1]; err != nil || p.Device != "lamp" || p.Value != devices.Bool(true) || !p.Target.IsZero() {
						t.Errorf("%+v, %v", u, err)
					}
				}
				if u, fresh := s.Look(); fresh {
					t.Errorf("twice: %+v", u)
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := s.NextSettled(ctx, patience); err == nil {
					t.Error("goes on after its end")
				}
			})
		})
	}
}
