package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"lectern/configs"
	"lectern/devices/sim"
	"lectern/devices/sim/cast"
)

// stand is equipment that is played, if any.
type stand struct {
	on   bool
	wait func()
	// point points another room file at the simulated lines: at the same as before, where it leaves a line
	// as it is.
	point func(ctx context.Context, cfg *configs.Room, keeps func(*configs.Room) map[string]bool) error
}

// simulate points the room at simulated lines, where it is asked to.
func (v *runVerb) simulate(ctx context.Context, cfg *configs.Room) (stand, error) {
	switch {
	case v.Simulated != "":
		read := func(_ context.Context, cfg *configs.Room, _ func(*configs.Room) map[string]bool) error {
			var ends cast.Endpoints
			b, err := os.ReadFile(filepath.Join(v.Simulated, endpointsFile))
			if err == nil {
				err = json.Unmarshal(b, &ends)
			}
			if err != nil {
				return fmt.Errorf("reading where the simulated lines are: %w; is 'lectern simulate --dir %s' running?", err, v.Simulated)
			}
			ends.Apply(cfg)
			return nil
		}
		return stand{on: true, wait: func() {}, point: read}, read(ctx, cfg, nil)
	case v.Simulate:
		stage := sim.NewStage(ctx)
		var folders []string
		play := func(cfg *configs.Room) (cast.Endpoints, error) {
			folder, err := os.MkdirTemp("", "lectern-")
			if err != nil {
				return cast.Endpoints{}, fmt.Errorf("making a folder for simulated ports: %w", err)
			}
			folders = append(folders, folder)
			e, err := cast.Play(ctx, stage, cfg, cast.Options{Speed: v.Speed, Paced: v.Speed <= 1, Folder: folder})
			if err != nil {
				return cast.Endpoints{}, fmt.Errorf("playing the equipment: %w", err)
			}
			return e.Endpoints, nil
		}
		wait := func() {
			stage.Wait()
			for _, folder := range folders {
				_ = os.RemoveAll(folder)
			}
		}
		ends, err := play(cfg)
		if err != nil {
			wait()
			return stand{}, err
		}
		ends.Apply(cfg)
		return stand{on: true, wait: wait, point: func(_ context.Context, cfg *configs.Room, keeps func(*configs.Room) map[string]bool) error {
			file := *cfg
			file.Lines, file.Devices = slices.Clone(cfg.Lines), slices.Clone(cfg.Devices)
			ends.Apply(cfg)
			kept := keeps(cfg)
			if !slices.ContainsFunc(cfg.Lines, func(l configs.Line) bool { return !kept[l.ID] }) {
				return nil
			}
			more, err := play(&file) // what is new or another has equipment of its own
			if err != nil {
				return err
			}
			for id := range kept {
				more.Lines[id] = ends.Lines[id]
			}
			more.Apply(cfg)
			ends = more
			return nil
		}}, nil
	}
	return stand{wait: func() {}, point: func(context.Context, *configs.Room, func(*configs.Room) map[string]bool) error { return nil }}, nil
}
