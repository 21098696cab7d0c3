package staff

import (
	"encoding/csv"
	"fmt"
	"strings"
	"time"

	"lectern/scenes/ledger"
	"lectern/scenes/meeting"
)

// sheet answers with a table for a spreadsheet.
func (v *visit) sheet(name string, head []string, rows [][]string) {
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", v.p.Cfg.Room.ID+"-"+name+".csv"))
	_, _ = v.w.Write([]byte("\ufeff")) // without it Excel takes Chinese for something else
	c := csv.NewWriter(v.w)
	c.UseCRLF = true
	for _, row := range append([][]string{head}, rows...) {
		for i := range row {
			row[i] = harmless(row[i])
		}
		if c.Write(row) != nil {
			return // who asked has gone
		}
	}
	c.Flush()
}

// harmless keeps a spreadsheet from taking what somebody wrote for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func (v *visit) heads(keys ...string) []string {
	var head []string
	for _, k := range keys {
		head = append(head, v.t(k))
	}
	return head
}

// ordersCSV is GET /staff/orders.csv: the ledger (维修台账), as the page filters it.
func (p *Pages) ordersCSV(v *visit) {
	f, _ := v.filter()
	var rows [][]string
	for _, o := range p.Service.Orders.List(f) {
		first := o.First()
		row := []string{o.ID, v.t("order." + string(o.State())), v.device(first.Device), first.Text, first.By, v.t("via." + first.Via), v.moment(first.Time), v.moment(o.Answered())}
		for _, s := range []ledger.State{ledger.Assigned, ledger.Fixed, ledger.Confirmed} {
			at, _ := o.At(s)
			who := at.By
			if s == ledger.Assigned {
				who = at.To
			}
			row = append(row, v.moment(at.Time), who, at.Text)
		}
		rows = append(rows, append(row, notes(v, o)))
	}
	v.sheet("orders", v.heads("order.number", "order.state", "order.device", "order.symptom", "order.reporter", "order.via", "order.opened", "order.answered",
		"order.assigned", "order.to", "order.note", "order.fixed", "order.by", "order.note", "order.confirmed", "order.by", "order.note", "order.steps"), rows)
}

// notes is everything that was ever written to an order, so that the sheet loses nothing.
func notes(v *visit, o ledger.Order) string {
	var all []string
	for _, s := range o.Steps[1:] {
		word := "order.note"
		if s.State != "" {
			word = "order." + string(s.State)
		}
		all = append(all, strings.TrimSpace(v.moment(s.Time)+" "+s.By+" "+v.t(word)+" "+s.To+" "+s.Text))
	}
	return strings.Join(all, "\n")
}

// recordsCSV is GET /staff/records.csv: one row for each meeting of a month.
func (p *Pages) recordsCSV(v *visit) {
	from, to := v.monthOf()
	var rows [][]string
	for _, r := range p.Service.Book.Records(from, to) {
		ticks, teas, checks := 0, 0, 0
		var remarks, uses, faults []string
		for _, e := range r.Entries {
			switch e.Kind {
			case meeting.KindTick:
				ticks++
			case meeting.KindTea:
				teas++
			case meeting.KindCheck:
				checks++
			case meeting.KindNote:
				remarks = append(remarks, e.By+": "+e.Text)
			}
		}
		for _, u := range r.Uses {
			uses = append(uses, v.source(u.What)+" "+v.clock(u.From)+"–"+v.clock(u.To))
		}
		for _, f := range r.Faults {
			faults = append(faults, v.device(f.What)+" "+v.clock(f.From)+" "+f.Text)
		}
		for _, o := range p.Service.Orders.List(ledger.Filter{Meeting: r.ID}) {
			faults = append(faults, o.ID+" "+v.device(o.First().Device)+" "+o.First().Text)
		}
		heads := ""
		if r.Heads > 0 {
			heads = fmt.Sprint(r.Heads)
		}
		rows = append(rows, []string{
			v.format(r.Start, time.DateOnly), r.Title, r.Organizer, r.Layout, heads, r.Needs, v.clock(r.Start), v.clock(r.End), v.clock(r.Prepared), v.clock(r.Began), v.clock(r.Over),
			fmt.Sprint(ticks), fmt.Sprint(checks), fmt.Sprint(teas), strings.Join(uses, "\n"), strings.Join(faults, "\n"), strings.Join(remarks, "\n"),
		})
	}
	v.sheet("records-"+from.Format("2006-01"), v.heads("record.date", "meeting.title", "meeting.organizer", "meeting.layout", "meeting.heads", "meeting.needs", "meeting.start", "meeting.end",
		"record.prepared", "record.began", "record.over", "record.ticks", "record.checks", "record.teas", "record.uses", "record.faults", "record.notes"), rows)
}

// monthCSV is GET /staff/month.csv.
func (p *Pages) monthCSV(v *visit) {
	d := v.figures()
	var rows [][]string
	for _, r := range d.Rows {
		rows = append(rows, []string{r.Name, r.Value, ""})
	}
	for _, src := range p.Cfg.Sources {
		rows = append(rows, []string{v.t("month.use") + " " + v.name(src.Name), v.span(d.F.Use[src.ID]), fmt.Sprintf("%.2f", d.F.Use[src.ID].Hours())})
	}
	for _, id := range p.Room.Devices() {
		if n := d.F.Faults[id]; n > 0 {
			rows = append(rows, []string{v.t("month.faults") + " " + v.device(id), fmt.Sprint(n), fmt.Sprintf("%.2f", d.F.Down[id].Hours())})
		}
	}
	for _, day := range d.F.Days {
		rows = append(rows, []string{v.format(day.Date, time.DateOnly), fmt.Sprint(day.Meetings), fmt.Sprintf("%.2f", day.Held.Hours())})
	}
	v.sheet("month-"+d.Month.Format("2006-01"), v.heads("month.what", "month.value", "month.hours"), rows)
}
