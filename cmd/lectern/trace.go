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
)

type traceVerb struct {
	connection
	Line   string `arg:"" optional:"" help:"Only this line."`
	Unit   string `help:"Only to and from this unit: 3, or a motor's \"12 01\"." placeholder:"UNIT"`
	Dir    string `help:"Only this direction: tx, rx, noise, event or error." enum:",tx,rx,noise,event,error" default:""`
	Text   string `help:"Only what has this in its words, its bytes or their hexadecimal." placeholder:"TEXT"`
	Errors bool   `help:"Only what is not as it should be: no answer, garbage, a line that closed."`
	Last   bool   `help:"Show what the ring holds and end."`
	JSON   bool   `help:"As JSON, one object a line."`
	Record string `help:"Also write what goes over the line into a new file, for lectern check --replay." type:"path" placeholder:"FILE"`
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
