package staff

import (
	"fmt"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"lectern/panel/markup"
	"lectern/scenes/meeting"
)

// page is the day: what is wrong, what is to be ticked, the meetings and those of the days to come.
func (d todayPage) page(pg page) g.Node {
	return g.Group{
		h.H1(markup.Spaced(g.Text(pg.date(d.Now)), h.Span(h.Class("big"), g.Text(pg.clock(d.Now))))),
		pg.calendarNews(d.Calendar),
		h.Div(h.Class("facts"),
			pg.temperatures(d.Temperatures, d.Low, d.High),
			h.P(h.A(h.Href("/staff/orders?state=unclosed"), pg.text("today.unclosed", d.Unclosed))),
			pg.soundness(d.Broken),
		),
		g.Map(d.Lists, pg.tickList),
		h.H2(pg.text("today.meetings")),
		g.Map(d.Meetings, pg.meetingCard),
		g.If(len(d.Meetings) == 0, h.P(h.Class("none"), pg.text("today.none"))),
		h.P(h.Class("noprint"), h.A(h.Class("button"), h.Href("/staff/meetings/new"), g.Text("＋ "+pg.t("today.new")))),
		pg.daysToCome(d.Later),
		pg.calendarAgain(d.Calendar),
	}
}

// calendarNews says what is wrong with the calendar.
func (s *say) calendarNews(c *meeting.FeedHealth) g.Node {
	if c == nil {
		return nil
	}
	var news g.Group
	if !c.Since.IsZero() {
		said := s.t("calendar.down", s.moment(c.Since), s.moment(c.Good))
		if c.Good.IsZero() {
			said = s.t("calendar.never", s.moment(c.Since))
		}
		news = append(news, h.P(h.Class("banner bad"), h.Role("alert"), markup.Spaced(g.Text("⚠ "+said), h.Small(g.Text(c.Error)))))
	}
	if c.Unread > 0 {
		news = append(news, h.P(h.Class("banner due"), h.Role("status"), markup.Spaced(s.text("calendar.unread", c.Unread), h.Small(g.Text(c.Why)))))
	}
	return news
}

// calendarAgain has the calendar fetched.
func (pg page) calendarAgain(c *meeting.FeedHealth) g.Node {
	if c == nil {
		return nil
	}
	return h.Form(h.Class("row noprint"), h.Method("post"), h.Action("/staff/calendar"), pg.marked(),
		g.If(c.Since.IsZero(), h.Span(pg.text("calendar.good", pg.clock(c.Good)))),
		h.Button(h.Class("quiet"), pg.text("calendar.again")),
	)
}

func (s *say) soundness(broken int) g.Node {
	said := "✓ " + s.t("today.sound")
	if broken > 0 {
		said = "▲ " + s.t("today.broken", broken)
	}
	return h.P(g.If(broken > 0, h.Class("amber")), h.A(h.Href("/staff/health"), g.Text(said)))
}

// tickList is a checklist, open while something of it is left.
func (pg page) tickList(list meeting.Checklist) g.Node {
	left, m := "✓ "+pg.t("list.done"), list.Meeting
	if n := list.Left(); n > 0 {
		left = pg.t("list.left", n)
	}
	items := make(g.Group, len(list.Items))
	for i, item := range list.Items {
		items[i] = pg.tickItem(fmt.Sprint(i), item)
	}
	return h.Details(h.Class("list"), h.Data("list", string(list.List)), g.If(list.Left() > 0, g.Attr("open")),
		h.Summary(markup.Spaced(
			h.B(pg.text("list."+string(list.List))), g.Text(pg.clock(m.Start)+" "+m.Title), h.Span(h.Class("left"), g.Text(left)),
		)),
		h.Form(h.Method("post"), h.Action(meetingPath(m.ID, "tick")), pg.marked(), hidden("list", string(list.List)),
			pg.signed(),
			h.Ul(h.Class("ticks"), items),
		),
	)
}

func (s *say) tickItem(at string, item meeting.Item) g.Node {
	what := h.Span(h.Class("what"), g.Text(s.phrase(item.Name)))
	if item.By == "" {
		return h.Li(markup.Spaced(what, h.Button(h.Name("item"), h.Value(at), h.Data("item", at), s.text("list.tick"))))
	}
	return h.Li(h.Class("ticked"), markup.Spaced(
		what, h.Span(h.Class("by"), g.Text("✓ "+item.By+" "+s.clock(item.At))), h.Button(h.Name("off"), h.Value(at), h.Class("quiet"), s.text("list.untick")),
	))
}

// meetingCard is a meeting of the day, with the phases that it can be moved to.
func (pg page) meetingCard(m card) g.Node {
	return h.Section(markup.Classes("meeting", string(m.Phase), markup.When(m.Cancelled, "cancelled")), h.Data("meeting", m.ID),
		h.H3(markup.Spaced(g.Text(pg.hours(m.Meeting)), h.Span(h.Class("title"), g.Text(m.Title)), h.Span(h.Class("chip"), g.Text(pg.standing(m.Row))))),
		g.If(m.Clashes, h.P(h.Class("amber"), g.Text("▲ "+pg.t("meeting.clash")))),
		h.Dl(
			pg.detail("meeting.place", m.Place), pg.detail("meeting.layout", m.Layout), pg.detail("meeting.heads", number(m.Heads)),
			pg.detail("meeting.organizer", m.Organizer),
			g.If(m.Needs != "", g.Group{h.Dt(pg.text("meeting.needs")), h.Dd(inLines(m.Needs))}),
		),
		h.Form(h.Class("row noprint"), h.Method("post"), h.Action(meetingPath(m.ID, "phase")), pg.marked(),
			g.If(len(m.Choices) > 0, pg.signed()),
			g.Map(m.Choices, func(c choice) g.Node { return pg.phaseButton(m.Phase, c) }),
		),
		pg.meetingAlso(m),
	)
}

