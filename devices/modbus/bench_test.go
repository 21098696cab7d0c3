package modbus

import (
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// BenchmarkPoll is one question after a coil over TCP, as a poll asks it, and the slave's answer. The slave takes
// no memory for it, so all that is allocated is the line's, the driver's and the library's.
func BenchmarkPoll(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		frame := make([]byte, 12)
		for {
			if _, err := io.ReadFull(c, frame); err != nil {
				return
			}
			copy(frame[4:], []byte{0, 4, frame[6], 1, 1, 1}) // one coil, on
			if _, err := c.Write(frame[:10]); err != nil {
				return
			}
		}
	}()
	l := line.New(line.Config{ID: "bench", Kind: line.ModbusTCP, Address: listener.Addr().String()}, slog.New(slog.DiscardHandler))
	var contact devices.Switch
	for _, d := range Drivers() {
		if d.Name == "modbus-coil" {
			settings := d.Settings().(*CoilSettings)
			settings.Unit = 1
			made, err := d.New(devices.Env{Line: l}, settings)
			if err != nil {
				b.Fatal(err)
			}
			contact = made.(devices.Switch)
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	over := make(chan struct{})
	go func() { defer close(over); _ = l.Run(ctx) }()
	defer func() { cancel(); <-over }()
	asking, done := context.WithTimeout(ctx, time.Hour)
	defer done()
	for until := time.Now().Add(10 * time.Second); ; {
		if _, err := contact.On(asking); err == nil {
			break
		} else if time.Now().After(until) {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if on, err := contact.On(asking); err != nil || !on {
			b.Fatal(on, err)
		}
	}
}
