package configs

import (
	"errors"
	"fmt"
	"slices"
)

// fakeCatalogue has drivers of every shape that matters to the loader: with a bus and without, with
// claims and without, for one kind and for several, with and without settings.
type fakeCatalogue []Driver

func (c fakeCatalogue) Driver(name string) (Driver, bool) {
	i := slices.IndexFunc(c, func(d Driver) bool { return d.Name == name })
	if i < 0 {
		return Driver{}, false
	}
	return c[i], true
}

func (c fakeCatalogue) Names() []string {
	var names []string
	for _, d := range c {
		names = append(names, d.Name)
	}
	return names
}

type coilSettings struct {
	Unit int `yaml:"unit" doc:"address of the board"`
	Coil int `yaml:"coil" doc:"coil of the relay"`
}

func (s *coilSettings) Validate() error {
	if s.Unit < 1 || s.Unit > 247 {
		return fmt.Errorf("unit %d: it is 1 to 247", s.Unit)
	}
	return nil
}

type registerSettings struct {
	Unit     int     `yaml:"unit"`
	Register int     `yaml:"register"`
	Base     int     `yaml:"base"`
	Stride   int     `yaml:"stride"`
	Channel  int     `yaml:"channel"`
	Min      int     `yaml:"min"`
	Max      uint16  `yaml:"max"`
	Write    int     `yaml:"write"`
	Function int     `yaml:"function"`
	Signed   bool    `yaml:"signed"`
	Divide   float64 `yaml:"divide"`
}

type motorSettings struct {
	ID string `yaml:"id" doc:"two hex bytes"`
}

func (s *motorSettings) Validate() error {
	if s.ID == "" {
		return errors.New("a motor has an id, such as 12 34")
	}
	return nil
}

type sequencerSettings struct {
	Unit    int `yaml:"unit"`
	Channel int `yaml:"channel"`
}

type groupSettings struct {
	Group int `yaml:"group"`
}

type passwordSettings struct {
	Password string `yaml:"password" doc:"of the projector"`
}

type noSettings struct{}

// scriptSettings have a protocol that stands elsewhere in the file, and arguments with free names.
type scriptSettings struct {
	Protocol struct {
		ID   string            `yaml:"id"`
		Bus  string            `yaml:"bus"`
		Send map[string]string `yaml:"send"`
	} `yaml:"protocol" from:"protocols" doc:"the protocol"`
	Arguments map[string]string `yaml:",inline"`

	kind  string
	codes map[string][]string
}

func (s *scriptSettings) For(kind string, codes map[string][]string) { s.kind, s.codes = kind, codes }

func (s *scriptSettings) Bus() string { return s.Protocol.Bus }

// Validate finds fault with every word "wrong" and every kind of device that nothing is sent for.
func (s *scriptSettings) Validate() error {
	var faults []error
	for name, text := range s.Protocol.Send {
		if text == "wrong" {
			faults = append(faults, &placedFault{[]string{"protocol", "send", name}, "this is wrong: " + name})
		}
	}
	for name, text := range s.Arguments {
		if text == "wrong" {
			faults = append(faults, &placedFault{[]string{name}, name + " is wrong"})
		}
	}
	if s.Protocol.Send[s.kind] == "" {
		faults = append(faults, fmt.Errorf("nothing is sent to a %s with inputs %v", s.kind, s.codes["input"]))
	}
	return errors.Join(faults...)
}

type placedFault struct {
	where []string
	text  string
}

func (f *placedFault) Error() string   { return f.text }
func (f *placedFault) Where() []string { return f.where }

