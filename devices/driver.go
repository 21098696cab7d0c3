package devices

import (
	"log/slog"

	"lectern/devices/line"
)

// Driver makes capabilities from the settings in a room file. The catalogue lists all drivers in
// devices/all; there is no registration behind anyone's back.
type Driver struct {
	// Name is what a room file writes after driver: "epson-escvp21".
	Name string
	// Equipment says what it drives, for the driver table: "Epson business projectors".
	Equipment string
	// Facts names the source of the protocol's facts: the manual, with edition or page.
	Facts string
	// Kinds lists the kinds of device that can be built on it: "circuit", "light".
	Kinds []string
	// Lines lists the kinds of line it can speak on.
	Lines []line.Kind
	// Bus names the family of drivers that can share one line, each exchange for itself ("rs485"
	// for Modbus RTU and its like). Drivers of another family, or two with an empty Bus and
	// different names, cannot share a line.
	Bus string
	// OneWay marks a driver that cannot read back what it sets.
	OneWay bool
	// Feedback says in a few words what it reads back, for the driver table; left out, that it does, or
	// with OneWay that it does not.
	Feedback string

	// Settings returns a pointer to the driver's settings with their defaults set. The room file's
	// `with` is decoded into it, strictly, by its yaml tags; `doc` tags feed the schema. Where the
	// settings have a method Validate() error, it is called after decoding. Settings whose meaning
	// depends on the device are told first what it is, see Kinded.
	Settings func() any
	// Claims lists what a device with these settings occupies on its line, so that two devices
	// cannot want the same: "unit 3 coil 5". May be nil.
	Claims func(settings any) []string
	// Poll lists the exchanges by which devices with these settings, all on one line, are asked for their
	// state once, so that the load of the line can be reckoned; none for those that cannot be read. What
	// is asked for together is listed once. May be nil: then nobody has counted its bytes.
	Poll func(settings []any) []Frames
	// Unit says whom a device with these settings speaks to ("unit 1"), and whether that is the number
	// with which the equipment leaves the factory. Nil where there is one device on a line.
	Unit func(settings any) (unit string, factory bool)
	// Probe is how the equipment is found on a line; nil where no question of its protocol is harmless.
	Probe *Probe
	// New makes the capability. The settings are what Settings returned, decoded. It does not touch
	// the line except to set its session.
	New func(env Env, settings any) (any, error)
}

// Frames is how long an exchange is, in bytes: what is asked and what is answered.
type Frames struct{ Asked, Answered int }

// Apart is the Poll of devices each of which is asked by exchanges of its own.
func Apart(poll func(settings any) []Frames) func(settings []any) []Frames {
	return func(settings []any) (frames []Frames) {
		for _, s := range settings {
			frames = append(frames, poll(s)...)
		}
		return frames
	}
}

// Together is the Poll of devices that are asked by one exchange where what they ask is the same.
func Together(poll func(settings any) (question string, frames []Frames)) func(settings []any) []Frames {
	return func(settings []any) (frames []Frames) {
		asked := make(map[string]bool)
		for _, s := range settings {
			question, of := poll(s)
			if !asked[question] {
				frames = append(frames, of...)
			}
			asked[question] = true
		}
		return frames
	}
}

// Env is what a driver gets from the room it works in.
type Env struct {
	Device string // the id of the device, for errors and logs
	Line   *line.Line
	Log    *slog.Logger
}

// Kinded are settings that mean one thing for one kind of device and another for another.
type Kinded interface {
	// For tells the kind of the device ("matrix") and the codes of its inputs and outputs, by the
	// keys "input" and "output". It comes after decoding and before Validate.
	For(kind string, codes map[string][]string)
}

// Bused are settings that decide what can share a line with their device, in place of Driver.Bus. They
// are asked when they are known to be good.
type Bused interface{ Bus() string }

// Placed is an error of Validate that says where in the settings it is: the keys that lead to it. Several
// may be joined.
type Placed interface {
	error
	Where() []string
}
