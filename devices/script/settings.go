package script

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lectern/devices"
)

var (
	_ devices.Kinded = (*Settings)(nil)
	_ devices.Bused  = (*Settings)(nil)
	_ devices.Placed = (*misfit)(nil)
)

// Settings are what a room file says of one scripted device.
type Settings struct {
	Protocol Protocol `yaml:"protocol" from:"protocols" doc:"the id of one of the protocols of the file, or a protocol itself"`
	Simulate any      `yaml:"simulate" doc:"the driver whose equipment plays this device with run --simulate, such as hs08r, or {driver: NAME, ...} with more settings for it; left out, it stays silent"`
	// Arguments are what is left: whatever the placeholders of the protocol are called.
	Arguments map[string]string `yaml:",inline"`

	kind  string
	codes map[string][]string
}

// For tells which kind of device the settings are for, and the codes of its inputs and outputs, as
// the values that the placeholders input and output can have. It comes before Validate.
func (s *Settings) For(kind string, codes map[string][]string) { s.kind, s.codes = kind, codes }

// simulation checks what shall play the device.
func (c *compiler) simulation() {
	switch play := c.s.Simulate.(type) {
	case nil, string:
		return
	case map[string]any:
		if name, ok := play["driver"].(string); ok && name != "" {
			return
		}
	}
	c.device([]string{"simulate"}, "simulate is the name of a driver, or {driver: NAME, ...}")
}

// Validate says everything that is wrong with the protocol, for such a device, and its arguments.
// Each of the errors that are joined says where, see Where.
func (s *Settings) Validate() error {
	_, faults := compile(s)
	return errors.Join(faults...)
}

// Bus names what can share a line with the device: others on its bus, and point to point, others with
// the same protocol.
func (s *Settings) Bus() string {
	if s.Protocol.Bus != "" {
		return s.Protocol.Bus
	}
	return "protocol " + s.Protocol.ID
}

// claims says what the device occupies: its arguments, as the part of the equipment that it is.
func (s *Settings) claims() []string {
	var words []string
	for name, value := range s.Protocol.Defaults {
		if _, given := s.Arguments[name]; !given {
			words = append(words, name+" "+value)
		}
	}
	for name, value := range s.Arguments {
		if name != "password" {
			words = append(words, name+" "+value)
		}
	}
	slices.Sort(words)
	part := kinds()[s.kind].part
	if len(words) == 0 {
		return []string{"the " + part}
	}
	return []string{"the " + part + " of " + strings.Join(words, " ")}
}

// misfit is something that is wrong with the settings, and where: the keys that lead to it.
type misfit struct {
	where []string
	text  string
}

func (m *misfit) Error() string { return m.text }

// Where returns the keys that lead from the settings to what is wrong; the loader of room files turns
// them into line and column.
func (m *misfit) Where() []string { return m.where }

// faults collects what is wrong with one protocol.
type faults struct {
	protocol string
	list     []error
}

// add notes a fault of the protocol, at the place that the keys lead to.
func (f *faults) add(where []string, format string, args ...any) {
	text := fmt.Sprintf("protocol %q: ", f.protocol)
	if len(where) > 1 {
		name := fmt.Sprintf("%q", where[1])
		if i, err := strconv.Atoi(where[1]); err == nil {
			name = strconv.Itoa(i + 1)
		}
		text += singular(where[0]) + " " + name + ": "
	} else if len(where) == 1 {
		text += where[0] + ": "
	}
	f.list = append(f.list, &misfit{append([]string{"protocol"}, where...), text + fmt.Sprintf(format, args...)})
}

// device notes a fault of the device's own settings.
func (f *faults) device(where []string, format string, args ...any) {
	f.list = append(f.list, &misfit{where, fmt.Sprintf(format, args...)})
}

func singular(list string) string {
	switch list {
	case "queries":
		return "query"
	case "greet", "unasked", "frame":
		return list
	}
	return strings.TrimSuffix(list, "s")
}
