package main

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"lectern/configs"
)

// The rows of the meeting service, each on a tablet in both languages: what staff do by the service
// instruction, and what the room gives them for it.

// onTablets plays a row in both languages, in a room of its own each time.
func onTablets(t *testing.T, play func(t *testing.T, h *house, p *glass, s screen), changes ...func(*configs.Room)) {
	t.Helper()
	in := browser(t)
	for _, s := range tablets {
		t.Run(s.language, func(t *testing.T) {
			h, p := served(t, in, s, changes...)
			play(t, h, p, s)
		})
	}
}

// moves moves the review to a phase, and waits until the tablet says so.
func moves(p *glass, s screen, to, zh, en string) {
	p.t.Helper()
	review := meetingOf(p, "项目评审 Review")
	p.tap(review + "[data-to=" + to + "]")
	p.reads(review+".chip", speaks(s, zh, en))
}

// reports writes a repair order by hand and stays on its page.
func reports(p *glass, symptom, device string) {
	p.t.Helper()
	p.goes("/staff/orders", "orders")
	p.types("form.fields [name=symptom]", symptom)
	p.types("form.fields [name=who]", "WM")
	eval[bool](p, "document.querySelector('form.fields [name=device]').value = "+quoted(device)+"; true")
	p.tap("form.fields button.main")
	p.sees("body.order")
}

// checks presses the one button of the equipment check and waits for a device to be found.
func checks(p *glass, device string) {
	p.t.Helper()
	p.goes("/staff/check", "check")
	p.types("[name=who]", "WM")
	p.tap("[data-do=check]")
	p.sees(`[data-found=` + quoted(device) + `]`)
	p.checked()
}

