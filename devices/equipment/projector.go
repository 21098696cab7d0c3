package equipment

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
	warmUsual = 30 * time.Second
	coolUsual = 90 * time.Second
	// quickly is how long a Set waits for a lamp that may take a minute to strike, before it says
	// that the command is accepted.
	quickly = 3 * time.Second
	// wishLasts bounds, in warm-ups, how long a queued wish is kept: nobody expects it any more.
	wishLasts = 3
)

// ProjectorSpec says more of a projector.
type ProjectorSpec struct {
	Inputs     []Choice
	Warm, Cool time.Duration // usual times; learned from the equipment afterwards
	Queue      bool          // commands during a transition are kept, the last wins; else refused
}

// projector is a projector, or a display that takes its time like one.
type projector struct {
	base
	more  ProjectorSpec
	beam  devices.Projector
	power devices.Power // as last read; only with the turn

	state sync.Mutex // guards what follows; Set looks at it without the turn
	shown devices.Power
	began time.Time // of the transition shown
	lit   bool      // SetPower(true) is under way
	wish  wishes

	background sync.WaitGroup
	life       context.Context // of Run
	started    chan struct{}
}

// wishes are commands kept for the end of a transition; the last of each kind.
type wishes struct {
	power devices.Power
	input string
	until time.Time
}

// NewProjector makes a projector.
func NewProjector(spec Spec, more ProjectorSpec, beam devices.Projector) devices.Device {
	if more.Warm <= 0 {
		more.Warm = warmUsual
	}
	if more.Cool <= 0 {
		more.Cool = coolUsual
	}
	p := &projector{more: more, beam: beam, started: make(chan struct{})}
	p.init(spec, beam)
	p.read = p.ask
	return p
}

// Properties implements devices.Device.
func (p *projector) Properties() []devices.Property {
	return []devices.Property{
		{Name: "power", Kind: devices.KindEnum, Settable: true, Options: []devices.Option{
			{Value: string(devices.PowerOff)}, {Value: string(devices.PowerOn)},
			{Value: string(devices.PowerWarming), State: true}, {Value: string(devices.PowerCooling), State: true},
		}},
		{Name: "input", Kind: devices.KindEnum, Settable: true, Options: append(options(p.more.Inputs),
			devices.Option{Value: otherLevel, State: true, Label: devices.Phrase{ZH: "其他", EN: "Other"}})},
		{Name: "remaining", Kind: devices.KindInteger, Unit: "s", Max: 3600},
		{Name: "lamp", Kind: devices.KindInteger, Unit: "h", Max: 1e6, Diagnostic: true},
		{Name: "fault", Kind: devices.KindText, Diagnostic: true},
	}
}

// Run implements devices.Device. A lamp that is being struck when ctx ends is waited for no longer
// than its line does.
func (p *projector) Run(ctx context.Context) error {
	p.life = ctx
	close(p.started)
	err := p.base.Run(ctx)
	p.background.Wait()
	return err
}

// ask reads and reports, and carries out what was kept for now.
func (p *projector) ask(ctx context.Context) (busy bool, err error) {
	status, err := p.beam.Status(ctx)
	if err != nil {
		return false, fmt.Errorf("reading: %w", err)
	}
	p.power = status.Power
	p.tell(status.Power, devices.Reported)
	if c, ok := byCode(p.more.Inputs, status.Input); ok {
		p.report.Report("input", devices.Word(c.ID), devices.Reported)
	} else if status.Input != "" {
		p.report.Report("input", devices.Word(otherLevel), devices.Reported)
	} else {
		p.report.Report("input", devices.Value{}, devices.Unknown)
	}
	if status.Lamp >= 0 {
		p.report.Report("lamp", devices.Int(status.Lamp), devices.Reported)
	}
	fault := ""
	if status.Fault.Code != "" {
		fault = status.Fault.Code + " " + status.Fault.Text.EN + " / " + status.Fault.Text.ZH
	}
	p.report.Report("fault", devices.Text(fault), devices.Reported)
	p.fulfil(ctx)
	return status.Power == devices.PowerWarming || status.Power == devices.PowerCooling, nil
}

