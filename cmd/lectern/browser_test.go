package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser opens a profile of its own in Chromium until the test ends: no other test sees its cookies and storage. Where
// there is no Chromium the test is skipped with a word, but not in CI, which installs it.
func browser(t testing.TB) context.Context {
	t.Helper()
	in, err := chromium.started()
	switch {
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "":
		t.Skip("there is no Chromium to show the panel in: apt-get install chromium")
	case err != nil:
		t.Fatalf("the tests of the panel need Chromium (apt-get install chromium): %v", err)
	}
	ctx, end := chromedp.NewContext(in, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("opening a profile: %v", err)
	}
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits until its tabs are gone
		end()
	})
	return ctx
}

// chromium is the one Chromium of all tests: starting it costs more than most of them.
var chromium oneBrowser

type oneBrowser struct {
	once sync.Once
	ctx  context.Context
	err  error
	end  func()
}

// started starts it the first time. The error is exec.ErrNotFound where there is none.
func (o *oneBrowser) started() (context.Context, error) {
	o.once.Do(func() { o.ctx, o.err = o.start() })
	return o.ctx, o.err
}

func (o *oneBrowser) start() (context.Context, error) {
	program, err := "", error(nil)
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if program, err = exec.LookPath(name); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "chromium")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("font-render-hinting", "none"), chromedp.Flag("disable-lcd-text", true), chromedp.Flag("force-prefers-reduced-motion", true), chromedp.Flag("force-prefers-reduced-motion", true), chromedp.UserDataDir(folder),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	o.end = func() {
		_ = chromedp.Cancel(ctx) // waits until the process is gone
		end()
		cancel()
		_ = os.RemoveAll(folder)
	}
	return ctx, chromedp.Do(ctx)
}

// close ends it, if it was started.
func (o *oneBrowser) close() {
	if o.end != nil {
		o.end()
	}
}

// glass is a touch panel on the wall: a tab of a browser with a touch screen.
type glass struct {
	t   testing.TB
	ctx context.Context
}

// screen is how large a panel is, what it speaks and what it wears.
type screen struct {
	width, height int64
	language      string
	theme         string // "" for the room's own
}

// wall is the panel that hangs in most rooms.
var wall = screen{1024, 600, "zh", ""}

// hang opens a panel on an address.
func hang(t testing.TB, in context.Context, url string, s screen) *glass {
	t.Helper()
	ctx, cancel := chromedp.NewContext(in)
	t.Cleanup(cancel)
	p := &glass{t: t, ctx: ctx}
	p.do() // opens the tab
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			t.Errorf("the panel threw: %s", e.ExceptionDetails.Text)
		case *log.EventEntryAdded:
			// What the content security policy stops is told here. A refused request is no fault of the panel.
			if e.Entry.Source == log.EntrySourceSecurity {
				t.Errorf("the browser says: %s", e.Entry.Text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("localStorage.language ||= %q; if (%q) localStorage.theme = %[2]q", s.language, s.theme)
	tell(p, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
	tell(p, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true})
	p.size(s.width, s.height)
	p.do(chromedp.Navigate(url))
	return p
}

func (p *glass) size(width, height int64) {
	p.t.Helper()
	tell(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// bounded runs something in the browser, for as long as a test waits at most.
func bounded[R any](p *glass, run func(context.Context) (R, error)) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	r, err := run(ctx)
	if err != nil {
		p.t.Fatalf("the panel: %v", err)
	}
	return r
}

func (p *glass) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if len(actions) == 0 { // the first time: what it starts must outlive the bound
		if err := chromedp.Do(p.ctx); err != nil {
			p.t.Fatalf("the panel: %v", err)
		}
		return
	}
	bounded(p, func(ctx context.Context) (any, error) { return nil, chromedp.Do(ctx, actions...) })
}

func tell[P, R any](p *glass, command cdp.Command[P, R], params P) R {
	p.t.Helper()
	return bounded(p, func(ctx context.Context) (R, error) { return chromedp.Call(ctx, command, params) })
}

// eval runs a piece of script in the page and returns what it comes to.
func eval[T any](p *glass, script string) T {
	p.t.Helper()
	return bounded(p, func(ctx context.Context) (T, error) { return evaluate[T](ctx, script) })
}

func evaluate[T any](ctx context.Context, script string) (T, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// ask is eval for what is asked again and again: a page that gives way to the next one while it is asked has no answer
// yet, which is the zero of T.
func ask[T any](p *glass, script string) T {
	p.t.Helper()
	return bounded(p, func(ctx context.Context) (none T, err error) {
		r, err := evaluate[T](ctx, script)
		var said *cdproto.Error
		if errors.As(err, &said) && said.Code == serverError {
			return none, nil
		}
		return r, err
	})
}

// serverError is what the browser answers with when it could not carry out a command that it understood ("Inspected
// target navigated or closed", "Execution context was destroyed"); a fault in a script itself comes another way.
const serverError = -32000

// until waits until a piece of script is true.
func (p *glass) until(what, script string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if ask[bool](p, "Boolean("+script+")") {
			return
		}
	}
	text := eval[string](p, "document.body.innerText")
	p.t.Fatalf("the panel never came to: %s\n%s", what, text)
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func (p *glass) sees(selector string) {
	p.t.Helper()
	p.until("see "+selector, "document.querySelector("+quoted(selector)+")?.checkVisibility()")
}

func (p *glass) misses(selector string) {
	p.t.Helper()
	p.until("see no "+selector, "!document.querySelector("+quoted(selector)+")?.checkVisibility()")
}

// reads waits until an element has a text in it.
func (p *glass) reads(selector, text string) {
	p.t.Helper()
	p.until(selector+" reads "+text, "document.querySelector("+quoted(selector)+")?.innerText.includes("+quoted(text)+")")
}

// point is where a finger goes for an element, at a part of its width and height. It waits until the
// element is there and nothing lies over it.
func (p *glass) point(selector string, across, down float64) (x, y float64) {
	p.t.Helper()
	script := fmt.Sprintf(`(() => {
		const e = document.querySelector(%s);
		if (!e) return null;
		e.scrollIntoView({block: 'nearest', inline: 'nearest'});
		const r = e.getBoundingClientRect(), x = r.left + r.width * %g, y = r.top + r.height * %g;
		const top = document.elementFromPoint(x, y);
		return top && (e === top || e.contains(top)) ? [x, y] : null;
	})()`, quoted(selector), across, down)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if at := ask[[]float64](p, script); len(at) == 2 {
			return at[0], at[1]
		}
	}
	text := eval[string](p, "document.body.innerText")
	p.t.Fatalf("no finger can reach %s\n%s", selector, text)
	return 0, 0
}

func (p *glass) down(x, y float64) {
	p.t.Helper()
	tell(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: x, Y: y}}})
}

