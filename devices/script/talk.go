package script

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"lectern/devices"
	"lectern/devices/line"
)

// wire is what a device speaks on: a line, or a recording that is played.
type wire interface {
	Do(ctx context.Context, x line.Exchange) ([]byte, error)
}

// talk is one device's part in the conversation.
type talk struct {
	*program
	wire   wire
	device string
	kind   line.Kind
	// stale says that the equipment may have forgotten its greeting: on a serial line nobody may have
	// been there to be greeted, and nothing tells when somebody is back.
	stale   atomic.Bool
	changed chan struct{} // nil where nothing is said unasked

	mu   sync.Mutex
	told map[string]string // what was set last, by value
}

func newTalk(p *program, env devices.Env) (*talk, error) {
	t := &talk{program: p, wire: env.Line, device: env.Device, kind: env.Line.Config().Kind, told: make(map[string]string)}
	if p.bus != "" {
		return t, nil
	}
	if err := env.Line.Use(t.session()); err != nil {
		return nil, fmt.Errorf("script: %w", err)
	}
	if len(p.unasked) > 0 {
		t.changed = make(chan struct{}, 1)
		env.Line.Hear(t.hear)
	}
	return t, nil
}

// session is how the protocol treats a connection. Where it has no frame, nothing is ever answered,
// and all that comes is noise.
func (t *talk) session() line.Session {
	s := line.Session{Name: "protocol " + t.id, Split: func(got []byte) int { return len(got) }, Explain: t.explain}
	if t.framer != nil {
		s.Split = t.framer.split
	}
	if len(t.greet) > 0 {
		s.Greet = t.welcome
	}
	return s
}

// Changed implements devices.Notifier. The channel is nil, and yields nothing, for equipment that says
// nothing by itself.
func (t *talk) Changed() <-chan struct{} { return t.changed }

// hear takes what the equipment says by itself.
func (t *talk) hear(frame []byte) {
	if !t.isNews(frame) {
		return
	}
	select {
	case t.changed <- struct{}{}:
	default: // one is waiting already
	}
}

func (t *talk) isNews(frame []byte) bool {
	text := t.framer.text(frame)
	for _, m := range t.unasked {
		if _, ok := m.match(frame, text); ok {
			return true
		}
	}
	return false
}

// welcome greets on a new connection. On a serial line the equipment may be off while the port is
// there: that is no reason to close the port.
func (t *talk) welcome(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error)) error {
	t.stale.Store(false)
	for _, m := range t.greet {
		if m.only != "" && m.only != t.kind {
			continue
		}
		_, err := t.say(ctx, do, m, nil, "")
		switch {
		case err == nil:
		case errors.Is(err, line.ErrNoReply) && m.optional:
		case errors.Is(err, line.ErrNoReply) && t.kind == line.Serial:
			t.stale.Store(true)
			return nil
		default:
			return err
		}
	}
	return nil
}

// renew greets again where nobody may have heard it, but never before a stop.
func (t *talk) renew(ctx context.Context) error {
	if !t.stale.Load() || line.UrgencyOf(ctx) == line.Halt {
		return nil
	}
	if err := t.welcome(ctx, t.wire.Do); err != nil {
		t.stale.Store(true)
		return err
	}
	if t.stale.Load() {
		return fmt.Errorf("%s: greeting: %w", t.device, line.ErrNoReply)
	}
	return nil
}

// do sends a message and returns what was captured from its reply. An error reply is a
// *devices.Rejection. Without a reply it returns at once, with nothing.
func (t *talk) do(ctx context.Context, m *message, values map[string]string, key string) (map[string]captured, error) {
	if err := t.renew(ctx); err != nil {
		return nil, err
	}
	got, err := t.say(ctx, t.wire.Do, m, values, key)
	if errors.Is(err, line.ErrNoReply) && t.kind == line.Serial && len(t.greet) > 0 {
		t.stale.Store(true)
	}
	return got, err
}

func (t *talk) say(ctx context.Context, do func(context.Context, line.Exchange) ([]byte, error), m *message, values map[string]string, key string) (map[string]captured, error) {
	x, reply, err := t.exchange(m, values)
	if err != nil {
		return nil, fmt.Errorf("script %s: %s: %w", t.id, m.name, err)
	}
	x.Key = key
	frame, err := do(ctx, x)
	if err != nil {
		return nil, fmt.Errorf("script %s: %w", t.id, err)
	}
	if x.OneWay {
		return nil, nil
	}
	if no := t.rejection(frame); no != nil {
		return nil, fmt.Errorf("script %s: %s: %w", t.id, m.name, no)
	}
	got, _ := reply.match(frame, t.framer.text(frame))
	return got, nil
}

