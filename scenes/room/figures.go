package room

import (
	"maps"
	"time"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/journal"
)

// Figures are what has happened in a room since the daemon began.
type Figures struct {
	Commands map[Came]uint64            // by who asked and what became of it
	Took     map[string]*line.Histogram // from the wish to the outcome, by who asked: panel, http, mqtt, ...
	Runs     map[Ended]uint64           // of scenes, by how they ended
}

// Came is who asked, as journal.By has it, and what became of a command.
type Came struct {
	Via    string
	Result devices.Result
}

// Ended is a scene and how a run of it ended.
type Ended struct {
	Scene string
	State RunState
}

func newFigures() Figures {
	return Figures{Commands: make(map[Came]uint64), Took: make(map[string]*line.Histogram), Runs: make(map[Ended]uint64)}
}

// Figures returns what has happened until now.
func (r *Room) Figures() Figures {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	f := Figures{Commands: maps.Clone(r.state.figures.Commands), Took: make(map[string]*line.Histogram), Runs: maps.Clone(r.state.figures.Runs)}
	for via, h := range r.state.figures.Took {
		now := *h
		f.Took[via] = &now
	}
	return f
}

func (s *store) countCommand(by journal.By, result devices.Result, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.figures.Commands[Came{by.Via, result}]++
	h := s.figures.Took[by.Via]
	if h == nil {
		h = new(line.Histogram)
		s.figures.Took[by.Via] = h
	}
	h.Observe(took)
}

// countRun counts a run that has ended since it was last told of. The caller holds mu.
func (s *store) countRun(before *Run, now Run) {
	if now.State.Over() && (before == nil || before.ID != now.ID || !before.State.Over()) {
		s.figures.Runs[Ended{now.Scene, now.State}]++
	}
}
