package equipment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// quickly is how long a Set waits for a command that may take minutes, before it says that the
	// command is accepted.
	quickly = 3 * time.Second
	// flightTime bounds a power command of a projector that does not say how long it takes.
	flightTime = 10 * time.Second
	// acceptTime is how long a projector that has accepted a command may go on saying what it was.
	acceptTime = 6 * time.Second
	// inputTries bounds the read-backs of an input; a projector looks for the signal first.
	inputTries = 30
)

// flight is a power command under way. Some projectors answer only when the lamp burns and must not
// be spoken to before: ESC/VP21 says so of PWR ON, and allows 40, 70 or 100 s for the first, second
// and third try to strike the lamp.
type flight struct {
	on   bool
	long chan struct{} // closed when it takes longer than anybody should wait
	over chan struct{} // closed when it has ended
	err  error         // then
}

// standing tells how often the mains has come or gone, see enter, and whether a command is under way.
func (p *projector) standing() (mains uint64, flying bool) {
	p.state.Lock()
	defer p.state.Unlock()
	return p.mains, p.flight != nil
}

// launch sends a power command in the background. The caller has the turn. What it leads to is shown
// at once where asked, else when it is accepted.
func (p *projector) launch(on, show bool) (*flight, error) {
	f := &flight{on: on, long: make(chan struct{}), over: make(chan struct{})}
	p.state.Lock()
	err := p.behind(func(life context.Context) { p.fly(life, f) })
	if err == nil {
		p.flight, p.kept.power = f, ""
		if !on {
			p.kept = kept{}
		}
		if show {
			p.show(f)
		}
	}
	p.state.Unlock()
	if err != nil {
		return nil, err
	}
	p.tell() // from now on what it was is only assumed: guards must not rely on it
	return f, nil
}

// fly carries a flight out.
func (p *projector) fly(life context.Context, f *flight) {
	limit := flightTime
	if p.slow != nil {
		limit = max(limit, p.slow.Patience("power"))
	}
	ctx, cancel := context.WithTimeout(line.WithUrgency(life, line.Person), limit)
	defer cancel()
	answer := make(chan error, 1)
	go func() { answer <- p.beam.SetPower(ctx, f.on) }()
	patient := time.NewTimer(quickly)
	defer patient.Stop()
	var err error
	select {
	case err = <-answer:
	case <-patient.C:
		p.moves(f)
		close(f.long)
		err = <-answer
	}
	if err == nil || errors.Is(err, devices.ErrSent) {
		p.moves(f)
	} else {
		p.spec.Log.Warn("switching the projector", "on", f.on, "error", err)
	}
	p.state.Lock()
	if p.flight == f {
		p.flight = nil
		if err == nil {
			p.dueUntil = time.Now().Add(acceptTime)
		} else if !errors.Is(err, devices.ErrSent) {
			p.due = "" // the next reading tells what it is
		}
	}
	p.state.Unlock()
	if lost(err) {
		p.report.Reach(err)
	}
	f.err = err
	close(f.over)
	p.pollSoon()
}

// moves shows that the projector does what a flight tells it.
func (p *projector) moves(f *flight) {
	p.state.Lock()
	mine := p.flight == f
	if mine && p.due == "" {
		p.show(f)
	}
	p.state.Unlock()
	if mine {
		p.tell()
	}
}

// show takes the state that a flight leads to. The caller holds state.
func (p *projector) show(f *flight) {
	p.due = devices.PowerCooling
	if f.on {
		p.due = devices.PowerWarming
	}
	p.dueUntil = time.Now().Add(acceptTime)
	p.change(p.due, devices.Assumed, time.Now())
}

// Set implements devices.Device.
func (p *projector) Set(ctx context.Context, property string, v devices.Value) error {
	switch property {
	case "power":
		return p.setPower(ctx, v.String() == string(devices.PowerOn))
	case "input":
		c, ok := byID(p.inputs, v.String())
		if !ok {
			return fmt.Errorf("there is no input %q", v.String())
		}
		return p.withTurn(ctx, property, false, func() error { return p.setInput(ctx, c) })
	}
	return noSuch(property)
}

