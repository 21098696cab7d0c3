package build

import (
	"context"
	"os"
	"reflect"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/room"
)

// wire is a line with the equipment on it and what the room file says of both. It is what a reload
// keeps or replaces, whole.
type wire struct {
	line      *line.Line
	equipment map[string]devices.Device
	wiring    wiring

	end  context.CancelFunc // nil while the line does not run
	over chan struct{}
}

// wiring is all that the room file says of a line and of the equipment on it, but for what only people
// see of it.
type wiring struct {
	line    configs.Line
	files   [3]string // what is in those that the line names
	devices map[string]configs.Device
}

// wirings lists the wiring of every line.
func wirings(cfg *configs.Room) map[string]wiring {
	all := make(map[string]wiring)
	for _, l := range cfg.Lines {
		w := wiring{line: l, devices: make(map[string]configs.Device)}
		w.line.Pos = configs.Pos{}
		for i, path := range []string{l.CA, l.Cert, l.Key} {
			if path != "" {
				b, _ := os.ReadFile(path) // what cannot be read was told while the line was made
				w.files[i] = string(b)
			}
		}
		all[l.ID] = w
	}
	for _, d := range cfg.Devices {
		for _, id := range linesOf(d) {
			if w, ok := all[id]; ok {
				w.devices[d.ID] = bare(d)
			}
		}
	}
	return all
}

func linesOf(d configs.Device) []string {
	if d.Relays != nil {
		return []string{d.Relays.Up.Line, d.Relays.Down.Line}
	}
	return []string{d.Line}
}

// bare takes off a device what its equipment does not know: names, and what concerns the panel or the
// room as a whole.
func bare(d configs.Device) configs.Device {
	d.Name, d.Area, d.Mains, d.Volume, d.Preview = configs.Name{}, "", "", "", nil
	d.With, d.Pos = nil, configs.Pos{} // With is in Settings, with the secrets in it fetched
	if d.Relays != nil {
		r := *d.Relays
		r.Up.With, r.Up.Pos, r.Down.With, r.Down.Pos = nil, configs.Pos{}, nil, configs.Pos{}
		d.Relays = &r
	}
	d.Levels = append([]configs.Level(nil), d.Levels...)
	for i := range d.Levels {
		d.Levels[i].Name = configs.Name{}
	}
	d.Inputs, d.Outputs = barePorts(d.Inputs), barePorts(d.Outputs)
	return d
}

func barePorts(ports []configs.Port) []configs.Port {
	made := append([]configs.Port(nil), ports...)
	for i := range made {
		made[i].Name, made[i].Pos = configs.Name{}, configs.Pos{}
	}
	return made
}

// keeps says which lines are the same in two wirings, with all that hangs on them. Equipment that hangs on
// two lines stays only with both, and so do its neighbours.
func keeps(before, after map[string]wiring) map[string]bool {
	same := make(map[string]bool)
	for id, w := range after {
		if was, ok := before[id]; ok && reflect.DeepEqual(was, w) {
			same[id] = true
		}
	}
	for again := true; again; {
		again = false
		for id := range same {
			for _, d := range after[id].devices {
				for _, other := range linesOf(d) {
					if same[id] && !same[other] {
						delete(same, id)
						again = true
					}
				}
			}
		}
	}
	return same
}

// Keeps says which lines a room file leaves as they are.
func (p *Parts) Keeps(cfg *configs.Room) map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return keeps(p.wirings(), wirings(cfg))
}

func (p *Parts) wirings() map[string]wiring {
	now := make(map[string]wiring)
	for _, w := range p.wires {
		now[w.wiring.line.ID] = w.wiring
	}
	return now
}

// keep puts lines that stay, and the equipment on them, in the place of those that were made for
// them.
func (p *Parts) keep(cfg *configs.Room, made []*wire, members []room.Member) []*wire {
	after := wirings(cfg)
	same := keeps(p.wirings(), after)
	kept := make(map[string]devices.Device)
	for i, w := range made {
		id := w.line.ID()
		if !same[id] {
			w.wiring = after[id]
			continue
		}
		for _, old := range p.wires {
			if old.line.ID() == id {
				made[i] = old
				for device, d := range old.equipment {
					kept[device] = d
				}
			}
		}
	}
	for i, m := range members {
		if d, ok := kept[m.ID]; ok {
			members[i].Device = d
		}
	}
	for _, w := range made {
		for device := range w.wiring.devices {
			for _, m := range members {
				if m.ID == device {
					w.equipment[device] = m.Device
				}
			}
		}
	}
	return made
}

// Change is what a reload has done to the lines, by their ids.
type Change struct {
	Kept   []string `json:"kept"`   // not touched
	Opened []string `json:"opened"` // new, or another than before
	Closed []string `json:"closed"` // no more, or another than before
}

// Replace makes the room another one, as a checked room file says, while it runs. Lines of which the
// file says the same, of the equipment on them too, are not touched: connection, queue, state and
// commands under way stay, and nothing is written. The rest is ended, equipment first, before what takes
// its place is opened. Scenes under way end by what they began with. Where the error is not nil nothing
// has changed.
func (p *Parts) Replace(cfg *configs.Room) (Change, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d, err := p.draft(cfg)
	if err != nil {
		return Change{}, err
	}
	c := Change{Kept: []string{}, Opened: []string{}, Closed: []string{}}
	moves := !sameAlarm(p.Emergency, d.emergency)
	if moves {
		if p.Board.Alarm() {
			return Change{}, errAlarm
		}
		p.disobey()
		if p.Board.Alarm() { // it began at this very moment
			p.obey()
			return Change{}, errAlarm
		}
	}
	if err := p.Room.Replace(d.room); err != nil {
		if moves {
			p.obey()
		}
		return Change{}, err //nolint:wrapcheck // says what it was making
	}
	p.Engine.Replace(d.scenes)
	p.Board.Replace(d.board)
	p.Schedule.Replace(d.schedule)
	p.Vacancy.Replace(d.vacancy)
	if moves {
		p.adoptAlarm(d.emergency)
		p.obey()
	}
	p.Room.ForgetRuns(func(id string) bool { _, ok := p.Engine.Scene(id); return ok })
	p.Rules.Replace(d.rules)
	before := p.wires
	p.hang(d.wires)
	stays, named := make(map[*wire]bool), make(map[string]bool)
	for _, w := range d.wires {
		stays[w], named[w.line.ID()] = true, true
	}
	for _, w := range before {
		if stays[w] {
			continue
		}
		c.Closed = append(c.Closed, w.line.ID())
		if w.end != nil {
			w.end()
			<-w.over
		}
		if !named[w.line.ID()] {
			p.Room.ForgetLine(w.line.ID())
		}
	}
	for _, w := range d.wires {
		if w.end != nil {
			c.Kept = append(c.Kept, w.line.ID())
			continue
		}
		c.Opened = append(c.Opened, w.line.ID())
		p.plug(w)
	}
	return c, nil
}

// plug runs a line, where the parts run. The caller holds mu.
func (p *Parts) plug(w *wire) {
	if p.ctx == nil || p.ctx.Err() != nil {
		return
	}
	ctx, end := context.WithCancel(p.ctx)
	w.end, w.over = end, make(chan struct{})
	p.plugs.Go(func() {
		defer close(w.over)
		followed := make(chan struct{})
		go func() { defer close(followed); p.follow(ctx, w.line) }()
		_ = w.line.Run(ctx) // it ends with ctx, and has no other error
		end()
		<-followed
	})
}
