// Package journal keeps what must outlive the process: who did what, when, and what became of it;
// how every property last was; and which runs of scenes are under way.
//
// All of it lies in one SQLite file, journal.db in the room's data folder, written by one goroutine.
// Nobody else waits for a disk: Record and Keep put into memory what is to be kept and return.
//
// How safe is it? Whoever acknowledges a command calls Await first. It returns when the entry is
// committed - handed to the system, so that no end of this process can lose it - which takes about a
// millisecond, or after awaitMost, so that a stuck disk holds nobody up; answers that went out
// uncommitted are counted as late. From a commit until it is on the disk itself, safe from a power
// failure, it takes syncEvery at most; a run of a scene is put there at once, and AwaitDisk waits for
// that, because a run is what the start after a power failure asks for. What the equipment says by
// itself is committed within stateEvery. So a killed process loses nothing that was acknowledged, and
// a power failure what happened in its last second.
//
// A disk that is full, broken or gone never stops the room: the latest entries are held in memory,
// the trouble is told once, and when it can be written again what is still held is. A file that
// SQLite cannot make sense of is set aside under another name and a new one is begun.
package journal

import (
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

const (
	held     = 2000 // entries in memory
	textMost = 1024 // bytes of one text of an entry
)

// awaitMost is how long an answer waits for its entry to be committed. The state of the room, which is
// what people see, does not wait at all.
const awaitMost = 250 * time.Millisecond

// By says who did something.
type By struct {
	Name string `json:"name,omitempty"` // "main", a token's name, a scene's id
	Via  string `json:"via"`            // panel, http, mqtt, scene, rule, start, equipment, daemon, storage
	From string `json:"from,omitempty"` // the address that a request came from
}

// String returns "via name".
func (b By) String() string {
	if b.Name == "" {
		return b.Via
	}
	return b.Via + " " + b.Name
}

// Entry is one line of the journal.
type Entry struct {
	Seq      uint64        `json:"seq"`
	Time     time.Time     `json:"time"`
	By       By            `json:"by"`
	Device   string        `json:"device,omitempty"`
	Property string        `json:"property,omitempty"`
	Value    string        `json:"value,omitempty"`
	Scene    string        `json:"scene,omitempty"`
	Run      string        `json:"run,omitempty"`  // of the scene
	Step     int           `json:"step,omitempty"` // of the run, from 1
	Line     string        `json:"line,omitempty"`
	Unit     string        `json:"unit,omitempty"` // on the line
	Outcome  string        `json:"outcome"`
	Detail   string        `json:"detail,omitempty"`
	Took     time.Duration `json:"took_ns,omitempty"`
}

// Journal may be used from any goroutine. A nil *Journal drops what it is told.
type Journal struct {
	log  *slog.Logger
	path string        // of the database; "" for none
	keep atomic.Int64  // how long entries and runs are kept
	disk chan struct{} // whoever has put something in may use db
	db   *database     // nil while the disk is in trouble

	wake  chan struct{} // there is something to write; holds one
	flush chan flush    // commits to put on the disk; holds one
	watch chan struct{} // the health has changed; holds one
	gone  chan struct{} // closed when the writer has ended, which may be after Run

	mu       sync.Mutex
	seq      uint64  // of the newest entry
	written  uint64  // up to this entry all is committed
	recent   []Entry // the latest, oldest first; at most 2*held, of which held are guaranteed
	readings map[[2]string]*reading
	restless time.Time      // since when a reading waits to be written; zero where none does
	runs     map[string]Run // under way, or over and not yet written
	dirty    map[string]bool
	cutOff   []Run         // under way when the last life ended
	before   string        // what the daemon wrote last in its last life
	asked    uint64        // counts what Await waits for
	kept     uint64        // so much of asked is committed
	synced   uint64        // and so much is on the disk
	stalled  bool          // the disk has not taken the last commits for too long
	slow     bool          // the disk did not commit in time: nobody waits until it has
	over     bool          // Run has ended
	moved    chan struct{} // closed when kept, synced, slow or over change
	bad      error         // what somebody else than the writer found wrong
	numbered bool          // the numbers go on from those in the file
	health   Health
}

// Open makes a journal that writes to the folder, or one in memory where folder is empty, and reads
// what an earlier life left there. It never fails: what is wrong with the folder is told, and tried
// again. Nothing is written before Run.
func Open(folder string, log *slog.Logger) *Journal {
	j := &Journal{
		log: log, disk: make(chan struct{}, 1), wake: make(chan struct{}, 1), flush: make(chan flush, 1), watch: make(chan struct{}, 1),
		gone: make(chan struct{}), readings: make(map[[2]string]*reading), runs: make(map[string]Run), dirty: make(map[string]bool), moved: make(chan struct{}),
		health: Health{OK: true, Since: time.Now()},
	}
	j.KeepFor(0)
	if folder == "" {
		return j
	}
	j.path = filepath.Join(folder, FileName)
	if err := j.open(); err != nil {
		j.trouble(err)
	}
	return j
}

// KeepFor says how long entries are kept from now on; a year where nobody does, or says 0.
func (j *Journal) KeepFor(d time.Duration) {
	if d <= 0 {
		d = keepDefault
	}
	j.keep.Store(int64(d))
}

// Record takes an entry. It does not wait for the disk.
func (j *Journal) Record(e Entry) {
	if j == nil {
		return
	}
	e.clip()
	if e.Time.IsZero() {
		e.Time = time.Now()
	}
	j.mu.Lock()
	j.record(e)
	j.mu.Unlock()
	j.rouse()
}

// record takes an entry. The caller holds mu.
func (j *Journal) record(e Entry) {
	j.seq++
	j.asked++
	e.Seq = j.seq
	if len(j.recent) == 2*held {
		if dropped := j.recent[held-1].Seq; j.path != "" && dropped > j.written {
			j.health.Lost += dropped - max(j.written, j.recent[0].Seq-1)
		}
		n := copy(j.recent, j.recent[held:])
		clear(j.recent[n:])
		j.recent = j.recent[:n]
	}
	j.recent = append(j.recent, e)
}

// clip bounds what others wrote.
func (e *Entry) clip() {
	for _, s := range []*string{
		&e.By.Name, &e.By.Via, &e.By.From, &e.Device, &e.Property, &e.Value, &e.Scene, &e.Run, &e.Line, &e.Unit, &e.Outcome, &e.Detail,
	} {
		if len(*s) > textMost {
			cut := textMost
			for cut > 0 && !utf8.RuneStart((*s)[cut]) {
				cut--
			}
			*s = (*s)[:cut] + "…"
		}
	}
}

// rouse tells the writer that there is something to do.
func (j *Journal) rouse() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Await waits until everything that was recorded and kept before is committed, but never longer than
// awaitMost, and not at all while the disk is known to be slow or in trouble.
func (j *Journal) Await() {
	if j == nil || j.path == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	mark := j.asked
	if !j.reach(&j.kept, mark) {
		j.health.Late++
		if !j.slow && !j.over {
			j.slow = true
			j.move()
		}
	}
}

// AwaitDisk waits in the same way until it is on the disk.
func (j *Journal) AwaitDisk() {
	if j == nil || j.path == "" {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.reach(&j.synced, j.asked)
}

// reach waits until a count has reached a mark, and reports whether it has. The caller holds mu.
func (j *Journal) reach(count *uint64, mark uint64) bool {
	var limit *time.Timer
	for *count < mark && !j.slow && !j.over {
		if limit == nil {
			limit = time.NewTimer(awaitMost)
			defer limit.Stop()
		}
		moved := j.moved
		j.mu.Unlock()
		select {
		case <-moved:
			j.mu.Lock()
		case <-limit.C:
			j.mu.Lock()
			return *count >= mark
		}
	}
	return *count >= mark
}

// move wakes whoever waits in Await. The caller holds mu.
func (j *Journal) move() {
	close(j.moved)
	j.moved = make(chan struct{})
}

// Latest returns up to most of the entries held in memory, newest first, that are older than the
// entry with the number before (0: from the newest). Read knows those on the disk as well.
func (j *Journal) Latest(before uint64, most int) []Entry {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.among(Filter{Before: before, Most: most}, 0)
}

// among finds entries in memory that are newer than the number after. The caller holds mu.
func (j *Journal) among(f Filter, after uint64) []Entry {
	var found []Entry
	for i := len(j.recent) - 1; i >= 0 && len(found) < f.Most; i-- {
		e := j.recent[i]
		if e.Seq <= after {
			break
		}
		if f.matches(e) {
			found = append(found, e)
		}
	}
	return found
}
