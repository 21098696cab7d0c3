package main

import (
	"context"
	"encoding/csv"
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
	"github.com/chromedp/cdproto/page"
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

// shows loads the page of the day again until a piece of script is true of it.
func (p *glass) shows(what, script string) {
	p.t.Helper()
	origin := eval[string](p, "location.origin")
	for end := time.Now().Add(patience); time.Now().Before(end); {
		p.do(chromedp.Navigate(origin + "/staff"))
		if eval[bool](p, "Boolean("+script+")") {
			return
		}
	}
	p.t.Fatalf("the tablet never shows: %s\n%s", what, eval[string](p, "document.body.innerText"))
}

// types fills in a field.
func (p *glass) types(selector, text string) {
	p.t.Helper()
	p.sees(selector)
	eval[bool](p, fmt.Sprintf("(() => { const e = document.querySelector(%s); e.value = %s; return true; })()", quoted(selector), quoted(text)))
}

// goes follows one of the ways in the bar.
func (p *glass) goes(path, body string) {
	p.t.Helper()
	p.until("the page is whole", "document.readyState === 'complete'")
	eval[bool](p, "document.body.className = 'left'; true") // so that the page that is left is not taken for the next
	p.tap("nav a[href=" + quoted(path) + "]")
	p.sees("body." + body)
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

func TestStaffServeAMeetingByTheInstruction(t *testing.T) {
	in := browser(t)
	for _, s := range tablets {
		t.Run(s.language, func(t *testing.T) {
			h, p := served(t, in, s, func(r *configs.Room) { r.Meetings.Low, r.Meetings.High = 10, 15 }) // the room has 23 °C
			review := meetingOf(p, "项目评审 Review")

			// B1: time, place, layout, head count, requirements - from the calendar.
			for _, part := range []string{"第一会议室", "U形", "20", "茶水、横幅", "Wang"} {
				p.reads(review+"dl", part)
			}
			p.reads(meetingOf(p, "Called off")+".chip", speaks(s, "已取消", "Cancelled"))
			p.reads(meetingOf(p, "Board"), speaks(s, "与其他会议时间重叠", "Overlaps with another meeting"))
			// ... or by hand; what is wrong with the form loses nothing of it.
			p.tap(`a[href="/staff/meetings/new"]`)
			p.types("[name=title]", "临时会议 Ad hoc")
			p.types("[name=layout]", "圆桌")
			p.types("[name=end]", "2001-01-01T10:00")
			p.types("[name=who]", "LL")
			p.tap("form.fields button.main")
			p.reads("[role=alert]", speaks(s, "结束要晚于开始", "an end that comes after it"))
			day := eval[string](p, "document.querySelector('[name=start]').value.slice(0, 10)")
			p.types("[name=start]", day+"T20:00")
			p.types("[name=end]", day+"T21:00")
			p.tap("form.fields button.main")
			p.sees("body.today")
			p.reads(meetingOf(p, "临时会议 Ad hoc")+"dl", "圆桌")

			// B2: 60 and 30 minutes before, the checklist is open by itself; a tick has time and initials.
			for _, list := range []string{"prepare-60", "prepare-30"} {
				p.sees(`details[open][data-list="` + list + `"] [data-item="0"]`)
			}
			p.types(`[data-list="prepare-60"] [name=who]`, "WM")
			p.tap(`[data-list="prepare-60"] [data-item="2"]`)
			p.until("the tick stands with its initials and time", `/✓ WM \d\d:\d\d/.test(document.querySelector('[data-list="prepare-60"] .ticked .by')?.innerText)`)
			if n := eval[int](p, `document.querySelectorAll('[data-list="prepare-60"] .ticked').length`); n != 1 {
				t.Errorf("%d items are ticked", n)
			}

			// B3, B5: one press; a device that does not answer becomes a repair order.
			h.fault("temperature", "silent-unit-5")
			p.goes("/staff/check", "check")
			p.types("[name=who]", "WM")
			p.tap("[data-do=check]")
			p.reads(`[data-found="temperature"].bad`, speaks(s, "故障", "Failed"))
			p.reads(`[data-found="door-lights"]`, speaks(s, "正常", "OK"))
			p.reads(`[data-found="projector"]`, speaks(s, "未通电", "No mains"))
			p.sees(`[data-found="temperature"] a[href^="/staff/orders/"]`)

			// B4: the temperature is not shown as if it were known.
			p.shows("that the temperature is not known", "document.querySelector('.temperature .big').innerText === "+quoted(speaks(s, "未知", "Unknown")))
			h.fault("temperature", "")
			p.goes("/staff", "today")
			p.shows("the temperature", "document.querySelector('.temperature.amber')")
			p.reads(".temperature.amber", speaks(s, "偏高", "Too warm"))

			// B7: phases, each with its scene.
			p.types(review+"[name=who]", "WM")
			p.tap(review + "[data-to=preparing]")
			p.reads(review+".chip", speaks(s, "准备中", "Preparing"))
			h.truly("wall-lights.power", "true")
			p.tap(review + "[data-to=session]")
			p.reads(review+".chip", speaks(s, "会议中", "In session"))
			p.tap(review + "[data-to=break]")
			p.reads(review+".chip", speaks(s, "休息", "Break"))
			h.truly("wall-lights.power", "false")
			p.tap(review + "[data-to=session]")
			p.reads(review+".chip", speaks(s, "会议中", "In session"))

			// B5: the repair order goes its way; B10: in the ledger nothing is lost.
			p.goes("/staff/orders", "orders")
			p.types("form.fields [name=symptom]", "画面偏黄 yellow picture")
			eval[bool](p, "document.querySelector('form.fields [name=device]').value = 'projector'; true")
			p.tap("form.fields button.main")
			p.sees("body.order")
			p.sees("details.picture")
			p.types("[name=to]", "Zhang")
			p.types("[name=text]", "去看")
			p.tap("[value=assigned]")
			p.reads("h1 .chip", speaks(s, "已派工", "Assigned"))
			p.types("[name=text]", "换了灯泡")
			p.tap("[value=fixed]")
			p.reads("h1 .chip", speaks(s, "已修复", "Fixed"))
			p.tap("[value=confirmed]")
			p.reads("h1 .chip", speaks(s, "已确认", "Confirmed"))
			sheet := fetched(p, h.url, "/staff/orders.csv?state=confirmed")
			for _, part := range []string{"画面偏黄 yellow picture", "Zhang", "换了灯泡", "WM", "去看"} {
				if !strings.Contains(sheet, part) {
					t.Errorf("the ledger has no %q:\n%s", part, sheet)
				}
			}
			if rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(sheet, "\ufeff"))).ReadAll(); err != nil || len(rows) != 2 {
				t.Errorf("the filter takes more than the closed order, or it is no table (%v):\n%s", err, sheet)
			}

			// B8: after it the closing checklist.
			p.goes("/staff", "today")
			p.tap(review + "[data-to=ended]")
			p.sees(`details[open][data-list="closing"]`)
			p.tap(`[data-list="closing"] [data-item="1"]`)
			p.sees(`[data-list="closing"] .ticked`)

			// B9: the record has written itself.
			p.tap(review + `a[href^="/staff/records/"]`)
			p.sees("body.record")
			for _, part := range []string{"WM", "U形", "画面偏黄 yellow picture", speaks(s, "会议状态：会议中", "Phase: In session"), speaks(s, "会后检查", "Closing check"), speaks(s, "会前60分钟检查", "Check 60 minutes before")} {
				p.reads("main", part)
			}
			sheet = fetched(p, h.url, "/staff/records.csv")
			if !strings.Contains(sheet, "项目评审 Review") || !strings.Contains(sheet, "画面偏黄") {
				t.Errorf("the records have\n%s", sheet)
			}
			p.goes("/staff/month", "month")
			p.sees("svg.plot")
			forgetStaff(p)
		})
	}
}