func catalogue() fakeCatalogue {
	none := func() any { return &noSettings{} }
	modbus := []string{"serial", "tcp", "modbus-tcp"}
	register := func(s any) []string {
		r := s.(*registerSettings)
		return []string{fmt.Sprintf("unit %d register %d", r.Unit, r.Register+r.Base+r.Channel*r.Stride)}
	}
	unit := func(n int) (string, bool) { return fmt.Sprintf("unit %d", n), n == 1 }
	registers := func() any { return &registerSettings{Stride: 1} }
	return fakeCatalogue{
		{Name: "dooya", Kinds: []string{"curtain", "screen"}, Lines: []string{"serial"}, Bus: "rs485",
			Settings: func() any { return &motorSettings{} }, Claims: func(s any) []string { return []string{"motor " + s.(*motorSettings).ID} },
			Poll: func(all []any) []Frames { return slices.Repeat([]Frames{{8, 8}}, 2*len(all)) }},
		{Name: "escvp21", Kinds: []string{"projector"}, Lines: []string{"serial", "tcp"}, Settings: none},
		{Name: "extron-sis", Kinds: []string{"matrix"}, Lines: []string{"serial", "tcp"}, Bus: "sis",
			Settings: none, Claims: func(any) []string { return []string{"video of the matrix", "audio of the matrix"} }},
		{Name: "extron-sis-volume", Kinds: []string{"amplifier"}, Lines: []string{"serial", "tcp"}, Bus: "sis",
			Settings: func() any { return &groupSettings{} }, Claims: func(s any) []string { return []string{fmt.Sprintf("group %d", s.(*groupSettings).Group)} }},
		{Name: "hs08r", Kinds: []string{"circuit", "light"}, Lines: []string{"serial"}, Bus: "hs08r",
			Settings: func() any { return &sequencerSettings{Unit: 1} },
			Claims: func(s any) []string {
				return []string{fmt.Sprintf("unit %d channel %d", s.(*sequencerSettings).Unit, s.(*sequencerSettings).Channel)}
			}},
		{Name: "hyperdeck", Kinds: []string{"recorder"}, Lines: []string{"tcp"}},
		{Name: "modbus-coil", Kinds: []string{"circuit", "light"}, Lines: modbus, Bus: "rs485",
			Settings: func() any { return &coilSettings{} },
			Claims: func(s any) []string {
				return []string{fmt.Sprintf("unit %d coil %d", s.(*coilSettings).Unit, s.(*coilSettings).Coil)}
			},
			Poll: func(all []any) []Frames { return slices.Repeat([]Frames{{8, 6}}, len(all)) },
			Unit: func(s any) (string, bool) { return unit(s.(*coilSettings).Unit) }},
		{Name: "modbus-command-relay", Kinds: []string{"circuit", "light"}, Lines: modbus, Bus: "rs485", Settings: registers, Claims: register},
		{Name: "modbus-dimmer", Kinds: []string{"dimmer"}, Lines: modbus, Bus: "rs485", Settings: registers, Claims: register},
		{Name: "modbus-sensor", Kinds: []string{"sensor"}, Lines: modbus, Bus: "rs485", Settings: registers, Claims: register,
			Unit: func(s any) (string, bool) { return unit(s.(*registerSettings).Unit) }},
		{Name: "oppo", Kinds: []string{"player"}, Lines: []string{"serial", "tcp"}, Settings: none},
		{Name: "pjlink", Kinds: []string{"projector"}, Lines: []string{"tcp"}, Settings: func() any { return &passwordSettings{} }},
		{Name: "script", Kinds: []string{"circuit", "matrix"}, Lines: []string{"serial"}, Bus: "script",
			Settings: func() any { return &scriptSettings{} }, Claims: func(s any) []string { return []string{s.(*scriptSettings).Arguments["channel"]} }},
		{Name: "sony9pin", Kinds: []string{"recorder"}, Lines: []string{"serial"}, Settings: none},
	}
}

// env is an environment with one good secret and one that is too short.
func env(name string) (string, bool) {
	value, ok := map[string]string{"TOKEN": "0123456789-0123456789", "SHORT": "swordfish", "PASSWORD": "panasonic"}[name]
	return value, ok
}
