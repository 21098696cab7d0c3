package equipment

import (
	"context"
	"errors"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// keptLasts bounds, in transitions, how long a command is kept: nobody expects it any more.
	keptLasts = 3
	// busyTries and busyPause are for an input that was kept and is not taken yet: a lamp that has
	// just lit does not mean that everything behind it is ready.
	busyTries = 5
	busyPause = 2 * time.Second
)

// kept is what was asked during a transition and is done at its end; the last of each kind.
type kept struct {
	power devices.Power // PowerOn or PowerOff
	input string        // its id
	until time.Time
}

// judgePower says what becomes of a wish for the power: whether the projector is that way or on the
// way there, and otherwise why it is not sent now. The caller holds state.
func (p *projector) judgePower(power devices.Power, on bool) (same bool, outcome error) {
	want := devices.PowerOff
	if on {
		want = devices.PowerOn
	}
	transition := power == devices.PowerWarming || power == devices.PowerCooling
	switch {
	case p.oneWay && !transition:
		return false, nil // what it was last told may not be what it is
	case power == devices.PowerUnknown:
		return false, &devices.Refusal{For: p.spec.Poll, Reason: devices.Phrase{
			ZH: "投影机没有说明自己的状态，请稍后再试", EN: "The projector does not tell its state; try again",
		}}
	case leadsTo(power) == want:
		p.kept.power = "" // the last one wins: nothing else is wanted any more
		if !on {
			p.kept = kept{}
		}
		if transition && p.quality == devices.Assumed {
			return true, devices.ErrAccepted
		}
		return true, nil
	case !transition:
		return false, nil
	case p.queue:
		p.keep(want, "")
		return false, devices.ErrAccepted
	case power == devices.PowerWarming:
		return false, warmingUp(p.left(time.Now()))
	}
	return false, coolingDown(p.left(time.Now()))
}

// judgeInput says what becomes of a wish for an input; nil where it is to be sent. The caller holds
// state.
func (p *projector) judgeInput(power devices.Power, c Choice) error {
	left := p.left(time.Now())
	switch {
	case power == devices.PowerOff:
		return isOff()
	case power == devices.PowerWarming && !p.queue:
		return warmingUp(left)
	case power == devices.PowerCooling && p.kept.power != devices.PowerOn:
		return coolingDown(left)
	case power != devices.PowerWarming && power != devices.PowerCooling:
		return nil
	case p.kept.power == devices.PowerOff:
		return &devices.Refusal{Reason: devices.Phrase{ZH: "投影机即将关闭", EN: "The projector is about to be switched off"}}
	}
	p.keep("", c.ID)
	return devices.ErrAccepted
}

// keep keeps a command for the end of the transition. The caller holds state.
func (p *projector) keep(power devices.Power, input string) {
	p.kept.until = time.Now().Add(keptLasts * max(p.warm, p.cool))
	if power == devices.PowerOff {
		p.kept.input = "" // nothing will be shown
	}
	if power != "" {
		p.kept.power = power
	}
	if input != "" {
		p.kept.input = input
	}
}

// catchUp begins what was kept, when the equipment is ready for it. The caller has the turn. A lamp
// that is to light again after cooling is lit before "off" is ever reported: a guard that waits for
// "off" to cut the mains must not find it in between.
func (p *projector) catchUp() {
	p.dropOld()
	p.state.Lock()
	k, power := p.kept, p.power
	ready := p.flight == nil && (power == devices.PowerOn || power == devices.PowerOff)
	if ready {
		p.kept.power = ""
		if power == devices.PowerOff && k.power != devices.PowerOn {
			p.kept = kept{} // nothing will be shown
		}
	}
	p.state.Unlock()
	switch {
	case !ready:
	case k.power != "" && k.power != power:
		if _, err := p.launch(k.power == devices.PowerOn, true); err != nil {
			p.spec.Log.Warn("a command kept for the end of a transition was not sent", "power", k.power, "error", err)
			p.takeKept()
			return
		}
		p.state.Lock()
		if k.input != "" && k.power == devices.PowerOn {
			p.keep("", k.input)
		}
		p.state.Unlock()
	case k.input != "" && power == devices.PowerOn:
		p.chooseLate()
	}
}

// dropOld forgets what has been kept for too long.
func (p *projector) dropOld() {
	p.state.Lock()
	defer p.state.Unlock()
	if (p.kept.power != "" || p.kept.input != "") && time.Now().After(p.kept.until) {
		p.spec.Log.Warn("a command kept for the end of a transition was dropped", "power", p.kept.power, "input", p.kept.input)
		p.kept = kept{}
	}
}

// takeKept takes the input that is kept out of keeping; "" where there is none.
func (p *projector) takeKept() string {
	p.state.Lock()
	defer p.state.Unlock()
	id := p.kept.input
	p.kept.input = ""
	return id
}

// chooseLate chooses the input that is kept. Nobody waits for it any more, so it has its own time; and
// it stays in keeping until it has the turn, because whoever chooses an input until then, be it in the
// very command whose reading found the lamp lit, wants that one.
func (p *projector) chooseLate() {
	p.state.Lock()
	defer p.state.Unlock()
	if p.choosing {
		return
	}
	err := p.behind(func(life context.Context) {
		defer p.endChoosing()
		ctx := line.WithUrgency(life, line.Person)
		for try := 1; p.tryKept(ctx, try < busyTries) && sleep(ctx, busyPause); try++ {
		}
	})
	if err != nil {
		p.spec.Log.Warn("an input kept for the end of a transition was not chosen", "input", p.kept.input, "error", err)
		p.kept.input = ""
		return
	}
	p.choosing = true
}

func (p *projector) endChoosing() {
	p.state.Lock()
	defer p.state.Unlock()
	p.choosing = false
}

// tryKept chooses the input that is kept, and puts it back where the projector is not ready for it and
// it may be tried again. It waits for its turn as one who only looks: a newer wish does not give way to it.
func (p *projector) tryKept(ctx context.Context, again bool) (busy bool) {
	ctx, cancel := context.WithTimeout(ctx, flightTime)
	defer cancel()
	id := ""
	err := p.withTurn(ctx, "", false, func() error {
		id = p.takeKept()
		c, ok := byID(p.inputs, id)
		if !ok || p.turn.wanted("input") {
			return nil
		}
		err := p.setInput(ctx, c)
		var rejection *devices.Rejection
		if busy = again && errors.As(err, &rejection) && rejection.Busy; busy {
			p.state.Lock()
			p.keep("", id)
			p.state.Unlock()
			return nil
		}
		return err
	})
	switch {
	case err == nil, errors.Is(err, devices.ErrSent), errors.Is(err, devices.ErrAccepted), errors.Is(err, line.ErrSuperseded), ctx.Err() != nil:
	default:
		p.spec.Log.Warn("an input kept for the end of a transition was not chosen", "input", id, "error", err)
	}
	return busy
}