// B6: the reminder is on the tablet, also where it is locked, and on no presenter's panel.
func TestTeaIsForTheTabletOnly(t *testing.T) {
	in := browser(t)
	for _, s := range tablets {
		h, p := served(t, in, s, func(r *configs.Room) { r.Meetings.Tea = time.Nanosecond })
		review := meetingOf(p, "项目评审 Review")
		p.types(review+"[name=who]", "WM")
		p.tap(review + "[data-to=session]")
		p.reads(".banner.tea", speaks(s, "请添水", "Pour water"))
		wall := hang(t, in, h.url, wall)
		wall.unlock()
		if text := eval[string](wall, "document.body.innerText"); strings.Contains(text, "添水") || strings.Contains(text, "Pour") {
			t.Errorf("the presenters read %s", text)
		}
		p.tap("[data-do=tea]")
		p.sees("body.today")
		p.tap(`form[action="/staff/leave"] button`)
		p.sees("body.enter .banner.tea")
		if text := eval[string](p, "document.body.innerText"); strings.Contains(text, "Review") {
			t.Errorf("the locked tablet says whose meeting it is: %s", text)
		}
		p.enterStaff()
		p.tap(meetingOf(p, "项目评审 Review") + `a[href^="/staff/records/"]`)
		p.reads("table.lines", speaks(s, "添水", "Water poured"))
		forgetStaff(p)
	}
}

