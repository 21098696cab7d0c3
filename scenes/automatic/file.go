package automatic

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// File is a Store in one small JSON file, written whole and renamed into place, so that a power failure
// leaves the old or the new one and nothing between.
type File struct{ Path string }

var _ Store = File{}

// Load implements Store. A file that is not there yet is an empty one.
func (f File) Load() (map[string]Kept, error) {
	b, err := os.ReadFile(f.Path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Path, err)
	}
	var kept map[string]Kept
	if err := json.Unmarshal(b, &kept); err != nil {
		return nil, fmt.Errorf("reading %s: %w; put it right or take it away", f.Path, err)
	}
	return kept, nil
}

// Save implements Store.
func (f File) Save(kept map[string]Kept) (err error) {
	b, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.Path, err)
	}
	made, err := os.CreateTemp(filepath.Dir(f.Path), ".automatic-*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", f.Path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(made.Name())
			err = fmt.Errorf("writing %s: %w", f.Path, err)
		}
	}()
	if _, err = made.Write(b); err == nil {
		err = made.Sync()
	}
	if shut := made.Close(); err == nil {
		err = shut
	}
	if err == nil {
		err = os.Rename(made.Name(), f.Path)
	}
	return err //nolint:wrapcheck // wrapped by the deferred function
}