// tell reports the power, with what follows from it: time left and locks.
func (p *projector) tell(power devices.Power, q devices.Quality) {
	p.state.Lock()
	now := time.Now()
	if power != p.shown {
		// A transition that was watched from end to end teaches how long it takes.
		took := now.Sub(p.began)
		switch {
		case p.shown == devices.PowerWarming && power == devices.PowerOn:
			p.more.Warm = took
		case p.shown == devices.PowerCooling && power == devices.PowerOff:
			p.more.Cool = took
		}
		p.shown, p.began = power, now
	}
	left := p.left(now)
	p.state.Unlock()

	if power == devices.PowerUnknown {
		p.report.Report("power", devices.Value{}, devices.Unknown)
	} else {
		p.report.Report("power", devices.Word(string(power)), q)
	}
	p.report.Report("remaining", devices.Int(int((left+time.Second-1)/time.Second)), devices.Assumed)
	p.report.Lock("power", p.refusal("power", power, left))
	p.report.Lock("input", p.refusal("input", power, left))
}

// left is how long the transition shown is expected to go on. The caller holds state.
func (p *projector) left(now time.Time) time.Duration {
	switch p.shown {
	case devices.PowerWarming:
		return max(0, p.more.Warm-now.Sub(p.began))
	case devices.PowerCooling:
		return max(0, p.more.Cool-now.Sub(p.began))
	}
	return 0
}

// refusal says why a property cannot be set in a state of power; nil where it can, or where the
// wish would be kept.
func (p *projector) refusal(property string, power devices.Power, left time.Duration) *devices.Refusal {
	about := int((left + time.Second - 1) / time.Second)
	switch {
	case power == devices.PowerWarming && !p.more.Queue:
		return &devices.Refusal{For: left, Reason: devices.Phrase{
			ZH: fmt.Sprintf("投影机正在预热,约%d秒", about), EN: fmt.Sprintf("The projector is warming up, about %d s", about),
		}}
	case power == devices.PowerCooling && (!p.more.Queue || property == "input"):
		return &devices.Refusal{For: left, Reason: devices.Phrase{
			ZH: fmt.Sprintf("投影机正在冷却,约%d秒", about), EN: fmt.Sprintf("The projector is cooling down, about %d s", about),
		}}
	case power == devices.PowerOff && property == "input":
		return &devices.Refusal{Reason: devices.Phrase{ZH: "投影机已关,请先打开", EN: "The projector is off: switch it on first"}}
	}
	return nil
}

// Set implements devices.Device.
func (p *projector) Set(ctx context.Context, property string, v devices.Value) error {
	if property != "power" && property != "input" {
		return noSuch(property)
	}
	if p.isLit() { // the line is held by the lamp that is being struck
		return p.keepOrRefuse(property, v, devices.PowerWarming)
	}
	return p.set(ctx, func() error {
		// Judged by what is, not by the last poll.
		if _, err := p.readNow(ctx); err != nil {
			return err
		}
		if p.power == devices.PowerWarming || p.power == devices.PowerCooling {
			return p.keepOrRefuse(property, v, p.power)
		}
		if property == "input" {
			if r := p.refusal("input", p.power, 0); r != nil {
				return r
			}
			return p.setInput(ctx, v.String())
		}
		return p.setPower(ctx, v.String() == string(devices.PowerOn))
	})
}

func (p *projector) isLit() bool {
	p.state.Lock()
	defer p.state.Unlock()
	return p.lit
}

// keepOrRefuse deals with a command that comes during a transition. What the transition leads to
// anyway is done; the rest is kept for its end or refused.
func (p *projector) keepOrRefuse(property string, v devices.Value, power devices.Power) error {
	p.state.Lock()
	defer p.state.Unlock()
	leads := map[devices.Power]devices.Power{devices.PowerWarming: devices.PowerOn, devices.PowerCooling: devices.PowerOff}[power]
	if property == "power" && v.String() == string(leads) {
		p.wish.power = "" // the last one wins: nothing else is wanted any more
		return nil
	}
	if r := p.refusal(property, power, p.left(time.Now())); r != nil {
		return r
	}
	p.wish.until = time.Now().Add(wishLasts * max(p.more.Warm, p.more.Cool))
	if property == "power" {
		p.wish.power = devices.Power(v.String())
		if p.wish.power == devices.PowerOff {
			p.wish.input = ""
		}
	} else {
		p.wish.input = v.String()
	}
	return devices.ErrAccepted
}

