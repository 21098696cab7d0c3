package itach

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

const (
	// margin is what an acknowledgement may take beyond the emission, which it comes after.
	margin = time.Second
	// busyPause is kept between two tries at a connector that another controller is sending on, and
	// busyTime bounds them for somebody who would wait for ever.
	busyPause = 200 * time.Millisecond
	busyTime  = 5 * time.Second
)

// emitter is one connector with the codes of the equipment before it, and what it was last told.
//
// The equipment cannot be read. What was sent is kept as what is assumed; when it is not certain
// whether a code went out, nothing is assumed any more.
type emitter struct {
	line   *line.Line
	module int
	port   int
	codes  map[string]Code

	mu   sync.Mutex
	told map[string]string // what by its name: transport, power, an output
}

func (e *emitter) address() string { return fmt.Sprintf("%d:%d", e.module, e.port) }

// emit sends a code and returns an error that wraps devices.ErrSent when it has gone out. A connector
// that is busy is tried again for as long as ctx allows.
func (e *emitter) emit(ctx context.Context, name string) error {
	c, ok := e.codes[name]
	if !ok {
		return &devices.Refusal{Reason: devices.Phrase{
			ZH: "房间文件中没有“" + name + "”的红外码", EN: "The room file has no infrared code for " + name,
		}}
	}
	ctx, cancel := context.WithTimeout(ctx, busyTime+c.Duration()+margin)
	defer cancel()
	var taken error // what it said last, while it was busy
	for {
		err := e.once(ctx, name, c)
		if taken != nil && errors.Is(err, line.ErrExpired) {
			return taken // the reason why it was too late
		}
		var no *devices.Rejection
		if !errors.As(err, &no) || !no.Busy {
			return err
		}
		taken = err
		again := time.NewTimer(busyPause)
		select {
		case <-again.C:
		case <-ctx.Done(): // what is late is not sent
			again.Stop()
			return err
		}
	}
}

// once sends a code and waits for what the emitter says of it.
func (e *emitter) once(ctx context.Context, name string, c Code) error {
	number := e.line.Number()
	id := strconv.Itoa(int(number))
	frame, err := e.line.Do(ctx, line.Exchange{
		Request: encode(e.module, e.port, number, c), Timeout: c.Duration() + margin,
		Note: "send " + name + " at " + e.address(), Explain: explain,
		Accept: func(f []byte) bool {
			switch m := parse(f); m.kind {
			case complete:
				return m.address == e.address() && m.id == id
			case busy, stopped:
				return m.address == e.address()
			case failed:
				return true // nothing else is asked meanwhile
			}
			return false
		},
	})
	if err != nil {
		return fmt.Errorf("itach %s at %s: %w", name, e.address(), err)
	}
	if m := parse(frame); m.kind != complete {
		return fmt.Errorf("itach %s at %s: %w", name, e.address(), rejection(m))
	}
	return fmt.Errorf("itach %s at %s: %w", name, e.address(), devices.ErrSent)
}

// there asks whether the emitter answers. Of the equipment before it that says nothing.
func (e *emitter) there(ctx context.Context) error {
	_, err := e.line.Do(ctx, line.Exchange{
		Request: []byte(askVersion), Note: "ask whether it is there", Explain: explain,
		Accept: func(f []byte) bool { k := parse(f).kind; return k == other || k == failed },
	})
	if err != nil {
		return fmt.Errorf("itach: %w", err)
	}
	return nil
}

// assume notes what became of an emission that was to bring something into a state.
func (e *emitter) assume(what, state string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case errors.Is(err, devices.ErrSent):
		if e.told == nil {
			e.told = make(map[string]string)
		}
		e.told[what] = state
	case uncertain(err):
		delete(e.told, what)
	}
}

// forget says that nobody knows how something is.
func (e *emitter) forget(what string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.told, what)
}

// uncertain reports whether a code may have gone out although it is not known to have.
func uncertain(err error) bool {
	var no *devices.Rejection
	if errors.As(err, &no) {
		return no.Code == "stopir"
	}
	return errors.Is(err, line.ErrNoReply) || errors.Is(err, line.ErrGarbled) || errors.Is(err, line.ErrDown)
}

// last returns what was last sent, together with an error that wraps devices.ErrSent: a value to be
// shown as assumed. Before anything was sent it returns a *devices.Refusal: unknown, and not for want
// of an answer. Where the emitter does not answer it returns that.
func (e *emitter) last(ctx context.Context, what string) (string, error) {
	if err := e.there(ctx); err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	state, ok := e.told[what]
	if !ok {
		return "", &devices.Refusal{Reason: devices.Phrase{
			ZH: "红外设备无法回读状态", EN: "Equipment behind an infrared emitter cannot be read",
		}}
	}
	return state, fmt.Errorf("itach at %s as last told: %w", e.address(), devices.ErrSent)
}
