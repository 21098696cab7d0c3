package staff

import (
	"fmt"
	"slices"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"lectern/panel/markup"
	"lectern/scenes/ledger"
	"lectern/scenes/meeting"
)

// bar is one bar of a plot, in the units of its drawing.
type bar struct {
	X, Y, Width, Height int
	Label, Value        string
	Named               bool // there is room for its label
}

// plot is a drawing of bars.
type plot struct {
	Title         string
	Width, Height int
	Bars          []bar
	Flat          bool // bars lie, names stand before them
	Most          string
}

const (
	plotWide  = 720
	plotHigh  = 180
	rowHigh   = 34
	nameWide  = 170
	valueWide = 110
)

// upright draws one bar for each day.
func upright(title string, values []time.Duration, label func(i int) string, say func(time.Duration) string) plot {
	p := plot{Title: title, Width: plotWide, Height: plotHigh + 24}
	most := slices.Max(append(slices.Clone(values), time.Minute))
	wide := plotWide / max(1, len(values))
	for i, v := range values {
		high := int(int64(plotHigh-20) * int64(v) / int64(most))
		p.Bars = append(p.Bars, bar{X: i*wide + 2, Y: plotHigh - high, Width: wide - 4, Height: high, Label: label(i), Value: say(v), Named: i == 0 || (i+1)%5 == 0})
	}
	p.Most = say(most)
	return p
}

// named is a value with its name.
type named struct {
	Name  string
	Value int64
	Text  string
}

// lying draws one bar for each name.
func lying(title string, values []named) plot {
	p := plot{Title: title, Width: plotWide, Height: rowHigh * max(1, len(values)), Flat: true}
	most := int64(1)
	for _, v := range values {
		most = max(most, v.Value)
	}
	for i, v := range values {
		wide := int(int64(plotWide-nameWide-valueWide) * v.Value / most)
		p.Bars = append(p.Bars, bar{X: nameWide, Y: i*rowHigh + 4, Width: wide, Height: rowHigh - 8, Label: v.Name, Value: v.Text})
	}
	return p
}

// middle is where the text beside a lying bar stands.
func (b bar) middle() int { return b.Y + b.Height/2 + 6 }

// end is where a lying bar ends, and its value stands.
func (b bar) end() int { return b.X + b.Width + 8 }

// centre is the middle of an upright bar.
func (b bar) centre() int { return b.X + b.Width/2 }

type monthPage struct {
	Month, Before, After time.Time
	F                    meeting.Figures
	Days, Use, Faults    plot
	Answer, Repair       time.Duration // medians
	Slowest              time.Duration
	Rows                 []row
}

// row is one figure in words.
type row struct{ Name, Value string }

func (v *visit) figures() monthPage {
	from, to := v.monthOf()
	f := v.p.Service.Book.Figures(from, to, v.p.Service.Orders.List(ledger.Filter{}))
	d := monthPage{Month: from, Before: from.AddDate(0, -1, 0), After: to, F: f, Answer: meeting.Median(f.Answer), Repair: meeting.Median(f.Repair)}
	if n := len(f.Answer); n > 0 {
		d.Slowest = f.Answer[n-1]
	}
	var held []time.Duration
	for _, day := range f.Days {
		held = append(held, day.Held)
	}
	d.Days = upright(v.t("month.days"), held, func(i int) string { return fmt.Sprint(i + 1) }, v.span)
	var use, faults []named
	for _, src := range v.p.Cfg.Sources {
		use = append(use, named{v.name(src.Name), int64(f.Use[src.ID]), v.span(f.Use[src.ID])})
	}
	for _, id := range v.p.Room.Devices() {
		if n := f.Faults[id]; n > 0 || f.Down[id] > 0 {
			faults = append(faults, named{v.device(id), int64(n), v.t("month.fault", n, v.span(f.Down[id]))})
		}
	}
	d.Use, d.Faults = lying(v.t("month.use"), use), lying(v.t("month.faults"), faults)
	d.Rows = []row{
		{v.t("month.meetings"), fmt.Sprint(f.Meetings)}, {v.t("month.off"), fmt.Sprint(f.CalledOff)}, {v.t("month.held"), v.span(f.Held)},
		{v.t("month.orders"), fmt.Sprint(f.Orders)}, {v.t("month.closed"), fmt.Sprint(f.Closed)},
		{v.t("month.answered"), fmt.Sprint(len(f.Answer))}, {v.t("month.answer"), v.orDash(f.Answer, d.Answer)}, {v.t("month.slowest"), v.orDash(f.Answer, d.Slowest)},
		{v.t("month.repaired"), fmt.Sprint(len(f.Repair))}, {v.t("month.repair"), v.orDash(f.Repair, d.Repair)},
	}
	return d
}

