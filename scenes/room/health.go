package room

import (
	"time"

	"lectern/devices/line"
	"lectern/scenes/journal"
)

// PostLine tells how a line is doing. When it, or a unit on it, goes or comes back, the journal is
// told.
func (r *Room) PostLine(h line.Health) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	c := r.state.lines[h.Line]
	if c == nil {
		c = &cell{line: &line.Health{Line: h.Line}}
		r.state.lines[h.Line] = c
	}
	before := c.line
	c.line = &h
	r.state.touch(c)
	note := func(unit string, was, is bool, outcome map[bool]string, detail string) {
		if was != is {
			r.journal.Record(journal.Entry{
				Time: time.Now(), By: journal.By{Via: "equipment"}, Line: h.Line, Unit: unit, Outcome: outcome[is], Detail: detail,
			})
		}
	}
	note("", before.Up, h.Up, map[bool]string{true: "up", false: "down"}, h.Error)
	for _, u := range h.Units {
		silent := false
		for _, was := range before.Units {
			silent = silent || was.Unit == u.Unit && was.Silent
		}
		detail := u.Error
		if !u.Silent {
			detail = "" // the last error is over
		}
		note(u.Unit, silent, u.Silent, map[bool]string{true: "silent", false: "heard"}, detail)
	}
}

// PostStorage tells how the storage of journal and state is doing.
func (r *Room) PostStorage(h journal.Health) {
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	if r.state.storage == nil {
		r.state.storage = &cell{}
	}
	r.state.storage.storage = &h
	r.state.touch(r.state.storage)
}
