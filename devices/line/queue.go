package line

import (
	"context"
	"fmt"
	"slices"
	"time"
)

type urgencyKey struct{}

// WithUrgency returns a context whose exchanges have the given urgency.
func WithUrgency(ctx context.Context, u Urgency) context.Context {
	return context.WithValue(ctx, urgencyKey{}, u)
}

// UrgencyOf returns the urgency that ctx carries; Poll where it carries none.
func UrgencyOf(ctx context.Context) Urgency {
	u, _ := ctx.Value(urgencyKey{}).(Urgency)
	return u
}

// queueMost bounds how many exchanges wait for a line. A room whose queue is that long has waited
// for minutes already.
const queueMost = 256

// job is an exchange that waits, or is under way.
type job struct {
	Exchange
	ctx     context.Context
	urgency Urgency
	order   uint64
	came    time.Time
	done    chan answer // holds one
}

type answer struct {
	frame []byte
	err   error
}

// queue holds the jobs that wait, in the order in which they are to be sent. It is a plain data
// structure; the Line guards it.
type queue struct {
	jobs []*job
	next uint64
}

// push adds a job and returns those whose place it takes.
//
// A Halt takes the place of everything with its key: what was asked before a stop must not be sent
// after it. Another job takes over the place of an older one with its key and the same or a lower
// urgency, so that a finger that keeps dragging is not put back to the end each time.
func (q *queue) push(j *job) (replaced []*job, err error) {
	j.order = q.next
	if j.Key != "" {
		q.jobs = slices.DeleteFunc(q.jobs, func(old *job) bool {
			if old.Key != j.Key || old.urgency > j.urgency {
				return false
			}
			if old.urgency == j.urgency {
				j.order = min(j.order, old.order)
			}
			replaced = append(replaced, old)
			return true
		})
	}
	if len(q.jobs) >= queueMost && j.urgency < Halt { // a stop is never turned away
		return replaced, ErrFull
	}
	q.next++
	at, _ := slices.BinarySearchFunc(q.jobs, j, before)
	q.jobs = slices.Insert(q.jobs, at, j)
	return replaced, nil
}

// before orders jobs: the more urgent first, then the earlier.
func before(a, b *job) int {
	if a.urgency != b.urgency {
		return int(b.urgency) - int(a.urgency)
	}
	if a.order < b.order {
		return -1
	}
	return 1
}

// first returns the first job that may be sent, and leaves it in.
func (q *queue) first(may func(*job) bool) *job {
	if i := slices.IndexFunc(q.jobs, may); i >= 0 {
		return q.jobs[i]
	}
	return nil
}

// pop takes out the first job that may be sent.
func (q *queue) pop(may func(*job) bool) *job {
	j := q.first(may)
	if j != nil {
		q.remove(j)
	}
	return j
}

// remove takes a job out; false where it is not waiting any more.
func (q *queue) remove(j *job) bool {
	i := slices.Index(q.jobs, j)
	if i < 0 {
		return false
	}
	q.jobs = slices.Delete(q.jobs, i, i+1)
	return true
}

// alike takes out those whom the reply to a job answers too, which had its turn at a time: see Exchange.Question.
func (q *queue) alike(j *job, turn time.Time) (others []*job) {
	if j.Question == "" {
		return nil
	}
	q.jobs = slices.DeleteFunc(q.jobs, func(o *job) bool {
		is := o.Question == j.Question && o.Unit == j.Unit && (o.urgency == Poll || o.came.Before(turn))
		if is {
			others = append(others, o)
		}
		return is
	})
	return others
}

// clear takes all jobs out.
func (q *queue) clear() []*job {
	all := q.jobs
	q.jobs = nil
	return all
}

// failed wraps what went wrong with an exchange: which line, whom, what was asked.
func (l *Line) failed(x *Exchange, err error) error {
	where := "line " + l.config.ID
	if x.Unit != "" && x.Unit[0] >= '0' && x.Unit[0] <= '9' {
		where += ", unit " + x.Unit
	} else if x.Unit != "" { // it says itself what it is: "motor 12 01"
		where += ", " + x.Unit
	}
	if x.Note == "" {
		return fmt.Errorf("%s: %w", where, err)
	}
	return fmt.Errorf("%s: %s: %w", where, x.Note, err)
}

// Do carries out an exchange and returns the reply frame, which the caller may keep. The urgency
// comes from ctx, and so does the deadline: an exchange that is still waiting when ctx ends is not
// sent (ErrExpired). When ctx ends after the request was written, Do returns ErrNoReply and the
// line itself waits for the reply, so that it cannot be taken for the answer to the next question.
func (l *Line) Do(ctx context.Context, x Exchange) ([]byte, error) {
	j := &job{Exchange: x, ctx: ctx, urgency: UrgencyOf(ctx), came: time.Now(), done: make(chan answer, 1)}
	l.mu.Lock()
	replaced, err := l.admit(j)
	l.mu.Unlock()
	for _, old := range replaced {
		old.done <- answer{err: l.failed(&old.Exchange, ErrSuperseded)}
	}
	if err != nil {
		return nil, l.failed(&x, err)
	}
	signal(l.wake)
	if j.urgency > Poll {
		signal(l.urgent)
	}
	select {
	case a := <-j.done:
		return a.frame, a.err
	case <-ctx.Done():
	}
	l.mu.Lock()
	waiting := l.queue.remove(j)
	l.mu.Unlock()
	if waiting {
		return nil, l.failed(&x, fmt.Errorf("%w: %w", ErrExpired, context.Cause(ctx)))
	}
	select {
	case a := <-j.done: // it ended in the same moment
		return a.frame, a.err
	default:
		return nil, l.failed(&x, fmt.Errorf("%w: %w", ErrNoReply, context.Cause(ctx)))
	}
}

// admit puts a job into the queue unless it is known that it cannot be done. The caller holds mu.
func (l *Line) admit(j *job) ([]*job, error) {
	switch {
	case l.closed:
		return nil, ErrClosed
	case j.urgency == Poll && l.down != nil:
		return nil, fmt.Errorf("%w: %w", ErrDown, l.down)
	case j.urgency == Poll && l.unit(j.Unit).setAside(time.Now()):
		return nil, ErrSilent
	}
	return l.queue.push(j)
}

// signal sends to a channel that holds one, without waiting.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Waiting returns how many exchanges wait for the line.
func (l *Line) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue.jobs)
}
