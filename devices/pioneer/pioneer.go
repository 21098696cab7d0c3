// Package pioneer drives Pioneer's industrial DVD players, DVD-V5000, DVD-V7400 and DVD-V8000, over
// RS-232 (4800 or 9600 baud, as set in the player's menu, 8N1).
//
// What the players are like, and what it means here:
//
//   - A command is two letters, with its argument before it, and a carriage return. The answer is R
//     "when all the commands in a string have finished executing": a play from stop is answered when
//     the disc has spun up. Commands wait for that, up to 40 seconds.
//   - An error is answered E and two digits; what it means depends on what the player does, so that is
//     asked first.
//   - RJ stops the disc, and opens the tray where it has stopped already. 99RJ only stops it.
//   - There is no next and previous. The chapter, or the track of a CD, is asked, and the one beside
//     it is searched and played.
//   - A scan does not say whether it goes forward or back. While one lasts that was begun from here,
//     its direction is known; of one begun at the player no more is said than that the disc plays.
//   - The mode is "park" with and without a disc. The disc status (?D) tells them apart where the
//     player knows the question; where it does not, E11 to a play does, until the tray opens.
//
// Two ways to pause exist: ST holds the picture and PA blanks it. Some discs, and audio CDs, know only
// the second, for which there is `still: false`.
package pioneer

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
	readTime = time.Second
	moveTime = 40 * time.Second // for a command: the tray, the disc and a search are in it
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "pioneer-dvd", Equipment: "Pioneer industrial DVD players",
		Facts: "Pioneer DVD-V8000 RS-232C command reference v1.00 (2006), p. 7, 16, 65; DVD-V7400 RS-232C command protocol v4.02 (2003); " +
			"DVD-V5000 RS-232 command protocol p. 15-19; LD-V4400 manual p. 4-34 (disc status)",
		Kinds: []string{"player"}, Lines: []line.Kind{line.Serial, line.TCP},
		Settings: func() any { return &Settings{Still: true} },
		New: func(e devices.Env, settings any) (any, error) {
			if err := e.Line.Use(line.Session{Name: "Pioneer DVD", Split: split, Explain: explain}); err != nil {
				return nil, fmt.Errorf("pioneer: %w", err)
			}
			return &Player{line: e.Line, set: *settings.(*Settings)}, nil
		},
	}
}

// Settings are the driver's settings.
type Settings struct {
	Still bool `yaml:"still" doc:"whether pause holds the picture (ST); false blanks it (PA), which audio CDs need; default true"`
}

// Player is one player. Its methods may be called from any goroutine.
type Player struct {
	line *line.Line
	set  Settings

	mu    sync.Mutex
	scan  devices.Transport // that was begun from here, while it may last
	empty bool              // it has said that there is no disc, and has not been open since
}

var (
	_ devices.Player = (*Player)(nil)
	_ devices.Slow   = (*Player)(nil)
)

// Patience implements devices.Slow: the tray and the disc take their time.
func (*Player) Patience(string) time.Duration { return moveTime + 3*readTime }

// ask sends a command or question and returns the answer. An error is a *devices.Rejection, in words
// that fit the mode that the player was in.
func (p *Player) ask(ctx context.Context, command, now string, limit time.Duration) (message, error) {
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: encode(command), Note: command, Timeout: limit, Explain: explain,
		Accept: func(f []byte) bool { return parse(f).answers(command) },
	})
	m := parse(frame)
	if err == nil && m.kind == failed {
		err = rejection(m.text, now)
	}
	if err != nil {
		return message{}, fmt.Errorf("pioneer %s: %w", command, err)
	}
	return m, nil
}

// mode asks what the player does, and notes what that says of a scan and of the disc.
func (p *Player) mode(ctx context.Context) (string, error) {
	m, err := p.ask(ctx, queryMode, "", readTime)
	if err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.text != modeScan {
		p.scan = ""
	}
	if m.text != modePark {
		p.empty = false
	}
	return m.text, nil
}

func (p *Player) noted() (scan devices.Transport, empty bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.scan, p.empty
}

// Transport implements devices.Player.
func (p *Player) Transport(ctx context.Context) (devices.Transport, error) {
	now, err := p.mode(ctx)
	if err != nil {
		return "", err
	}
	t, known := transportOf(now)
	scan, empty := p.noted()
	switch {
	case !known:
		return "", fmt.Errorf("pioneer %s: %w: the mode %s is not known", queryMode, line.ErrGarbled, now)
	case now == modeScan && scan != "":
		return scan, nil
	case now != modePark:
		return t, nil
	}
	m, err := p.ask(ctx, queryDisc, now, readTime)
	switch {
	case errors.As(err, new(*devices.Rejection)): // a player that does not know the question
		if empty {
			return devices.TransportNoMedia, nil
		}
		return t, nil
	case err != nil:
		return "", err
	case m.text[0] == '0':
		return devices.TransportNoMedia, nil
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

// commandOf is the command that a press of a transport is in a mode; "" where the players have none,
// and for next and previous, which are a place on the disc.
func (s Settings) commandOf(t devices.Transport, now string) string {
	switch {
	case t == devices.TransportPause && s.Still:
		return cmdStill
	case t == devices.TransportEject && now == modeOpen:
		return cmdClose
	}
	return map[devices.Transport]string{
		devices.TransportPlay: cmdPlay, devices.TransportStop: cmdReject, devices.TransportPause: cmdPause,
		devices.TransportForward: cmdForward, devices.TransportBack: cmdBack, devices.TransportEject: cmdOpen,
	}[t]
}

// Act implements devices.Player.
func (p *Player) Act(ctx context.Context, t devices.Transport) error {
	step := map[devices.Transport]int{devices.TransportNext: 1, devices.TransportPrevious: -1}[t]
	if step == 0 && p.set.commandOf(t, "") == "" {
		return fmt.Errorf("a Pioneer DVD player cannot be asked for %q", t)
	}
	now, err := p.mode(ctx)
	if err != nil {
		return err
	}
	if step != 0 {
		return p.skip(ctx, step, now)
	}
	_, err = p.ask(ctx, p.set.commandOf(t, now), now, moveTime)
	p.note(t, err)
	return err
}

// note keeps what a command tells that the mode does not.
func (p *Player) note(t devices.Transport, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	no := new(devices.Rejection)
	switch {
	case errors.As(err, &no):
		p.empty = p.empty || no.Code == noDisc
	case t == devices.TransportForward, t == devices.TransportBack:
		p.scan = t
	default:
		p.scan = ""
	}
}

// skip goes by a number of chapters, or of tracks where the disc has no chapters.
func (p *Player) skip(ctx context.Context, by int, now string) error {
	query := queryChapter
	m, err := p.ask(ctx, query, now, readTime)
	if errors.As(err, new(*devices.Rejection)) && now != modePark && now != modeOpen {
		query = queryTrack
		m, err = p.ask(ctx, query, now, readTime)
	}
	if err != nil {
		return err
	}
	_, err = p.ask(ctx, goTo(query, max(m.value+by, 1)), now, moveTime)
	return err
}
