// Package devicetest holds what every driver of a capability must pass, whatever its protocol: a
// suite per capability, run against the driver and the simulated equipment joined by a real line.
package devicetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/sim"
)

// patience bounds every wait for something that must happen. It is long: it ends a broken test, and
// says nothing about how fast the thing is.
const patience = 20 * time.Second

// Pair is a driver and the equipment that it drives, joined by a line.
type Pair struct {
	// Capability is what the driver made.
	Capability any
	Equipment  sim.Equipment
	Wire       *sim.Wire
	Line       *line.Line
}

// PairConfig says what to join.
type PairConfig struct {
	Driver  devices.Driver
	Factory sim.Factory
	// Kind is the kind of line, serial (a pty) by default.
	Kind line.Kind
	// With is the driver's settings as a room file has them. The device is called "device".
	With map[string]any
	// Others are more devices on the same line, by id; each has its driver.
	Others map[string]PairOther
	// Speed is how much faster than life the equipment is; 0 means 1.
	Speed float64
	// Timeout is the line's; 0 means its default.
	Timeout time.Duration
}

// PairOther is another device on the line of a pair.
type PairOther struct {
	Driver devices.Driver
	With   map[string]any
}

// NewPair joins a driver with equipment until the test ends.
func NewPair(t *testing.T, c PairConfig) *Pair {
	t.Helper()
	made := NewPairs(t, c)
	return made["device"]
}

// NewPairs joins several devices on one line with their equipment. They have everything but the
// capability in common.
func NewPairs(t *testing.T, c PairConfig) map[string]*Pair {
	t.Helper()
	all := map[string]PairOther{"device": {c.Driver, c.With}}
	list := []sim.Device{{ID: "device", Kind: c.Driver.Kinds[0], Driver: c.Driver.Name, With: c.With}}
	for id, o := range c.Others {
		all[id] = o
		list = append(list, sim.Device{ID: id, Kind: o.Driver.Kinds[0], Driver: o.Driver.Name, With: o.With})
	}
	equipment, err := c.Factory(sim.Options{Speed: c.Speed}, list)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stage := sim.NewStage(ctx)
	t.Cleanup(func() { cancel(); stage.Wait() })
	config := line.Config{ID: "line", Kind: c.Kind, Timeout: c.Timeout}
	var wire *sim.Wire
	if c.Kind == "" || c.Kind == line.Serial {
		config.Kind = line.Serial
		if wire, err = stage.Serial(filepath.Join(t.TempDir(), "port"), 0, equipment); err == nil {
			config.Port = wire.Path()
		}
	} else {
		server, _ := equipment.(sim.Server)
		guest, _ := equipment.(sim.Guest)
		switch {
		case c.Kind == line.ModbusTCP && server != nil:
			wire, err = stage.Relay("127.0.0.1:0", server)
		case c.Kind == line.MQTT && guest != nil:
			wire, err = stage.Broker("127.0.0.1:0", guest)
		default:
			wire, err = stage.TCP("127.0.0.1:0", equipment)
		}
		if err == nil {
			config.Address = wire.Address()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	l := line.New(config, log)
	made := make(map[string]*Pair)
	for id, o := range all {
		capability, err := o.Driver.New(devices.Env{Device: id, Line: l, Log: log}, DecodeSettings(t, o.Driver, o.With))
		if err != nil {
			t.Fatal(err)
		}
		made[id] = &Pair{Capability: capability, Equipment: equipment, Wire: wire, Line: l}
	}
	over := make(chan struct{})
	go func() { defer close(over); _ = l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-over })
	return made
}

// RunLine runs a line until the test ends.
func RunLine(t *testing.T, l *line.Line) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); _ = l.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-over })
}

// DecodeSettings decodes settings as the loader of room files does: strictly, onto the defaults.
func DecodeSettings(t *testing.T, d devices.Driver, with map[string]any) any {
	t.Helper()
	text, err := yaml.Marshal(with)
	if err != nil {
		t.Fatal(err)
	}
	settings := d.Settings()
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(settings); err != nil && !errors.Is(err, io.EOF) {
		t.Fatalf("settings %v of %s: %v", with, d.Name, err)
	}
	if v, ok := settings.(devices.Kinded); ok {
		v.For(d.Kinds[0], nil)
	}
	if v, ok := settings.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			t.Fatalf("settings %v of %s: %v", with, d.Name, err)
		}
	}
	return settings
}

