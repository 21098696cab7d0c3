package guide

import (
	"fmt"
	"slices"
	"strings"

	"lectern/configs"
)

// sources is the choice of what is shown, and how loud it is.
func (w *writer) sources(s *Section, home page) {
	at := w.key("page.home")
	if p, ok := w.page("sources"); ok {
		at = quote(p.title)
	} else if p, ok := w.page("projector"); ok {
		at = w.say("%s或%s", "%s or %s", w.key("page.home"), quote(p.title))
	}
	for _, t := range home.of("sources") {
		s.add(w.say("根据会议需要，在%s页面的%s中可选择%s。所选信号显示%s；投影机未开时显示%s。",
			"On the page %s, under %s, choose %s. What is on the screen says %s; while the projector is off it says %s.",
			at, quote(w.name(t.name)), w.either(quoted(w.choices(t.id, "selected"))), w.key("showing"), w.key("chosen")))
	}
	var rows [][]string
	var silent []string
	for _, src := range w.Cfg.Sources {
		name := w.name(src.Name)
		if len(home.of("sources")) > 1 {
			name = w.say("%s：%s", "%s: %s", w.called(src.On), name)
		}
		id := w.volumeOfSource(src)
		if id == "" {
			silent = append(silent, name)
			continue
		}
		rows = append(rows, []string{name, w.called(id), w.most(id)})
	}
	if len(rows) > 0 {
		text := w.say("选择信号后，可用音量条调节其音量，按%s静音：", "The bar at the side sets the volume of what is chosen; %s mutes it:", w.key("mute"))
		s.Items = append(s.Items, Item{Text: text, Table: &Table{Head: []string{w.say("信号", "Source"), w.say("音量", "Volume"), w.say("最高", "At most")}, Rows: rows}})
		if len(silent) > 0 {
			s.add(w.say("%s没有音量可调，页面显示%s。", "%s: nothing sets the volume, and the panel says %s.", w.list(silent), w.key("volume.none")))
		}
	}
}

// most is the greatest volume that can be asked for.
func (w *writer) most(id string) string {
	p, ok := w.property(id, "volume")
	switch {
	case !ok:
		return ""
	case p.Limit > 0:
		return fmt.Sprint(p.Limit)
	}
	return fmt.Sprint(p.Max)
}

// volumes says how high amplifiers go.
func (w *writer) volumes(things []thing) string {
	parts := make([]string, len(things))
	for i, t := range things {
		parts[i] = w.say("%s最高%s", "%s at most %s", w.name(t.name), w.most(t.id))
	}
	return w.say("%s。", " %s.", strings.Join(parts, w.say("，", ", ")))
}

// player is the page of a player or recorder.
func (w *writer) player(p page, d configs.Device) string {
	text := w.say("在主页面中按下%s按钮，打开%s的操作页面，可进行%s操作", "On the main page press %s; the page of %s has %s", quote(p.title), w.name(d.Name), w.list(quoted(w.transports(d.ID))))
	if id := w.volumeOf(d); id != "" {
		text += w.say("和音量调控（最高%s）", ", and its volume (at most %s)", w.most(id))
	}
	text += w.say("。", ".")
	if d.Preview != nil {
		text += w.say("页面上有图像预览。", " The page has a preview of its picture.")
	}
	sources := slices.DeleteFunc(slices.Clone(w.Cfg.Sources), func(s configs.Source) bool { return s.Player != d.ID })
	if len(sources) == 0 {
		return text
	}
	var put []string
	for _, src := range sources {
		label := w.word("put.on.screen")
		if beam := w.beamOf(src); len(sources) > 1 && beam != "" {
			label = w.word("put.on", w.called(beam))
		}
		put = append(put, label)
	}
	return text + w.say("操作时，屏幕上其他信号不变；需要投影时，按%s，或在信号选择中选择%s，其图像将直接显示在屏幕上。",
		" What is on the screen stays meanwhile. To show it press %s, or choose %s as the source.", w.either(quoted(put)), quote(w.name(sources[0].Name)))
}

// transports are the keys of a player, in the order in which they stand on its page.
func (w *writer) transports(id string) []string {
	p, _ := w.property(id, "transport")
	first := []string{"back", "play", "stop", "forward"}
	var labels, rest []string
	for _, v := range first {
		for _, o := range p.Options {
			if o.Value == v && !o.State {
				labels = append(labels, w.value(id, "transport", v))
			}
		}
	}
	for _, o := range p.Options {
		if !o.State && !slices.Contains(first, o.Value) {
			rest = append(rest, w.value(id, "transport", o.Value))
		}
	}
	return append(labels, rest...)
}

// beamOf is the projector that a source sets, "" for none.
func (w *writer) beamOf(s configs.Source) string {
	for _, id := range s.Devices() {
		if d, _ := w.device(id); d.Kind == "projector" {
			return id
		}
	}
	return ""
}

// rule says what one rule does.
func (w *writer) rule(r configs.Rule) string {
	var when []string
	for _, name := range sorted(r.When) {
		id, property, _ := strings.Cut(name, ".")
		var values []string
		for _, v := range r.When[name] {
			values = append(values, w.raw(id, property, v))
		}
		when = append(when, w.say("%s为%s", "%s is %s", quote(w.called(id)), w.either(quoted(values))))
	}
	text := w.say("当%s", "When %s", w.list(when))
	if r.For > 0 {
		text += w.say("并持续%s时", " for %s", w.time(r.For))
	} else {
		text += w.say("时", "")
	}
	if r.Run != "" {
		made, _ := w.Engine.Scene(r.Run)
		return text + w.say("，执行%s。", ", %s is run.", quote(made.Name.In(w.Language)))
	}
	var sets []string
	for _, name := range sorted(r.Set) {
		id, property, _ := strings.Cut(name, ".")
		sets = append(sets, w.say("%s：%s", "%s: %s", w.subject(id, property), w.raw(id, property, r.Set[name])))
	}
	return text + w.say("，%s。", ": %s.", w.list(sets))
}

// raw is a value as the room file writes it.
func (w *writer) raw(device, property string, v any) string {
	p, ok := w.property(device, property)
	if !ok {
		return fmt.Sprint(v)
	}
	read, err := p.Read(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return w.reported(device, property, read)
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
