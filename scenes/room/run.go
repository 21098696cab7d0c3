package room

import (
	"time"

	"lectern/devices"
)

// RunState says how a run of a scene, or one step of it, is getting on.
type RunState string

// The states of a run and of its steps.
const (
	Waiting   RunState = "waiting" // a step whose turn has not come
	Running   RunState = "running"
	Asking    RunState = "asking"    // a step has failed and a person is asked: retry, skip or unwind
	Unwinding RunState = "unwinding" // what was done is being undone
	Finished  RunState = "finished"
	Skipped   RunState = "skipped"
	Broken    RunState = "failed"
	Cancelled RunState = "cancelled"
	Undone    RunState = "undone"
)

// Over reports whether nothing more will happen by itself.
func (s RunState) Over() bool {
	switch s {
	case Finished, Skipped, Broken, Cancelled, Undone:
		return true
	}
	return false
}

// Run is one run of a scene, as panels follow it.
type Run struct {
	ID      string         `json:"id"`
	Scene   string         `json:"scene"`
	By      string         `json:"by"`
	State   RunState       `json:"state"`
	Started time.Time      `json:"started"`
	Ended   time.Time      `json:"ended,omitzero"`
	Left    int            `json:"left,omitempty"` // seconds that the rest is expected to take
	Reason  devices.Phrase `json:"reason,omitzero"`
	Steps   []RunStep      `json:"steps"`
}

// RunStep is one step of a run.
type RunStep struct {
	Name   devices.Phrase `json:"name"`
	State  RunState       `json:"state"`
	Reason devices.Phrase `json:"reason,omitzero"` // what it waits for, or why it failed
	Until  time.Time      `json:"until,omitzero"`  // when it gives up, or when a pause ends
}

func (r Run) clone() Run {
	r.Steps = append([]RunStep(nil), r.Steps...)
	return r
}