func TestTwoWhoEditOneOrderLoseNoWords(t *testing.T) {
	in := browser(t)
	s := tablets[1]
	h, one := served(t, in, s)
	one.goes("/staff/orders", "orders")
	one.types("form.fields [name=symptom]", "no sound")
	one.types("form.fields [name=who]", "A")
	one.tap("form.fields button.main")
	one.sees("body.order")
	path := eval[string](one, "location.pathname")
	two := hang(t, in, h.url+path, s)
	two.sees("body.order")
	two.types("[name=text]", "words of B")
	two.types("[name=who]", "B")
	one.types("[name=text]", "words of A")
	one.tap("[value=note]")
	one.reads("main table + h2 + table", "words of A")
	two.tap("[value=fixed]")
	two.reads(".banner.bad", "words of A")
	if mine := eval[string](two, "document.querySelector('[name=text]').value"); mine != "words of B" {
		t.Errorf("in the form stands %q", mine)
	}
	two.tap("[value=fixed]") // having read the other's
	two.reads("h1 .chip", "Fixed")
	two.reads("main table + h2 + table", "words of B")
	two.reads("main table + h2 + table", "words of A")
}

func TestLightsAndCurtainsAreExercisedInAnEmptyRoomOnly(t *testing.T) {
	in := browser(t)
	s := tablets[1]
	h, p := served(t, in, s)
	h.set("wall-lights.power", true)
	e := h.listen("bus")
	p.goes("/staff/check", "check")
	p.types("[name=who]", "WM")
	p.tap("label.check [name=exercise]")
	p.tap("[data-do=check]")
	p.reads("[role=alert]", "Confirm that nobody is in the room")
	p.goes("/staff/check", "check")
	p.tap("label.check [name=exercise]")
	p.tap("label.check [name=empty]")
	p.tap("[data-do=check]")
	p.reads(`[data-found="wall-lights"]`, "exercised")
	p.until("it is over", "document.querySelector('h2')?.innerText.startsWith('Checked: ')")
	h.hears(e, "01 05 00 01 00 00", "01 05 00 01 FF 00") // off, and on again
	h.truly("wall-lights.power", "true")
	h.truly("door-lights.power", "false")
	// A meeting has the room: it cannot even be asked for.
	p.goes("/staff", "today")
	review := meetingOf(p, "项目评审 Review")
	p.tap(review + "[data-to=session]")
	p.reads(review+".chip", "In session")
	p.goes("/staff/check", "check")
	p.sees("[name=exercise]:disabled")
	eval[bool](p, "document.querySelector('[name=exercise]').disabled = false; document.querySelector('[name=exercise]').checked = true; const x = document.createElement('input'); x.type = 'hidden'; x.name = 'empty'; x.value = '1'; document.querySelector('form.fields').append(x); true")
	p.tap("[data-do=check]")
	p.reads("[role=alert]", "nothing was moved")
}

