// Package build makes a room from its file: lines, equipment on them, guards, sources, scenes, rules
// and what else happens by itself. It is the only place where the words of a room file become the parts that do the work.
package build

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

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
	Room   *room.Room
	Engine *sequence.Engine
	Rules  *sequence.Rules

	Board     *automatic.Board
	Schedule  *schedule.Schedule
	Vacancy   *vacancy.Watch
	Emergency *emergency.Emergency // nil where the room file has none
	obeyed    alarm

	o     Options
	mu    sync.Mutex                   // one at a time changes what there is
	wires []*wire                      // in the order of the room file
	lines atomic.Pointer[[]*line.Line] // theirs, for who does not wait for a reload
	ctx   context.Context              // of the lines
	inner context.Context              // of the rest
	plugs sync.WaitGroup
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
	p := &Parts{o: o}
	d, err := p.draft(cfg)
	if err != nil {
		return nil, err
	}
	p.Room, err = room.New(d.room)
	if err != nil {
		return nil, err //nolint:wrapcheck // says what it was making
	}
	p.hang(d.wires)
	p.Engine = sequence.New(sequence.Config{Room: p.Room, Scenes: d.scenes, Journal: o.Journal, Log: o.Log})
	var store automatic.Store
	if o.Folder != "" {
		store = automatic.File{Path: filepath.Join(o.Folder, "automatic.json")}
	}
	p.Board = automatic.New(p.Room, store, o.Journal, o.Log)
	p.Board.Replace(d.board)
	p.Rules = &sequence.Rules{Room: p.Room, Engine: p.Engine, Rules: d.rules, Board: p.Board, Log: o.Log}
	p.Schedule = &schedule.Schedule{Engine: p.Engine, Board: p.Board, Entries: d.schedule, Journal: o.Journal, Log: o.Log}
	p.Vacancy = d.vacancy
	p.Vacancy.Room, p.Vacancy.Engine, p.Vacancy.Board = p.Room, p.Engine, p.Board
	p.adoptAlarm(d.emergency)
	return p, nil
}

// draft is what a room file comes to, before anything is done about it.
type draft struct {
	wires  []*wire
	room   room.Config
	scenes []sequence.Scene
	rules  []sequence.Rule

	board     []automatic.Thing
	schedule  []schedule.Entry
	vacancy   *vacancy.Watch
	emergency *emergency.Emergency // nil where the room file has none
}

// draft makes everything anew, and puts what stays as it is in the place of what was made for it.
func (p *Parts) draft(cfg *configs.Room) (*draft, error) {
	b := &builder{cfg: cfg, o: p.o, lines: make(map[string]*line.Line), properties: make(map[string]devices.Property)}
	var wires []*wire
	for _, l := range cfg.Lines {
		made, err := b.wire(l)
		if err != nil {
			return nil, fmt.Errorf("line %s: %w", l.ID, err)
		}
		b.lines[l.ID] = made
		wires = append(wires, &wire{line: made, equipment: make(map[string]devices.Device)})
	}
	c := room.Config{Journal: p.o.Journal, Log: p.o.Log}
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
		c.Members = append(c.Members, room.Member{ID: d.ID, Mains: d.Mains, Device: made, Properties: made.Properties()})
		for _, property := range made.Properties() {
			b.properties[d.ID+"."+property.Name] = property
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	c.Sources = b.sources()
	for on, properties := range room.Choosers(c.Sources) { // devices of the room's own
		for _, property := range properties {
			b.properties[on+"."+property.Name] = property
		}
	}
	c.Guards = b.guards()
	d := &draft{
		room: c, scenes: b.scenes(), rules: b.rules(),
		board: b.board(), schedule: b.schedule(), vacancy: b.vacancy(), emergency: b.emergency(),
	}
	if err := errors.Join(b.faults...); err != nil {
		return nil, err
	}
	d.wires = p.keep(cfg, wires, c.Members)
	return d, nil
}

func (b *builder) wire(l configs.Line) (*line.Line, error) {
	config := line.Config{
		ID: l.ID, Kind: line.Kind(l.Kind), Port: l.Port, Baud: l.Baud, Format: l.Format,
		Address: l.Address, User: l.User, Password: l.Password, Gap: l.Gap, Timeout: l.Timeout,
	}
	if l.TLS {
		security, err := line.TLS(l.CA, l.Cert, l.Key)
		if err != nil {
			return nil, err //nolint:wrapcheck // the caller says which line
		}
		config.TLS = security
	}
	return line.New(config, b.o.Log.With("line", l.ID)), nil
}

// Lines returns the lines as they are now, in the order of the room file.
func (p *Parts) Lines() []*line.Line { return *p.lines.Load() }

// hang puts other wires in the place of those there are. The caller holds mu, or nobody else has p.
func (p *Parts) hang(wires []*wire) {
	lines := make([]*line.Line, len(wires))
	for i, w := range wires {
		lines[i] = w.line
	}
	p.wires = wires
	p.lines.Store(&lines)
}

// Run runs the parts until ctx ends: equipment first, so that what scenes and rules meet is being
// read; the lines end last, so that a motor that was started can still be stopped.
func (p *Parts) Run(ctx context.Context) error {
	wires, unplug := context.WithCancel(context.WithoutCancel(ctx))
	defer unplug()
	p.mu.Lock()
	p.ctx = wires
	for _, w := range p.wires {
		p.plug(w)
	}
	g, inner := errgroup.WithContext(ctx)
	p.inner = inner
	p.obey()
	p.mu.Unlock()
	p.plugs.Go(func() { p.followStorage(wires) })
	g.Go(func() error { return p.Room.Run(inner) })
	g.Go(func() error { return p.Engine.Run(inner) })
	g.Go(func() error { return p.Rules.Run(inner) })
	g.Go(func() error { return p.Schedule.Run(inner) })
	g.Go(func() error { return p.Vacancy.Run(inner) })
	err := g.Wait()
	p.mu.Lock() // a Replace under way ends first, and then nothing is begun any more
	p.disobey()
	unplug()
	p.mu.Unlock()
	p.plugs.Wait()
	return err //nolint:wrapcheck // the parts say what it was
}

// Answer returns when every part has answered: a watchdog asks it. It changes nothing.
func (p *Parts) Answer() {
	p.Room.Answer()
	p.Engine.Ready()
	for _, l := range p.Lines() {
		l.Waiting()
	}
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
		h, ok := p.o.Journal.Health()
		if !ok {
			return
		}
		p.Room.PostStorage(h)
		select {
		case <-p.o.Journal.Watch():
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