func (p *glass) move(x, y float64) {
	p.t.Helper()
	tell(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchMove, TouchPoints: []*input.TouchPoint{{X: x, Y: y}}})
}

func (p *glass) up() {
	p.t.Helper()
	tell(p, input.DispatchTouchEvent, input.DispatchTouchEventParams{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}})
}

// touch puts a finger on an element and takes it away.
func (p *glass) touch(selector string) {
	p.t.Helper()
	p.down(p.point(selector, 0.5, 0.5))
	p.up()
}

// hold keeps a finger on an element for a time. That it is measured is the point.
func (p *glass) hold(selector string, long time.Duration) {
	p.t.Helper()
	p.down(p.point(selector, 0.5, 0.5))
	time.Sleep(long)
	p.up()
}

// drag takes a finger across an element, from one part of it to another.
func (p *glass) drag(selector string, fromX, fromY, toX, toY float64) {
	p.t.Helper()
	x0, y0 := p.point(selector, fromX, fromY)
	x1, y1 := p.point(selector, toX, toY)
	const steps = 10
	p.down(x0, y0)
	for i := 1; i <= steps; i++ {
		part := float64(i) / steps
		p.move(x0+(x1-x0)*part, y0+(y1-y0)*part)
	}
	p.up()
}

// enter types a PIN.
func (p *glass) enter(pin string) {
	p.t.Helper()
	p.sees("main.keypad")
	for _, d := range pin {
		p.touch(fmt.Sprintf("[data-key=%q]", string(d)))
	}
	p.touch("[data-key=enter]")
}

// unlock goes from the sky to the main page.
func (p *glass) unlock() {
	p.t.Helper()
	p.touch(".sky")
	p.enter("1234")
	p.sees("nav")
}

// page goes to a page.
func (p *glass) page(id string) {
	p.t.Helper()
	p.touch(fmt.Sprintf("nav [data-page=%q]", id))
	p.sees(fmt.Sprintf("main[data-page=%q]", id))
}

// system goes to the system page, by its PIN.
func (p *glass) system() {
	p.t.Helper()
	p.touch(`nav [data-page=system]`)
	p.until("keypad or page", "document.querySelector('main.keypad, [data-tab]')")
	if eval[bool](p, "Boolean(document.querySelector('main.keypad'))") {
		p.enter("5678")
	}
	p.sees("[data-tab=power]")
}

// sets touches the button that sets a property to a value, and waits until the panel shows that it is so.
func (p *glass) sets(property, value string) {
	p.t.Helper()
	button := "[data-set=" + quoted(property+"="+value) + "]"
	p.touch(button)
	p.until(property+" shows as "+value, "document.querySelector("+quoted(button+"[aria-pressed=true]:not(.asked)")+")")
}

// speaks says which of two words the panel has.
func speaks(s screen, zh, en string) string {
	if s.language == "zh" {
		return zh
	}
	return en
}
