package guide

import (
	"slices"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/sequence"
)

// switches says which way a scene switches the circuits of the rack: "on", "off", or "" where it does
// not, or does both.
func (w *writer) switches(scene configs.Scene) string {
	made, _ := w.Engine.Scene(scene.ID)
	on, off := false, false
	var look func(steps []sequence.Step)
	look = func(steps []sequence.Step) {
		for _, s := range steps {
			for _, wish := range s.Set {
				if d, _ := w.device(wish.Device); d.Kind == "circuit" && wish.Property == "power" && wish.Value.Kind() == devices.KindBool {
					on, off = on || wish.Value.Bool(), off || !wish.Value.Bool()
				}
			}
			look(s.Together)
		}
	}
	look(made.Steps)
	switch {
	case on == off:
		return ""
	case on:
		return "on"
	}
	return "off"
}

// rackOn is how the rack is switched on.
func (w *writer) rackOn() Section {
	s := Section{Title: w.say("机柜设备开启", "Switching the rack on")}
	system, _ := w.page("system")
	circuits := system.of("circuit", "light")
	if len(system.scenes) == 0 && len(circuits) == 0 {
		return s
	}
	s.add(w.say("在主页面中按下%s按钮，按页面提示输入系统密码，按下%s（ENTER）后，进入系统控制页面的%s页签。",
		"On the main page press %s, enter the system PIN and press %s: the system page opens at %s.", w.key("page.system"), w.key("pin.enter"), w.key("tab.power")))
	for _, scene := range system.scenes {
		if w.switches(scene) != "off" {
			s.Items = append(s.Items, w.rackScene(scene))
		}
	}
	if slices.ContainsFunc(system.scenes, w.asks) {
		s.add(w.say("某一步没有完成时，页面询问：%s再试一次，%s跳过这一步，%s把已做的各步退回，%s停在此处。",
			"Where a step is not done the page asks: %s tries it again, %s goes on without it, %s takes back what is done, %s leaves it there.",
			w.key("do.retry"), w.key("do.skip"), w.key("do.unwind"), w.key("do.stop")))
	}
	if len(circuits) > 0 {
		s.add(w.say("需要单独开关某一路（%s）时，在该路按%s或%s。", "To switch one circuit alone (%s), press %s or %s there.",
			w.list(w.names(circuits)), w.key("on"), w.key("off")))
	}
	return s
}

func (w *writer) asks(scene configs.Scene) bool {
	made, _ := w.Engine.Scene(scene.ID)
	return slices.ContainsFunc(made.Steps, func(s sequence.Step) bool { return s.OnFailure == sequence.Ask })
}

// rackOff is how it is switched off.
func (w *writer) rackOff() Section {
	s := Section{Title: w.say("机柜设备关闭", "Switching the rack off")}
	system, _ := w.page("system")
	for _, scene := range system.scenes {
		if w.switches(scene) == "off" {
			s.Items = append(s.Items, w.rackScene(scene))
		}
	}
	if len(s.Items) == 0 {
		return s
	}
	enter := Item{Text: w.say("在主页面中按下%s按钮，输入系统密码，进入系统控制页面的%s页签。", "On the main page press %s, enter the system PIN and go to %s.", w.key("page.system"), w.key("tab.power"))}
	s.Items = append([]Item{enter}, s.Items...)
	var hot []string
	var longest time.Duration
	for _, d := range w.Cfg.Devices {
		if d.Kind == "projector" && d.Mains != "" {
			hot = append(hot, w.name(d.Name))
			longest = max(longest, d.Transition.Cool)
		}
	}
	if len(hot) > 0 {
		s.add(w.say("%s冷却约需%s，冷却后其电源才断开。请耐心等待按钮停止闪烁，不要拔下插头或断开总闸。",
			"%s needs about %s to cool down before its mains goes off. Wait until the button stops blinking; never pull the plug or open the main switch.", w.list(hot), w.time(longest)))
	}
	return s
}

// rackScene is one button of the system page.
func (w *writer) rackScene(scene configs.Scene) Item {
	name := quote(w.name(scene.Name))
	text := w.say("按下%s按钮，系统按下列顺序执行：", "Press %s. This is done, in this order:", name)
	if scene.Hold > 0 {
		text = w.say("按下%s按钮并持续%s，此时按钮会不停闪烁，系统按下列顺序逐一执行；当按钮停止闪烁后，执行完毕。不能按住的人按旁边的%s，再按%s。",
			"Press %s and hold it for %s. The button blinks while this is done, in this order; when it stops blinking all is done. Who cannot hold a button presses %s beside it and then %s.",
			name, w.time(scene.Hold), w.key("hold.else"), w.key("yes"))
	}
	return Item{Text: text, Table: w.order(scene)}
}