// exchange is a message as the line wants it.
func (t *talk) exchange(m *message, values map[string]string) (line.Exchange, matcher, error) {
	of := t.known(values)
	x := line.Exchange{Timeout: m.timeout, Pause: m.pause, Note: t.note(m, values), Secret: m.secret, Explain: t.explain}
	// A stop is written even while a late reply to something else may still come. Where that would be
	// taken for its acknowledgement, it has been written all the same.
	x.Sure = m.name == string(devices.Stop)
	var err error
	if !m.silent {
		if x.Request, err = m.request.render(of); err != nil {
			return x, matcher{}, err
		}
	}
	if t.bus != "" {
		x.Unit = t.unit()
	}
	if m.reply == nil {
		x.OneWay = true
		return x, matcher{}, nil
	}
	reply, err := m.reply.bind(of)
	if err != nil {
		return x, matcher{}, err
	}
	accept := func(frame []byte) bool {
		if _, ok := reply.match(frame, t.framer.text(frame)); ok {
			return true
		}
		return t.rejection(frame) != nil
	}
	switch {
	case t.bus == "":
		x.Accept = accept
	case t.framer != nil:
		x.Find = func(got []byte) (int, int, error) { return t.findFrame(got, accept) }
	default:
		x.Find = func(got []byte) (int, int, error) { return t.findBytes(got, reply) }
	}
	return x, reply, nil
}

// findFrame looks for a reply among the frames that have come.
func (t *talk) findFrame(got []byte, accept func([]byte) bool) (start, end int, err error) {
	for at := 0; at < len(got); {
		n := t.framer.split(got[at:])
		if n <= 0 {
			return 0, 0, nil
		}
		if accept(got[at : at+n]) {
			return at, at + n, nil
		}
		at += n
	}
	return 0, 0, nil
}

// findBytes looks for a reply, or an error reply, at any place of what has come.
func (t *talk) findBytes(got []byte, reply matcher) (start, end int, err error) {
	for at := range got {
		for i := -1; i < len(t.errors); i++ {
			m := reply
			if i >= 0 {
				m = t.errors[i].matcher
			}
			if m.form != nil || at+m.size() > len(got) {
				continue
			}
			if _, ok := m.matchHex(got[at : at+m.size()]); ok {
				return at, at + m.size(), nil
			}
		}
	}
	return 0, 0, nil
}

// unit names the device on a bus.
func (t *talk) unit() string {
	for _, name := range []string{"unit", "address", "id"} {
		if v, ok := t.args[name]; ok {
			return name + " " + v
		}
	}
	return t.device
}

// note says in words what a message is, for the trace.
func (t *talk) note(m *message, values map[string]string) string {
	note := t.device + ": " + m.name
	for _, name := range append(append([]string(nil), percents...), codes...) {
		if v, ok := values[name]; ok {
			note += " " + v
		}
	}
	return strings.TrimPrefix(note, ": ")
}

// rejection is an error reply as an error; nil for any other.
func (t *talk) rejection(frame []byte) *devices.Rejection {
	text := t.framer.text(frame)
	for _, e := range t.errors {
		got, ok := e.match(frame, text)
		if !ok {
			continue
		}
		no := &devices.Rejection{Code: e.Code, Busy: e.Busy, Reason: devices.Phrase{ZH: e.ZH, EN: e.EN}}
		if c, ok := got["code"]; ok && c.text != "" {
			no.Code = c.text
		}
		if no.Code == "" {
			no.Code = shown(frame, text)
		}
		if no.Reason == (devices.Phrase{}) {
			no.Reason = devices.Phrase{ZH: "设备拒绝执行", EN: "The equipment refused"}
		}
		return no
	}
	return nil
}

// explain says in words what a frame means.
func (t *talk) explain(frame []byte) string {
	text := t.framer.text(frame)
	if t.rejection(frame) != nil {
		return "refused: " + shown(frame, text)
	}
	if text == "" || !isPrintable(text) {
		return ""
	}
	return text
}

// shown is a frame for people: its text where it is one, else its bytes.
func shown(frame []byte, text string) string {
	if text != "" && isPrintable(text) {
		return clip(text)
	}
	return clip(fmt.Sprintf("% X", frame))
}

func isPrintable(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\r' && r != '\n' && r != '\t' || r > '~' }) < 0
}
