package panel

import (
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"lectern/devices/line"
)

// read reads an exposition as Prometheus does.
func read(t *testing.T, e exposition) map[string]*dto.MetricFamily {
	t.Helper()
	var text strings.Builder
	e.writeTo(&text)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text.String())
	}
	return families
}

func TestPrometheusReadsWhatIsInALabel(t *testing.T) {
	const odd = "a \"b\" \\ c\nd {e=\"f\"} 会议"
	e := make(exposition)
	e.gauge(-1.5, "g", "What \\ it\nmeans.", "one", odd, "two", "")
	f := read(t, e)["g"]
	if f.GetType() != dto.MetricType_GAUGE || f.GetHelp() != "What \\ it\nmeans." || len(f.GetMetric()) != 1 {
		t.Fatal(f)
	}
	m := f.GetMetric()[0]
	if m.GetGauge().GetValue() != -1.5 || len(m.GetLabel()) != 2 || m.GetLabel()[0].GetValue() != odd || m.GetLabel()[1].GetName() != "two" {
		t.Error(m)
	}
}

func TestPrometheusReadsAHistogram(t *testing.T) {
	var h line.Histogram
	for _, d := range []time.Duration{time.Millisecond, 3 * time.Millisecond, time.Hour} {
		h.Observe(d)
	}
	e := make(exposition)
	e.histogram(h, "took_seconds", "How long.", "line", "bus")
	e.histogram(line.Histogram{}, "took_seconds", "How long.", "line", "rack")
	e.count(1<<40, "a_total", "First by its name.")
	families := read(t, e)
	if got := families["a_total"].GetMetric()[0].GetCounter().GetValue(); got != 1<<40 {
		t.Errorf("a counter of 2^40 reads %v", got)
	}
	f := families["took_seconds"]
	if f.GetType() != dto.MetricType_HISTOGRAM || len(f.GetMetric()) != 2 {
		t.Fatal(f)
	}
	m := f.GetMetric()[0]
	if m.GetLabel()[0].GetValue() != "bus" || m.GetHistogram().GetSampleCount() != 3 || m.GetHistogram().GetSampleSum() != 3600.004 {
		t.Error(m)
	}
	below := make(map[float64]uint64)
	for _, b := range m.GetHistogram().GetBucket() {
		below[b.GetUpperBound()] = b.GetCumulativeCount()
	}
	if below[0.001] != 1 || below[0.002] != 1 || below[0.004] != 2 || below[16.384] != 2 {
		t.Error(below)
	}
}
