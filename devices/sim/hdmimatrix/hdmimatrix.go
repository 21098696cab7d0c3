// Package hdmimatrix plays an HDMI matrix of eight inputs and outputs with plain ASCII commands, of
// the family that the room file names: an Atlona (x1AVx2), a board with PTN 2.0 commands (1V2.) or
// one of the OUT family (OUT02:01.), as their manuals have it. Nothing is said but in answer.
package hdmimatrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"lectern/devices/sim"
)

const (
	size = 8
	// longest bounds a command that does not end.
	longest = 64
)

// faults lists what Fault takes.
const faults = `"" (healed), nak (every command is refused), terse (letter boards: /:MessageOff; was sent)`

// Board is one matrix. It implements sim.Stream.
type Board struct {
	id      string
	dialect string
	signal  string
	long    bool // outputs are switched off with "x2$ off"

	mu    sync.Mutex
	video [size + 1]int // input of each output
	audio [size + 1]int
	terse bool
	fault string
}

// New makes the equipment of one line. It is a sim.Factory.
func New(_ sim.Options, list []sim.Device) (sim.Equipment, error) {
	if len(list) != 1 {
		return nil, fmt.Errorf("simulated HDMI matrix: %d devices on a line for one", len(list))
	}
	d := list[0]
	b := &Board{id: d.ID, dialect: fmt.Sprint(d.With["dialect"]), long: d.With["untie"] == "long"}
	if b.dialect != "atlona" && b.dialect != "letter" && b.dialect != "out" {
		return nil, fmt.Errorf("simulated %s: there is no dialect %q", d.ID, b.dialect)
	}
	b.signal, _ = d.With["signal"].(string)
	return b, nil
}

// shown is what the device of the room file is about: the picture, or the sound.
func (b *Board) shown() *[size + 1]int {
	if b.signal == "A" {
		return &b.audio
	}
	return &b.video
}

// Truth implements sim.Equipment.
func (b *Board) Truth() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	truth := make(map[string]string)
	for out := 1; out <= size; out++ {
		truth[b.id+"."+strconv.Itoa(out)] = ""
		if in := b.shown()[out]; in != 0 {
			truth[b.id+"."+strconv.Itoa(out)] = strconv.Itoa(in)
		}
	}
	return truth
}

// Nudge implements sim.Equipment: somebody at the front panel. Outputs are properties; "" is off.
func (b *Board) Nudge(id, property, value string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	out, wrong := strconv.Atoi(property)
	in, bad := 0, error(nil)
	if value != "" {
		in, bad = strconv.Atoi(value)
	}
	if id != b.id || wrong != nil || bad != nil || out < 1 || out > size || in < 0 || in > size {
		return fmt.Errorf("%s: no output %q or input %q", id, property, value)
	}
	b.shown()[out] = in
	return nil
}

// Fault implements sim.Equipment.
func (b *Board) Fault(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch name {
	case "", "nak":
		b.terse = false
	case "terse":
		b.terse = true
	default:
		return fmt.Errorf("fault %q is not known: the equipment takes %s", name, faults)
	}
	b.fault = name
	return nil
}

