package devicetest

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// OneWayPlayerCase is a player or recorder to be proved that can be told and not asked. Its pair's
// device is called "device", plays and stops, and its equipment counts in "device.emissions" how many
// commands have truly reached it.
type OneWayPlayerCase struct {
	*Pair
	// Nak is the fault in which every command is refused by what carries it.
	Nak string
	// Busy is the fault in which what carries it is in use by others, and Briefly the one in which
	// that ends by itself. Empty where there is no such thing.
	Busy, Briefly string
	// Late is a delay that no answer may have, for the wire: "late=3s".
	Late string
	// Calm leaves out what a bad wire does, where another case of the driver proves it.
	Calm bool
}

// oneWayProof is one proof of a player that cannot be read.
type oneWayProof struct {
	OneWayPlayerCase
	deck devices.Player
}

// OneWayPlayer proves that a player which cannot be read is never said to do anything: what was sent
// is assumed, and where it is not certain that it was sent, nothing is.
func OneWayPlayer(t *testing.T, c OneWayPlayerCase) {
	t.Helper()
	deck, ok := c.Capability.(devices.Player)
	if !ok {
		t.Fatalf("%T is no devices.Player", c.Capability)
	}
	p := oneWayProof{c, deck}
	t.Run("nothing is known and nothing sent before somebody asks", p.begins)
	t.Run("every press is sent once and then assumed", p.presses)
	t.Run("what somebody did to it is not seen", p.blind)
	t.Run("what it does not have is not sent", p.lacks)
	t.Run("what is late is not sent", p.late)
	t.Run("a refusal changes nothing", p.naks)
	if c.Busy != "" {
		t.Run("what is in use is tried again in time", p.busy)
	}
	if c.Calm || testing.Short() {
		return
	}
	for _, fault := range []string{"silence", "late=300ms", c.Late, "garbage", "flood", "unplug"} {
		t.Run(fault, func(t *testing.T) { p.onABadWire(t, fault) })
	}
}

func (p oneWayProof) truth() devices.Transport {
	return devices.Transport(p.Equipment.Truth()["device.transport"])
}

