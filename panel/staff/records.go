package staff

import (
	"net/http"
	"time"

	"lectern/devices"
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
	v.show("records", 0, recordsPage{from, from.AddDate(0, -1, 0), to, p.Service.Book.Records(from, to)})
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
	v.show("record", 0, d)
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
