package itach

import (
	"context"

	"lectern/devices"
)

// Names of codes beside transports and inputs.
const (
	powerOn  = "power-on"
	powerOff = "power-off"
	noInput  = "none"
)

const (
	power = "power"
	input = "input"
)

func powerCode(on bool) string {
	if on {
		return powerOn
	}
	return powerOff
}

// contact is equipment that is switched on and off. It implements devices.Switch.
type contact struct{ *emitter }

var _ devices.Switch = contact{}

// On implements devices.Switch; see emitter.last.
func (c contact) On(ctx context.Context) (bool, error) {
	state, err := c.last(ctx, power)
	return state == powerOn, err
}

// SetOn implements devices.Switch. It returns devices.ErrSent.
func (c contact) SetOn(ctx context.Context, on bool) error {
	err := c.emit(ctx, powerCode(on))
	c.assume(power, powerCode(on), err)
	return err
}

// selector is a switcher or matrix. It implements devices.Selector.
type selector struct{ *emitter }

var _ devices.Selector = selector{}

// Selected implements devices.Selector; see emitter.last.
func (s selector) Selected(ctx context.Context, output string) (string, error) {
	return s.last(ctx, "output "+output)
}

// Select implements devices.Selector. It returns devices.ErrSent. The code of input 2 to output 1 is
// 2>1, or 2 where there is one output only; none takes the place of the input that unties.
func (s selector) Select(ctx context.Context, output, in string) error {
	from := in
	if from == "" {
		from = noInput
	}
	name := from + ">" + output
	if _, ok := s.codes[name]; !ok {
		name = from
	}
	err := s.emit(ctx, name)
	s.assume("output "+output, in, err)
	return err
}

// beam is a projector or display. It implements devices.Projector.
type beam struct{ *emitter }

var _ devices.Projector = beam{}

// Status implements devices.Projector; see emitter.last. The power is never known: how far the lamp
// has come since it was told is the clock's to say, and not an emitter's.
func (b beam) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	state, err := b.last(ctx, input)
	return devices.ProjectorStatus{Input: state, Lamp: -1}, err
}

// SetPower implements devices.Projector. It returns devices.ErrSent.
func (b beam) SetPower(ctx context.Context, on bool) error {
	err := b.emit(ctx, powerCode(on))
	b.forget(input) // it comes up with whichever it likes
	return err
}

// SetInput implements devices.Projector. It returns devices.ErrSent.
func (b beam) SetInput(ctx context.Context, code string) error {
	err := b.emit(ctx, code)
	b.assume(input, code, err)
	return err
}