// setPower switches the projector, unless it is on its way there, and confirms that it has obeyed.
func (p *projector) setPower(ctx context.Context, on bool) error {
	var f *flight
	err := p.withTurn(ctx, "power", false, func() (err error) {
		f, err = p.decide(ctx, on)
		return err
	})
	if err != nil || f == nil {
		return err
	}
	select {
	case <-f.over:
	case <-f.long:
		return devices.ErrAccepted
	case <-ctx.Done():
		return fmt.Errorf("%s: switching: %w", p.spec.ID, context.Cause(ctx))
	}
	if f.err != nil {
		if !errors.Is(f.err, devices.ErrSent) {
			_ = p.Refresh(ctx)
		}
		return fmt.Errorf("%s: switching: %w", p.spec.ID, f.err)
	}
	for {
		if err := p.Refresh(ctx); err != nil {
			return devices.ErrAccepted // it was acknowledged; what it does now is not known yet
		}
		switch power, q := p.now(); {
		case q == devices.Assumed:
			if !sleep(ctx, hurry) {
				return devices.ErrAccepted
			}
		case on == (power == devices.PowerWarming || power == devices.PowerOn):
			return nil
		default:
			return &devices.Rejection{Code: "read-back", Reason: devices.Phrase{
				ZH: "投影机应答了，但没有执行", EN: fmt.Sprintf("The projector acknowledged but is %s", power),
			}}
		}
	}
}

func (p *projector) now() (devices.Power, devices.Quality) {
	p.state.Lock()
	defer p.state.Unlock()
	return p.power, p.quality
}

// decide says what becomes of a wish for the power: a flight, an outcome, or nil where it is
// fulfilled. The caller has the turn.
func (p *projector) decide(ctx context.Context, on bool) (*flight, error) {
	flying, err := p.present(ctx)
	if err != nil {
		return nil, err
	}
	p.state.Lock()
	same, outcome := p.judgePower(p.heading(flying), on)
	if same && outcome == nil && flying != nil {
		outcome = devices.ErrAccepted
	}
	p.state.Unlock()
	if same || outcome != nil {
		p.tell()
		return nil, outcome
	}
	return p.launch(on, false)
}

// present reads how the projector is, unless a command holds the line: then that is returned.
func (p *projector) present(ctx context.Context) (*flight, error) {
	p.state.Lock()
	f := p.flight
	p.state.Unlock()
	if f != nil {
		return f, nil
	}
	if _, err := p.readNow(ctx); err != nil {
		return nil, err
	}
	p.state.Lock()
	defer p.state.Unlock()
	return p.flight, nil // the reading may have launched what was kept
}

// heading is the power that counts for a command: a flight is a transition already. The caller holds
// state.
func (p *projector) heading(flying *flight) devices.Power {
	switch {
	case flying == nil:
		return p.power
	case flying.on:
		return devices.PowerWarming
	}
	return devices.PowerCooling
}

// setInput chooses an input and reads it back. The caller has the turn.
func (p *projector) setInput(ctx context.Context, c Choice) error {
	flying, err := p.present(ctx)
	if err != nil {
		return err
	}
	p.state.Lock()
	outcome := p.judgeInput(p.heading(flying), c)
	if outcome == nil {
		p.kept.input = "" // the last one wins
	}
	p.state.Unlock()
	if outcome != nil {
		return outcome
	}
	return p.fulfil(ctx, wish{
		property: "input", value: devices.Word(c.ID), tries: inputTries,
		send: func(ctx context.Context) error { return p.beam.SetInput(ctx, c.Code) },
		met:  func() bool { return p.input == c.Code },
		unmet: func() devices.Phrase {
			return devices.Phrase{ZH: "投影机应答了，但信号没有切换", EN: "The projector acknowledged but shows another input"}
		},
		void: func() bool { return p.turn.wanted("power") },
	})
}
