// Package oppo drives OPPO disc players (BDP-83 to BDP-105, UDP-203 and UDP-205), over RS-232 (9600
// baud, 8N1) and, for the UDP models, over TCP port 23.
//
// What the players are like, and what it means here:
//
//   - A command is #XXX with an argument and a carriage return. The answer is @OK or @ER; with a
//     verbose mode above 0, and always on UDP models, the command's name stands before it
//     ("BDP-103/BDP-105 RS-232 Control Protocol" v1.1). Both forms are read.
//   - "If the host does not receive a response 10 seconds after the command is issued, the host may
//     consider the command lost." Commands wait for so long; questions, which are asked again
//     anyway, do not.
//   - In verbose mode 2 the player also says what somebody does at its own buttons. It forgets the
//     mode with the mains, so the mode is set on every connection, and again after standby and
//     whenever an answer comes without its name.
//   - Forward and back are one step of speed for each press, as on the remote control.
//   - A muted player tells MUTE in place of its volume. The volume that it told last is then given,
//     and 0 where it has told none.
//
// A player in standby takes no transport command. Who presses play or eject means it to wake up, so
// with `wake: true`, which is the default, it is switched on, waited for and then given the command.
// Everything else, and everything with `wake: false`, is refused while it is in standby.
package oppo

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	replyTime = 10 * time.Second // after which a command is lost
	readTime  = 2 * time.Second  // for a question
	// wakeTime bounds the time from standby to the first answer that says what the disc does.
	wakeTime  = 30 * time.Second
	wakePause = 500 * time.Millisecond // between two questions meanwhile
	// verboseTries is how often verbose mode is set in a row without an answer that bears its name:
	// a player that never does is not asked for it with every poll.
	verboseTries = 3
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "oppo", Equipment: "OPPO disc players",
		Facts: "OPPO BDP-103/BDP-105 RS-232 Control Protocol v1.1 (2012); UDP-203/UDP-205 RS-232 and IP Control Protocol (2017)",
		Kinds: []string{"player"}, Lines: []line.Kind{line.Serial, line.TCP}, Feedback: "state, speaks up by itself",
		Settings: func() any { return &Settings{Wake: true} },
		Probe: &devices.Probe{Protocol: "OPPO", Bauds: []int{9600}, Ask: func(line.Kind, any) line.Exchange {
			return line.Exchange{
				Request: encode(queryPower), Note: queryPower, Timeout: readTime / 2, Explain: explain,
				Find: line.FindFrame(split, func(f []byte) bool { return parse(f).answers(nameOf(queryPower)) }),
			}
		}},
		New: create,
	}
}

// Settings are the driver's settings.
type Settings struct {
	Wake bool `yaml:"wake" doc:"whether play and eject switch a player on that is in standby; default true"`
}

// Player is one player. Its methods may be called from any goroutine.
type Player struct {
	line    *line.Line
	wakes   bool
	changed chan struct{}

	mu      sync.Mutex
	volume  int  // as last told
	terse   bool // verbose mode is to be set
	renewed int  // times that it was, without an answer that bears its name
}

var (
	_ devices.Player   = (*Player)(nil)
	_ devices.Volume   = (*Player)(nil)
	_ devices.Notifier = (*Player)(nil)
	_ devices.Slow     = (*Player)(nil)
)

func create(e devices.Env, settings any) (any, error) {
	p := &Player{line: e.Line, wakes: settings.(*Settings).Wake, changed: make(chan struct{}, 1)}
	if err := e.Line.Use(line.Session{Name: "OPPO", Split: split, Greet: p.greet, Explain: explain}); err != nil {
		return nil, fmt.Errorf("oppo: %w", err)
	}
	e.Line.Hear(p.hear)
	return p, nil
}

// greet switches verbose mode 2 on. On a serial line the player may be off while the port is there:
// that is no reason to close the port, and the mode is set when the player is back.
func (p *Player) greet(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
	p.setTerse()
	frame, err := do(ctx, line.Exchange{
		Request: encode(cmdVerbose), Note: cmdVerbose, Timeout: readTime, Explain: explain,
		Accept: func(f []byte) bool { return parse(f).answers(nameOf(cmdVerbose)) },
	})
	switch {
	case err == nil:
		p.noteVerbose(parse(frame).ok)
	case errors.Is(err, line.ErrNoReply) && p.line.Config().Kind == line.Serial:
	default:
		return fmt.Errorf("oppo %s: %w", cmdVerbose, err)
	}
	return nil
}

// setTerse notes that the player may have forgotten its verbose mode for good reason.
func (p *Player) setTerse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.terse, p.renewed = true, 0
}

// noteVerbose notes how a player took the setting of the verbose mode. One that does not know it is
// polled, and not asked again before its next standby.
func (p *Player) noteVerbose(taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.terse = false
	if p.renewed++; !taken {
		p.renewed = verboseTries
	}
}

// noteForm notes whether an answer bore its name, as it must in verbose mode 2.
func (p *Player) noteForm(m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.name == "" {
		p.terse = true
	} else if !p.terse {
		p.renewed = 0
	}
}

