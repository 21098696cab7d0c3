// Package bench measures a room from outside: how long a press takes to the wire and back to another panel, what a
// busy bus leaves to people, how soon the panel shows what somebody did at the equipment, how much memory, processor and
// time the daemon takes, and how all of that grows. Each figure stands beside its limit and, where there is one,
// beside the floor: a program that does nothing but hand the press to the Modbus library, measured in the same run,
// since times differ from machine to machine and ratios hardly.
//
// The daemon and the floor are processes of their own. The equipment and who presses are this process, so that one
// clock times both ends.
package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Options are what is measured, and with what.
type Options struct {
	// Program is the executable of lectern whose processes are measured.
	Program string
	// Only names the parts to run; none is all but the long ones.
	Only []string
	// Repeats is how often what is short is measured; the figures are medians.
	Repeats int
	// Out takes the figures as they come, and the table at the end.
	Out io.Writer
}

// ErrMissed says that a limit was not kept.
var ErrMissed = errors.New("limits were not kept")

// bench is one run.
type bench struct {
	Options
	table
	folder string
}

// part is one subject.
type part struct {
	name, what string
	measure    func(*bench, context.Context) error
	long       bool // measured only where it is named
}

// parts lists the subjects in the order in which they are measured.
func parts() []part {
	return []part{
		{name: "press", what: "a press to the wire and to another panel, over Modbus TCP", measure: (*bench).press},
		{name: "mqtt", what: "an MQTT /set to the wire, through Mosquitto and the embedded broker", measure: (*bench).mqtt},
		{name: "bus", what: "a press on a bus of 9600 baud, idle and busy", measure: (*bench).bus},
		{name: "slow", what: "a press beside a slow and a dead unit", measure: (*bench).slow},
		{name: "outside", what: "a change at the equipment, to the panel", measure: (*bench).outside},
		{name: "rate", what: "how many presses a second", measure: (*bench).rate},
		{name: "rest", what: "start, memory, processor, size", measure: (*bench).rest},
		{name: "growth", what: "devices, panels and scenes", measure: (*bench).growth},
		{name: "load", what: "two hundred panels and fifty presses a second for five minutes; only when named", measure: (*bench).load, long: true},
	}
}

// Parts describes what Options.Only may name, a line each.
func Parts() []string {
	var all []string
	for _, p := range parts() {
		all = append(all, fmt.Sprintf("%-8s %s", p.name, p.what))
	}
	return all
}

// Run measures and prints. It takes some minutes, and wants the machine for itself. The error is ErrMissed where a
// limit was not kept.
func Run(ctx context.Context, o Options) error {
	all := parts()
	for _, name := range o.Only {
		if !slices.ContainsFunc(all, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("there is no part %q; there is\n%s", name, strings.Join(Parts(), "\n"))
		}
	}
	folder, err := os.MkdirTemp("", "lectern-bench")
	if err != nil {
		return fmt.Errorf("a folder for the measurement: %w", err)
	}
	defer os.RemoveAll(folder)
	b := &bench{Options: o, table: table{out: o.Out}, folder: folder}
	for _, p := range all {
		if !slices.Contains(o.Only, p.name) && (p.long || len(o.Only) > 0) {
			continue
		}
		if err := p.measure(b, ctx); err != nil {
			return fmt.Errorf("measuring %s: %w", p.name, err)
		}
		if ctx.Err() != nil {
			return ctx.Err() //nolint:wrapcheck // somebody has ended it
		}
	}
	if missed := b.print(); missed > 0 {
		return fmt.Errorf("%w: %d", ErrMissed, missed)
	}
	return nil
}

// Compiled makes the program as it is installed, as .ci/package does, in a folder. It needs Go and the sources; it is an
// error where they are not there.
func Compiled(ctx context.Context, folder string) (program string, err error) {
	program = filepath.Join(folder, "lectern")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-gcflags", "maragu.dev/gomponents/...=-l",
		"-ldflags", "-s -w", "-o", program, "lectern/cmd/lectern")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w: %s", err, strings.TrimSpace(string(said)))
	}
	return program, nil
}
