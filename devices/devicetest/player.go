package devicetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"lectern/devices"
)

// PlayerCase is a player or recorder to be proved. Its pair's device is called "device". It has a
// disc, tape or disk with several chapters in it, is stopped, and records where it can. A recorder that
// cannot play is proved by its recording.
type PlayerCase struct {
	*Pair
	// Commands holds the bytes of the command that one press of each transport is. Every press must
	// put exactly one of them on the wire.
	Commands map[devices.Transport]string
	// Chapter tells at which chapter or clip the equipment truly stands, counted from 1; nil where
	// there is no next and previous.
	Chapter func() int
	// NoMedia is the equipment's fault in which there is nothing in it to play; empty where its media
	// cannot be taken out.
	NoMedia string
	// Unsaid are the transports that the equipment tells from others only while it was asked for them,
	// such as the direction of a scan: they are not looked for after somebody did them to it.
	Unsaid []devices.Transport
	// Nak is the equipment's fault in which it answers every command with its error reply.
	Nak string
	// Calm leaves out what a bad wire does, where another case of the driver proves it.
	Calm bool
}

// isState reports whether a transport can last, rather than only be asked for.
func isState(t devices.Transport) bool {
	return t != devices.TransportNext && t != devices.TransportPrevious && t != devices.TransportEject
}

// playerProof is one proof of a player.
type playerProof struct {
	PlayerCase
	deck devices.Player
}

// Player proves a player or recorder.
func Player(t *testing.T, c PlayerCase) {
	t.Helper()
	deck, ok := c.Capability.(devices.Player)
	if !ok {
		t.Fatalf("%T is no devices.Player", c.Capability)
	}
	p := playerProof{c, deck}
	t.Run("does what is asked and says so", p.acts)
	t.Run("every press is one command", p.presses)
	if c.Chapter != nil {
		t.Run("goes to the next and the previous", p.skips)
	}
	if slices.Contains(deck.Transports(), devices.TransportEject) {
		t.Run("ejects", p.ejects)
	}
	t.Run("reads and reports what somebody did to it", p.sees)
	t.Run("what it does not have is not sent", p.lacks)
	if c.NoMedia != "" {
		t.Run("without media it says so and rejects play", p.withoutMedia)
	}
	t.Run("an error reply is a rejection and changes nothing", p.naks)
	if c.Calm || testing.Short() {
		return
	}
	p.nudge(t, devices.TransportStop)
	states, next := p.states(), 0
	OnABadWire(t, WireCase{
		Heard: drained(c.Capability),

		Wire:  c.Wire,
		Read:  func(ctx context.Context) (any, error) { return deck.Transport(ctx) },
		Truth: func() any { return p.truth() },
		Change: func() {
			next++
			p.nudge(t, states[next%len(states)])
		},
	})
}

// truth is what the equipment really does.
func (p playerProof) truth() devices.Transport {
	return devices.Transport(p.Equipment.Truth()["device.transport"])
}

// states are the transports that can be asked for and last, but recording, which somebody at the
// equipment could not undo without leaving a new clip.
func (p playerProof) states() []devices.Transport {
	return slices.DeleteFunc(slices.Clone(p.deck.Transports()), func(t devices.Transport) bool {
		return !isState(t) || t == devices.TransportRecord || slices.Contains(p.Unsaid, t)
	})
}

// run is what makes it run: play, or record where it cannot play.
func (p playerProof) run() devices.Transport {
	if slices.Contains(p.deck.Transports(), devices.TransportPlay) {
		return devices.TransportPlay
	}
	return devices.TransportRecord
}

func (p playerProof) nudge(t *testing.T, to devices.Transport) {
	t.Helper()
	p.Nudge(t, "device", "transport", string(to))
}

// becomes waits until the equipment truly is so, as mechanics take their time, and wants it read.
func (p playerProof) becomes(t *testing.T, want devices.Transport) {
	t.Helper()
	Until(t, "it truly is "+string(want), func() bool { return p.truth() == want })
	if got, err := p.deck.Transport(Asking(t)); err != nil || got != want || p.truth() != want {
		t.Errorf("it says %q, %v; the truth is %q, want %q", got, err, p.truth(), want)
	}
}

