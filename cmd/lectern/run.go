package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/devices/sim"
	"lectern/devices/sim/cast"
	"lectern/panel"
	"lectern/panel/mqtt"
	"lectern/scenes/build"
	"lectern/scenes/journal"
)

type runVerb struct {
	Config    string  `help:"Room file. Left out: the demo room, simulated." type:"path" placeholder:"FILE"`
	Listen    string  `help:"Where the panel is served." default:"127.0.0.1:8080" placeholder:"ADDR"`
	Data      string  `help:"Folder for journal and state." type:"path" placeholder:"DIR"`
	Simulate  bool    `help:"Play the equipment of the room file in this process."`
	Simulated string  `help:"Folder that a running 'lectern simulate' was given; its lines are used in place of the real ones." type:"path" placeholder:"DIR"`
	Speed     float64 `help:"With --simulate: how much quicker than life the equipment is." default:"1"`
	Verbose   bool    `short:"v" help:"Log every frame's worth of detail."`
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

// stand is equipment that is played, if any.
type stand struct {
	on   bool
	wait func()
}

// simulate points the room at simulated lines, where it is asked to.
func (v *runVerb) simulate(ctx context.Context, cfg *configs.Room) (stand, error) {
	switch {
	case v.Simulated != "":
		var ends cast.Endpoints
		b, err := os.ReadFile(filepath.Join(v.Simulated, endpointsFile))
		if err == nil {
			err = json.Unmarshal(b, &ends)
		}
		if err != nil {
			return stand{}, fmt.Errorf("reading where the simulated lines are: %w; is 'lectern simulate --dir %s' running?", err, v.Simulated)
		}
		ends.Apply(cfg)
		return stand{on: true, wait: func() {}}, nil
	case v.Simulate:
		folder, err := os.MkdirTemp("", "lectern-")
		if err != nil {
			return stand{}, fmt.Errorf("making a folder for simulated ports: %w", err)
		}
		stage := sim.NewStage(ctx)
		e, err := cast.Play(ctx, stage, cfg, cast.Options{Speed: v.Speed, Paced: v.Speed <= 1, Folder: folder})
		if err != nil {
			return stand{}, errors.Join(fmt.Errorf("playing the equipment: %w", err), os.RemoveAll(folder))
		}
		e.Endpoints.Apply(cfg)
		return stand{on: true, wait: func() { stage.Wait(); _ = os.RemoveAll(folder) }}, nil
	}
	return stand{wait: func() {}}, nil
}

// daemon is a room at work with the people and machines that meet it.
type daemon struct {
	parts       *build.Parts
	panel       *panel.Server
	certificate *panel.Certificate // nil where the panel speaks no TLS
	gateway     *mqtt.Gateway      // nil where the room file names no broker
	broker      *mqtt.Broker       // nil where it names one elsewhere
	service     *build.Service
	journal     *journal.Journal
	log         *slog.Logger
}

// newDaemon puts the parts together. Nothing is opened but the journal and the embedded broker.
func newDaemon(ctx context.Context, cfg *configs.Room, folder string, simulated bool, log *slog.Logger) (*daemon, error) {
	secret := rand.Text()
	if err := writeToken(folder, secret); err != nil {
		return nil, err
	}
	// The command line on this machine speaks to the daemon as any machine does.
	withCLI := *cfg
	withCLI.Panel.Tokens = append(append([]configs.Token(nil), cfg.Panel.Tokens...), configs.Token{Name: "command line", Role: "system", Secret: secret})

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
	server, err := panel.New(panel.Config{
		Cfg: &withCLI, Room: parts.Room, Engine: parts.Engine, Board: parts.Board, Journal: j, Lines: parts.Lines, Service: service,
		Build: buildVersion(), Simulated: simulated, Certificate: certificate, Log: log,
	})
	if err != nil {
		j.Close()
		return nil, errors.Join(fmt.Errorf("making the panel: %w", err), service.Close())
	}
	d := &daemon{parts: parts, panel: server, certificate: certificate, service: service, journal: j, log: log}
	if err := d.facilities(ctx, cfg, folder); err != nil {
		j.Close()
		return nil, errors.Join(err, service.Close())
	}
	return d, nil
}

// brokerAddress is where the embedded broker listens, where nobody else does.
const brokerAddress = "127.0.0.1:1883"

// facilities shows the room on the broker that the room file names.
func (d *daemon) facilities(ctx context.Context, cfg *configs.Room, folder string) error {
	f := cfg.Facilities
	if f.Broker == "" {
		return nil
	}
	if f.Broker == "embedded" {
		broker, err := mqtt.NewBroker(ctx, brokerAddress, cfg.Room.ID, f.Users, d.log)
		if errors.Is(err, syscall.EADDRINUSE) { // another broker has it; the address is told
			broker, err = mqtt.NewBroker(ctx, "127.0.0.1:0", cfg.Room.ID, f.Users, d.log)
		}
		if err != nil {
			return err //nolint:wrapcheck // says what it is
		}
		d.broker = broker
		f.Broker = broker.Address()
		f.User, f.Password = broker.RoomLogin()
	}
	gateway, err := mqtt.New(mqtt.Config{
		Cfg: cfg, Room: d.parts.Room, Engine: d.parts.Engine, Journal: d.journal,
		Facilities: f, Broker: d.broker, Folder: folder, Build: buildVersion(), Log: d.log,
	})
	if err != nil {
		return err //nolint:wrapcheck // says what it is
	}
	d.gateway = gateway
	return nil
}

// run runs everything until ctx ends or a part of it fails. The journal ends last: it has the end of
// all the others to keep.
func (d *daemon) run(ctx context.Context, listener net.Listener) error {
	written, shut := context.WithCancel(context.WithoutCancel(ctx))
	defer shut()
	var last errgroup.Group
	last.Go(func() error { return d.journal.Run(written) })
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.parts.Run(ctx) })
	g.Go(func() error { return d.service.Run(ctx) })
	g.Go(func() error { return d.panel.Run(ctx, listener) })
	if d.gateway != nil {
		g.Go(func() error { return d.gateway.Run(ctx) })
	}
	err := g.Wait()
	if err != nil {
		err = fmt.Errorf("running the room: %w", err)
	}
	if d.broker != nil {
		err = errors.Join(err, d.broker.Close())
	}
	err = errors.Join(err, d.service.Close())
	d.journal.Ended()
	shut()
	return errors.Join(err, last.Wait())
}
