// Package hyperdeck drives Blackmagic HyperDeck disk recorders by their Ethernet protocol, TCP port
// 9993 (HyperDeck manual, "HyperDeck Ethernet Protocol", version 1.11).
//
// What the recorders are like, and what it means here:
//
//   - They introduce themselves on a new connection ("500 connection info:") or refuse it ("120
//     connection rejected"): most serve one controller at a time.
//   - An answer is one line, or a block that ends with an empty line. What the recorder says by
//     itself comes in the same form with codes from 500 on, and may stand between a command and its
//     answer.
//   - Nothing is said by itself before it is asked for with notify. Recorders of old firmware do not
//     know every notification; they are asked for fewer, and polled.
//   - With remote control disabled at the front panel every command that changes something is
//     answered 111. `override: true` takes control for this connection whatever the panel says.
//   - There is no pause: stop keeps the picture. Forward and back are a play with the speed of the
//     settings; next and previous go from clip to clip.
package hyperdeck

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	replyTime = 3 * time.Second
	// usualSpeed is four times that of play: fast enough to search, slow enough to see.
	usualSpeed = 400
)

// Driver describes the driver.
func Driver() devices.Driver {
	return devices.Driver{
		Name: "hyperdeck", Equipment: "Blackmagic HyperDeck disk recorders",
		Facts: "Blackmagic HyperDeck manual, section HyperDeck Ethernet Protocol, version 1.11",
		Kinds: []string{"recorder", "player"}, Lines: []line.Kind{line.TCP}, Feedback: "state, speaks up by itself",
		Settings: func() any { return &Settings{Shuttle: usualSpeed} },
		Probe: &devices.Probe{Protocol: "HyperDeck", Ask: func(line.Kind, any) line.Exchange {
			return line.Exchange{
				Request: encode("device info"), Note: "device info", Timeout: 2 * time.Second, Explain: model,
				Find: line.FindFrame(split, func(f []byte) bool { return codeOf(f) == codeDevice }),
			}
		}},
		New: create,
	}
}

// Settings are the driver's settings.
type Settings struct {
	Shuttle  int  `yaml:"shuttle" doc:"speed of forward and back in percent of play, 150 to 5000, of which old firmware takes 1600; default 400"`
	Override bool `yaml:"override" doc:"whether to take control even where the recorder's panel has remote control disabled"`
}

// Validate says what is wrong with the settings.
func (s *Settings) Validate() error {
	if s.Shuttle < 150 || s.Shuttle > 5000 {
		return fmt.Errorf("shuttle is %d: it is 150 to 5000, in percent of the speed of play", s.Shuttle)
	}
	return nil
}

// Deck is one recorder. Its methods may be called from any goroutine.
type Deck struct {
	line    *line.Line
	set     Settings
	changed chan struct{}
}

var (
	_ devices.Player   = (*Deck)(nil)
	_ devices.Notifier = (*Deck)(nil)
)

func create(e devices.Env, settings any) (any, error) {
	d := &Deck{line: e.Line, set: *settings.(*Settings), changed: make(chan struct{}, 1)}
	if err := e.Line.Use(line.Session{Name: "HyperDeck", Split: split, Greet: d.greet, Explain: explain}); err != nil {
		return nil, fmt.Errorf("hyperdeck: %w", err)
	}
	e.Line.Hear(d.hear)
	return d, nil
}

// speak is what greets with: it is the line's way to speak directly.
type speak = func(context.Context, line.Exchange) ([]byte, error)

// greet waits for the deck's introduction and asks it to speak up.
func (d *Deck) greet(ctx context.Context, do speak) error {
	hello, err := do(ctx, line.Exchange{
		Note: "wait for the introduction", Timeout: replyTime, Explain: explain, Accept: func([]byte) bool { return true },
	})
	if err != nil {
		return err
	}
	r, err := parse(hello)
	switch {
	case err != nil:
		return err
	case r.code < 200:
		return fmt.Errorf("hyperdeck: %w", rejection(r))
	case r.code != codeGreeting:
		return fmt.Errorf("hyperdeck: %d %s in place of an introduction", r.code, clip(r.text))
	}
	for _, notify := range []string{"notify: transport: true remote: true slot: true", "notify: transport: true"} {
		err := d.tell(ctx, do, notify)
		if err == nil {
			break
		}
		if !errors.As(err, new(*devices.Rejection)) {
			return err
		}
	}
	if d.set.Override {
		return d.tell(ctx, do, "remote: override: true")
	}
	return nil
}

