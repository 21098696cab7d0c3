package guide

import (
	"strings"
)

// enter is how a person comes in, and leaves.
func (w *writer) enter() Section {
	s := Section{Title: w.say("进入主菜单", "Coming in")}
	name, idle := quote(w.name(w.Cfg.Room.Name)), w.Cfg.Panel.Idle
	blue := w.Cfg.Panel.Theme.Mode != "night"
	sky := w.say(map[bool]string{true: "蓝天背景的%s页面", false: "%s页面"}[blue], map[bool]string{true: "the page %s with its blue sky", false: "the page %s"}[blue], name)
	s.add(w.say("在控制触摸屏上，按下触摸屏任一位置，则触摸屏上出现%s。", "Touch the panel anywhere: it shows %s.", sky))
	s.add(w.say("在触摸屏上再按一下，页面上马上会跳出%s的提示界面，按下页面显示的数字按钮，输入系统设置的密码后，按下%s（ENTER）按钮，触摸屏进入主页面。输错一位按%s；密码错误时，页面显示还可试的次数。",
		"Touch it once more: the keypad %s comes up. Enter the PIN with its digits and press %s; the main page opens. %s takes a digit back. After a wrong PIN the panel says how many tries are left.",
		w.key("pin.main"), w.key("pin.enter"), w.key("pin.delete")))
	if rows := w.buttons(); len(rows) > 0 {
		s.Items = append(s.Items, Item{
			Text:  w.say("主页面上有以下按钮，在各页面的导航栏中也有：", "The main page has these buttons; the bar of every page has them too:"),
			Table: &Table{Head: []string{w.say("按钮", "Button"), w.say("设备", "Equipment")}, Rows: rows},
		})
	}
	s.add(w.say("按下%s按钮，页面改用另一种语言。", "%s changes the language of the panel.", w.key("lang.other")))
	s.add(w.say("无人触摸时，设备保持原状：%s后触摸屏回到%s，%s后变黑；%s后须重新输入密码。",
		"When nobody touches the panel the equipment stays as it is: after %s the panel goes back to %s, after %s it goes dark, and after %s the PIN is asked again.",
		w.time(idle.Sleep), sky, w.time(idle.Dark), w.time(idle.Lock)))
	s.Items = append(s.Items, w.leave())
	return s
}

// leave is how a meeting ends.
func (w *writer) leave() Item {
	for _, scene := range w.Cfg.Scenes {
		if scene.ID == w.Cfg.Panel.End {
			return Item{
				Text: w.say("会议结束时，按下任一页面上的%s按钮：再按%s，执行以下各步并锁定面板；按%s，设备保持原状。",
					"At the end of a meeting press %s, which every page has. %[2]s then does the following and locks the panel; %[3]s leaves the equipment as it is.",
					w.key("end"), w.key("end"), w.key("end.only")),
				List: w.steps(scene),
			}
		}
	}
	return Item{Text: w.say("会议结束时，按下任一页面上的%s按钮，再按%s；设备保持原状。", "At the end of a meeting press %s, which every page has, and then %s; the equipment stays as it is.", w.key("end"), w.key("end.lock"))}
}

// buttons lists the pages and what is on each.
func (w *writer) buttons() (rows [][]string) {
	for _, p := range w.pages {
		if p.id == "home" {
			continue
		}
		var on []string
		for _, t := range p.things {
			if n := w.name(t.name); len(on) == 0 || on[len(on)-1] != n {
				on = append(on, n)
			}
		}
		what := strings.Join(on, w.say("、", ", "))
		if p.id == "system" {
			what = w.say("机柜电源、设备健康、日志、设置；需要系统密码", "rack power, health, log, settings; needs the system PIN")
			if len(p.things) == 0 {
				what = w.say("设备健康、日志、设置；需要系统密码", "health, log, settings; needs the system PIN")
			}
		}
		rows = append(rows, []string{p.title, what})
	}
	return rows
}

func (s *Section) add(text string) { s.Items = append(s.Items, Item{Text: text}) }
