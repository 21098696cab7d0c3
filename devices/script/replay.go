package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"lectern/devices"
	"lectern/devices/line"
	"lectern/devices/recording"
)

// A recording is the test of a script: every request in it that the script would make is given the
// replies that the equipment really sent, and what the script reads in them is shown. It goes through
// the same frames, patterns and tables as on a line, but no time passes.

// Actor is a scripted device that a recording is played to.
type Actor struct {
	ID       string
	Line     line.Kind
	Settings *Settings
}

// Row is one request of a recording, or something that came unasked, and what a script makes of it.
type Row struct {
	Time    string
	Device  string // "" where no script has to do with it
	What    string // what the script means by the request: "ask power"; "unasked"
	Frame   []byte // what was taken for the reply
	Means   string // "power on", "acknowledged"
	Problem string // what is wrong, "" for nothing
	Again   int    // how often the same followed at once
}

// replay is a recording while it is played.
type replay struct {
	acts []act
	rows []Row
	seen map[string]bool // frames that were passed over
}

// add adds a row, or counts it with the one before where it says the same.
func (r *replay) add(row Row) {
	if n := len(r.rows); n > 0 {
		last := r.rows[n-1]
		last.Time, last.Again = row.Time, 0
		if reflect.DeepEqual(last, row) {
			r.rows[n-1].Again++
			return
		}
	}
	r.rows = append(r.rows, row)
}

// act is one request that a device can make.
type act struct {
	*talk
	m       *message
	values  map[string]string
	request []byte
}

// errPlayed ends an exchange that is not to be carried out.
var errPlayed = errors.New("the recording has no such reply")

// Replay plays a recording to devices that share its line. It fails where a device cannot be made.
func Replay(actors []Actor, rec *recording.Recording) ([]Row, error) {
	r := &replay{seen: make(map[string]bool)}
	for _, a := range actors {
		p, faults := compile(a.Settings)
		if len(faults) > 0 {
			return nil, fmt.Errorf("device %s: %w", a.ID, faults[0])
		}
		t := &talk{program: p, device: a.ID, kind: a.Line, told: make(map[string]string)}
		if err := r.learn(t); err != nil {
			return nil, err
		}
	}
	for i := 0; i < len(rec.Entries); {
		e := rec.Entries[i]
		end := i + 1
		for end < len(rec.Entries) && rec.Entries[end].Dir != "tx" {
			end++
		}
		switch e.Dir {
		case "tx":
			r.play(e, rec.Entries[i+1:end])
		default:
			r.unasked(nil, rec.Entries[i:end])
		}
		i = end
	}
	return r.rows, nil
}

// learn lists the requests that a device can make.
func (r *replay) learn(t *talk) error {
	add := func(m *message, names []string) error {
		for _, values := range t.everyValue(names) {
			request, err := m.request.render(t.known(values))
			if err != nil {
				return fmt.Errorf("device %s: %s: %w", t.device, m.name, err)
			}
			r.acts = append(r.acts, act{t, m, values, request})
		}
		return nil
	}
	var faults []error
	for _, m := range t.greet {
		if !m.silent {
			faults = append(faults, add(m, nil))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.commands)) {
		if m := t.commands[name]; !m.silent {
			faults = append(faults, add(m, t.program.kind.sets[name]))
		}
	}
	for _, m := range t.queries {
		faults = append(faults, add(m, t.program.kind.asks))
	}
	return errors.Join(faults...)
}

// everyValue lists all that values can be: every percentage, every code of the room.
func (t *talk) everyValue(names []string) []map[string]string {
	all := []map[string]string{{}}
	for _, name := range names {
		var wires []string
		if slices.Contains(percents, name) {
			for percent := 0; percent <= 100; percent++ {
				wires = append(wires, t.toWire(name, percent))
			}
		}
		for _, code := range t.codes[name] {
			if wire, err := t.codeOf(name, code); err == nil {
				wires = append(wires, wire)
			}
		}
		var more []map[string]string
		for _, values := range all {
			for _, wire := range slices.Compact(wires) {
				one := maps.Clone(values)
				one[name] = wire
				more = append(more, one)
			}
		}
		all = more
	}
	return all
}

