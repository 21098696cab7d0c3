package equipment

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// remote is equipment behind an infrared emitter: it is told, and never answers. It is a deck, a
// switcher and a projector in one.
type remote struct {
	mu   sync.Mutex
	told map[string]string
	sent []string
	fail func() error // of an emission
	away bool         // the emitter does not answer
}

func newRemote() *remote { return &remote{told: make(map[string]string)} }

func (r *remote) but(f func(r *remote)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r)
}

func (r *remote) emissions() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(r.sent)
}

// emit sends a button. What it brings about is assumed from then on; "" is nothing that lasts.
func (r *remote) emit(ctx context.Context, button, what string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", line.ErrExpired, context.Cause(ctx))
	}
	if r.fail != nil {
		if err := r.fail(); err != nil {
			delete(r.told, what)
			return err
		}
	}
	r.sent = append(r.sent, button)
	if what != "" {
		r.told[what] = button
	}
	return devices.ErrSent
}

func (r *remote) last(what string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return "", errSilence
	}
	if state, ok := r.told[what]; ok {
		return state, devices.ErrSent
	}
	return "", &devices.Refusal{Reason: devices.Phrase{ZH: "不能读", EN: "cannot be read"}}
}

func (r *remote) Transport(context.Context) (devices.Transport, error) {
	state, err := r.last("transport")
	return devices.Transport(state), err
}

func (*remote) Transports() []devices.Transport {
	return []devices.Transport{devices.TransportPlay, devices.TransportStop, devices.TransportNext, devices.TransportEject}
}

func (r *remote) Act(ctx context.Context, t devices.Transport) error {
	switch t {
	case devices.TransportNext:
		return r.emit(ctx, string(t), "")
	case devices.TransportEject:
		err := r.emit(ctx, string(t), "")
		r.but(func(r *remote) { delete(r.told, "transport") })
		return err
	}
	return r.emit(ctx, string(t), "transport")
}

func (r *remote) Selected(_ context.Context, output string) (string, error) {
	return r.last("output " + output)
}
func (r *remote) Select(ctx context.Context, output, input string) error {
	return r.emit(ctx, input, "output "+output)
}

func (r *remote) Status(context.Context) (devices.ProjectorStatus, error) {
	input, err := r.last("input")
	return devices.ProjectorStatus{Input: input, Lamp: -1}, err
}

func (r *remote) SetPower(ctx context.Context, on bool) error {
	r.but(func(r *remote) { delete(r.told, "input") })
	return r.emit(ctx, map[bool]string{true: "power-on", false: "power-off"}[on], "")
}

func (r *remote) SetInput(ctx context.Context, code string) error { return r.emit(ctx, code, "input") }

func deckOn(r *remote) func() devices.Device {
	return func() devices.Device { return NewPlayer(quiet("deck"), PlayerSpec{}, r) }
}

func TestOneWayPlayerIsAssumed(t *testing.T) {
	r := newRemote()
	onBench(t, deckOn(r), func(b *bench) {
		time.Sleep(time.Minute)
		b.want("transport", "", devices.Unknown)
		if b.lastReach() != nil || r.emissions() != "[]" {
			t.Errorf("that it cannot be read is no failure (%v), and nothing is sent for it (%s)", b.lastReach(), r.emissions())
		}
		b.wantResult("transport", devices.Word("play"), devices.Sent)
		b.want("transport", "play", devices.Assumed)
		time.Sleep(2 * pollUsual)
		b.want("transport", "play", devices.Assumed)
		b.wantResult("transport", devices.Word("play"), devices.Sent) // again is a second press
		if r.emissions() != "[play play]" {
			t.Errorf("sent %s", r.emissions())
		}
	})
}

func TestOneWayActsClaimNothing(t *testing.T) {
	r := newRemote()
	onBench(t, deckOn(r), func(b *bench) {
		b.wantResult("transport", devices.Word("next"), devices.Sent)
		b.want("transport", "", devices.Unknown)
		b.wantResult("transport", devices.Word("play"), devices.Sent)
		b.wantResult("transport", devices.Word("next"), devices.Sent)
		time.Sleep(2 * pollUsual)
		b.want("transport", "play", devices.Assumed)
		b.wantResult("transport", devices.Word("eject"), devices.Sent)
		time.Sleep(2 * pollUsual)
		b.want("transport", "", devices.Unknown) // open, or closed again
	})
}

