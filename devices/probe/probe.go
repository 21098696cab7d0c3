// Package probe looks for what answers on a line. It asks what drivers say is harmless, at the speeds
// that equipment comes with, one protocol after the other, and tells what it finds as it finds it.
//
// It never has a line beside a daemon: a port that another program holds is not opened, and that is
// said.
package probe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"lectern/devices"
	"lectern/devices/line"
)

// openTime bounds the wait for a port to open.
const openTime = 6 * time.Second

// Plan says where to look, for what.
type Plan struct {
	// Line is where to look. On a serial line its Baud and Format are tried first, where they are given.
	Line line.Config
	// Bauds are the only speeds to try; empty for those that the protocols come with.
	Bauds []int
	// Drivers are those whose equipment is looked for; who has no Probe is passed over.
	Drivers []devices.Driver
	// Settings are those of the devices that the room file has on the line, by driver. A driver that
	// has none there is asked with its defaults.
	Settings map[string][]any
	// From, To and Registers are as in devices.Looking.
	From, To, Registers int
}

// Found is one thing that answered.
type Found struct {
	Line     string   `json:"line,omitempty"`
	Protocol string   `json:"protocol"`
	Drivers  []string `json:"drivers"` // that speak it
	Baud     int      `json:"baud,omitempty"`
	Format   string   `json:"format,omitempty"`
	Unit     string   `json:"unit,omitempty"`
	What     string   `json:"what"`
}

// kin is a protocol that is looked for, with the drivers that speak it.
type kin struct {
	*devices.Probe
	drivers  []string
	settings []any // of the devices in the room file, or the usual ones
	usual    func() any
	done     bool
}

