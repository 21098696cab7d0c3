package probe_test

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/modbus"
	"lectern/devices/oppo"
	"lectern/devices/probe"
	"lectern/devices/sim"
	simulator "lectern/devices/sim/modbus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stage puts equipment on a pty until the test ends.
func stage(t *testing.T, equipment ...sim.Equipment) *sim.Wire {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := sim.NewStage(ctx)
	t.Cleanup(func() { cancel(); s.Wait() })
	wire, err := s.Serial(filepath.Join(t.TempDir(), "port"), 0, equipment...)
	if err != nil {
		t.Fatal(err)
	}
	return wire
}

// bus is two boards on one wire: relays as unit 2, a sensor as unit 5.
func bus(t *testing.T) *sim.Wire {
	t.Helper()
	equipment, err := simulator.New(sim.Options{}, []sim.Device{
		{ID: "lamp", Kind: "light", Driver: "modbus-coil", With: map[string]any{"unit": 2, "coil": 0}},
		{ID: "warmth", Kind: "sensor", Driver: "modbus-sensor", With: map[string]any{"unit": 5, "register": 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return stage(t, equipment)
}

func limit(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestUnitsOfABusAreFoundByReadingAlone(t *testing.T) {
	wire := bus(t)
	var found []probe.Found
	plan := probe.Plan{
		Line:    line.Config{ID: "bus", Kind: line.Serial, Port: wire.Path(), Baud: 9600, Timeout: 100 * time.Millisecond},
		Bauds:   []int{9600},
		Drivers: modbus.Drivers(), From: 1, To: 6, Registers: 16,
	}
	if err := probe.Run(limit(t), plan, func(f probe.Found) { found = append(found, f) }, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if len(found) != 2 || found[0].Unit != "unit 2" || found[1].Unit != "unit 5" {
		t.Fatalf("%+v", found)
	}
	if !strings.HasPrefix(found[0].What, "coils 0-") || !strings.Contains(found[1].What, "input registers 0-") || len(found[0].Drivers) != 4 {
		t.Errorf("%+v", found)
	}
	// What one answered at one speed is not looked for at the others.
	if found[0].Baud != 9600 || found[0].Format != "8N1" {
		t.Errorf("%+v", found[0])
	}
	chunks, _, _ := wire.Heard(0)
	for _, c := range chunks {
		if len(c) >= 2 && (c[1] < 1 || c[1] > 4) {
			t.Errorf("it sent function %d: % X", c[1], c)
		}
	}
}

func TestWhoHoldsThePortKeepsIt(t *testing.T) {
	wire := bus(t)
	l := line.New(line.Config{ID: "daemon", Kind: line.Serial, Port: wire.Path()}, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(context.Background())
	var daemon sync.WaitGroup
	daemon.Go(func() { _ = l.Run(ctx) })
	defer daemon.Wait()
	defer cancel()
	for !l.Health().Up {
		<-l.Watch()
	}
	_, before, _ := wire.Heard(0)
	err := probe.Run(limit(t), probe.Plan{Line: line.Config{ID: "bus", Kind: line.Serial, Port: wire.Path()}, Drivers: modbus.Drivers(), From: 1, To: 1, Registers: 1},
		func(f probe.Found) { t.Errorf("found %+v", f) }, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "in use by another program") {
		t.Errorf("%v", err)
	}
	if _, after, _ := wire.Heard(0); after != before {
		t.Error("something was sent")
	}
}

func TestAScanCanBeInterrupted(t *testing.T) {
	wire := bus(t)
	ctx, cancel := context.WithCancel(limit(t))
	plan := probe.Plan{Line: line.Config{ID: "bus", Kind: line.Serial, Port: wire.Path()}, Drivers: modbus.Drivers(), From: 1, To: 247, Registers: 1}
	steps := 0
	err := probe.Run(ctx, plan, func(probe.Found) {}, func(what string) {
		if strings.HasPrefix(what, "unit") {
			if steps++; steps == 3 {
				cancel()
			}
		}
	})
	if err == nil || !strings.Contains(err.Error(), "given up") || steps != 3 {
		t.Errorf("after %d units: %v", steps, err)
	}
}

func TestNobodyThereIsNoFault(t *testing.T) {
	err := probe.Run(limit(t), probe.Plan{Line: line.Config{Kind: line.Serial, Port: filepath.Join(t.TempDir(), "none")}, Drivers: modbus.Drivers(), From: 1, To: 1, Registers: 1},
		func(probe.Found) {}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "plugged in") {
		t.Errorf("a port that is not there: %v", err)
	}
	err = probe.Run(limit(t), probe.Plan{Line: line.Config{Kind: line.TCP, Address: "127.0.0.1:1"}, Drivers: []devices.Driver{oppo.Driver()}},
		func(probe.Found) {}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("an address where nobody listens: %v", err)
	}
	err = probe.Run(limit(t), probe.Plan{Line: line.Config{Kind: line.ModbusTCP, Address: "127.0.0.1:1"}, Drivers: []devices.Driver{oppo.Driver()}},
		func(probe.Found) {}, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "harmless question") {
		t.Errorf("a line that no driver speaks on: %v", err)
	}
}

// slow is a player that is set to 19200 baud: at any other speed it hears rubbish, and says nothing.
type slow struct {
	mu   sync.Mutex
	port string
}

func (*slow) Truth() map[string]string           { return nil }
func (*slow) Nudge(string, string, string) error { return nil }
func (*slow) Fault(string) error                 { return nil }

func (s *slow) Serve(_ context.Context, conn io.ReadWriter) error {
	buf := make([]byte, 64)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		s.mu.Lock()
		port := s.port
		s.mu.Unlock()
		if strings.Contains(string(buf[:n]), "#QPW\r") && speed(port) == unix.B19200 {
			if _, err := conn.Write([]byte("@QPW OK OFF\r")); err != nil {
				return err
			}
		}
	}
}

// speed is what a port is set to.
func speed(port string) uint32 {
	f, err := os.OpenFile(port, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0
	}
	defer f.Close()
	set, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		return 0
	}
	return set.Cflag & unix.CBAUD
}

func TestTheSpeedOfEquipmentIsFound(t *testing.T) {
	s := &slow{}
	wire := stage(t, s)
	s.mu.Lock()
	s.port = wire.Path()
	s.mu.Unlock()
	var found []probe.Found
	var tried []string
	d := oppo.Driver()
	plan := probe.Plan{Line: line.Config{ID: "player", Kind: line.Serial, Port: wire.Path(), Baud: 9600, Format: "8N1"}, Bauds: []int{9600, 19200, 38400}, Drivers: []devices.Driver{d}}
	err := probe.Run(limit(t), plan, func(f probe.Found) { found = append(found, f) }, func(what string) { tried = append(tried, what) })
	if err != nil || len(found) != 1 || found[0].Baud != 19200 || found[0].What == "" {
		t.Errorf("found %+v, %v", found, err)
	}
	if text := strings.Join(tried, "\n"); !strings.Contains(text, "9600 baud") || strings.Contains(text, "38400 baud") {
		t.Errorf("it tried\n%s", text)
	}
}
