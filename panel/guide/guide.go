// Package guide writes the operating instruction (作业指导书) of a room: what a person does at the panel
// of this very room, step by step, in the order and with the numbers of the work instruction that
// property staff know - purpose, scope, method.
//
// It knows no room. What it says comes from the room file, from the properties that the equipment
// really has and from the words of the panel, so that a button has the same name on paper and on
// glass. A section stands only where the room has something for it, and numbers run without gaps.
package guide

import (
	"fmt"

	"lectern/configs"
	"lectern/devices"
	"lectern/scenes/room"
	"lectern/scenes/sequence"
)

// Config is what a guide is written from.
type Config struct {
	Cfg    *configs.Room
	Room   *room.Room       // for the properties of its devices; it need not run
	Engine *sequence.Engine // for the steps of its scenes
	// Words is the panel's catalogue: what its buttons say.
	Words map[string]devices.Phrase
	// Language is zh or en; "" is that of the room.
	Language string
}

// Document is a guide, ready to be rendered.
type Document struct {
	Language string // as in HTML: zh-CN, en
	Title    string
	Parts    []Part
}

// Part is one of the numbered parts: 1, 2, 3.
type Part struct {
	Number   string
	Title    string
	Text     string
	Sections []Section
}

// Section is one section of the method: 3.1.
type Section struct {
	Number string
	Title  string
	Items  []Item
}

// Item is one numbered instruction: 3.1.1, with what belongs under it.
type Item struct {
	Number string
	Text   string
	List   []string
	Table  *Table
}

// Table is a table under an instruction.
type Table struct {
	Head []string
	Rows [][]string
}

// Write writes the guide of a room.
func Write(c Config) Document {
	if c.Language == "" {
		c.Language = c.Cfg.Room.Language
	}
	w := &writer{Config: c}
	w.pages = w.pagesOf()
	name := w.name(c.Cfg.Room.Name)
	d := Document{
		Language: map[bool]string{true: "zh-CN", false: "en"}[w.zh()],
		Title:    w.say("%s影音会议设备操作维护作业指导书", "%s: operating instruction for the audio-visual equipment", name),
		Parts: []Part{
			{Title: w.say("目的", "Purpose"), Text: w.say("规范设备操作程序，以保证设备发挥正常功能。", "To set out how the equipment is operated, so that it does what it is there for.")},
			{Title: w.say("范围", "Scope"), Text: w.scope(name)},
			{Title: w.say("方法和过程控制", "Method")},
		},
	}
	for _, section := range []func() Section{
		w.enter, w.rackOn, w.lights, w.curtains, w.media, w.rackOff, w.reading, w.faults, w.afterPower,
	} {
		if s := section(); len(s.Items) > 0 {
			d.Parts[2].Sections = append(d.Parts[2].Sections, s)
		}
	}
	d.number()
	return d
}

func (d *Document) number() {
	for i := range d.Parts {
		part := &d.Parts[i]
		part.Number = fmt.Sprint(i + 1)
		for j := range part.Sections {
			section := &part.Sections[j]
			section.Number = fmt.Sprintf("%s.%d", part.Number, j+1)
			for k := range section.Items {
				section.Items[k].Number = fmt.Sprintf("%s.%d", section.Number, k+1)
			}
		}
	}
}

func (w *writer) scope(name string) string {
	text := w.say("适用于%s的影音会议设备。", "It holds for the audio-visual equipment of %s.", name)
	if help := w.Cfg.Room.Help; help != "" {
		text += w.say("帮助电话：%s。", " Help: %s.", help)
	}
	return text
}
