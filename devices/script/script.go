// Package script drives equipment whose protocol is described in the room file, so that an installer
// gets it working without writing Go: what is sent, what the answer looks like, what it means.
//
// A protocol is written once, under protocols at the top of the room file, and devices name it:
// `with: {protocol: NAME, channel: 3}`. YAML's anchors would do for sharing text, but an anchor
// has no id for faults to name, no place of its own for a reader to look at, and makes ten devices
// repeat ten times what is wrong with it. The loader stays a leaf: it knows of a protocol only its
// id, and decodes the rest into the types here because the field of the settings says so (see the tag
// from in package configs).
//
// The language is kept small. It has templates with placeholders ("PWR {n:02d}\r"), patterns with the
// same placeholders, and tables of words and numbers; it has no conditions, no loops and no
// arithmetic beyond a scale. Equipment that needs a challenge answered, a counter in its frames or a
// bit picked out of a byte needs a driver in Go.
//
// How replies are found:
//
//   - Point to point, the stream is cut into frames: at a terminator, at a fixed length or by a byte
//     that holds the length. Frames cannot be cut by silence: a line hands over bytes as they come,
//     and what a pause means is lost in serial device servers and USB adapters anyway.
//   - On a bus that equipment shares, a reply is looked for in everything that has come, and must say
//     by its bytes whose it is.
//
// What cannot be asked is assumed: where no query tells a value, what was sent last stands for it, as
// assumed, and before that it is unknown. A command without reply is sent, not done.
package script

import (
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// usualTime bounds the wait for a reply, where the protocol does not say.
const usualTime = time.Second

// Driver returns the driver "script".
func Driver() devices.Driver {
	return devices.Driver{
		Name:      "script",
		Equipment: "equipment whose protocol the room file describes",
		Facts:     "the room file; see configs/README.md, Equipment that Lectern does not know",
		Feedback:  "as the room file says",
		Kinds: []string{
			"circuit", "light", "dimmer", "curtain", "screen", "projector", "matrix", "player", "recorder", "amplifier", "sensor",
		},
		Lines:    []line.Kind{line.Serial, line.TCP},
		Bus:      "script", // until the settings say which, see Settings.Bus
		Settings: func() any { return &Settings{} },
		Claims:   func(settings any) []string { return settings.(*Settings).claims() },
		New: func(env devices.Env, settings any) (any, error) {
			s := settings.(*Settings)
			p, faults := compile(s)
			if len(faults) > 0 {
				return nil, fmt.Errorf("script: %w", faults[0])
			}
			t, err := newTalk(p, env)
			if err != nil {
				return nil, err
			}
			return capability(t), nil
		},
	}
}