// fulfil carries out what was kept, when the equipment is ready for it. The caller has the turn.
func (p *projector) fulfil(ctx context.Context) {
	p.state.Lock()
	w := p.wish
	ready := p.power == devices.PowerOn || p.power == devices.PowerOff
	if ready || time.Now().After(w.until) {
		p.wish = wishes{}
	}
	p.state.Unlock()
	if !ready || time.Now().After(w.until) {
		return
	}
	ctx = line.WithUrgency(ctx, line.Person)
	var err error
	switch {
	case w.power != "" && w.power != p.power:
		err = p.setPower(ctx, w.power == devices.PowerOn)
	case w.input != "" && p.power == devices.PowerOn:
		err = p.setInput(ctx, w.input)
	}
	if err != nil && !errors.Is(err, devices.ErrAccepted) {
		p.spec.Log.Warn("a command kept for the end of a transition was not done", "error", err)
	}
}

// setInput chooses an input and reads it back. The caller has the turn.
func (p *projector) setInput(ctx context.Context, id string) error {
	c, ok := byID(p.more.Inputs, id)
	if !ok {
		return fmt.Errorf("there is no input %q", id)
	}
	if err := p.beam.SetInput(ctx, c.Code); err != nil {
		return fmt.Errorf("choosing input %s: %w", id, err)
	}
	for try := 0; ; try++ {
		status, err := p.beam.Status(ctx)
		if err != nil {
			return fmt.Errorf("chosen, but not confirmed: %w", err)
		}
		if status.Input == c.Code {
			p.report.Report("input", devices.Word(id), devices.Reported)
			return nil
		}
		if try == settleMost || !sleep(ctx, settleTime) {
			return &devices.Rejection{Code: "read-back", Reason: devices.Phrase{
				ZH: "投影机应答了,但信号没有切换", EN: "The projector acknowledged but shows another input",
			}}
		}
	}
}

// setPower switches, unless the lamp is as it should be. The caller has the turn.
func (p *projector) setPower(ctx context.Context, on bool) error {
	if on == (p.power == devices.PowerOn) && p.power != devices.PowerUnknown {
		return nil
	}
	if !on {
		if err := p.beam.SetPower(ctx, false); err != nil {
			return fmt.Errorf("switching off: %w", err)
		}
		p.tell(devices.PowerCooling, devices.Assumed) // until the next reading says so or otherwise
		return p.lookAgain(ctx)
	}
	return p.strike(ctx)
}

// lookAgain reads what a command has led to. That it was accepted is known already; the reading is
// for the panel.
func (p *projector) lookAgain(ctx context.Context) error {
	status, err := p.beam.Status(ctx)
	if err != nil {
		return nil //nolint:nilerr // the command itself was acknowledged
	}
	p.power = status.Power
	p.tell(status.Power, devices.Reported)
	return nil
}

// strike lights the lamp. Some projectors answer only when it burns, which takes up to a hundred
// seconds and three tries, and must not be spoken to before: the command goes on in the background,
// and whoever asked learns in a few seconds that it is accepted. The caller has the turn, and the
// background keeps others out of the line by being on it.
func (p *projector) strike(ctx context.Context) error {
	select {
	case <-p.started:
	default:
		return &devices.Refusal{Reason: devices.Phrase{ZH: "控制器正在启动", EN: "The controller is starting"}}
	}
	p.state.Lock()
	p.lit = true
	p.state.Unlock()
	p.tell(devices.PowerWarming, devices.Assumed)
	limit := max(patience(p.beam, "power"), pollTime)
	over := make(chan error, 1)
	p.background.Go(func() {
		striking, cancel := context.WithTimeout(line.WithUrgency(p.life, line.Person), limit)
		defer cancel()
		err := p.beam.SetPower(striking, true)
		p.state.Lock()
		p.lit = false
		p.state.Unlock()
		if err != nil {
			p.spec.Log.Warn("switching the lamp on", "error", err)
		}
		over <- err
		p.pollSoon()
	})
	soon := time.NewTimer(quickly)
	defer soon.Stop()
	select {
	case err := <-over:
		if err != nil {
			_, _ = p.readNow(ctx) // warming was a guess; this is what is
			return fmt.Errorf("switching on: %w", err)
		}
		return p.lookAgain(ctx)
	case <-soon.C:
	case <-ctx.Done():
	}
	return devices.ErrAccepted
}
