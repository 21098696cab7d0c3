package staff

import (
	"fmt"
	"slices"
	"time"

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

// Middle is where the text beside a lying bar stands.
func (b bar) Middle() int { return b.Y + b.Height/2 + 6 }

// End is where a lying bar ends, and its value stands.
func (b bar) End() int { return b.X + b.Width + 8 }

// Centre is the middle of an upright bar.
func (b bar) Centre() int { return b.X + b.Width/2 }

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
func (p *Pages) month(v *visit) { v.show("month", 0, v.figures()) }
