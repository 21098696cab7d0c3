package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"lectern/devices"
)

// FileName is the database in the data folder. Beside it lies FileName-wal, which belongs to it.
const FileName = "journal.db"

// layout is the number of the tables' form, as the file's user_version. A file of the form before is taken
// over; one of another form is set aside.
const layout = 2

// The settings, in this order. The lock is exclusive before the write-ahead log is touched: the log's
// index is then kept in memory and not in a file mapped into it, where a failing disk would end the
// process; and a second daemon on the same folder is kept out, after a moment in which a first may end.
// A commit waits for the system and not for the disk (NORMAL): see flush and checkpoint, which are called
// so that commits need not wait for them. The cache is small: the journal is written, seldom read.
var settings = []string{
	"PRAGMA locking_mode = EXCLUSIVE", "PRAGMA busy_timeout = 2000", "PRAGMA cache_size = -256", "PRAGMA temp_store = MEMORY",
	"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 4000", "PRAGMA journal_size_limit = 4194304",
}

// Entries are found by their number and by time; the rest of a filter is applied while reading on.
var tables = []string{
	`CREATE TABLE journal (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, via TEXT NOT NULL, name TEXT NOT NULL, origin TEXT NOT NULL,
		device TEXT NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL, scene TEXT NOT NULL, run TEXT NOT NULL, step INTEGER NOT NULL,
		line TEXT NOT NULL, unit TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, took INTEGER NOT NULL) STRICT`,
	`CREATE INDEX journal_time ON journal (time)`,
	`CREATE INDEX journal_daemon ON journal (outcome) WHERE via = 'daemon'`,
	`CREATE TABLE readings (device TEXT NOT NULL, property TEXT NOT NULL, value TEXT NOT NULL, quality TEXT NOT NULL,
		seen INTEGER NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (device, property)) STRICT, WITHOUT ROWID`,
	`CREATE TABLE runs (id TEXT PRIMARY KEY, scene TEXT NOT NULL, by TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL,
		started INTEGER NOT NULL, ended INTEGER NOT NULL, unwinding INTEGER NOT NULL, open INTEGER NOT NULL, steps TEXT NOT NULL,
		of TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID`,
	`CREATE INDEX runs_open ON runs (open) WHERE open = 1`,
	fmt.Sprintf(`PRAGMA user_version = %d`, layout),
}

const (
	columns  = "seq, time, via, name, origin, device, property, value, scene, run, step, line, unit, outcome, detail, took"
	addEntry = "INSERT OR REPLACE INTO journal (" + columns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	addState = "INSERT OR REPLACE INTO readings (device, property, value, quality, seen, since) VALUES (?, ?, ?, ?, ?, ?)"
	addRun   = "INSERT OR REPLACE INTO runs (id, scene, by, state, at, started, ended, unwinding, open, steps, of) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

// errForeign says that a file is no journal of this program's.
var errForeign = errors.New("the file is no journal of this version")

// database is the open file. It has one connection, for one goroutine at a time.
type database struct {
	path              string
	pool              *sql.DB
	conn              *sql.Conn
	entry, state, run *sql.Stmt
	file              os.FileInfo // as it was opened, to see when it is taken away
	log               *os.File    // the write-ahead log, to have it put on the disk
}

var always = context.Background() // writing is not given up half way

// openDatabase opens the file, or begins it where there is none.
func openDatabase(path string) (d *database, err error) {
	// SQLite would let everybody read what it makes.
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640); err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	} else if err := f.Close(); err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	pool, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path}).String())
	if err != nil {
		return nil, fmt.Errorf("opening the journal: %w", err)
	}
	d = &database{path: path, pool: pool}
	defer func() {
		if err != nil {
			d.close()
			d, err = nil, fmt.Errorf("opening the journal %s: %w", path, err)
		}
	}()
	if d.conn, err = pool.Conn(always); err != nil {
		return d, err //nolint:wrapcheck // wrapped by the deferred function
	}
	if err = d.run1(settings...); err != nil {
		return d, err
	}
	var form, count int
	if err = d.conn.QueryRowContext(always, "PRAGMA user_version").Scan(&form); err != nil {
		return d, err //nolint:wrapcheck // as above
	}
	if err = d.conn.QueryRowContext(always, "SELECT count(*) FROM sqlite_schema").Scan(&count); err != nil {
		return d, err //nolint:wrapcheck // as above
	}
	switch {
	case form == 0 && count == 0:
		if err = d.run1(append(append([]string{"BEGIN IMMEDIATE"}, tables...), "COMMIT")...); err != nil {
			return d, err
		}
	case form == 1: // which did not say of which steps a run was
		if err = d.run1("BEGIN IMMEDIATE", "ALTER TABLE runs ADD COLUMN of TEXT NOT NULL DEFAULT ''", fmt.Sprintf("PRAGMA user_version = %d", layout), "COMMIT"); err != nil {
			return d, err
		}
	case form != layout:
		return d, fmt.Errorf("%w: it has form %d, this program %d", errForeign, form, layout)
	}
	for text, statement := range map[string]**sql.Stmt{addEntry: &d.entry, addState: &d.state, addRun: &d.run} {
		if *statement, err = d.conn.PrepareContext(always, text); err != nil {
			return d, err //nolint:wrapcheck // as above
		}
	}
	if d.file, err = os.Stat(path); err != nil {
		return d, err //nolint:wrapcheck // as above
	}
	if err = d.checkpoint(); err != nil { // SQLite has the folder know of the log
		return d, err
	}
	d.log, err = os.OpenFile(path+"-wal", os.O_RDWR, 0)
	return d, err
}

