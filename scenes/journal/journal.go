// Package journal keeps who did what, when, and what became of it.
//
// The latest entries are held in memory for the panel; all of them are written, one JSON object a
// line, to a file that is turned over when it has grown. A disk that is full or broken never stops
// the room: entries are dropped from the file, counted, and the trouble is told once.
package journal

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	held    = 2000     // entries in memory
	fileMax = 16 << 20 // bytes in a file before it is turned over
)

// By says who did something.
type By struct {
	Name string `json:"name,omitempty"` // "main PIN", a token's name, a scene's id
	Via  string `json:"via"`            // panel, http, mqtt, scene, rule, start, equipment
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
	Outcome  string        `json:"outcome"`
	Detail   string        `json:"detail,omitempty"`
	Took     time.Duration `json:"took_ns,omitempty"`
}

// Journal takes entries from any goroutine. A nil *Journal drops them.
type Journal struct {
	log *slog.Logger

	mu      sync.Mutex
	seq     uint64
	entries []Entry // a ring; the newest at seq-1
	path    string
	file    *os.File
	size    int64
	broken  bool
}

// Open makes a journal that writes to the folder, or one in memory where folder is empty. It never
// fails: what is wrong with the folder is logged.
func Open(folder string, log *slog.Logger) *Journal {
	j := &Journal{log: log, entries: make([]Entry, 0, held)}
	if folder != "" {
		j.path = filepath.Join(folder, "journal.jsonl")
		j.reopen()
	}
	return j
}

// reopen opens the file to go on at its end. The caller holds mu, or nobody else has j.
func (j *Journal) reopen() {
	file, err := os.OpenFile(j.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
	if err != nil {
		j.trouble(err)
		return
	}
	if info, err := file.Stat(); err == nil {
		j.size = info.Size()
	}
	j.file, j.broken = file, false
}

func (j *Journal) trouble(err error) {
	if !j.broken {
		j.log.Error("the journal cannot be written; the room goes on and keeps it in memory", "file", j.path, "error", err)
	}
	j.broken = true
}

// Record takes an entry. It does not wait for the disk to have it safe.
func (j *Journal) Record(e Entry) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.seq++
	e.Seq = j.seq
	if len(j.entries) < held {
		j.entries = append(j.entries, e)
	} else {
		j.entries[(j.seq-1)%held] = e
	}
	if j.file != nil {
		j.write(e)
	}
}

func (j *Journal) write(e Entry) {
	b, err := json.Marshal(e)
	if err != nil {
		j.trouble(err)
		return
	}
	if j.size+int64(len(b)) > fileMax {
		_ = j.file.Close()
		j.file = nil
		if err := os.Rename(j.path, j.path+".1"); err != nil {
			j.trouble(err)
		}
		if j.reopen(); j.file == nil {
			return
		}
	}
	n, err := j.file.Write(append(b, '\n'))
	j.size += int64(n)
	if err != nil {
		j.trouble(err)
	}
}

// Latest returns up to most entries, newest first, that are older than the entry with the number
// before (0: from the newest).
func (j *Journal) Latest(before uint64, most int) []Entry {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if before == 0 || before > j.seq+1 {
		before = j.seq + 1
	}
	var latest []Entry
	for seq := before - 1; seq > 0 && j.seq-seq < uint64(len(j.entries)) && len(latest) < most; seq-- {
		latest = append(latest, j.entries[(seq-1)%held])
	}
	return latest
}

// Close closes the file; entries that come later stay in memory.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err //nolint:wrapcheck // names the file itself
}
