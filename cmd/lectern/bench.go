package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"lectern/cmd/lectern/bench"
)

type benchVerb struct {
	Only    []string
	Repeats int

	Floor  string
	Broker string
	Panels int
	Of     string
}

func (v *benchVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "bench [PART...]",
		Short: "Measure the program on this machine and print the figures beside their limits.",
		Long: `Runs rooms end to end on equipment of its own and prints a table of figures with the limit beside each.
Takes some minutes, and wants the machine for itself. Ends with 1 where a limit was not kept.

A PART is press, mqtt, bus, slow, outside, rate, rest or growth; left out, all of these. Also load, which
takes five minutes.`,
		Example: "  lectern bench press mqtt --repeats 5",
		RunE: func(c *cobra.Command, parts []string) error {
			v.Only = parts
			return v.Run(c.Context(), t)
		},
	}
	f := c.Flags()
	f.IntVar(&v.Repeats, "repeats", 3, "Measure what is short `N` times; figures are medians")
	f.StringVar(&v.Floor, "floor", "", "Be the floor that presses are held against, on the Modbus TCP slave at `ADDR`.")
	f.StringVar(&v.Broker, "broker", "", "For --floor: take presses on the broker at `URL` too.")
	f.IntVar(&v.Panels, "panels", 0, "Be `N` panels that follow the room --of.")
	f.StringVar(&v.Of, "of", "", "For --panels: the room's `ADDR`.")
	hide(f, "floor", "broker", "panels", "of")
	return c
}

// Run measures.
func (v *benchVerb) Run(ctx context.Context, t terminal) error {
	if v.Floor != "" {
		return bench.Floor(ctx, v.Floor, v.Broker, t.out) //nolint:wrapcheck // says what it is
	}
	if v.Panels > 0 {
		return bench.Panels(ctx, v.Of, v.Panels, t.out) //nolint:wrapcheck // as above
	}
	if v.Repeats < 1 || v.Repeats > 100 {
		return fmt.Errorf("%w: --repeats is 1 to 100", errUsage)
	}
	folder, err := os.MkdirTemp("", "lectern-bench")
	if err != nil {
		return fmt.Errorf("a folder for the program: %w", err)
	}
	defer os.RemoveAll(folder)
	program, err := bench.Compiled(ctx, folder)
	if err != nil { // installed, without the sources: it measures itself
		var own error
		if program, own = os.Executable(); own != nil {
			return errors.Join(err, own)
		}
	}
	return bench.Run(ctx, bench.Options{Program: program, Only: v.Only, Repeats: v.Repeats, Out: t.out}) //nolint:wrapcheck // says what it is
}
