package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// asidesMost is how many files that were set aside are kept.
const asidesMost = 3

// Health is how the storage is doing.
type Health struct {
	OK    bool      `json:"ok"`
	Since time.Time `json:"since"`           // of OK
	Error string    `json:"error,omitempty"` // while it is not
	Aside string    `json:"aside,omitempty"` // a bad file that was set aside in this life of the daemon
	Lost  uint64    `json:"lost,omitempty"`  // entries that memory could not hold until the disk was back
	Late  uint64    `json:"late,omitempty"`  // answers that went out before their entry was committed
}

// Health returns how the storage is doing; false where there is none.
func (j *Journal) Health() (Health, bool) {
	if j == nil || j.path == "" {
		return Health{}, false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.health, true
}

// Watch returns a channel that yields a value when the health has changed since the last value. It
// holds one.
func (j *Journal) Watch() <-chan struct{} {
	if j == nil {
		return nil
	}
	return j.watch
}

// changed tells of the health. The caller holds mu.
func (j *Journal) changed() {
	select {
	case j.watch <- struct{}{}:
	default:
	}
}

// trouble notes that the disk is in trouble. It is told once; the entry about it is written when the
// disk is back.
func (j *Journal) trouble(err error) {
	j.mu.Lock()
	told := !j.health.OK
	j.slow = true
	j.move()
	if j.health.Error != err.Error() {
		j.health.Error = err.Error()
		if !told {
			j.health.OK, j.health.Since = false, time.Now()
			j.record(Entry{Time: time.Now(), By: By{Via: "storage"}, Outcome: "broken", Detail: err.Error()})
		}
		j.changed()
	}
	j.mu.Unlock()
	if !told {
		j.log.Error("the journal cannot be written; the room goes on, and the latest is kept in memory until it can", "error", err)
	}
}

// well reports whether the storage is, and whether the disk is being waited for too long.
func (j *Journal) well() (ok, stalled bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.health.OK, j.stalled
}

// better notes that the disk is back.
func (j *Journal) better() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.health.OK || j.stalled {
		return
	}
	down := time.Since(j.health.Since).Round(time.Second)
	j.health.OK, j.health.Since, j.health.Error = true, time.Now(), ""
	j.record(Entry{Time: time.Now(), By: By{Via: "storage"}, Outcome: "recovered", Detail: fmt.Sprintf("after %s; %d entries lost so far", down, j.health.Lost)})
	j.changed()
	j.log.Info("the journal can be written again", "after", down, "lost", j.health.Lost)
	j.rouse()
}

// setAside renames a bad file, so that somebody can look at it, and tells.
func (j *Journal) setAside(why error) error {
	name := fmt.Sprintf("journal-%s.bad", time.Now().Format("20060102-150405.000"))
	aside := filepath.Join(filepath.Dir(j.path), name)
	if err := os.Rename(j.path, aside); err != nil {
		return fmt.Errorf("setting a bad journal aside (%w): %w", why, err)
	}
	// The log belongs to the file; a new file must not find it.
	if err := os.Rename(j.path+"-wal", aside+"-wal"); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("setting a bad journal aside (%w): %w", why, err)
	}
	before, _ := filepath.Glob(filepath.Join(filepath.Dir(j.path), "journal-*.bad"))
	slices.Sort(before)
	for len(before) > asidesMost {
		_, _ = os.Remove(before[0]), os.Remove(before[0]+"-wal")
		before = before[1:]
	}
	j.mu.Lock()
	j.health.Aside = name
	j.record(Entry{Time: time.Now(), By: By{Via: "storage"}, Outcome: "set aside", Detail: name + ": " + why.Error()})
	j.changed()
	j.mu.Unlock()
	j.log.Error("the journal's file is bad; it was set aside and a new one is begun", "aside", aside, "error", why)
	return nil
}
