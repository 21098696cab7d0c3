package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"lectern/configs"
)

var update = flag.Bool("update", false, "write the golden pictures anew, to be looked at before they are committed")

// views are the pages of a room at which a look is taken, and how to get there from the one before.
func views(p *glass, visit func(view string)) {
	p.t.Helper()
	p.sees(".sky")
	visit("sky")
	p.touch(".sky")
	p.sees("main.keypad")
	visit("keypad")
	p.enter("1234")
	p.sees("nav")
	for _, id := range eval[[]string](p, "[...document.querySelectorAll('nav [data-page]')].map(e => e.dataset.page)") {
		if id == "system" {
			p.system()
			eval[bool](p, "document.querySelectorAll('[data-close]').forEach(e => e.click()); true")
			p.misses(".run") // of how the rack came up
		} else {
			p.page(id)
		}
		visit(id)
	}
	for _, tab := range eval[[]string](p, "[...document.querySelectorAll('[data-tab]')].map(e => e.dataset.tab)")[1:] {
		p.touch("[data-tab=" + tab + "]")
		p.sees("[data-tab=" + tab + "][aria-selected=true]")
		visit("system-" + tab)
	}
	p.touch("[data-tab=power]")
	p.touch("[data-confirm=system-off]")
	p.sees("dialog[open]")
	visit("question")
	p.touch("[data-answer=no]")
}

// inUse is a room in the middle of a meeting, so that there is something to see.
func inUse(t *testing.T) *house {
	t.Helper()
	h := projecting(t)
	h.set("sources.selected", "computer1")
	h.set("sound-computer1.volume", 42)
	h.set("spot-2.level", "mid")
	h.set("spot-3.level", "full")
	h.set("wall-lights.power", true)
	h.set("door-curtain.position", 65, "done", "accepted")
	h.says("door-curtain.position", 65)
	h.says("screen.position", 0)
	h.set("dvd.transport", "play")
	return h
}

// gauge measures a page: it must not scroll where everything is to fit, nothing may be clipped or
// wrapped, and whatever can be touched is as large as a finger.
const gauge = `(fits => {
	const faults = [], say = (e, what) => faults.push(what + ': ' + (e.dataset?.set || e.dataset?.page || e.getAttribute?.('aria-label') || e.innerText || e.tagName).slice(0, 60));
	const seen = e => e.checkVisibility() && getComputedStyle(e).clipPath === 'none';
	const page = document.querySelector('main.page');
	if (document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight) faults.push('the window scrolls');
	if (page && page.scrollWidth > page.clientWidth) faults.push('the page scrolls sideways');
	if (page && fits && page.scrollHeight > page.clientHeight) faults.push('the page scrolls by ' + (page.scrollHeight - page.clientHeight));
	const scope = document.querySelector('dialog[open]') || document;
	for (const e of scope.querySelectorAll('button, [role=slider]')) {
		if (!seen(e)) continue;
		const r = e.getBoundingClientRect();
		if (r.width < 63.5 || r.height < 63.5) say(e, 'smaller than a finger, ' + Math.round(r.width) + 'x' + Math.round(r.height));
		const inside = e.closest('nav, .tabs') || document.documentElement, b = inside.getBoundingClientRect();
		if (!e.closest('nav') && (r.left < b.left - 1 || r.right > b.right + 1)) say(e, 'sticks out');
	}
	for (const e of scope.querySelectorAll('.label, small, .chip, h1, h2, h3 .grow, .of, .status span, .help, time')) {
		if (!seen(e) || !e.innerText.trim()) continue;
		if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline') say(e, 'clipped');
		const holder = e.closest('button');
		if (holder) {
			const r = e.getBoundingClientRect(), b = holder.getBoundingClientRect();
			if (r.left < b.left || r.right > b.right || r.top < b.top - 1 || r.bottom > b.bottom + 1) say(e, 'runs over its button');
		}
		if (e.matches('.label') && !e.querySelector('br')) {
			const range = document.createRange();
			range.selectNodeContents(e);
			const lines = new Set([...range.getClientRects()].map(r => Math.round(r.top)));
			if (lines.size > 1) say(e, 'wrapped');
		}
	}
	return faults;
})`

