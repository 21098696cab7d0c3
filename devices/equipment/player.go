package equipment

import (
	"context"
	"fmt"

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
	audio *audio // nil where it has no volume of its own
	now   devices.Transport
}

// NewPlayer makes a player or recorder. Where the capability is a devices.Volume too, it has a volume.
func NewPlayer(spec Spec, more PlayerSpec, deck devices.Player) devices.Device {
	p := &player{deck: deck}
	p.init(spec, deck)
	if v, ok := deck.(devices.Volume); ok {
		p.audio = &audio{limits: more.Limits, volume: v}
	}
	p.read = p.ask
	return p
}

// Properties implements devices.Device.
func (p *player) Properties() []devices.Property {
	var options []devices.Option
	for _, t := range p.deck.Transports() {
		options = append(options, devices.Option{Value: string(t), Act: momentary(t)})
	}
	for _, t := range []devices.Transport{
		devices.TransportStop, devices.TransportPlay, devices.TransportPause, devices.TransportForward, devices.TransportBack,
		devices.TransportRecord, devices.TransportOpen, devices.TransportNoMedia, devices.TransportStandby,
	} {
		known := false
		for _, o := range options {
			known = known || o.Value == string(t)
		}
		if !known {
			options = append(options, devices.Option{Value: string(t), State: true})
		}
	}
	properties := []devices.Property{{Name: "transport", Kind: devices.KindEnum, Settable: true, Momentary: true, Options: options}}
	if p.audio != nil {
		properties = append(properties, p.audio.properties()...)
	}
	return properties
}

// momentary reports whether a transport can be asked for but is no state.
func momentary(t devices.Transport) bool {
	return t == devices.TransportNext || t == devices.TransportPrevious || t == devices.TransportEject
}

func (p *player) ask(ctx context.Context) (bool, error) {
	now, err := p.deck.Transport(ctx)
	if err != nil {
		return false, fmt.Errorf("reading the transport: %w", err)
	}
	p.now = now
	p.report.Report("transport", devices.Word(string(now)), devices.Reported)
	if p.audio != nil && now != devices.TransportStandby {
		if err := p.audio.ask(ctx, p.report); err != nil {
			return false, err
		}
	}
	return false, nil
}

// Set implements devices.Device.
func (p *player) Set(ctx context.Context, property string, v devices.Value) error {
	if property != "transport" {
		if p.audio == nil {
			return noSuch(property)
		}
		return p.set(ctx, func() error { return p.audio.set(ctx, &p.base, property, v) })
	}
	want := devices.Transport(v.String())
	return p.set(ctx, func() error {
		if err := p.deck.Act(ctx, want); err != nil {
			return fmt.Errorf("%s: %w", want, err)
		}
		if momentary(want) {
			_, _ = p.readNow(ctx) // accepted; what it does to the state is the equipment's affair
			return nil
		}
		return p.confirm(ctx, func() bool { return p.now == want }, func() error {
			return &devices.Rejection{Code: "read-back", Reason: devices.Phrase{
				ZH: "设备应答了,但没有执行", EN: fmt.Sprintf("It acknowledged but says %s", p.now),
			}}
		})
	})
}
