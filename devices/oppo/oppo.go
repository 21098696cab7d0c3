// Package oppo speaks the serial protocol of OPPO disc players (BDP-83 to BDP-105, UDP-203 and
// UDP-205), over RS-232 and, for the UDP models, over TCP.
//
// A command is #XXX with an argument and a carriage return; the answer is @OK or @ER, with the
// command's name between where the verbose mode is on ("BDP-103/BDP-105 RS-232 Control Protocol"
// v1.1). Verbose mode 2 is switched on at the start: then the player also says what somebody does at
// its own buttons.
package oppo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	replyTime = 10 * time.Second // after which a command is lost (protocol, section 2)
	readTime  = 2 * time.Second  // a query that takes longer is asked again
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "oppo", Equipment: "OPPO disc players",
		Facts: "OPPO BDP-103/BDP-105 RS-232 Control Protocol v1.1; UDP-203/UDP-205 manuals",
		Kinds: []string{"player"}, Lines: []line.Kind{line.Serial, line.TCP},
		Settings: func() any { return &Settings{} },
		New: func(e devices.Env, _ any) (any, error) {
			p := &Player{line: e.Line, changed: make(chan struct{}, 1)}
			if err := e.Line.Use(line.Session{Name: "OPPO", Split: split, Greet: greet, Explain: explain}); err != nil {
				return nil, fmt.Errorf("oppo: %w", err)
			}
			e.Line.Hear(p.hear)
			return p, nil
		},
	}
}

// Settings are the driver's settings: there are none.
type Settings struct{}

func split(got []byte) int { return bytes.IndexByte(got, '\r') + 1 }

// greet switches verbose mode 2 on. A player in standby may not answer; it is asked again with
// every new connection and does not need it for anything but speaking up by itself.
func greet(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
	_, err := do(ctx, line.Exchange{
		Request: []byte("#SVM 2\r"), Note: "verbose mode 2", Timeout: readTime,
		Accept: func(f []byte) bool { return accepts(f, "SVM") },
	})
	if errors.Is(err, line.ErrNoReply) {
		return nil
	}
	return err
}

// Player is one player.
type Player struct {
	line    *line.Line
	changed chan struct{}
}

var (
	_ devices.Player   = (*Player)(nil)
	_ devices.Volume   = (*Player)(nil)
	_ devices.Notifier = (*Player)(nil)
)

// Changed implements devices.Notifier.
func (p *Player) Changed() <-chan struct{} { return p.changed }