func TestOneWayPlayerOffersOnlyWhatCanBe(t *testing.T) {
	p := NewPlayer(quiet("deck"), PlayerSpec{}, newRemote()).Properties()[0]
	for _, word := range []string{"play", "stop", "next", "eject"} {
		if !p.Asks(devices.Word(word)) {
			t.Errorf("%s cannot be asked for", word)
		}
	}
	for _, word := range []string{"pause", "open", "no-media", "standby"} {
		if p.Asks(devices.Word(word)) {
			t.Errorf("%s can be asked for", word)
		}
	}
}

func TestOneWayPressWhoseAnswerIsLostIsNotAssumed(t *testing.T) {
	r := newRemote()
	onBench(t, deckOn(r), func(b *bench) {
		b.wantResult("transport", devices.Word("stop"), devices.Sent)
		r.but(func(r *remote) { r.fail = func() error { return errAnswerLost } })
		b.wantResult("transport", devices.Word("play"), devices.Failed)
		time.Sleep(2 * pollUsual)
		b.want("transport", "", devices.Unknown)
	})
}

func TestOneWayEmitterThatIsGoneIsToldAndEnds(t *testing.T) {
	r := newRemote()
	onBench(t, deckOn(r), func(b *bench) {
		b.wantResult("transport", devices.Word("play"), devices.Sent)
		r.but(func(r *remote) { r.away = true })
		time.Sleep(2 * pollUsual)
		if b.lastReach() == nil {
			t.Error("nobody said that the emitter is gone")
		}
		r.but(func(r *remote) { r.away = false })
		time.Sleep(2 * pollUsual)
		if b.lastReach() != nil {
			t.Errorf("it is back, yet: %v", b.lastReach())
		}
		b.want("transport", "play", devices.Assumed)
	})
}

func TestOneWayMatrixIsAssumed(t *testing.T) {
	r := newRemote()
	one := []Choice{{ID: "screen", Code: "1"}}
	onBench(t, func() devices.Device { return NewMatrix(quiet("switcher"), inputs, one, r) }, func(b *bench) {
		time.Sleep(time.Minute)
		b.want("screen", "", devices.Unknown)
		b.wantResult("screen", devices.Word("dvd"), devices.Sent)
		time.Sleep(2 * pollUsual)
		b.want("screen", "dvd", devices.Assumed)
		if r.emissions() != "[30]" {
			t.Errorf("sent %s", r.emissions())
		}
	})
}

func TestOneWayProjectorGoesByTheClock(t *testing.T) {
	r := newRemote()
	spec := ProjectorSpec{Inputs: inputs, Warm: 40 * time.Second, Cool: time.Minute, Queue: true}
	onBench(t, func() devices.Device { return NewProjector(quiet("beam"), spec, r) }, func(b *bench) {
		time.Sleep(time.Minute)
		for _, property := range []string{"power", "input", "lamp", "fault"} {
			b.want(property, "", devices.Unknown)
		}
		if r.emissions() != "[]" {
			t.Errorf("nobody asked for anything, yet it sent %s", r.emissions())
		}
		b.wantResult("power", devices.Word("on"), devices.Sent)
		b.want("power", "warming", devices.Assumed)
		b.wantResult("input", devices.Word("dvd"), devices.Accepted) // kept until the lamp burns
		time.Sleep(30 * time.Second)
		b.want("power", "warming", devices.Assumed)
		if r.emissions() != "[power-on]" {
			t.Errorf("sent %s while the lamp warms up", r.emissions())
		}
		time.Sleep(20 * time.Second)
		b.want("power", "on", devices.Assumed)
		b.want("input", "dvd", devices.Assumed)
		b.wantResult("power", devices.Word("on"), devices.Sent) // somebody may have switched it off
		time.Sleep(time.Minute)
		b.want("power", "on", devices.Assumed)
		b.wantResult("power", devices.Word("off"), devices.Sent)
		time.Sleep(30 * time.Second)
		b.want("power", "cooling", devices.Assumed)
		time.Sleep(40 * time.Second)
		b.want("power", "off", devices.Assumed)
		b.want("fault", "", devices.Unknown)
		b.wantResult("input", devices.Word("dvd"), devices.Refused)
		synctest.Wait()
		r.mu.Lock()
		defer r.mu.Unlock()
		if !slices.Equal(r.sent, []string{"power-on", "30", "power-on", "power-off"}) {
			t.Errorf("sent %v", r.sent)
		}
	})
}
