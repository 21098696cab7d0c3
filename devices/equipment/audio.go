package equipment

import (
	"context"
	"fmt"

	"lectern/devices"
)

// Limits bound a volume. Nil means no limit.
type Limits struct {
	Max   *int // nobody can set more
	Start *int // a volume found higher when the equipment comes up is brought down to this
}

// audio is a volume with its mute, as a part of equipment.
type audio struct {
	limits  Limits
	volume  devices.Volume
	percent int
	muted   bool
	asleep  bool // it was away; the start limit applies when it answers again
}

func (a *audio) properties() []devices.Property {
	top := 100
	if a.limits.Max != nil {
		top = *a.limits.Max
	}
	return []devices.Property{
		{Name: "volume", Kind: devices.KindInteger, Settable: true, Continuous: true, Unit: "%", Max: float64(top)},
		{Name: "mute", Kind: devices.KindBool, Settable: true},
	}
}

// ask reads and reports. When the equipment has come up - its mains was off, or it did not answer -
// a volume above the start limit is brought down, so that nobody is deafened by the last meeting.
// What is found when the daemon starts is left as it is.
func (a *audio) ask(ctx context.Context, r devices.Reporter) error {
	percent, muted, err := a.volume.Volume(ctx)
	if err != nil {
		a.asleep = true
		return fmt.Errorf("reading the volume: %w", err)
	}
	if start := a.limits.Start; a.asleep && start != nil && percent > *start {
		if err := a.volume.SetVolume(ctx, *start); err != nil {
			return fmt.Errorf("bringing the volume down to %d %%: %w", *start, err)
		}
		if percent, muted, err = a.volume.Volume(ctx); err != nil {
			return fmt.Errorf("reading the volume: %w", err)
		}
	}
	a.asleep = false
	a.percent, a.muted = percent, muted
	r.Report("volume", devices.Int(percent), devices.Reported)
	r.Report("mute", devices.Bool(muted), devices.Reported)
	return nil
}

// slack is how far, in percent, a read-back may be from what was set: faders have steps of their own.
const slack = 1

func (a *audio) set(ctx context.Context, b *base, property string, v devices.Value) error {
	switch property {
	case "volume":
		if a.limits.Max != nil && v.Int() > *a.limits.Max {
			return &devices.Refusal{Reason: devices.Phrase{
				ZH: fmt.Sprintf("音量上限为 %d%%", *a.limits.Max), EN: fmt.Sprintf("The volume is limited to %d %%", *a.limits.Max),
			}}
		}
		if err := a.volume.SetVolume(ctx, v.Int()); err != nil {
			return fmt.Errorf("setting the volume: %w", err)
		}
		return b.confirm(ctx, func() bool { return max(a.percent-v.Int(), v.Int()-a.percent) <= slack }, func() error {
			return &devices.Rejection{Code: "read-back", Reason: devices.Phrase{
				ZH: fmt.Sprintf("音量停在 %d%%", a.percent), EN: fmt.Sprintf("The volume stays at %d %%", a.percent),
			}}
		})
	case "mute":
		if err := a.volume.SetMute(ctx, v.Bool()); err != nil {
			return fmt.Errorf("muting: %w", err)
		}
		return b.confirm(ctx, func() bool { return a.muted == v.Bool() }, func() error {
			return &devices.Rejection{Code: "read-back", Reason: devices.Phrase{ZH: "静音没有改变", EN: "The mute has not changed"}}
		})
	}
	return noSuch(property)
}

// amplifier is equipment that is all volume.
type amplifier struct {
	base
	audio audio
}

// NewAmplifier makes an amplifier, or one fader of a mixer.
func NewAmplifier(spec Spec, limits Limits, volume devices.Volume) devices.Device {
	a := &amplifier{audio: audio{limits: limits, volume: volume}}
	a.init(spec, volume)
	a.read = func(ctx context.Context) (bool, error) { return false, a.audio.ask(ctx, a.report) }
	return a
}

// Properties implements devices.Device.
func (a *amplifier) Properties() []devices.Property { return a.audio.properties() }

// SetFed implements what base does, and remembers that the amplifier was off.
func (a *amplifier) SetFed(fed bool) {
	if !fed {
		go a.sleep() // the turn may be held for a while
	}
	a.base.SetFed(fed)
}

func (a *amplifier) sleep() {
	a.turn <- struct{}{}
	a.audio.asleep = true
	<-a.turn
}

// Set implements devices.Device.
func (a *amplifier) Set(ctx context.Context, property string, v devices.Value) error {
	return a.base.set(ctx, func() error { return a.audio.set(ctx, &a.base, property, v) })
}
