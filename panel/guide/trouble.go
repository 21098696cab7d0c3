package guide

import (
	"fmt"
	"slices"
	"strings"

	"lectern/configs"
)

// any reports whether the room has a device for which f holds.
func (w *writer) any(f func(configs.Device) bool) bool { return slices.ContainsFunc(w.Cfg.Devices, f) }

func fed(d configs.Device) bool       { return d.Mains != "" }
func projector(d configs.Device) bool { return d.Kind == "projector" }
func curtain(d configs.Device) bool   { return d.Kind == "curtain" || d.Kind == "screen" }

// reading is what the marks on the panel mean.
func (w *writer) reading() Section {
	s := Section{Title: w.say("看懂状态", "Reading the panel")}
	s.add(w.say("页面显示的是设备自己报告的状态，不是按过的按钮。", "What the panel shows is what the equipment itself has reported, not what was pressed."))
	rows := [][]string{
		{w.say("按钮填色并有“✓”", "A filled button with a check"), w.say("设备报告处于该状态", "The equipment has reported that it is so")},
		{w.say("按钮琥珀色虚线框", "An amber button with a dashed border"), w.say("已按下，等待设备确认", "It was asked for; the equipment has not confirmed it yet")},
		{w.say("按钮上有锁", "A lock on a button"), w.say("现在不能执行；按下时说明原因和还需等待的时间", "It would be refused now; pressing it says why and for how long")},
		{w.word("state.assumed"), w.say("设备不能回读，按发出的命令推算", "The equipment cannot be read back; reckoned from what it was told")},
		{w.word("state.stale"), w.say("设备暂时没有应答，显示的是它最后一次报告的状态", "It does not answer just now; this is what it reported last")},
		{w.word("state.unknown"), w.say("状态不知道；不等于已关闭", "Not known; that does not mean off")},
		{w.word("state.offline"), w.say("设备没有应答；不等于已关闭", "The equipment does not answer; that does not mean off")},
	}
	if w.any(fed) {
		rows = append(rows, []string{w.word("state.unfed"), w.say("其机柜电源未开", "Its rack circuit is off")})
	}
	rows = append(rows, []string{w.word("state.fault"), w.say("设备报告自身有故障，旁边是它的说明", "The equipment reports a fault of its own, in the words beside it")},
		[]string{w.word("lost"), w.word("lost.why")})
	s.Items = append(s.Items, Item{Text: w.say("各种显示的含义：", "What the marks mean:"), Table: &Table{Head: []string{w.say("显示", "Shown"), w.say("含义", "Means")}, Rows: rows}})
	return s
}

// faults is what to do when something does not work, and what to say when it is reported.
func (w *writer) faults() Section {
	s := Section{Title: w.say("故障与报修", "Faults, and reporting them")}
	if _, ok := w.page("system"); ok {
		s.add(w.say("在%s页面的%s页签中，有问题的设备排在最前；%s页签记录何时由谁操作、结果如何。", "On the page %s, %s lists what is wrong first; %s tells who did what, when, and with what result.",
			w.key("page.system"), w.key("tab.health"), w.key("tab.log")))
	}
	rows := [][]string{
		{w.word("state.offline"), w.say("检查该设备的电源和连线；接好后自动恢复，不必重启控制器", "See that it has power and that its cable is in; it comes back by itself, the controller need not be restarted")},
		{w.word("state.unknown"), w.say("等待片刻；仍为未知时按离线处理", "Wait a moment; where it stays so, do as for offline")},
	}
	if w.any(fed) {
		rows = append(rows, []string{w.word("state.unfed"), w.say("先开启机柜设备", "Switch the rack on first")})
	}
	if w.any(projector) {
		rows = append(rows, []string{w.say("投影机类设备显示%s", "%s on a projector or display", w.word("state.fault")), w.say("记下说明文字，关闭该设备，等冷却后报修", "Note the words, switch it off, let it cool down and report it")})
	}
	if w.any(curtain) {
		rows = append(rows, []string{w.word("curtains.unknown"), w.say("完全升起或完全放下一次", "Let it go fully up or fully down once")})
	}
	rows = append(rows,
		[]string{w.word("said.silent"), w.say("再按一次；仍无反应时看该设备是否离线", "Press once more; where nothing happens see whether it is offline")},
		[]string{w.word("pin.wait", w.say("若干", "…")), w.say("等待页面显示的时间后再输入；忘记密码时联系管理员", "Wait as long as it says and try again; who has forgotten the PIN asks the administrator")},
		[]string{w.word("lost"), w.say("等待自动重连；超过一分钟时检查控制器的电源和网络", "Wait; where it lasts more than a minute look at the controller's power and network")})
	s.Items = append(s.Items, Item{Text: w.say("按页面的显示处理：", "Do as the panel shows:"), Table: &Table{Head: []string{w.say("显示", "Shown"), w.say("处理", "Do")}, Rows: rows}})
	who := w.say("向管理员报修", "Report to the administrator")
	if help := w.Cfg.Room.Help; help != "" {
		who = w.say("拨打%s报修", "Report by telephone, %s", help)
	}
	s.add(w.say("%s，说明：房间（%s）、设备名称、页面上的文字、发生时间。", "%s, and say: the room (%s), the equipment, the words on the panel, and when it happened.", who, w.name(w.Cfg.Room.Name)))
	s.Items = append(s.Items, w.wires(), w.circuits())
	s.Items = slices.DeleteFunc(s.Items, func(i Item) bool { return i.Table != nil && len(i.Table.Rows) == 0 })
	return s
}

