package equipment

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
)

const (
	warmUsual = 30 * time.Second
	coolUsual = 90 * time.Second
	// learnLeast and learnMost bound what a watched transition can teach.
	learnLeast = time.Second
	learnMost  = 10 * time.Minute
)

// ProjectorSpec says more of a projector.
type ProjectorSpec struct {
	Inputs     []Choice
	Warm, Cool time.Duration // usual times; learned from the equipment afterwards
	Queue      bool          // commands during a transition are kept, the last wins; else refused
}

// projector is a projector, or a display that takes its time like one.
//
// Whatever it is asked is judged by its state as it is then, not by the last poll. During warm-up
// and cool-down it is sent nothing. A command for its power goes on in the background, see flight;
// as long as it does nothing else is put on the line.
type projector struct {
	base
	beam   devices.Projector
	inputs []Choice
	queue  bool

	input string // the code as last read; with the turn

	background sync.WaitGroup

	state      sync.Mutex
	life       context.Context // of Run; nil before and after
	oneWay     bool            // it cannot be read
	warm, cool time.Duration   // how long it takes, as far as is known
	power      devices.Power   // as shown
	quality    devices.Quality
	began      time.Time // of the transition shown
	watched    bool      // the transition was seen from its beginning
	flight     *flight   // the power command under way; nil for none
	due        devices.Power
	dueUntil   time.Time // the equipment has accepted to become due, and may still say otherwise until then
	kept       kept
	choosing   bool   // chooseLate is under way
	mains      uint64 // how often it has come or gone
	mishap     string // why the lamp is not lit, where the equipment does not say
}

// NewProjector makes a projector.
func NewProjector(spec Spec, more ProjectorSpec, beam devices.Projector) devices.Device {
	p := &projector{beam: beam, inputs: more.Inputs, queue: more.Queue, warm: more.Warm, cool: more.Cool}
	if p.warm <= 0 {
		p.warm = warmUsual
	}
	if p.cool <= 0 {
		p.cool = coolUsual
	}
	p.setUp(spec, []devices.Property{
		{Name: "power", Kind: devices.KindEnum, Settable: true, Options: []devices.Option{
			{Value: string(devices.PowerOff)}, {Value: string(devices.PowerOn)},
			{Value: string(devices.PowerWarming), State: true}, {Value: string(devices.PowerCooling), State: true},
		}},
		{Name: "input", Kind: devices.KindEnum, Settable: true, Options: append(options(more.Inputs),
			devices.Option{Value: other, State: true, Label: devices.Phrase{ZH: "其他", EN: "Other"}})},
		{Name: "remaining", Kind: devices.KindInteger, Unit: "s", Max: 3600},
		{Name: "lamp", Kind: devices.KindInteger, Unit: "h", Max: 1e6, Diagnostic: true},
		{Name: "fault", Kind: devices.KindText, Diagnostic: true},
	}, beam)
	p.read = p.ask
	return p
}

// Patience is nothing special here: a command that takes long is accepted, and goes on by itself.
func (*projector) Patience(string) time.Duration { return 0 }

// Run implements devices.Device. It ends when what goes on in the background has ended too.
func (p *projector) Run(ctx context.Context) error {
	p.setLife(ctx)
	err := p.base.Run(ctx)
	p.endLife()
	p.background.Wait()
	return err
}

func (p *projector) endLife() {
	p.state.Lock()
	defer p.state.Unlock()
	p.life = nil
}

func (p *projector) setLife(ctx context.Context) {
	p.state.Lock()
	defer p.state.Unlock()
	p.life = ctx
}

// behind starts something in the background, which ends with Run. It fails before and after Run.
// The caller holds state.
func (p *projector) behind(do func(life context.Context)) error {
	life := p.life
	if life == nil {
		return &devices.Refusal{For: time.Second, Reason: devices.Phrase{ZH: "控制器正在启动，请稍候", EN: "The controller is starting, please wait"}}
	}
	p.background.Go(func() { do(life) })
	return nil
}

// SetFed does what base does, and forgets everything that the mains has ended, with what is being read meanwhile.
func (p *projector) SetFed(fed bool) {
	if fed != p.fed() {
		p.state.Lock()
		p.mains++
		p.power, p.flight, p.due, p.kept, p.mishap = devices.PowerUnknown, nil, "", kept{}, ""
		p.state.Unlock()
	}
	p.base.SetFed(fed)
}

// ask reads and reports, and begins what was kept for now.
func (p *projector) ask(ctx context.Context) (busy bool, err error) {
	mains, flying := p.standing()
	if flying {
		p.tell() // the line belongs to the command; the time goes on
		return true, errNotAsked
	}
	status, err := p.beam.Status(ctx)
	q, err := believe(err)
	if err != nil {
		p.dropOld()
		return false, fmt.Errorf("reading: %w", err)
	}
	if q == devices.Unknown {
		status.Lamp, status.Input = -1, ""
	}
	if !p.enter(mains, status.Power, q, status.Reckoned) {
		return false, errNotAsked
	}
	p.catchUp()
	p.tell()
	p.tellRest(status, q)
	return p.inTransition(), nil
}

// enter takes in what the power was said to be, or reckoned to be, since the mains last came or went; false where it has
// come or gone again since, and what was said is of a projector that was another.
func (p *projector) enter(mains uint64, power devices.Power, q devices.Quality, reckoned bool) bool {
	p.state.Lock()
	defer p.state.Unlock()
	if mains != p.mains {
		return false
	}
	now := time.Now()
	p.oneWay = q != devices.Reported
	if q != devices.Reported && power == devices.PowerUnknown { // one that cannot be asked is where the clock says it is
		if p.power == devices.PowerUnknown {
			return true
		}
		power, q = p.power, devices.Assumed
		if p.left(now) == 0 {
			power = leadsTo(p.power)
		}
		p.due = ""
	}
	switch {
	case p.due == "":
	case power == p.due || power == leadsTo(p.due):
		p.due = ""
	case now.Before(p.dueUntil):
		power, q = p.due, devices.Assumed
	default:
		p.due = ""
	}
	if reckoned && q == devices.Reported {
		q = devices.Assumed
	}
	p.change(power, q, now)
	return true
}