func TestEveryPageFitsItsScreen(t *testing.T) {
	in := browser(t)
	h := inUse(t)
	for _, size := range []struct {
		width, height int64
		fits          bool
	}{{1024, 600, true}, {1280, 800, true}, {800, 1280, false}, {390, 844, false}} {
		for _, language := range []string{"zh", "en"} {
			t.Run(fmt.Sprintf("%dx%d-%s", size.width, size.height, language), func(t *testing.T) {
				p := hang(t, in, h.url, screen{size.width, size.height, language, ""})
				views(p, func(view string) {
					for _, fault := range eval[[]string](p, fmt.Sprintf("document.fonts.ready.then(() => %s(%v))", gauge, size.fits)) {
						t.Errorf("%s: %s", view, fault)
					}
				})
				forget(p)
			})
		}
	}
}

// forget makes the browser a stranger again, for the next panel in it.
func forget(p *glass) {
	p.t.Helper()
	eval[bool](p, "fetch('/api/v1/session', {method: 'DELETE'}).then(() => { localStorage.clear(); return true; })")
}

// A lecture hall has more than fits: its pages scroll, and nothing else is wrong with them.
func TestALargeRoomScrollsWithGrace(t *testing.T) {
	t.Parallel()
	in := browser(t)
	h := open(t, example("lecture-hall.yaml"))
	for _, language := range []string{"zh", "en"} {
		p := hang(t, in, h.url, screen{1024, 600, language, ""})
		views(p, func(view string) {
			for _, fault := range eval[[]string](p, fmt.Sprintf("document.fonts.ready.then(() => %s(false))", gauge)) {
				t.Errorf("%s in %s: %s", view, language, fault)
			}
		})
		forget(p)
	}
}

// axe finds what keeps people out who see, hear or point otherwise.
func axe(t *testing.T, p *glass, view string) {
	t.Helper()
	if !eval[bool](p, "typeof axe === 'object'") { // half a megabyte, once a document
		program, err := os.ReadFile(filepath.Join("testdata", "axe.min.js"))
		if err != nil {
			t.Fatal(err)
		}
		eval[bool](p, string(program)+"; true")
	}
	found := eval[[]string](p, `axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'], resultTypes: ['violations']})
		.then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join('; ').slice(0, 600)))`)
	for _, violation := range found {
		t.Errorf("%s: %s", view, violation)
	}
}

func TestNobodyIsKeptOut(t *testing.T) {
	in := browser(t)
	h := inUse(t)
	for _, theme := range []string{"sky", "night"} {
		t.Run(theme, func(t *testing.T) {
			p := hang(t, in, h.url, screen{1024, 600, "zh", theme})
			views(p, func(view string) { axe(t, p, view) })
			// And the states that no page shows when all is well.
			p.page("projector")
			h.fault("projector", "silence")
			h.fault("player", "silence")
			p.sees(".card.offline")
			axe(t, p, "offline")
			h.fault("projector", "")
			h.fault("player", "")
			h.says("projector.power", "on")
			p.touch(`[data-set="projector.power=on"]`)
			p.system()
			p.touch(`[data-set="rack-projector.power=false"]`)
			p.sees(".toast.fault")
			axe(t, p, "refused")
			p.page("curtains")
			p.touch(`[data-set="door-curtain.motion=up"]`)
			axe(t, p, "moving")
			forget(p)
		})
	}
}