// Serve implements sim.Stream.
func (b *Board) Serve(_ context.Context, conn io.ReadWriter) error {
	var pending []byte
	for buf := make([]byte, 256); ; {
		n, err := conn.Read(buf)
		var said string
		pending, said = b.hear(pending, buf[:n])
		if said != "" {
			if _, err := conn.Write([]byte(said)); err != nil {
				return fmt.Errorf("simulated HDMI matrix: %w", err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("simulated HDMI matrix: %w", err)
		}
	}
}

// hear takes characters as they come and returns what is left of them and what is said.
func (b *Board) hear(pending, characters []byte) ([]byte, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var said strings.Builder
	for _, c := range characters {
		pending = append(pending, c)
		ended := c == '\r'
		if b.dialect != "atlona" {
			ended = c == '.' || c == ';'
		}
		if !ended && len(pending) < longest {
			continue
		}
		for _, line := range b.obey(strings.TrimSpace(string(pending))) {
			said.WriteString(line + "\r\n")
		}
		pending = pending[:0]
	}
	return pending, said.String()
}

// Commands are sensitive to case.
var (
	atlonaTie    = regexp.MustCompile(`^x([0-9]{1,2})AVx([0-9]{1,2})$`)
	atlonaOff    = regexp.MustCompile(`^x([0-9]{1,2})\$( off)?$`)
	atlonaStatus = regexp.MustCompile(`^Statusx([0-9]{1,2})$`)
	letterTie    = regexp.MustCompile(`^([0-9]{1,2})([VBA])([0-9]{1,2})\.$`)
	letterOff    = regexp.MustCompile(`^([0-9]{1,2})\$\.$`)
	letterStatus = regexp.MustCompile(`^Status([0-9]{1,2})\.$`)
	outTie       = regexp.MustCompile(`^OUT([0-9]{2}):([0-9]{2})\.$`)
)

// obey carries out one command and returns the lines of its answer.
func (b *Board) obey(command string) []string {
	if b.fault == "nak" {
		return []string{b.no()}
	}
	var lines []string
	switch b.dialect {
	case "atlona":
		lines = b.atlona(command)
	case "letter":
		lines = b.letter(command)
	case "out":
		lines = b.out(command)
	}
	if lines == nil {
		return []string{b.no()}
	}
	return lines
}

// no is a refusal. Only Atlona's is in a manual.
func (b *Board) no() string {
	if b.dialect == "atlona" {
		return "Command FAILED"
	}
	return "Command Error!"
}

// port reads the number of a port; 0 where there is none such.
func port(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > size {
		return 0
	}
	return n
}

func (b *Board) atlona(command string) []string {
	if f := atlonaTie.FindStringSubmatch(command); f != nil {
		in, out := port(f[1]), port(f[2])
		if in == 0 || out == 0 {
			return nil
		}
		b.video[out] = in
		return []string{command}
	}
	if f := atlonaOff.FindStringSubmatch(command); f != nil && (f[2] != "") == b.long {
		if port(f[1]) == 0 {
			return nil
		}
		b.video[port(f[1])] = 0
		return []string{command}
	}
	if f := atlonaStatus.FindStringSubmatch(command); f != nil && port(f[1]) != 0 {
		// With as many digits as it was asked with.
		return []string{fmt.Sprintf("x%0*dAVx%s", len(f[1]), b.video[port(f[1])], f[1])}
	}
	if command == "Type" {
		return []string{"AT-UHD-H2H-88M"}
	}
	return nil
}

func (b *Board) letter(command string) []string {
	switch command {
	case "/:MessageOff;":
		b.terse = true
	case "/:MessageOn;":
		b.terse = false
	case "/*Type;":
		return []string{"MHD88"}
	}
	if f := letterStatus.FindStringSubmatch(command); f != nil && port(f[1]) != 0 {
		out := port(f[1])
		if b.shown()[out] == 0 {
			return []string{fmt.Sprintf("%02d Closed.", out)}
		}
		if b.signal == "A" {
			return []string{fmt.Sprintf("V: %02d -> %02d", b.video[out], out), fmt.Sprintf("A: %02d -> %02d", b.audio[out], out)}
		}
		return []string{fmt.Sprintf("AV: %02d -> %02d", b.video[out], out), fmt.Sprintf("IR: %02d -> %02d", b.video[out], out)}
	}
	var said string
	if f := letterTie.FindStringSubmatch(command); f != nil {
		in, out := port(f[1]), port(f[3])
		if in == 0 || out == 0 {
			return nil
		}
		if f[2] != "A" {
			b.video[out] = in
		}
		if f[2] != "V" {
			b.audio[out] = in
		}
		said = fmt.Sprintf("%s:%02d->%02d", map[string]string{"V": "AV", "B": "AV", "A": "A"}[f[2]], in, out)
	} else if f := letterOff.FindStringSubmatch(command); f != nil && port(f[1]) != 0 {
		b.video[port(f[1])], b.audio[port(f[1])] = 0, 0
		said = fmt.Sprintf("%02d Closed.", port(f[1]))
	}
	switch {
	case said == "":
		return nil
	case b.terse:
		return []string{"SWITCH OK"}
	}
	return []string{said}
}

func (b *Board) out(command string) []string {
	told := func(out int) string { return fmt.Sprintf("Output %02d Switch To In %02d!", out, b.video[out]) }
	if command == "STA_VIDEO." {
		var lines []string
		for out := 1; out <= size; out++ {
			lines = append(lines, told(out))
		}
		return lines
	}
	f := outTie.FindStringSubmatch(command)
	if f == nil || port(f[1]) == 0 || port(f[2]) == 0 {
		return nil
	}
	b.video[port(f[1])] = port(f[2])
	return []string{told(port(f[1])), fmt.Sprintf("Local %s IR Out Switch To Remote %s IR IN!", f[2], f[1])}
}
