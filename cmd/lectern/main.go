// Command lectern runs a meeting room, and checks, simulates and looks into one.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, as the contract has them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// verbs are what the program can do, in the order in which help lists it. Each is a struct of what it is
// told, a command that reads that from the words, and a Run that does it.
func verbs(t terminal) []*cobra.Command {
	return []*cobra.Command{
		new(runVerb).command(t),
		new(buildingVerb).command(t),
		new(checkVerb).command(t),
		new(simulateVerb).command(t),
		new(stateVerb).command(t),
		new(setVerb).command(t),
		new(sceneVerb).command(t),
		new(reloadVerb).command(t),
		new(journalVerb).command(t),
		new(benchVerb).command(t),
		new(traceVerb).command(t),
		new(guideVerb).command(t),
		new(probeVerb).command(t),
		new(pinVerb).command(t),
		new(schemaVerb).command(t),
		new(versionVerb).command(t),
	}
}

// terminal is where a verb reads and writes.
type terminal struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

// errUsage marks an error in how the program was called.
var errUsage = errors.New("usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// run is the whole program but for the process around it; tests call it.
func run(ctx context.Context, args []string, t terminal) int {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") && args[0] != "-h" && args[0] != "--help" {
		args = append([]string{"run"}, args...) // the default verb
	}
	c, err := execute(ctx, args, t)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errUsage):
		what := strings.TrimPrefix(err.Error(), errUsage.Error()+": ")
		fmt.Fprintf(t.err, "lectern: %s\nTry %s --help.\n", what, c.CommandPath())
		return exitUsage
	default:
		fmt.Fprintln(t.err, "lectern:", err)
		return exitFailed
	}
}

// version is set by the linker for a release; a build from source takes what Go knows of it.
var version = ""

func buildVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			v += "+" + s.Value[:12]
		}
	}
	return v
}

type versionVerb struct {
	JSON bool
}

func (v *versionVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version.",
		RunE:  func(*cobra.Command, []string) error { return v.Run(t) },
	}
	c.Flags().BoolVar(&v.JSON, "json", false, "Print JSON.")
	return c
}

// Run prints the version.
func (v *versionVerb) Run(t terminal) error {
	if v.JSON {
		return printJSON(t.out, map[string]string{"version": buildVersion()})
	}
	fmt.Fprintln(t.out, "lectern", buildVersion())
	return nil
}
