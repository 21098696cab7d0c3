package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
)

type traceVerb struct {
	connection
	Line   string
	Unit   string
	Dir    string
	Text   string
	Errors bool
	Last   bool
	JSON   bool
	Record string
}

func (v *traceVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "trace [LINE]",
		Short: "Follow the frames on the wires of a running room, decoded.",
		Long:  "With a LINE of the room file, only what goes over it.",
		Example: `  lectern trace bus --errors
  lectern trace matrix --record first.rec`,
		RunE: func(c *cobra.Command, given []string) error {
			v.Line = first(given)
			return v.Run(c.Context(), t)
		},
	}
	f := c.Flags()
	v.bind(f)
	f.StringVar(&v.Unit, "unit", "", "Only to and from `UNIT`: 3, or a motor's \"12 01\".")
	choiceFlag(f, &v.Dir, "dir", "Only in this `DIRECTION`: tx, rx, noise, event or error.", "tx", "rx", "noise", "event", "error")
	f.StringVar(&v.Text, "text", "", "Only what has `TEXT` in its words, its bytes or their hexadecimal.")
	f.BoolVar(&v.Errors, "errors", false, "Only what is not as it should be: no answer, garbage, a line that closed.")
	f.BoolVar(&v.Last, "last", false, "Show what the ring holds and end.")
	f.BoolVar(&v.JSON, "json", false, "Print JSON, one object a line.")
	pathFlag(f, &v.Record, "record", "", "Also write what goes over the line into a new `FILE`, for lectern check --replay.")
	return c
}

// traced is one entry of the trace, as the daemon tells it.
type traced struct {
	Time time.Time     `json:"time"`
	Line string        `json:"line"`
	Unit string        `json:"unit"`
	Dir  string        `json:"dir"`
	Hex  string        `json:"hex"`
	Note string        `json:"note"`
	Took time.Duration `json:"took"`
}

// Run prints the frames on the wires: what the rings hold, and then what comes.
func (v *traceVerb) Run(ctx context.Context, t terminal) (err error) {
	record, err := newRecorder(v.Record, v.Line)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, record.close()) }()
	query := url.Values{}
	for key, value := range map[string]string{"line": v.Line, "unit": v.Unit, "dir": v.Dir, "text": v.Text} {
		if value != "" {
			query.Set(key, value)
		}
	}
	if v.Errors {
		query.Set("errors", "true")
	}
	if !v.Last {
		query.Set("wait", "true")
	}
	for {
		var answer struct {
			Entries []json.RawMessage `json:"entries"`
			Last    map[string]uint64 `json:"last"`
		}
		if err := v.call(ctx, http.MethodGet, "/api/v1/trace?"+query.Encode(), nil, &answer); err != nil {
			if ctx.Err() != nil {
				return nil // told to stop
			}
			return err
		}
		for _, raw := range answer.Entries {
			var e traced
			if err := json.Unmarshal(raw, &e); err != nil {
				return fmt.Errorf("reading the trace: %w", err)
			}
			if err := record.add(e.Time, e.Dir, e.Hex, e.Note); err != nil {
				return err
			}
			if err := v.print(t.out, raw, e); err != nil {
				return err
			}
		}
		if v.Last {
			return nil
		}
		query.Del("after")
		for id, seq := range answer.Last {
			query.Add("after", fmt.Sprintf("%s:%d", id, seq))
		}
	}
}

func (v *traceVerb) print(out io.Writer, raw json.RawMessage, e traced) error {
	if v.JSON {
		var line bytes.Buffer
		if err := json.Compact(&line, raw); err != nil {
			return fmt.Errorf("reading the trace: %w", err)
		}
		_, err := fmt.Fprintln(out, line.String())
		return err //nolint:wrapcheck // standard output
	}
	took := ""
	if e.Took > 0 {
		took = fmt.Sprintf("%d ms", e.Took.Milliseconds())
	}
	_, err := fmt.Fprintf(out, "%s %-10s %-5s %-11s %6s  %-40s %s\n", e.Time.Local().Format("15:04:05.000"), e.Line, e.Dir, e.Unit, took, e.Hex, e.Note)
	return err //nolint:wrapcheck // standard output
}
