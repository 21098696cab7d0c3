package sis

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// pause is kept between commands. The command tables give no number; some models lose what comes
	// faster, and drivers in the field keep about 100 ms.
	pause = 100 * time.Millisecond
	// Over TCP the equipment speaks first. Behind a serial device server it does not, so the wait
	// for its first word is bounded; the rest of the greeting follows at once.
	firstWord = time.Second
	nextWord  = 300 * time.Millisecond
)

// manner is what the devices on one line have in common.
type manner struct {
	password string
	tagged   bool
}

// speak is what greets with: it is the line's way to speak directly.
type speak = func(context.Context, line.Exchange) ([]byte, error)

// errPassword is why a connection is given up. The password is never part of it.
var errPassword = errors.New("the equipment asks for a password and has not got the right one: set `password` for the devices on this line")

// session returns how SIS treats a connection.
func session(kind line.Kind, s manner) line.Session {
	name := "sis"
	if !s.tagged {
		name = "sis untagged"
	}
	return line.Session{Name: name, Split: split, Explain: explain,
		Greet: func(ctx context.Context, do speak) error { return greet(ctx, do, kind, s) },
	}
}

// greet logs in and sets the verbose mode: over TCP equipment starts in mode 0, in which nothing that
// happens at its front panel is reported and nothing in an answer tells what it answers.
func greet(ctx context.Context, do speak, kind line.Kind, s manner) error {
	if kind != line.Serial {
		if err := welcome(ctx, do, s.password); err != nil {
			return err
		}
	}
	// Once more where it fails: what stood in the equipment's buffer before is an error with it.
	err := setMode(ctx, do, s.tagged)
	if errors.As(err, new(*devices.Rejection)) {
		err = setMode(ctx, do, s.tagged)
	}
	switch {
	case !s.tagged && errors.As(err, new(*devices.Rejection)):
		return nil // equipment that knows no verbose modes answers its commands all the same
	case kind == line.Serial && errors.Is(err, line.ErrNoReply):
		return nil // the port is there and the equipment is off; client.renew will catch up
	}
	return err
}

// welcome hears the greeting out and gives the password where it is asked for.
func welcome(ctx context.Context, do speak, secret string) error {
	wait, given := firstWord, false
	for range 8 { // a copyright, a date, a prompt, a login, blank lines
		frame, err := do(ctx, line.Exchange{
			Accept: func([]byte) bool { return true }, Timeout: wait, Note: "wait for the greeting", Explain: explain,
		})
		if errors.Is(err, line.ErrNoReply) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("sis greeting: %w", err)
		}
		switch wait = nextWord; parse(frame).kind {
		case login:
			return nil
		case password:
			// "The Password prompt is redisplayed if an incorrect password is entered."
			if secret == "" || given {
				return errPassword
			}
			given = true
			if _, err := do(ctx, line.Exchange{Request: []byte(secret + "\r"), OneWay: true, Secret: true, Note: "give the password"}); err != nil {
				return fmt.Errorf("sis login: %w", err)
			}
			wait = firstWord
		}
	}
	return nil
}

// setMode sets verbose mode 3, or 1 for equipment whose answers are not tagged.
func setMode(ctx context.Context, do speak, tagged bool) error {
	mode := 1
	if tagged {
		mode = 3
	}
	frame, err := do(ctx, line.Exchange{
		Request: []byte(setVerbose(mode)), Pause: pause,
		Note: fmt.Sprintf("set verbose mode %d", mode), Explain: explain,
		Accept: func(f []byte) bool {
			m := parse(f)
			return m.kind == verbose && m.value == mode || m.kind == failed || m.kind == password
		},
	})
	if err != nil {
		return fmt.Errorf("sis verbose mode: %w", err)
	}
	switch m := parse(frame); m.kind {
	case failed:
		return fmt.Errorf("sis verbose mode %d (equipment without it needs `tagged: false`): %w", mode, rejection(m.word))
	case password:
		return errPassword
	}
	return nil
}

// client is one device's part in the conversation.
type client struct {
	line   *line.Line
	tagged bool

	// lost says that the equipment may have left verbose mode 3.
	lost    atomic.Bool
	changed chan struct{}
}

func newClient(env devices.Env, s manner, concerns func(message) bool) (*client, error) {
	if err := env.Line.Use(session(env.Line.Config().Kind, s)); err != nil {
		return nil, fmt.Errorf("sis: the devices on a line must agree in `tagged`: %w", err)
	}
	c := &client{line: env.Line, tagged: s.tagged, changed: make(chan struct{}, 1)}
	c.lost.Store(s.tagged) // on a serial line nobody may have been there to be greeted
	env.Line.Hear(func(frame []byte) {
		m := parse(frame)
		switch {
		case m.kind == banner, m.kind == number && c.tagged:
			// It has been off, and is back in the mode it comes up with.
			c.lost.Store(c.tagged)
		case m.kind != changed && !concerns(m):
			return
		}
		select {
		case c.changed <- struct{}{}:
		default: // one is waiting already
		}
	})
	return c, nil
}

// Changed implements devices.Notifier.
func (c *client) Changed() <-chan struct{} { return c.changed }

// query is one command and what its answer looks like.
type query struct {
	command string
	key     string
	note    string
	accept  func(message) bool // the tagged answer
	bare    bool               // untagged equipment answers with a number alone
	limit   time.Duration      // how long the answer may take; 0 is what the line says
}

// ask sends a command and returns the answer, or the equipment's error as a *devices.Rejection.
func (c *client) ask(ctx context.Context, q query) (message, error) {
	if c.lost.Load() {
		if err := c.renew(ctx); err != nil {
			return message{}, fmt.Errorf("sis %s: %w", q.note, err)
		}
	}
	frame, err := c.line.Do(ctx, line.Exchange{
		Request: []byte(q.command), Key: q.key, Timeout: q.limit, Pause: pause, Note: q.note, Explain: explain,
		Accept: func(f []byte) bool {
			m := parse(f)
			return m.kind == failed || q.accept(m) || q.bare && !c.tagged && m.kind == number
		},
	})
	if err != nil {
		if errors.Is(err, line.ErrNoReply) {
			c.lost.Store(c.tagged) // it may have answered without the tag that was looked for
		}
		return message{}, fmt.Errorf("sis %s: %w", q.note, err)
	}
	m := parse(frame)
	if m.kind == failed {
		return message{}, fmt.Errorf("sis %s: %w", q.note, rejection(m.word))
	}
	return m, nil
}

// renew sets verbose mode 3 again for equipment that may have been off since it was greeted.
func (c *client) renew(ctx context.Context) error {
	// Cleared first: a copyright line that comes meanwhile must not be forgotten.
	c.lost.Store(false)
	if err := setMode(ctx, c.line.Do, true); err != nil {
		c.lost.Store(true)
		return err
	}
	return nil
}
