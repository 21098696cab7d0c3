package itach

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"lectern/devices"
	"lectern/devices/line"
)

// Models. They differ in how often they repeat a code, and in how they say no.
const (
	modelITach = "itach"
	modelGC100 = "gc-100"
	modelFlex  = "flex"
)

// mostRepeat is how often a model sends a code at most; an iTach does so oftenest.
func mostRepeat(model string) int {
	return map[string]int{modelITach: 50, modelGC100: 31, modelFlex: 20}[model]
}

// Settings are what a room file says of equipment behind an infrared emitter.
type Settings struct {
	Module int               `yaml:"module" doc:"module of the emitter, 1 (default; all that an iTach has) to 5"`
	Port   int               `yaml:"port" doc:"connector of the module, 1 to 3, that the emitter of this equipment is plugged into"`
	Model  string            `yaml:"model" doc:"itach (default), gc-100 or flex (also Global Connect): how often a code may be repeated"`
	Repeat int               `yaml:"repeat" doc:"how often a Pronto code is sent per press; default 1. Sony equipment wants 3. A sendir says it itself"`
	Shared bool              `yaml:"shared" doc:"true where one blaster reaches several devices, each with codes of its own; default false: the connector is this device's"`
	Codes  map[string]string `yaml:"codes" doc:"infrared codes by what they do, as learned Pronto hex (0000 006D ...) or sendir,..."`

	// roles says what the codes are for.
	roles roles
}

// roles says which codes a kind of equipment has.
type roles struct {
	must []string // all of these
	may  []string // and these; nil for any, which are inputs
}

// Validate checks the settings, and every code.
func (s *Settings) Validate() error {
	most := mostRepeat(s.Model)
	switch {
	case s.Module < 1 || s.Module > 5:
		return fmt.Errorf("module %d: it is 1 to 5", s.Module)
	case s.Port < 1 || s.Port > 3:
		return fmt.Errorf("port %d: it is 1 to 3, the number printed at the connector", s.Port)
	case most == 0:
		return fmt.Errorf("model %q: it is itach, gc-100 or flex", s.Model)
	case s.Repeat < 1 || s.Repeat > most:
		return fmt.Errorf("repeat %d: model %s sends a code 1 to %d times", s.Repeat, s.Model, most)
	case len(s.Codes) == 0:
		return errors.New("codes is missing: it holds the infrared codes by what they do")
	}
	for _, name := range s.roles.must {
		if s.Codes[name] == "" {
			return fmt.Errorf("codes has no %s", name)
		}
	}
	for _, name := range s.names() {
		if s.roles.may != nil && !slices.Contains(s.roles.may, name) && !slices.Contains(s.roles.must, name) {
			return fmt.Errorf("codes has %q, which such equipment does not do: %s", name, s.roles.instead(name))
		}
		c, err := Parse(s.Codes[name], s.Repeat)
		if err != nil {
			return fmt.Errorf("code %s: %w", name, err)
		}
		if c.Repeat > most {
			return fmt.Errorf("code %s is to be sent %d times: model %s does at most %d", name, c.Repeat, s.Model, most)
		}
	}
	return nil
}

// instead says what to do with a code that a kind of equipment has no use for.
func (r roles) instead(name string) string {
	switch name {
	case powerOn, powerOff:
		return "its power is a device of its own, with driver itach-switch at the same connector and shared: true for both"
	case "volume-up", "volume-down", "mute":
		return "steps lead nowhere that is known; give it the volume of the amplifier behind it"
	}
	return "it takes " + strings.Join(slices.Concat(r.must, r.may), ", ")
}

// names lists the codes, sorted, so that the same file always has the same first fault.
func (s *Settings) names() []string {
	var names []string
	for name := range s.Codes {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// claims is the connector, unless it is shared.
func (s *Settings) claims() []string {
	if s.Shared {
		return nil
	}
	return []string{fmt.Sprintf("module %d port %d", s.Module, s.Port)}
}

// emitter makes the emitter of a device. The codes have been checked.
func (s *Settings) emitter(env devices.Env) (*emitter, error) {
	if err := env.Line.Use(line.Session{Name: "itach", Split: split, Explain: explain}); err != nil {
		return nil, fmt.Errorf("itach: %w", err)
	}
	e := &emitter{line: env.Line, module: s.Module, port: s.Port, codes: make(map[string]Code)}
	for name, text := range s.Codes {
		c, err := Parse(text, s.Repeat)
		if err != nil {
			return nil, fmt.Errorf("itach code %s: %w", name, err)
		}
		e.codes[name] = c
	}
	return e, nil
}
