package panel

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"lectern/devices/line"
)

// tracePause is how often rings are looked into for who waits.
const tracePause = 100 * time.Millisecond

// trace is GET /api/v1/trace?line=ID&after=SEQ: what the rings of the lines hold, decoded and filtered.
// With wait=true it waits up to a beat where there is nothing. Frames may tell what only technicians
// should know, so they are for the area system.
func (s *Server) trace(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.allowed(w, r, areaSystem); !ok {
		return
	}
	query := r.URL.Query()
	want := query.Get("line")
	var lines []*line.Line
	for _, l := range s.lines() {
		if want == "" || l.ID() == want {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 && want != "" {
		writeProblem(w, problem{Status: http.StatusNotFound, Title: "Not in this room", Detail: "there is no such line", ZH: "没有这条线路"})
		return
	}
	f := traceFilter(query)
	if !slices.Contains([]string{"", "tx", "rx", "noise", "event", "error"}, f.dir) {
		writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Title: "No such direction", Detail: "dir is tx, rx, noise, event or error", ZH: "取值不对"})
		return
	}
	ctx, cancel := s.streaming(r)
	defer cancel()
	last := after(query)
	until := time.Now().Add(beat)
	for {
		entries := []line.Entry{}
		for _, l := range lines {
			found, _ := l.Trace(last[l.ID()])
			for _, e := range found {
				last[l.ID()] = e.Seq
				if f.takes(e) {
					entries = append(entries, e)
				}
			}
		}
		if len(entries) > 0 || query.Get("wait") != "true" || time.Now().After(until) {
			slices.SortStableFunc(entries, func(a, b line.Entry) int { return a.Time.Compare(b.Time) })
			writeJSON(w, http.StatusOK, map[string]any{"entries": entries, "last": last})
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(tracePause):
		}
	}
}

// after reads which frames a caller has seen: a number, of the one line that is asked for, or line:number.
func after(query url.Values) map[string]uint64 {
	last := make(map[string]uint64)
	for _, given := range query["after"] {
		id, number, both := strings.Cut(given, ":")
		if !both {
			id, number = query.Get("line"), given
		}
		if n, err := strconv.ParseUint(number, 10, 64); err == nil {
			last[id] = n
		}
	}
	return last
}

// filter says which entries a caller wants.
type filter struct {
	unit, dir, text string
	errors          bool
}

func traceFilter(query url.Values) filter {
	return filter{
		unit: strings.ToLower(query.Get("unit")), dir: query.Get("dir"), text: strings.ToLower(query.Get("text")), errors: query.Get("errors") == "true",
	}
}

func (f filter) takes(e line.Entry) bool {
	if f.errors && !e.Wrong() || f.dir != "" && e.Dir != f.dir {
		return false
	}
	// A unit is its number, or says what it is: "3", "unit 3", "motor 12 01".
	if unit := strings.ToLower(e.Unit); f.unit != "" && unit != f.unit && unit != "unit "+f.unit && unit != "motor "+f.unit {
		return false
	}
	if f.text == "" {
		return true
	}
	in := strings.ToLower(fmt.Sprintf("%s\n% X\n%s\n%s", e.Note, e.Bytes, e.Bytes, e.Unit))
	return strings.Contains(in, f.text)
}
