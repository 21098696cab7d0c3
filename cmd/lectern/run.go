package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/panel"
	"lectern/panel/mqtt"
	"lectern/scenes/build"
	"lectern/scenes/journal"
)

type runVerb struct {
	Config    string
	Listen    string
	Data      string
	Simulate  bool
	Simulated string
	Speed     float64
	Verbose   bool
}

func (v *runVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Run a room. Without a room file: the demo room on simulated equipment.",
		Example: `  lectern run --config room.yaml --listen 0.0.0.0:8080
  lectern run --config room.yaml --simulate --speed 10`,
		RunE: func(c *cobra.Command, _ []string) error { return v.Run(c.Context(), t) },
	}
	f := c.Flags()
	pathFlag(f, &v.Config, "config", "", "Read the room from `FILE`. Left out: the demo room, simulated.")
	f.StringVar(&v.Listen, "listen", "127.0.0.1:8080", "Serve the panel at `ADDR`")
	pathFlag(f, &v.Data, "data", "", "Keep journal and state in the folder `DIR`.")
	f.BoolVar(&v.Simulate, "simulate", false, "Play the equipment of the room file in this process.")
	pathFlag(f, &v.Simulated, "simulated", "", "Use the lines of a running 'lectern simulate --dir `DIR`' in place of the real ones.")
	f.Float64Var(&v.Speed, "speed", 1, "With --simulate: play it `N` times as quick as life")
	f.BoolVarP(&v.Verbose, "verbose", "v", false, "Log every frame's worth of detail.")
	return c
}

