package configs

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// The kinds of value that a property can have, in the words of the API.
const (
	propertyBool    = "bool"
	propertyInteger = "integer"
	propertyNumber  = "number"
	propertyEnum    = "enum"
	propertyText    = "text"
)

// Words that mean something by themselves: no id of a level or input may be one of them.
const (
	unlisted    = "other" // a state that has no word in the room file
	unconnected = "none"  // an output that nothing is routed to, a choice of which nothing is chosen
)

// PropertyInfo is what a room file must know of a property: whether it can be set, and to what.
type PropertyInfo struct {
	Kind     string   // bool, integer, number, enum or text
	Settable bool     // it can be asked for
	Optional bool     // only some drivers or settings give the device this property
	Words    []string // enum: words that can be asked for and reported
	States   []string // enum: words that can only be reported (warming)
	Acts     []string // enum: words that can only be asked for (next)
	Min, Max float64  // integer and number: the range
}

// PropertiesOf lists, by name, the properties that a device of this kind has, from what the room
// file says of it alone. It is the one place where the loader knows of them; the equipment is held
// against it by a test. Which of the transports a player or recorder takes is known to its driver
// only: here it has all of them.
func PropertiesOf(d Device) map[string]PropertyInfo {
	percent := PropertyInfo{Kind: propertyInteger, Settable: true, Max: 100}
	onOff := PropertyInfo{Kind: propertyBool, Settable: true}
	switch d.Kind {
	case "circuit", "light":
		return map[string]PropertyInfo{"power": onOff}
	case "dimmer":
		words := []string{"off"}
		for _, l := range d.Levels {
			words = append(words, l.ID)
		}
		return map[string]PropertyInfo{"level": {Kind: propertyEnum, Settable: true, Words: words, States: []string{unlisted}}}
	case "curtain", "screen":
		moves := map[string]PropertyInfo{
			"motion":   {Kind: propertyEnum, Settable: true, Words: []string{"up", "stop", "down"}},
			"position": percent,
		}
		if d.Relays != nil { // what its relays do wrong; a motor of its own says nothing of itself
			moves["fault"] = PropertyInfo{Kind: propertyText}
		}
		return moves
	case "projector":
		return map[string]PropertyInfo{
			"power":     {Kind: propertyEnum, Settable: true, Words: []string{"off", "on"}, States: []string{"warming", "cooling"}},
			"input":     {Kind: propertyEnum, Settable: true, Words: portIDs(d.Inputs), States: []string{unlisted}},
			"remaining": {Kind: propertyInteger, Max: 3600},
			"lamp":      {Kind: propertyInteger, Max: 1e6},
			"fault":     {Kind: propertyText},
		}
	case "matrix":
		routes := make(map[string]PropertyInfo)
		for _, out := range d.Outputs {
			routes[out.ID] = PropertyInfo{Kind: propertyEnum, Settable: true, Words: append(portIDs(d.Inputs), unconnected), States: []string{unlisted}}
		}
		return routes
	case "player", "recorder":
		volume, mute := percent, onOff
		volume.Optional, mute.Optional = true, true
		return map[string]PropertyInfo{
			"transport": {
				Kind: propertyEnum, Settable: true,
				Words:  []string{"stop", "play", "pause", "forward", "back", "record"},
				States: []string{"open", "no-media", "standby"},
				Acts:   []string{"next", "previous", "eject"},
			},
			"volume": volume, "mute": mute,
		}
	case "amplifier":
		return map[string]PropertyInfo{"volume": percent, "mute": onOff}
	case "sensor":
		switch d.Measures {
		case "presence", "contact":
			return map[string]PropertyInfo{d.Measures: {Kind: propertyBool}}
		case "temperature":
			return map[string]PropertyInfo{d.Measures: {Kind: propertyNumber, Min: -50, Max: 100}}
		case "humidity":
			return map[string]PropertyInfo{d.Measures: {Kind: propertyNumber, Max: 100}}
		case "light":
			return map[string]PropertyInfo{d.Measures: {Kind: propertyNumber, Max: 200000}}
		}
	}
	return nil // a camera is a picture only
}

// SelectionOf lists the properties of the device under whose id the choice of the sources is
// offered; see Source.On.
func SelectionOf(sources []Source, on string) map[string]PropertyInfo {
	var words []string
	for _, s := range sources {
		if s.On == on || s.On == "" && on == "sources" {
			words = append(words, s.ID)
		}
	}
	if words == nil {
		return nil
	}
	return map[string]PropertyInfo{"selected": {Kind: propertyEnum, Settable: true, Words: words, States: []string{unconnected}}}
}

func portIDs(ports []Port) []string {
	ids := make([]string, len(ports))
	for i, p := range ports {
		ids[i] = p.ID
	}
	return ids
}

// use says what a value in a room file is for.
type use int

const (
	asked    use = iota // somebody asks for it
	reported            // the equipment reports it
)

// takes says which values are right for the use.
func (i PropertyInfo) takes(u use) string {
	switch i.Kind {
	case propertyBool:
		return "on or off"
	case propertyInteger, propertyNumber:
		s := "a number"
		if i.Kind == propertyInteger {
			s = "a whole number"
		}
		return s + fmt.Sprintf(" from %g to %g", i.Min, i.Max)
	case propertyEnum:
		return either(i.words(u))
	}
	return "a text"
}

// words lists the words of an enum for the use.
func (i PropertyInfo) words(u use) []string {
	if u == asked {
		return slices.Concat(i.Words, i.Acts)
	}
	return slices.Concat(i.Words, i.States)
}

// read turns a value as it is written into the one form that it is compared in: true, 40, warming.
// Ok is false where the property cannot have it.
func (i PropertyInfo) read(raw any, u use) (value string, ok bool) {
	text := fmt.Sprint(raw)
	if b, is := raw.(bool); is {
		text = map[bool]string{true: "on", false: "off"}[b]
	}
	switch i.Kind {
	case propertyBool:
		switch text {
		case "on", "true":
			return "on", true
		case "off", "false":
			return "off", true
		}
		return "", false
	case propertyInteger, propertyNumber:
		f, err := strconv.ParseFloat(text, 64)
		whole := i.Kind == propertyNumber || f == math.Trunc(f)
		inside := i.Min <= f && f <= i.Max // never where f is no number
		return strconv.FormatFloat(f, 'g', -1, 64), err == nil && whole && inside
	case propertyEnum:
		return text, slices.Contains(i.words(u), text)
	}
	_, ok = raw.(string)
	return text, ok
}
