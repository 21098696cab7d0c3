package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"lectern/configs"
)

// tablets are what property staff hold: upright, in both languages.
var tablets = []screen{{800, 1280, "zh", ""}, {800, 1280, "en", ""}}

// diary is a calendar file with meetings so many minutes from now.
type diary struct {
	path string
	text string
}

func (d *diary) add(uid string, in, long time.Duration, lines ...string) {
	at := time.Now().Add(in).UTC().Format("20060102T150405Z")
	d.text += fmt.Sprintf("BEGIN:VEVENT\r\nUID:%s\r\nDTSTART:%s\r\nDURATION:PT%dM\r\n%s\r\nEND:VEVENT\r\n", uid, at, int(long.Minutes()), strings.Join(lines, "\r\n"))
}

func (d *diary) write(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(d.path, []byte("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"+d.text+"END:VCALENDAR\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// served is a room with a calendar, whose staff hold a tablet.
func served(t *testing.T, in context.Context, s screen, changes ...func(*configs.Room)) (*house, *glass) {
	t.Helper()
	d := &diary{path: filepath.Join(t.TempDir(), "room.ics")}
	d.add("review", 25*time.Minute, time.Hour, "SUMMARY:项目评审 Review", "LOCATION:第一会议室", "DESCRIPTION:布局：U形\\n人数：20\\n茶水、横幅", "ORGANIZER;CN=Wang:mailto:w@example.com")
	d.add("board", 50*time.Minute, time.Hour, "SUMMARY:Board")
	d.add("off", 4*time.Hour, time.Hour, "SUMMARY:Called off", "STATUS:CANCELLED")
	d.write(t)
	h := open(t, example("demo.yaml"), append([]func(*configs.Room){func(r *configs.Room) {
		r.Meetings.Calendar = d.path
		r.Meetings.Phases = configs.Phases{Preparing: "lights-on", Break: "lights-off"}
		// The day must not turn over between now and the meetings.
		r.Room.Timezone = zoneOfNoon()
	}}, changes...)...)
	p := hang(t, in, h.url+"/staff/lang?to="+s.language, s)
	t.Cleanup(func() { forgetStaff(p) }) // the next one is asked for the PIN, however this one ends
	p.enterStaff()
	return h, p
}

// zoneOfNoon is a timezone in which it is about noon now.
func zoneOfNoon() string {
	h := 12 - time.Now().UTC().Hour()
	return fmt.Sprintf("Etc/GMT%+d", -h)
}

// enterStaff opens the staff area with its PIN.
func (p *glass) enterStaff() {
	p.t.Helper()
	p.sees("input[name=pin]")
	p.types("input[name=pin]", "2468")
	p.tap("form button.main")
	p.sees("body.today")
}

// tap touches an element of a page that is seen: what is touched before a page is painted the browser
// drops, and every one of these pages is a new one.
func (p *glass) tap(selector string) {
	p.t.Helper()
	p.until("the page is painted", "document.readyState === 'complete' && performance.getEntriesByType('paint').length > 0")
	p.touch(selector)
}

// shows goes to the page of the day, and loads it again until a piece of script is true of it.
func (p *glass) shows(what, script string) {
	p.t.Helper()
	p.do(chromedp.Navigate(eval[string](p, "location.origin") + "/staff"))
	p.comesTo(what, script)
}

// comesTo loads a page again until a piece of script is true of it.
func (p *glass) comesTo(what, script string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); p.do(chromedp.Reload()) {
		if eval[bool](p, "Boolean("+script+")") {
			return
		}
	}
	p.t.Fatalf("the tablet never shows: %s\n%s", what, eval[string](p, "document.body.innerText"))
}

// types fills in a field.
func (p *glass) types(selector, text string) {
	p.t.Helper()
	// Seen and written in one go: a page may be put together anew in between.
	p.until("write into "+selector, fmt.Sprintf("(() => { const e = document.querySelector(%s); if (!e?.checkVisibility()) return false; e.value = %s; return true; })()", quoted(selector), quoted(text)))
}

// goes follows one of the ways in the bar.
func (p *glass) goes(path, body string) {
	p.t.Helper()
	p.until("the page is whole", "document.readyState === 'complete'")
	eval[bool](p, "document.body.className = 'left'; true") // so that the page that is left is not taken for the next
	p.tap("nav a[href=" + quoted(path) + "]")
	p.sees("body." + body)
}

// checked waits until an equipment check is over: until then the page comes again and again, and what is touched on one
// that is just leaving is lost.
func (p *glass) checked() {
	p.t.Helper()
	p.until("the check is over", "document.querySelector('form.fields') && document.querySelector('.found')")
}

// meetingOf is the part of the day's page that a meeting has.
func meetingOf(p *glass, title string) string {
	p.t.Helper()
	script := fmt.Sprintf("[...document.querySelectorAll('[data-meeting]')].find(e => e.innerText.includes(%s))?.dataset.meeting || ''", quoted(title))
	p.until("the meeting "+title+" is there", script)
	return "[data-meeting=" + quoted(eval[string](p, script)) + "] "
}

// fetched is a file that the browser may have, fetched with its session: the pages' own policy lets no
// script fetch anything.
func fetched(p *glass, url, path string) string {
	p.t.Helper()
	request, err := http.NewRequest(http.MethodGet, url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	kept := tell(p, network.GetCookies, network.GetCookiesParams{URLs: []string{url + "/staff"}})
	for _, c := range kept.Cookies {
		request.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

// forgetStaff makes the browser a stranger again.
func forgetStaff(p *glass) {
	p.t.Helper()
	tell(p, network.ClearBrowserCookies, cdp.Empty{})
}
