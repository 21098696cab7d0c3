package staff

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	g "maragu.dev/gomponents"

	"lectern/configs"
	"lectern/devices"
)

// say says things in the language of one tablet.
type say struct {
	p    *Pages
	Lang string
}

func (p *Pages) says(r *http.Request) *say {
	s := &say{p: p, Lang: p.Cfg.Room.Language}
	if c, err := r.Cookie(languageCookie); err == nil && (c.Value == "zh" || c.Value == "en") {
		s.Lang = c.Value
	}
	if s.Lang != "en" {
		s.Lang = "zh"
	}
	return s
}

// other is the language that the tablet does not speak now.
func (s *say) other() string {
	if s.Lang == "zh" {
		return "en"
	}
	return "zh"
}

// roomName is the name of the room.
func (s *say) roomName() string { return s.name(s.p.Cfg.Room.Name) }

// help is the telephone number of the help desk.
func (s *say) help() string { return s.p.Cfg.Room.Help }

// t is a word of the catalogue, with what is put into it for each {}. A key without words shows itself,
// so that the gap is seen.
func (s *say) t(key string, put ...any) string {
	w, ok := words[key]
	if !ok {
		return key
	}
	text := w.In(s.Lang)
	for _, v := range put {
		text = strings.Replace(text, "{}", fmt.Sprint(v), 1)
	}
	return text
}

// text is a word of the catalogue on a page.
func (s *say) text(key string, put ...any) g.Node { return g.Text(s.t(key, put...)) }

func (s *say) phrase(p devices.Phrase) string { return p.In(s.Lang) }
func (s *say) name(n configs.Name) string     { return devices.Phrase(n).In(s.Lang) }
func (s *say) in(t time.Time) time.Time       { return t.In(s.p.zone) }
func (s *say) format(t time.Time, f string) string {
	if t.IsZero() {
		return ""
	}
	return s.in(t).Format(f)
}

func (s *say) clock(t time.Time) string  { return s.format(t, "15:04") }
func (s *say) day(t time.Time) string    { return s.format(t, time.DateOnly) }
func (s *say) moment(t time.Time) string { return s.format(t, "2006-01-02 15:04") }
func (s *say) field(t time.Time) string  { return s.format(t, "2006-01-02T15:04") }

func (s *say) date(t time.Time) string {
	day := [...]string{"日", "一", "二", "三", "四", "五", "六"}[s.in(t).Weekday()]
	if s.Lang == "zh" {
		return s.format(t, "2006年1月2日") + " 星期" + day
	}
	return s.format(t, "Monday 2 January 2006")
}

// span is how long something lasts, in hours and minutes.
func (s *say) span(d time.Duration) string {
	if d < time.Minute {
		return s.t("seconds", int(d.Round(time.Second)/time.Second))
	}
	h, m := int(d.Round(time.Minute)/time.Hour), int(d.Round(time.Minute)%time.Hour/time.Minute)
	if h == 0 {
		return s.t("minutes", m)
	}
	return s.t("hours", h, fmt.Sprintf("%02d", m))
}

// device is the name of a device by its id; the room's own where there is none.
func (s *say) device(id string) string {
	for _, d := range s.p.Cfg.Devices {
		if d.ID == id {
			return s.name(d.Name)
		}
	}
	if id == "" {
		return s.t("order.room")
	}
	for _, src := range s.p.Cfg.Sources {
		if on := src.On; on == id || on == "" && id == "sources" {
			return s.name(s.p.Cfg.ChooserName(id))
		}
	}
	return id
}

func (s *say) source(id string) string {
	for _, src := range s.p.Cfg.Sources {
		if src.ID == id {
			return s.name(src.Name)
		}
	}
	return id
}

// value is a value of a property as people say it.
func (s *say) value(device, property string, value any) string {
	if value == nil {
		return s.t("unknown")
	}
	word := fmt.Sprint(value)
	for _, p := range s.p.Room.Properties(device) {
		if p.Name != property {
			continue
		}
		for _, o := range p.Options {
			if o.Value == word && o.Label != (devices.Phrase{}) {
				return o.Label.In(s.Lang)
			}
		}
		if b, ok := value.(bool); ok && p.Settable {
			word = map[bool]string{true: "on", false: "off"}[b]
		}
		if p.Unit != "" {
			return word + " " + p.Unit
		}
	}
	if property == "selected" {
		if name := s.source(word); name != word {
			return name
		}
	}
	for _, key := range []string{"transport." + word, word} {
		if w, ok := s.p.Words[key]; ok {
			return w.In(s.Lang)
		}
	}
	return word
}

// property is the name of a property as people say it.
func (s *say) property(name string) string {
	if w, ok := words["property."+name]; ok {
		return w.In(s.Lang)
	}
	return name
}
