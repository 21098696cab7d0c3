package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"lectern/configs"
	"lectern/devices/sim"
	"lectern/devices/sim/cast"
)

const simulateHelp = `Commands, one a line, on standard input:
  list                         lines and devices, the faults that each knows, and those at work
  truth [DEVICE]               what the equipment really does, whatever anybody believes
  fault LINE NAME              silence, late=300ms, garbage, flood, unplug
  fault DEVICE NAME            what that equipment knows, such as no-lamp; list says
  heal [LINE|DEVICE]           ends a fault; alone, all of them
  nudge DEVICE.PROPERTY VALUE  somebody at the equipment itself: a knob, a button, a remote control
  help                         this
  quit                         takes the equipment away`

// stagehand does what is asked of simulated equipment.
type stagehand struct {
	cast *cast.Ensemble
	room *configs.Room
	out  io.Writer
}

// obey does one command. The error says what would be right.
func (s *stagehand) obey(line string) (quit bool, err error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return false, nil
	}
	verb, rest := words[0], words[1:]
	switch verb {
	case "quit", "exit":
		return true, nil
	case "help":
		fmt.Fprintln(s.out, simulateHelp)
		return false, nil
	case "list":
		return false, s.list(rest)
	case "truth":
		return false, s.truth(rest)
	case "fault":
		return false, s.fault(rest)
	case "heal":
		return false, s.heal(rest)
	case "nudge":
		return false, s.nudge(rest)
	}
	return false, fmt.Errorf("%s is no command; there is list, truth, fault, heal, nudge, help and quit", verb)
}

func (s *stagehand) list(rest []string) error {
	if len(rest) > 0 {
		return errors.New("list takes no word: list")
	}
	now := s.cast.Faults()
	const healed = `"" (healed), `
	fmt.Fprintf(s.out, "Lines take %s:\n", strings.TrimPrefix(sim.WireFaults, healed))
	for _, id := range s.cast.Lines() {
		fmt.Fprintf(s.out, "  %-16s %s\n", id, s.cast.Endpoints.Lines[id])
	}
	fmt.Fprintln(s.out, "Devices, those together that fail together, and what they take:")
	for _, group := range s.cast.Groups() {
		fmt.Fprintf(s.out, "  %s\n      %s\n", strings.Join(group, ", "), strings.TrimPrefix(s.cast.Takes(group[0]), healed))
	}
	if len(now) == 0 {
		fmt.Fprintln(s.out, "No fault is at work.")
	}
	for _, where := range slices.Sorted(maps.Keys(now)) {
		fmt.Fprintf(s.out, "At work: %s %s\n", where, now[where])
	}
	return nil
}

func (s *stagehand) truth(rest []string) error {
	if len(rest) > 1 {
		return errors.New("truth takes one device, or none: truth projector")
	}
	truth := s.cast.Truth()
	told := false
	for _, key := range slices.Sorted(maps.Keys(truth)) {
		device, _, _ := strings.Cut(key, ".")
		if len(rest) == 0 || rest[0] == device || rest[0] == key {
			fmt.Fprintf(s.out, "%s = %s\n", key, truth[key])
			told = true
		}
	}
	if len(rest) == 1 && !told {
		return fmt.Errorf("nothing is known of %q; there is %s", rest[0], strings.Join(s.cast.Devices(), ", "))
	}
	return nil
}

func (s *stagehand) fault(rest []string) error {
	if len(rest) != 2 {
		return errors.New("fault takes where and what: fault bus silence, fault projector no-lamp; list says what there is")
	}
	if err := s.cast.Fault(rest[0], rest[1]); err != nil {
		return fmt.Errorf("fault %s: %w", rest[0], err)
	}
	fmt.Fprintf(s.out, "%s: %s\n", rest[0], rest[1])
	return nil
}

func (s *stagehand) heal(rest []string) error {
	switch len(rest) {
	case 0:
		rest = slices.Sorted(maps.Keys(s.cast.Faults()))
		if len(rest) == 0 {
			fmt.Fprintln(s.out, "nothing to heal")
		}
	case 1:
	default:
		return errors.New("heal takes one line or device, or none for all: heal bus")
	}
	for _, where := range rest {
		if err := s.cast.Fault(where, ""); err != nil {
			return fmt.Errorf("heal %s: %w", where, err)
		}
		fmt.Fprintf(s.out, "%s: healed\n", where)
	}
	return nil
}

func (s *stagehand) nudge(rest []string) error {
	if len(rest) < 2 {
		return errors.New("nudge takes a property and a value: nudge door-lights.power true")
	}
	device, property, ok := strings.Cut(rest[0], ".")
	if !ok {
		return fmt.Errorf("nudge %s: write DEVICE.PROPERTY, such as door-lights.power", rest[0])
	}
	value := strings.Join(rest[1:], " ")
	switch value { // as people say it; the equipment's own words are true and false
	case "on", "off":
		if truth, known := s.cast.Truth()[rest[0]]; known && (truth == "true" || truth == "false") {
			value = map[string]string{"on": "true", "off": "false"}[value]
		}
	}
	if err := s.cast.Nudge(device, property, value); err != nil {
		return fmt.Errorf("nudge %s: %w", rest[0], err)
	}
	fmt.Fprintf(s.out, "%s: %s\n", rest[0], value)
	return nil
}