// run1 carries out statements, one after the other.
func (d *database) run1(statements ...string) error {
	for _, s := range statements {
		if _, err := d.conn.ExecContext(always, s); err != nil {
			return err //nolint:wrapcheck // the callers say what they did
		}
	}
	return nil
}

// close leaves the file as it is; what was not committed is undone.
func (d *database) close() {
	for _, s := range []*sql.Stmt{d.entry, d.state, d.run} {
		if s != nil { // an open statement would keep the file locked
			_ = s.Close()
		}
	}
	if d.log != nil {
		_ = d.log.Close()
	}
	if d.conn != nil {
		_ = d.conn.Close()
	}
	_ = d.pool.Close()
}

// there reports whether the file is still where it was opened: SQLite goes on writing to one that
// has been deleted.
func (d *database) there() error {
	now, err := os.Stat(d.path)
	if err == nil && !os.SameFile(now, d.file) {
		err = errors.New("another file has taken its place")
	}
	if err != nil {
		return fmt.Errorf("the journal's file was taken away: %w", err)
	}
	return nil
}

// broken reports whether an error says that the file itself is bad, and not the disk or the moment.
func broken(err error) bool {
	if e := new(sqlite.Error); errors.As(err, &e) {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return true
		}
	}
	return errors.Is(err, errForeign)
}

// write commits a batch.
func (d *database) write(b batch) error {
	err := d.run1("BEGIN IMMEDIATE")
	for _, e := range b.entries {
		if err == nil {
			_, err = d.entry.ExecContext(always, int64(e.Seq), e.Time.UnixNano(), e.By.Via, e.By.Name, e.By.From, e.Device, e.Property, e.Value,
				e.Scene, e.Run, e.Step, e.Line, e.Unit, e.Outcome, e.Detail, int64(e.Took))
		}
	}
	for _, r := range b.readings {
		if err == nil {
			var value []byte
			if value, err = json.Marshal(r.Value); err == nil {
				_, err = d.state.ExecContext(always, r.Device, r.Property, string(value), string(r.Quality), nanos(r.Seen), nanos(r.Since))
			}
		}
	}
	for _, r := range b.runs {
		if err == nil {
			_, err = d.run.ExecContext(always, r.ID, r.Scene, r.By, r.State, r.At, nanos(r.Started), nanos(r.Ended), r.Unwinding, r.Open, string(r.Steps), r.Of)
		}
	}
	if err == nil {
		err = d.run1("COMMIT")
	}
	if err != nil {
		return fmt.Errorf("writing the journal %s: %w", d.path, err)
	}
	return nil
}

