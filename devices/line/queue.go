package line

import (
	"context"
	"log/slog"
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

// Line is one physical connection. Its methods may be called from any goroutine.
type Line struct{ config Config }

// New makes a line; nothing is opened before Run.
func New(c Config, log *slog.Logger) *Line { return &Line{config: c} }

// Run owns the connection until ctx ends: opens it, serves the queue, reopens. It returns nil when
// ctx has ended and the port is closed.
func (l *Line) Run(ctx context.Context) error { <-ctx.Done(); return nil }

// ID returns the line's name in the room file.
func (l *Line) ID() string { return l.config.ID }

// Config returns how the line was made, with its defaults filled in.
func (l *Line) Config() Config { return l.config }

// Use sets the session of a point-to-point protocol, before Run. Setting one of the same name again
// changes nothing; one of another name is an error.
func (l *Line) Use(s Session) error { return nil }

// Hear adds a listener for frames that are not the reply to an exchange. It is called from the
// line's own goroutine and must not block or call Do.
func (l *Line) Hear(f func(frame []byte)) {}

// Do carries out an exchange and returns the reply frame, which the caller may keep. The urgency
// comes from ctx, and so does the deadline: an exchange that is still waiting when ctx ends is not
// sent.
func (l *Line) Do(ctx context.Context, x Exchange) ([]byte, error) { return nil, ErrClosed }

// Health is how a line and the units on it are doing.
type Health struct {
	Line  string       `json:"line"`
	Up    bool         `json:"up"`
	Since time.Time    `json:"since"`           // of Up
	Error string       `json:"error,omitempty"` // the last one, while down
	Units []UnitHealth `json:"units,omitempty"`
}

// UnitHealth is how one unit on a line is doing.
type UnitHealth struct {
	Unit      string    `json:"unit"`
	Silent    bool      `json:"silent"` // set aside
	Exchanges uint64    `json:"exchanges"`
	Failures  uint64    `json:"failures"`
	Error     string    `json:"error,omitempty"` // the last one
	Heard     time.Time `json:"heard,omitzero"`  // the last good reply
}

// Health returns how the line and its units are doing now.
func (l *Line) Health() Health { return Health{} }

// Watch returns a channel that yields a value when Up, or a unit's Silent, has changed since the
// last value. It holds one.
func (l *Line) Watch() <-chan struct{} { return nil }

// Entry is one line of the trace: a frame, or something that happened to the port.
type Entry struct {
	Seq   uint64        `json:"seq"`
	Time  time.Time     `json:"time"`
	Line  string        `json:"line"`
	Unit  string        `json:"unit,omitempty"`
	Dir   string        `json:"dir"`            // "tx", "rx", "noise" or "event"
	Bytes []byte        `json:"-"`              // the frame, bounded
	Note  string        `json:"note,omitempty"` // in words
	Took  time.Duration `json:"took,omitempty"` // rx: from the end of the write to the whole reply
}

// Trace returns what the ring holds after the entry with the given number, decoded, oldest first,
// and a channel that is closed when there is more.
func (l *Line) Trace(after uint64) ([]Entry, <-chan struct{}) { return nil, nil }
