package panel

import (
	"bytes"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	process "github.com/VictoriaMetrics/metrics"

	"lectern/devices/line"
)

// counts are what only the panel itself can count. They outlive the room file.
type counts struct {
	started time.Time
	cut     atomic.Uint64 // event streams

	mu   sync.Mutex
	pins map[string]uint64 // typed, by outcome
}

func newCounts() *counts { return &counts{started: time.Now(), pins: make(map[string]uint64)} }

func (c *counts) pin(outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pins[outcome]++
}

// showMetrics is GET /metrics. It tells of lines and units, so it is as open as the state. All of it is read where it is
// known when somebody asks; what Go and the system know of the process comes from a library.
func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request) {
	if !s.viewed(w, r) {
		return
	}
	e := make(exposition)
	s.tellPanels(e)
	s.tellRoom(e)
	s.tellStorage(e)
	for _, l := range s.lines() {
		tellLine(e, l)
	}
	var page bytes.Buffer
	e.writeTo(&page)
	process.WriteProcessMetrics(&page)
	process.WriteFDMetrics(&page)
	w.Header().Set("Content-Type", expositionType)
	_, _ = w.Write(page.Bytes()) // who asked has gone
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func since1970(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (s *Server) tellPanels(e exposition) {
	e.gauge(1, "lectern_build_info", "Always 1; what is running.", "room", s.Cfg.Room.ID, "version", s.Build)
	e.gauge(since1970(s.counts.started), "lectern_start_time_seconds", "When the daemon began, in seconds since 1970.")
	e.gauge(float64(len(s.streams)), "lectern_panels_connected", "Event streams open.")
	e.gauge(float64(s.sessions.count()), "lectern_sessions", "Browsers that have an area open.")
	e.count(s.counts.cut.Load(), "lectern_streams_cut_total", "Event streams that were cut because a client did not take what it was sent.")
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	for outcome, n := range s.counts.pins {
		e.count(n, "lectern_pins_total", "PINs typed, by outcome: right, wrong, not looked at because it waits, or because too many come at once (busy).", "outcome", outcome)
	}
}

// tellRoom tells of devices, commands and scenes. Labels, here and below, are ids of the room file, units that were spoken
// to, and words of the program: as many as the room has, whatever strangers ask for. Each metric's stand in the order of
// their names.
func (s *Server) tellRoom(e exposition) {
	if s.Broker != nil {
		e.gauge(number(s.Broker()), "lectern_mqtt_connected", "1 while the room stands on its MQTT broker.")
	}
	state := s.Room.State()
	for _, d := range state.Devices {
		e.gauge(number(d.Online), "lectern_device_online", "1 while a device answers.", "device", d.Device)
		e.gauge(number(d.Fed), "lectern_device_fed", "0 while the circuit that feeds a device is off: it is not asked, and not missed.", "device", d.Device)
	}
	running := 0
	for _, r := range state.Runs {
		if !r.State.Over() {
			running++
		}
	}
	e.gauge(float64(running), "lectern_scenes_running", "Scenes that are running now.")
	f := s.Room.Figures()
	for came, n := range f.Commands {
		e.count(n, "lectern_commands_total", "Commands, by who asked and what became of them.", "outcome", string(came.Result), "via", came.Via)
	}
	for via, h := range f.Took {
		e.histogram(*h, "lectern_command_duration_seconds", "From the wish to the outcome, by who asked.", "via", via)
	}
	for ended, n := range f.Runs {
		e.count(n, "lectern_scene_runs_total", "Runs of scenes, by how they ended.", "result", string(ended.State), "scene", ended.Scene)
	}
	if last := s.Room.Reloaded(); !last.Time.IsZero() {
		e.gauge(number(last.Wrong == 0), "lectern_reload_successful", "1 where the room file was taken when it was last read again.")
		e.gauge(since1970(last.Time), "lectern_reload_time_seconds", "When the room file was last read again, in seconds since 1970.")
	}
}

func tellLine(e exposition, l *line.Line) {
	h, f, id := l.Health(), l.Figures(), l.ID()
	e.gauge(number(h.Up), "lectern_line_up", "1 while a line is connected.", "line", id)
	e.gauge(float64(l.Waiting()), "lectern_line_queue_length", "Exchanges that wait for a line.", "line", id)
	e.count(f.Opened, "lectern_line_opens_total", "How often a line was opened.", "line", id)
	e.histogram(f.WaitPerson, "lectern_line_queue_wait_seconds", "How long exchanges waited until their turn.", "for", "person", "line", id)
	e.histogram(f.WaitPoll, "lectern_line_queue_wait_seconds", "How long exchanges waited until their turn.", "for", "poll", "line", id)
	e.histogram(f.Wire, "lectern_line_exchange_duration_seconds", "From an exchange's turn to its reply, or to the end of the patience.", "line", id)
	for _, u := range h.Units {
		e.gauge(number(u.Silent), "lectern_unit_silent", "1 while a unit is set aside because it does not answer.", "line", id, "unit", u.Unit)
		e.count(u.Exchanges, "lectern_unit_exchanges_total", "Exchanges with a unit.", "line", id, "unit", u.Unit)
		e.count(u.Failures, "lectern_unit_failures_total", "Exchanges with a unit that failed, whatever the reason.", "line", id, "unit", u.Unit)
	}
	for _, u := range f.Units {
		e.count(u.TimedOut, "lectern_unit_timeouts_total", "Exchanges with a unit that got no reply in time.", "line", id, "unit", u.Unit)
		e.count(u.Garbled, "lectern_unit_garbled_total", "Exchanges with a unit whose reply made no sense.", "line", id, "unit", u.Unit)
	}
}

func (s *Server) tellStorage(e exposition) {
	h, ok := s.Journal.Health()
	if !ok {
		return
	}
	e.gauge(number(h.OK), "lectern_storage_up", "1 while journal and state can be written.")
	e.count(h.Lost, "lectern_journal_lost_total", "Entries that were never written, the disk being in trouble for too long.")
	e.count(h.Late, "lectern_journal_late_total", "Answers that went out before their entry was committed.")
}
