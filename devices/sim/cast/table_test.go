package cast

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lectern/devices/all"
)

var update = flag.Bool("update", false, "write the table of drivers in devices/README.md anew")

const (
	readme = "../../README.md"
	begins = "<!-- drivers: written by go test ./devices/sim/cast -run Table -update -->\n"
	ends   = "<!-- end of drivers -->\n"
)

// The table of drivers is made of what the drivers say of themselves.
func TestTheTableOfDriversIsTheCatalogue(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), begins)
	was, after, closed := strings.Cut(rest, ends)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table: %s and %s", readme, begins, ends)
	}
	is := table(t)
	if *update {
		if err := os.WriteFile(readme, []byte(before+begins+is+ends+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("run: go test ./devices/sim/cast -run Table -update (-written +catalogue):\n%s", diff)
	}
}

func table(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n| driver | equipment | kinds | lines | feedback | facts from | vectors | simulator | probe |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, d := range all.Drivers() {
		lines := make([]string, len(d.Lines))
		for i, l := range d.Lines {
			lines[i] = string(l)
		}
		feedback := d.Feedback
		switch {
		case feedback != "":
		case d.OneWay:
			feedback = "one-way"
		default:
			feedback = "reads back"
		}
		_, tests := sources(t, packageOf(d))
		played := slices.ContainsFunc(Roles(), func(r Role) bool { return slices.Contains(r.Drivers, d.Name) })
		cells := []string{
			"`" + d.Name + "`", d.Equipment, strings.Join(d.Kinds, ", "), strings.Join(lines, ", "), feedback, d.Facts,
			yes(vectors.MatchString(tests)), yes(played), yes(d.Probe != nil),
		}
		for _, c := range cells {
			fmt.Fprintf(&b, "| %s ", strings.ReplaceAll(c, "|", `\|`))
		}
		b.WriteString("|\n")
	}
	return b.String() + "\n"
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
