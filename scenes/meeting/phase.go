package meeting

import (
	"context"
	"time"
)

const (
	tickTime = 5 * time.Second
	// lateMost is how late a scene may run that time asks for. What was missed while the daemon was down
	// moves nothing: the room is left as it is found.
	lateMost = 2 * time.Minute
)

// byTime is who moves meetings where nobody does.
const byTime = "time"

// Move moves a meeting to a phase and runs the phase's scene. The error of a scene that does not start
// is in the book, and the meeting has moved.
func (b *Book) Move(id string, to Phase, by string) error {
	return b.move(id, to, by, true)
}

func (b *Book) move(id string, to Phase, by string, play bool) error {
	b.mu.Lock()
	m, ok := b.all()[id]
	if !ok {
		b.mu.Unlock()
		return ErrNoMeeting
	}
	from, _ := b.phase(id)
	right := to != from && to != Planned && to.rank() > 0
	switch {
	case to == Break:
		right = from == Session
	case m.Cancelled:
		right = to == Ended && from != Planned && right // it may be called off when it has begun
	}
	if !right {
		b.mu.Unlock()
		return ErrPhase
	}
	err := b.keep(m, by)
	if err == nil {
		err = b.write(Entry{Kind: KindPhase, By: by, ID: id, Phase: to})
	}
	b.mu.Unlock()
	if scene := b.Scenes[to]; err == nil && play && scene != "" && b.Play != nil {
		if failed := b.Play(scene, by); failed != nil {
			b.Log.Warn("a meeting's scene did not start", "scene", scene, "error", failed)
			return b.Add(Entry{Kind: KindNote, By: scene, ID: id, Text: bounded(failed.Error(), titleMost)})
		}
	}
	return err
}

// followTime moves meetings as the time of the calendar says, forwards only: where staff are ahead, they
// are right. While another meeting has the room the next one waits for staff.
func (b *Book) followTime(ctx context.Context) {
	tick := time.NewTicker(tickTime)
	defer tick.Stop()
	for began := time.Now(); ; {
		b.byTime(time.Now(), began)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (b *Book) byTime(now, began time.Time) {
	rows := b.Between(now.Add(-back), now.Add(back))
	busy := ""
	for _, r := range rows {
		if r.Phase == Session || r.Phase == Break {
			busy = r.ID
		}
	}
	for _, r := range rows {
		if r.AllDay || r.Cancelled {
			continue
		}
		to, due := Planned, time.Time{}
		switch {
		case !now.Before(r.End):
			to, due = Ended, r.End
		case !now.Before(r.Start):
			to, due = Session, r.Start
		case !now.Before(r.Start.Add(-b.Before)):
			to, due = Preparing, r.Start.Add(-b.Before)
		}
		missed := began.Sub(due) > lateMost
		if to.rank() <= r.Phase.rank() || to == Session && busy != "" && busy != r.ID || to == Ended && r.Phase.rank() < Session.rank() && missed {
			continue
		}
		if to == Ended && busy == r.ID {
			busy = ""
		}
		if err := b.move(r.ID, to, byTime, !missed); err != nil {
			b.Log.Error("a meeting could not be moved", "meeting", r.ID, "to", string(to), "error", err)
		}
		if to == Session {
			busy = r.ID
		}
	}
}
