package mqtt

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"time"
)

// memory is what the broker was told the last time. By it the version of the description grows only
// when the description changes, and what a room file no longer has is taken off the broker.
type memory struct {
	path string // "" for nowhere

	Description homieDevice       `json:"description"`
	Platforms   map[string]string `json:"platforms"` // of Home Assistant's components, by key
}

// memoryFile stands in the data folder.
const memoryFile = "mqtt.json"

// recall reads what was kept; what cannot be read is as if it had not been.
func recall(folder string) (*memory, error) {
	m := &memory{}
	if folder == "" {
		return m, nil
	}
	path := filepath.Join(folder, memoryFile)
	b, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(b, m)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		m, err = &memory{}, fmt.Errorf("reading what the broker was told: %w", err)
	}
	m.path = path
	return m, err
}

// version is that of a description: the old one where nothing has changed, else a higher one. It is
// a time, so that it also grows where the memory is lost.
func (m *memory) version(d homieDevice, now time.Time) int64 {
	before := m.Description
	d.Version, before.Version = 0, 0
	if reflect.DeepEqual(d, before) {
		return m.Description.Version
	}
	return max(now.Unix(), m.Description.Version+1)
}

// gone lists the retained topics of what d no longer has.
func (m *memory) gone(d homieDevice) []string {
	var topics []string
	for node, n := range m.Description.Nodes {
		if _, still := d.Nodes[node]; !still {
			topics = append(topics, "$alert/"+node)
		}
		for property, p := range n.Properties {
			if _, still := d.Nodes[node].Properties[property]; !still {
				topics = append(topics, node+"/"+property)
				if p.Settable {
					topics = append(topics, node+"/"+property+"/$target")
				}
			}
		}
	}
	return topics
}

// removed is found with what it no longer has, as Home Assistant wants to be told that a component is
// gone: by its platform alone. It is nil where everything is still there.
func (m *memory) removed(found discovery) *discovery {
	with := discovery{Device: found.Device, Origin: found.Origin, Components: make(map[string]component)}
	for key, c := range found.Components {
		with.Components[key] = c
	}
	for key, platform := range m.Platforms {
		if _, still := with.Components[key]; !still {
			with.Components[key] = component{"platform": platform}
		}
	}
	if len(with.Components) == len(found.Components) {
		return nil
	}
	return &with
}

// keep notes what the broker has been told.
func (m *memory) keep(d homieDevice, found discovery) error {
	m.Description, m.Platforms = d, make(map[string]string)
	for key, c := range found.Components {
		m.Platforms[key] = fmt.Sprint(c["platform"])
	}
	if m.path == "" {
		return nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing what the broker was told: %w", err)
	}
	// Beside it and then in its place: a power cut leaves one or the other.
	if err := os.WriteFile(m.path+".new", b, 0o640); err != nil {
		return fmt.Errorf("writing what the broker was told: %w", err)
	}
	if err := os.Rename(m.path+".new", m.path); err != nil {
		return fmt.Errorf("writing what the broker was told: %w", err)
	}
	return nil
}