// wires is what a technician wants to know first: what hangs on which line.
func (w *writer) wires() Item {
	t := &Table{Head: []string{w.say("线路", "Line"), w.say("端口或地址", "Port or address"), w.say("设备", "Equipment")}}
	for _, l := range w.Cfg.Lines {
		var on []string
		for _, d := range w.Cfg.Devices {
			if d.Line == l.ID || d.Relays != nil && (d.Relays.Up.Line == l.ID || d.Relays.Down.Line == l.ID) {
				on = append(on, w.name(d.Name))
			}
		}
		t.Rows = append(t.Rows, []string{l.ID, l.Port + l.Address, strings.Join(on, w.say("、", ", "))})
	}
	return Item{Text: w.say("线路对照表（供技术人员使用）：", "The lines, for technicians:"), Table: t}
}

// circuits is what gets its mains from where.
func (w *writer) circuits() Item {
	t := &Table{Head: []string{w.say("供电回路", "Circuit"), w.say("设备", "Equipment")}}
	for _, circuit := range w.Cfg.Devices {
		var on []string
		for _, d := range w.Cfg.Devices {
			if d.Mains == circuit.ID {
				on = append(on, w.name(d.Name))
			}
		}
		if len(on) > 0 {
			t.Rows = append(t.Rows, []string{w.name(circuit.Name), strings.Join(on, w.say("、", ", "))})
		}
	}
	return Item{Text: w.say("供电对照表（供技术人员使用）：", "The mains circuits, for technicians:"), Table: t}
}

// afterPower is what the room does when the mains is back.
func (w *writer) afterPower() Section {
	s := Section{Title: w.say("断电以后", "After a power failure")}
	but := ""
	if len(w.starts()) > 0 || slices.ContainsFunc(w.Cfg.Scenes, func(s configs.Scene) bool { return s.OnRestart != "leave" }) {
		but = w.say("除下面写明的以外，", "but for what stands below ")
	}
	s.add(w.say("来电后控制器自动启动，先读取各设备的状态；%s不会自行开关或移动任何设备。", "The controller starts by itself and reads the state of the equipment first; %sit switches and moves nothing by itself.", but))
	for _, kind := range []struct{ policy, zh, en string }{
		{"finish", "%s在执行中断电的，来电后继续执行到完成。", "%s: cut off by the failure, it goes on and is finished."},
		{"unwind", "%s在执行中断电的，来电后退回到执行之前。", "%s: cut off by the failure, it is taken back."},
		{"leave", "%s在执行中断电的，来电后停在断电时的状态，需要时再按一次。", "%s: cut off by the failure, it stays where it was; press it again if it is wanted."},
	} {
		var names []string
		for _, scene := range w.Cfg.Scenes {
			if scene.OnRestart == kind.policy && scene.Area != "staff" {
				names = append(names, quote(w.name(scene.Name)))
			}
		}
		if len(names) > 0 {
			s.add(w.say(kind.zh, kind.en, w.list(names)))
		}
	}
	if w.any(curtain) {
		s.add(w.say("显示%s的窗帘或幕布，完全升起或完全放下一次后恢复。", "A curtain or screen that shows %s finds its place again when it has gone fully up or fully down once.", w.key("curtains.unknown")))
	}
	for _, d := range w.Cfg.Devices {
		if d.Kind == "projector" && d.Mains != "" && d.Transition.Cool > 0 {
			s.add(w.say("%s在使用中断电的，等待%s冷却后再打开。", "%s, where it was on: let it cool for %s before it is switched on again.", w.name(d.Name), w.time(d.Transition.Cool)))
		}
	}
	for _, group := range w.starts() {
		s.add(w.say("%s的音量高于%s时，通电后自动降到%s。", "%s: a volume above %s is brought down to %s when it comes up.", w.list(group.names), group.start, group.start))
	}
	return s
}

type startGroup struct {
	start string
	names []string
}

// starts lists the volumes that are brought down when the equipment comes up.
func (w *writer) starts() (groups []startGroup) {
	for _, d := range w.Cfg.Devices {
		if d.Limit == nil || d.Limit.Start == nil {
			continue
		}
		start := fmt.Sprint(*d.Limit.Start)
		i := slices.IndexFunc(groups, func(g startGroup) bool { return g.start == start })
		if i < 0 {
			groups = append(groups, startGroup{start: start})
			i = len(groups) - 1
		}
		groups[i].names = append(groups[i].names, w.name(d.Name))
	}
	return groups
}
