package guide

import (
	"slices"
	"strings"
	"time"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

// steps says what a scene does, one line a step. A step that the room file names has that name before
// what it does.
func (w *writer) steps(scene configs.Scene) []string {
	made, _ := w.Engine.Scene(scene.ID)
	var lines []string
	for i, s := range made.Steps {
		line := w.step(s)
		if scene.ReverseOf == "" && i < len(scene.Steps) && scene.Steps[i].Name != (configs.Name{}) {
			line = w.say("%s（%s）", "%s (%s)", w.name(scene.Steps[i].Name), line)
		}
		lines = append(lines, line)
	}
	return lines
}

// step says what one step does.
func (w *writer) step(s sequence.Step) string {
	switch {
	case len(s.Set) > 0:
		return w.wishes(s.Set)
	case len(s.Wait) > 0:
		return w.say("等待%s", "wait for %s", w.matches(s.Wait))
	case s.Pause > 0:
		return w.say("等待%s", "wait %s", w.time(s.Pause))
	case s.Scene != "":
		inner, _ := w.Engine.Scene(s.Scene)
		return w.say("执行%s", "run %s", quote(inner.Name.In(w.Language)))
	}
	parts := make([]string, len(s.Together))
	for i, part := range s.Together {
		parts[i] = w.step(part)
	}
	return strings.Join(parts, w.say("；", "; "))
}

// wishes says what is set, those with the same value together.
func (w *writer) wishes(wishes []room.Wish) string {
	var order []string
	by := make(map[string][]string)
	for _, one := range wishes {
		value := w.value(one.Device, one.Property, one.Value.String())
		if by[value] == nil {
			order = append(order, value)
		}
		by[value] = append(by[value], w.subject(one.Device, one.Property))
	}
	parts := make([]string, len(order))
	for i, value := range order {
		parts[i] = w.say("%s：%s", "%s: %s", w.list(by[value]), value)
	}
	return strings.Join(parts, w.say("；", "; "))
}

// subject is what a property is called in a sentence. Most devices have one that matters; the others
// have theirs named.
func (w *writer) subject(device, property string) string {
	name := w.called(device)
	switch property {
	case "volume", "mute", "input":
		return w.say("%s%s", "%s, %s", name, w.word(property))
	}
	if d, _ := w.device(device); d.Kind == "matrix" {
		for _, out := range d.Outputs {
			if out.ID == property && out.Name != (configs.Name{}) {
				return w.say("%s %s", "%s, %s", name, w.name(out.Name))
			}
		}
	}
	return name
}

func (w *writer) matches(matches []room.Match) string {
	parts := make([]string, len(matches))
	for i, m := range matches {
		values := make([]string, len(m.Values))
		for j, v := range m.Values {
			values[j] = w.reported(m.Device, m.Property, v)
		}
		parts[i] = w.say("%s%s", "%s: %s", w.called(m.Device), strings.Join(values, w.say("或", " or ")))
	}
	return w.list(parts)
}

// reported is a value as the equipment reports it.
func (w *writer) reported(device, property string, v devices.Value) string {
	p, _ := w.property(device, property)
	if p.Kind == devices.KindBool && !p.Settable {
		return w.word(v.String())
	}
	return w.value(device, property, v.String())
}

// order is the table of a scene that switches the rack: one row a step.
func (w *writer) order(scene configs.Scene) *Table {
	made, _ := w.Engine.Scene(scene.ID)
	t := &Table{Head: []string{w.say("顺序", "Step"), w.say("动作", "Does"), w.say("说明", "Note")}}
	for i, s := range made.Steps {
		var notes []string
		notes = append(notes, w.reasons(s)...)
		if s.Within > time.Minute {
			notes = append(notes, w.say("最多等待%s", "waits up to %s", w.time(s.Within)))
		}
		if s.After > 0 {
			notes = append(notes, w.say("完成后等待%s", "then waits %s", w.time(s.After)))
		}
		t.Rows = append(t.Rows, []string{w.say("%d", "%d", i+1), w.step(s), strings.Join(notes, w.say("；", "; "))})
	}
	return t
}

// reasons are those of the guards on what a step sets.
func (w *writer) reasons(s sequence.Step) (reasons []string) {
	for _, wish := range s.Set {
		for _, g := range w.guardsOn(wish.Device + "." + wish.Property) {
			value := map[string]string{"true": "on", "false": "off"}[wish.Value.String()]
			for _, guarded := range g.Set[wish.Device+"."+wish.Property] {
				if guarded == wish.Value.String() || guarded == value || guarded == wish.Value.Any() {
					reasons = append(reasons, w.name(g.Reason))
				}
			}
		}
	}
	return reasons
}

func (w *writer) guardsOn(property string) []configs.Guard {
	return slices.DeleteFunc(slices.Clone(w.Cfg.Guards), func(g configs.Guard) bool { return g.Set[property] == nil })
}