// checkpoint takes over into the file what is in the log. It waits for the disk.
func (d *database) checkpoint() error {
	err := d.there()
	if err == nil {
		var busy, log, done int
		err = d.conn.QueryRowContext(always, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &log, &done)
	}
	if err != nil {
		return fmt.Errorf("taking over the log of the journal %s: %w", d.path, err)
	}
	return nil
}

// prune deletes a few of the oldest entries where they are older than oldest or more than most, and
// says how many.
func (d *database) prune(oldest time.Time, most, few int) (deleted int64, err error) {
	for _, q := range []struct {
		text      string
		arguments []any
	}{
		{`DELETE FROM journal WHERE seq IN (SELECT seq FROM journal ORDER BY seq LIMIT ?)
			AND (time < ? OR seq <= (SELECT max(seq) FROM journal) - ?)`, []any{few, oldest.UnixNano(), most}},
		{`DELETE FROM runs WHERE open = 0 AND started < ?`, []any{oldest.UnixNano()}},
		{`DELETE FROM readings WHERE seen < ?`, []any{oldest.UnixNano()}},
	} {
		result, err := d.conn.ExecContext(always, q.text, q.arguments...)
		if err != nil {
			return 0, fmt.Errorf("pruning the journal %s: %w", d.path, err)
		}
		if n, err := result.RowsAffected(); err == nil && deleted == 0 {
			deleted = n
		}
	}
	return deleted, nil
}

// left is what an earlier life left in the file.
type left struct {
	seq      uint64
	readings []Reading
	runs     []Run  // under way
	last     string // what the daemon itself wrote last: that it started or stopped; "" for nothing
}

// load reads what an earlier life left.
func (d *database) load() (l left, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("reading the journal %s: %w", d.path, err)
		}
	}()
	var seq sql.NullInt64
	if err = d.conn.QueryRowContext(always, "SELECT max(seq) FROM journal").Scan(&seq); err != nil {
		return l, err //nolint:wrapcheck // wrapped by the deferred function
	}
	l.seq = uint64(seq.Int64)
	err = d.conn.QueryRowContext(always, "SELECT outcome FROM journal WHERE via = 'daemon' ORDER BY seq DESC LIMIT 1").Scan(&l.last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return l, err //nolint:wrapcheck // as above
	}
	err = d.each("SELECT device, property, value, quality, seen, since FROM readings", func(rows *sql.Rows) error {
		var r Reading
		var value string
		var seen, since int64
		if err := rows.Scan(&r.Device, &r.Property, &value, (*string)(&r.Quality), &seen, &since); err != nil {
			return err //nolint:wrapcheck // as above
		}
		r.Seen, r.Since = moment(seen), moment(since)
		if r.Quality != devices.Unknown && json.Unmarshal([]byte(value), &r.Value) == nil {
			l.readings = append(l.readings, r)
		}
		return nil
	})
	if err != nil {
		return l, err
	}
	err = d.each("SELECT id, scene, by, state, at, started, ended, unwinding, open, steps, of FROM runs WHERE open = 1 ORDER BY started", func(rows *sql.Rows) error {
		var r Run
		var started, ended int64
		var steps string
		if err := rows.Scan(&r.ID, &r.Scene, &r.By, &r.State, &r.At, &started, &ended, &r.Unwinding, &r.Open, &steps, &r.Of); err != nil {
			return err //nolint:wrapcheck // as above
		}
		r.Started, r.Ended, r.Steps = moment(started), moment(ended), json.RawMessage(steps)
		l.runs = append(l.runs, r)
		return nil
	})
	return l, err
}

func (d *database) each(query string, row func(*sql.Rows) error) error {
	rows, err := d.conn.QueryContext(always, query)
	if err != nil {
		return err //nolint:wrapcheck // the caller says what it did
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err() //nolint:wrapcheck // as above
}

// nanos and moment turn times into the file's and back; 0 is no time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}