// tell sends one command of the greeting.
func (d *Deck) tell(ctx context.Context, do speak, command string) error {
	frame, err := do(ctx, exchange(command, codeOK))
	if err != nil {
		return err
	}
	_, err = read(command, frame)
	return err
}

// hear takes what the deck says by itself.
func (d *Deck) hear(frame []byte) {
	switch codeOf(frame) {
	case codeMoved, codeSlotNews, codeRemoteNews:
	default:
		return
	}
	select {
	case d.changed <- struct{}{}:
	default: // one is waiting already
	}
}

// Changed implements devices.Notifier.
func (d *Deck) Changed() <-chan struct{} { return d.changed }

func exchange(command string, want int) line.Exchange {
	return line.Exchange{
		Request: encode(command), Note: command, Timeout: replyTime, Explain: explain,
		Accept: func(f []byte) bool { return answers(f, want) },
	}
}

// read reads the answer to a command; an error of the deck is a *devices.Rejection.
func read(command string, frame []byte) (response, error) {
	r, err := parse(frame)
	if err == nil && r.code < 200 {
		err = rejection(r)
	}
	if err != nil {
		return response{}, fmt.Errorf("hyperdeck %s: %w", command, err)
	}
	return r, nil
}

// ask sends a command and reads its answer; want is the code of the answer that fits.
func (d *Deck) ask(ctx context.Context, command string, want int) (response, error) {
	frame, err := d.line.Do(ctx, exchange(command, want))
	if err != nil {
		return response{}, fmt.Errorf("hyperdeck %s: %w", command, err)
	}
	return read(command, frame)
}

// Transport implements devices.Player. A deck that runs has a disk; of one that stands still the slot
// is asked too, as its transport tells nothing of that.
func (d *Deck) Transport(ctx context.Context) (devices.Transport, error) {
	r, err := d.ask(ctx, "transport info", codeTransport)
	if err != nil {
		return "", err
	}
	t, ok := transportOf(r.values["status"], r.values["speed"])
	switch {
	case !ok:
		return "", fmt.Errorf("hyperdeck transport info: %w: the status %q is not known", line.ErrGarbled, clip(r.values["status"]))
	case t != devices.TransportStop:
		return t, nil
	}
	slot, err := d.ask(ctx, "slot info", codeSlot)
	no := new(devices.Rejection)
	switch {
	case err == nil && !hasMedia(slot.values["status"]), errors.As(err, &no) && no.Code == strconv.Itoa(codeNoDisk):
		return devices.TransportNoMedia, nil
	case err != nil && no.Code == "":
		return "", err
	}
	return t, nil // it has a disk, or does not know the question
}

// Transports implements devices.Player.
func (*Deck) Transports() []devices.Transport {
	return []devices.Transport{
		devices.TransportPlay, devices.TransportStop, devices.TransportBack, devices.TransportForward,
		devices.TransportPrevious, devices.TransportNext, devices.TransportRecord,
	}
}

// commandOf is the command that a press of a transport is; false where the decks have none.
func (s Settings) commandOf(t devices.Transport) (command string, ok bool) {
	command, ok = map[devices.Transport]string{
		devices.TransportPlay: "play", devices.TransportStop: "stop", devices.TransportRecord: "record",
		devices.TransportForward: fmt.Sprintf("play: speed: %d", s.Shuttle), devices.TransportBack: fmt.Sprintf("play: speed: -%d", s.Shuttle),
		devices.TransportNext: "goto: clip id: +1", devices.TransportPrevious: "goto: clip id: -1",
	}[t]
	return command, ok
}

// Act implements devices.Player.
func (d *Deck) Act(ctx context.Context, t devices.Transport) error {
	command, ok := d.set.commandOf(t)
	if !ok {
		return fmt.Errorf("a HyperDeck cannot be asked for %q", t)
	}
	_, err := d.ask(ctx, command, codeOK)
	return err
}