func (p *Player) lacksVerbose() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.terse && p.renewed < verboseTries
}

// renew sets verbose mode 2 where the player has left it.
func (p *Player) renew(ctx context.Context) error {
	if !p.lacksVerbose() {
		return nil
	}
	_, err := p.ask(ctx, cmdVerbose, "", readTime)
	if err == nil || errors.As(err, new(*devices.Rejection)) {
		p.noteVerbose(err == nil)
		return nil
	}
	return err
}

// hear takes what the player says by itself.
func (p *Player) hear(frame []byte) {
	m := parse(frame)
	if m.kind != update || m.name != "UPL" && m.name != "UPW" && m.name != "UVL" {
		return // the time, every second, where somebody else has set verbose mode 3
	}
	if m.name == "UVL" {
		p.noteVolume(m.value)
	}
	select {
	case p.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// Changed implements devices.Notifier.
func (p *Player) Changed() <-chan struct{} { return p.changed }

// Patience implements devices.Slow: waking takes its time, and a lost answer is waited for.
func (p *Player) Patience(property string) time.Duration {
	if property == "transport" && p.wakes {
		return wakeTime + 2*replyTime
	}
	return readTime + replyTime
}

// ask sends a command and returns what stands behind OK. ER is a *devices.Rejection.
func (p *Player) ask(ctx context.Context, command, key string, limit time.Duration) (string, error) {
	name := nameOf(command)
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: encode(command), Note: command, Key: key, Timeout: limit, Explain: explain,
		Accept: func(f []byte) bool { return parse(f).answers(name) },
	})
	if err != nil {
		return "", fmt.Errorf("oppo %s: %w", command, err)
	}
	m := parse(frame)
	if command != cmdVerbose { // whose answer may be in the form of the mode before
		p.noteForm(m)
	}
	if !m.ok {
		return "", fmt.Errorf("oppo %s: %w", command, rejection(m, name, ""))
	}
	return m.value, nil
}

// isOn asks whether the player is out of standby.
func (p *Player) isOn(ctx context.Context) (bool, error) {
	power, err := p.ask(ctx, queryPower, "", readTime)
	switch {
	case err != nil:
		return false, err
	case power != "ON" && power != "OFF":
		return false, fmt.Errorf("oppo %s: %w: %q is neither ON nor OFF", queryPower, line.ErrGarbled, clip(power))
	case power == "OFF":
		p.setTerse()
	}
	return power == "ON", nil
}

// Transport implements devices.Player.
func (p *Player) Transport(ctx context.Context) (devices.Transport, error) {
	on, err := p.isOn(ctx)
	if err != nil {
		return "", err
	}
	if !on {
		return devices.TransportStandby, nil
	}
	if err := p.renew(ctx); err != nil {
		return "", err
	}
	state, err := p.ask(ctx, queryState, "", readTime)
	if err != nil {
		return "", err
	}
	t, ok := transportOf(state)
	if !ok {
		return "", fmt.Errorf("oppo %s: %w: the state %q is not known", queryState, line.ErrGarbled, clip(state))
	}
	return t, nil
}

// Transports implements devices.Player.
func (*Player) Transports() []devices.Transport {
	return []devices.Transport{
		devices.TransportPlay, devices.TransportStop, devices.TransportPause, devices.TransportBack, devices.TransportForward,
		devices.TransportPrevious, devices.TransportNext, devices.TransportEject,
	}
}

// Volume implements devices.Volume.
func (p *Player) Volume(ctx context.Context) (int, bool, error) {
	value, err := p.ask(ctx, queryVolume, "", readTime)
	if err != nil {
		return 0, false, err
	}
	_, muted, err := volumeOf(value)
	if err != nil {
		return 0, false, fmt.Errorf("oppo %s: %w: %w", queryVolume, line.ErrGarbled, err)
	}
	return p.noteVolume(value), muted, nil
}

// noteVolume keeps a volume that the player has told, for when it is muted and tells none, and
// returns the one that is kept.
func (p *Player) noteVolume(value string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if percent, muted, err := volumeOf(value); err == nil && !muted {
		p.volume = percent
	}
	return p.volume
}

// SetVolume implements devices.Volume. The player lifts a mute with it.
func (p *Player) SetVolume(ctx context.Context, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("oppo: a volume of %d %%: it is 0 to 100", percent)
	}
	_, err := p.ask(ctx, fmt.Sprintf("SVL %d", percent), "volume", replyTime)
	if err == nil {
		p.noteVolume(fmt.Sprint(percent))
	}
	return err
}

// SetMute implements devices.Volume. The state is asked first, since the command is a toggle, and the
// toggle says which way it went: somebody may have pressed the same button in between.
func (p *Player) SetMute(ctx context.Context, muted bool) error {
	_, now, err := p.Volume(ctx)
	if err != nil || now == muted {
		return err
	}
	wrong := map[bool]string{true: "UNMUTE", false: "MUTE"}[muted]
	became, err := p.ask(ctx, cmdMute, "", replyTime)
	if err == nil && became == wrong {
		_, err = p.ask(ctx, cmdMute, "", replyTime)
	}
	return err
}
