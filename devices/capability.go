package devices

import (
	"context"
	"time"
)

// The capabilities that protocols offer. Each is one-purpose, takes its context first - which also
// carries how urgent the asking is, see line.WithUrgency - and blocks until the equipment has
// answered or ctx ends. Implementations are safe for concurrent use; the line puts their exchanges
// in order. They keep no opinion about safety: that is the equipment's part.

// Switch is a contact that is on or off: a relay, a sequencer outlet.
type Switch interface {
	// On asks whether the contact is closed.
	On(ctx context.Context) (bool, error)
	// SetOn closes or opens the contact and returns when the equipment has acknowledged.
	SetOn(ctx context.Context, on bool) error
}

// Dimmer is a light circuit whose brightness is set in percent, 0 being dark.
type Dimmer interface {
	Level(ctx context.Context) (percent int, err error)
	SetLevel(ctx context.Context, percent int) error
}

// Motion is what a curtain or screen does, or is asked to do.
type Motion string

// The motions.
const (
	Up   Motion = "up"
	Stop Motion = "stop"
	Down Motion = "down"
)

// Mover is a motor with its own interlock: told up, it goes up until told otherwise or at its end.
type Mover interface {
	Move(ctx context.Context, m Motion) error
}

// Positioner is a Mover that knows where it is.
type Positioner interface {
	Mover
	// Where tells the height in percent, 100 being fully up (open) and 0 fully down (closed), and
	// what the motor does. Known is false where the motor has lost its limits, as after a mains
	// failure; percent is then meaningless.
	Where(ctx context.Context) (w Whereabouts, err error)
	// GoTo moves to a height in percent. It fails with a Refusal where the motor has no limits.
	GoTo(ctx context.Context, percent int) error
}

// Whereabouts is where a motor stands and what it does.
type Whereabouts struct {
	Percent int
	Known   bool
	Motion  Motion
}

// Power is the state of equipment that takes time to come and go. It is never a bool.
type Power string

// The states of power. The zero value means unknown.
const (
	PowerUnknown Power = ""
	PowerOff     Power = "off"
	PowerWarming Power = "warming"
	PowerOn      Power = "on"
	PowerCooling Power = "cooling"
)

// Projector is a projector or a display that behaves like one.
type Projector interface {
	// Status asks for everything at once, in as many exchanges as the protocol needs.
	Status(ctx context.Context) (ProjectorStatus, error)
	// SetPower starts the lamp or the cool-down. It returns when the equipment has accepted the
	// command, which is before the transition has ended unless the manual says otherwise.
	SetPower(ctx context.Context, on bool) error
	// SetInput chooses an input by the protocol's own code ("30" for ESC/VP21, "31" for PJLink).
	SetInput(ctx context.Context, code string) error
}

// ProjectorStatus is what a projector says of itself.
type ProjectorStatus struct {
	Power Power
	Input string // the protocol's code; empty where unknown, as in standby
	Lamp  int    // hours of the first lamp; -1 where unknown
	Fault Fault  // zero where there is none
	// Reckoned marks a Power that the projector has not said: it says on and off only, and what lies between
	// follows from the time that has passed.
	Reckoned bool
}

// Fault is what is wrong with a piece of equipment, as it says itself.
type Fault struct {
	Code string // as on the wire, "04"; empty where nothing is wrong
	Text Phrase
}

// Selector routes inputs to outputs: a matrix, a switcher (which has one output).
type Selector interface {
	// Selected asks for the input that is routed to the output, by the protocol's codes. An output
	// without an input yields "".
	Selected(ctx context.Context, output string) (input string, err error)
	// Select routes the input to the output; input "" unties it.
	Select(ctx context.Context, output, input string) error
}

// Transport is what a player or recorder does, or is asked to do.
type Transport string

// The transports. Next and Previous can only be asked for; Open, NoMedia and Standby are only states.
const (
	TransportStop     Transport = "stop"
	TransportPlay     Transport = "play"
	TransportPause    Transport = "pause"
	TransportForward  Transport = "forward"
	TransportBack     Transport = "back"
	TransportRecord   Transport = "record"
	TransportNext     Transport = "next"
	TransportPrevious Transport = "previous"
	TransportEject    Transport = "eject"
	TransportOpen     Transport = "open"
	TransportNoMedia  Transport = "no-media"
	TransportStandby  Transport = "standby"
)

// Player is a disc player or a recorder.
type Player interface {
	Transport(ctx context.Context) (Transport, error)
	// Transports lists what Act takes, in the order of the buttons on a remote control.
	Transports() []Transport
	// Act does one transport command and returns when the equipment has accepted it.
	Act(ctx context.Context, t Transport) error
}

// Volume is a volume and its mute, scaled to 0..100 by the protocol.
type Volume interface {
	Volume(ctx context.Context) (percent int, muted bool, err error)
	SetVolume(ctx context.Context, percent int) error
	SetMute(ctx context.Context, muted bool) error
}

// Sensor measures one thing; a contact or presence detector measures 0 or 1.
type Sensor interface {
	Measure(ctx context.Context) (float64, error)
}

// Echo is a Switch or a Dimmer whose acknowledgement repeats the value that the equipment has taken, as that of a
// Modbus write does. It is the equipment's word and shown at once; that it is so is still read back.
type Echo interface {
	Echoes() bool
}

// Notifier is a capability whose equipment speaks up by itself. Changed yields a value whenever it
// has said something that makes asking again worth while; the channel holds one, never more.
type Notifier interface {
	Changed() <-chan struct{}
}

// Slow is a capability whose commands take longer than a moment, as ESC/VP21's power on, whose
// answer comes after the lamp has struck. Patience bounds the wait for one command.
type Slow interface {
	Patience(property string) time.Duration
}
