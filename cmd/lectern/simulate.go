package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"lectern/devices/sim"
	"lectern/devices/sim/cast"
)

// endpointsFile tells lectern run where the simulated lines are.
const endpointsFile = "endpoints.json"

type simulateVerb struct {
	Config string  `help:"Room file. Left out: the demo room." type:"path" placeholder:"FILE"`
	Dir    string  `help:"Folder for the simulated ports; give the same to 'lectern run --simulated'." type:"path" default:"./simulated" placeholder:"DIR"`
	Speed  float64 `help:"How much quicker than life the equipment is." default:"1"`
}

const simulateHelp = `Commands, one a line:
  fault LINE NAME            silence, late=300ms, garbage, flood, unplug
  fault DEVICE NAME          what that equipment knows, such as no-lamp; a wrong name lists them
  heal LINE|DEVICE           ends the fault
  nudge DEVICE.PROPERTY VAL  somebody at the equipment itself
  truth                      what the equipment really does
  quit`

// Run plays the equipment until it is told to stop.
func (v *simulateVerb) Run(ctx context.Context, t terminal) error {
	cfg, err := load(v.Config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(v.Dir, 0o750); err != nil {
		return fmt.Errorf("making the folder for simulated ports: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	stage := sim.NewStage(ctx)
	defer stage.Wait()
	defer cancel()
	e, err := cast.Play(ctx, stage, cfg, cast.Options{Speed: v.Speed, Paced: v.Speed <= 1, Folder: v.Dir})
	if err != nil {
		return fmt.Errorf("playing the equipment: %w", err)
	}
	b, err := json.MarshalIndent(e.Endpoints, "", "  ")
	if err != nil {
		return fmt.Errorf("writing where the lines are: %w", err)
	}
	path := filepath.Join(v.Dir, endpointsFile)
	if err := os.WriteFile(path, append(b, '\n'), 0o640); err != nil {
		return fmt.Errorf("writing where the lines are: %w", err)
	}
	defer os.Remove(path)
	for _, l := range cfg.Lines {
		if where, ok := e.Endpoints.Lines[l.ID]; ok {
			fmt.Fprintf(t.out, "%-12s %s\n", l.ID, where)
		}
	}
	config := ""
	if v.Config != "" {
		config = " --config " + v.Config
	}
	fmt.Fprintf(t.out, "Run the room with: lectern run%s --simulated %s\n%s\n", config, v.Dir, simulateHelp)

	// Standard input may be at its end from the start, as under systemd: then there are no commands.
	commands := make(chan string)
	go func() {
		defer close(commands)
		for lines := bufio.NewScanner(t.in); lines.Scan(); {
			select {
			case commands <- lines.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, ok := <-commands:
			if !ok {
				commands = nil
				continue
			}
			quit, err := obey(e, line, t)
			if err != nil {
				fmt.Fprintln(t.err, err)
			}
			if quit {
				return nil
			}
		}
	}
}

// obey does one command from standard input.
func obey(e *cast.Ensemble, line string, t terminal) (quit bool, err error) {
	words := strings.Fields(line)
	switch {
	case len(words) == 0:
	case words[0] == "quit":
		return true, nil
	case words[0] == "truth" && len(words) == 1:
		truth := e.Truth()
		keys := make([]string, 0, len(truth))
		for k := range truth {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		for _, k := range keys {
			fmt.Fprintf(t.out, "%s = %s\n", k, truth[k])
		}
	case words[0] == "fault" && len(words) == 3:
		return false, e.Fault(words[1], words[2]) //nolint:wrapcheck // says it all
	case words[0] == "heal" && len(words) == 2:
		return false, e.Fault(words[1], "") //nolint:wrapcheck // says it all
	case words[0] == "nudge" && len(words) == 3:
		device, property, ok := strings.Cut(words[1], ".")
		if !ok {
			return false, fmt.Errorf("nudge %s: write DEVICE.PROPERTY", words[1])
		}
		return false, e.Nudge(device, property, words[2]) //nolint:wrapcheck // says it all
	default:
		fmt.Fprintln(t.err, simulateHelp)
	}
	return false, nil
}
