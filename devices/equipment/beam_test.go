package equipment

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

var inputs = []Choice{{ID: "computer-1", Code: "11"}, {ID: "dvd", Code: "30"}, {ID: "recorder", Code: "41"}}

// beam is a projector as projectors are: it takes its time, and while it does it takes nothing else.
type beam struct {
	mu         sync.Mutex
	power      devices.Power
	input      string
	next       time.Time // end of the transition
	warm, cool time.Duration
	late       time.Duration // from accepting a command to saying so
	due        func()
	dueAt      time.Time
	holds      bool // answers power on when the lamp burns
	dud        bool // the lamp does not light
	deaf       bool // acknowledges and does nothing
	silent     bool
	reckons    bool // says on and off only; what lies between is reckoned
	busy       int  // inputs rejected as too early
	fault      devices.Fault

	line  sync.Mutex // one exchange at a time
	sent  []string
	wrong []string // what must not be sent then
}

func newBeam(power devices.Power) *beam {
	return &beam{power: power, input: "11", warm: 40 * time.Second, cool: 60 * time.Second}
}

// pass lets the time pass. The caller holds mu.
func (p *beam) pass() {
	now := time.Now()
	if p.due != nil && !now.Before(p.dueAt) {
		p.due()
		p.due = nil
	}
	if now.Before(p.next) {
		return
	}
	switch {
	case p.power == devices.PowerWarming && p.dud:
		p.power = devices.PowerOff
	case p.power == devices.PowerWarming:
		p.power = devices.PowerOn
	case p.power == devices.PowerCooling:
		p.power = devices.PowerOff
	}
}

func (p *beam) begin(power devices.Power, takes time.Duration) func() {
	return func() { p.power, p.next = power, time.Now().Add(takes) }
}

func (p *beam) Status(ctx context.Context) (devices.ProjectorStatus, error) {
	p.line.Lock()
	defer p.line.Unlock()
	if ctx.Err() != nil {
		return devices.ProjectorStatus{}, fmt.Errorf("%w: %w", line.ErrExpired, context.Cause(ctx))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass()
	if p.silent {
		return devices.ProjectorStatus{}, errSilence
	}
	s := devices.ProjectorStatus{Power: p.power, Lamp: 1234, Fault: p.fault}
	s.Reckoned = p.reckons && (p.power == devices.PowerWarming || p.power == devices.PowerCooling)
	if p.power == devices.PowerOn {
		s.Input = p.input
	}
	return s, nil
}

func (p *beam) SetPower(ctx context.Context, on bool) error {
	p.line.Lock()
	defer p.line.Unlock()
	p.mu.Lock()
	p.pass()
	what := map[bool]string{true: "on", false: "off"}[on]
	if p.power == devices.PowerWarming || p.power == devices.PowerCooling || p.due != nil {
		p.wrong = append(p.wrong, what+" while "+string(p.power))
	}
	p.sent = append(p.sent, what)
	start := p.begin(devices.PowerCooling, p.cool)
	if on {
		start = p.begin(devices.PowerWarming, p.warm)
	}
	switch {
	case p.deaf:
	case p.late > 0:
		p.due, p.dueAt = start, time.Now().Add(p.late)
	default:
		start()
	}
	wait := time.Duration(0)
	if on && p.holds {
		wait = p.warm
	}
	p.mu.Unlock()
	if !sleep(ctx, wait) {
		return fmt.Errorf("%w: %w", line.ErrNoReply, context.Cause(ctx))
	}
	return nil
}

func (p *beam) SetInput(_ context.Context, code string) error {
	p.line.Lock()
	defer p.line.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass()
	if p.power != devices.PowerOn {
		p.wrong = append(p.wrong, "input "+code+" while "+string(p.power))
	}
	p.sent = append(p.sent, code)
	if p.busy > 0 {
		p.busy--
		return &devices.Rejection{Code: "ERR3", Busy: true, Reason: devices.Phrase{ZH: "忙", EN: "busy"}}
	}
	p.input = code
	return nil
}

// slowBeam says how long it holds the line.
type slowBeam struct{ *beam }

func (slowBeam) Patience(string) time.Duration { return 100 * time.Second }

func (p *beam) but(f func(p *beam)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pass()
	f(p)
}

func (p *beam) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.sent, " ")
}

func (p *beam) faults() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.wrong, "; ")
}