// play gives a request that some device makes what followed it.
func (r *replay) play(sent recording.Entry, after []recording.Entry) {
	i := slices.IndexFunc(r.acts, func(a act) bool { return bytes.Equal(a.request, sent.Bytes) })
	if i < 0 {
		what := "a secret"
		if len(sent.Bytes) > 0 {
			what = shown(sent.Bytes, latin(sent.Bytes))
		}
		r.add(Row{Time: sent.Time, What: what, Means: "not of these scripts"})
		return
	}
	a := r.acts[i]
	row := Row{Time: sent.Time, Device: a.device, What: strings.TrimPrefix(a.note(a.m, a.values), a.device+": ")}
	tape := &tape{split: func(got []byte) int { return len(got) }}
	if a.framer != nil {
		tape.split = a.framer.split
	}
	for _, e := range after {
		if e.Dir == "rx" || e.Dir == "noise" {
			tape.bytes = append(tape.bytes, e.Bytes...)
			tape.cut = tape.cut || e.Cut
		}
	}
	got, err := a.say(context.Background(), tape.do, a.m, a.values, "")
	row.Frame = tape.taken
	row.Means, row.Problem = a.verdict(got, err, tape)
	for _, e := range append([]recording.Entry{sent}, after...) {
		if e.Expect != "" && e.Expect != row.Means && row.Problem == "" {
			row.Problem = fmt.Sprintf("line %d of the recording says that it is: %s", e.Row, e.Expect)
		}
	}
	r.add(row)
	r.news(a.talk, sent.Time, tape.passed)
}

// verdict says what a script makes of a reply.
func (a act) verdict(got map[string]captured, err error, tape *tape) (means, problem string) {
	var no *devices.Rejection
	switch {
	case errors.As(err, &no):
		return "refused: " + no.Code + ": " + no.Reason.In("en"), ""
	case errors.Is(err, errPlayed) && len(tape.bytes) == 0:
		return "no reply came", ""
	case errors.Is(err, errPlayed) && tape.cut:
		return "", "the recording has only the beginning of the reply"
	case errors.Is(err, errPlayed):
		return "", "nothing that came is a reply to it: " + strconv.Quote(clip(string(tape.bytes)))
	case err != nil:
		return "", err.Error()
	case a.m.reply == nil:
		return "sent", ""
	case len(a.m.gives) == 0:
		return "acknowledged", ""
	}
	var words []string
	for _, value := range slices.Sorted(maps.Keys(a.m.gives)) {
		word, err := a.reads(value, got[a.m.gives[value]])
		if err != nil {
			return "", err.Error()
		}
		words = append(words, value+" "+word)
	}
	return strings.Join(words, ", "), ""
}

// reads is what a value means, for people.
func (p *program) reads(value string, c captured) (string, error) {
	switch {
	case p.kind.words[value] != nil:
		return p.wordOf(value, c)
	case slices.Contains(percents, value):
		n, err := p.percentOf(value, c)
		return strconv.Itoa(n), err
	case slices.Contains(numbers, value):
		n, err := p.numberOf(value, c)
		return strconv.FormatFloat(n, 'f', -1, 64), err
	}
	text := p.textOf(value, c)
	switch known := p.codes[value]; {
	case text == "":
		return none, nil
	case len(known) > 0 && !slices.Contains(known, text):
		return text + ", which is no code of the room (" + strings.Join(known, ", ") + ")", nil
	}
	return text, nil
}

// unasked shows what came before any request.
func (r *replay) unasked(passed [][]byte, entries []recording.Entry) {
	for _, e := range entries {
		if e.Dir == "rx" {
			passed = append(passed, e.Bytes)
		}
	}
	if len(r.acts) > 0 && len(entries) > 0 {
		r.news(r.acts[0].talk, entries[0].Time, passed)
	}
}

// news shows which of the frames that nobody asked for make the script ask again. What it passes over,
// such as an echo, is shown once.
func (r *replay) news(t *talk, time string, passed [][]byte) {
	for _, frame := range passed {
		row := Row{Time: time, What: "unasked", Frame: frame, Means: "passed over"}
		if t.isNews(frame) {
			row.Device, row.Means = t.device, "asked again"
		} else if r.seen[string(frame)] {
			continue
		}
		r.seen[string(frame)] = true
		r.add(row)
	}
}

// tape is the replies of a recording to one request, as a line would give them.
type tape struct {
	bytes  []byte
	cut    bool
	split  func([]byte) int
	taken  []byte
	passed [][]byte
}

// do carries an exchange out as line.Line.Do does.
func (t *tape) do(_ context.Context, x line.Exchange) ([]byte, error) {
	if x.OneWay {
		return nil, nil
	}
	if x.Find != nil {
		start, end, err := x.Find(t.bytes)
		if err != nil || end <= 0 {
			return nil, errors.Join(errPlayed, err)
		}
		t.taken = t.bytes[start:end]
		return t.taken, nil
	}
	for rest := t.bytes; len(rest) > 0; {
		n := t.split(rest)
		if n <= 0 || n > len(rest) {
			break
		}
		if t.taken == nil && x.Accept(rest[:n]) {
			t.taken = rest[:n]
		} else {
			t.passed = append(t.passed, rest[:n])
		}
		rest = rest[n:]
	}
	if t.taken == nil {
		return nil, errPlayed
	}
	return t.taken, nil
}
