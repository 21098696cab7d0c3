package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"lectern/devices/sim"
	"lectern/devices/sim/cast"
)

// endpointsFile tells lectern run where the simulated lines are.
const endpointsFile = "endpoints.json"

type simulateVerb struct {
	Config string
	Dir    string
	Speed  float64
	Fault  []string
}

func (v *simulateVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "simulate",
		Short: "Play the equipment of a room file, with faults on request.",
		Long: `Plays the equipment of a room file on pseudo-terminals and sockets, by its real protocols. The room
runs on them with: lectern run --config FILE --simulated DIR

` + simulateHelp,
		Example: "  lectern simulate --config room.yaml --fault bus=late=300ms --fault projector=no-lamp",
		RunE:    func(c *cobra.Command, _ []string) error { return v.Run(c.Context(), t) },
	}
	f := c.Flags()
	pathFlag(f, &v.Config, "config", "", "Read the room from `FILE`. Left out: the demo room.")
	pathFlag(f, &v.Dir, "dir", "./simulated", "Put the simulated ports into the folder `DIR`; give the same to 'lectern run --simulated'")
	f.Float64Var(&v.Speed, "speed", 1, "Play it `N` times as quick as life")
	f.StringArrayVar(&v.Fault, "fault", nil, "Begin with a fault, `WHERE=NAME`: bus=silence, projector=no-lamp. May be given again.")
	return c
}

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
	for _, given := range v.Fault {
		where, name, ok := strings.Cut(given, "=")
		if !ok {
			return fmt.Errorf("%w: --fault %s: write WHERE=NAME, such as bus=silence", errUsage, given)
		}
		if err := e.Fault(where, name); err != nil {
			return fmt.Errorf("--fault %s: %w", given, err)
		}
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
	fmt.Fprintf(t.out, "Run the room with: lectern run%s --simulated %s\nCommands, one a line: help lists them.\n", config, v.Dir)

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
			quit, err := (&stagehand{e, cfg, t.out}).obey(line)
			if err != nil {
				fmt.Fprintln(t.err, err)
			}
			if quit {
				return nil
			}
		}
	}
}
