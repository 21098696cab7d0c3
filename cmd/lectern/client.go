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
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// connection says how a verb reaches the daemon.
type connection struct {
	Address string
	Data    string
	Token   string
}

func (c *connection) bind(f *pflag.FlagSet) {
	f.StringVar(&c.Address, "address", "http://127.0.0.1:8080", "Speak to the daemon whose panel is served at `URL` ($LECTERN_ADDRESS)")
	pathFlag(f, &c.Data, "data", "", "Take the token from `DIR`, the folder of the room's data; left out, from the newest under the usual place.")
	f.StringVar(&c.Token, "token", "", "Come in with `TOKEN`, where there is no such folder ($LECTERN_TOKEN).")
	// What the environment has is not made the flag's default, which help shows: a token is nobody else's.
	for name, to := range map[string]*string{"LECTERN_ADDRESS": &c.Address, "LECTERN_TOKEN": &c.Token} {
		if value, ok := os.LookupEnv(name); ok {
			*to = value
		}
	}
}

// token finds what the daemon on this machine lets the command line in with.
func (c *connection) token() (string, error) {
	if c.Token != "" {
		return c.Token, nil
	}
	paths := []string{filepath.Join(c.Data, tokenFile)}
	if c.Data == "" {
		paths = nil
		if s := os.Getenv("STATE_DIRECTORY"); s != "" {
			paths = append(paths, filepath.Join(s, tokenFile))
		}
		if home, err := os.UserHomeDir(); err == nil {
			found, _ := filepath.Glob(filepath.Join(home, ".local", "state", "lectern", "*", tokenFile))
			sort.Slice(found, func(i, j int) bool { return modified(found[i]).After(modified(found[j])) })
			paths = append(paths, found...)
		}
		paths = append(paths, filepath.Join("/var/lib/lectern", tokenFile)) // of the package
	}
	for _, path := range paths {
		if b, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(b)), nil
		}
	}
	return "", errors.New("found no token: run this as the user that runs the daemon, or give --data or --token")
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// problem is an error answer of the daemon.
type problem struct {
	Title      string   `json:"title"`
	Detail     string   `json:"detail"`
	RetryAfter int      `json:"retry_after"`
	Faults     []string `json:"faults"`
}

// ask asks the daemon and returns its answer, whose body the caller closes. An answer that says that it
// could not be done is an error.
func (c *connection) ask(ctx context.Context, method, path string, in any) (*http.Response, error) {
	token, err := c.token()
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("asking the daemon: %w", err)
		}
		body = bytes.NewReader(b)
	}
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Address, "/")+path, body)
	if err != nil {
		return nil, fmt.Errorf("asking the daemon: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.client().Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking the daemon: %w; is it running, and is this its address?", err)
	}
	if answer.StatusCode < 400 {
		return answer, nil
	}
	defer answer.Body.Close()
	var p problem
	if json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&p) != nil || p.Title == "" {
		return nil, fmt.Errorf("%s %s: the daemon answered %s; where it speaks TLS, its address begins with https://", method, path, answer.Status)
	}
	text := p.Title
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	if p.RetryAfter > 0 {
		text += fmt.Sprintf(" (try again in %d s)", p.RetryAfter)
	}
	for _, fault := range p.Faults {
		text += "\n" + fault
	}
	return nil, errors.New(text)
}

// call asks the daemon. The answer is decoded into out, where that is not nil.
func (c *connection) call(ctx context.Context, method, path string, in, out any) error {
	answer, err := c.ask(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the daemon's answer: %w", err)
	}
	return nil
}

// seen is the state as the daemon tells it.
type seen struct {
	Revision   uint64 `json:"revision"`
	Properties []struct {
		Device   string    `json:"device"`
		Property string    `json:"property"`
		Value    any       `json:"value"`
		Quality  string    `json:"quality"`
		Seen     time.Time `json:"seen"`
	} `json:"properties"`
	Lines []struct {
		Line  string `json:"line"`
		Up    bool   `json:"up"`
		Error string `json:"error"`
	} `json:"lines"`
	Runs []sceneRun `json:"runs"`
}

type sceneRun struct {
	ID     string `json:"id"`
	Scene  string `json:"scene"`
	State  string `json:"state"`
	Reason text   `json:"reason"`
	Steps  []struct {
		Name   text   `json:"name"`
		State  string `json:"state"`
		Reason text   `json:"reason"`
	} `json:"steps"`
}

type text struct{ ZH, EN string }

func (t text) String() string {
	if t.EN != "" {
		return t.EN
	}
	return t.ZH
}

type stateVerb struct {
	connection
	Filter string
	JSON   bool
}

func (v *stateVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "state [FILTER]",
		Short:   "Show the state of a running room.",
		Long:    "With a FILTER, only the properties whose name contains it.",
		Example: "  lectern state projector",
		RunE: func(c *cobra.Command, given []string) error {
			v.Filter = first(given)
			return v.Run(c.Context(), t)
		},
	}
	v.bind(c.Flags())
	c.Flags().BoolVar(&v.JSON, "json", false, "Print JSON.")
	return c
}

