package script

import (
	"slices"

	"lectern/devices"
)

// kindOf is what a protocol can have for one kind of device.
type kindOf struct {
	part   string              // what of the equipment the device is
	needs  []string            // commands
	may    []string            // commands
	sets   map[string][]string // the placeholders of a command that are no arguments
	asks   []string            // those of its queries
	values []string            // what its queries can give
	words  map[string][]string // what the words of a value can mean
	groups [][]string          // values that are told all or none
}

// The values whose numbers are percent on our side, and those that are plain numbers. All others are
// words, or codes as the room file has them.
var (
	percents = []string{"level", "volume", "position"}
	numbers  = []string{"lamp", "value"}
	codes    = []string{"input", "output", "fault"}
)

// none is the meaning of a word for no input and no fault.
const none = "none"

var onOff = []string{"on", "off"}

// transports are what a player can be told, as the buttons of a remote control stand.
var transports = []devices.Transport{
	devices.TransportPlay, devices.TransportStop, devices.TransportPause, devices.TransportRecord, devices.TransportBack,
	devices.TransportForward, devices.TransportPrevious, devices.TransportNext, devices.TransportEject,
}

// kinds is what protocols can have, by kind of device.
func kinds() map[string]kindOf {
	circuit := kindOf{
		part: "switch", needs: []string{"on", "off"}, values: []string{"power"}, words: map[string][]string{"power": onOff},
	}
	curtain := kindOf{
		part: "motor", needs: []string{"up", "stop", "down"}, may: []string{"position"}, sets: map[string][]string{"position": {"position"}},
		values: []string{"position", "motion"}, words: map[string][]string{"motion": {"up", "stop", "down"}},
		groups: [][]string{{"position", "motion"}},
	}
	sound := []string{"volume", "mute", "unmute"}
	player := kindOf{
		part: "player", may: sound, sets: map[string][]string{"volume": {"volume"}},
		values: []string{"transport", "volume", "mute"}, groups: [][]string{{"volume", "mute"}},
		words: map[string][]string{"mute": onOff, "transport": {
			"stop", "play", "pause", "forward", "back", "record", "open", "no-media", "standby",
		}},
	}
	for _, t := range transports {
		player.may = append(player.may, string(t))
	}
	return map[string]kindOf{
		"circuit": circuit, "light": circuit, "curtain": curtain, "screen": curtain, "player": player, "recorder": player,
		"dimmer": {part: "dimmer", needs: []string{"level"}, sets: map[string][]string{"level": {"level"}}, values: []string{"level"}},
		"projector": {
			part: "projector", needs: []string{"on", "off", "input"}, sets: map[string][]string{"input": {"input"}},
			values: []string{"power", "input", "lamp", "fault"},
			words:  map[string][]string{"power": {"off", "warming", "on", "cooling"}},
		},
		"matrix": {
			part: "matrix", needs: []string{"select"}, may: []string{"untie"},
			sets: map[string][]string{"select": {"input", "output"}, "untie": {"output"}}, asks: []string{"output"}, values: []string{"input"},
		},
		"amplifier": {
			part: "volume", needs: sound, sets: map[string][]string{"volume": {"volume"}},
			values: []string{"volume", "mute"}, words: map[string][]string{"mute": onOff}, groups: [][]string{{"volume", "mute"}},
		},
		"sensor": {part: "sensor", values: []string{"value"}},
	}
}

// commands lists the commands of a kind.
func (k kindOf) commands() []string { return slices.Concat(k.needs, k.may) }

// everyCommand and everyValue are what some kind has: a protocol may be for several.
func everyCommand() []string {
	return gather(func(k kindOf) []string { return k.commands() })
}

func everyValue() []string {
	return gather(func(k kindOf) []string { return k.values })
}

func gather(of func(kindOf) []string) []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, of(k)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// meanings lists what the words of a value can mean, for any kind of device.
func meanings(value string) []string {
	return gather(func(k kindOf) []string { return k.words[value] })
}
