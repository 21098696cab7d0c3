// Package ledger keeps what people write down and what must not be lost: the repair orders (维修单) of a
// room and the book of its meetings.
//
// Nothing in it is ever changed or deleted. A book is a list of entries, each one JSON object, and what
// is so now follows from all of them. The entries are safe on the disk when Append returns.
package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// entryMost bounds one entry, in bytes: a repair order carries the state of the whole room.
const entryMost = 1 << 20

// Store keeps the entries of one book, in their order, for ever. It may be used from any goroutine.
type Store interface {
	// Append adds an entry, which has no line break in it. It is safe when Append returns nil; where it
	// returns an error the entry is not in the book.
	Append(entry []byte) error
	// Read calls each for every entry, oldest first, until one returns an error, and returns that.
	Read(each func(entry []byte) error) error
	Close() error
}

// Open opens the book with the name in the folder; where folder is empty, one in memory.
func Open(folder, name string) (Store, error) {
	if folder == "" {
		return &memory{}, nil
	}
	return openFile(filepath.Join(folder, name))
}

// file is a book in a file, one entry a line.
type file struct {
	mu   sync.Mutex
	path string
	f    *os.File
	size int64 // up to the last whole entry
}

var errClosed = errors.New("the book is closed")

// openFile opens a book to go on at its end. A power failure can leave half an entry there, which was
// promised to nobody: it is cut off. Half an entry has no line break.
func openFile(path string) (*file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("opening the book: %w", err)
	}
	b := &file{path: path, f: f}
	if err = b.mend(); err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the book %s: %w", path, err), f.Close())
	}
	return b, nil
}

// mend finds the end of the last whole entry and cuts off what comes after.
func (b *file) mend() error {
	info, err := b.f.Stat()
	if err != nil {
		return err //nolint:wrapcheck // wrapped by openFile
	}
	end := info.Size()
	block := make([]byte, 64<<10)
	for end > 0 {
		from := max(0, end-int64(len(block)))
		n, err := b.f.ReadAt(block[:end-from], from)
		if err != nil && !errors.Is(err, io.EOF) {
			return err //nolint:wrapcheck // wrapped by openFile
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			end = from + int64(i) + 1
			break
		}
		end = from
	}
	b.size = end
	if end == info.Size() {
		return nil
	}
	if err := b.f.Truncate(end); err != nil {
		return err //nolint:wrapcheck // wrapped by openFile
	}
	return b.f.Sync() //nolint:wrapcheck // wrapped by openFile
}

// syncFolder makes the name of a new file as safe as what is in it.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err //nolint:wrapcheck // wrapped by openFile
	}
	return errors.Join(d.Sync(), d.Close())
}

// Append implements Store. After an error the half that may have been written is taken back, so that
// what follows does not stand behind it.
func (b *file) Append(entry []byte) error {
	if len(entry) > entryMost || bytes.IndexByte(entry, '\n') >= 0 {
		return fmt.Errorf("writing to the book %s: an entry is one line of at most %d bytes, and this has %d", b.path, entryMost, len(entry))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.f == nil {
		return errClosed
	}
	line := append(bytes.Clone(entry), '\n')
	_, err := b.f.WriteAt(line, b.size)
	if err == nil {
		err = b.f.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("writing to the book %s: %w; what was to be written is not kept", b.path, err), b.f.Truncate(b.size))
	}
	b.size += int64(len(line))
	return nil
}

// Read implements Store.
func (b *file) Read(each func(entry []byte) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.f == nil {
		return errClosed
	}
	text := make([]byte, b.size)
	if _, err := b.f.ReadAt(text, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the book %s: %w", b.path, err)
	}
	for line := range bytes.Lines(text) {
		if err := each(bytes.TrimSuffix(line, []byte("\n"))); err != nil {
			return err
		}
	}
	return nil
}

// Close implements Store.
func (b *file) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.f == nil {
		return nil
	}
	err := b.f.Close()
	b.f = nil
	return err //nolint:wrapcheck // names the file itself
}

// memory is a book that ends with the program: for tests, and rooms without a folder.
type memory struct {
	mu      sync.Mutex
	entries [][]byte
}

func (m *memory) Append(entry []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries = append(m.entries, bytes.Clone(entry))
	return nil
}

func (m *memory) Read(each func(entry []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if err := each(e); err != nil {
			return err
		}
	}
	return nil
}

func (*memory) Close() error { return nil }
