package meeting

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/emersion/go-ical"
)

// words fills in what an event says of its meeting.
func (e event) words(m *Meeting) {
	m.Title, m.Place = text(e.props.Get("SUMMARY"), titleMost), text(e.props.Get("LOCATION"), titleMost)
	m.Needs = text(e.props.Get("DESCRIPTION"), textMost)
	if s := e.props.Get("STATUS"); s != nil {
		m.Cancelled = strings.EqualFold(s.Value, "CANCELLED")
	}
	if o := e.props.Get("ORGANIZER"); o != nil {
		if m.Organizer = o.Params.Get("CN"); m.Organizer == "" {
			_, m.Organizer, _ = strings.Cut(o.Value, ":")
		}
		m.Organizer = bounded(m.Organizer, titleMost)
	}
	for _, a := range e.props.Values("ATTENDEE") {
		kind := strings.ToUpper(a.Params.Get("CUTYPE"))
		if kind != "ROOM" && kind != "RESOURCE" && !strings.EqualFold(a.Params.Get("PARTSTAT"), "DECLINED") {
			m.Heads++
		}
	}
	m.Needs, m.Layout, m.Heads = sayings(m.Needs, m.Heads)
}

// text is a text value as it is read, in one piece.
func text(p *ical.Prop, most int) string {
	if p == nil {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(p.Value); i++ {
		c := p.Value[i]
		if c == '\\' && i+1 < len(p.Value) {
			i++
			if c = p.Value[i]; c == 'n' || c == 'N' {
				c = '\n'
			}
		}
		b.WriteByte(c)
	}
	return bounded(strings.TrimSpace(strings.Map(printable, b.String())), most)
}

// printable leaves out what moves a terminal, or turns the direction of what stands beside it.
func printable(r rune) rune {
	if r < ' ' && r != '\n' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
		return -1
	}
	return r
}

var (
	layoutLine = regexp.MustCompile(`(?im)^\s*(?:布局|布置|摆台|台型|layout|seating)\s*[:：]\s*(.+?)\s*$\n?`)
	headsLine  = regexp.MustCompile(`(?im)^\s*(?:人数|参会人数|heads|head count|people)\s*[:：]\s*(\d{1,4}).*$\n?`)
)

// sayings takes the layout and the head count out of a description, where a line of it says them. A
// number that somebody wrote down counts more than how many were invited.
func sayings(needs string, heads int) (rest, layout string, count int) {
	if m := layoutLine.FindStringSubmatch(needs); m != nil {
		layout = bounded(m[1], titleMost)
		needs = strings.Replace(needs, m[0], "", 1)
	}
	if m := headsLine.FindStringSubmatch(needs); m != nil {
		heads, _ = strconv.Atoi(m[1])
		needs = strings.Replace(needs, m[0], "", 1)
	}
	return strings.TrimSpace(needs), layout, heads
}
