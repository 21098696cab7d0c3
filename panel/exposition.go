package panel

import (
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"lectern/devices/line"
)

// exposition collects metrics and writes them in the text format that Prometheus and its like read, version 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats): what belongs to one metric stands together, after what it means.
// Prometheus' own library would bring Protocol Buffers along, a tenth of the whole program.
type exposition map[string]*family

const expositionType = "text/plain; version=0.0.4; charset=utf-8"

// family is one metric.
type family struct {
	kind, help string
	series     []string // each in lines of its own
}

// count tells what only grows; labels are names and values in turn.
func (e exposition) count(v uint64, name, help string, labels ...string) {
	e.add("counter", name, help, sample(name, float64(v), labels))
}

// gauge tells what goes up and down.
func (e exposition) gauge(v float64, name, help string, labels ...string) {
	e.add("gauge", name, help, sample(name, v, labels))
}

// histogram tells how long things took, in seconds.
func (e exposition) histogram(h line.Histogram, name, help string, labels ...string) {
	var text strings.Builder
	below := uint64(0)
	for i, n := range h.In {
		below += n
		bound := strconv.FormatFloat(line.Bound(i).Seconds(), 'g', -1, 64)
		text.WriteString(sample(name+"_bucket", float64(below), append(slices.Clone(labels), "le", bound)))
	}
	text.WriteString(sample(name+"_bucket", float64(h.Count), append(slices.Clone(labels), "le", "+Inf")))
	text.WriteString(sample(name+"_sum", h.Sum.Seconds(), labels))
	text.WriteString(sample(name+"_count", float64(h.Count), labels))
	e.add("histogram", name, help, text.String())
}

func (e exposition) add(kind, name, help, series string) {
	f := e[name]
	if f == nil {
		f = &family{kind: kind, help: help}
		e[name] = f
	}
	f.series = append(f.series, series)
}

var (
	escapeHelp  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	escapeLabel = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// sample is one line.
func sample(name string, v float64, labels []string) string {
	var text strings.Builder
	text.WriteString(name)
	for i := 0; i+1 < len(labels); i += 2 {
		text.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		text.WriteString(labels[i] + `="` + escapeLabel.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 1 {
		text.WriteByte('}')
	}
	return text.String() + " " + strconv.FormatFloat(v, 'g', -1, 64) + "\n"
}

// writeTo writes all of them, each time in the same order.
func (e exposition) writeTo(w io.StringWriter) {
	for _, name := range slices.Sorted(maps.Keys(e)) {
		f := e[name]
		slices.Sort(f.series)
		_, _ = w.WriteString("# HELP " + name + " " + escapeHelp.Replace(f.help) + "\n# TYPE " + name + " " + f.kind + "\n" + strings.Join(f.series, ""))
	}
}
