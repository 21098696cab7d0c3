// Package line owns the wires. A Line is one physical connection - a serial port, a TCP socket, a
// bus - with one owner, one queue and one exchange in flight. It knows nothing of what the bytes
// mean: protocols hand it exchanges and frame the replies; equipment decides what is safe.
//
// This is the only package that opens ports.
//
// What a Line promises:
//
//   - One exchange at a time, in order of urgency, then of arrival. A person never waits for more
//     than the exchange in flight.
//   - A Stop goes before everything, and takes the place of every exchange with its key that still
//     waits: nothing that was asked before a stop is sent after it.
//   - A newer exchange with a key replaces an older one with the same key that still waits; the
//     older fails with ErrSuperseded.
//   - An exchange whose context ends before it is written is never written (ErrExpired).
//   - What several ask alike is asked once: a sequencer that tells all its channels in one frame is
//     not asked for each of them.
//   - Stale input is drained before a write; input is bounded; whatever goes wrong with the port
//     closes it, and it is reopened with growing pauses. Someone's press asks at once.
//   - A unit that stays silent is set aside and asked rarely, so that its neighbours on the bus are
//     not slowed.
//   - The last frames are kept in a ring, to be read decoded (Trace).
package line

import (
	"context"
	"crypto/tls"
	"errors"
	"time"
)

// Kind is a kind of line.
type Kind string

// The kinds of line.
const (
	Serial    Kind = "serial"     // a tty, through tarm/serial
	TCP       Kind = "tcp"        // a byte stream over TCP; also Modbus RTU frames over TCP
	ModbusTCP Kind = "modbus-tcp" // TCP carrying Modbus with its MBAP header
	MQTT      Kind = "mqtt"       // a broker; see Message
)

// Errors of an exchange. Each is wrapped with what was done, on which line and to whom.
var (
	ErrDown       = errors.New("not connected")
	ErrNoReply    = errors.New("no reply")
	ErrExpired    = errors.New("expired before it could be sent")
	ErrSuperseded = errors.New("superseded by a newer command")
	ErrGarbled    = errors.New("garbled reply")
	ErrSilent     = errors.New("unit set aside: it has not answered for a while")
	ErrClosed     = errors.New("line closed")
	ErrFull       = errors.New("queue full")
)

// Config says where a line leads and how it is to be treated. The zero value of every field but
// Kind and the address is a good default.
type Config struct {
	ID   string
	Kind Kind

	Port   string // serial: path of the tty
	Baud   int    // serial: default 9600
	Format string // serial: data bits, parity, stop bits; default "8N1"

	Address string // tcp, modbus-tcp, mqtt: host:port

	User, Password string      // mqtt: the login
	TLS            *tls.Config // mqtt: how the broker is trusted; nil for a broker without TLS

	// Gap is the least silence between the end of one exchange and the start of the next. The
	// default on a serial line is 3.5 characters (1.75 ms above 19200 baud), the frame gap of the
	// Modbus serial line guide; on TCP none.
	Gap time.Duration
	// Timeout is how long a reply may take where the exchange does not say; default 500 ms.
	Timeout time.Duration
	// Search says that it is being found out who is there: silence does not close the port.
	Search bool
}

// Urgency orders the exchanges that wait for a line.
type Urgency uint8

// The urgencies, in rising order.
const (
	Poll   Urgency = iota // nobody waits for it
	Person                // somebody, or something that acts for somebody, waits
	Halt                  // it stops a motion
)

// Exchange is one request and, unless it is one-way, its reply.
type Exchange struct {
	// Unit names who is addressed on a bus, for errors, the trace and the setting aside of silent
	// units. Empty on a point-to-point line.
	Unit string
	// Request is written as it is. Empty means to wait for a frame without writing.
	Request []byte

	// Exactly one of Find, Accept and OneWay says how the exchange ends.

	// Find looks for the reply in everything that has come since the request was written, and
	// returns its bounds, end 0 while it is not complete. What stands before start is noise. It
	// must judge by the content (unit, function, checksum): late replies of others pass by here.
	// An error ends the exchange as garbled.
	Find func(got []byte) (start, end int, err error)
	// Accept says whether a frame cut by the session's Split is the reply. Frames that it does not
	// accept go to the session's listeners.
	Accept func(frame []byte) bool
	// OneWay marks a request that nothing answers, such as a broadcast.
	OneWay bool

	// Sure marks an exchange whose reply cannot be mistaken for a late reply to an earlier one of the
	// unit: it carries a number of its own, or repeats what was asked. It is written even while such
	// a late reply may still come, so that a stop need not wait for it.
	Sure bool

	// Key names what the exchange sets ("unit 3 register 0"). Empty: never replaced.
	Key string
	// Question names what is asked of the unit by an exchange that changes nothing and whose reply says
	// the same to everybody ("channels"). Its reply, or that none comes, is also the answer to all who asked
	// the same before it had its turn, and to all polls that came while it was under way: what those hear
	// is older than they are by at most an exchange, and never older than a command that was over before they
	// came. Not for equipment that says by itself when something changes: a poll that such a word causes wants what
	// is true after it. Empty: answered alone.
	Question string
	// Timeout is how long the reply may take, counted from the end of the write.
	Timeout time.Duration
	// Pause is the least silence to keep on the line after this exchange, where the manual demands
	// more than the line's gap.
	Pause time.Duration

	// Secret keeps the bytes of the request out of the trace: a password.
	Secret bool
	// Note says in words what the request asks, for the trace: "read coils 0-7".
	Note string
	// Explain says in words what a frame means, for the trace; called only when somebody reads it,
	// from any goroutine. May be nil.
	Explain func(frame []byte) string
}

// Session is how a point-to-point protocol treats a connection: how the stream is cut into frames,
// and what must be said before anything else.
type Session struct {
	// Name of the protocol. Several devices on one line set the same session; another is an error.
	Name string
	// Split returns the length of the first complete frame in got, terminator included, 0 while
	// there is none. It is called again for the rest.
	Split func(got []byte) (n int)
	// Greet is run on every new connection before any exchange, with do to speak directly. An error
	// closes the connection. May be nil.
	Greet func(ctx context.Context, do func(context.Context, Exchange) ([]byte, error)) error
	// Seal returns what is written in place of a request, where requests bear something of the
	// greeting, such as a digest. It is called by the line's own goroutine, as Greet is, and what it
	// adds is kept out of the trace. May be nil.
	Seal func(request []byte) []byte
	// OneExchange says that the equipment closes a connection after one exchange, and when nothing is
	// said on it. Every exchange then has a connection of its own: it is opened when the exchange is
	// due and closed with its reply. Between two exchanges the line holds no connection and is up all
	// the same. It is down when it cannot connect, is not greeted or gets no reply.
	OneExchange bool
	// Explain is as in Exchange, for frames that nobody asked for. May be nil.
	Explain func(frame []byte) string
}