func (p oneWayProof) emissions(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(p.Equipment.Truth()["device.emissions"])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sends presses a button and wants it sent, once, and no more claimed of it.
func (p oneWayProof) sends(t *testing.T, what devices.Transport) {
	t.Helper()
	before := p.emissions(t)
	if err := p.deck.Act(Asking(t), what); !errors.Is(err, devices.ErrSent) {
		t.Errorf("%s: %v, want it sent", what, err)
	}
	if got := p.emissions(t) - before; got != 1 {
		t.Errorf("one press of %s reached the equipment %d times", what, got)
	}
}

// assumes wants a transport that is assumed.
func (p oneWayProof) assumes(t *testing.T, want devices.Transport) {
	t.Helper()
	if got, err := p.deck.Transport(Asking(t)); got != want || !errors.Is(err, devices.ErrSent) {
		t.Errorf("it says %q, %v; want %q assumed", got, err, want)
	}
}

// knowsNothing wants a transport that is unknown, and not for want of an answer.
func (p oneWayProof) knowsNothing(t *testing.T) {
	t.Helper()
	no := new(devices.Refusal)
	if got, err := p.deck.Transport(Asking(t)); !errors.As(err, &no) || no.Reason.ZH == "" || no.Reason.EN == "" {
		t.Errorf("it says %q, %v; want it unknown, in both languages", got, err)
	}
}

func (p oneWayProof) begins(t *testing.T) {
	p.knowsNothing(t)
	if n := p.emissions(t); n != 0 {
		t.Errorf("%d commands reached the equipment, and nobody pressed anything", n)
	}
}

func (p oneWayProof) presses(t *testing.T) {
	for range 2 {
		for _, what := range p.deck.Transports() {
			if !isState(what) {
				continue
			}
			p.sends(t, what)
			p.assumes(t, what)
			if p.truth() != what {
				t.Errorf("the truth is %q, want %q", p.truth(), what)
			}
		}
	}
	for _, what := range []devices.Transport{devices.TransportNext, devices.TransportPrevious} {
		if slices.Contains(p.deck.Transports(), what) {
			p.sends(t, devices.TransportPlay)
			p.sends(t, what)
			p.assumes(t, devices.TransportPlay)
		}
	}
	if slices.Contains(p.deck.Transports(), devices.TransportEject) {
		p.sends(t, devices.TransportEject)
		p.knowsNothing(t) // open, or closed again
	}
	p.sends(t, devices.TransportStop)
	p.assumes(t, devices.TransportStop)
}

func (p oneWayProof) blind(t *testing.T) {
	p.Nudge(t, "device", "transport", string(devices.TransportPlay))
	p.assumes(t, devices.TransportStop)
	p.sends(t, devices.TransportStop) // it is sent although it is what is assumed
	if p.truth() != devices.TransportStop {
		t.Errorf("the truth is %q", p.truth())
	}
}

func (p oneWayProof) lacks(t *testing.T) {
	before := p.emissions(t)
	for _, what := range []devices.Transport{"", "sideways", devices.TransportNoMedia, devices.TransportStandby} {
		if err := p.deck.Act(Asking(t), what); err == nil || errors.Is(err, devices.ErrSent) {
			t.Errorf("%q: %v", what, err)
		}
	}
	if got := p.emissions(t); got != before {
		t.Errorf("%d commands reached the equipment", got-before)
	}
}

func (p oneWayProof) late(t *testing.T) {
	before := p.emissions(t)
	ctx, cancel := context.WithCancel(Asking(t))
	cancel()
	if err := p.deck.Act(ctx, devices.TransportPlay); !errors.Is(err, line.ErrExpired) {
		t.Errorf("got %v", err)
	}
	p.assumes(t, devices.TransportStop)
	if got := p.emissions(t); got != before {
		t.Error("what had expired was sent")
	}
}

func (p oneWayProof) naks(t *testing.T) {
	before := p.emissions(t)
	p.Fault(t, p.Nak)
	rejected(t, "play", p.deck.Act(Asking(t), devices.TransportPlay))
	p.Fault(t, "")
	p.assumes(t, devices.TransportStop)
	if got := p.emissions(t); got != before {
		t.Error("what was refused reached the equipment")
	}
}

func (p oneWayProof) busy(t *testing.T) {
	p.Fault(t, p.Briefly)
	p.sends(t, devices.TransportPlay)
	p.assumes(t, devices.TransportPlay)
	p.Fault(t, p.Busy)
	before := p.emissions(t)
	ctx, cancel := context.WithTimeout(Asking(t), time.Second)
	defer cancel()
	no := new(devices.Rejection)
	if err := p.deck.Act(ctx, devices.TransportStop); !errors.As(err, &no) || !no.Busy {
		t.Errorf("got %v", err)
	}
	p.Fault(t, "")
	p.assumes(t, devices.TransportPlay)
	p.sends(t, devices.TransportStop)
	if got := p.emissions(t) - before; got != 1 {
		t.Errorf("%d commands reached the equipment: what was given up was sent later", got-1)
	}
}

// onABadWire presses while the wire fails. Whatever is assumed then is true, and a press is never
// sent twice.
func (p oneWayProof) onABadWire(t *testing.T, fault string) {
	p.recovers(t)
	if err := p.Wire.Fault(fault); err != nil {
		t.Fatal(err)
	}
	before := p.emissions(t)
	for i, what := range []devices.Transport{devices.TransportPlay, devices.TransportStop, devices.TransportPlay} {
		ctx, cancel := context.WithTimeout(line.WithUrgency(t.Context(), line.Person), 5*time.Second)
		err := p.deck.Act(ctx, what)
		// One whose answer is lost may reach the equipment after it was given up.
		reached, presses := p.emissions(t)-before, i+1
		switch {
		case err == nil:
			t.Errorf("%s is said to be done", what)
		case reached > presses, errors.Is(err, devices.ErrSent) && reached == 0:
			t.Errorf("%s: %v; %d presses reached the equipment %d times", what, err, presses, reached)
		}
		got, err := p.deck.Transport(ctx)
		cancel()
		if err == nil {
			t.Errorf("it is said to report %q", got)
		}
		if errors.Is(err, devices.ErrSent) && got != p.truth() {
			t.Errorf("%q is assumed, and the truth is %q", got, p.truth())
		}
	}
	if err := p.Wire.Fault(""); err != nil {
		t.Fatal(err)
	}
	p.recovers(t)
}

// recovers waits until a press is sent, which is then assumed.
func (p oneWayProof) recovers(t *testing.T) {
	t.Helper()
	Until(t, "a press that is sent", func() bool {
		ctx, cancel := context.WithTimeout(line.WithUrgency(t.Context(), line.Person), 5*time.Second)
		defer cancel()
		return errors.Is(p.deck.Act(ctx, devices.TransportStop), devices.ErrSent)
	})
	p.assumes(t, devices.TransportStop)
	if p.truth() != devices.TransportStop {
		t.Errorf("the truth is %q", p.truth())
	}
}
