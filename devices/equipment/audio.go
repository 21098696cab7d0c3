package equipment

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
)

// Limits bound a volume. Nil means no limit.
type Limits struct {
	Max   *int // nobody can set more
	Start *int // a volume found higher when the equipment comes up is brought down to this
}

const (
	// volumeSlack is how far, in percent, a read-back may be from what was set: a fader of twenty
	// steps stops up to half a step beside.
	volumeSlack = 3
	// awayTime is how long equipment must have been silent to have been off. A shorter gap is the
	// wire's, and must not turn down the volume in the middle of a talk.
	awayTime = 5 * time.Second
)

// audio is a volume with its mute, as a part of equipment.
type audio struct {
	base   *base
	limits Limits
	volume devices.Volume

	// With the turn:
	percent int
	muted   bool
	seen    bool      // it has answered since the daemon started
	silent  time.Time // since when it has not answered; zero while it does

	mu      sync.Mutex
	comesUp bool // the start limit applies when it answers next
}

func volumeProperties(limits Limits) []devices.Property {
	limit := 0.0
	if limits.Max != nil {
		limit = float64(*limits.Max)
	}
	return []devices.Property{
		{Name: "volume", Kind: devices.KindInteger, Settable: true, Continuous: true, Unit: "%", Max: 100, Limit: limit},
		{Name: "mute", Kind: devices.KindBool, Settable: true},
	}
}

// lostMains notes that the equipment will come up anew. It does not block.
func (a *audio) lostMains() { a.setComesUp(true) }

func (a *audio) setComesUp(up bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.comesUp = up
}

func (a *audio) isComingUp() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.comesUp
}

// ask reads and reports. When the equipment has come up - its mains was off, or it did not answer
// for a while - a volume above the start limit is brought down, so that nobody is deafened by the
// last meeting. What is found when the daemon starts is left as it is.
func (a *audio) ask(ctx context.Context) error {
	percent, muted, err := a.volume.Volume(ctx)
	q, err := believe(err)
	if err != nil {
		if a.seen && lost(err) && a.silent.IsZero() {
			a.silent = time.Now()
		}
		return fmt.Errorf("reading the volume: %w", err)
	}
	if !a.silent.IsZero() && time.Since(a.silent) >= awayTime {
		a.setComesUp(true)
	}
	a.seen, a.silent = true, time.Time{}
	if start := a.limits.Start; a.isComingUp() && q == devices.Reported {
		if start != nil && percent > *start {
			if err := a.volume.SetVolume(ctx, *start); err != nil {
				return fmt.Errorf("bringing the volume down to %d %%: %w", *start, err)
			}
			a.base.spec.Log.Info("the volume was brought down at the start", "from", percent, "to", *start)
			if percent, muted, err = a.volume.Volume(ctx); err != nil {
				return fmt.Errorf("reading the volume: %w", err)
			}
		}
		a.setComesUp(false)
	}
	a.percent, a.muted = percent, muted
	a.base.say("volume", devices.Int(percent), q)
	a.base.say("mute", devices.Bool(muted), q)
	return nil
}

// Set sets the volume or the mute.
func (a *audio) set(ctx context.Context, property string, v devices.Value) error {
	read := func(ctx context.Context) error { return a.ask(ctx) }
	switch property {
	case "volume":
		if most := a.limits.Max; most != nil && v.Int() > *most {
			return &devices.Refusal{Reason: devices.Phrase{
				ZH: fmt.Sprintf("音量上限为 %d%%", *most), EN: fmt.Sprintf("The volume is limited to %d %%", *most),
			}}
		}
		return a.base.carryOut(ctx, wish{
			property: property, value: v, read: read,
			send: func(ctx context.Context) error {
				a.setComesUp(false) // somebody has chosen
				return a.volume.SetVolume(ctx, v.Int())
			},
			met: func() bool { return max(a.percent-v.Int(), v.Int()-a.percent) <= volumeSlack },
			unmet: func() devices.Phrase {
				return devices.Phrase{
					ZH: fmt.Sprintf("设备应答了，但音量停在 %d%%", a.percent), EN: fmt.Sprintf("It acknowledged but the volume stays at %d %%", a.percent),
				}
			},
		})
	case "mute":
		return a.base.carryOut(ctx, wish{
			property: property, value: v, read: read,
			send: func(ctx context.Context) error { return a.volume.SetMute(ctx, v.Bool()) },
			met:  func() bool { return a.muted == v.Bool() },
			unmet: func() devices.Phrase {
				return devices.Phrase{ZH: "设备应答了，但静音没有改变", EN: "It acknowledged but the mute has not changed"}
			},
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
	a := &amplifier{}
	a.audio = audio{base: &a.base, limits: limits, volume: volume}
	a.setUp(spec, volumeProperties(limits), volume)
	a.read = func(ctx context.Context) (bool, error) { return false, a.audio.ask(ctx) }
	return a
}

// SetFed does what base does, and remembers that the amplifier was off.
func (a *amplifier) SetFed(fed bool) {
	if !fed {
		a.audio.lostMains()
	}
	a.base.SetFed(fed)
}

// Set implements devices.Device.
func (a *amplifier) Set(ctx context.Context, property string, v devices.Value) error {
	return a.audio.set(ctx, property, v)
}
