package staff

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"lectern/devices"
	"lectern/panel/markup"
	"lectern/scenes/ledger"
	"lectern/scenes/meeting"
)

// monthOf reads ?month=2026-11, or is the month that is now.
func (v *visit) monthOf() (from, to time.Time) {
	from, err := time.ParseInLocation("2006-01", v.r.URL.Query().Get("month"), v.p.zone)
	if err != nil || from.Year() < 2000 || from.Year() > 2200 {
		now := v.in(time.Now())
		from = time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, v.p.zone)
	}
	return from, from.AddDate(0, 1, 0)
}

type recordsPage struct {
	Month, Before, After time.Time
	Records              []meeting.Record
}

// records is GET /staff/records.
func (p *Pages) records(v *visit) {
	from, to := v.monthOf()
	v.show("records", 0, recordsPage{from, from.AddDate(0, -1, 0), to, p.Service.Book.Records(from, to)}.page)
}

// said is one line of a record.
type said struct {
	Time     time.Time
	Who      string
	What     string
	Detail   string
	Plain    bool // it is text that somebody wrote
	HasFault bool
}

type recordPage struct {
	meeting.Record
	Lines   []said
	UseSums []usedHours
	Orders  []ledger.Order
	Temp    []reading
}

// record is GET /staff/records/{id}.
func (p *Pages) record(v *visit) {
	r, ok := p.Service.Book.Record(v.r.PathValue("id"))
	if !ok {
		v.fail(http.StatusNotFound, "wrong.meeting")
		return
	}
	d := recordPage{Record: r, Orders: p.Service.Orders.List(ledger.Filter{Meeting: r.ID})}
	for _, e := range r.Entries {
		d.Lines = append(d.Lines, v.line(e))
	}
	sums := make(map[string]time.Duration)
	for _, u := range r.Uses {
		sums[u.What] += u.To.Sub(u.From)
	}
	for _, src := range p.Cfg.Sources {
		if sums[src.ID] > 0 {
			d.UseSums = append(d.UseSums, usedHours{Source: src.ID, Month: sums[src.ID]})
		}
	}
	v.show("record", 0, d.page)
}

// line says an entry of the book.
func (v *visit) line(e meeting.Entry) said {
	l := said{Time: e.Time, Who: e.By}
	if e.By == "time" {
		l.Who = v.t("by.time")
	}
	switch e.Kind {
	case meeting.KindPhase:
		l.What = v.t("record.phase", v.t("phase."+string(e.Phase)))
	case meeting.KindTick:
		l.What = v.t("list." + string(e.Tick.List))
		l.Detail = half(e.Tick.Text, v.Lang)
		if e.Tick.Off {
			l.Detail = v.t("record.untick", l.Detail)
		}
	case meeting.KindTea:
		l.What = v.t("record.tea")
	case meeting.KindNote:
		l.What, l.Detail, l.Plain = v.t("record.note"), e.Text, true
	case meeting.KindCheck:
		failed := 0
		for _, f := range e.Check {
			if f.Result != "failed" {
				continue
			}
			if failed++; l.Detail != "" {
				l.Detail += "; "
			}
			l.Detail += v.device(f.Device) + " " + v.phrase(f.Reason) + " " + f.Order
		}
		l.What = v.t("record.check", len(e.Check), failed)
		l.HasFault = failed > 0
	}
	return l
}

// half is a text of the book in one language; the book has both.
func half(text, language string) string {
	p := devices.Phrase{}
	for i := 0; i+3 <= len(text); i++ {
		if text[i:i+3] == " / " {
			p = devices.Phrase{ZH: text[:i], EN: text[i+3:]}
		}
	}
	if p.ZH == "" {
		return text
	}
	return p.In(language)
}

func recordPath(id string) string { return "/staff/records/" + url.PathEscape(id) }

