package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"lectern/panel/pin"
)

// lamps is a room of nothing but lamps: each is a coil of the measuring slave.
type lamps struct {
	lines  []string // as they stand in the file; each has the same number of lamps
	each   int      // lamps a line
	poll   string   // how often each is asked
	broker string   // of facilities; empty for none
	more   string   // further devices
	scenes int      // each sets a lamp of its own
}

// beside is a lamp on a unit of its own.
func beside(unit int, poll string) string {
	return fmt.Sprintf("  - {id: beside-%d, kind: light, driver: modbus-coil, line: line-0, poll: %s, with: {unit: %d, coil: 0}, name: {zh: 旁边, en: Beside}}\n", unit, poll, unit)
}

// write makes the room file.
func (b *bench) write(l lamps) (path string, err error) {
	var s strings.Builder
	fmt.Fprint(&s, "room: {id: bench, name: {zh: 测试, en: Bench}, language: en, timezone: Asia/Shanghai}\nlines:\n")
	for i, line := range l.lines {
		fmt.Fprintf(&s, "  - {id: line-%d, %s}\n", i, line)
	}
	fmt.Fprint(&s, "devices:\n")
	for i := range l.each * len(l.lines) {
		fmt.Fprintf(&s, "  - {id: light-%d, kind: light, driver: modbus-coil, line: line-%d, poll: %s, with: {unit: 1, coil: %d}, name: {zh: 灯%d, en: Light %d}}\n", i, i/l.each, l.poll, i, i, i)
	}
	s.WriteString(l.more)
	if l.scenes > 0 {
		fmt.Fprint(&s, "scenes:\n")
	}
	for i := range l.scenes {
		fmt.Fprintf(&s, "  - {id: scene-%d, name: {zh: 场景%d, en: Scene %d}, steps: [{set: {light-%d.power: on}}, {set: {light-%d.power: off}}]}\n", i, i, i, i, i)
	}
	hash, err := pin.Hash("739150")
	if err != nil {
		return "", fmt.Errorf("a PIN for the room: %w", err)
	}
	fmt.Fprintf(&s, "panel: {pins: {main: %q}}\n", hash)
	if l.broker != "" {
		fmt.Fprintf(&s, "facilities: {broker: %q}\n", l.broker)
	}
	f, err := os.CreateTemp(b.folder, "room*.yaml")
	if err != nil {
		return "", fmt.Errorf("a room file: %w", err)
	}
	_, err = f.WriteString(s.String())
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return "", fmt.Errorf("the room file: %w", err)
	}
	return filepath.Clean(f.Name()), nil
}

// lamp is the name of a lamp's device.
func lamp(coil int) string { return fmt.Sprintf("light-%d", coil) }
