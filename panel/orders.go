package panel

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"lectern/scenes/build"
	"lectern/scenes/ledger"
)

const (
	// A finger that plays with the button fills no ledger: so many orders from panels in so long.
	reportsMost = 6
	reportsTime = 10 * time.Minute
	// shownTime is how long a panel shows that an order is closed.
	shownTime = 12 * time.Hour
)

// reports counts what panels have reported of late.
type reports struct {
	mu  sync.Mutex
	all []time.Time
}

// may reports whether another may come now, and where not, how long to wait.
func (r *reports) may(now time.Time) (wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.all) > 0 && now.Sub(r.all[0]) >= reportsTime {
		r.all = r.all[1:]
	}
	if len(r.all) >= reportsMost {
		return reportsTime - now.Sub(r.all[0])
	}
	r.all = append(r.all, now)
	return 0
}

// reported is a repair order as a panel shows it: how far it is, and nothing that staff wrote in it.
type reported struct {
	ID       string       `json:"id"`
	Device   string       `json:"device,omitempty"`
	Symptom  string       `json:"symptom"`
	State    ledger.State `json:"state"`
	Opened   time.Time    `json:"opened"`
	Answered time.Time    `json:"answered,omitzero"`
}

func show(o ledger.Order) reported {
	return reported{o.ID, o.First().Device, o.First().Text, o.State(), o.First().Time, o.Answered()}
}

// noService answers where nobody keeps repair orders; it reports whether it has.
func (s *Server) noService(w http.ResponseWriter) bool {
	if s.staff == nil {
		writeProblem(w, problem{Status: http.StatusNotFound, Title: "No staff", Detail: "the room file gives staff no PIN (panel.pins.staff), so nobody would see a repair order", ZH: "本会议室没有开通报修"})
		return true
	}
	return false
}

// report is POST /api/v1/orders: somebody at the panel needs help or has found a fault.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	c, ok := s.allowed(w, r, areaMain)
	if !ok || s.noService(w) {
		return
	}
	var in struct {
		Device  string `json:"device"`
		Symptom string `json:"symptom"`
	}
	if !readJSON(w, r, &in) {
		return
	}
	if in.Device != "" && s.Room.Properties(in.Device) == nil {
		writeProblem(w, problem{Status: http.StatusNotFound, Title: "No such device", Detail: "the room has no such device; GET /api/v1/room lists them", ZH: "没有这个设备"})
		return
	}
	now := time.Now()
	if wait := s.reports.may(now); wait > 0 {
		writeProblem(w, problem{Status: http.StatusTooManyRequests, Title: "Too many reports", Detail: "staff have been told; wait before the next report", ZH: "已通知物业，请稍候再报", RetryAfter: int(wait/time.Second) + 1})
		return
	}
	step := ledger.Step{Time: now, By: c.by.String(), Via: "panel", Device: in.Device, Text: in.Symptom, Picture: build.Picture(s.Room)}
	if m, ok := s.Service.Book.Now(); ok {
		step.Meeting = m.ID
	}
	o, err := s.Service.Orders.Open(step)
	switch {
	case errors.Is(err, ledger.ErrEmpty):
		writeProblem(w, problem{Status: http.StatusUnprocessableEntity, Title: "No symptom", Detail: `say what is wrong: {"symptom": "..."}`, ZH: "请说明故障现象"})
	case err != nil:
		s.Log.Error("a report was not kept", "error", err)
		writeProblem(w, problem{Status: http.StatusInsufficientStorage, Title: "Not kept", Detail: "the report could not be kept; call the help desk", ZH: "没有保存，请打电话报修"})
	default:
		writeJSON(w, http.StatusCreated, show(o))
	}
}

// readReports is GET /api/v1/orders: what panels have reported and is not closed, or was of late.
func (s *Server) readReports(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.allowed(w, r, "view"); !ok || s.noService(w) {
		return
	}
	list := []reported{}
	for _, o := range s.Service.Orders.List(ledger.Filter{Via: "panel", From: time.Now().Add(-30 * 24 * time.Hour)}) {
		if o.State() != ledger.Confirmed || time.Since(o.Steps[len(o.Steps)-1].Time) < shownTime {
			list = append(list, show(o))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"orders": list})
}
