package panel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"lectern/configs"
)

// Reloaded is what a reload has done: lines by their ids.
type Reloaded struct {
	Kept   []string `json:"kept"`   // not touched
	Opened []string `json:"opened"` // new, or another than before
	Closed []string `json:"closed"` // no more, or another than before
}

// String says it in a few words.
func (r Reloaded) String() string {
	var said []string
	for _, part := range []struct {
		word  string
		lines []string
	}{{"kept", r.Kept}, {"closed", r.Closed}, {"opened", r.Opened}} {
		if len(part.lines) > 0 {
			said = append(said, part.word+" "+strings.Join(part.lines, ", "))
		}
	}
	return strings.Join(said, "; ")
}

// lastReload is GET /api/v1/reload: how the last reading of the room file ended, with all its faults.
func (s *Server) lastReload(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.allowed(w, r, areaSystem); !ok {
		return
	}
	last := s.Room.Reloaded()
	answer := map[string]any{"faults": orEmpty(last.Faults)}
	if !last.Time.IsZero() {
		answer["time"] = last.Time
	}
	writeJSON(w, http.StatusOK, answer)
}

// reload is POST /api/v1/reload: the room file is read again. Where there is any fault in it the room
// stays as it is, and the answer has them all.
func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	c, ok := s.allowed(w, r, areaSystem)
	if !ok {
		return
	}
	if s.Reload == nil {
		writeProblem(w, problem{Status: http.StatusConflict, Title: "No room file", Detail: "this room has no room file that could be read again", ZH: "没有可重新读取的房间文件"})
		return
	}
	done, err := s.Reload(context.WithoutCancel(r.Context()), c.by) // who goes does not take it back
	var faults configs.Faults
	switch {
	case errors.As(err, &faults):
		p := problem{
			Status: http.StatusUnprocessableEntity, Title: "Faults in the room file",
			Detail: fmt.Sprintf("%d faults; the room stays as it was", len(faults)), ZH: fmt.Sprintf("房间文件有 %d 处错误，房间保持不变", len(faults)),
		}
		for _, f := range faults {
			p.Faults = append(p.Faults, f.Error())
		}
		writeProblem(w, p)
	case err != nil:
		writeProblem(w, problem{
			Status: http.StatusUnprocessableEntity, Title: "Not reloaded", Detail: err.Error() + "; the room stays as it was", ZH: "未重新读取，房间保持不变",
			Faults: []string{err.Error()},
		})
	default:
		writeJSON(w, http.StatusOK, done)
	}
}
