package journal

import (
	"encoding/json"
	"time"

	"lectern/devices"
)

// Reading is how a property last was.
type Reading struct {
	Device, Property string
	Value            any // as devices.Value's Any has it: nil, bool, float64 or string
	Quality          devices.Quality
	Seen             time.Time // when the equipment last said so
	Since            time.Time // when the value last changed
}

// reading is a Reading with what the writer must know of it.
type reading struct {
	Reading
	dirty bool // the value, its quality or Since is not on the disk
	aged  bool // only Seen is not
}

// Run is a run of a scene.
type Run struct {
	ID, Scene, By, State string
	At                   int // the step under way, from 0
	Started, Ended       time.Time
	Unwinding            bool
	Open                 bool            // not over: a start that finds it resolves it
	Steps                json.RawMessage // how they went, as panels see them
	Of                   string          // marks the steps that At counts; "" where nobody knows
}

// Keep notes how a property is. It does not wait for the disk: what has changed is written with the
// next entry, or within stateEvery; when it was merely seen again, within seenEvery.
func (j *Journal) Keep(r Reading) {
	if j == nil || j.path == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	key := [2]string{r.Device, r.Property}
	before := j.readings[key]
	if before == nil {
		before = &reading{}
		j.readings[key] = before
	} else if before.Value == r.Value && before.Quality == r.Quality && before.Since.Equal(r.Since) {
		before.aged = before.aged || !before.Seen.Equal(r.Seen)
		before.Seen = r.Seen
		return
	}
	before.Reading, before.dirty = r, true
	if j.restless.IsZero() {
		j.restless = time.Now()
		j.rouse()
	}
}

// Readings returns how the properties were when the last life ended, or have been told to be since.
func (j *Journal) Readings() []Reading {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	all := make([]Reading, 0, len(j.readings))
	for _, r := range j.readings {
		all = append(all, r.Reading)
	}
	return all
}

// KeepRuns notes where runs stand: all of them in one commit, or none. It does not wait for the
// disk; Await does.
func (j *Journal) KeepRuns(runs ...Run) {
	if j == nil || j.path == "" {
		return
	}
	j.mu.Lock()
	for _, r := range runs {
		j.runs[r.ID], j.dirty[r.ID] = r, true
	}
	j.asked++
	j.mu.Unlock()
	j.rouse()
}

// Unfinished returns the runs that were under way when the last life ended.
func (j *Journal) Unfinished() []Run {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Run(nil), j.cutOff...)
}

// batch is what is written in one transaction.
type batch struct {
	entries  []Entry
	readings []Reading
	runs     []Run
	asked    uint64
}

func (b *batch) empty() bool { return len(b.entries)+len(b.readings)+len(b.runs) == 0 }

// collect takes what is to be written now. Readings go along with anything else, and alone when
// they have waited long enough; aged is whether those that were merely seen again go too.
func (j *Journal) collect(now time.Time, aged bool) batch {
	j.mu.Lock()
	defer j.mu.Unlock()
	b := batch{asked: j.asked}
	for i := len(j.recent) - 1; i >= 0 && j.recent[i].Seq > j.written; i-- {
		b.entries = j.recent[i:]
	}
	b.entries = append([]Entry(nil), b.entries...)
	for id := range j.dirty {
		b.runs = append(b.runs, j.runs[id])
	}
	ripe := !j.restless.IsZero() && now.Sub(j.restless) >= stateEvery
	if !b.empty() || ripe || aged {
		for _, r := range j.readings {
			if r.dirty || aged && r.aged {
				b.readings = append(b.readings, r.Reading)
				r.dirty, r.aged = false, false
			}
		}
		j.restless = time.Time{}
	}
	clear(j.dirty)
	return b
}

// committed notes that a batch is in the file.
func (j *Journal) committed(b batch) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(b.entries); n > 0 {
		j.written = b.entries[n-1].Seq
	}
	for _, r := range b.runs {
		if !r.Open && !j.dirty[r.ID] {
			delete(j.runs, r.ID)
		}
	}
	j.kept, j.slow = b.asked, false
	j.move()
}

// anew marks all that is known as not written: a batch has failed, or another file has been begun.
func (j *Journal) anew() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for id := range j.runs {
		j.dirty[id] = true
	}
	for _, r := range j.readings {
		r.dirty = true
	}
	j.restless = time.Now()
	j.slow = true
	j.move()
}
