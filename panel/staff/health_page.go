package staff

import (
	"fmt"
	"net/url"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"lectern/panel/markup"
	"lectern/scenes/meeting"
	"lectern/scenes/notify"
)

// page is how the equipment is: devices, lines, the messages that go out, lamps and hours of use.
func (d healthPage) page(pg page) g.Node {
	return g.Group{
		h.H1(pg.text("health.devices")),
		h.Div(h.Class("facts"), pg.temperatures(d.Temperatures, d.Low, d.High)),
		pg.conditionTable(d.Devices, pg.deviceRow),
		h.H2(pg.text("health.lines")),
		pg.conditionTable(d.Lines, pg.lineRow),
		pg.messages(d.Notices),
		pg.lamps(d.Lamps),
		pg.hoursOfUse(d.Used),
		pg.workOffered(),
	}
}

func (s *say) conditionTable(list []condition, row func(condition) g.Node) g.Node {
	return h.Div(h.Class("wide"), h.Table(s.head("health.name", "health.state", "health.why"), h.TBody(g.Map(list, row))))
}

// deviceRow is a device, with its repair order or the way to one.
func (s *say) deviceRow(c condition) g.Node {
	var order g.Node
	switch {
	case c.Order != "":
		order = h.A(h.Href(orderPath(c.Order)), s.text("health.open", c.Order))
	case c.Bad:
		order = h.P(h.Class("noprint"), h.A(h.Class("button"), h.Href("/staff/orders?device="+url.QueryEscape(c.ID)+"#new"), s.text("health.report")))
	}
	sign := "○"
	switch {
	case c.Bad:
		sign = "⚠"
	case c.State == "ok":
		sign = "✓"
	}
	return h.Tr(h.Data("device", c.ID), g.If(c.Bad, h.Class("bad")), cell(c.Name), s.state(sign, c), h.Td(markup.Spaced(reasons(c), order)))
}

func (s *say) lineRow(c condition) g.Node {
	sign := "✓"
	if c.Bad {
		sign = "⚠"
	}
	return h.Tr(h.Data("line", c.ID), g.If(c.Bad, h.Class("bad")), cell(c.Name), s.state(sign, c), h.Td(reasons(c)))
}

// state is how something is and since when.
func (s *say) state(sign string, c condition) g.Node {
	return h.Td(markup.Classes("state", c.State), g.Text(sign+" "+s.t("state."+c.State)), h.Br(), h.Small(s.since(c.Since)))
}

func (s *say) since(at time.Time) g.Node {
	if at.IsZero() {
		return nil
	}
	return s.text("health.since", s.moment(at))
}

// reasons say what is wrong, what to do, and to engineering how it was said on the wire.
func reasons(c condition) g.Group {
	if !c.Bad {
		return nil
	}
	return g.Group{h.B(g.Text(c.Why)), h.Br(), g.Text(c.Do), detailed(c.Detail)}
}

func detailed(text string) g.Node {
	if text == "" {
		return nil
	}
	return g.Group{h.Br(), h.Small(h.Class("detail"), g.Text(text))}
}

// messages are those to people outside the room, by where they go.
func (s *say) messages(list []notify.Health) g.Node {
	if len(list) == 0 {
		return nil
	}
	return g.Group{
		h.H2(s.text("notices")),
		h.Div(h.Class("wide"), h.Table(s.head("notices.to", "health.state", "health.why"), h.TBody(g.Map(list, s.messageRow)))),
	}
}

func (s *say) messageRow(n notify.Health) g.Node {
	state, fails := g.Group{g.Text("✓ " + s.t("state.ok"))}, n.Error != ""
	if fails {
		state = g.Group{g.Text("⚠ " + s.t("notices.fails")), h.Br(), h.Small(s.text("health.since", s.moment(n.Since)))}
	}
	return h.Tr(h.Data("notices", n.Place), g.If(fails, h.Class("bad")),
		cell(n.Place),
		h.Td(markup.Classes("state", markup.When(!fails, "ok")), state),
		h.Td(
			g.If(n.Waiting > 0, g.Group{s.text("notices.waiting", n.Waiting), h.Br()}),
			g.If(n.Lost > 0, g.Group{s.text("notices.lost", n.Lost), h.Br()}),
			g.If(fails, g.Group{s.text("do.notices"), detailed(n.Error)}),
		),
	)
}

func (s *say) lamps(list []lampHours) g.Node {
	if len(list) == 0 {
		return nil
	}
	return g.Group{h.H2(s.text("health.lamps")), g.Map(list, s.lamp)}
}

