package main

import (
	"testing"
)

// Who presents asks for help; the panel shows when staff have answered.
func TestHelpIsAskedForAndAnswered(t *testing.T) {
	for _, language := range []string{"zh", "en"} {
		t.Run(language, func(t *testing.T) {
			s := screen{1024, 600, language, ""}
			h := demo(t)
			in := browser(t)
			p := hang(t, in, h.url, s)
			p.unlock()
			p.touch("#help")
			p.reads("dialog[open] h2", speaks(s, "报修", "Ask for help"))
			for _, fault := range eval[[]string](p, "document.fonts.ready.then(() => "+gauge+"(true))") {
				t.Error(fault)
			}
			axe(t, p, "help")
			p.touch("[data-answer=sound]")
			p.reads(".toast", speaks(s, "已通知物业", "Staff have been told"))
			p.sees("#help.asked")
			staff := hang(t, in, h.url+"/staff/lang?to="+language, tablets[0])
			staff.enterStaff()
			staff.goes("/staff/orders", "orders")
			staff.reads("[data-order]", "没有声音 / No sound")
			staff.reads("[data-order]", speaks(s, "面板", "Panel"))
			staff.tap("[data-order] a")
			staff.types("[name=to]", "Zhang")
			staff.types("[name=who]", "WM")
			staff.tap("[value=assigned]")
			staff.reads("h1 .chip", speaks(s, "已派工", "Assigned"))
			p.reads(".toast", speaks(s, "已响应", "Staff answered at"))
			p.misses("#help.asked")
			p.touch("#help")
			p.reads("dialog[open] p", speaks(s, "已响应", "staff answered at"))
			p.touch("[data-answer=no]")
		})
	}
}