// Run runs a room until the process is told to stop.
func (v *runVerb) Run(ctx context.Context, t terminal) error {
	demo := v.Config == ""
	if demo && v.Simulated == "" {
		v.Simulate = true
	}
	if v.Simulate && v.Simulated != "" {
		return fmt.Errorf("%w: --simulate and --simulated exclude each other", errUsage)
	}
	cfg, err := load(v.Config)
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if v.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: level}))

	// A port that is taken is found out before any equipment is touched.
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", v.Listen)
	if err != nil {
		return fmt.Errorf("serving the panel: %w; is another lectern running? choose another address with --listen", err)
	}
	defer listener.Close()
	if err := exposed(cfg, listener.Addr(), log); err != nil {
		return err
	}
	folder, err := dataFolder(v.Data, cfg.Room.ID)
	if err != nil {
		return err
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	simulated, err := v.simulate(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { cancel(); simulated.wait() }()

	d, err := newDaemon(ctx, cfg, folder, simulated.on, log)
	if err != nil {
		return err
	}
	if !demo {
		d.load = func(ctx context.Context) (*configs.Room, error) {
			again, err := load(v.Config)
			if err != nil {
				return nil, err
			}
			if err := exposed(again, listener.Addr(), log); err != nil {
				return nil, err
			}
			return again, simulated.point(ctx, again, d.parts.Keeps)
		}
		defer d.onHangup(ctx)()
	}
	scheme := "http"
	if d.certificate != nil {
		scheme = "https"
	}
	fmt.Fprintf(t.out, "%s / %s: %s://%s\n", cfg.Room.Name.ZH, cfg.Room.Name.EN, scheme, listener.Addr())
	if d.certificate != nil {
		sum, key := d.certificate.Fingerprint()
		fmt.Fprintf(t.out, "TLS: certificate SHA-256 %s, key sha256//%s\n", sum, key)
	}
	if demo {
		fmt.Fprintf(t.out, "Demo PINs: main %s, system %s, staff %s\n", configs.DemoPINs["main"], configs.DemoPINs["system"], configs.DemoPINs["staff"])
	}
	if d.broker != nil {
		user, password := d.broker.Login()
		fmt.Fprintf(t.out, "MQTT: %s user %s password %s\n", d.broker.Address(), user, password)
	}
	return d.run(ctx, listener)
}

// daemon is a room at work with the people and machines that meet it.
type daemon struct {
	parts       *build.Parts
	panel       *panel.Server                // the first, which has the listener
	certificate *panel.Certificate           // nil where the panel speaks no TLS
	gateway     *mqtt.Gateway                // nil where the room file names no broker
	front       atomic.Pointer[panel.Server] // the one that answers now
	shown       atomic.Pointer[mqtt.Gateway] // gateway, for who does not hold mu
	broker      *mqtt.Broker                 // nil where it names one elsewhere
	service     *build.Service
	journal     *journal.Journal
	log         *slog.Logger
	folder      string
	simulated   bool
	says        *herald       // what systemd is told
	cli         configs.Token // by which the command line on this machine comes in

	mu   sync.Mutex                                   // one reload at a time; guards what it changes
	cfg  *configs.Room                                // in force
	load func(context.Context) (*configs.Room, error) // reads the room file again; nil where there is none
	ctx  context.Context                              // of run; nil before
	away func()                                       // takes the gateway off its broker and waits; nil where there is none
}

// newDaemon puts the parts together. Nothing is opened but the journal and the embedded broker.
func newDaemon(ctx context.Context, cfg *configs.Room, folder string, simulated bool, log *slog.Logger) (*daemon, error) {
	secret := rand.Text()
	if err := writeToken(folder, secret); err != nil {
		return nil, err
	}
	var certificate *panel.Certificate
	if cfg.Panel.TLS != nil {
		var err error
		if certificate, err = panel.OpenCertificate(&cfg.Panel, folder, log); err != nil {
			return nil, err //nolint:wrapcheck // says what it is
		}
	}
	j := journal.Open(folder, log)
	j.KeepFor(cfg.Journal.Keep)
	j.Began(buildVersion())
	parts, err := build.Build(cfg, build.Options{Find: all.Find, Journal: j, Folder: folder, Log: log})
	if err != nil {
		j.Close()
		return nil, fmt.Errorf("building the room: %w", err)
	}
	service, err := build.Serve(cfg, parts, folder, log)
	if err != nil {
		j.Close()
		return nil, err //nolint:wrapcheck // says what it is
	}
	d := &daemon{
		parts: parts, service: service, certificate: certificate, journal: j, log: log, folder: folder, simulated: simulated, cfg: cfg,
		cli: configs.Token{Name: "command line", Role: "system", Secret: secret},
	}
	if d.panel, err = d.serve(cfg); err != nil {
		j.Close()
		return nil, errors.Join(err, service.Close())
	}
	d.front.Store(d.panel)
	d.says = newHerald(d)
	if d.gateway, d.broker, err = d.facilities(ctx, cfg); err != nil {
		j.Close()
		return nil, err
	}
	d.shown.Store(d.gateway)
	return d, nil
}

// now is the server that answers.
func (d *daemon) now() *panel.Server { return d.front.Load() }

// serve makes the server of a room file, which goes on from the one before.
func (d *daemon) serve(cfg *configs.Room) (*panel.Server, error) {
	// The command line on this machine speaks to the daemon as any machine does.
	withCLI := *cfg
	withCLI.Panel.Tokens = append(append([]configs.Token(nil), cfg.Panel.Tokens...), d.cli)
	c := panel.Config{
		Cfg: &withCLI, Room: d.parts.Room, Engine: d.parts.Engine, Board: d.parts.Board, Journal: d.journal, Lines: d.parts.Lines, Service: d.service,
		Build: buildVersion(), Simulated: d.simulated, Certificate: d.certificate, Reload: d.reload, Before: d.front.Load(), Log: d.log,
	}
	if cfg.Facilities.Broker != "" {
		c.Broker = d.onBroker
	}
	server, err := panel.New(c)
	if err != nil {
		return nil, fmt.Errorf("making the panel: %w", err)
	}
	return server, nil
}

// run runs everything until ctx ends or a part of it fails. The journal ends last: it has the end of
// all the others to keep.
func (d *daemon) run(ctx context.Context, listener net.Listener) error {
	written, shut := context.WithCancel(context.WithoutCancel(ctx))
	defer shut()
	var last errgroup.Group
	last.Go(func() error { return d.journal.Run(written) })
	g, ctx := errgroup.WithContext(ctx)
	d.mu.Lock()
	d.ctx = ctx
	d.meet()
	d.mu.Unlock()
	heard := make(chan struct{})
	go func() { defer close(heard); d.says.run(ctx) }()
	g.Go(func() error { stayLean(ctx, d.log); return nil })
	g.Go(func() error { return d.parts.Run(ctx) })
	g.Go(func() error { return d.service.Run(ctx) })
	g.Go(func() error { return d.panel.Run(ctx, listener) })
	err := g.Wait()
	<-heard
	if err != nil {
		err = fmt.Errorf("running the room: %w", err)
	}
	d.mu.Lock()
	err = errors.Join(err, d.leave())
	d.mu.Unlock()
	err = errors.Join(err, d.service.Close())
	d.journal.Ended()
	shut()
	return errors.Join(err, last.Wait())
}