func TestACalendarThatIsDownIsToldAndTheLastOneHolds(t *testing.T) {
	in := browser(t)
	s := tablets[0]
	h, p := served(t, in, s)
	meetingOf(p, "Board")
	if err := os.WriteFile(h.cfg.Meetings.Calendar, []byte("<html>Log in</html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	eval[bool](p, "document.body.className = 'left'; true")
	p.tap(`form[action="/staff/calendar"] button`)
	p.sees("body.today")
	p.shows("since when the calendar is down", "document.querySelector('.banner.bad')?.innerText.includes('日历自')")
	meetingOf(p, "Board")
	// Also after a restart.
	h.stop()
	h.start()
	p = hang(t, in, h.url+"/staff", s)
	p.enterStaff()
	meetingOf(p, "Board")
}

func TestStaffFormsAreTakenFromTheirOwnPagesOnly(t *testing.T) {
	h := demo(t)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	ask := func(method, path, form, cookie string, headers ...string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequest(method, h.url+path, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Cookie", cookie)
		for i := 0; i+1 < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(b)
	}
	for _, path := range []string{"/staff", "/staff/health", "/staff/orders", "/staff/orders.csv", "/staff/records", "/staff/month", "/staff/check"} {
		if answer, body := ask("GET", path, "", ""); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), "/staff/enter") {
			t.Errorf("a stranger at %s gets %d %.80s", path, answer.StatusCode, body)
		}
	}
	if answer, body := ask("POST", "/staff/enter", "pin=0000", ""); answer.StatusCode != http.StatusUnauthorized || !strings.Contains(body, "还可试4次") {
		t.Errorf("a wrong PIN gets %d %s", answer.StatusCode, body)
	}
	answer, _ := ask("POST", "/staff/enter", "pin=2468&to=https://elsewhere.example/", "")
	if answer.Header.Get("Location") != "/staff" {
		t.Errorf("it sends people to %q", answer.Header.Get("Location"))
	}
	cookie := strings.SplitN(answer.Header.Get("Set-Cookie"), ";", 2)[0]
	_, page := ask("GET", "/staff/orders", "", cookie)
	_, rest, _ := strings.Cut(page, `name="mark" value="`)
	mark, _, _ := strings.Cut(rest, `"`)
	order := "who=A&symptom=x"
	if answer, _ := ask("POST", "/staff/orders", order, cookie); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a form without a mark: %d", answer.StatusCode)
	}
	if answer, _ := ask("POST", "/staff/orders", order+"&mark="+mark, cookie, "Origin", "http://elsewhere.example"); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %d", answer.StatusCode)
	}
	if answer, _ := ask("POST", "/staff/orders", order+"&mark="+mark, ""); answer.StatusCode != http.StatusSeeOther || !strings.HasPrefix(answer.Header.Get("Location"), "/staff/enter") {
		t.Errorf("a form of a stranger: %d", answer.StatusCode)
	}
	if answer, body := ask("POST", "/staff/orders", "who=A&symptom=%3Dcmd%7C1&mark="+mark, cookie); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("a right form: %d %s", answer.StatusCode, body)
	}
	if _, sheet := ask("GET", "/staff/orders.csv", "", cookie); !strings.Contains(sheet, "'=cmd|1") {
		t.Errorf("a spreadsheet would run what a person wrote: %s", sheet)
	}
	// Someone with the main PIN alone is not staff.
	answer, _ = ask("POST", "/api/v1/session", `{"pin":"1234","area":"main"}`, "", "Content-Type", "application/json")
	main := strings.SplitN(answer.Header.Get("Set-Cookie"), ";", 2)[0]
	if answer, _ := ask("GET", "/staff", "", main); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the main PIN opens the staff pages: %d", answer.StatusCode)
	}
}

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
	p.goes("/staff/check", "check")
	p.tap("[data-do=check]")
	p.until("it is over", "document.querySelector('form.fields') && document.querySelector('.found')")
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
				shoot(t, p, view+"-"+s.language)
			})
			forgetStaff(p)
		})
	}
}

// shoot keeps a picture and a print of a page where the tests were asked to keep what they make.
func shoot(t *testing.T, p *glass, name string) {
	t.Helper()
	shot := tell(p, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: new(true)})
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".png"), shot.Data, 0o600); err != nil {
		t.Error(err)
	}
	print := tell(p, page.PrintToPDF, page.PrintToPDFParams{PreferCSSPageSize: new(true)})
	if len(print.Data) < 1000 {
		t.Errorf("%s: the print has %d bytes", name, len(print.Data))
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name+".pdf"), print.Data, 0o600); err != nil {
		t.Error(err)
	}
}