// A room's own colour is taken darker where it could not be read, and its logo stands on the sky and in
// the bar.
func TestARoomHasItsLogoAndColour(t *testing.T) {
	t.Parallel()
	in := browser(t)
	logo := filepath.Join(t.TempDir(), "logo.svg")
	if err := os.WriteFile(logo, []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="120" height="40"><rect width="120" height="40" fill="#c00"/></svg>`), 0o600); err != nil {
		t.Fatal(err)
	}
	h := open(t, example("huddle.yaml"), func(r *configs.Room) { r.Panel.Theme = configs.Theme{Mode: "sky", Accent: "#ffd400", Logo: logo} })
	p := hang(t, in, h.url, wall)
	p.until("the logo on the sky", "document.querySelector('.sky .logo')?.naturalWidth === 120")
	p.unlock()
	p.until("the logo in the bar", "document.querySelector('header .logo')?.naturalWidth === 120")
	if accent := eval[string](p, "document.documentElement.style.getPropertyValue('--accent')"); accent == "" || accent == "#ffd400" {
		t.Errorf("the colour is %q: white letters on it could not be read", accent)
	}
	axe(t, p, "home")
}

const (
	// shade is how far a colour may be off: another build of the same browser smooths letters otherwise.
	shade = 48
	// share of the points that may be further off.
	share = 0.005
)

func TestPagesLookAsTheyWereSeen(t *testing.T) {
	in := browser(t)
	h := inUse(t)
	for _, s := range []screen{{1024, 600, "zh", "sky"}, {1024, 600, "en", "sky"}, {1280, 800, "zh", "sky"}, {1280, 800, "en", "night"}} {
		t.Run(fmt.Sprintf("%dx%d-%s-%s", s.width, s.height, s.language, s.theme), func(t *testing.T) {
			p := hang(t, in, h.url, s)
			views(p, func(view string) {
				switch view {
				case "system-log", "system-health", "system-wires", "system-automatic", "system-settings":
					return // times and versions
				}
				looks(t, filepath.Join("testdata", "panel", fmt.Sprintf("%s-%dx%d-%s-%s.png", view, s.width, s.height, s.language, s.theme)), func() []byte {
					if view == "dvd" { // its disc ends after a minute
						h.set("dvd.transport", "play")
						p.sees(`[data-set="dvd.transport=play"][aria-pressed=true]:not(.asked)`)
					}
					// What changes with the hour is hidden.
					eval[bool](p, `document.fonts.ready.then(() => {
						for (const e of document.querySelectorAll('time, .foot span:first-child, .sensors, .preview img, .cloud')) e.style.visibility = 'hidden';
						return new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => r(true))));
					})`)
					return bounded(p, func(ctx context.Context) ([]byte, error) { return chromedp.Run(ctx, chromedp.CaptureScreenshot()) })
				})
			})
			forget(p)
		})
	}
}

// looks waits until a page looks as in the picture that was looked at and committed: on a busy machine equipment may be
// missed for a moment, and the page rightly says so.
func looks(t *testing.T, golden string, take func() []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, take(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile(golden)
	if err != nil {
		t.Errorf("there is no picture to compare with: go test ./cmd/lectern -run TestPagesLook -update, and look at it: %v", err)
		return
	}
	seen := take()
	if bytes.Equal(seen, kept) {
		return
	}
	want := pixels(t, kept)
	most := int(share * float64(len(want.Pix)/4))
	for end := time.Now().Add(patience); ; seen = take() {
		off := differing(want, pixels(t, seen))
		if off <= most {
			return
		}
		if time.Now().After(end) {
			now := filepath.Join(t.ArtifactDir(), filepath.Base(golden))
			if err := os.WriteFile(now, seen, 0o644); err != nil {
				t.Error(err)
			}
			t.Errorf("%s: %d points look otherwise, of which %d may; what was seen is in %s", golden, off, most, now)
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// differing is how many points of two pictures are further off than shade: all of them, where one is larger.
func differing(a, b *image.RGBA) int {
	if a.Rect != b.Rect {
		return len(a.Pix) / 4
	}
	off := 0
	for i := 0; i < len(a.Pix); i += 4 {
		for c := range 3 {
			if d := int(a.Pix[i+c]) - int(b.Pix[i+c]); d > shade || d < -shade {
				off++
				break
			}
		}
	}
	return off
}

func pixels(t *testing.T, b []byte) *image.RGBA {
	t.Helper()
	decoded, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(decoded.Bounds())
	draw.Draw(out, out.Rect, decoded, decoded.Bounds().Min, draw.Src)
	return out
}
