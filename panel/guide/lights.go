package guide

import (
	"slices"
	"strings"

	"lectern/configs"
)

// press is the first instruction of every page.
func (w *writer) press(p page, shows string) string {
	return w.say("在主页面中按下%s按钮，页面显示%s。", "On the main page press %s; the page shows %s.", quote(p.title), shows)
}

// scenesOf says what the buttons above a page do.
func (w *writer) scenesOf(scenes []configs.Scene) (items []Item) {
	for _, scene := range scenes {
		items = append(items, Item{Text: w.say("按下%s按钮，一次完成：", "%s does all of this at once:", quote(w.name(scene.Name))), List: w.steps(scene)})
	}
	return items
}

// lights is the page of lights.
func (w *writer) lights() Section {
	s := Section{Title: w.say("灯光操作", "Lights")}
	p, ok := w.page("lights")
	if !ok {
		return s
	}
	s.add(w.press(p, w.say("室内所有灯光的操作控制按钮", "the buttons of all lights of the room")))
	s.Items = append(s.Items, w.scenesOf(p.scenes)...)
	for _, group := range w.alike(p.of("dimmer"), "level") {
		s.add(w.say("%s的调光：按%s。", "To dim %s press %s.", w.list(w.names(group)), w.either(quoted(w.choices(group[0].id, "level")))))
	}
	for _, group := range w.alike(p.of("light", "circuit"), "power") {
		s.add(w.say("%s的开关：按%s。", "To switch %s press %s.", w.list(w.names(group)), w.either(quoted(w.choices(group[0].id, "power")))))
	}
	return s
}

// alike puts together what has the same choices.
func (w *writer) alike(things []thing, property string) (groups [][]thing) {
	for _, t := range things {
		i := slices.IndexFunc(groups, func(g []thing) bool {
			return slices.Equal(w.choices(g[0].id, property), w.choices(t.id, property))
		})
		if i < 0 {
			groups = append(groups, []thing{t})
		} else {
			groups[i] = append(groups[i], t)
		}
	}
	return groups
}

// curtains is the page of curtains, and of screens where no projector has them.
func (w *writer) curtains() Section {
	s := Section{Title: w.say("窗帘操作", "Curtains")}
	p, ok := w.page("curtains")
	if !ok {
		return s
	}
	names := w.list(w.names(p.things))
	s.add(w.press(p, w.say("%s的%s的操作按钮", "%s with the buttons %s", names, w.list(quoted(w.motions())))))
	s.Items = append(s.Items, w.scenesOf(p.scenes)...)
	s.Items = append(s.Items, w.heights(p.things))
	return s
}

func (w *writer) motions() []string { return []string{w.word("up"), w.word("stop"), w.word("down")} }

// heights is how a curtain or screen is left at any height, and how long its way is.
func (w *writer) heights(things []thing) Item {
	text := w.say("%s随时有效。可放至任意高度位置：移动中按%s", "%s always works. To leave one at any height press %s on its way", w.key("stop"), w.key("stop"))
	if slices.ContainsFunc(things, func(t thing) bool { p, ok := w.property(t.id, "position"); return ok && p.Settable }) {
		text += w.say("，或在高度条上按下要去的高度", ", or touch the bar at the height that it is to go to")
	}
	var ways []string
	for _, t := range things {
		if t.device.Travel > 0 {
			ways = append(ways, w.say("%s约%s", "%s about %s", w.name(t.name), w.time(t.device.Travel)))
		}
	}
	text += w.say("。", ".")
	if len(ways) > 0 {
		text += w.say("从一端到另一端：%s。", " From one end to the other: %s.", strings.Join(ways, w.say("，", ", ")))
	}
	return Item{Text: text}
}
