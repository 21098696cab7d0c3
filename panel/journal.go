package panel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"lectern/scenes/journal"
)

// readTime bounds how long one page of the journal is looked for.
const readTime = 5 * time.Second

// export is the one CSV that is written at a time: it reads the whole journal from the disk.
type export struct{ sync.Mutex }

// filterOf reads a filter from a query; the error says what would be right.
func filterOf(query url.Values) (f journal.Filter, err error) {
	number := func(name string, most uint64) (n uint64) {
		if text := query.Get(name); text != "" {
			var wrong error
			if n, wrong = strconv.ParseUint(text, 10, 64); wrong != nil || n < 1 || n > most {
				err = errors.Join(err, fmt.Errorf("%s is a whole number from 1 to %d", name, most))
			}
		}
		return n
	}
	moment := func(name string) (t time.Time) {
		if text := query.Get(name); text != "" {
			var wrong error
			if t, wrong = time.Parse(time.RFC3339, text); wrong != nil || t.Year() < 1970 || t.Year() > 2200 {
				err = errors.Join(err, fmt.Errorf("%s is a time such as 2026-05-01T08:00:00+08:00", name))
			}
		}
		return t
	}
	f = journal.Filter{
		Before: number("before", 1<<53), Most: int(number("most", journal.MostRead)), Since: moment("since"), Until: moment("until"),
		Device: query.Get("device"), Scene: query.Get("scene"), Line: query.Get("line"), Who: query.Get("who"), Outcome: query.Get("outcome"),
	}
	if form := query.Get("format"); form != "" && form != "json" && form != "csv" {
		err = errors.Join(err, errors.New("format is json or csv"))
	}
	if f.Most == 0 {
		f.Most = 100
	}
	return f, err
}

// readJournal is GET /api/v1/journal.
func (s *Server) readJournal(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.allowed(w, r, "view"); !ok {
		return
	}
	query := r.URL.Query()
	f, err := filterOf(query)
	if err != nil {
		writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Title: "Impossible filter", Detail: err.Error(), ZH: "筛选条件不对"})
		return
	}
	if query.Get("format") == "csv" {
		s.exportJournal(w, r, f)
		return
	}
	entries, err := s.page(r.Context(), f)
	writeJSON(w, http.StatusOK, map[string]any{"entries": orEmpty(entries), "complete": err == nil})
}

func (s *Server) page(ctx context.Context, f journal.Filter) ([]journal.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	entries, err := s.Journal.Read(ctx, f)
	return entries, err //nolint:wrapcheck // says what it read
}

// exportJournal streams all that the filter wants as CSV, page by page.
func (s *Server) exportJournal(w http.ResponseWriter, r *http.Request, f journal.Filter) {
	if !s.exports.TryLock() {
		writeProblem(w, problem{Status: http.StatusServiceUnavailable, Title: "An export is under way", Detail: "one export at a time", ZH: "正在导出，请稍候", RetryAfter: 10})
		return
	}
	defer s.exports.Unlock()
	ctx, cancel := s.streaming(r)
	defer cancel()
	f.Most = journal.MostRead
	entries, err := s.page(ctx, f)
	if err != nil {
		writeProblem(w, problem{Status: http.StatusServiceUnavailable, Title: "The journal cannot be read", Detail: "the disk is in trouble; see storage in the state", ZH: "记录暂时无法读取", RetryAfter: 10})
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", s.Cfg.Room.ID+"-journal.csv"))
	control := http.NewResponseController(w)
	for out := journal.NewCSV(w); ; {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime))
		if out.Write(entries) != nil || control.Flush() != nil || err != nil || len(entries) < f.Most {
			return
		}
		f.Before = entries[len(entries)-1].Seq
		if entries, err = s.page(ctx, f); err != nil {
			// The answer has begun; that it is not whole can only be said in it.
			entries = []journal.Entry{{Time: time.Now(), By: journal.By{Via: "storage"}, Outcome: "incomplete", Detail: err.Error()}}
		}
	}
}
