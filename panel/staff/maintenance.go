package staff

import (
	"errors"
	"net/http"
	"time"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"lectern/scenes/maintenance"
)

// usualTime is how long maintenance lasts where nobody says otherwise.
const usualTime = 2 * time.Hour

// workPage is the form of maintenance. It is a page of its own, which does not load itself again while
// somebody writes.
type workPage struct {
	Until, Last time.Time // what is offered, and the latest that is taken
	Note        string
	Wrong       string
}

func (v *visit) workPage() workPage {
	now := v.in(time.Now())
	d := workPage{Until: now.Add(usualTime).Truncate(5 * time.Minute), Last: now.Add(maintenance.Most)}
	if w, stands := v.p.Service.Maintenance.Now(); stands {
		d.Until, d.Note = w.Until, w.Note
	}
	return d
}

// maintenance is GET /staff/maintenance.
func (p *Pages) maintenance(v *visit) { v.show("maintenance", 0, v.workPage().page) }

// maintenanceBegin takes the form. What is wrong is said above it, with everything that was typed in it.
func (p *Pages) maintenanceBegin(v *visit) {
	f := v.r.PostFormValue
	until, err := time.ParseInLocation("2006-01-02T15:04", f("until"), p.zone)
	if err != nil {
		until = time.Time{}
	}
	err = p.Service.Maintenance.Begin(v.who(), f("note"), until)
	word := ""
	switch {
	case errors.Is(err, maintenance.ErrTime):
		word = "wrong.until"
	case errors.Is(err, maintenance.ErrNote):
		word = "wrong.note"
	default:
		v.done(err, "/staff/health")
		return
	}
	d := v.workPage()
	d.Note, d.Wrong = f("note"), word
	if !until.IsZero() {
		d.Until = until
	}
	v.showAs(http.StatusUnprocessableEntity, "maintenance", 0, d.page)
}

// maintenanceEnd is POST /staff/maintenance/end.
func (p *Pages) maintenanceEnd(v *visit) {
	if who := v.whoOr(); who != "" {
		v.done(p.Service.Maintenance.End(who), "/staff/health")
	}
}

// page is the form: from now on until when, and why.
func (d workPage) page(pg page) g.Node {
	var since, end g.Node
	do := pg.t("work.begin")
	if pg.work != nil {
		since = h.P(h.B(pg.text("work.since", pg.moment(pg.work.From))))
		do = pg.t("work.change")
		end = h.Button(h.FormAction("/staff/maintenance/end"), h.FormNoValidate(), h.Data("do", "work-end"), pg.text("work.end"))
	}
	return g.Group{
		h.H1(pg.text("work")),
		pg.warning(d.Wrong, ""),
		h.P(pg.text("work.about")),
		since,
		h.Form(h.Class("fields"), h.Method("post"), h.Action("/staff/maintenance"), pg.marked(),
			pg.labelled("work.note", h.Input(h.Name("note"), h.Value(d.Note), h.MaxLength("200"), h.Required())),
			pg.labelled("work.until", h.Input(h.Type("datetime-local"), h.Name("until"), h.Value(pg.field(d.Until)), h.Max(pg.field(d.Last)), h.Required())),
			pg.signed(),
			h.Div(h.Class("row"), h.Button(h.Class("main"), h.Data("do", "work"), g.Text(do)), end),
		),
	}
}
