package main

import (
	"bytes"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"lectern/configs"
)

// scrape reads /metrics as Prometheus does.
func (h *house) scrape() map[string]*dto.MetricFamily {
	h.t.Helper()
	_, body := h.call(http.MethodGet, "/metrics", "")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	return families
}

// sample is the value of a metric whose labels have the values given, in the order of their names; of a
// histogram its count.
func sample(families map[string]*dto.MetricFamily, name string, labels ...string) (float64, bool) {
	for _, m := range families[name].GetMetric() {
		var values []string
		for _, l := range m.GetLabel() {
			values = append(values, l.GetValue())
		}
		if !slices.Equal(values, labels) {
			continue
		}
		switch {
		case m.GetHistogram() != nil:
			return float64(m.GetHistogram().GetSampleCount()), true
		case m.GetCounter() != nil:
			return m.GetCounter().GetValue(), true
		}
		return m.GetGauge().GetValue(), true
	}
	return 0, false
}

func TestMetricsTellWhatAnOperatorAlertsOn(t *testing.T) {
	b := facilities(t, "demo.yaml", "embedded")
	h := b.h
	wants := func(want float64, name string, labels ...string) {
		t.Helper()
		if v, ok := sample(h.scrape(), name, labels...); !ok || v != want {
			t.Errorf("%s%v is %v (there: %v), want %v", name, labels, v, ok, want)
		}
	}
	atLeast := func(least float64, name string, labels ...string) {
		t.Helper()
		h.until(name+" has grown", func() bool { v, _ := sample(h.scrape(), name, labels...); return v >= least })
	}
	h.play("system-on")
	h.set("door-lights.power", true)
	h.call(http.MethodPost, "/api/v1/devices/rack-projector/power", `{"value":"nonsense"}`)
	f := h.finger()
	f.post("/api/v1/session", `{"pin":"0000"}`)
	f.open("main", "1234")
	b.set("wall-lights/power", "true")

	wants(1, "lectern_line_up", "bus")
	wants(1, "lectern_line_opens_total", "bus")
	atLeast(1, "lectern_line_queue_wait_seconds", "person", "bus")
	atLeast(1, "lectern_line_exchange_duration_seconds", "bus")
	wants(1, "lectern_device_online", "door-lights")
	wants(1, "lectern_device_fed", "dvd")
	wants(1, "lectern_commands_total", "done", "http")
	wants(1, "lectern_commands_total", "done", "mqtt")
	wants(6, "lectern_commands_total", "done", "scene")
	wants(1, "lectern_command_duration_seconds", "http")
	wants(1, "lectern_scene_runs_total", "finished", "system-on")
	wants(0, "lectern_scenes_running")
	wants(1, "lectern_pins_total", "wrong")
	wants(1, "lectern_pins_total", "right")
	wants(1, "lectern_sessions")
	wants(1, "lectern_mqtt_connected")
	if v, _ := sample(h.scrape(), "lectern_start_time_seconds"); v < 1e9 {
		t.Errorf("it began at %v", v)
	}

	// What is wrong shows; what was counted outlives a reload.
	h.fault("rack", "silence")
	atLeast(1, "lectern_unit_timeouts_total", "rack", "unit 1")
	h.until("the unit is set aside", func() bool { v, _ := sample(h.scrape(), "lectern_unit_silent", "rack", "unit 1"); return v == 1 })
	h.fault("rack", "")
	h.reload(func(r *configs.Room) { device(r, "dvd").Name.EN = "Disc" })
	wants(1, "lectern_reload_successful")
	wants(1, "lectern_pins_total", "wrong")
	wants(1, "lectern_sessions")
	wants(1, "lectern_scene_runs_total", "finished", "system-on")

	series := 0
	for name, family := range h.scrape() {
		if strings.HasPrefix(name, "lectern_") {
			series += len(family.GetMetric())
		}
	}
	if series > 400 {
		t.Errorf("%d series for one room", series)
	}
	told := h.scrape()
	for file, all := range map[string]bool{"../../panel/README.md": true, "../../configs/prometheus/alerts.yaml": false} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		named := make(map[string]bool)
		for _, name := range regexp.MustCompile(`lectern_[a-z_]+`).FindAllString(string(text), -1) {
			name = strings.TrimSuffix(name, "_bucket")
			if named[name] = true; told[name] == nil {
				t.Errorf("%s names %s, which nobody tells", file, name)
			}
		}
		for name := range told {
			if all && strings.HasPrefix(name, "lectern_") && !named[name] {
				t.Errorf("%s does not name %s", file, name)
			}
		}
	}
}

// What Prometheus loads must at least be YAML of the right form; promtool check rules says the rest.
func TestAlertsCanBeRead(t *testing.T) {
	text, err := os.ReadFile("../../configs/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil || len(file.Groups) != 1 || len(file.Groups[0].Rules) < 3 {
		t.Fatalf("%v, %d groups", err, len(file.Groups))
	}
	for _, r := range file.Groups[0].Rules {
		if r.Alert == "" || r.Expr == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
			t.Errorf("%+v", r)
		}
	}
}

// Names, units and help are as Prometheus has them, by its own linter.
func TestMetricsAreNamedByTheConventions(t *testing.T) {
	h := open(t, example("huddle.yaml"))
	h.play("start")
	_, body := h.call(http.MethodGet, "/metrics", "")
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "lectern_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}
