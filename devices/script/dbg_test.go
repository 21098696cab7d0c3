package script_test

import (
	"fmt"
	"testing"

	"lectern/devices/devicetest"
	"lectern/devices/line"
	"lectern/devices/sim/sis"
)

func TestDbg(t *testing.T) {
	p := join{"matrix", protocol(t, "extron.yaml"), nil, sis.New, line.TCP, 1}.pair(t)
	t.Cleanup(func() {
		e, _ := p.Line.Trace(0)
		for _, x := range e[max(0, len(e)-120):] {
			fmt.Printf("%s %s %q %s\n", x.Time.Format("05.000"), x.Dir, x.Bytes, x.Note)
		}
	})
	devicetest.Selector(t, devicetest.SelectorCase{Pair: p, Outputs: []string{"1", "2"}, Inputs: []string{"1", "2", "3"}, Unties: true, NoInput: "99", Nak: "nak"})
}
