// Package devices says what equipment is to the rest of Lectern: a face of properties that the
// panel, HTTP, MQTT, scenes and schedules share, and the capabilities that a protocol offers to the
// equipment built on it. It holds vocabulary only: nothing here opens a port or starts a goroutine.
//
// Words used throughout:
//
//   - A device is a piece of equipment as people name it: a curtain, a projector, a rack circuit.
//   - A property is one thing about it that can be read and perhaps set: level, position, power.
//   - A reading is a property's value with its quality and the time it was seen.
//   - A capability is what a protocol can do for one kind of equipment (Switch, Mover, Projector).
//   - A driver makes capabilities from the settings in a room file and a line to speak on.
//   - An outcome says what became of a command.
package devices

import "context"

// Phrase is a text for people, in both languages of the product. Either may stand for the other
// where only one is given.
type Phrase struct {
	ZH string `json:"zh,omitempty" yaml:"zh"`
	EN string `json:"en,omitempty" yaml:"en"`
}

// In returns the phrase in the language ("zh" or "en"), or in the other where that one is empty.
func (p Phrase) In(language string) string {
	if language == "zh" && p.ZH != "" || p.EN == "" {
		return p.ZH
	}
	return p.EN
}

// Device is one piece of equipment: what the Room drives and hears.
//
// Bind is called once, before anything else. Run is called once. Set and Refresh may be called by
// several goroutines at a time, before, during and after Run; after Run has ended they fail.
type Device interface {
	// Properties lists what the device has, in the order in which people should meet it. It is the
	// same list for the whole life of the device.
	Properties() []Property

	// Bind hands the device the one place where it may report what it saw.
	Bind(Reporter)

	// Run follows the equipment - polling it, listening to it, timing its transitions - and reports
	// until ctx ends. It never changes the equipment by itself, except to finish what a Set began
	// (a curtain that has reached the asked height is stopped, a command that was accepted for later
	// is sent) and to keep what the room file demands when equipment comes up (the start volume of an
	// amplifier) or is in danger (both directions of a motor energised). It returns nil when ctx has
	// ended.
	Run(ctx context.Context) error

	// Set asks for a value and returns when the equipment has confirmed it (nil), has been sent it
	// without a way to confirm (ErrSent), is on its way or will do it when it is ready (ErrAccepted),
	// or has not done it (any other error; see OutcomeOf).
	// The value has passed the property's Check. The wait is bounded by ctx.
	Set(ctx context.Context, property string, v Value) error

	// Refresh asks the equipment for its state now, ahead of the next poll, and reports it before
	// returning. Guards use it so that they judge on what is, not on what was.
	Refresh(ctx context.Context) error
}

// Reporter takes what a device saw. Its methods may be called from any goroutine and never block.
type Reporter interface {
	// Report tells a property's value as it was just seen.
	Report(property string, v Value, q Quality)

	// Reach tells whether the equipment answers: nil after an answer, the error after a failure.
	// While it does not answer, every reading of the device is shown as stale.
	Reach(err error)

	// Lock tells that setting the property would be refused now, why and for how long, so that the
	// panel can say it before anyone presses; nil lifts the lock.
	Lock(property string, why *Refusal)
}
