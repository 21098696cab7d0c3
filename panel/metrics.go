package panel

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lectern/devices/line"
)

// counts are what only the panel itself can count. They outlive the room file.
type counts struct {
	started time.Time
	pins    *prometheus.CounterVec
	cut     prometheus.Counter
}

func newCounts() *counts {
	return &counts{
		started: time.Now(),
		pins:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lectern_pins_total", Help: "PINs typed, by outcome: right, wrong, not looked at because it waits, or because too many come at once (busy)."}, []string{"outcome"}),
		cut:     prometheus.NewCounter(prometheus.CounterOpts{Name: "lectern_streams_cut_total", Help: "Event streams that were cut because a client did not take what it was sent."}),
	}
}

func (c *counts) pin(outcome string) { c.pins.WithLabelValues(outcome).Inc() }

// showMetrics is GET /metrics. It tells of lines and units, so it is as open as the state.
func (s *Server) showMetrics(w http.ResponseWriter, r *http.Request) {
	if s.viewed(w, r) {
		s.metrics.ServeHTTP(w, r)
	}
}

// metrics is what GET /metrics answers, in a registry of this server's own. Everything but counts is read where it is
// known when somebody asks.
func metrics(s *Server) http.Handler {
	gauge := func(name, help string, read func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		s.counts.pins, s.counts.cut, &roomMetrics{s}, &storageMetrics{s},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		gauge("lectern_panels_connected", "Event streams open.", func() float64 { return float64(len(s.streams)) }),
		gauge("lectern_sessions", "Browsers that have an area open.", func() float64 { return float64(s.sessions.count()) }),
		gauge("lectern_start_time_seconds", "When the daemon began, in seconds since 1970.", func() float64 { return float64(s.counts.started.UnixMilli()) / 1000 }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "lectern_build_info", Help: "Always 1; what is running.", ConstLabels: prometheus.Labels{"version": s.Build, "room": s.Cfg.Room.ID},
		}, func() float64 { return 1 }),
	)
	if s.Broker != nil {
		registry.MustRegister(gauge("lectern_mqtt_connected", "1 while the room stands on its MQTT broker.", func() float64 { return number(s.Broker()) }))
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// roomMetrics reads lines, devices, commands and scenes. Its labels are ids of the room file, units that
// were spoken to, and words of the program: as many as the room has, whatever strangers ask for.
type roomMetrics struct{ server *Server }

// Describe implements prometheus.Collector. It says nothing beforehand, so that what is told is in one
// place; names are held against the conventions by a test.
func (*roomMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *roomMetrics) Collect(c chan<- prometheus.Metric) {
	for _, l := range m.server.lines() {
		collectLine(c, l)
	}
	state := m.server.Room.State()
	for _, d := range state.Devices {
		value(c, prometheus.GaugeValue, number(d.Online), "lectern_device_online", "1 while a device answers.", "device", d.Device)
		value(c, prometheus.GaugeValue, number(d.Fed), "lectern_device_fed", "0 while the circuit that feeds a device is off: it is not asked, and not missed.", "device", d.Device)
	}
	running := 0
	for _, r := range state.Runs {
		if !r.State.Over() {
			running++
		}
	}
	value(c, prometheus.GaugeValue, float64(running), "lectern_scenes_running", "Scenes that are running now.")
	f := m.server.Room.Figures()
	for came, n := range f.Commands {
		value(c, prometheus.CounterValue, float64(n), "lectern_commands_total", "Commands, by who asked and what became of them.", "via", came.Via, "outcome", string(came.Result))
	}
	for via, h := range f.Took {
		histogram(c, *h, "lectern_command_duration_seconds", "From the wish to the outcome, by who asked.", "via", via)
	}
	for ended, n := range f.Runs {
		value(c, prometheus.CounterValue, float64(n), "lectern_scene_runs_total", "Runs of scenes, by how they ended.", "scene", ended.Scene, "result", string(ended.State))
	}
	if last := m.server.Room.Reloaded(); !last.Time.IsZero() {
		value(c, prometheus.GaugeValue, number(last.Wrong == 0), "lectern_reload_successful", "1 where the room file was taken when it was last read again.")
		value(c, prometheus.GaugeValue, float64(last.Time.UnixMilli())/1000, "lectern_reload_time_seconds", "When the room file was last read again, in seconds since 1970.")
	}
}

func collectLine(c chan<- prometheus.Metric, l *line.Line) {
	h, f, id := l.Health(), l.Figures(), l.ID()
	value(c, prometheus.GaugeValue, number(h.Up), "lectern_line_up", "1 while a line is connected.", "line", id)
	value(c, prometheus.GaugeValue, float64(l.Waiting()), "lectern_line_queue_length", "Exchanges that wait for a line.", "line", id)
	value(c, prometheus.CounterValue, float64(f.Opened), "lectern_line_opens_total", "How often a line was opened.", "line", id)
	histogram(c, f.WaitPerson, "lectern_line_queue_wait_seconds", "How long exchanges waited until their turn.", "line", id, "for", "person")
	histogram(c, f.WaitPoll, "lectern_line_queue_wait_seconds", "How long exchanges waited until their turn.", "line", id, "for", "poll")
	histogram(c, f.Wire, "lectern_line_exchange_duration_seconds", "From an exchange's turn to its reply, or to the end of the patience.", "line", id)
	for _, u := range h.Units {
		value(c, prometheus.GaugeValue, number(u.Silent), "lectern_unit_silent", "1 while a unit is set aside because it does not answer.", "line", id, "unit", u.Unit)
		value(c, prometheus.CounterValue, float64(u.Exchanges), "lectern_unit_exchanges_total", "Exchanges with a unit.", "line", id, "unit", u.Unit)
		value(c, prometheus.CounterValue, float64(u.Failures), "lectern_unit_failures_total", "Exchanges with a unit that failed, whatever the reason.", "line", id, "unit", u.Unit)
	}
	for _, u := range f.Units {
		value(c, prometheus.CounterValue, float64(u.TimedOut), "lectern_unit_timeouts_total", "Exchanges with a unit that got no reply in time.", "line", id, "unit", u.Unit)
		value(c, prometheus.CounterValue, float64(u.Garbled), "lectern_unit_garbled_total", "Exchanges with a unit whose reply made no sense.", "line", id, "unit", u.Unit)
	}
}

// value tells one number; labels are names and values in turn.
func value(c chan<- prometheus.Metric, kind prometheus.ValueType, v float64, name, help string, labels ...string) {
	names, values := split(labels)
	c <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), kind, v, values...)
}

