package staff

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"lectern/configs"
	"lectern/scenes/build"
	"lectern/scenes/ledger"
)

// sortBy sorts a list by a number, keeping the order of equals.
func sortBy[T any](list []T, by func(T) int) {
	slices.SortStableFunc(list, func(a, b T) int { return by(a) - by(b) })
}

// unclosed is the number of an order of a device that is not closed; "" where there is none.
func (p *Pages) unclosed(device string) string {
	if list := p.Service.Orders.List(ledger.Filter{Device: device, Unclosed: true}); len(list) > 0 {
		return list[0].ID
	}
	return ""
}

type ordersPage struct {
	Orders  []ledger.Order
	Devices []configs.Device
	States  []ledger.State
	// What is looked for, as it was given.
	State, Device, Words, From, To string
	Query                          string // the same, for the CSV
	Symptom                        string // of a form that was not taken
	Wrong                          string
}

// filter reads what is looked for.
func (v *visit) filter() (ledger.Filter, ordersPage) {
	q := v.r.URL.Query()
	d := ordersPage{
		Devices: v.p.Cfg.Devices, States: ledger.States(), State: q.Get("state"), Device: q.Get("device"), Words: q.Get("words"),
		From: q.Get("from"), To: q.Get("to"), Query: v.r.URL.RawQuery,
	}
	f := ledger.Filter{Device: d.Device, Words: d.Words}
	if d.State == "unclosed" {
		f.Unclosed = true
	} else {
		f.State = ledger.State(d.State)
	}
	if t, err := time.ParseInLocation(time.DateOnly, d.From, v.p.zone); err == nil {
		f.From = t
	}
	if t, err := time.ParseInLocation(time.DateOnly, d.To, v.p.zone); err == nil {
		f.To = t.AddDate(0, 0, 1)
	}
	return f, d
}

// orders is GET /staff/orders.
func (p *Pages) orders(v *visit) {
	f, d := v.filter()
	d.Orders = p.Service.Orders.List(f)
	v.show("orders", 0, d.page)
}

// orderOpen takes a new order.
func (p *Pages) orderOpen(v *visit) {
	who, symptom, device := v.who(), v.r.PostFormValue("symptom"), v.r.PostFormValue("device")
	if device != "" && !slices.Contains(p.Room.Devices(), device) {
		device = ""
	}
	step := ledger.Step{Time: time.Now(), By: who, Via: "staff", Device: device, Text: symptom, Picture: build.Picture(p.Room)}
	if m, ok := p.Service.Book.Now(); ok {
		step.Meeting = m.ID
	}
	err := ledger.ErrEmpty
	if who != "" {
		var o ledger.Order
		if o, err = p.Service.Orders.Open(step); err == nil {
			v.goTo(orderPath(o.ID))
			return
		}
	}
	if !errors.Is(err, ledger.ErrEmpty) {
		v.wrong(err)
		return
	}
	_, d := v.filter()
	d.Orders, d.Symptom, d.Device, d.Wrong = p.Service.Orders.List(ledger.Filter{}), symptom, device, "wrong.symptom"
	v.showAs(http.StatusUnprocessableEntity, "orders", 0, d.page)
}

// pictureRow is a property in the picture of the panel's state.
type pictureRow struct{ Device, Property, Value, Quality string }

type orderPage struct {
	Order   ledger.Order
	Steps   []ledger.Step
	Picture []pictureRow
	// Of a form that was not taken: what was written, and what others did meanwhile.
	Text, To string
	Theirs   []ledger.Step
	Wrong    string
	Can      map[string]bool
}

func (v *visit) orderPage(o ledger.Order) orderPage {
	d := orderPage{Order: o, Steps: o.Steps, Picture: v.picture(o.First().Picture), Can: make(map[string]bool)}
	switch o.State() {
	case ledger.Opened, ledger.Assigned:
		d.Can[string(ledger.Assigned)], d.Can[string(ledger.Fixed)] = true, true
	case ledger.Fixed:
		d.Can[string(ledger.Confirmed)], d.Can[string(ledger.Opened)] = true, true
	case ledger.Confirmed:
		d.Can[string(ledger.Opened)] = true
	}
	return d
}

