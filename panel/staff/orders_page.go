package staff

import (
	"fmt"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"lectern/panel/markup"
	"lectern/scenes/ledger"
)

// page is the ledger as it is looked for, and the form of a new order.
func (d ordersPage) page(pg page) g.Node {
	return g.Group{
		h.H1(pg.text("orders.title")),
		pg.orderFilter(d),
		pg.orderTable(d.Orders),
		h.H2(h.ID("new"), h.Class("noprint"), pg.text("orders.new")),
		pg.warning(d.Wrong, "noprint"),
		h.Form(h.Class("fields noprint"), h.Method("post"), h.Action("/staff/orders"), pg.marked(),
			pg.labelled("order.device", pg.deviceChoice(d, "order.room")),
			pg.labelled("order.symptom", h.Textarea(h.Name("symptom"), h.Rows("3"), h.MaxLength("1500"), h.Required(), g.Text(d.Symptom))),
			pg.signed(),
			h.Button(h.Class("main"), pg.text("order.send")),
		),
	}
}

func (s *say) orderFilter(d ordersPage) g.Node {
	states := g.Group{choose("", s.t("orders.all"), false), choose("unclosed", s.t("orders.unclosed"), d.State == "unclosed")}
	for _, one := range d.States {
		states = append(states, choose(string(one), s.t("order."+string(one)), string(one) == d.State))
	}
	return h.Form(h.Class("row noprint"), h.Method("get"), h.Action("/staff/orders"),
		s.labelled("order.state", h.Select(h.Name("state"), states)),
		s.labelled("order.device", s.deviceChoice(d, "orders.all")),
		s.labelled("orders.words", h.Input(h.Name("words"), h.Value(d.Words))),
		s.labelled("orders.from", h.Input(h.Type("date"), h.Name("from"), h.Value(d.From))),
		s.labelled("orders.to", h.Input(h.Type("date"), h.Name("to"), h.Value(d.To))),
		h.Button(s.text("orders.find")), h.A(h.Class("button"), h.Href("/staff/orders.csv?"+d.Query), s.text("csv")),
	)
}

// deviceChoice offers the devices, after what none of them stands for.
func (s *say) deviceChoice(d ordersPage, none string) g.Node {
	options := g.Group{choose("", s.t(none), false)}
	for _, one := range d.Devices {
		options = append(options, choose(one.ID, s.device(one.ID), one.ID == d.Device))
	}
	return h.Select(h.Name("device"), options)
}

func (s *say) orderTable(list []ledger.Order) g.Node {
	if len(list) == 0 {
		return h.P(h.Class("none"), s.text("orders.none"))
	}
	return h.Div(h.Class("wide"), h.Table(
		s.head("order.number", "order.state", "order.device", "order.symptom", "order.reporter", "order.opened"),
		h.TBody(g.Map(list, s.orderRow)),
	))
}

func (s *say) orderRow(o ledger.Order) g.Node {
	first, state := o.First(), string(o.State())
	return h.Tr(h.Data("order", o.ID),
		h.Td(h.Class("when"), h.A(h.Href(orderPath(o.ID)), g.Text(o.ID))),
		h.Td(markup.Classes("state", state), s.text("order."+state)),
		cell(s.device(first.Device)),
		cell(first.Text),
		h.Td(g.Text(first.By), h.Br(), h.Small(s.text("via."+first.Via))),
		h.Td(h.Class("when"), g.Text(s.day(first.Time)), h.Br(), g.Text(s.clock(first.Time))),
	)
}