func TestB1StaffKnowTheDaysMeetings(t *testing.T) {
	t.Parallel()
	onTablets(t, func(t *testing.T, _ *house, p *glass, s screen) {
		review := meetingOf(p, "项目评审 Review")
		for _, part := range []string{"第一会议室", "U形", "20", "茶水、横幅", "Wang"} {
			p.reads(review+"dl", part)
		}
		if at := eval[string](p, "document.querySelector("+quoted(review+"h3")+").innerText"); !strings.Contains(at, "–") || !strings.Contains(at, ":") {
			t.Errorf("it says when in %q", at)
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
	})
}

func TestB2TheChecklistOpensByItselfAndATickHasTimeAndInitials(t *testing.T) {
	t.Parallel()
	onTablets(t, func(t *testing.T, _ *house, p *glass, _ screen) {
		for _, list := range []string{"prepare-60", "prepare-30"} { // of the board in 50 minutes, and the review in 25
			p.sees(`details[open][data-list="` + list + `"] [data-item="0"]`)
		}
		p.types(`[data-list="prepare-60"] [name=who]`, "WM")
		p.tap(`[data-list="prepare-60"] [data-item="2"]`)
		p.until("the tick stands with its initials and time", `/✓ WM \d\d:\d\d/.test(document.querySelector('[data-list="prepare-60"] .ticked .by')?.innerText)`)
		if n := eval[int](p, `document.querySelectorAll('[data-list="prepare-60"] .ticked').length`); n != 1 {
			t.Errorf("%d items are ticked", n)
		}
	})
}

func TestB3OnePressChecksTheEquipmentAndAFaultBecomesAnOrder(t *testing.T) {
	t.Parallel()
	onTablets(t, func(_ *testing.T, h *house, p *glass, s screen) {
		h.set("wall-lights.power", true)
		h.fault("temperature", "silent-unit-5")
		e := h.listen("bus")
		p.goes("/staff/check", "check")
		p.types("[name=who]", "WM")
		p.tap("label.check [name=exercise]")
		p.tap("label.check [name=empty]")
		p.tap("[data-do=check]")
		p.reads(`[data-found="temperature"].bad`, speaks(s, "故障", "Failed"))
		p.reads(`[data-found="wall-lights"]`, speaks(s, "正常，已试", "OK, exercised"))
		p.reads(`[data-found="projector"]`, speaks(s, "未通电", "No mains"))
		h.hears(e, "01 05 00 01 00 00", "01 05 00 01 FF 00") // off, and on again
		p.checked()
		p.tap(`[data-found="temperature"] a[href^="/staff/orders/"]`)
		p.reads("h1 .chip", speaks(s, "待处理", "Open"))
		p.reads("table.form", speaks(s, "设备检查", "Equipment check"))
	})
}

func TestB4TheTemperatureIsAmberOutsideItsBand(t *testing.T) {
	t.Parallel()
	onTablets(t, func(_ *testing.T, h *house, p *glass, s screen) { // the room has 23 °C
		p.reads(".temperature.amber", speaks(s, "偏高", "Too warm"))
		p.goes("/staff/health", "health")
		p.reads(".temperature.amber", speaks(s, "规定10–15°C", "Band 10 to 15 °C"))
		h.fault("temperature", "silent-unit-5") // what nobody reads is not shown as if it were known
		p.shows("that it is not known", "document.querySelector('.temperature:not(.amber) .big')?.innerText === "+quoted(speaks(s, "未知", "Unknown")))
		h.fault("temperature", "")
		p.shows("the temperature", "document.querySelector('.temperature.amber')")
	}, func(r *configs.Room) { r.Meetings.Low, r.Meetings.High = 10, 15 })
}

func TestB5TheLightsAreAsTheMeetingAsksAndARepairOrderGoesItsWay(t *testing.T) {
	t.Parallel()
	onTablets(t, func(_ *testing.T, h *house, p *glass, s screen) {
		p.types(meetingOf(p, "项目评审 Review")+"[name=who]", "WM")
		moves(p, s, "preparing", "准备中", "Preparing")
		h.truly("wall-lights.power", "true")
		reports(p, "画面偏黄 yellow picture", "projector")
		p.sees("details.picture")
		p.reads("table.form", "WM")
		p.reads("h1 .chip", speaks(s, "待处理", "Open"))
		p.types("[name=to]", "Zhang")
		p.types("[name=text]", "去看")
		for _, step := range []struct{ do, zh, en string }{{"assigned", "已派工", "Assigned"}, {"fixed", "已修复", "Fixed"}, {"confirmed", "已确认", "Confirmed"}} {
			p.tap("[value=" + step.do + "]")
			p.reads("h1 .chip", speaks(s, step.zh, step.en))
			p.types("[name=text]", "换了灯泡")
		}
		p.reads("main table + h2 + table", "Zhang")
	})
}

// The reminder is on the tablet, also where it is locked, and on no presenter's panel.
func TestB6TeaIsForTheTabletOnly(t *testing.T) {
	t.Parallel()
	onTablets(t, func(t *testing.T, h *house, p *glass, s screen) {
		p.types(meetingOf(p, "项目评审 Review")+"[name=who]", "WM")
		moves(p, s, "session", "会议中", "In session")
		p.reads(".banner.tea", speaks(s, "请添水", "Pour water"))
		wall := hang(t, browser(t), h.url, wall)
		wall.unlock()
		if text := eval[string](wall, "document.body.innerText"); strings.Contains(text, "添水") || strings.Contains(text, "Pour") {
			t.Errorf("the presenters read %s", text)
		}
		eval[bool](p, "window.before = true")
		p.tap("[data-do=tea]")
		p.until("the page has come anew", "window.before !== true && document.readyState === 'complete' && document.querySelector('body.today')")
		p.tap(`form[action="/staff/leave"] button`)
		p.sees("body.enter .banner.tea")
		if text := eval[string](p, "document.body.innerText"); strings.Contains(text, "Review") {
			t.Errorf("the locked tablet says whose meeting it is: %s", text)
		}
		p.enterStaff()
		p.tap(meetingOf(p, "项目评审 Review") + `a[href^="/staff/records/"]`)
		p.reads("table.lines", speaks(s, "添水", "Water poured"))
	}, func(r *configs.Room) { r.Meetings.Tea = time.Nanosecond })
}

func TestB7APhaseRunsItsScene(t *testing.T) {
	t.Parallel()
	onTablets(t, func(_ *testing.T, h *house, p *glass, s screen) {
		p.types(meetingOf(p, "项目评审 Review")+"[name=who]", "WM")
		moves(p, s, "preparing", "准备中", "Preparing")
		h.truly("wall-lights.power", "true")
		moves(p, s, "session", "会议中", "In session")
		moves(p, s, "break", "休息", "Break")
		h.truly("wall-lights.power", "false")
		moves(p, s, "session", "会议中", "In session")
		moves(p, s, "ended", "已结束", "Ended")
	})
}

func TestB8AfterTheMeetingTheEquipmentIsCheckedAgain(t *testing.T) {
	t.Parallel()
	onTablets(t, func(_ *testing.T, h *house, p *glass, s screen) {
		p.types(meetingOf(p, "项目评审 Review")+"[name=who]", "WM")
		moves(p, s, "session", "会议中", "In session")
		moves(p, s, "ended", "已结束", "Ended")
		p.sees(`details[open][data-list="closing"]`)
		p.tap(`[data-list="closing"] [data-item="1"]`)
		p.sees(`[data-list="closing"] .ticked`)
		checks(p, "door-lights")
		p.reads(`[data-found="door-lights"]`, speaks(s, "正常", "OK"))
		h.fault("temperature", "silent-unit-5")
		checks(p, "temperature")
		p.sees(`[data-found="temperature"].bad a[href^="/staff/orders/"]`)
	})
}

func TestB9TheRecordOfAMeetingWritesItself(t *testing.T) {
	t.Parallel()
	onTablets(t, func(t *testing.T, h *house, p *glass, s screen) {
		review := meetingOf(p, "项目评审 Review")
		p.types(`[data-list="prepare-30"] [name=who]`, "WM")
		p.tap(`[data-list="prepare-30"] [data-item="0"]`)
		p.sees(".ticked")
		moves(p, s, "session", "会议中", "In session")
		reports(p, "画面偏黄 yellow picture", "projector")
		p.goes("/staff", "today")
		moves(p, s, "ended", "已结束", "Ended")
		p.tap(review + `a[href^="/staff/records/"]`)
		p.sees("body.record")
		for _, part := range []string{"WM", "U形", "画面偏黄 yellow picture", speaks(s, "会议状态：会议中", "Phase: In session"), speaks(s, "会前30分钟检查", "Check 30 minutes before")} {
			p.reads("main", part)
		}
		sheet := fetched(p, h.url, "/staff/records.csv")
		if !strings.Contains(sheet, "项目评审 Review") || !strings.Contains(sheet, "画面偏黄") {
			t.Errorf("the records have\n%s", sheet)
		}
		p.goes("/staff/month", "month")
		p.sees("svg.plot")
	})
}

func TestB10TheLedgerLosesNothing(t *testing.T) {
	t.Parallel()
	onTablets(t, func(t *testing.T, h *house, p *glass, s screen) {
		reports(p, "没有声音 no sound", "")
		reports(p, "画面偏黄 yellow picture", "projector")
		p.types("[name=to]", "Zhang")
		p.types("[name=text]", "去看")
		p.tap("[value=assigned]")
		p.reads("h1 .chip", speaks(s, "已派工", "Assigned"))
		p.types("[name=text]", "换了灯泡")
		p.tap("[value=fixed]")
		p.reads("h1 .chip", speaks(s, "已修复", "Fixed"))
		p.tap("[value=confirmed]") // the customer's word
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
		p.goes("/staff/orders", "orders")
		p.until("both stand in it", "document.querySelectorAll('[data-order]').length === 2")
		eval[bool](p, "document.querySelector('[name=state]').value = 'unclosed'; true")
		p.tap("form.row button")
		p.until("the filter leaves one", "document.querySelectorAll('[data-order]').length === 1")
		p.reads("[data-order]", "没有声音 no sound")
	})
}
