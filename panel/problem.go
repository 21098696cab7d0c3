package panel

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"lectern/devices"
	"lectern/scenes/room"
)

// problem is an error as RFC 9457 has it.
type problem struct {
	Type       string   `json:"type,omitempty"`
	Title      string   `json:"title"`
	Status     int      `json:"status"`
	Detail     string   `json:"detail,omitempty"`
	ZH         string   `json:"zh,omitempty"` // the same for people who read Chinese
	Outcome    string   `json:"outcome,omitempty"`
	RetryAfter int      `json:"retry_after,omitempty"` // seconds
	Left       *int     `json:"tries_left,omitempty"`  // of a PIN
	Faults     []string `json:"faults,omitempty"`      // of a room file
}

func writeProblem(w http.ResponseWriter, p problem) {
	if p.Type == "" {
		p.Type = "about:blank"
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// writeError turns an error of the room or the engine into a problem.
func writeError(w http.ResponseWriter, err error) {
	var missing *room.NotFound
	var bad *room.BadValue
	var refusal *devices.Refusal
	switch {
	case errors.As(err, &missing):
		writeProblem(w, problem{Status: http.StatusNotFound, Title: "Not in this room", Detail: err.Error(), ZH: "本会议室没有此设备、属性或场景"})
	case errors.As(err, &bad):
		writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Title: "Impossible value", Detail: err.Error(), ZH: "取值不对"})
	case errors.As(err, &refusal):
		writeOutcome(w, devices.OutcomeOf(err))
	default:
		writeProblem(w, problem{Status: http.StatusInternalServerError, Title: "Internal error", Detail: "see the daemon's log", ZH: "内部错误"})
	}
}

// writeOutcome answers what became of a command.
func writeOutcome(w http.ResponseWriter, o devices.Outcome) {
	if o.OK() {
		writeJSON(w, http.StatusOK, o)
		return
	}
	status := map[devices.Result]int{devices.Failed: http.StatusBadGateway}[o.Result]
	if status == 0 {
		status = http.StatusConflict
	}
	writeProblem(w, problem{
		Status: status, Title: "Not done: " + string(o.Result), Outcome: string(o.Result),
		Detail: o.Reason.In("en"), ZH: o.Reason.In("zh"), RetryAfter: o.Retry,
	})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// readJSON reads a body strictly into v. Where it fails it has answered.
func readJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("there is more after the JSON object")
		}
	}
	if err == nil {
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // it has arrived; what follows may take its time
		return true
	}
	status := http.StatusBadRequest
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		status = http.StatusRequestEntityTooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		status = http.StatusRequestTimeout
	}
	writeProblem(w, problem{Status: status, Title: "Unreadable body", Detail: fmt.Sprintf("it must be one JSON object: %v", err), ZH: "请求内容无法读取"})
	return false
}