// Run looks until everything has been tried or ctx ends. Found and progress are called from its own
// goroutine. The error says why the line could not be looked at at all.
func Run(ctx context.Context, p Plan, found func(Found), progress func(string)) error {
	sought := kindred(p)
	if len(sought) == 0 {
		return fmt.Errorf("no driver has a harmless question for a %s line", p.Line.Kind)
	}
	p.Line.Search = true
	if p.Line.Kind == line.Serial {
		return serial(ctx, p, sought, found, progress)
	}
	var failed []error
	for _, k := range sought {
		progress("asking for " + k.Protocol)
		// Each has a connection of its own: what one protocol says is noise to the next.
		err := with(ctx, p.Line, k, func(l *line.Line) error { return k.look(ctx, p, l, found, progress) })
		if ctx.Err() != nil {
			return fmt.Errorf("given up: %w", context.Cause(ctx))
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) == len(sought) {
		return failed[0] // the same for all: nobody is there, or nobody can be reached
	}
	return nil
}

// kindred lists the protocols that speak on the line, those of the room file first.
func kindred(p Plan) []*kin {
	var list []*kin
	for _, d := range p.Drivers {
		if d.Probe == nil || !slices.Contains(d.Lines, p.Line.Kind) {
			continue
		}
		i := slices.IndexFunc(list, func(k *kin) bool { return k.Protocol == d.Probe.Protocol })
		if i < 0 {
			list = append(list, &kin{Probe: d.Probe})
			i = len(list) - 1
		}
		k := list[i]
		k.drivers = append(k.drivers, d.Name)
		k.settings = append(k.settings, p.Settings[d.Name]...)
		k.usual = d.Settings
	}
	for _, k := range list {
		if len(k.settings) == 0 {
			k.settings = []any{k.usual()}
		}
	}
	return list
}

// serial looks at every speed that may be: the line's own first, then the usual ones.
func serial(ctx context.Context, p Plan, sought []*kin, found func(Found), progress func(string)) error {
	for _, s := range speeds(p, sought) {
		var here []*kin
		for _, k := range sought {
			if !k.done && k.at(p, s) {
				here = append(here, k)
			}
		}
		if len(here) == 0 {
			continue
		}
		config := p.Line
		config.Baud, config.Format = s.baud, s.format
		progress(fmt.Sprintf("%s at %d baud %s", config.Port, s.baud, s.format))
		err := with(ctx, config, nil, func(l *line.Line) error {
			for _, k := range here {
				progress(fmt.Sprintf("%d baud %s: asking for %s", s.baud, s.format, k.Protocol))
				if err := k.look(ctx, p, l, found, progress); err != nil && ctx.Err() == nil && !errors.Is(err, line.ErrNoReply) && !errors.Is(err, line.ErrGarbled) {
					return err
				}
			}
			return nil
		})
		if ctx.Err() != nil {
			return fmt.Errorf("given up: %w", context.Cause(ctx))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// speed is how a serial line may be set.
type speed struct {
	baud   int
	format string
}

// at reports whether equipment of the protocol may be set to a speed.
func (k *kin) at(p Plan, s speed) bool {
	if s.baud == p.Line.Baud && s.format == p.Line.Format {
		return true
	}
	return (len(p.Bauds) > 0 || slices.Contains(k.bauds(), s.baud)) && slices.Contains(k.formats(), s.format)
}

func (k *kin) bauds() []int {
	if len(k.Bauds) == 0 {
		return []int{9600}
	}
	return k.Bauds
}

func (k *kin) formats() []string {
	if len(k.Formats) == 0 {
		return []string{"8N1"}
	}
	return k.Formats
}

// speeds lists the speeds to try, the line's own first, then in the order in which protocols come with
// them.
func speeds(p Plan, sought []*kin) []speed {
	var list []speed
	add := func(s speed) {
		if !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	if p.Line.Baud > 0 && (len(p.Bauds) == 0 || slices.Contains(p.Bauds, p.Line.Baud)) {
		if p.Line.Format == "" {
			p.Line.Format = "8N1"
		}
		add(speed{p.Line.Baud, p.Line.Format})
	}
	for i := range 16 {
		for _, k := range sought {
			bauds := k.bauds()
			if len(p.Bauds) > 0 {
				bauds = p.Bauds
			}
			if i < len(bauds) {
				for _, f := range k.formats() {
					add(speed{bauds[i], f})
				}
			}
		}
	}
	return list
}

// with opens a line, for as long as f looks at it.
func with(ctx context.Context, c line.Config, k *kin, f func(*line.Line) error) error {
	l := line.New(c, slog.New(slog.DiscardHandler))
	if k != nil && k.Session != nil {
		if err := l.Use(k.Session(k.settings[0])); err != nil {
			return err //nolint:wrapcheck // says which line
		}
	}
	running, stop := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() { defer close(over); _ = l.Run(running) }()
	defer func() { stop(); <-over }()
	opening, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	for {
		switch h := l.Health(); {
		case h.Up:
			return f(l)
		case h.Error != "":
			return fmt.Errorf("opening %s%s: %s", c.Port, c.Address, h.Error)
		}
		select {
		case <-l.Watch():
		case <-opening.Done():
			return fmt.Errorf("opening %s%s: it did not open in %s", c.Port, c.Address, openTime)
		}
	}
}

// look asks the questions of one protocol.
func (k *kin) look(ctx context.Context, p Plan, l *line.Line, found func(Found), progress func(string)) error {
	ctx = line.WithUrgency(ctx, line.Person) // polls pass over who has been silent
	tell := func(unit, what string) {
		k.done = true
		f := Found{Line: p.Line.ID, Protocol: k.Protocol, Drivers: k.drivers, Unit: unit, What: what}
		if c := l.Config(); c.Kind == line.Serial {
			f.Baud, f.Format = c.Baud, c.Format
		}
		found(f)
	}
	if k.Look != nil {
		return k.Look(ctx, devices.Looking{ //nolint:wrapcheck // the driver says what it asked
			Line: l, Settings: k.settings[0], From: p.From, To: p.To, Registers: p.Registers, Found: tell, Progress: progress,
		})
	}
	var last error
	asked := make(map[string]bool)
	for _, settings := range k.settings {
		x := k.Ask(l.Config().Kind, settings)
		if asked[x.Unit] {
			continue // several channels of one unit
		}
		asked[x.Unit] = true
		frame, err := l.Do(ctx, x)
		if err != nil {
			last = err
			continue
		}
		what := fmt.Sprintf("% X", frame)
		if x.Explain != nil {
			what = x.Explain(frame)
		}
		tell(x.Unit, what)
	}
	if k.done {
		return nil
	}
	return last //nolint:wrapcheck // the line says what was asked
}