// change notes a power. The caller holds state.
func (p *projector) change(power devices.Power, q devices.Quality, now time.Time) {
	if power != p.power {
		p.learn(power, now)
		if p.power == devices.PowerWarming && (power == devices.PowerOff || power == devices.PowerCooling) {
			p.mishap = "START: the lamp did not light"
			p.kept = kept{}
			p.spec.Log.Warn("the projector did not come on", "now", power)
		}
		if power == devices.PowerOn || power == devices.PowerWarming {
			p.mishap = ""
		}
		p.watched = p.power != devices.PowerUnknown
		p.power, p.began = power, now
	}
	p.quality = q
}

// learn replaces the usual time of a transition by the measured one, if it was watched from end to
// end. The caller holds state.
func (p *projector) learn(power devices.Power, now time.Time) {
	took := now.Sub(p.began)
	if !p.watched || p.oneWay || took < learnLeast || took > learnMost {
		return
	}
	switch {
	case p.power == devices.PowerWarming && power == devices.PowerOn:
		p.warm = took
	case p.power == devices.PowerCooling && power == devices.PowerOff:
		p.cool = took
	}
}

// leadsTo is where a transition ends.
func leadsTo(power devices.Power) devices.Power {
	switch power {
	case devices.PowerWarming:
		return devices.PowerOn
	case devices.PowerCooling:
		return devices.PowerOff
	}
	return power
}

func (p *projector) inTransition() bool {
	p.state.Lock()
	defer p.state.Unlock()
	return p.power == devices.PowerWarming || p.power == devices.PowerCooling
}

// left is how long the transition shown is expected to go on. The caller holds state.
func (p *projector) left(now time.Time) time.Duration {
	switch p.power {
	case devices.PowerWarming:
		return max(0, p.warm-now.Sub(p.began))
	case devices.PowerCooling:
		return max(0, p.cool-now.Sub(p.began))
	}
	return 0
}

// tell reports the power, with what follows from it: time left and locks.
func (p *projector) tell() {
	p.state.Lock()
	power, q, left := p.power, p.quality, p.left(time.Now())
	if p.flight != nil {
		q = devices.Assumed // it may have been obeyed already
	}
	powerLock, inputLock := p.lock("power", left), p.lock("input", left)
	p.state.Unlock()
	if power == devices.PowerUnknown {
		q = devices.Unknown
	}
	p.say("power", devices.Word(string(power)), q)
	p.say("remaining", devices.Int(seconds(left)), devices.Assumed)
	p.report.Lock("power", powerLock)
	p.report.Lock("input", inputLock)
}

// tellRest reports what is not power.
func (p *projector) tellRest(status devices.ProjectorStatus, q devices.Quality) {
	p.input = status.Input
	switch c, ok := byCode(p.inputs, status.Input); {
	case ok:
		p.say("input", devices.Word(c.ID), q)
	case status.Input != "":
		p.say("input", devices.Word(other), q)
	default:
		p.say("input", devices.Value{}, devices.Unknown)
	}
	if status.Lamp >= 0 {
		p.say("lamp", devices.Int(status.Lamp), q)
	} else {
		p.say("lamp", devices.Value{}, devices.Unknown)
	}
	p.state.Lock()
	fault := p.mishap
	p.state.Unlock()
	if status.Fault.Code != "" {
		fault = status.Fault.Code + ": " + status.Fault.Text.In("en")
	}
	if fault == "" && q != devices.Reported {
		p.say("fault", devices.Value{}, devices.Unknown) // what cannot be asked may well have one
		return
	}
	p.say("fault", devices.Text(fault), devices.Reported)
}

// seconds rounds up: what is left is not over yet.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// lock says why a property cannot be set now; nil where it can, or where the wish would be kept.
// The caller holds state.
func (p *projector) lock(property string, left time.Duration) *devices.Refusal {
	follows := p.kept.power == devices.PowerOn // after cooling it comes on again, and can take an input
	switch {
	case p.power == devices.PowerWarming && !p.queue:
		return warmingUp(left)
	case p.power == devices.PowerCooling && !p.queue, p.power == devices.PowerCooling && property == "input" && !follows:
		return coolingDown(left)
	case p.power == devices.PowerOff && property == "input":
		return isOff()
	}
	return nil
}

func isOff() *devices.Refusal {
	return &devices.Refusal{Lasting: true, Reason: devices.Phrase{ZH: "投影机已关，请先打开", EN: "The projector is off: switch it on first"}}
}

func warmingUp(left time.Duration) *devices.Refusal {
	if left == 0 {
		return &devices.Refusal{Reason: devices.Phrase{ZH: "投影机正在预热，请稍候", EN: "The projector is still warming up"}}
	}
	return &devices.Refusal{For: left, Reason: devices.Phrase{ZH: "投影机正在预热", EN: "The projector is warming up"}}
}

func coolingDown(left time.Duration) *devices.Refusal {
	if left == 0 {
		return &devices.Refusal{Reason: devices.Phrase{ZH: "投影机正在冷却，请稍候", EN: "The projector is still cooling down"}}
	}
	return &devices.Refusal{For: left, Reason: devices.Phrase{ZH: "投影机正在冷却", EN: "The projector is cooling down"}}
}
