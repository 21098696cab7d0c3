package configs

// Catalogue is what the loader must know of the drivers to check a file.
type Catalogue interface {
	// Driver looks a driver up by name.
	Driver(name string) (Driver, bool)
	// Names lists all drivers, sorted.
	Names() []string
}

// Driver is what the loader must know of one driver.
type Driver struct {
	Name     string
	Kinds    []string           // kinds of device that can be built on it
	Lines    []string           // kinds of line it speaks on
	Bus      string             // drivers of one bus can share a line; see devices.Driver
	Settings func() any         // pointer to settings with defaults, decoded from `with`
	Claims   func(any) []string // what a device with these settings occupies on its line
	// Poll lists the exchanges of one poll of several devices on a line; nil where nobody has said.
	Poll func(settings []any) []Frames
	// Unit is whom a device with these settings speaks to, and whether that is how it leaves the
	// factory; nil where there is one device on a line.
	Unit func(any) (unit string, factory bool)
}

// Frames is how long an exchange is, in bytes: what is asked and what is answered.
type Frames struct{ Asked, Answered int }
