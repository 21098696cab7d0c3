package panel

import (
	"context"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	"lectern/scenes/room"
)

const (
	// fewPanels hear of a change in the moment it is made. More of them hear of a press once, with what came of it, if
	// that is known within gatherTime; what has come about is told to any number in the moment it is known.
	fewPanels  = 32
	gatherTime = time.Millisecond
	// atOnce is how many panels are woken before others get the processor: a press must not stand in a queue behind two
	// hundred panels that are told of the press before.
	atOnce = 8
)

// rounds tells the panels that follow the room that there is something new. They are woken in rounds, by one goroutine
// that lives as long as there are any.
type rounds struct {
	room *room.Room

	mu     sync.Mutex
	panels map[*follower]struct{}
	end    func() // ends the goroutine and waits for it; nil where there is none
}

// follower follows the state of the room for one panel. It is for one goroutine.
type follower struct {
	*room.Subscription
	fresh chan struct{} // there may be something new; holds one
}

// follow begins to follow the room, after a revision that the panel has seen; see room.Subscribe. It ends with leave.
func (r *rounds) follow(seen uint64) *follower {
	f := &follower{Subscription: r.room.Subscribe(seen), fresh: make(chan struct{}, 1)}
	f.fresh <- struct{}{} // what is there already
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.panels == nil {
		r.panels = make(map[*follower]struct{})
	}
	r.panels[f] = struct{}{}
	if r.end == nil {
		ctx, cancel := context.WithCancel(context.Background())
		over := make(chan struct{})
		r.end = func() { cancel(); <-over }
		changes := r.room.Subscribe(seen)
		changes.Look() // the panel will, too
		go func() { defer close(over); r.run(ctx, changes) }()
	}
	return f
}

func (r *rounds) leave(f *follower) {
	r.mu.Lock()
	delete(r.panels, f)
	end := func() {}
	if len(r.panels) == 0 && r.end != nil {
		end, r.end = r.end, nil
	}
	r.mu.Unlock()
	end()
}

// run makes the rounds until ctx ends.
func (r *rounds) run(ctx context.Context, changes *room.Subscription) {
	var round []*follower
	for {
		if _, err := changes.NextSettled(ctx, r.patience); err != nil {
			return
		}
		r.mu.Lock()
		round = slices.AppendSeq(round[:0], maps.Keys(r.panels))
		r.mu.Unlock()
		for i, f := range round {
			select {
			case f.fresh <- struct{}{}:
			default: // it has not looked since it was told last
			}
			if i%atOnce == atOnce-1 {
				runtime.Gosched()
			}
		}
		clear(round)
	}
}

// patience is how long what somebody asks for may wait for what comes of it.
func (r *rounds) patience() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.panels) > fewPanels {
		return gatherTime
	}
	return 0
}
