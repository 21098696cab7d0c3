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
	"syscall"

	"github.com/alecthomas/kong"
)

// Exit codes, as the contract has them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// verbs is the command line.
type verbs struct {
	Run      runVerb      `cmd:"" default:"withargs" help:"Run a room. Without a room file: the demo room on simulated equipment."`
	Building buildingVerb `cmd:"" help:"Show every room of a building, by its MQTT broker, on one page."`
	Check    checkVerb    `cmd:"" help:"Load room files as run would and say every fault."`
	Simulate simulateVerb `cmd:"" help:"Play the equipment of a room file, with faults on request."`
	State    stateVerb    `cmd:"" help:"Show the state of a running room."`
	Set      setVerb      `cmd:"" help:"Set a property of a running room."`
	Scene    sceneVerb    `cmd:"" help:"Run a scene of a running room and follow it."`
	Reload   reloadVerb   `cmd:"" help:"Have a running room read its file again; what has not changed is not touched."`
	Journal  journalVerb  `cmd:"" help:"Print what happened in a running room, and who did it."`
	Bench    benchVerb    `cmd:"" help:"Measure the program on this machine and print the figures beside their limits."`
	Trace    traceVerb    `cmd:"" help:"Follow the frames on the wires of a running room, decoded."`
	Guide    guideVerb    `cmd:"" help:"Write the operating instruction (作业指导书) of a room from its file."`
	Probe    probeVerb    `cmd:"" help:"Look for what answers on a line, by questions that change nothing."`
	Pin      pinVerb      `cmd:"" help:"Turn a PIN into what the room file stores."`
	Schema   schemaVerb   `cmd:"" help:"Print the JSON schema of the room file, for editors."`
	Version  versionVerb  `cmd:"" help:"Print the version."`
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
	var v verbs
	exited := -1
	parser, err := kong.New(&v,
		kong.Name("lectern"),
		kong.Description("A meeting-room controller. See README.md and, for the room file, configs/README.md."),
		kong.Writers(t.out, t.err),
		kong.Exit(func(code int) { exited = code }),
		kong.UsageOnError(),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(t),
	)
	if err != nil {
		fmt.Fprintln(t.err, "lectern:", err)
		return exitFailed
	}
	parsed, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(t.err, "lectern: %v\nTry lectern --help.\n", err)
		return exitUsage
	}
	switch err := parsed.Run(); {
	case err == nil:
		return exitDone
	case errors.Is(err, errUsage):
		fmt.Fprintln(t.err, "lectern:", err)
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
	JSON bool `help:"As JSON."`
}

// Run prints the version.
func (v *versionVerb) Run(t terminal) error {
	if v.JSON {
		return printJSON(t.out, map[string]string{"version": buildVersion()})
	}
	fmt.Fprintln(t.out, "lectern", buildVersion())
	return nil
}
