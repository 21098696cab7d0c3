package devices

import (
	"context"

	"lectern/devices/line"
)

// Probe is how equipment is found on a line: by questions that change nothing, whoever hears them.
type Probe struct {
	// Protocol is its name, as people know it: "ESC/VP21". Drivers with the same are looked for once.
	Protocol string
	// Bauds and Formats are those that the equipment may come with on a serial line, likeliest first.
	// Without them 9600 8N1.
	Bauds   []int
	Formats []string

	// Session is how the protocol treats a connection, where it greets; nil where it does not.
	Session func(settings any) line.Session
	// Ask makes the one question by which the equipment is known, with how to find the answer (Find)
	// and what it says (Explain). The settings are those of a device of the room file, or the
	// driver's defaults.
	Ask func(kind line.Kind, settings any) line.Exchange
	// Look is in place of Ask where one question is not enough.
	Look func(ctx context.Context, l Looking) error
}

// Looking is what a probe of more than one question works with.
type Looking struct {
	Line     *line.Line
	Settings any
	// From and To bound the units that are asked, both included; Registers is how many coils, inputs
	// and registers of each are read.
	From, To, Registers int
	// Found takes what was found, as it is found.
	Found func(unit, what string)
	// Progress takes what is being done, for a person who waits.
	Progress func(string)
}