// lamp is how much of its life a lamp has behind it.
func (s *say) lamp(l lampHours) g.Node {
	fill := "fill"
	if l.Over {
		fill = "over"
	}
	return h.P(markup.Classes("lamp", markup.When(l.Over, "amber")), markup.Spaced(
		h.B(g.Text(s.device(l.Device))), s.text("health.lamp", l.Hours, l.Limit), g.If(l.Over, h.B(g.Text("▲ "+s.t("health.lamp.over")))),
		h.SVG(h.Class("meter"), g.Attr("viewBox", "0 0 100 6"), h.Width("300"), h.Height("18"), g.Attr("preserveAspectRatio", "none"),
			h.Role("img"), h.Aria("label", fmt.Sprintf("%d%%", l.Percent)),
			g.El("rect", h.Class("trough"), h.Width("100"), h.Height("6")),
			g.El("rect", h.Class(fill), h.Width(fmt.Sprint(l.Percent)), h.Height("6")),
		),
	))
}

func (s *say) hoursOfUse(list []usedHours) g.Node {
	if len(list) == 0 {
		return nil
	}
	return g.Group{
		h.H2(s.text("health.used")),
		h.Table(h.Class("small"), s.head("property.selected", "health.month", "health.all"), h.TBody(g.Map(list, func(u usedHours) g.Node {
			return h.Tr(cell(s.source(u.Source)), cell(s.span(u.Month)), cell(s.span(u.All)))
		}))),
	}
}

// workOffered is the way to maintenance.
func (pg page) workOffered() g.Node {
	word := pg.t("work.begin")
	if pg.work != nil {
		word = pg.t("work.end") + " · " + pg.t("work.change")
	}
	return g.Group{
		h.H2(h.Class("noprint"), pg.text("work")),
		h.P(h.Class("noprint"), pg.text("work.about")),
		h.P(h.Class("noprint"), h.A(h.Class("button"), h.Href("/staff/maintenance"), h.Data("do", "work"), g.Text(word))),
	}
}

// page is the equipment check: the press that starts it, and what it found.
func (c checkView) page(pg page) g.Node {
	start := h.P(h.Class("banner due"), h.Role("status"), g.Text("… "+pg.t("check.running", len(c.Found), c.Of)))
	if !c.Running {
		start = pg.checkForm(c.Empty)
	}
	var found g.Node
	switch {
	case len(c.Found) > 0:
		found = g.Group{g.Iff(!c.Running, func() g.Node { return pg.checkResult(c) }), pg.foundTable(c.Found)}
	case !c.Running:
		found = h.P(h.Class("none"), pg.text("check.never"))
	}
	return g.Group{h.H1(pg.text("check.title")), start, found}
}

// checkForm starts a check. Only where nobody seems to be there does it offer to move anything.
func (pg page) checkForm(empty bool) g.Node {
	exercise := g.Group{h.P(h.Class("amber"), g.Text("▲ "+pg.t("check.people")))}
	if empty {
		exercise = g.Group{h.P(pg.text("check.exercise.about")), pg.ticked("check.empty", "empty")}
	}
	return h.Form(h.Class("noprint fields"), h.Method("post"), h.Action("/staff/check"), pg.marked(),
		h.P(pg.text("check.about")),
		pg.signed(),
		h.FieldSet(h.Legend(pg.ticked("check.exercise", "exercise", g.If(!empty, h.Disabled()))), exercise),
		h.Button(h.Class("main wide"), h.Data("do", "check"), pg.text("check.start")),
	)
}

func (pg page) checkResult(c checkView) g.Node {
	return g.Group{
		h.H2(pg.text("check.result", len(c.Found), c.Failed)),
		h.P(g.Text(pg.moment(c.Ended) + " " + c.By)),
		g.If(pg.work != nil && c.Failed > 0, h.P(pg.text("work.noorders"))),
	}
}

func (s *say) foundTable(list []meeting.Found) g.Node {
	return h.Table(h.Class("found"), h.TBody(g.Map(list, func(f meeting.Found) g.Node {
		var order g.Node
		if f.Order != "" {
			order = h.A(h.Href(orderPath(f.Order)), s.text("check.order", f.Order))
		}
		sign := map[string]string{"ok": "✓ ", "failed": "⚠ "}[f.Result]
		if sign == "" {
			sign = "○ "
		}
		return h.Tr(h.Data("found", f.Device), g.If(f.Result == "failed", h.Class("bad")),
			cell(s.device(f.Device)), cell(sign+s.t(result(f))),
			h.Td(markup.Spaced(g.Group{g.Text(s.phrase(f.Reason)), detailed(f.Detail)}, order)),
		)
	})))
}
