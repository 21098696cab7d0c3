package line

import (
	"errors"
	"time"
)

const (
	silentAfter = 2 // time-outs in a row after which a unit is set aside
	probeLeast  = time.Second
	probeMost   = 30 * time.Second
)

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

// unit is what the line knows of one unit.
type unit struct {
	UnitHealth
	missed int           // time-outs in a row
	quiet  time.Time     // not to be spoken to before, since a late reply may still come
	probe  time.Time     // set aside until then
	pause  time.Duration // between two probes
}

// unit returns the unit with the name. The caller holds mu.
func (l *Line) unit(name string) *unit {
	u := l.units[name]
	if u == nil {
		u = &unit{UnitHealth: UnitHealth{Unit: name}}
		l.units[name] = u
		l.order = append(l.order, name)
	}
	return u
}

// setAside reports whether the unit is not to be polled now; where a probe is due it lets one through.
func (u *unit) setAside(now time.Time) bool {
	if !u.Silent {
		return false
	}
	if now.Before(u.probe) {
		return true
	}
	u.probe = now.Add(u.pause) // one probe, not all polls that come in the same moment
	return false
}

func (l *Line) isSilent(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unit(name).Silent
}

// account notes how an exchange ended whose turn came at a time.
func (l *Line) account(j *job, began time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	x, now := &j.Exchange, time.Now()
	u := l.unit(x.Unit)
	l.figures.count(x.Unit, j.urgency, began.Sub(j.came), now.Sub(began), err)
	u.Exchanges++
	if err == nil {
		if !x.OneWay {
			u.Heard = now
		}
		if u.Silent {
			signal(l.watch)
		}
		u.missed, u.Silent, u.pause, u.Error = 0, false, 0, ""
		return
	}
	u.Failures++
	u.Error = err.Error()
	if !errors.Is(err, ErrNoReply) || x.Unit == "" {
		return
	}
	if !x.Sure {
		u.quiet = now.Add(max(settleLeast, 2*l.timeout(x)))
	}
	if errors.Is(err, errGivenUp) { // nobody knows whether it would have answered
		return
	}
	if u.missed++; u.missed < silentAfter {
		return
	}
	if !u.Silent {
		u.Silent = true
		signal(l.watch)
	}
	u.pause = min(max(2*u.pause, probeLeast), probeMost)
	u.probe = now.Add(u.pause)
}

// Health returns how the line and its units are doing now.
func (l *Line) Health() Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := Health{Line: l.config.ID, Up: l.up, Since: l.since}
	if l.down != nil {
		h.Error = l.down.Error()
	}
	for _, name := range l.order {
		if u := l.units[name]; u.Exchanges > 0 {
			h.Units = append(h.Units, u.UnitHealth)
		}
	}
	return h
}

// Watch returns a channel that yields a value when Up, or a unit's Silent, has changed since the
// last value. It holds one.
func (l *Line) Watch() <-chan struct{} { return l.watch }
