package bench

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// row is one figure with what it is held against.
type row struct {
	what     string
	measured string
	against  string // the floor or what is reckoned, on this machine in this run
	limit    string
	verdict  verdict
}

type verdict int

const (
	told verdict = iota // a figure without a limit
	kept
	over
)

func (v verdict) String() string { return [...]string{"", "ok", "OVER"}[v] }

func keeps(ok bool) verdict {
	if ok {
		return kept
	}
	return over
}

// table collects figures.
type table struct {
	out  io.Writer
	rows []row
}

func (t *table) add(r row) {
	t.rows = append(t.rows, r)
	fmt.Fprintf(t.out, "%-76s %-28s %s\n", r.what, r.measured, r.verdict)
}

// print writes the table as Markdown, which is as well read as text.
func (t *table) print() (missed int) {
	all := [][]string{{"figure", "measured", "against", "limit", ""}, {"---", "---", "---", "---", "---"}}
	for _, r := range t.rows {
		all = append(all, []string{r.what, r.measured, r.against, r.limit, r.verdict.String()})
		if r.verdict == over {
			missed++
		}
	}
	width := make([]int, len(all[0]))
	for _, cells := range all {
		for i, c := range cells {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	fmt.Fprintln(t.out)
	for n, cells := range all {
		for i, c := range cells {
			fill := " "
			if n == 1 {
				fill = "-"
			}
			fmt.Fprintf(t.out, "| %s%s ", c, strings.Repeat(fill, width[i]-utf8.RuneCountInString(c)))
		}
		fmt.Fprintln(t.out, "|")
	}
	return missed
}

// ms writes a time as people compare them.
func ms(d time.Duration) string {
	switch {
	case d > time.Hour:
		return "never"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.2f ms", d.Seconds()*1000)
	default:
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	}
}

// pair writes a median and what one in a hundred exceeds.
func pair(p50, p99 time.Duration) string {
	return strings.TrimSuffix(ms(p50), " ms") + " / " + ms(p99)
}