// Asking returns a context of somebody who waits for one command.
func Asking(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(line.WithUrgency(context.Background(), line.Person), patience)
	t.Cleanup(cancel)
	return ctx
}

// Fault makes the equipment fail in its own way, or heals it with "".
func (p *Pair) Fault(t *testing.T, name string) {
	t.Helper()
	if err := p.Equipment.Fault(name); err != nil {
		t.Fatal(err)
	}
}

// Nudge is a person at the equipment.
func (p *Pair) Nudge(t *testing.T, device, property, value string) {
	t.Helper()
	if err := p.Equipment.Nudge(device, property, value); err != nil {
		t.Fatal(err)
	}
}

// Until polls a condition of the equipment under the patience.
func Until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Errorf("waited %s in vain for: %s", patience, what)
}

// agrees reads until the reading is the truth. Of equipment that is asked the first reading must be; what
// equipment that speaks by itself has said last may be overtaken by what it does, and then it says so.
func agrees(t *testing.T, capability any, read func(context.Context) (any, error), truth func() any) {
	t.Helper()
	n, speaks := capability.(devices.Notifier)
	for {
		got, err := read(Asking(t))
		want := truth()
		if err == nil && got == want {
			return
		}
		if !speaks {
			t.Errorf("read %v, %v; the truth is %v", got, err, want)
			return
		}
		select {
		case <-n.Changed():
		case <-Asking(t).Done():
			t.Errorf("read %v, %v; the truth is %v, and it says nothing of it", got, err, want)
			return
		}
	}
}

// WireCase is what any reading has to prove on a bad wire.
type WireCase struct {
	Wire *sim.Wire
	// Read asks the equipment, and Truth tells what the answer must be; they are compared with ==.
	Read  func(ctx context.Context) (any, error)
	Truth func() any
	// Change makes the truth another one, from the equipment's side.
	Change func()
	// Heard is the channel of equipment that speaks up by itself; nil for any other. What such
	// equipment says of a change may overtake a reading under way and be taken for it. Then the
	// rest of what it says must be a notification, so that it is asked again.
	Heard <-chan struct{}
}

// overtaken reports whether a reading that is not the truth is followed by a notification.
func (c WireCase) overtaken(t *testing.T) bool {
	if c.Heard == nil {
		return false
	}
	select {
	case <-c.Heard:
		return true
	case <-Asking(t).Done():
		return false
	}
}

// OnABadWire runs the sub-tests: whatever the wire does, a reading is right or an error, and comes
// back when the wire does.
func OnABadWire(t *testing.T, c WireCase) {
	t.Helper()
	for _, fault := range []struct {
		name string
		fail bool // no reading can succeed
	}{{"silence", true}, {"late=300ms", false}, {"late=700ms", false}, {"garbage", true}, {"flood", true}, {"unplug", true}} {
		t.Run(fault.name, func(t *testing.T) {
			recovered(t, c)
			if err := c.Wire.Fault(fault.name); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				ctx, cancel := context.WithTimeout(line.WithUrgency(t.Context(), line.Person), 5*time.Second)
				got, err := c.Read(ctx)
				cancel()
				switch {
				case err == nil && fault.fail:
					t.Errorf("read %v", got)
				case err == nil && got != c.Truth() && !c.overtaken(t):
					t.Errorf("read %v, the truth is %v", got, c.Truth())
				}
				c.Change()
			}
			if err := c.Wire.Fault(""); err != nil {
				t.Fatal(err)
			}
			recovered(t, c)
		})
	}
}

// recovered waits for a reading that succeeds. Those before may fail but never lie.
func recovered(t *testing.T, c WireCase) {
	t.Helper()
	var last error
	Until(t, "a reading", func() bool {
		ctx, cancel := context.WithTimeout(line.WithUrgency(t.Context(), line.Person), 5*time.Second)
		defer cancel()
		got, err := c.Read(ctx)
		if err != nil {
			last = err
			return false
		}
		if want := c.Truth(); got != want {
			if c.overtaken(t) {
				return false
			}
			t.Errorf("read %v, the truth is %v", got, want)
		}
		return true
	})
	if t.Failed() && last != nil {
		t.Log("the last error was", last)
	}
}
