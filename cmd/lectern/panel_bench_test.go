package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
)

// slowdown is how much slower than this machine the panel's processor is made.
const slowdown = 6

// tap is how long a finger stays on the glass when it taps.
const tap = 80 * time.Millisecond

// BenchmarkTouchToVisible measures from the finger on the glass to the next frame that shows it, on a
// processor made six times slower: from the time stamp of the pointer event to
// the end of the frame after it, in the page.
//
//	go test ./cmd/lectern -run '^$' -bench TouchToVisible -benchtime 60x
func BenchmarkTouchToVisible(b *testing.B) {
	in := browser(b)
	h := open(b, example("demo.yaml"))
	p := hang(b, in, h.url, wall)
	p.unlock()
	p.page("lights")
	tell(p, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: slowdown})
	eval[bool](p, `window.took = [];
		addEventListener('pointerdown', e => {
			const at = e.timeStamp;
			requestAnimationFrame(() => { const c = new MessageChannel(); c.port1.onmessage = () => took.push(performance.now() - at); c.port2.postMessage(0); });
		}, true);
		// over settles when a touch has been seen and the equipment has confirmed it: asking again and again
		// would be measured too.
		window.over = (n, button) => new Promise(done => {
			const look = () => took.length >= n && document.querySelector(button) ? done(true) : setTimeout(look, 100);
			look();
		}); true`)
	n := 0
	for b.Loop() {
		n++
		button := fmt.Sprintf(`[data-set="spot-%d.level=%s"]`, n%4+1, []string{"low", "mid", "high", "full", "off"}[n%5])
		p.hold(button, tap)
		eval[bool](p, fmt.Sprintf("over(%d, %s)", n, quoted(button+"[aria-pressed=true]")))
	}
	took := eval[[]float64](p, "took")
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "p50-ms")
	b.ReportMetric(took[len(took)*95/100], "p95-ms")
	b.ReportMetric(0, "ns/op")
}
