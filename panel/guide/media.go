package guide

import (
	"fmt"
	"slices"
	"strings"

	"lectern/configs"
)

// media is everything that is seen and heard.
func (w *writer) media() Section {
	s := Section{Title: w.say("影音视频会议操作", "Pictures and sound")}
	if p, ok := w.page("projector"); ok {
		w.projectors(&s, p)
	}
	if home, _ := w.page("home"); len(home.of("sources")) > 0 {
		w.sources(&s, home)
	}
	for _, p := range w.pages {
		switch {
		case p.id == "sound":
			s.add(w.press(p, w.say("%s的音量条", "the volume of %s", w.list(w.names(p.things)))) + w.volumes(p.things))
		case len(p.of("player", "recorder")) == 1 && p.id == p.things[0].id:
			s.add(w.player(p, p.things[0].device))
		case len(p.of("camera")) == 1 && p.id == p.things[0].id:
			s.add(w.press(p, w.say("该摄像机的图像", "its picture")))
		}
	}
	home, _ := w.page("home")
	for _, scene := range home.scenes {
		if scene.ID == w.Cfg.Panel.End {
			continue // see leave
		}
		s.Items = append(s.Items, Item{Text: w.say("在主页面的%s中按下%s按钮，依次完成：", "Under %s on the main page, %s does this, one after the other:", w.key("scenes"), quote(w.name(scene.Name))), List: w.steps(scene)})
	}
	if sensors := home.of("sensor"); len(sensors) > 0 {
		s.add(w.say("主页面下方显示%s。", "At its foot the main page shows: %s.", w.list(w.names(sensors))))
	}
	if list := w.rules(); len(list) > 0 {
		s.Items = append(s.Items, Item{Text: w.say("以下动作由控制器自动执行：", "This happens by itself:"), List: list})
	}
	if system, _ := w.page("system"); len(system.things) > len(system.of("circuit", "light")) {
		rest := slices.DeleteFunc(slices.Clone(system.things), func(t thing) bool { return t.kind == "circuit" || t.kind == "light" })
		s.add(w.say("%s在%s页面的%s页签中操作，供技术人员使用。", "%s: on the page %s under %s, for technicians.", w.list(w.names(rest)), w.key("page.system"), w.key("tab.equipment")))
	}
	return s
}

// projectors is the page of projectors and what else is on it.
func (w *writer) projectors(s *Section, p page) {
	for i, t := range p.of("projector") {
		text := w.press(p, w.say("%s电源的%s按钮", "%s with the buttons %s", w.name(t.name), w.list(quoted([]string{w.word("on"), w.word("off")}))))
		if i > 0 {
			text = w.say("%s在同一页面。", "%s is on the same page.", w.name(t.name))
		}
		s.add(text + w.on(t.device) + w.off(t.device))
	}
	if screens := p.of("screen"); len(screens) > 0 {
		item := w.heights(screens)
		item.Text = w.say("%s也可在%s页面单独操作：按%s。", "%s can be moved alone on the page %s: press %s.", w.list(w.names(screens)), quote(p.title), w.either(quoted(w.motions()))) + w.say("", " ") + item.Text
		s.Items = append(s.Items, item)
	}
	for _, t := range p.of("matrix") {
		s.add(w.say("%s：在%s页面为每个输出选择输入。", "%s: on the page %s choose an input for each output.", w.name(t.name), quote(p.title)))
	}
	for _, scene := range p.scenes {
		s.Items = append(s.Items, w.scenesOf([]configs.Scene{scene})...)
	}
	if len(w.Cfg.Sources) > 0 {
		return
	}
	for _, t := range p.of("projector") {
		if inputs := w.choices(t.id, "input"); len(inputs) > 1 {
			s.add(w.say("%s的输入：按%s。", "Input of %s: press %s.", w.name(t.name), w.either(quoted(inputs))))
		}
	}
}

// on is what follows when a projector is switched on.
func (w *writer) on(d configs.Device) string {
	text := w.say("按下%s按钮，打开%s电源%s。", " %s switches %s on%s.", w.key("on"), w.name(d.Name), w.follow(d.ID, "on", true))
	t := d.Transition
	if t.Warm > 0 {
		text += w.say("预热约需%s", " It takes about %s to warm up", w.time(t.Warm))
		if t.Meanwhile == "refuse" {
			text += w.say("，其间不能选择信号。", "; no source can be chosen meanwhile.")
		} else {
			text += w.say("，其间可以先选择信号，就绪后生效。", "; a source that is chosen meanwhile is shown when it is ready.")
		}
	}
	return text
}

// off is what follows when it is switched off.
func (w *writer) off(d configs.Device) string {
	text := w.say("按下%s按钮，关闭%s", " %s switches %s off", w.key("off"), w.name(d.Name))
	if cool := d.Transition.Cool; cool > 0 {
		text += w.say("，冷却约需%s", "; it takes about %s to cool down", w.time(cool))
	}
	return text + w.follow(d.ID, "off", false) + w.say("。", ".")
}

// follow says which screens go with a projector, by the rules of the room.
func (w *writer) follow(projector, value string, on bool) string {
	var down, up []string
	for _, r := range w.Cfg.Rules {
		if !w.follows(r, projector, value) {
			continue
		}
		for name, to := range r.Set {
			id, property, _ := strings.Cut(name, ".")
			if d, _ := w.device(id); d.Kind == "screen" && property == "motion" {
				if fmt.Sprint(to) == "down" {
					down = append(down, w.name(d.Name))
				} else if fmt.Sprint(to) == "up" {
					up = append(up, w.name(d.Name))
				}
			}
		}
	}
	slices.Sort(down)
	slices.Sort(up)
	switch {
	case len(down) > 0 && on:
		return w.say("，同时%s也随着放下", ", and %s comes down with it", w.list(down))
	case len(up) > 0 && !on:
		return w.say("，然后%s升起", ", and then %s goes up", w.list(up))
	}
	return ""
}

// follows reports whether a rule answers to the power of a projector.
func (w *writer) follows(r configs.Rule, projector, value string) bool {
	return len(r.When) == 1 && slices.ContainsFunc(r.When[projector+".power"], func(v any) bool {
		b, is := v.(bool)
		return fmt.Sprint(v) == value || is && b == (value == "on")
	})
}

// rules says what happens by itself, without the screens that go with a projector.
func (w *writer) rules() (list []string) {
	for _, r := range w.Cfg.Rules {
		if slices.ContainsFunc(w.Cfg.Devices, func(d configs.Device) bool {
			return d.Kind == "projector" && (w.follows(r, d.ID, "on") && w.follow(d.ID, "on", true) != "" || w.follows(r, d.ID, "off") && w.follow(d.ID, "off", false) != "")
		}) {
			continue
		}
		list = append(list, w.rule(r))
	}
	return list
}
