package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

type journalVerb struct {
	connection
	Since  string
	Device string
	Scene  string
	CSV    bool
	JSON   bool
}

func (v *journalVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "journal",
		Short: "Print what happened in a running room, and who did it.",
		Example: `  lectern journal --since 1h --device projector
  lectern journal --since 2026-05-01T08:00:00+08:00 --csv >may.csv`,
		RunE: func(c *cobra.Command, _ []string) error { return v.Run(c.Context(), t) },
	}
	f := c.Flags()
	v.bind(f)
	f.StringVar(&v.Since, "since", "24h", "Begin at `TIME`: a length of time before now, such as 24h, or a time such as 2026-05-01T08:00:00+08:00")
	f.StringVar(&v.Device, "device", "", "Only of the device `ID`.")
	f.StringVar(&v.Scene, "scene", "", "Only of the scene `ID`.")
	f.BoolVar(&v.CSV, "csv", false, "Print CSV, newest first, for a spreadsheet.")
	f.BoolVar(&v.JSON, "json", false, "Print JSON, one object a line, oldest first.")
	return c
}

// logEntry is an entry of the journal as the daemon tells it.
type logEntry struct {
	Seq  uint64    `json:"seq"`
	Time time.Time `json:"time"`
	By   struct {
		Via  string `json:"via"`
		Name string `json:"name,omitempty"`
		From string `json:"from,omitempty"`
	} `json:"by"`
	Device   string `json:"device,omitempty"`
	Property string `json:"property,omitempty"`
	Value    string `json:"value,omitempty"`
	Scene    string `json:"scene,omitempty"`
	Run      string `json:"run,omitempty"`
	Step     int    `json:"step,omitempty"`
	Line     string `json:"line,omitempty"`
	Unit     string `json:"unit,omitempty"`
	Outcome  string `json:"outcome"`
	Detail   string `json:"detail,omitempty"`
	Took     int64  `json:"took_ns,omitempty"`
}

// Run prints the journal.
func (v *journalVerb) Run(ctx context.Context, t terminal) error {
	since, err := time.Parse(time.RFC3339, v.Since)
	if err != nil {
		before, wrong := time.ParseDuration(v.Since)
		if wrong != nil || before < 0 {
			return fmt.Errorf("%w: --since takes a length of time such as 24h, or a time such as 2026-05-01T08:00:00+08:00", errUsage)
		}
		since = time.Now().Add(-before)
	}
	query := url.Values{"since": {since.UTC().Format(time.RFC3339Nano)}}
	for name, value := range map[string]string{"device": v.Device, "scene": v.Scene} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if v.CSV {
		query.Set("format", "csv")
		answer, err := v.ask(ctx, http.MethodGet, "/api/v1/journal?"+query.Encode(), nil)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if _, err := io.Copy(t.out, answer.Body); err != nil {
			return fmt.Errorf("reading the daemon's answer: %w", err)
		}
		return nil
	}
	query.Set("most", "500")
	var all []logEntry
	for {
		var page struct{ Entries []logEntry }
		if err := v.call(ctx, http.MethodGet, "/api/v1/journal?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		all = append(all, page.Entries...)
		if len(page.Entries) == 0 || len(all) >= logMost {
			break
		}
		query.Set("before", fmt.Sprint(page.Entries[len(page.Entries)-1].Seq))
	}
	if len(all) >= logMost {
		fmt.Fprintln(t.err, "there is more; choose a later --since, or --csv for all of it")
	}
	for _, e := range slices.Backward(all) {
		if v.JSON {
			if err := printLine(t.out, e); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(t.out, e)
	}
	return nil
}

// logMost is how many entries are printed.
const logMost = 20000

// String returns the entry as one line.
func (e logEntry) String() string {
	words := []string{e.Time.Local().Format("2006-01-02 15:04:05.000"), e.By.Via}
	add := func(word string) {
		if word != "" {
			words = append(words, word)
		}
	}
	add(e.By.Name)
	if e.By.From != "" {
		add("(" + e.By.From + ")")
	}
	if e.Device != "" {
		add(strings.TrimSuffix(e.Device+"."+e.Property, "."))
	}
	add(e.Value)
	add(e.Scene)
	if e.Step > 0 {
		add(fmt.Sprintf("step %d", e.Step))
	}
	if e.Line != "" {
		add("line " + e.Line)
	}
	if e.Unit != "" {
		add("unit " + e.Unit)
	}
	text := strings.Join(words, " ") + ": " + e.Outcome
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}