// page is an order with everything that was done, and the form of the next step.
func (d orderPage) page(pg page) g.Node {
	first, state := d.Order.First(), string(d.Order.State())
	return g.Group{
		h.H1(markup.Spaced(g.Text(pg.t("order.title")+" "+d.Order.ID), h.Span(markup.Classes("chip", state), pg.text("order."+state)))),
		h.Table(h.Class("form"), h.TBody(
			h.Tr(pg.entry("order.device", g.Text(pg.device(first.Device)))),
			h.Tr(pg.entry("order.symptom", inLines(first.Text))),
			h.Tr(pg.entry("order.reporter", g.Text(first.By+" ("+pg.t("via."+first.Via)+")"))),
			h.Tr(pg.entry("order.opened", g.Text(pg.moment(first.Time)))),
			h.Tr(pg.entry("order.answered", g.Text(pg.moment(d.Order.Answered())))),
		)),
		h.H2(pg.text("order.steps")),
		h.Table(pg.head("record.time", "order.by", "order.state", "order.text"), h.TBody(g.Map(d.Steps, pg.stepRow))),
		pg.conflict(d),
		pg.stepForm(d),
		pg.pictureThen(d),
		pg.signatures("sign onlyprint", "order.to"),
	}
}

func (s *say) stepRow(step ledger.Step) g.Node {
	did := s.t("order.note")
	if step.State != "" {
		did = s.t("order." + string(step.State))
	}
	if step.To != "" {
		did += " → " + step.To
	}
	return h.Tr(h.Td(h.Class("when"), g.Text(s.moment(step.Time))), h.Td(h.Class("brief"), g.Text(step.By)), h.Td(h.Class("brief"), g.Text(did)), h.Td(inLines(step.Text)))
}

// conflict says why a step was not taken, and where somebody was quicker, what they did.
func (s *say) conflict(d orderPage) g.Node {
	if d.Wrong == "" {
		return nil
	}
	var theirs g.Group
	if len(d.Theirs) > 0 {
		theirs = g.Group{
			h.P(h.B(s.text("order.theirs"))),
			h.Ul(h.Class("theirs"), g.Map(d.Theirs, func(step ledger.Step) g.Node { return h.Li(g.Text(s.did(step))) })),
			h.P(s.text("order.mine")),
		}
	}
	return h.Div(h.Class("banner bad noprint"), h.Role("alert"), h.P(g.Text("⚠ "+s.t(d.Wrong))), theirs)
}

// did is a step in one line.
func (s *say) did(step ledger.Step) string {
	text := s.clock(step.Time) + " " + step.By + ": "
	if step.State != "" {
		text += s.t("order."+string(step.State)) + " "
	}
	return text + step.To + " " + step.Text
}

// stepForm is for the next step, of those that the order can take.
func (pg page) stepForm(d orderPage) g.Node {
	do := func(state ledger.State, class string) g.Node {
		if !d.Can[string(state)] {
			return nil
		}
		return h.Button(h.Name("do"), h.Value(string(state)), g.If(class != "", h.Class(class)), pg.text("order.do."+string(state)))
	}
	return h.Form(h.Class("fields noprint"), h.Method("post"), h.Action(orderPath(d.Order.ID)), pg.marked(), hidden("version", fmt.Sprint(d.Order.Version())),
		pg.labelled("order.text", h.Textarea(h.Name("text"), h.Rows("3"), h.MaxLength("1500"), g.Text(d.Text))),
		g.If(d.Can[string(ledger.Assigned)], pg.labelled("order.to", h.Input(h.Name("to"), h.Value(d.To), h.MaxLength("60")))),
		pg.signed(),
		h.Div(h.Class("row"),
			do(ledger.Assigned, "main"), do(ledger.Fixed, ""), do(ledger.Confirmed, "main"), do(ledger.Opened, ""),
			h.Button(h.Name("do"), h.Value("note"), pg.text("order.do.note")),
		),
	)
}

// pictureThen is how the room was when the order was opened.
func (s *say) pictureThen(d orderPage) g.Node {
	if len(d.Picture) == 0 {
		return nil
	}
	return h.Details(h.Class("picture"), h.Summary(g.Text(s.t("order.picture")+" · "+s.moment(d.Order.First().Time))),
		h.Table(h.Class("small"), s.head("order.device", "picture.property", "picture.value", "picture.quality"), h.TBody(g.Map(d.Picture, func(r pictureRow) g.Node {
			return h.Tr(cell(r.Device), cell(r.Property), cell(r.Value), cell(r.Quality))
		}))),
		h.P(h.Class("noprint"), h.A(h.Href(orderPath(d.Order.ID)+"/picture.json"), s.text("order.json"))),
	)
}
