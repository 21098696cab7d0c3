// Package denon drives the disc players of two makers that share a protocol and differ in its words:
// Denon Professional DN-500BD and DN-500BD MKII ("denon-bd"), and TASCAM BD-MP1 and BD-MP4K
// ("tascam-bd"), over RS-232 or TCP port 9030.
//
// What the players are like, and what it means here:
//
//   - A packet is @0 (Denon) or !7 (TASCAM), a command and a carriage return. It is acknowledged
//     with one byte or with a word; both are read. An acknowledgement says that the packet was
//     received, not that anything came of it, so the state is asked before and after.
//   - "Interval time between Commands is more than 30ms"; TASCAM's BD-MP1 wants 500 ms between a
//     command and the question for what came of it.
//   - The players say by themselves when their state changes, and say it again where the host does
//     not acknowledge that within 30 ms. Nothing is lost when it does not, so it does not.
//   - There is no word for stop. Who is stopped shows a menu (home, setup), which is read as stop.
//   - A player in standby answers nothing at all. It is shown as not answering, since a cable that
//     has come off looks the same. With `wake: true`, which is the default, play and eject switch it
//     on over RS-232. Over TCP the guides have no command for that.
//
// The baud rate is set in the player's own menu. Denon: 115200, "for all the serial commands to work
// properly". TASCAM: a player in standby hears 57600 only, so a line with `wake` needs that.
//
// The players' output level, in steps of one dB, and their mute are left to the room's amplifier.
package denon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// The guides have 300 ms on RS-232 and 30 ms on TCP, which a network between does not always
	// keep.
	replyTime   = time.Second
	commandRest = 30 * time.Millisecond
	statusRest  = 500 * time.Millisecond // TASCAM BD-MP1, between a command and a question

	wakeTime  = 40 * time.Second // from standby until the disc is read
	wakePause = time.Second
)

// Drivers returns the drivers "denon-bd" and "tascam-bd".
func Drivers() []devices.Driver {
	return []devices.Driver{
		driver(denonWords(), commandRest, "Denon Professional DN-500BD and DN-500BD MKII players",
			"DN-500BD MKII Serial Command Protocol Guide v1.00 (2017), sections 3 and 4"),
		driver(tascamWords(), statusRest, "TASCAM BD-MP1 and BD-MP4K players",
			"TASCAM BD-MP4K RS-232C/ETHERNET Protocol Specifications v1.00 and v1.01 (2021), BD-MP1 v1.01 (2020)"),
	}
}

func driver(d dialect, rest time.Duration, equipment, facts string) devices.Driver {
	return devices.Driver{
		Name: d.name, Equipment: equipment, Facts: facts,
		Feedback: "state, speaks up by itself",
		Kinds:    []string{"player"}, Lines: []line.Kind{line.Serial, line.TCP},
		Settings: func() any { return &Settings{Wake: true} },
		New: func(e devices.Env, settings any) (any, error) {
			p := &Player{dialect: d, line: e.Line, rest: rest, changed: make(chan struct{}, 1)}
			p.wakes = settings.(*Settings).Wake && e.Line.Config().Kind == line.Serial
			if err := e.Line.Use(line.Session{Name: d.name, Split: split, Explain: d.explain}); err != nil {
				return nil, fmt.Errorf("%s: %w", d.name, err)
			}
			e.Line.Hear(func(frame []byte) { p.note(d.parse(frame)) })
			return p, nil
		},
	}
}

// Settings are the drivers' settings.
type Settings struct {
	Wake bool `yaml:"wake" doc:"whether play and eject switch a silent player on; it works on a serial line only; default true"`
}

// Player is one player. Its methods may be called from any goroutine.
type Player struct {
	dialect
	line    *line.Line
	rest    time.Duration // after a command, before anything else
	wakes   bool
	changed chan struct{}
}

var (
	_ devices.Player   = (*Player)(nil)
	_ devices.Notifier = (*Player)(nil)
	_ devices.Slow     = (*Player)(nil)
)

// Changed implements devices.Notifier.
func (p *Player) Changed() <-chan struct{} { return p.changed }

// note takes what the player says by itself.
func (p *Player) note(m message) {
	if m.kind != told {
		return
	}
	select {
	case p.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// Patience implements devices.Slow: waking takes its time.
func (p *Player) Patience(string) time.Duration {
	if p.wakes {
		return wakeTime + 5*replyTime
	}
	return 5 * replyTime
}

// do sends a command, or asks for a subject, and returns the answer.
func (p *Player) do(ctx context.Context, command, subject string, rest time.Duration) (message, error) {
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: p.encode(command), Note: command, Timeout: replyTime, Pause: rest, Explain: p.explain,
		Find: func(got []byte) (start, end int, err error) { return p.find(got, subject, p.note) },
	})
	m := p.parse(frame)
	if err == nil && (m.kind == nacked || m.kind == busy) {
		err = rejection(m.kind)
	}
	if err != nil {
		return message{}, fmt.Errorf("%s %s: %w", p.name, command, err)
	}
	return m, nil
}

