package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"lectern/cmd/lectern/bench"
)

type benchVerb struct {
	Only    []string `arg:"" optional:"" help:"Parts to measure: press, mqtt, bus, slow, outside, rate, rest, growth; left out, all of these. Also load, which takes five minutes."`
	Repeats int      `help:"How often what is short is measured; figures are medians." default:"3"`

	Floor  string `hidden:"" help:"Be the floor that presses are held against, on a Modbus TCP slave." placeholder:"ADDR"`
	Broker string `hidden:"" help:"For --floor: the broker on which it takes presses too." placeholder:"URL"`
}

// Help says more than fits into a line.
func (*benchVerb) Help() string {
	return `Runs rooms end to end on equipment of its own and prints a table of figures with the limit beside each.
Takes some minutes, and wants the machine for itself. Ends with 1 where a limit was not kept.`
}

// Run measures.
func (v *benchVerb) Run(ctx context.Context, t terminal) error {
	if v.Floor != "" {
		return bench.Floor(ctx, v.Floor, v.Broker, t.out) //nolint:wrapcheck // says what it is
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
