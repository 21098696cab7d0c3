package oppo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/devices"
)

// Act implements devices.Player. Play answers with devices.ErrAccepted where the player has still to
// close its tray and read the disc.
func (p *Player) Act(ctx context.Context, t devices.Transport) error {
	command, ok := commandOf(t)
	if !ok {
		return fmt.Errorf("an OPPO player cannot be asked for %q", t)
	}
	on, err := p.isOn(ctx)
	if err != nil {
		return err
	}
	if !on {
		if err := p.wake(ctx, t); err != nil {
			return err
		}
	}
	if _, err := p.ask(ctx, command, "", replyTime); err != nil {
		return p.reason(ctx, command, err)
	}
	if t != devices.TransportPlay {
		return nil
	}
	if state, err := p.ask(ctx, queryState, "", readTime); err == nil && (isUnderWay(state) || state == "OPEN") {
		return fmt.Errorf("oppo %s: it says %s: %w", command, state, devices.ErrAccepted)
	}
	return nil
}

// reason finds better words for a command that the player has rejected, from what it says it does.
func (p *Player) reason(ctx context.Context, command string, err error) error {
	no := new(devices.Rejection)
	if !errors.As(err, &no) {
		return err
	}
	state, unknown := p.ask(ctx, queryState, "", readTime)
	if unknown != nil {
		return err
	}
	better := rejection(message{}, command, state)
	better.Code = no.Code
	return fmt.Errorf("oppo %s: %w", command, better)
}

// wake switches a player in standby on, where the command is one that means so, and returns when it
// has started and read its disc.
func (p *Player) wake(ctx context.Context, t devices.Transport) error {
	if !p.wakes || t != devices.TransportPlay && t != devices.TransportEject {
		return &devices.Refusal{Reason: devices.Phrase{
			ZH: "播放机处于待机状态，请先开机", EN: "The player is in standby: switch it on first",
		}}
	}
	if _, err := p.ask(ctx, cmdPowerOn, "", replyTime); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, wakeTime)
	defer cancel()
	for {
		// While it starts it may say nothing, or an error: only a state counts.
		state, err := p.ask(ctx, queryState, "", readTime)
		if err == nil && !isUnderWay(state) {
			return nil
		}
		select {
		case <-time.After(wakePause):
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("it still says %s", state)
			}
			return fmt.Errorf("oppo %s: %w: %w", cmdPowerOn, err, &devices.Rejection{Code: "starting", Busy: true, Reason: devices.Phrase{
				ZH: "播放机正在启动，请稍候再试", EN: "The player is starting, try again in a moment",
			}})
		}
	}
}
