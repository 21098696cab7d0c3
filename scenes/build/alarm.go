package build

import (
	"context"
	"errors"
	"reflect"

	"lectern/scenes/emergency"
)

// errAlarm says why a room file is not taken while the alarm lasts. An alarm whose contact or whose wishes
// became others in the middle of it would be no alarm that anybody can trust.
var errAlarm = errors.New("the alarm lasts, and the room file says something else of emergency; nothing was changed: reload again after the all-clear, or restart")

// alarm is the life of the emergency that is obeyed; the zero value is none.
type alarm struct {
	end  context.CancelFunc
	over chan struct{}
}

// sameAlarm reports whether two emergencies are the same to the room; nil is none.
func sameAlarm(a, b *emergency.Emergency) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Reason == b.Reason && reflect.DeepEqual(a.Contact, b.Contact) && reflect.DeepEqual(a.Set, b.Set)
}

// adoptAlarm has the room obey another emergency from the next obey on; nil for none. The caller holds mu,
// or nobody else has p.
func (p *Parts) adoptAlarm(e *emergency.Emergency) {
	if e != nil {
		e.Room, e.Engine, e.Board = p.Room, p.Engine, p.Board
	} else {
		p.Room.ForgetEmergency()
	}
	p.Emergency = e
}

// obey follows the emergency, where the parts run and there is one. The caller holds mu.
func (p *Parts) obey() {
	if p.Emergency == nil || p.inner == nil || p.inner.Err() != nil {
		return
	}
	ctx, end := context.WithCancel(p.inner)
	e, over := p.Emergency, make(chan struct{})
	go func() { defer close(over); _ = e.Run(ctx) }() // it ends with ctx, and has no other error
	p.obeyed = alarm{end, over}
}

// disobey ends to follow the emergency; a hold that it has put in force stays. The caller holds mu.
func (p *Parts) disobey() {
	if p.obeyed.end != nil {
		p.obeyed.end()
		<-p.obeyed.over
	}
	p.obeyed = alarm{}
}