// hours are from when to when a meeting is.
func (s *say) hours(m meeting.Meeting) string {
	if m.AllDay {
		return s.t("meeting.allday")
	}
	return s.clock(m.Start) + "–" + s.clock(m.End)
}

// standing is how far a meeting has come.
func (s *say) standing(r meeting.Row) string {
	switch said := s.t("phase." + string(r.Phase)); {
	case r.Cancelled:
		return "✕ " + s.t("meeting.cancelled")
	case r.Since.IsZero():
		return said
	default:
		return said + " " + s.clock(r.Since)
	}
}

// detail is one that somebody gave, or nothing.
func (s *say) detail(key, text string) g.Node {
	if text == "" {
		return nil
	}
	return g.Group{h.Dt(s.text(key)), h.Dd(g.Text(text))}
}

// phaseButton moves a meeting to a phase. What goes on after a break, or after its end, is not begun.
func (s *say) phaseButton(from meeting.Phase, to choice) g.Node {
	word := s.t("to." + string(to.Phase))
	switch {
	case to.Phase == meeting.Session && from == meeting.Break:
		word = s.t("again.session")
	case to.Phase == meeting.Session && from == meeting.Ended:
		word = s.t("again.ended-session")
	}
	return h.Button(h.Name("to"), h.Value(string(to.Phase)), h.Data("to", string(to.Phase)), g.If(to.Main, h.Class("main")), g.Text(word))
}

// meetingAlso leads to the record of a meeting, and to its form where it was entered by hand.
func (s *say) meetingAlso(m card) g.Node {
	also := g.Group{h.A(h.Href(recordPath(m.ID)), s.text("meeting.record"))}
	if m.Orders > 0 {
		also = append(also, g.Text(" · "+s.t("meeting.orders", m.Orders)))
	}
	if m.ByHand {
		also = append(also, g.Text(" · "+s.t("meeting.hand")+" · "), h.A(h.Href(meetingPath(m.ID, "edit")), s.text("meeting.edit")))
	}
	return h.P(h.Class("also noprint"), also)
}

func (s *say) daysToCome(rows []meeting.Row) g.Node {
	if len(rows) == 0 {
		return nil
	}
	return g.Group{
		h.H2(s.text("today.later")),
		h.Div(h.Class("wide"), h.Table(
			s.head("record.date", "meeting.time", "meeting.title", "meeting.layout", "meeting.heads"),
			h.TBody(g.Map(rows, func(r meeting.Row) g.Node {
				return h.Tr(g.If(r.Cancelled, h.Class("cancelled")),
					cell(s.date(r.Start)), cell(s.hours(r.Meeting)),
					h.Td(markup.Spaced(
						g.Text(r.Title), g.If(r.Cancelled, h.B(s.text("meeting.cancelled"))), g.If(r.Clashes, h.B(g.Text("▲ "+s.t("meeting.clash")))),
					)),
					cell(r.Layout), cell(number(r.Heads)),
				)
			})),
		)),
	}
}

// page is the form of a meeting that is entered by hand.
func (d formPage) page(pg page) g.Node {
	m := d.Meeting
	return g.Group{
		h.H1(pg.text("meeting.form")),
		pg.warning(d.Wrong, ""),
		h.Form(h.Class("fields"), h.Method("post"), h.Action("/staff/meetings"), pg.marked(), hidden("id", m.ID),
			pg.labelled("meeting.title", h.Input(h.Name("title"), h.Value(m.Title), h.MaxLength("100"), h.Required())),
			pg.labelled("meeting.start", h.Input(h.Type("datetime-local"), h.Name("start"), h.Value(pg.field(m.Start)), h.Required())),
			pg.labelled("meeting.end", h.Input(h.Type("datetime-local"), h.Name("end"), h.Value(pg.field(m.End)), h.Required())),
			pg.labelled("meeting.organizer", h.Input(h.Name("organizer"), h.Value(m.Organizer), h.MaxLength("100"))),
			pg.labelled("meeting.layout", h.Input(h.Name("layout"), h.Value(m.Layout), h.MaxLength("100"))),
			pg.labelled("meeting.heads", h.Input(h.Type("number"), h.Name("heads"), h.Min("0"), h.Max("9999"), h.Value(number(m.Heads)))),
			pg.labelled("meeting.needs", h.Textarea(h.Name("needs"), h.Rows("4"), h.MaxLength("1500"), g.Text(m.Needs))),
			g.If(m.ID != "", pg.ticked("meeting.cancel", "cancelled", g.If(m.Cancelled, h.Checked()))),
			pg.signed(),
			h.Button(h.Class("main"), pg.text("save")),
		),
	}
}