// page lists the records of a month.
func (d recordsPage) page(pg page) g.Node {
	list := h.P(h.Class("none"), pg.text("records.none"))
	if len(d.Records) > 0 {
		list = h.Div(h.Class("wide"), h.Table(
			pg.head("record.planned", "meeting.title", "record.began", "record.over", "health.state"),
			h.TBody(g.Map(d.Records, func(r meeting.Record) g.Node {
				return h.Tr(h.Td(h.Class("when"), g.Text(pg.moment(r.Start)+"–"+pg.clock(r.End))), h.Td(h.A(h.Href(recordPath(r.ID)), g.Text(r.Title))),
					cell(pg.clock(r.Began)), cell(pg.clock(r.Over)), cell(pg.t("phase."+string(r.Phase))))
			})),
		))
	}
	return g.Group{
		h.H1(g.Text(pg.t("records.title") + " " + monthName(d.Month))),
		pg.months("/staff/records", d.Before, d.Month, d.After),
		list,
	}
}

// page is the record as the form on paper has it, to be signed.
func (d recordPage) page(pg page) g.Node {
	return g.Group{
		h.H1(pg.text("record.title")),
		pg.recordForm(d),
		h.H2(pg.text("record.lines")),
		h.Table(h.Class("lines"), pg.head("record.time", "record.what", "record.detail", "record.who"), h.TBody(g.Map(d.Lines, func(l said) g.Node {
			return h.Tr(g.If(l.HasFault, h.Class("bad")),
				h.Td(h.Class("when"), g.Text(pg.clock(l.Time))), cell(l.What), h.Td(inLines(l.Detail)), h.Td(h.Class("when"), g.Text(l.Who)))
		}))),
		pg.signatures("sign", "record.sign"),
		h.Form(h.Class("fields noprint"), h.Method("post"), h.Action(meetingPath(d.ID, "note")), pg.marked(),
			pg.labelled("record.note", h.Textarea(h.Name("text"), h.Rows("2"), h.MaxLength("1500"), h.Required())),
			pg.signed(), h.Button(pg.text("record.add")),
		),
	}
}

func (s *say) recordForm(d recordPage) g.Node {
	place := d.Place
	if place == "" {
		place = s.roomName()
	}
	actual := s.clock(d.Began)
	if !d.Over.IsZero() {
		actual += "–" + s.clock(d.Over)
	}
	broad := h.ColSpan("3")
	return h.Table(h.Class("form"), h.TBody(
		h.Tr(s.entry("meeting.title", broad, markup.Spaced(g.Text(d.Title), g.If(d.Cancelled, h.B(s.text("meeting.cancelled")))))),
		h.Tr(s.entry("record.date", g.Text(s.date(d.Start))), s.entry("meeting.place", g.Text(place))),
		h.Tr(s.entry("meeting.organizer", g.Text(d.Organizer)), s.entry("meeting.heads", g.Text(number(d.Heads)))),
		h.Tr(s.entry("meeting.layout", g.Text(d.Layout)), s.entry("record.planned", g.Text(s.hours(d.Meeting)))),
		h.Tr(s.entry("record.prepared", g.Text(s.clock(d.Prepared))), s.entry("record.actual", g.Text(actual))),
		h.Tr(s.entry("meeting.needs", broad, inLines(d.Needs))),
		h.Tr(s.entry("record.uses", broad, g.Text(s.uses(d.UseSums)))),
		h.Tr(s.entry("record.faults", broad, g.Map(d.Faults, s.faultLine), g.Map(d.Orders, s.orderLine))),
	))
}

func (s *say) uses(sums []usedHours) string {
	said := make([]string, len(sums))
	for i, u := range sums {
		said[i] = s.source(u.Source) + " " + s.span(u.Month)
	}
	return strings.Join(said, "; ")
}

func (s *say) faultLine(f meeting.Span) g.Node {
	hours := s.clock(f.From)
	if !f.To.IsZero() {
		hours += "–" + s.clock(f.To)
	}
	return g.Group{markup.Spaced(g.Text(s.device(f.What)+" "+hours), h.Small(h.Class("detail"), g.Text(f.Text))), h.Br()}
}

func (s *say) orderLine(o ledger.Order) g.Node {
	first := o.First()
	said := fmt.Sprintf("%s: %s (%s)", s.device(first.Device), first.Text, s.t("order."+string(o.State())))
	return g.Group{markup.Spaced(h.A(h.Href(orderPath(o.ID)), g.Text(o.ID)), g.Text(said)), h.Br()}
}

// signatures is where staff, or the engineer, and the customer sign on paper.
func (s *say) signatures(class, who string) g.Node {
	return h.Table(h.Class(class), h.TBody(h.Tr(s.entry(who), s.entry("record.customer"))))
}
