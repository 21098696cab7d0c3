package main

import (
	"os"
	"testing"
)

func TestLightsAndCurtainsAreExercisedInAnEmptyRoomOnly(t *testing.T) {
	t.Parallel()
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
	p.checked()
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
	t.Parallel()
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
