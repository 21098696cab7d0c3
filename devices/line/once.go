package line

import (
	"context"
	"time"
)

// What follows serves a session of one exchange to a connection, see Session.OneExchange. The
// connection is opened before the exchange is taken out of the queue: what is asked for meanwhile
// still goes before it, takes its place or expires, as on any line.

func (l *Line) isOneExchange() bool { return l.session != nil && l.session.OneExchange }

// isBetween reports whether the line has no connection because nothing is to be said.
func (l *Line) isBetween() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.isOneExchange() && l.up
}

// due waits until something may be sent and the pause after the last exchange is over. It fails when
// ctx ends.
func (l *Line) due(ctx context.Context) error {
	for {
		j, again := l.pick(l.queue.first)
		if j != nil {
			if again = time.Until(l.rested); again <= 0 {
				return nil
			}
		}
		var timer <-chan time.Time
		if again > 0 {
			timer = time.After(again)
		}
		select {
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // Run knows
		case <-l.wake:
		case <-timer:
		}
	}
}

// once carries out the next exchange. There may be none: at the start, and where it was taken back
// while the connection was made.
func (c *conn) once(ctx context.Context) error {
	for {
		j, _ := c.line.take()
		if j == nil {
			return nil
		}
		if c.line.isExpired(j) {
			continue
		}
		err := c.carryOut(ctx, j)
		c.line.rested = c.quiet
		return err
	}
}
