package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"lectern/configs"
)

// gaugeStaff measures a page of the tablet.
const gaugeStaff = `(() => {
	const faults = [], seen = e => e.checkVisibility();
	if (document.documentElement.scrollWidth > innerWidth) faults.push('the page scrolls sideways: ' + document.documentElement.scrollWidth);
	for (const e of document.querySelectorAll('button, .button, nav a, input:not([type=hidden]):not([type=checkbox]), select, textarea, summary')) {
		if (!seen(e)) continue;
		const r = e.getBoundingClientRect();
		if (r.height < 63.5 || r.width < 63.5) faults.push('smaller than a finger, ' + Math.round(r.width) + 'x' + Math.round(r.height) + ': ' + (e.innerText || e.name).slice(0, 40));
		if (r.right > innerWidth + 1) faults.push('sticks out: ' + (e.innerText || e.name).slice(0, 40));
	}
	return faults;
})()`

// staffViews visits every page of the tablet.
func staffViews(p *glass, look func(view string)) {
	p.t.Helper()
	visit := func(view string) {
		p.until("the page is whole", "document.readyState === 'complete' && document.styleSheets.length > 0")
		look(view)
	}
	visit("today")
	review := meetingOf(p, "项目评审 Review")
	p.types(review+"[name=who]", "WM")
	p.tap(review + "[data-to=session]")
	p.sees(review + "[data-to=ended]")
	p.tap(`[data-list] [data-item="0"]`)
	p.sees(".ticked")
	p.goes("/staff/health", "health")
	visit("health")
	p.tap("[data-do=work]")
	p.sees("body.maintenance")
	visit("maintenance")
	p.goes("/staff/health", "health") // what was looked at may have been changed for the picture
	p.tap("[data-do=work]")
	p.types("[name=note]", "更换灯泡 new lamp")
	p.tap("button[data-do=work]")
	p.sees("body.health .banner.work")
	visit("health-maintenance")
	p.goes("/staff/check", "check")
	p.tap("[data-do=check]")
	p.checked()
	visit("check")
	p.goes("/staff/orders", "orders")
	p.types("form.fields [name=symptom]", "画面偏黄，右下角有暗斑 / yellow picture, a dark spot below on the right")
	p.tap("form.fields button.main")
	p.sees("body.order")
	eval[bool](p, "document.querySelector('details.picture').open = true")
	visit("order")
	p.goes("/staff/orders", "orders")
	visit("orders")
	p.goes("/staff", "today")
	p.tap(meetingOf(p, "项目评审 Review") + "[data-to=ended]")
	p.sees(`[data-list="closing"]`)
	visit("today-after")
	p.tap(meetingOf(p, "项目评审 Review") + `a[href^="/staff/records/"]`)
	p.sees("body.record")
	visit("record")
	p.goes("/staff/records", "records")
	visit("records")
	p.goes("/staff/month", "month")
	visit("month")
	p.goes("/staff", "today")
	p.tap(`a[href="/staff/meetings/new"]`)
	p.sees("body.meeting")
	visit("meeting")
}

func TestEveryStaffPageFitsTheTabletAndKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	in := browser(t)
	for _, s := range tablets {
		t.Run(s.language, func(t *testing.T) {
			h, p := served(t, in, s, func(r *configs.Room) { r.Meetings.Tea = time.Nanosecond })
			h.fault("player", "silence")
			h.set("rack-player.power", true)
			staffViews(p, func(view string) {
				for _, fault := range eval[[]string](p, gaugeStaff) {
					t.Errorf("%s: %s", view, fault)
				}
				axe(t, p, view)
				if onPaper[view] {
					prints(t, p, view)
				}
				shoot(t, p, view+"-"+s.language)
			})
		})
	}
}

// onPaper are the pages of the tablet that people print.
var onPaper = map[string]bool{"today": true, "order": true, "record": true}