func (p playerProof) act(t *testing.T, what devices.Transport) {
	t.Helper()
	if err := p.deck.Act(Asking(t), what); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// rejected wants the equipment's own no, in words for people.
func rejected(t *testing.T, what string, err error) {
	t.Helper()
	no := new(devices.Rejection)
	if !errors.As(err, &no) || no.Code == "" || no.Reason.ZH == "" || no.Reason.EN == "" {
		t.Errorf("%s: %v, want a rejection in both languages", what, err)
	}
}

func (p playerProof) acts(t *testing.T) {
	for _, want := range []devices.Transport{
		p.run(), devices.TransportPause, p.run(), devices.TransportForward, devices.TransportPlay,
		devices.TransportBack, devices.TransportForward, devices.TransportStop, devices.TransportRecord, devices.TransportStop,
	} {
		if slices.Contains(p.deck.Transports(), want) {
			p.act(t, want)
			p.becomes(t, want)
		}
	}
}

// heardTimes counts how often a command has reached the equipment since.
func (p playerProof) heardTimes(command string, since uint64) int {
	chunks, _, _ := p.Wire.Heard(since)
	return bytes.Count(bytes.Join(chunks, nil), []byte(command))
}

func (p playerProof) presses(t *testing.T) {
	const times = 3
	for _, what := range p.deck.Transports() {
		if what == devices.TransportEject {
			continue // the tray moves, and cannot be pressed at any time
		}
		command, ok := p.Commands[what]
		if !ok {
			continue
		}
		p.nudge(t, p.run())
		_, since, _ := p.Wire.Heard(0)
		for range times {
			p.act(t, what)
		}
		if got := p.heardTimes(command, since); got != times {
			t.Errorf("%d presses of %s were %d commands", times, what, got)
		}
	}
	p.nudge(t, devices.TransportStop)
}

func (p playerProof) skips(t *testing.T) {
	p.nudge(t, devices.TransportPlay)
	for _, c := range []struct {
		what devices.Transport
		by   int
	}{{devices.TransportNext, 1}, {devices.TransportNext, 1}, {devices.TransportPrevious, -1}} {
		want := p.Chapter() + c.by
		if want < 1 {
			t.Fatalf("%s leads to %d: the case must begin further back", c.what, want)
		}
		p.act(t, c.what)
		Until(t, "it stands there", func() bool { return p.Chapter() == want })
	}
	p.nudge(t, devices.TransportStop)
}

func (p playerProof) ejects(t *testing.T) {
	p.nudge(t, devices.TransportStop)
	p.act(t, devices.TransportEject)
	out := func() bool { return p.truth() == devices.TransportOpen || p.truth() == devices.TransportNoMedia }
	Until(t, "it is open or empty", out)
	Until(t, "it says so", func() bool {
		before := p.truth()
		got, err := p.deck.Transport(Asking(t))
		if err != nil || got != before && got != p.truth() {
			t.Errorf("it says %q, %v; the truth is %q", got, err, p.truth())
		}
		return got == p.truth() && out()
	})
	p.nudge(t, devices.TransportStop) // somebody puts it back
	p.becomes(t, devices.TransportStop)
}

func (p playerProof) sees(t *testing.T) {
	p.becomes(t, p.truth()) // the connection is up
	for _, want := range p.states() {
		heard := drained(p.Capability)
		before := p.truth()
		p.nudge(t, want)
		if before != want {
			notified(t, heard)
		}
		p.becomes(t, want)
	}
	p.nudge(t, devices.TransportStop)
}

func (p playerProof) lacks(t *testing.T) {
	p.becomes(t, p.truth()) // whatever greets has greeted
	_, before, _ := p.Wire.Heard(0)
	for _, what := range []devices.Transport{"", "sideways", devices.TransportNoMedia, devices.TransportStandby} {
		if err := p.deck.Act(Asking(t), what); err == nil {
			t.Errorf("%q was taken", what)
		}
	}
	if chunks, after, _ := p.Wire.Heard(before); after != before {
		t.Errorf("%q was sent", chunks)
	}
}

func (p playerProof) withoutMedia(t *testing.T) {
	heard := drained(p.Capability)
	p.Fault(t, p.NoMedia)
	notified(t, heard)
	p.becomes(t, devices.TransportNoMedia)
	rejected(t, "playing nothing", p.deck.Act(Asking(t), devices.TransportPlay))
	p.becomes(t, devices.TransportNoMedia)
	p.Fault(t, "")
	p.becomes(t, devices.TransportStop)
}

func (p playerProof) naks(t *testing.T) {
	before := p.truth()
	p.Fault(t, p.Nak)
	rejected(t, string(p.run()), p.deck.Act(Asking(t), p.run()))
	if p.truth() != before {
		t.Errorf("it changed from %q to %q", before, p.truth())
	}
	if got, err := p.deck.Transport(Asking(t)); err == nil {
		t.Errorf("it says %q", got)
	}
	p.Fault(t, "")
	p.becomes(t, before)
}
