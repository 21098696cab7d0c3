package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/panel/pin"
)

// load reads and checks a room file; "" is the demo room.
func load(path string) (*configs.Room, error) {
	if path == "" {
		name, data := configs.Demo()
		room, err := configs.Parse(name, data, all.Catalogue(), os.LookupEnv)
		if err != nil {
			return nil, fmt.Errorf("the demo room does not load, which should not happen:\n%w", err)
		}
		return room, nil
	}
	room, err := configs.Load(path, all.Catalogue(), os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("the room file has faults; nothing was started:\n%w", err)
	}
	return room, nil
}

type checkVerb struct {
	Files  []string
	JSON   bool
	Replay string
}

func (v *checkVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Load room files as run would and say every fault.",
		Long:  "A FILE is that of a room, or of a building.",
		Example: `  lectern check room.yaml
  lectern check --replay first.rec room.yaml`,
		RunE: func(_ *cobra.Command, files []string) error {
			for _, file := range files {
				v.Files = append(v.Files, absolute(file))
			}
			return v.Run(t)
		},
	}
	f := c.Flags()
	f.BoolVar(&v.JSON, "json", false, "Print JSON.")
	pathFlag(f, &v.Replay, "replay", "", "Play a `RECORDING` (lectern trace --record) to the scripted devices of the one room file, and show what they read in it.")
	return c
}

// Run checks room files.
func (v *checkVerb) Run(t terminal) error {
	if v.Replay != "" {
		if len(v.Files) != 1 || v.JSON {
			return fmt.Errorf("%w: --replay takes one room file, and no --json", errUsage)
		}
		room, err := load(v.Files[0])
		if err != nil {
			return err
		}
		return replay(t.out, v.Replay, room)
	}
	found := configs.Faults{}
	warned := configs.Faults{}
	loads := make(map[string][]configs.LineLoad) // by file
	for _, path := range v.Files {
		if configs.IsBuilding(path) {
			faults, warnings := configs.CheckBuilding(path, os.LookupEnv)
			found, warned = append(found, faults...), append(warned, warnings...)
			if len(faults) == 0 && !v.JSON {
				fmt.Fprintf(t.out, "%s: good, the page of a building\n", path)
			}
			continue
		}
		faults, warnings := configs.Check(path, all.Catalogue(), os.LookupEnv)
		found, warned = append(found, faults...), append(warned, warnings...)
		if len(faults) > 0 {
			continue
		}
		room, err := configs.Load(path, all.Catalogue(), os.LookupEnv)
		if err != nil {
			return err //nolint:wrapcheck // it has changed since the line before, and says how
		}
		loads[path] = configs.Loads(room, all.Catalogue())
		if v.JSON {
			continue
		}
		fmt.Fprintf(t.out, "%s: good\n", path)
		for _, load := range loads[path] {
			fmt.Fprintf(t.out, "  %s\n", load)
		}
	}
	if v.JSON {
		if err := printJSON(t.out, map[string]any{"faults": found, "warnings": warned, "loads": loads}); err != nil {
			return err
		}
	} else {
		for _, w := range warned {
			fmt.Fprintln(t.out, "warning:", w)
		}
		for _, f := range found {
			fmt.Fprintln(t.err, f)
		}
	}
	if n := len(found); n > 0 {
		return fmt.Errorf("%d faults in %d files", n, len(v.Files))
	}
	return nil
}

type schemaVerb struct {
	Building bool
}

func (v *schemaVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the room file, for editors.",
		RunE:  func(*cobra.Command, []string) error { return v.Run(t) },
	}
	c.Flags().BoolVar(&v.Building, "building", false, "Print that of the file of a building.")
	return c
}

// Run prints the schema.
func (v *schemaVerb) Run(t terminal) error {
	text := configs.RoomSchema
	if v.Building {
		text = configs.BuildingSchema
	}
	_, err := t.out.Write(text)
	return err //nolint:wrapcheck // standard output
}

type pinVerb struct {
	PIN string
}

func (v *pinVerb) command(t terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "pin [PIN]",
		Short: "Turn a PIN into what the room file stores.",
		Long: `A PIN is 4 to 12 digits. Left out, it is read from standard input, which keeps it out of the shell's
history.`,
		RunE: func(_ *cobra.Command, given []string) error {
			v.PIN = first(given)
			return v.Run(t)
		},
	}
}

// Run prints the hash of a PIN.
func (v *pinVerb) Run(t terminal) error {
	digits := v.PIN
	if digits == "" {
		fmt.Fprint(t.err, "PIN: ")
		if _, err := fmt.Fscanln(t.in, &digits); err != nil {
			return fmt.Errorf("reading the PIN: %w", err)
		}
	}
	hash, err := pin.Hash(digits)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	fmt.Fprintln(t.out, hash)
	return nil
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// printLine writes JSON in one line.
func printLine(w io.Writer, v any) error {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	return nil
}

// dataFolder returns where a room keeps its journal, its runs under way and the token for the
// command line; it is made where it is missing.
func dataFolder(given, room string) (string, error) {
	folder := given
	if folder == "" {
		folder = os.Getenv("STATE_DIRECTORY") // as systemd gives it
	}
	if folder == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding a folder for the room's data: %w; give one with --data", err)
		}
		folder = filepath.Join(home, ".local", "state", "lectern", room)
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return "", fmt.Errorf("making the folder for the room's data: %w; give another with --data", err)
	}
	return folder, nil
}

// tokenFile holds the token of the command line on this machine.
const tokenFile = "cli-token"

func writeToken(folder, secret string) error {
	path := filepath.Join(folder, tokenFile)
	if err := errors.Join(os.WriteFile(path, []byte(secret+"\n"), 0o600), os.Chmod(path, 0o600)); err != nil {
		return fmt.Errorf("writing the token of the command line: %w", err)
	}
	return nil
}
