package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// MostRead is how many entries Read returns at most.
const MostRead = 500

// readStep is how many entries are read on at a time where a filter leaves most of them out: commits
// come between two steps.
const readStep = 4000

// Filter says which entries are wanted; what is zero does not count. Texts must be equal.
type Filter struct {
	Before       uint64    // older than the entry with this number
	Most         int       // at most so many
	Since, Until time.Time // not before, and before
	Device       string
	Scene        string
	Line         string
	Outcome      string
	Who          string // a name, an address, or a way in (panel, mqtt)
}

// matches reports whether an entry is wanted, but for its number of matches.
func (f Filter) matches(e Entry) bool {
	return (f.Before == 0 || e.Seq < f.Before) && (f.Since.IsZero() || !e.Time.Before(f.Since)) && (f.Until.IsZero() || e.Time.Before(f.Until)) &&
		(f.Device == "" || e.Device == f.Device) && (f.Scene == "" || e.Scene == f.Scene) && (f.Line == "" || e.Line == f.Line) &&
		(f.Outcome == "" || e.Outcome == f.Outcome) && (f.Who == "" || f.Who == e.By.Name || f.Who == e.By.From || f.Who == e.By.Via)
}

// where is the filter in SQL, but for Before and Most.
func (f Filter) where() (text string, arguments []any) {
	var terms []string
	add := func(wanted bool, term string, a ...any) {
		if wanted {
			terms, arguments = append(terms, " AND "+term), append(arguments, a...)
		}
	}
	add(!f.Since.IsZero(), "time >= ?", f.Since.UnixNano())
	add(!f.Until.IsZero(), "time < ?", f.Until.UnixNano())
	add(f.Device != "", "device = ?", f.Device)
	add(f.Scene != "", "scene = ?", f.Scene)
	add(f.Line != "", "line = ?", f.Line)
	add(f.Outcome != "", "outcome = ?", f.Outcome)
	add(f.Who != "", "? IN (name, origin, via)", f.Who)
	return strings.Join(terms, ""), arguments
}

// errNoDisk says that what is on the disk cannot be read now.
var errNoDisk = errors.New("the journal on the disk cannot be read now")

// Read returns the entries that the filter wants, newest first, up to MostRead. Where the disk cannot
// be read the error says so and the entries are those in memory.
func (j *Journal) Read(ctx context.Context, f Filter) ([]Entry, error) {
	if j == nil {
		return nil, nil
	}
	if f.Most <= 0 || f.Most > MostRead {
		f.Most = MostRead
	}
	j.mu.Lock()
	written := j.written
	if j.path == "" {
		written = 0
	}
	found := j.among(f, written) // not on the disk yet
	j.mu.Unlock()
	if j.path == "" || len(found) == f.Most {
		return found, nil
	}
	older := f
	older.Most -= len(found)
	if older.Before == 0 || older.Before > written+1 {
		older.Before = written + 1
	}
	rest, err := j.readDisk(ctx, older, readStep)
	if err != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		return j.among(f, 0), err
	}
	return append(found, rest...), nil
}

// onDisk lets do have the database, when it is its turn.
func (j *Journal) onDisk(ctx context.Context, do func(*database) error) error {
	select {
	case j.disk <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNoDisk, context.Cause(ctx))
	}
	defer func() { <-j.disk }()
	if j.db == nil {
		return errNoDisk
	}
	if err := do(j.db); err != nil {
		if broken(err) {
			j.found(err)
		}
		return fmt.Errorf("%w: %w", errNoDisk, err)
	}
	return nil
}

// readDisk reads on, a step at a time, until there is enough or nothing older.
func (j *Journal) readDisk(ctx context.Context, f Filter, step uint64) (found []Entry, err error) {
	var least, most uint64
	if err := j.onDisk(ctx, func(d *database) error { least, most, err = d.bounds(ctx, f); return err }); err != nil {
		return nil, err
	}
	for to := min(f.Before, most+1); to > least && len(found) < f.Most; {
		from := least
		if to-least > step {
			from = to - step
		}
		err := j.onDisk(ctx, func(d *database) error {
			more, err := d.read(ctx, f, from, to, f.Most-len(found))
			found = append(found, more...)
			return err
		})
		if err != nil {
			return nil, err
		}
		to = from
	}
	return found, nil
}

// bounds finds between which numbers all entries of the filter's time lie, from least to most; both
// 0 where there are none.
func (d *database) bounds(ctx context.Context, f Filter) (least, most uint64, err error) {
	query, arguments := "SELECT coalesce((SELECT min(seq) FROM journal), 0), coalesce((SELECT max(seq) FROM journal), 0)", []any(nil)
	if !f.Since.IsZero() || !f.Until.IsZero() {
		query = "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM journal INDEXED BY journal_time WHERE time >= ? AND time < ?"
		since, until := int64(-1<<63), int64(1<<63-1)
		if !f.Since.IsZero() {
			since = f.Since.UnixNano()
		}
		if !f.Until.IsZero() {
			until = f.Until.UnixNano()
		}
		arguments = []any{since, until}
	}
	var from, to int64
	if err := d.conn.QueryRowContext(ctx, query, arguments...).Scan(&from, &to); err != nil {
		return 0, 0, fmt.Errorf("reading %s: %w", d.path, err)
	}
	return uint64(from), uint64(to), nil
}

// read finds up to most entries from a number up to, but not including, another.
func (d *database) read(ctx context.Context, f Filter, from, to uint64, most int) ([]Entry, error) {
	where, arguments := f.where()
	rows, err := d.conn.QueryContext(ctx, "SELECT "+columns+" FROM journal WHERE seq >= ? AND seq < ?"+where+" ORDER BY seq DESC LIMIT ?",
		append(append([]any{int64(from), int64(to)}, arguments...), most)...)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", d.path, err)
	}
	defer rows.Close()
	var found []Entry
	for rows.Next() {
		var e Entry
		var seq, at int64
		if err := rows.Scan(&seq, &at, &e.By.Via, &e.By.Name, &e.By.From, &e.Device, &e.Property, &e.Value, &e.Scene, &e.Run, &e.Step,
			&e.Line, &e.Unit, &e.Outcome, &e.Detail, (*int64)(&e.Took)); err != nil {
			return nil, fmt.Errorf("reading %s: %w", d.path, err)
		}
		e.Seq, e.Time = uint64(seq), time.Unix(0, at)
		found = append(found, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", d.path, err)
	}
	return found, nil
}
