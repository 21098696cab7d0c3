package panel

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"lectern/devices"
)

// metrics is what an operator alerts on, in a registry of this server's own.
type metrics struct {
	commands *prometheus.CounterVec
	latency  prometheus.Histogram
	pins     *prometheus.CounterVec
	server   *Server
	handler  http.Handler
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		server:   s,
		pins:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lectern_pins_total", Help: "PINs typed: right, wrong, not looked at because it waits, or because too many come at once."}, []string{"outcome"}),
		commands: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "lectern_commands_total", Help: "Commands over HTTP by outcome."}, []string{"outcome"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "lectern_command_seconds", Help: "From the request to the outcome.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.commands, m.latency, m.pins,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lectern_sessions", Help: "Panels that have an area open."}, func() float64 { return float64(s.sessions.count()) }), &lineMetrics{s}, &storageMetrics{s}, collectors.NewGoCollector(),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "lectern_panels", Help: "Event streams open."}, func() float64 { return float64(len(s.streams)) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "lectern_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": s.Build},
		}, func() float64 { return 1 }))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	return m
}

func (m *metrics) command(r devices.Result, took time.Duration) {
	m.commands.WithLabelValues(string(r)).Inc()
	m.latency.Observe(took.Seconds())
}

// serve is GET /metrics. It tells of lines and units, so it is as open as the state.
func (m *metrics) serve(w http.ResponseWriter, r *http.Request) {
	if m.server.viewed(w, r) {
		m.handler.ServeHTTP(w, r)
	}
}

// lineMetrics reads the health of the lines when it is asked.
type lineMetrics struct{ server *Server }

func (*lineMetrics) desc() (up, waiting, silent, exchanges, failures *prometheus.Desc) {
	d := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return d("lectern_line_up", "1 while the line is connected.", "line"),
		d("lectern_line_waiting", "Exchanges that wait for the line.", "line"),
		d("lectern_unit_silent", "1 while a unit is set aside because it does not answer.", "line", "unit"),
		d("lectern_exchanges_total", "Exchanges by unit.", "line", "unit"),
		d("lectern_exchange_failures_total", "Exchanges that failed, by unit.", "line", "unit")
}

// Describe implements prometheus.Collector.
func (m *lineMetrics) Describe(c chan<- *prometheus.Desc) {
	up, waiting, silent, exchanges, failures := m.desc()
	for _, d := range []*prometheus.Desc{up, waiting, silent, exchanges, failures} {
		c <- d
	}
}

// Collect implements prometheus.Collector.
func (m *lineMetrics) Collect(c chan<- prometheus.Metric) {
	up, waiting, silent, exchanges, failures := m.desc()
	number := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	for _, l := range m.server.Lines {
		h := l.Health()
		c <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, number(h.Up), h.Line)
		c <- prometheus.MustNewConstMetric(waiting, prometheus.GaugeValue, float64(l.Waiting()), h.Line)
		for _, u := range h.Units {
			c <- prometheus.MustNewConstMetric(silent, prometheus.GaugeValue, number(u.Silent), h.Line, u.Unit)
			c <- prometheus.MustNewConstMetric(exchanges, prometheus.CounterValue, float64(u.Exchanges), h.Line, u.Unit)
			c <- prometheus.MustNewConstMetric(failures, prometheus.CounterValue, float64(u.Failures), h.Line, u.Unit)
		}
	}
}

// storageMetrics reads the health of the storage when it is asked.
type storageMetrics struct{ server *Server }

func (*storageMetrics) desc() (up, lost, late *prometheus.Desc) {
	return prometheus.NewDesc("lectern_storage_up", "1 while journal and state can be written.", nil, nil),
		prometheus.NewDesc("lectern_journal_lost_total", "Entries that were never written, the disk being in trouble for too long.", nil, nil),
		prometheus.NewDesc("lectern_journal_late_total", "Answers that went out before their entry was committed.", nil, nil)
}

// Describe implements prometheus.Collector.
func (m *storageMetrics) Describe(c chan<- *prometheus.Desc) {
	up, lost, late := m.desc()
	c <- up
	c <- lost
	c <- late
}

// Collect implements prometheus.Collector.
func (m *storageMetrics) Collect(c chan<- prometheus.Metric) {
	h, ok := m.server.Journal.Health()
	if !ok {
		return
	}
	value := 0.0
	if h.OK {
		value = 1
	}
	up, lost, late := m.desc()
	c <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, value)
	c <- prometheus.MustNewConstMetric(lost, prometheus.CounterValue, float64(h.Lost))
	c <- prometheus.MustNewConstMetric(late, prometheus.CounterValue, float64(h.Late))
}
