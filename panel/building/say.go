package building

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	g "maragu.dev/gomponents"

	"lectern/devices"
)

// say says things in one language.
type say struct {
	p    *Page
	lang string
}

// t is a word of the catalogue, with what is put into it for each {}. A key without words shows itself,
// so that the gap is seen.
func (s say) t(key string, put ...any) string {
	w, ok := words[key]
	if !ok {
		return key
	}
	text := w.In(s.lang)
	for _, v := range put {
		text = strings.Replace(text, "{}", fmt.Sprint(v), 1)
	}
	return text
}

// text is a word of the catalogue on the page.
func (s say) text(key string, put ...any) g.Node { return g.Text(s.t(key, put...)) }

func (s say) phrase(p devices.Phrase) string { return p.In(s.lang) }

// speaks reports whether the page has a language.
func speaks(lang string) bool { return lang == "zh" || lang == "en" }

// other is the language that is not spoken.
func (s say) other() string {
	if s.lang == "zh" {
		return "en"
	}
	return "zh"
}

// clock is a time of today by the clock, and of another day with its date.
func (s say) clock(at time.Time) string {
	at, now := at.In(s.p.zone), time.Now().In(s.p.zone)
	switch {
	case at.Year() == now.Year() && at.YearDay() == now.YearDay():
		return at.Format("15:04")
	case at.Year() == now.Year():
		return at.Format("01-02 15:04")
	}
	return at.Format("2006-01-02 15:04")
}

// shape is how a standing looks where there is no colour.
func shape(s Standing) string {
	return map[Standing]string{
		Called: "☎", Lost: "✕", Silent: "✕", Missing: "∅", Faulty: "▲", Stopped: "■", Ordered: "✎", Starting: "◌", Served: "⚒", Unknown: "?", Well: "✓", Gone: "–",
	}[s]
}

// temperatures are the lowest and the highest.
func temperatures(list []float64) string {
	show := func(t float64) string { return strconv.FormatFloat(t, 'f', 1, 64) }
	switch n := len(list); {
	case n == 0:
		return ""
	case show(list[0]) == show(list[n-1]):
		return show(list[0]) + " °C"
	default:
		return show(list[0]) + "–" + show(list[n-1]) + " °C"
	}
}

// clearing is the command that takes a room off the broker. The id has nothing in it that a shell knows.
func (p *Page) clearing(id string) string {
	address := strings.TrimPrefix(strings.TrimPrefix(p.cfg.Facilities.Broker, "tcp://"), "ssl://")
	host, port := address, "1883"
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		host, port = address[:i], address[i+1:]
	}
	secure := ""
	if strings.HasPrefix(p.cfg.Facilities.Broker, "ssl:") {
		secure = " --tls-use-os-certs"
		if p.cfg.Facilities.CA != "" {
			secure = " --cafile " + p.cfg.Facilities.CA
		}
	}
	return fmt.Sprintf("mosquitto_sub -h %s -p %s%s -u USER -P PASSWORD -W 3 --retained-only --remove-retained -t '%s%s/#' -t 'homeassistant/device/lectern-%[5]s/config'",
		strings.Trim(host, "[]"), port, secure, p.board.root, id)
}
