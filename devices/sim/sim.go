// Package sim plays equipment: on real ptys and sockets, speaking the protocols of the manuals,
// with their timing or faster, and with faults on request. The daemon does not know the difference.
//
// Each protocol has its simulator in a folder of its own below this one. A simulator is written
// from the manual and shares no code with the codec that it meets, so that the two can catch each
// other's mistakes. This package is what they have in common: the ports, the bus, the faults.
package sim

import (
	"context"
	"io"
	"time"
)

// Device is what a simulator is told of one device of a room file.
type Device struct {
	ID     string
	Kind   string
	Driver string
	With   map[string]any // the driver's settings as written in the room file
}

// Options are what all simulators take.
type Options struct {
	// Speed divides every duration of the equipment: 1 is life, 100 warms a projector up in the
	// hundredth part of the time. 0 means 1.
	Speed float64
	// Previews tells, by device id, what is asked to show a moving picture. May be nil.
	Picture func(device string, describe func() string)
}

// Scale returns how long a duration of the equipment takes at the options' speed.
func (o Options) Scale(d time.Duration) time.Duration {
	if o.Speed <= 0 || o.Speed == 1 {
		return d
	}
	return time.Duration(float64(d) / o.Speed)
}

// Factory makes the equipment behind all devices of one driver family that share a line.
type Factory func(o Options, devices []Device) (Equipment, error)

// Equipment is simulated equipment. It is a Stream or a Unit as well. Its methods may be called
// from any goroutine.
type Equipment interface {
	// Truth tells what the equipment really does, by "device.property" of the room file, in the
	// words of the API: "projector.power": "warming", "door-lights.power": "true",
	// "curtain.position": "40". Tests hold the panel's state against it.
	Truth() map[string]string
	// Nudge is a person at the equipment itself: somebody turns a knob or presses its own button.
	// The property and value are as in Truth.
	Nudge(device, property, value string) error
	// Fault makes the equipment itself fail in a way of its own - "no-lamp", "nak", "no-disc",
	// "jammed" - until Fault("") heals it. An unknown name is an error that lists the known ones.
	Fault(name string) error
}

// Stream is equipment on a point-to-point connection.
type Stream interface {
	Equipment
	// Serve speaks on one connection until it ends or ctx does. State survives the connection.
	// Several connections may be served at a time where the equipment allows it.
	Serve(ctx context.Context, conn io.ReadWriter) error
}

// Unit is equipment on a bus that it shares with others: it hears every frame, as cut by silence,
// and answers those that are for it.
type Unit interface {
	Equipment
	// Frame takes one frame as it stood on the bus and returns the reply, nil for none.
	Frame(frame []byte) (reply []byte)
}
