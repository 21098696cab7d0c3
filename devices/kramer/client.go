package kramer

import (
	"context"
	"fmt"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// pause is kept between commands. The tables give no number; 150 ms is what drivers in the field keep
// for the same switchers in their older Protocol 2000.
const pause = 150 * time.Millisecond

// client is one device's part in the conversation.
type client struct {
	line    *line.Line
	machine int
	changed chan struct{}
}

func newClient(env devices.Env, machine int, concerns func(message) bool) (*client, error) {
	if err := env.Line.Use(line.Session{Name: "kramer", Split: split, Explain: explain}); err != nil {
		return nil, fmt.Errorf("kramer: %w", err)
	}
	c := &client{line: env.Line, machine: machine, changed: make(chan struct{}, 1)}
	env.Line.Hear(func(frame []byte) {
		m := parse(frame)
		if !c.mine(m) || m.kind != changed && m.kind != banner && !concerns(m) {
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

// mine reports whether a frame is from the machine that is spoken to, as far as it says.
func (c *client) mine(m message) bool {
	return c.machine == 0 || m.machine == noMachine || m.machine == c.machine
}

// unit names the machine on a line that several share; "" where nobody else can be meant.
func (c *client) unit() string {
	if c.machine == 0 {
		return ""
	}
	return fmt.Sprintf("machine %02d", c.machine)
}

// query is one command and what its answer looks like.
type query struct {
	command string
	word    string // the command's word, as an error may repeat it
	key     string
	note    string
	accept  func(message) bool
}

// refuses reports whether a frame is an error reply to the query.
func (q query) refuses(m message) bool {
	return m.kind == failed && (m.command == "" || m.command == q.word || switches(m.command) && switches(q.word))
}

// ask sends a command and returns the answer, or the equipment's error as a *devices.Rejection.
func (c *client) ask(ctx context.Context, q query) (message, error) {
	frame, err := c.line.Do(ctx, line.Exchange{
		Unit: c.unit(), Request: encode(c.machine, q.command), Key: q.key, Pause: pause, Note: q.note, Explain: explain,
		Accept: func(f []byte) bool {
			m := parse(f)
			return c.mine(m) && (q.refuses(m) || q.accept(m))
		},
	})
	if err != nil {
		return message{}, fmt.Errorf("kramer %s: %w", q.note, err)
	}
	m := parse(frame)
	if m.kind == failed {
		return message{}, fmt.Errorf("kramer %s: %w", q.note, rejection(m.code))
	}
	return m, nil
}