// ask asks for the subject and returns its value.
func (p *Player) ask(ctx context.Context, subject string) (string, error) {
	m, err := p.do(ctx, "?"+subject, subject, commandRest)
	value, _ := m.value(subject)
	return value, err
}

// tell sends a command and returns when the player has acknowledged it.
func (p *Player) tell(ctx context.Context, command string) error {
	_, err := p.do(ctx, command, "", p.rest)
	return err
}

// Transport implements devices.Player.
func (p *Player) Transport(ctx context.Context) (devices.Transport, error) {
	t, _, err := p.look(ctx)
	return t, err
}

// look asks what the player does. What runs has a disc; of what stands still the disc is asked too.
func (p *Player) look(ctx context.Context) (t devices.Transport, disc string, err error) {
	state, err := p.ask(ctx, p.stateWord)
	if err != nil {
		return "", "", err
	}
	t, ok := transportOf(state)
	if !ok {
		return "", "", fmt.Errorf("%s ?%s: %w: the state %q is not known", p.name, p.stateWord, line.ErrGarbled, clip(state))
	}
	if t != devices.TransportStop {
		return t, discIn, nil
	}
	disc, err = p.ask(ctx, p.discWord)
	switch {
	case err != nil:
		return "", "", err
	case disc == discNone:
		return devices.TransportNoMedia, disc, nil
	case disc == trayOpen:
		return devices.TransportOpen, disc, nil
	case disc == trayError:
		return "", "", fmt.Errorf("%s ?%s: %w", p.name, p.discWord, &devices.Rejection{Code: trayError, Reason: devices.Phrase{
			ZH: "光盘托盘故障", EN: "The disc tray is at fault",
		}})
	case !isDisc(disc):
		return "", "", fmt.Errorf("%s ?%s: %w: %q is not known", p.name, p.discWord, line.ErrGarbled, clip(disc))
	}
	return t, disc, nil
}

// Transports implements devices.Player.
func (*Player) Transports() []devices.Transport {
	return []devices.Transport{
		devices.TransportPlay, devices.TransportStop, devices.TransportPause, devices.TransportBack, devices.TransportForward,
		devices.TransportPrevious, devices.TransportNext, devices.TransportEject,
	}
}

// Act implements devices.Player. A player acknowledges what it then does not do, so one that cannot
// is found out before.
func (p *Player) Act(ctx context.Context, t devices.Transport) error {
	command, ok := p.act[t]
	if !ok && t != devices.TransportEject {
		return fmt.Errorf("a %s player cannot be asked for %q", p.name, t)
	}
	now, err := p.Transport(ctx)
	if errors.Is(err, line.ErrNoReply) && p.wakes && (t == devices.TransportPlay || t == devices.TransportEject) {
		now, err = p.wake(ctx)
	}
	switch {
	case t == devices.TransportEject && errors.As(err, new(*devices.Rejection)): // a tray at fault: try it
		return p.tell(ctx, p.open)
	case err != nil:
		return err
	case t == devices.TransportEject && now == devices.TransportOpen:
		return p.tell(ctx, p.closed)
	case t == devices.TransportEject:
		return p.tell(ctx, p.open)
	case now == devices.TransportNoMedia:
		return fmt.Errorf("%s %s: %w", p.name, command, &devices.Rejection{Code: discNone, Reason: devices.Phrase{
			ZH: "播放机里没有光盘", EN: "There is no disc in the player",
		}})
	}
	if err := p.tell(ctx, command); err != nil {
		return err
	}
	if t == devices.TransportPlay && now == devices.TransportOpen {
		return fmt.Errorf("%s %s: the tray is open: %w", p.name, command, devices.ErrAccepted)
	}
	return nil
}

// wake switches on a player that does not answer, and returns what it does when it has started and
// read its disc.
func (p *Player) wake(ctx context.Context) (devices.Transport, error) {
	if err := p.tell(ctx, p.on); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, wakeTime)
	defer cancel()
	for {
		now, disc, err := p.look(ctx)
		if err == nil && disc != trayClosed {
			return now, nil
		}
		select {
		case <-time.After(wakePause):
		case <-ctx.Done():
			if err == nil {
				err = errors.New("it still reads its disc")
			}
			return "", fmt.Errorf("%s %s: %w: %w", p.name, p.on, err, &devices.Rejection{Code: "starting", Busy: true, Reason: devices.Phrase{
				ZH: "播放机正在启动，请稍候再试", EN: "The player is starting, try again in a moment",
			}})
		}
	}
}
