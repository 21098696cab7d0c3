package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"lectern/configs"
	"lectern/devices/line"
	"lectern/devices/recording"
	"lectern/devices/script"
)

// recorder writes what goes over a line into a file; nil writes nothing.
type recorder struct{ file *os.File }

// newRecorder begins a recording of a line; nil where no file is named.
func newRecorder(path, line string) (*recorder, error) {
	if path == "" {
		return nil, nil
	}
	if line == "" {
		return nil, fmt.Errorf("%w: name the line that is to be recorded", errUsage)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil, fmt.Errorf("beginning the recording: %w", err)
	}
	if err := recording.WriteHead(file, line); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the recording: %w", err), file.Close())
	}
	return &recorder{file}, nil
}

// more is how the trace says that it keeps only the beginning of a frame.
var more = regexp.MustCompile(`\([0-9]+ bytes\)$`)

// add writes an entry of the trace.
func (r *recorder) add(at time.Time, dir, inHex, note string) error {
	if r == nil {
		return nil
	}
	b, err := hex.DecodeString(strings.ReplaceAll(inHex, " ", ""))
	if err == nil {
		err = recording.Write(r.file, recording.Entry{
			Time: at.Format("15:04:05.000"), Dir: dir, Bytes: b, Note: note, Cut: len(b) > 0 && more.MatchString(note),
		})
	}
	if err != nil {
		return fmt.Errorf("writing the recording: %w", err)
	}
	return nil
}

func (r *recorder) close() error {
	if r == nil {
		return nil
	}
	return r.file.Close() //nolint:wrapcheck // names the file
}

// replay plays a recording to the scripted devices of its line and shows what they make of it.
func replay(out io.Writer, path string, room *configs.Room) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the recording: %w", err)
	}
	defer file.Close()
	rec, err := recording.Read(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	actors, err := scripted(room, rec.Line)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	rows, err := script.Replay(actors, rec)
	if err != nil {
		return fmt.Errorf("playing %s: %w", path, err)
	}
	problems, known := 0, 0
	for _, r := range rows {
		means := r.Means
		if r.Problem != "" {
			problems++
			means = strings.TrimPrefix(means+"  WRONG: "+r.Problem, "  ")
		}
		if r.Device != "" {
			known++
		}
		if r.Again > 0 {
			means += fmt.Sprintf(" (%d times)", r.Again+1)
		}
		fmt.Fprintf(out, "%s %-12s %-20s %-26q %s\n", r.Time, r.Device, r.What, r.Frame, means)
	}
	switch {
	case problems > 0:
		return fmt.Errorf("%d replies were not read as they should be", problems)
	case known == 0:
		return errors.New("nothing in the recording is of the scripts of this room")
	}
	return nil
}

// scripted lists the scripted devices on a line; "" where the room has only one such line.
func scripted(room *configs.Room, on string) ([]script.Actor, error) {
	var actors []script.Actor
	kinds := make(map[string]line.Kind)
	for _, l := range room.Lines {
		kinds[l.ID] = line.Kind(l.Kind)
	}
	for _, d := range room.Devices {
		if s, ok := d.Settings.(*script.Settings); ok && (on == "" || d.Line == on) {
			actors = append(actors, script.Actor{ID: d.ID, Line: kinds[d.Line], Settings: s})
		}
	}
	if len(actors) == 0 {
		return nil, fmt.Errorf("no scripted device hangs on line %q of the room", on)
	}
	return actors, nil
}
