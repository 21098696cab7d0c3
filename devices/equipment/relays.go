package equipment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"lectern/devices"
)

// relayLag is how long after it was told to close a relay may still do so: sequencers and relay
// boards acknowledge first and act then, and a command whose answer was lost may yet be carried out.
// An "open" that was read before that time is over proves nothing.
const relayLag = time.Second

// errBothWays is the one fault that is acted on at once: a motor driven both ways burns.
var errBothWays = errors.New("both directions are on")

// errContactStays is a contact that does not open.
var errContactStays = errors.New("a contact stays closed: cut the motor's mains by hand")

// relayPair drives a motor by two contacts. Its methods are called by one goroutine.
type relayPair struct {
	up, down devices.Switch
	closed   map[devices.Motion]time.Time // when each was last told to close
}

func newRelayPair(up, down devices.Switch) *relayPair {
	return &relayPair{up: up, down: down, closed: make(map[devices.Motion]time.Time)}
}

func (r *relayPair) contacts(way devices.Motion) (this, opposite devices.Switch) {
	if way == devices.Up {
		return r.up, r.down
	}
	return r.down, r.up
}

// unreadable is the refusal to move a motor by contacts that cannot be read.
func unreadable(err error) error {
	return fmt.Errorf("%w: %w", &devices.Refusal{Reason: devices.Phrase{
		ZH: "无法读取继电器状态，为安全起见不动作", EN: "The relays cannot be read, so nothing is moved",
	}}, err)
}

// start closes one contact, if the other one reads open. A contact that cannot be read may be
// closed: unknown is not off. That one-way relays cannot move a motor follows from it, and is meant.
func (r *relayPair) start(ctx context.Context, way devices.Motion) error {
	this, opposite := r.contacts(way)
	on, err := opposite.On(ctx)
	if err != nil {
		return unreadable(err)
	}
	if on {
		return fmt.Errorf("closing the contact %s: %w", way, errBothWays)
	}
	if ctx.Err() != nil {
		return fmt.Errorf("closing the contact %s: %w", way, context.Cause(ctx))
	}
	r.closed[way] = time.Now()
	err = this.SetOn(ctx, true)
	r.closed[way] = time.Now()
	if err != nil {
		return fmt.Errorf("closing the contact %s: %w", way, err)
	}
	for try := 0; ; try++ {
		on, err = this.On(ctx)
		if err != nil {
			return fmt.Errorf("reading the contact %s back: %w", way, err)
		}
		if on {
			return nil
		}
		if try == settleMost || !sleep(ctx, settleTime) {
			return &devices.Rejection{Code: "read-back", Reason: devices.Phrase{
				ZH: "继电器应答了，但触点没有闭合", EN: "The relay acknowledged but its contact is open",
			}}
		}
	}
}

// halt opens both contacts, whatever is known of them, and side by side, so that one that does not
// answer does not keep the other closed. It returns when both are known to be open, and tells since
// when they read so.
func (r *relayPair) halt(ctx context.Context) (since time.Time, err error) {
	for try := 0; ; try++ {
		if since.IsZero() {
			if err := r.open(ctx); err != nil {
				return time.Now(), err
			}
		}
		up, upErr := r.up.On(ctx)
		down, downErr := r.down.On(ctx)
		switch err := errors.Join(upErr, downErr); {
		case err != nil:
			return time.Time{}, fmt.Errorf("reading the contacts back: %w", err)
		case up || down:
			since = time.Time{}
		case since.IsZero():
			since = time.Now()
		}
		lag := max(relayLag-time.Since(r.closed[devices.Up]), relayLag-time.Since(r.closed[devices.Down]))
		if !since.IsZero() && lag <= 0 {
			return since, nil
		}
		if lag <= 0 && try >= settleMost {
			return time.Time{}, errContactStays
		}
		if !sleep(ctx, settleTime) {
			return time.Time{}, fmt.Errorf("waiting for the contacts to open: %w", context.Cause(ctx))
		}
	}
}

func (r *relayPair) open(ctx context.Context) error {
	var up, down error
	var wg sync.WaitGroup
	wg.Go(func() { up = r.up.SetOn(ctx, false) })
	wg.Go(func() { down = r.down.SetOn(ctx, false) })
	wg.Wait()
	if errors.Is(down, devices.ErrSent) {
		up, down = down, up // what failed counts for more than what cannot be confirmed
	}
	if err := cmp.Or(down, up); err != nil {
		return fmt.Errorf("opening the contacts: %w", err)
	}
	return nil
}

func (r *relayPair) check(ctx context.Context) (devices.Motion, error) {
	up, err := r.up.On(ctx)
	if err != nil {
		return devices.Stop, fmt.Errorf("reading the upward contact: %w", err)
	}
	down, err := r.down.On(ctx)
	if err != nil {
		return devices.Stop, fmt.Errorf("reading the downward contact: %w", err)
	}
	switch {
	case up && down:
		return devices.Stop, errBothWays
	case up:
		return devices.Up, nil
	case down:
		return devices.Down, nil
	}
	return devices.Stop, nil
}

// plainMotor is a motor with its own interlock and its own end switches that cannot say what it does.
type plainMotor struct{ motor devices.Mover }

func (p *plainMotor) start(ctx context.Context, way devices.Motion) error {
	if err := p.motor.Move(ctx, way); err != nil {
		return err //nolint:wrapcheck // begin says what it was
	}
	return devices.ErrSent // it may have acknowledged; that it moves nobody can see
}

func (p *plainMotor) halt(ctx context.Context) (time.Time, error) {
	if err := p.motor.Move(ctx, devices.Stop); err != nil && !errors.Is(err, devices.ErrSent) {
		return time.Time{}, err //nolint:wrapcheck // halt says what it was
	}
	return time.Now(), devices.ErrSent
}

func (*plainMotor) check(context.Context) (devices.Motion, error) {
	return devices.Stop, errNotAsked
}