// prints prints a page, and returns the print. It does not depend on the screen.
func prints(t *testing.T, p *glass, name string) []byte {
	t.Helper()
	print := tell(p, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
	if len(print.Data) < 1000 {
		t.Errorf("%s: the print has %d bytes", name, len(print.Data))
	}
	return print.Data
}

// shoot keeps a print and a picture of a page, where somebody wants to look at what the tests see: LECTERN_LOOK=1 go test
// -artifacts.
func shoot(t *testing.T, p *glass, name string) {
	t.Helper()
	if !lookedFor() {
		return
	}
	shot := tell(p, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
	for suffix, b := range map[string][]byte{".png": shot.Data, ".pdf": prints(t, p, name)} {
		if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+suffix), b, 0o600); err != nil {
			t.Error(err)
		}
	}
}

// lookedFor reports whether somebody wants to look at what the tests see.
func lookedFor() bool { return os.Getenv("LECTERN_LOOK") != "" }

// steady takes out of a page what changes with the hour, so that its picture can be compared: dates and
// times become those of one day, figures that grow become round, and plots are hidden.
const steady = `(() => {
	const rules = [
		[/\d{8}-(\d\d)/g, '20261124-$1'], [/\d{4}-\d\d-\d\d/g, '2026-11-24'], [/(?<!\d)\d{4}-\d\d(?!-)/g, '2026-11'], [/\d\d:\d\d/g, '10:00'],
		[/\d{4}年\d+月\d+日 星期./g, '2026年11月24日 星期二'], [/[A-Z][a-z]+day \d+ [A-Z][a-z]+ \d{4}/g, 'Tuesday 24 November 2026'],
		[/^[\d.]+ °C$/, '23.0 °C'], [/\d+ s\b/g, '0 s'], [/\d+秒/g, '0秒'], [/127\.0\.0\.1:\d+/g, '127.0.0.1:587'],
	];
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (texts.nextNode()) for (const [from, to] of rules) texts.currentNode.data = texts.currentNode.data.replace(from, to);
	for (const e of document.querySelectorAll('[type="datetime-local"]')) { e.type = 'text'; e.value = '2026-11-24 10:00'; }
	for (const e of document.querySelectorAll('svg.plot, .meter, .picture tbody')) e.style.visibility = 'hidden';
	for (const e of document.querySelectorAll('small.detail')) e.style.display = 'none'; // as long as the error was
	for (const e of document.querySelectorAll('details.picture')) e.open = true;
	document.activeElement?.blur();
	scrollTo(0, 0);
	return document.fonts.ready.then(() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(true)))));
})()`

func TestStaffPagesLookAsTheyWereSeen(t *testing.T) {
	t.Parallel()
	in := browser(t)
	for _, language := range []string{"zh", "en"} {
		t.Run(language, func(t *testing.T) {
			h, p := served(t, in, screen{800, 1280, language, ""}, func(r *configs.Room) { r.Meetings.Low, r.Meetings.High = 10, 15 })
			h.fault("player", "silence")
			h.set("rack-player.power", true)
			p.shows("the player that is missed", "document.querySelector('.facts .amber a[href=\"/staff/health\"]')")
			staffViews(p, func(view string) {
				if view == "record" {
					p.comesTo("the player's fault, which is written down when it has lasted", "document.querySelector('main small.detail')")
				}
				again := false
				for _, size := range [][2]int64{{800, 1280}, {1280, 800}} { // upright and lying
					p.size(size[0], size[1])
					looks(t, filepath.Join("testdata", "staff", fmt.Sprintf("%s-%dx%d-%s.png", view, size[0], size[1], language)), func() []byte {
						if again {
							p.do(chromedp.Reload())
						}
						again = true
						eval[bool](p, steady)
						return tell(p, page.CaptureScreenshot, page.CaptureScreenshotParams{}).Data
					})
				}
				p.size(800, 1280)
			})
		})
	}
}
