package guide

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lectern/configs"
	"lectern/devices"
)

// writer writes one guide.
type writer struct {
	Config
	pages []page
}

func (w *writer) zh() bool { return w.Language == "zh" }

// say is a sentence in the language of the guide.
func (w *writer) say(zh, en string, args ...any) string {
	if w.zh() {
		return fmt.Sprintf(zh, args...)
	}
	return fmt.Sprintf(en, args...)
}

// word is a word of the panel, with n put in. A key without words shows itself, so that the gap is seen.
func (w *writer) word(key string, n ...any) string {
	phrase, ok := w.Words[key]
	if !ok {
		return key
	}
	text := phrase.In(w.Language)
	if len(n) > 0 {
		text = strings.ReplaceAll(text, "{n}", fmt.Sprint(n[0]))
	}
	return text
}

// key is a word of the panel as it is quoted.
func (w *writer) key(key string, n ...any) string { return quote(w.word(key, n...)) }

// quote sets a label apart from the sentence that it stands in.
func quote(s string) string { return "“" + s + "”" }

func quoted(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = quote(s)
	}
	return out
}

func (w *writer) name(n configs.Name) string { return devices.Phrase(n).In(w.Language) }

// list is several things in one sentence.
func (w *writer) list(things []string) string {
	switch n := len(things); {
	case w.zh():
		return strings.Join(things, "、")
	case n > 1:
		return strings.Join(things[:n-1], ", ") + " and " + things[n-1]
	}
	return strings.Join(things, "")
}

// either is a choice of several things.
func (w *writer) either(things []string) string {
	n := len(things)
	if n < 2 {
		return w.list(things)
	}
	return strings.Join(things[:n-1], w.say("、", ", ")) + w.say("或", " or ") + things[n-1]
}

func (w *writer) names(list []thing) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = w.name(t.name)
	}
	return out
}

// time is a duration as people say it.
func (w *writer) time(d time.Duration) string {
	var parts []string
	for _, unit := range []struct {
		size     time.Duration
		zh       string
		one, all string
	}{{time.Hour, "小时", "hour", "hours"}, {time.Minute, "分钟", "minute", "minutes"}, {time.Second, "秒", "second", "seconds"}} {
		n := int(d / unit.size)
		if unit.size == time.Second && (n > 0 || len(parts) == 0) && d%unit.size != 0 { // half a second
			parts = append(parts, w.say("%s"+unit.zh, "%s "+unit.all, strconv.FormatFloat(d.Seconds(), 'g', 3, 64)))
			break
		}
		if d %= unit.size; n == 0 {
			continue
		}
		en := unit.all
		if n == 1 {
			en = unit.one
		}
		parts = append(parts, w.say("%d"+unit.zh, "%d "+en, n))
	}
	return w.say("%s", "%s", strings.Join(parts, map[bool]string{true: "", false: " "}[w.zh()]))
}

// property is a property of a device, as the running room has it.
func (w *writer) property(device, name string) (devices.Property, bool) {
	list := w.Room.Properties(device)
	i := slices.IndexFunc(list, func(p devices.Property) bool { return p.Name == name })
	if i < 0 {
		return devices.Property{}, false
	}
	return list[i], true
}

// value is a value of a property as the panel shows it.
func (w *writer) value(device, property, value string) string {
	p, _ := w.property(device, property)
	if p.Kind == devices.KindBool {
		return w.word(map[string]string{"true": "on", "false": "off"}[value])
	}
	for _, o := range p.Options {
		if o.Value == value && o.Label != (devices.Phrase{}) {
			return o.Label.In(w.Language)
		}
	}
	if property == "selected" {
		for _, s := range w.Cfg.Sources {
			if s.ID == value {
				return w.name(s.Name)
			}
		}
	}
	for _, key := range []string{"transport." + value, value} {
		if _, ok := w.Words[key]; ok {
			return w.word(key)
		}
	}
	if p.Unit == "%" {
		return value + "%"
	}
	return value
}

// choices are the values of a property that can be asked for, as the buttons have them.
func (w *writer) choices(device, property string) []string {
	p, ok := w.property(device, property)
	if !ok || !p.Settable {
		return nil
	}
	if p.Kind == devices.KindBool {
		return []string{w.word("off"), w.word("on")}
	}
	var labels []string
	for _, o := range p.Options {
		if !o.State {
			labels = append(labels, w.value(device, property, o.Value))
		}
	}
	return labels
}
