package equipment

import (
	"context"
	"errors"
	"fmt"

	"lectern/devices"
	"lectern/devices/line"
)

// wish is one command, and how to tell that it has come true.
type wish struct {
	property string
	value    devices.Value
	act      bool // momentary: twice is two acts
	send     func(ctx context.Context) error
	// told reports the value that the acknowledgement bears; nil where it bears none.
	told func()
	// read asks for what came of it; nil reads everything.
	read func(ctx context.Context) error
	// met says, after a read, whether it has come true; nil where there is no state to show it.
	met func() bool
	// unmet is what people are told where it has not.
	unmet func() devices.Phrase
	// tries is how many read-backs it gets; 0 is the usual number.
	tries int
	// void says that it is wanted no more; may be nil.
	void func() bool
}

// carryOut does what all sets have in common: it refuses without mains, waits for the turn, sends,
// reads back, and asks for a poll soon, since a set is the best reason to look.
func (b *base) carryOut(ctx context.Context, w wish) error {
	return b.withTurn(ctx, w.property, w.act, func() error { return b.fulfil(ctx, w) })
}

// withTurn does a part of a set that needs the turn.
func (b *base) withTurn(ctx context.Context, property string, act bool, do func() error) error {
	if !b.fed() {
		return noMains()
	}
	if b.ended() {
		return errOver
	}
	b.endPoll()
	if err := b.turn.enter(ctx, property, act); err != nil {
		return fmt.Errorf("%s: %w", b.spec.ID, err)
	}
	defer b.pollSoon()
	defer b.turn.leave()
	if !b.fed() {
		return noMains()
	}
	return do()
}

// fulfil sends and confirms. The caller has the turn.
func (b *base) fulfil(ctx context.Context, w wish) error {
	err := w.send(ctx)
	switch {
	case err == nil:
		if w.told != nil {
			w.told()
		}
		return b.confirm(ctx, w)
	case errors.Is(err, devices.ErrSent):
		if w.met != nil {
			b.report.Report(w.property, w.value, devices.Assumed)
		}
	case errors.Is(err, line.ErrNoReply), errors.Is(err, line.ErrGarbled):
		// The answer is lost, the command perhaps not. If the equipment now says that it is done,
		// it is done.
		if !w.act && w.met != nil && b.readBack(ctx, w) == nil && w.met() {
			return nil
		}
		b.report.Reach(err)
	case lost(err):
		b.report.Reach(err)
	}
	return fmt.Errorf("%s: setting %s to %s: %w", b.spec.ID, w.property, w.value, err)
}

// confirm reads back until the wish has come true, and gives up after a moment: relays and
// sequencers acknowledge before they have moved. A newer wish for the property ends it.
func (b *base) confirm(ctx context.Context, w wish) error {
	if w.met == nil {
		_ = b.readBack(ctx, w) // what it does to the state is the equipment's affair
		return nil
	}
	for try := 0; ; try++ {
		err := b.readBack(ctx, w)
		if err == nil && w.met() {
			return nil
		}
		switch {
		case b.turn.wanted(w.property), w.void != nil && w.void():
			return fmt.Errorf("%s: %s to %s: %w", b.spec.ID, w.property, w.value, line.ErrSuperseded)
		case err != nil && (try > 0 || ctx.Err() != nil):
			return fmt.Errorf("%s: %s was set to %s, but that could not be confirmed: %w", b.spec.ID, w.property, w.value, err)
		case try >= max(settleMost, w.tries) || !sleep(ctx, settleTime):
			return &devices.Rejection{Code: "read-back", Reason: w.unmet()}
		}
	}
}

func (b *base) readBack(ctx context.Context, w wish) error {
	if w.read == nil {
		_, err := b.readNow(ctx)
		return err
	}
	err := w.read(ctx)
	if lost(err) {
		b.report.Reach(err)
	}
	return err
}
