package notify

import (
	"maps"
	"slices"
	"time"

	"lectern/devices"
	"lectern/scenes/ledger"
)

// trouble is a device or a line that is down.
type trouble struct {
	line  bool
	id    string
	since time.Time
	why   string
}

// lookAtOrders gathers what was written into the ledger since. Orders that are opened while the room is
// worked on are news when that is over, where they are not closed by then.
func (n *Notifier) lookAtOrders(now time.Time, expected bool) {
	if n.expected && !expected {
		for _, id := range n.held {
			if o, ok := n.Orders.Get(id); ok && o.State() != ledger.Confirmed {
				n.orders = append(n.orders, n.ofOrder(OrderOpened, o, o.First()))
				gather(&n.dueOrders, now, gatherOrders)
			}
		}
		n.held = nil
	}
	news, next := n.Orders.Since(n.seen)
	n.seen = next
	for _, o := range news {
		kind, last := "", o.Steps[len(o.Steps)-1]
		switch {
		case last.State == ledger.Opened:
			kind = OrderOpened
		case last.State == ledger.Confirmed:
			kind = OrderClosed
		case !o.Answered().IsZero() && (ledger.Order{Steps: o.Steps[:len(o.Steps)-1]}).Answered().IsZero():
			kind = OrderAnswered
		}
		switch {
		case kind == "":
		case !expected:
			n.orders = append(n.orders, n.ofOrder(kind, o, last))
			gather(&n.dueOrders, now, gatherOrders)
		case kind == OrderOpened && len(n.held) < eventsMost && !slices.Contains(n.held, o.ID):
			n.held = append(n.held, o.ID)
		}
	}
}

func (n *Notifier) ofOrder(kind string, o ledger.Order, s ledger.Step) Event {
	first := o.First()
	return Event{
		Kind: kind, Time: s.Time, Order: o.ID, By: s.By, To: s.To, Symptom: first.Text,
		Device: first.Device, Name: n.Things()[first.Device].Name,
	}
}

// lookAtEquipment gathers what has been down for long enough, and what of that is well again. What comes
// and goes while it is gathered is no news. What has lost its mains meanwhile is not well: nobody knows.
func (n *Notifier) lookAtEquipment(now time.Time) {
	bad, well := n.condition()
	for key, t := range bad {
		delete(n.well, key)
		_, waits := n.down[key]
		_, was := n.told[key]
		if !waits && !was && now.Sub(t.since) >= n.Down {
			n.down[key] = t
			gather(&n.dueEquipment, now, gatherEquipment)
		}
	}
	for key := range n.down {
		if _, still := bad[key]; !still {
			delete(n.down, key)
		}
	}
	for key, t := range n.told {
		if well[key] {
			n.well[key] = t
			gather(&n.dueEquipment, now, gatherEquipment)
		}
	}
}

// condition says what is bad - lines that are down, devices that do not answer though they have mains or
// that report a fault - and what is known to be well.
func (n *Notifier) condition() (bad map[string]trouble, well map[string]bool) {
	bad, well = make(map[string]trouble), make(map[string]bool)
	state := n.Room.State()
	for _, l := range state.Lines {
		if key := "line " + l.Line; l.Up {
			well[key] = true
		} else if l.Error != "" {
			bad[key] = trouble{true, l.Line, l.Since, l.Error}
		}
	}
	for _, d := range state.Devices {
		fault, _ := n.Room.Get(d.Device, "fault")
		switch key := "device " + d.Device; {
		case !d.Fed:
		case !d.Online && d.Error != "":
			bad[key] = trouble{false, d.Device, d.Since, d.Error}
		case fault.Quality == devices.Reported && fault.Value.String() != "":
			bad[key] = trouble{false, d.Device, fault.Since, fault.Value.String()}
		case d.Online:
			well[key] = true
		}
	}
	return bad, well
}

// fold makes events of what is down, or well again: lines first, each with the devices on it.
func fold(all map[string]trouble, kind string, now time.Time, things map[string]Thing) []Event {
	var events []Event
	on := make(map[string]int) // the event of a line
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if t := all[key]; t.line {
			on[t.id] = len(events)
			events = append(events, Event{Kind: kind, Time: t.since, Line: t.id, Why: t.why})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		t := all[key]
		if t.line {
			continue
		}
		thing := things[t.id]
		at := slices.IndexFunc(thing.Lines, func(line string) bool { _, dead := on[line]; return dead })
		if at < 0 {
			events = append(events, Event{Kind: kind, Time: t.since, Device: t.id, Name: thing.Name, Why: t.why})
			continue
		}
		e := &events[on[thing.Lines[at]]]
		e.Devices, e.names = append(e.Devices, t.id), append(e.names, thing.Name)
	}
	if kind == Well {
		for i := range events {
			events[i].Time, events[i].Why = now, ""
		}
	}
	return events
}
