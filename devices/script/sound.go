package script

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"lectern/devices"
)

var (
	_ devices.Player = (*player)(nil)
	_ devices.Player = (*soundPlayer)(nil)
	_ devices.Volume = (*soundPlayer)(nil)
	_ devices.Volume = (*volume)(nil)
)

// player is a disc player or a recorder.
type player struct{ *talk }

// soundPlayer is one with a volume of its own.
type soundPlayer struct {
	player
	volume
}

// Changed implements devices.Notifier.
func (p *soundPlayer) Changed() <-chan struct{} { return p.player.Changed() }

// Patience implements devices.Slow.
func (p *soundPlayer) Patience(property string) time.Duration { return p.player.Patience(property) }

// Transport implements devices.Player.
func (p *player) Transport(ctx context.Context) (devices.Transport, error) {
	if !p.tells("transport") {
		word, err := p.last("transport", "")
		return devices.Transport(word), err
	}
	got, err := p.ask(ctx, nil, "transport")
	if err != nil {
		return "", err
	}
	word, err := p.wordOf("transport", got["transport"])
	return devices.Transport(word), err
}

// Transports implements devices.Player.
func (p *player) Transports() []devices.Transport {
	var can []devices.Transport
	for _, t := range transports {
		if p.commands[string(t)] != nil {
			can = append(can, t)
		}
	}
	return can
}

// Act implements devices.Player. What is an act and no state is not remembered as one.
func (p *player) Act(ctx context.Context, to devices.Transport) error {
	known := false
	for _, t := range p.Transports() {
		known = known || t == to
	}
	if !known {
		return fmt.Errorf("script %s: there is no command %q", p.id, to)
	}
	value := "transport"
	switch to {
	case devices.TransportNext, devices.TransportPrevious:
		value = "" // it goes on doing what it did
	case devices.TransportEject:
		p.forget("transport")
		value = ""
	}
	return p.set(ctx, string(to), nil, value, string(to), "")
}

// volume is a volume and its mute.
type volume struct{ *talk }

// Volume implements devices.Volume. Where neither can be asked, a volume that was set counts, and a mute
// that nobody has set is assumed to be off with it.
func (v *volume) Volume(ctx context.Context) (percent int, muted bool, err error) {
	if !v.tells("volume") {
		word, err := v.last("volume", "volume")
		percent, _ = strconv.Atoi(word)
		mute, _ := v.last("mute", "mute")
		return percent, mute == "on", err
	}
	got, err := v.ask(ctx, nil, "volume", "mute")
	if err != nil {
		return 0, false, err
	}
	word, err := v.wordOf("mute", got["mute"])
	if err != nil {
		return 0, false, err
	}
	percent, err = v.percentOf("volume", got["volume"])
	return percent, word == "on", err
}

// SetVolume implements devices.Volume.
func (v *volume) SetVolume(ctx context.Context, percent int) error {
	values, err := v.percentage("volume", percent)
	if err != nil {
		return err
	}
	return v.set(ctx, "volume", values, "volume", strconv.Itoa(percent), "volume")
}

// SetMute implements devices.Volume.
func (v *volume) SetMute(ctx context.Context, muted bool) error {
	command := "unmute"
	if muted {
		command = "mute"
	}
	return v.set(ctx, command, nil, "mute", onWord(muted), "mute")
}