func histogram(c chan<- prometheus.Metric, h line.Histogram, name, help string, labels ...string) {
	buckets, sum := make(map[float64]uint64), uint64(0)
	for i, n := range h.In {
		sum += n
		buckets[line.Bound(i).Seconds()] = sum
	}
	names, values := split(labels)
	c <- prometheus.MustNewConstHistogram(prometheus.NewDesc(name, help, names, nil), h.Count, h.Sum.Seconds(), buckets, values...)
}

func split(labels []string) (names, values []string) {
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	return names, values
}

// storageMetrics reads the health of the storage when it is asked.
type storageMetrics struct{ server *Server }

// Describe implements prometheus.Collector; see roomMetrics.
func (*storageMetrics) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (m *storageMetrics) Collect(c chan<- prometheus.Metric) {
	h, ok := m.server.Journal.Health()
	if !ok {
		return
	}
	value(c, prometheus.GaugeValue, number(h.OK), "lectern_storage_up", "1 while journal and state can be written.")
	value(c, prometheus.CounterValue, float64(h.Lost), "lectern_journal_lost_total", "Entries that were never written, the disk being in trouble for too long.")
	value(c, prometheus.CounterValue, float64(h.Late), "lectern_journal_late_total", "Answers that went out before their entry was committed.")
}
