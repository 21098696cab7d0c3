package equipment

import (
	"context"
	"fmt"
	"slices"

	"lectern/devices"
)

// PlayerSpec says more of a player or recorder.
type PlayerSpec struct {
	Limits Limits // of its own volume, where it has one
}

// player is a disc player or a recorder.
type player struct {
	base
	deck  devices.Player
	audio *audio            // nil where it has no volume of its own
	now   devices.Transport // as last read; with the turn
}

// NewPlayer makes a player or recorder. Where the capability is a devices.Volume too, it has a volume.
func NewPlayer(spec Spec, more PlayerSpec, deck devices.Player) devices.Device {
	p := &player{deck: deck}
	properties := []devices.Property{{
		Name: "transport", Kind: devices.KindEnum, Settable: true, Momentary: true, Options: transports(deck),
	}}
	if v, ok := deck.(devices.Volume); ok {
		p.audio = &audio{base: &p.base, limits: more.Limits, volume: v}
		properties = append(properties, volumeProperties(more.Limits)...)
	}
	p.setUp(spec, properties, deck)
	p.read = p.ask
	return p
}

// transports lists what can be asked of a deck, then what it may say beside.
func transports(deck devices.Player) []devices.Option {
	var words []devices.Option
	for _, t := range deck.Transports() {
		words = append(words, devices.Option{Value: string(t), Act: isAct(t)})
	}
	for _, t := range []devices.Transport{
		devices.TransportStop, devices.TransportPlay, devices.TransportPause, devices.TransportForward, devices.TransportBack,
		devices.TransportRecord, devices.TransportOpen, devices.TransportNoMedia, devices.TransportStandby,
	} {
		if !slices.ContainsFunc(words, func(o devices.Option) bool { return o.Value == string(t) }) {
			words = append(words, devices.Option{Value: string(t), State: true})
		}
	}
	return words
}

// isAct reports whether a transport can be asked for but is no state.
func isAct(t devices.Transport) bool {
	return t == devices.TransportNext || t == devices.TransportPrevious || t == devices.TransportEject
}

func (p *player) ask(ctx context.Context) (bool, error) {
	if err := p.askTransport(ctx); err != nil {
		return false, err
	}
	if p.audio != nil && p.now != devices.TransportStandby {
		return false, p.audio.ask(ctx)
	}
	return false, nil
}

func (p *player) askTransport(ctx context.Context) error {
	now, err := p.deck.Transport(ctx)
	q, err := believe(err)
	if err != nil {
		return fmt.Errorf("reading the transport: %w", err)
	}
	p.now = now
	p.say("transport", devices.Word(string(now)), q)
	return nil
}

// SetFed does what base does, and remembers that the player was off.
func (p *player) SetFed(fed bool) {
	if !fed && p.audio != nil {
		p.audio.lostMains()
	}
	p.base.SetFed(fed)
}

// Set implements devices.Device.
func (p *player) Set(ctx context.Context, property string, v devices.Value) error {
	if property != "transport" {
		if p.audio == nil {
			return noSuch(property)
		}
		return p.audio.set(ctx, property, v)
	}
	want := devices.Transport(v.String())
	w := wish{
		property: property, value: v, act: true, read: p.askTransport,
		send:  func(ctx context.Context) error { return p.deck.Act(ctx, want) },
		unmet: p.notDone,
	}
	if !isAct(want) {
		w.met = func() bool { return p.now == want }
	}
	return p.carryOut(ctx, w)
}

// notDone says why a deck does something else than it was asked, where that is plain.
func (p *player) notDone() devices.Phrase {
	switch p.now {
	case devices.TransportNoMedia:
		return devices.Phrase{ZH: "没有光盘或录像带", EN: "There is no disc or tape in it"}
	case devices.TransportOpen:
		return devices.Phrase{ZH: "仓门开着", EN: "Its tray is open"}
	case devices.TransportStandby:
		return devices.Phrase{ZH: "设备处于待机状态", EN: "It is in standby"}
	}
	return devices.Phrase{ZH: "设备应答了，但没有执行", EN: fmt.Sprintf("It acknowledged but says %s", p.now)}
}