func (v *visit) orDash(of []time.Duration, d time.Duration) string {
	if len(of) == 0 {
		return "–"
	}
	return v.span(d)
}

// month is GET /staff/month.
func (p *Pages) month(v *visit) { v.show("month", 0, v.figures().page) }

// page is the month in figures and drawings, on paper too.
func (d monthPage) page(pg page) g.Node {
	faults := h.P(pg.text("month.nofaults"))
	if len(d.Faults.Bars) > 0 {
		faults = d.Faults.drawing()
	}
	return g.Group{
		h.H1(g.Text(pg.t("month.title") + " " + monthName(d.Month))),
		pg.months("/staff/month", d.Before, d.Month, d.After),
		h.Table(h.Class("figures"), h.TBody(g.Map(d.Rows, func(r row) g.Node { return h.Tr(h.Th(g.Text(r.Name)), cell(r.Value)) }))),
		d.Days.drawing(),
		g.Iff(len(d.Use.Bars) > 0, d.Use.drawing),
		faults,
	}
}

func monthName(t time.Time) string { return t.Format("2006-01") }

// months lead to the months beside this one, and to its figures as a table.
func (s *say) months(path string, before, this, after time.Time) g.Node {
	to := func(path string, month time.Time, text string) g.Node {
		return h.A(h.Class("button"), h.Href(path+"?month="+monthName(month)), g.Text(text))
	}
	return h.P(h.Class("row noprint"), markup.Spaced(
		to(path, before, "← "+monthName(before)), to(path, after, monthName(after)+" →"), to(path+".csv", this, s.t("csv")),
	))
}

func (p plot) drawing() g.Node {
	bars := p.upright
	if p.Flat {
		bars = p.lying
	}
	return h.Figure(h.FigCaption(g.Text(p.Title)),
		h.SVG(h.Class("plot"), g.Attr("viewBox", fmt.Sprintf("0 0 %d %d", p.Width, p.Height)), h.Role("img"), h.Aria("label", p.Title), bars()),
	)
}

func (p plot) lying() g.Node {
	return g.Map(p.Bars, func(b bar) g.Node {
		return g.Group{lettering("name", 0, b.middle(), b.Label), b.rect(), lettering("", b.end(), b.middle(), b.Value)}
	})
}

func (p plot) upright() g.Node {
	return g.Group{
		g.El("line", h.Class("base"), at("x1", 0), at("y1", plotHigh), at("x2", p.Width), at("y2", plotHigh)),
		lettering("most", 0, 14, p.Most),
		g.Map(p.Bars, func(b bar) g.Node {
			return g.Group{
				b.rect(g.El("title", g.Text(b.Label+": "+b.Value))),
				g.If(b.Named, lettering("day", b.centre(), plotHigh+19, b.Label)),
			}
		}),
	}
}

func (b bar) rect(told ...g.Node) g.Node {
	return g.El("rect", h.Class("fill"), at("x", b.X), at("y", b.Y), at("width", b.Width), at("height", b.Height), g.Group(told))
}

// lettering is text in a drawing.
func lettering(class string, x, y int, text string) g.Node {
	return g.El("text", g.If(class != "", h.Class(class)), at("x", x), at("y", y), g.Text(text))
}

func at(name string, n int) g.Node { return g.Attr(name, fmt.Sprint(n)) }