// picture makes a table of the state that an order was opened in.
func (v *visit) picture(raw json.RawMessage) []pictureRow {
	var state struct {
		Properties []struct {
			Device, Property, Quality string
			Value                     any
		}
		Devices []struct {
			Device      string
			Online, Fed bool
		}
	}
	if json.Unmarshal(raw, &state) != nil {
		return nil
	}
	var rows []pictureRow
	for _, d := range state.Devices {
		word := "state.ok"
		if !d.Fed {
			word = "state.unfed"
		} else if !d.Online {
			word = "state.offline"
		}
		rows = append(rows, pictureRow{d.Device, v.t("picture.reach"), v.t(word), ""})
	}
	for _, s := range state.Properties {
		rows = append(rows, pictureRow{s.Device, v.property(s.Property), v.value(s.Device, s.Property, s.Value), v.t("quality." + s.Quality)})
	}
	place := make(map[string]int)
	for i, id := range v.p.Room.Devices() {
		place[id] = i
	}
	sortBy(rows, func(r pictureRow) int { return place[r.Device] })
	for i := range rows {
		rows[i].Device = v.device(rows[i].Device)
	}
	return rows
}

// order is GET /staff/orders/{id}.
func (p *Pages) order(v *visit) {
	o, ok := p.Service.Orders.Get(v.r.PathValue("id"))
	if !ok {
		v.wrong(ledger.ErrNoOrder)
		return
	}
	v.show("order", 0, v.orderPage(o).page)
}

// orderDo takes a step. Where somebody else was quicker both are shown and nothing is lost: what was
// written stands in the form again, beside what the other did.
func (p *Pages) orderDo(v *visit) {
	id, who, f := v.r.PathValue("id"), v.who(), v.r.PostFormValue
	version, _ := strconv.Atoi(f("version"))
	state := ledger.State(f("do"))
	if state == "note" {
		state = ""
	}
	step := ledger.Step{Time: time.Now(), By: who, State: state, Text: f("text"), To: f("to"), Via: "staff"}
	if state != ledger.Assigned {
		step.To = ""
	}
	var o ledger.Order
	err := ledger.ErrEmpty
	if who != "" {
		o, err = p.Service.Orders.Do(id, version, step)
	} else {
		o, _ = p.Service.Orders.Get(id)
	}
	var conflict *ledger.Conflict
	d := orderPage{}
	switch {
	case err == nil:
		v.goTo(orderPath(id))
		return
	case o.ID == "":
		v.wrong(ledger.ErrNoOrder)
		return
	case errors.As(err, &conflict):
		d = v.orderPage(conflict.Order)
		d.Theirs, d.Wrong = conflict.Theirs, "wrong.conflict"
	case errors.Is(err, ledger.ErrEmpty):
		d = v.orderPage(o)
		d.Wrong = "wrong.empty"
	case errors.Is(err, ledger.ErrStep):
		d = v.orderPage(o)
		d.Wrong = "wrong.step"
	default:
		p.Log.Error("a step of a repair order was not kept", "order", id, "error", err)
		d = v.orderPage(o)
		d.Wrong = "wrong.kept"
	}
	d.Text, d.To = f("text"), f("to")
	v.showAs(http.StatusConflict, "order", 0, d.page)
}

// picture is GET /staff/orders/{id}/picture.json.
func (p *Pages) picture(v *visit) {
	o, ok := p.Service.Orders.Get(v.r.PathValue("id"))
	if !ok || len(o.First().Picture) == 0 {
		v.wrong(ledger.ErrNoOrder)
		return
	}
	v.w.Header().Set("Content-Type", "application/json")
	_, _ = v.w.Write(o.First().Picture)
}
