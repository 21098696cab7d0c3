// Package build makes a room from its file: lines, equipment on them, guards, sources, scenes, rules
// and what else happens by itself. It is the only place where the words of a room file become the parts that do the work.
package build

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sync/errgroup"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/line"
	"lectern/scenes/automatic"
	"lectern/scenes/emergency"
	"lectern/scenes/journal"
	"lectern/scenes/room"
	"lectern/scenes/schedule"
	"lectern/scenes/sequence"
	"lectern/scenes/vacancy"
)

// Parts is a room ready to run.
type Parts struct {
	Lines  []*line.Line
	Room   *room.Room
	Engine *sequence.Engine
	Rules  *sequence.Rules

	Board     *automatic.Board
	Schedule  *schedule.Schedule
	Vacancy   *vacancy.Watch
	Emergency *emergency.Emergency // nil where the room file has none
	journal   *journal.Journal
}

// Options are what a room needs beside its file.
type Options struct {
	Find    func(driver string) (devices.Driver, bool)
	Journal *journal.Journal
	Folder  string // where it is noted what is switched off; "" for nowhere
	Log     *slog.Logger
}

// Build makes the parts of a checked room file. Nothing is opened before Run.
func Build(cfg *configs.Room, o Options) (*Parts, error) {
	b := &builder{cfg: cfg, o: o, lines: make(map[string]*line.Line)}
	p := &Parts{journal: o.Journal}
	for _, l := range cfg.Lines {
		config := line.Config{
			ID: l.ID, Kind: line.Kind(l.Kind), Port: l.Port, Baud: l.Baud, Format: l.Format,
			Address: l.Address, User: l.User, Password: l.Password, Gap: l.Gap, Timeout: l.Timeout,
		}
		if l.TLS {
			security, err := line.TLS(l.CA, l.Cert, l.Key)
			if err != nil {
				return nil, fmt.Errorf("line %s: %w", l.ID, err)
			}
			config.TLS = security
		}
		made := line.New(config, o.Log.With("line", l.ID))
		b.lines[l.ID] = made
		p.Lines = append(p.Lines, made)
	}
	var members []room.Member
	var faults []error
	for _, d := range cfg.Devices {
		if d.Kind == "camera" {
			continue // a picture on the panel; nothing to command
		}
		made, err := b.device(d)
		if err != nil {
			faults = append(faults, fmt.Errorf("device %s: %w", d.ID, err))
			continue
		}
		members = append(members, room.Member{ID: d.ID, Mains: d.Mains, Device: made})
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	b.properties = make(map[string]devices.Property)
	for _, m := range members {
		for _, property := range m.Device.Properties() {
			b.properties[m.ID+"."+property.Name] = property
		}
	}
	made, err := room.New(room.Config{
		Members: members, Guards: b.guards(), Sources: b.sources(), Journal: o.Journal, Log: o.Log,
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was making
	}
	for _, id := range made.Devices() { // the choosers of sources are devices of the room's own
		for _, property := range made.Properties(id) {
			b.properties[id+"."+property.Name] = property
		}
	}
	scenes := b.scenes()
	rules, entries, watch, alarm := b.rules(), b.schedule(), b.vacancy(), b.emergency()
	if err := errors.Join(b.faults...); err != nil {
		return nil, err
	}
	p.Room = made
	p.Engine = sequence.New(sequence.Config{Room: made, Scenes: scenes, Journal: o.Journal, Log: o.Log})
	p.Board = b.board(made)
	p.Rules = &sequence.Rules{Room: made, Engine: p.Engine, Rules: rules, Board: p.Board, Log: o.Log}
	p.Schedule = &schedule.Schedule{Engine: p.Engine, Board: p.Board, Entries: entries, Journal: o.Journal, Log: o.Log}
	watch.Room, watch.Engine, watch.Board = made, p.Engine, p.Board
	p.Vacancy = watch
	if alarm != nil {
		alarm.Room, alarm.Engine, alarm.Board = made, p.Engine, p.Board
		p.Emergency = alarm
	}
	return p, nil
}

// Run runs the parts until ctx ends: equipment first, so that what scenes and rules meet is being
// read; the lines end last, so that a motor that was started can still be stopped.
func (p *Parts) Run(ctx context.Context) error {
	wires, unplug := context.WithCancel(context.WithoutCancel(ctx))
	defer unplug()
	var lines errgroup.Group
	for _, l := range p.Lines {
		lines.Go(func() error { return l.Run(wires) })
		lines.Go(func() error { p.follow(wires, l); return nil })
	}
	lines.Go(func() error { p.followStorage(wires); return nil })
	g, inner := errgroup.WithContext(ctx)
	g.Go(func() error { return p.Room.Run(inner) })
	g.Go(func() error { return p.Engine.Run(inner) })
	g.Go(func() error { return p.Rules.Run(inner) })
	g.Go(func() error { return p.Schedule.Run(inner) })
	g.Go(func() error { return p.Vacancy.Run(inner) })
	if p.Emergency != nil {
		g.Go(func() error { return p.Emergency.Run(inner) })
	}
	err := g.Wait()
	unplug()
	return errors.Join(err, lines.Wait())
}

// follow tells the room how a line is doing.
func (p *Parts) follow(ctx context.Context, l *line.Line) {
	for {
		p.Room.PostLine(l.Health())
		select {
		case <-l.Watch():
		case <-ctx.Done():
			return
		}
	}
}

// followStorage tells the room how its storage is doing.
func (p *Parts) followStorage(ctx context.Context) {
	for {
		h, ok := p.journal.Health()
		if !ok {
			return
		}
		p.Room.PostStorage(h)
		select {
		case <-p.journal.Watch():
		case <-ctx.Done():
			return
		}
	}
}

// builder holds what is made while a room is built.
type builder struct {
	cfg        *configs.Room
	o          Options
	lines      map[string]*line.Line
	properties map[string]devices.Property
	faults     []error
}

func phrase(n configs.Name) devices.Phrase { return devices.Phrase{ZH: n.ZH, EN: n.EN} }

// value reads a value of a property; a fault is kept for the end.
func (b *builder) value(where, name string, raw any) devices.Value {
	p, ok := b.properties[name]
	if !ok {
		b.faults = append(b.faults, fmt.Errorf("%s: there is no %s", where, name))
		return devices.Value{}
	}
	v, err := p.Read(raw)
	if err != nil {
		b.faults = append(b.faults, fmt.Errorf("%s: %s: %w", where, name, err))
	}
	return v
}

func (b *builder) matches(where string, m map[string]configs.Words) []room.Match {
	var matches []room.Match
	for _, name := range names(m) {
		device, property, _ := strings.Cut(name, ".")
		match := room.Match{Device: device, Property: property}
		for _, raw := range m[name] {
			match.Values = append(match.Values, b.value(where, name, raw))
		}
		matches = append(matches, match)
	}
	return matches
}

func wishes[V any](b *builder, where string, m map[string]V) []room.Wish {
	var wishes []room.Wish
	for _, name := range b.inOrder(names(m)) {
		device, property, _ := strings.Cut(name, ".")
		wishes = append(wishes, room.Wish{Device: device, Property: property, Value: b.value(where, name, m[name])})
	}
	return wishes
}

func names[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// inOrder sorts "device.property" by the order of the devices in the room file.
func (b *builder) inOrder(names []string) []string {
	place := func(name string) int {
		device, _, _ := strings.Cut(name, ".")
		return slices.IndexFunc(b.cfg.Devices, func(d configs.Device) bool { return d.ID == device })
	}
	sort.SliceStable(names, func(i, j int) bool { return place(names[i]) < place(names[j]) })
	return names
}

func (b *builder) guards() []room.Guard {
	var guards []room.Guard
	for _, g := range b.cfg.Guards {
		where := "guard " + g.ID
		guards = append(guards, room.Guard{
			ID: g.ID, Set: b.matches(where, g.Set), Require: b.matches(where, g.Require), For: g.For, Reason: phrase(g.Reason),
		})
	}
	return guards
}

func (b *builder) sources() []room.Source {
	var sources []room.Source
	for _, s := range b.cfg.Sources {
		on := s.On
		if on == "" {
			on = "sources"
		}
		sources = append(sources, room.Source{ID: s.ID, On: on, Name: phrase(s.Name), Set: wishes(b, "source "+s.ID, s.Set)})
	}
	return sources
}

func (b *builder) scenes() []sequence.Scene {
	var scenes []sequence.Scene
	for _, s := range b.cfg.Scenes {
		scenes = append(scenes, sequence.Scene{
			ID: s.ID, Name: phrase(s.Name), ReverseOf: s.ReverseOf, OnRestart: sequence.Policy(s.OnRestart),
			Steps: b.steps("scene "+s.ID, s.Steps, sequence.Policy(s.OnFailure)),
		})
	}
	return scenes
}

func (b *builder) steps(where string, steps []configs.Step, policy sequence.Policy) []sequence.Step {
	var made []sequence.Step
	for i, s := range steps {
		here := fmt.Sprintf("%s, step %d", where, i+1)
		step := sequence.Step{
			Name: b.stepName(s), Set: wishes(b, here, s.Set), Wait: b.matches(here, s.Wait), Pause: s.Pause, Scene: s.Scene,
			Together: b.steps(here, s.Together, policy),
			After:    s.After, Within: s.Within, Retry: s.Retry, OnFailure: policy,
		}
		if s.OnFailure != "" {
			step.OnFailure = sequence.Policy(s.OnFailure)
		}
		if s.Undo != nil {
			step.Undo = b.steps(here+", undo", s.Undo, policy)
		}
		made = append(made, step)
	}
	return made
}

// stepName is what people read of a step: its own name, or what it acts on.
func (b *builder) stepName(s configs.Step) devices.Phrase {
	if s.Name != (configs.Name{}) {
		return phrase(s.Name)
	}
	if s.Scene != "" {
		for _, scene := range b.cfg.Scenes {
			if scene.ID == s.Scene {
				return phrase(scene.Name)
			}
		}
	}
	on := append(names(s.Set), names(s.Wait)...)
	for _, part := range s.Together {
		on = append(on, names(part.Set)...)
	}
	var zh, en []string
	for _, name := range b.inOrder(on) {
		id, _, _ := strings.Cut(name, ".")
		for _, d := range b.cfg.Devices {
			if d.ID == id && !slices.Contains(en, phrase(d.Name).In("en")) {
				zh, en = append(zh, phrase(d.Name).In("zh")), append(en, phrase(d.Name).In("en"))
			}
		}
	}
	if len(en) == 0 {
		return devices.Phrase{ZH: "等待", EN: "Wait"}
	}
	return devices.Phrase{ZH: strings.Join(zh, "、"), EN: strings.Join(en, ", ")}
}

func (b *builder) rules() []sequence.Rule {
	var rules []sequence.Rule
	for _, r := range b.cfg.Rules {
		where := "rule " + r.ID
		rules = append(rules, sequence.Rule{ID: r.ID, Name: named(r.Name, r.ID), When: b.matches(where, r.When), For: r.For, Set: wishes(b, where, r.Set), Run: r.Run})
	}
	return rules
}
