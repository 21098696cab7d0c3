package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"lectern/configs"
	"lectern/panel"
	"lectern/panel/building"
)

type buildingVerb struct {
	Config  string
	Listen  string
	Data    string
	Verbose bool
}

func (v *buildingVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:     "building",
		Short:   "Show every room of a building, by its MQTT broker, on one page.",
		Example: "  lectern building --config building.yaml",
		RunE:    func(c *cobra.Command, _ []string) error { return v.Run(c.Context(), t) },
	}
	f := c.Flags()
	pathFlag(f, &v.Config, "config", "", "Read the building from `FILE`, which must be given; configs/building/building.yaml is one to start from.")
	f.StringVar(&v.Listen, "listen", "127.0.0.1:8090", "Serve the page at `ADDR`")
	pathFlag(f, &v.Data, "data", "", "Keep a certificate of the program's own making in the folder `DIR`.")
	f.BoolVarP(&v.Verbose, "verbose", "v", false, "Log every detail.")
	return c
}

// Run shows the rooms of a broker until the process is told to stop.
func (v *buildingVerb) Run(ctx context.Context, t terminal) error {
	if v.Config == "" {
		return fmt.Errorf("%w: give the building file: --config FILE", errUsage)
	}
	cfg, err := configs.LoadBuilding(v.Config, os.LookupEnv)
	if err != nil {
		return fmt.Errorf("the building file has faults; nothing was started:\n%w", err)
	}
	level := slog.LevelInfo
	if v.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(t.err, &slog.HandlerOptions{Level: level}))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", v.Listen)
	if err != nil {
		return fmt.Errorf("serving the page of the building: %w; choose another address with --listen", err)
	}
	defer listener.Close()
	// A room's panel is held to the same: who can reach it must not know its PIN from our demo room.
	door := &configs.Room{Panel: configs.Panel{
		People: []configs.Person{{Name: "the building file", PIN: cfg.Panel.PIN}}, TLS: cfg.Panel.TLS, Hosts: cfg.Panel.Hosts,
	}}
	if err := exposed(door, listener.Addr(), log); err != nil {
		return err
	}
	scheme := "http"
	var certificate *panel.Certificate
	if cfg.Panel.TLS != nil {
		folder, err := dataFolder(v.Data, "building")
		if err != nil {
			return err
		}
		if certificate, err = panel.OpenCertificate(&door.Panel, folder, log); err != nil {
			return err //nolint:wrapcheck // says what it is
		}
		scheme = "https"
	}
	page, err := building.New(building.Config{Cfg: cfg, Certificate: certificate, Log: log})
	if err != nil {
		return err //nolint:wrapcheck // says what it is
	}
	fmt.Fprintf(t.out, "%s / %s: %s://%s\n", cfg.Building.Name.ZH, cfg.Building.Name.EN, scheme, listener.Addr())
	if certificate != nil {
		sum, key := certificate.Fingerprint()
		fmt.Fprintf(t.out, "TLS: certificate SHA-256 %s, key sha256//%s\n", sum, key)
	}
	return page.Run(ctx, listener) //nolint:wrapcheck // says what it is
}