// Run prints the state.
func (v *stateVerb) Run(ctx context.Context, t terminal) error {
	var raw json.RawMessage
	if err := v.call(ctx, http.MethodGet, "/api/v1/state", nil, &raw); err != nil {
		return err
	}
	if v.JSON {
		return printJSON(t.out, raw)
	}
	var s seen
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("reading the state: %w", err)
	}
	var rows []string
	for _, p := range s.Properties {
		name := p.Device + "." + p.Property
		if !strings.Contains(name, v.Filter) {
			continue
		}
		value := "?"
		if p.Value != nil {
			value = fmt.Sprint(p.Value)
		}
		rows = append(rows, fmt.Sprintf("%-32s %-12s %s", name, value, p.Quality))
	}
	sort.Strings(rows)
	for _, row := range rows {
		fmt.Fprintln(t.out, row)
	}
	for _, l := range s.Lines {
		if !l.Up {
			fmt.Fprintf(t.out, "line %s is down: %s\n", l.Line, l.Error)
		}
	}
	return nil
}

type setVerb struct {
	connection
	Property string
	Value    string
	JSON     bool
}

func (v *setVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "set DEVICE.PROPERTY VALUE",
		Short:   "Set a property of a running room.",
		Long:    "lectern state lists the properties. A VALUE that begins with - goes after --.",
		Example: "  lectern set door-lights.power on",
		RunE: func(c *cobra.Command, given []string) error {
			v.Property, v.Value = given[0], given[1]
			return v.Run(c.Context(), t)
		},
	}
	v.bind(c.Flags())
	c.Flags().BoolVar(&v.JSON, "json", false, "Print JSON.")
	return c
}

// Run sets a property.
func (v *setVerb) Run(ctx context.Context, t terminal) error {
	device, property, ok := strings.Cut(v.Property, ".")
	if !ok {
		return fmt.Errorf("%w: write DEVICE.PROPERTY, such as door-lights.power", errUsage)
	}
	var outcome struct {
		Outcome string `json:"outcome"`
		Reason  text   `json:"reason"`
	}
	path := "/api/v1/devices/" + url.PathEscape(device) + "/" + url.PathEscape(property)
	if err := v.call(ctx, http.MethodPost, path, map[string]string{"value": v.Value}, &outcome); err != nil {
		return err
	}
	if v.JSON {
		return printJSON(t.out, outcome)
	}
	fmt.Fprintln(t.out, strings.TrimSuffix(outcome.Outcome+": "+outcome.Reason.String(), ": "))
	return nil
}

type sceneVerb struct {
	connection
	Name   string
	Cancel bool
	JSON   bool
}

func (v *sceneVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "scene NAME",
		Short:   "Run a scene of a running room and follow it.",
		Long:    "NAME is the id of the scene in the room file.",
		Example: "  lectern scene system-on",
		RunE: func(c *cobra.Command, given []string) error {
			v.Name = given[0]
			return v.Run(c.Context(), t)
		},
	}
	f := c.Flags()
	v.bind(f)
	f.BoolVar(&v.Cancel, "cancel", false, "Cancel it in place of running it.")
	f.BoolVar(&v.JSON, "json", false, "Print JSON, when it is over.")
	return c
}

// Run runs a scene and follows it to its end.
func (v *sceneVerb) Run(ctx context.Context, t terminal) error {
	path := "/api/v1/scenes/" + url.PathEscape(v.Name)
	if v.Cancel {
		return v.call(ctx, http.MethodDelete, path, nil, nil)
	}
	var r sceneRun
	if err := v.call(ctx, http.MethodPost, path, map[string]bool{"confirm": true}, &r); err != nil {
		return err
	}
	told := make([]string, len(r.Steps))
	for {
		for i, step := range r.Steps {
			word := strings.TrimSuffix(fmt.Sprintf("%d/%d %s: %s: %s", i+1, len(r.Steps), step.Name, step.State, step.Reason), ": ")
			if word != told[i] && step.State != "waiting" && !v.JSON {
				fmt.Fprintln(t.out, word)
			}
			told[i] = word
		}
		switch r.State {
		case "running", "unwinding", "asking", "waiting":
		default:
			if v.JSON {
				if err := printJSON(t.out, r); err != nil {
					return err
				}
			}
			if r.State != "finished" {
				return fmt.Errorf("scene %s ended as %s: %s", v.Name, r.State, r.Reason)
			}
			return nil
		}
		select {
		case <-time.After(200 * time.Millisecond):
		case <-ctx.Done():
			return errors.New("no longer following; the scene goes on")
		}
		var s seen
		if err := v.call(ctx, http.MethodGet, "/api/v1/state", nil, &s); err != nil {
			return err
		}
		for _, now := range s.Runs {
			if now.ID == r.ID {
				r = now
			}
		}
	}
}
