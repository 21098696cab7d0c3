package sequence

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// note is what must be known of a run to resolve it after a power failure.
type note struct {
	Run       string    `json:"run"`
	Scene     string    `json:"scene"`
	By        string    `json:"by"`
	At        int       `json:"at"` // the step under way
	Started   time.Time `json:"started"`
	Unwinding bool      `json:"unwinding,omitempty"`
}

// memory keeps the notes of the runs under way in one small file, written whole and renamed into
// place, so that a power failure leaves the old or the new one and nothing between.
type memory struct {
	log  *slog.Logger
	path string // "" for no file

	mu    sync.Mutex
	notes map[string]note
}

func newMemory(folder string, log *slog.Logger) *memory {
	m := &memory{log: log, notes: make(map[string]note)}
	if folder != "" {
		m.path = filepath.Join(folder, "runs.json")
	}
	return m
}

// load returns what an earlier life noted. A file that cannot be read is told and left alone.
func (m *memory) load() []note {
	if m.path == "" {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	b, err := os.ReadFile(m.path)
	if err != nil {
		if !os.IsNotExist(err) {
			m.log.Error("the runs cut off by the last stop cannot be read; they are left as they are", "file", m.path, "error", err)
		}
		return nil
	}
	var notes []note
	if err := json.Unmarshal(b, &notes); err != nil {
		m.log.Error("the runs cut off by the last stop cannot be read; they are left as they are", "file", m.path, "error", err)
		return nil
	}
	for _, n := range notes {
		m.notes[n.Run] = n
	}
	return notes
}

func (m *memory) keep(n note) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notes[n.Run] = n
	m.write()
}

func (m *memory) forget(run string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.notes, run)
	m.write()
}

// write puts the notes on the disk. A disk that fails does not stop a scene: it is told, and a power
// failure in that time leaves the run unresolved.
func (m *memory) write() {
	if m.path == "" {
		return
	}
	notes := make([]note, 0, len(m.notes))
	for _, n := range m.notes {
		notes = append(notes, n)
	}
	if err := replace(m.path, notes); err != nil {
		m.log.Error("noting the runs under way", "error", err)
	}
}

func replace(path string, content any) (err error) {
	b, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".runs-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if shut := f.Close(); err == nil {
		err = shut
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return err //nolint:wrapcheck // wrapped by the deferred function
}
