package pin

import (
	"context"
	"errors"
)

// laneQueue is how many are in a lane: one is checked, the others wait.
const laneQueue = 8

// ErrBusy says that too many PINs wait to be checked.
var ErrBusy = errors.New("too many PINs are being checked")

// Lane checks one PIN at a time and lets a few wait; more are told to come again. Checking takes 19 MiB
// and tens of milliseconds on purpose: whoever sends many PINs must not take the memory or the
// processor from the room.
type Lane struct{ slot, queue chan struct{} }

// NewLane makes a lane.
func NewLane() *Lane {
	return &Lane{slot: make(chan struct{}, 1), queue: make(chan struct{}, laneQueue)}
}

// Do runs a check when it is its turn. It returns ErrBusy where too many wait, and the error of ctx
// where that ends first; check has not run then.
func (l *Lane) Do(ctx context.Context, check func()) error {
	select {
	case l.queue <- struct{}{}:
		defer func() { <-l.queue }()
	default:
		return ErrBusy
	}
	select {
	case l.slot <- struct{}{}:
		defer func() { <-l.slot }()
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // says all there is to say
	}
	check()
	return nil
}
