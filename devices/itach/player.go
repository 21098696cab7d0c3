package itach

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"lectern/devices"
)

// buttons are the transports in the order of a remote control.
func buttons() []devices.Transport {
	return []devices.Transport{
		devices.TransportPlay, devices.TransportStop, devices.TransportPause, devices.TransportBack, devices.TransportForward,
		devices.TransportPrevious, devices.TransportNext, devices.TransportRecord, devices.TransportEject,
	}
}

func playerRoles() roles {
	var r roles
	for _, b := range buttons() {
		r.may = append(r.may, string(b))
	}
	return r
}

// player is a player or recorder. It implements devices.Player.
type player struct {
	*emitter
	has []devices.Transport
}

var _ devices.Player = (*player)(nil)

func newPlayer(env devices.Env, s *Settings) (any, error) {
	e, err := s.emitter(env)
	if err != nil {
		return nil, err
	}
	p := &player{emitter: e}
	for _, b := range buttons() {
		if _, ok := e.codes[string(b)]; ok {
			p.has = append(p.has, b)
		}
	}
	return p, nil
}

const transport = "transport"

// Transports implements devices.Player: what there are codes for.
func (p *player) Transports() []devices.Transport { return slices.Clone(p.has) }

// Transport implements devices.Player; see emitter.last.
func (p *player) Transport(ctx context.Context) (devices.Transport, error) {
	state, err := p.last(ctx, transport)
	return devices.Transport(state), err
}

// Act implements devices.Player. It returns devices.ErrSent.
func (p *player) Act(ctx context.Context, t devices.Transport) error {
	if !slices.Contains(p.has, t) {
		return fmt.Errorf("itach player: there is no code for %q", t)
	}
	err := p.emit(ctx, string(t))
	switch t {
	case devices.TransportNext, devices.TransportPrevious:
		// It goes on as it did.
	case devices.TransportEject:
		if errors.Is(err, devices.ErrSent) || uncertain(err) {
			p.forget(transport) // the tray has opened, or closed
		}
	default:
		p.assume(transport, string(t), err)
	}
	return err
}
