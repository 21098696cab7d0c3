package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// execute does what the words say and returns the command that they meant.
func execute(ctx context.Context, args []string, t terminal) (*cobra.Command, error) {
	all := verbs(t)
	root := &cobra.Command{
		Use:                        "lectern",
		Args:                       cobra.ArbitraryArgs, // noVerb says what is wrong with them
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
	}
	root.PersistentFlags().BoolP("help", "h", false, "Show this.")
	root.SetFlagErrorFunc(misread)
	// Written here and not by a template, which would keep the linker from leaving out what nobody calls.
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		if c == root {
			helpAll(t.out, all)
		} else {
			help(t.out, c)
		}
	})
	for _, c := range all {
		c.Args = fits
		c.Flags().SortFlags = false
	}
	root.AddCommand(all...)

	// Execute adds verbs of cobra's own, for help and completion. Asked before, cobra knows ours only.
	c, words, err := root.Find(args)
	if err == nil && c == root {
		err = noVerb(root, words)
	}
	if err != nil {
		return root, err
	}
	root.SetArgs(args)
	return root.ExecuteContextC(ctx) //nolint:wrapcheck // of a verb, or of what follows
}

// noVerb says what is wrong with words that begin with no verb, if anything is: --help alone is right.
func noVerb(root *cobra.Command, words []string) error {
	i := slices.IndexFunc(words, func(word string) bool { return !strings.HasPrefix(word, "-") })
	if i < 0 {
		return nil
	}
	word, hint := words[i], ""
	switch {
	case isYAML(word):
		hint = "; to run a room file: lectern run --config " + word
	case word != "":
		hint = meant(root.SuggestionsFor(word), "")
	}
	return fmt.Errorf("%w: there is no verb %q%s", errUsage, word, hint)
}

func isYAML(word string) bool {
	return strings.HasSuffix(word, ".yaml") || strings.HasSuffix(word, ".yml")
}

// fits holds the words after a verb against its Use line, such as "check FILE..." or "trace [LINE]".
func fits(c *cobra.Command, given []string) error {
	_, takes, _ := strings.Cut(c.Use, " ")
	least, most := 0, 0
	for word := range strings.FieldsSeq(takes) {
		if !strings.HasPrefix(word, "[") {
			least++
		}
		if most++; strings.Contains(word, "...") {
			most = math.MaxInt
		}
	}
	if least <= len(given) && len(given) <= most {
		return nil
	}
	was, hint := "nothing", ""
	if len(given) > 0 {
		was = strings.Join(given, " ")
	}
	if takes == "" {
		takes = "no words"
		if c.Flags().Lookup("config") != nil && isYAML(given[0]) {
			hint = "; a file goes after --config"
		}
	}
	return fmt.Errorf("%w: %s takes %s, and was given %s%s", errUsage, c.Name(), takes, was, hint)
}

// misread says what is wrong with a flag, and what would be right.
func misread(c *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if letters := unknown.GetSpecifiedShortnames(); letters != "" {
			hint := ""
			if strings.Contains(c.Use, " ") {
				hint = "; a word that begins with - goes after --"
			}
			return fmt.Errorf("%w: %s has no flag -%s%s", errUsage, c.Name(), letters, hint)
		}
		// Cobra knows near words among verbs only: the flags are given to it as such.
		flags := cobra.Command{SuggestionsMinimumDistance: 2}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
			}
		})
		wrong := unknown.GetSpecifiedName()
		return fmt.Errorf("%w: %s has no flag --%s%s", errUsage, c.Name(), wrong, meant(flags.SuggestionsFor(wrong), "--"))
	}
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		right := bad.Unwrap().Error()
		switch bad.GetFlag().Value.Type() {
		case "bool":
			right = "write true or false"
		case "int":
			right = "write a whole number"
		case "intSlice":
			right = "write whole numbers, with commas between"
		case "float64":
			right = "write a number"
		case "duration":
			right = "write a length of time, such as 200ms or 30s"
		}
		return fmt.Errorf("%w: --%s %s: %s", errUsage, bad.GetFlag().Name, bad.GetValue(), right)
	}
	return fmt.Errorf("%w: %w", errUsage, err)
}

// meant asks whether one of the words was meant.
func meant(words []string, dashes string) string {
	if len(words) == 0 {
		return ""
	}
	return "; did you mean " + dashes + strings.Join(words, " or "+dashes) + "?"
}

// helpAll tells what the program can do.
func helpAll(w io.Writer, all []*cobra.Command) {
	fmt.Fprint(w, `A meeting-room controller. See README.md and, for the room file, configs/README.md.

Usage: lectern [VERB] [flags]

`)
	for _, c := range all {
		fmt.Fprintf(w, "  %-8s  %s\n", c.Name(), c.Short)
	}
	fmt.Fprint(w, `
Without a verb: run, with its flags. lectern VERB --help tells what a verb takes.
`)
}

// help tells what a verb takes.
func help(w io.Writer, c *cobra.Command) {
	fmt.Fprintf(w, "%s\n\nUsage: %s\n", c.Short, c.UseLine())
	if c.Long != "" {
		fmt.Fprintf(w, "\n%s\n", c.Long)
	}
	if c.Example != "" {
		fmt.Fprintf(w, "\nFor example:\n%s\n", c.Example)
	}
	fmt.Fprintf(w, "\nFlags:\n%s", c.Flags().FlagUsagesWrapped(100))
}

// first is the first word of those given, or "".
func first(given []string) string {
	if len(given) == 0 {
		return ""
	}
	return given[0]
}

// path is the value of a flag that names a file or a folder.
type path string

// pathFlag binds a flag that names a file or a folder.
func pathFlag(f *pflag.FlagSet, to *string, name, usual, usage string) {
	*to = usual
	f.Var((*path)(to), name, usage)
	if usual != "" {
		*to = absolute(usual)
	}
}

func (p *path) String() string { return string(*p) }
func (p *path) Type() string   { return "path" }

// Set takes what was given. A flag is no path: with "--record --last" the name of the file was forgotten.
func (p *path) Set(given string) error {
	if strings.HasPrefix(given, "-") {
		return fmt.Errorf("name a file or a folder; one that begins with - is ./%s", given)
	}
	*p = path(absolute(given))
	return nil
}

// absolute is a path that faults can be told by and that holds in any folder. A shell leaves the ~ of
// --config=~/room.yaml to the program.
func absolute(given string) string {
	if rest, ok := strings.CutPrefix(given, "~/"); ok {
		if who, err := user.Current(); err == nil {
			return filepath.Join(who.HomeDir, rest)
		}
		return given
	}
	if full, err := filepath.Abs(given); err == nil {
		return full
	}
	return given
}

// choice is the value of a flag that takes one of some words, or none.
type choice struct {
	to *string
	of []string
}

// choiceFlag binds a flag that takes one of the words, or none.
func choiceFlag(f *pflag.FlagSet, to *string, name, usage string, of ...string) {
	f.Var(choice{to, of}, name, usage)
}

func (c choice) String() string {
	if c.to == nil { // the zero value, which pflag asks for
		return ""
	}
	return *c.to
}
func (c choice) Type() string { return "word" }

func (c choice) Set(given string) error {
	if given != "" && !slices.Contains(c.of, given) {
		last := len(c.of) - 1
		return fmt.Errorf("write %s or %s", strings.Join(c.of[:last], ", "), c.of[last])
	}
	*c.to = given
	return nil
}

// hide leaves flags out of the help: they are for the program itself and for tests.
func hide(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		f.Lookup(name).Hidden = true
	}
}
