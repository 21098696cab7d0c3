// Package sequence runs scenes: lists of steps that set properties, wait for values, pause, run
// other scenes, in order or side by side.
//
// A run is an object that panels follow step by step. It can be cancelled. A step that fails is
// retried, skipped, stops the run, unwinds it or asks a person, as the scene says. A run that a
// power failure cut off is resolved when the daemon comes back: left, finished or unwound, as the
// scene says. Everything a scene does goes through room.Do, so that guards hold for scenes as for
// anybody.
package sequence

import (
	"slices"
	"time"

	"lectern/devices"
	"lectern/scenes/room"
)

// Policy says what to do about a step that has failed, or a run that was cut off.
type Policy string

// The policies for a failed step.
const (
	Stop   Policy = "stop"   // end the run, leave what is done
	Skip   Policy = "skip"   // go on with the next step
	Unwind Policy = "unwind" // undo what is done, last first
	Ask    Policy = "ask"    // let a person choose retry, skip, unwind or stop
)

// The policies for a run that was cut off by the end of the daemon. Unwind is one too.
const (
	Leave  Policy = "leave"  // touch nothing
	Finish Policy = "finish" // go on with the step that was under way
)

// stepTime is how long a step may take where it does not say.
const stepTime = 10 * time.Second

// Scene is a named list of steps.
type Scene struct {
	ID        string
	Name      devices.Phrase
	Steps     []Step
	ReverseOf string // the scene that this one undoes, "" for none
	OnRestart Policy // Leave, Finish or Unwind; "" is Leave

	all map[string]*Scene // those that it was made with, by id: it may run them
}

// Step is one step: exactly one of Set, Wait, Pause, Scene and Together is given.
type Step struct {
	Name     devices.Phrase
	Set      []room.Wish
	Wait     []room.Match
	Pause    time.Duration
	Scene    string
	Together []Step

	After     time.Duration // pause before the next step
	Within    time.Duration // time limit; 0 is ten seconds
	Retry     int           // how often to try again
	OnFailure Policy        // "" is Stop
	// Undo is what undoes the step. Where it is nil, each bool set is set to its opposite, last
	// first, and a scene or steps side by side are undone in the same manner.
	Undo []Step
}

// Reverse returns the steps that undo the given ones, last first. The pause between two steps stays
// between them. Scenes are looked up in all.
func Reverse(steps []Step, all map[string]*Scene) []Step {
	var reversed []Step
	for i, s := range slices.Backward(steps) {
		undo := undoing(s, all)
		if len(undo) == 0 {
			continue
		}
		if i > 0 {
			last := &undo[len(undo)-1]
			last.After = max(last.After, steps[i-1].After)
		}
		reversed = append(reversed, undo...)
	}
	return reversed
}

// undoing returns the steps that undo one step; none where it needs no undoing, as a pause does.
func undoing(s Step, all map[string]*Scene) []Step {
	if s.Undo != nil {
		return slices.Clone(s.Undo)
	}
	// What failed on the way there need not fail on the way back: a rack is switched off as far as
	// it goes, so the policy is the step's own.
	back := Step{Name: s.Name, Within: s.Within, Retry: s.Retry, OnFailure: s.OnFailure}
	switch {
	case len(s.Set) > 0:
		for _, w := range slices.Backward(s.Set) {
			if w.Value.Kind() == devices.KindBool {
				w.Value = devices.Bool(!w.Value.Bool())
				back.Set = append(back.Set, w)
			}
		}
		if len(back.Set) == 0 {
			return nil
		}
		return []Step{back}
	case s.Scene != "":
		if scene := all[s.Scene]; scene != nil {
			return Reverse(scene.Steps, all)
		}
	case len(s.Together) > 0:
		for _, part := range s.Together {
			back.Together = append(back.Together, undoing(part, all)...)
		}
		if len(back.Together) > 0 {
			return []Step{back}
		}
	}
	return nil
}
