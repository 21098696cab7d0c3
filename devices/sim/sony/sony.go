// Package sony simulates a Sony projector in its three protocols: frames of eight bytes on the serial
// port, SDCP (PJ Talk) and ADCP on the network.
package sony

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"lectern/devices/sim"
	"lectern/devices/sim/beam"
)

// idleMost is how long a connection is kept on which nothing is said.
const idleMost = 30 * time.Second

// New makes the projector of a device, which speaks the protocol of its driver.
func New(o sim.Options, devices []sim.Device) (sim.Equipment, error) {
	if len(devices) != 1 {
		return nil, fmt.Errorf("%d projectors at one address", len(devices))
	}
	d := devices[0]
	switch d.Driver {
	case "sony-serial":
		return &Serial{Beam: beam.New(o, d.ID, "2", "3", "4", "5", "6", "7"), silent: d.With["power"] == "silent-key"}, nil
	case "sony-sdcp":
		p := &SDCP{Beam: beam.New(o, d.ID, "2", "3", "4", "5", "6", "7"), community: "SONY", Idle: idleMost}
		if c, ok := d.With["community"].(string); ok {
			p.community = c
		}
		return p, nil
	case "sony-adcp":
		password, _ := d.With["password"].(string)
		spaced, _ := d.With["spaced"].(bool)
		return &ADCP{
			Beam:     beam.New(o, d.ID, "hdmi1", "hdmi2", "dvi1", "rgb1", "rgb2", "video1", "svideo1", "hdbaset1", "network", "usb_a", "usb_b"),
			password: password, spaced: spaced,
		}, nil
	}
	return nil, fmt.Errorf("driver %s is not played here", d.Driver)
}

// listen reads until the connection ends, and hands on what comes. An idle of 0 waits for ever.
func listen(ctx context.Context, conn io.ReadWriter, idle time.Duration, hear func(b byte) error) error {
	network, _ := conn.(net.Conn)
	buf := make([]byte, 64)
	for ctx.Err() == nil {
		if network != nil && idle > 0 {
			_ = network.SetReadDeadline(time.Now().Add(idle))
		}
		n, err := conn.Read(buf)
		for _, b := range buf[:n] {
			if err := hear(b); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("simulated projector: %w", err)
		}
	}
	return nil
}

// statusOf is the power status of the serial protocol and SDCP.
func statusOf(power string) uint16 {
	return map[string]uint16{beam.Off: 0, beam.Warming: 1, beam.On: 3, beam.Cooling: 4}[power]
}

// errorBits is the error status of the serial protocol and SDCP.
func errorBits(b *beam.Beam) uint16 {
	switch {
	case b.Unlit():
		return 0x01
	case b.Faulty() == beam.Overheat:
		return 0x08
	}
	return 0
}