// hear takes what the player says by itself: @UPL PLAY, @UPW 1, @UVL 30.
func (p *Player) hear(frame []byte) {
	if bytes.HasPrefix(frame, []byte("@U")) {
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
}

// ask sends a command and returns what stands behind OK.
func (p *Player) ask(ctx context.Context, command, key string, limit time.Duration) (string, error) {
	name, _, _ := strings.Cut(command, " ")
	frame, err := p.line.Do(ctx, line.Exchange{
		Request: []byte("#" + command + "\r"), Note: command, Key: key, Timeout: limit, Explain: explain,
		Accept: func(f []byte) bool { return accepts(f, name) },
	})
	if err != nil {
		return "", fmt.Errorf("oppo %s: %w", command, err)
	}
	value, err := decode(frame, name)
	if err != nil {
		return "", fmt.Errorf("oppo %s: %w", command, err)
	}
	return value, nil
}

// accepts tells an answer from what the player says by itself, and from the answer to another
// command where the player echoes names.
func accepts(frame []byte, name string) bool {
	text := string(frame)
	return strings.HasPrefix(text, "@OK") || strings.HasPrefix(text, "@ER") || strings.HasPrefix(text, "@"+name+" ")
}

// decode reads an answer in either form: @OK PLAY or @PLA OK PLAY.
func decode(frame []byte, name string) (string, error) {
	text := strings.Trim(string(frame), "@\r\n ")
	text = strings.TrimPrefix(text, name+" ")
	word, value, _ := strings.Cut(text, " ")
	switch word {
	case "OK":
		return strings.TrimSpace(value), nil
	case "ER":
		return "", &devices.Rejection{Code: strings.TrimSpace("ER " + value), Reason: devices.Phrase{
			ZH: "播放机现在不接受此命令,请检查碟片", EN: "The player does not take this now: check that a disc is in",
		}}
	}
	return "", fmt.Errorf("not an answer of an OPPO player: %q", text)
}

// transportOf reads an answer to QPL.
func transportOf(state string) (devices.Transport, bool) {
	switch state {
	case "PLAY", "STEP":
		return devices.TransportPlay, true
	case "PAUSE":
		return devices.TransportPause, true
	case "STOP", "LOADING", "CLOSE", "SETUP", "HOME MENU", "MEDIA CENTER", "SCREEN SAVER", "DISC MENU":
		return devices.TransportStop, true
	case "FFWD", "SFWD":
		return devices.TransportForward, true
	case "FREV", "SREV":
		return devices.TransportBack, true
	case "NO DISC":
		return devices.TransportNoMedia, true
	case "OPEN":
		return devices.TransportOpen, true
	}
	// The speed, on firmware that says it in place of the direction: 2X, -3X.
	if strings.HasSuffix(state, "X") {
		if strings.HasPrefix(state, "-") {
			return devices.TransportBack, true
		}
		return devices.TransportForward, true
	}
	return "", false
}

// Transport implements devices.Player.
func (p *Player) Transport(ctx context.Context) (devices.Transport, error) {
	power, err := p.ask(ctx, "QPW", "", readTime)
	if err != nil {
		return "", err
	}
	if power == "OFF" {
		return devices.TransportStandby, nil
	}
	state, err := p.ask(ctx, "QPL", "", readTime)
	if err != nil {
		return "", err
	}
	t, ok := transportOf(state)
	if !ok {
		return "", fmt.Errorf("oppo QPL: unknown state %q", state)
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

// Act implements devices.Player. A player in standby is woken first: who presses play means it.
func (p *Player) Act(ctx context.Context, t devices.Transport) error {
	command, ok := map[devices.Transport]string{
		devices.TransportPlay: "PLA", devices.TransportStop: "STP", devices.TransportPause: "PAU",
		devices.TransportForward: "FWD", devices.TransportBack: "REV",
		devices.TransportNext: "NXT", devices.TransportPrevious: "PRE", devices.TransportEject: "EJT",
	}[t]
	if !ok {
		return fmt.Errorf("an OPPO player has no %s", t)
	}
	power, err := p.ask(ctx, "QPW", "", readTime)
	if err != nil {
		return err
	}
	if power == "OFF" {
		if _, err := p.ask(ctx, "PON", "", replyTime); err != nil {
			return err
		}
	}
	_, err = p.ask(ctx, command, "", replyTime)
	return err
}

// Volume implements devices.Volume. A muted player tells MUTE in place of its volume, which is then
// given as 0.
func (p *Player) Volume(ctx context.Context) (int, bool, error) {
	answer, err := p.ask(ctx, "QVL", "", readTime)
	if err != nil {
		return 0, false, err
	}
	if answer == "MUTE" {
		return 0, true, nil
	}
	percent, err := strconv.Atoi(answer)
	if err != nil || percent < 0 || percent > 100 {
		return 0, false, fmt.Errorf("oppo QVL: %q is no volume", answer)
	}
	return percent, false, nil
}

// SetVolume implements devices.Volume.
func (p *Player) SetVolume(ctx context.Context, percent int) error {
	_, err := p.ask(ctx, fmt.Sprintf("SVL %d", percent), "volume", replyTime)
	return err
}

// SetMute implements devices.Volume. The protocol has only a toggle, so the state is asked first.
func (p *Player) SetMute(ctx context.Context, muted bool) error {
	_, now, err := p.Volume(ctx)
	if err != nil || now == muted {
		return err
	}
	_, err = p.ask(ctx, "MUT", "", replyTime)
	return err
}

// explain says in words what a frame means.
func explain(frame []byte) string {
	text := strings.Trim(string(frame), "\r\n ")
	if rest, ok := strings.CutPrefix(text, "@U"); ok {
		return "says by itself: " + rest
	}
	return text
}
