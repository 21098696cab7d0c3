package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"lectern/configs"
	"lectern/panel"
	"lectern/scenes/journal"
	"lectern/scenes/room"
)

// reload reads the room file again and makes the room what it says. Where there is any fault in it
// the room stays as it is. Either way it is told: to who asked, to the log, to the journal and to the
// panels.
func (d *daemon) reload(ctx context.Context, by journal.By) (panel.Reloaded, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.says.reloading()
	done, err := d.replace(ctx)
	d.says.reloaded()
	var faults []string
	var many configs.Faults
	switch {
	case errors.As(err, &many):
		for _, f := range many {
			faults = append(faults, f.Error())
		}
	case err != nil:
		faults = []string{err.Error()}
	}
	entry := journal.Entry{Time: time.Now(), By: by, Outcome: "reloaded", Detail: done.String()}
	if err != nil {
		entry.Outcome, entry.Detail = "not reloaded", strings.Join(faults, "\n")
		for _, f := range faults {
			d.log.Error("the room file was not taken; the room stays as it was", "fault", f)
		}
	} else {
		d.log.Info("the room file was read again", "by", by.String(), "lines", done.String())
	}
	d.journal.Record(entry)
	d.parts.Room.PostReload(room.Reload{Time: entry.Time, Faults: faults})
	return done, err
}

// replace does the work of a reload. Everything that can fail comes before anything is touched, but
// for the embedded broker, whose port must first be free.
func (d *daemon) replace(ctx context.Context) (panel.Reloaded, error) {
	if d.load == nil {
		return panel.Reloaded{}, errors.New("the demo room has no file that could be read again")
	}
	cfg, err := d.load(ctx)
	if err != nil {
		return panel.Reloaded{}, err
	}
	if cfg.Room.ID != d.cfg.Room.ID {
		return panel.Reloaded{}, fmt.Errorf("room.id is %s now and was %s; nothing was changed: another room needs a restart", cfg.Room.ID, d.cfg.Room.ID)
	}
	if !reflect.DeepEqual(cfg.Panel.TLS, d.cfg.Panel.TLS) {
		return panel.Reloaded{}, errors.New("panel.tls is another now; nothing was changed: that needs a restart")
	}
	if !reflect.DeepEqual(cfg.Meetings, d.cfg.Meetings) {
		return panel.Reloaded{}, errors.New("meetings says something else now; nothing was changed: that needs a restart")
	}
	if !reflect.DeepEqual(cfg.Staff, d.cfg.Staff) {
		return panel.Reloaded{}, errors.New("staff says something else now; nothing was changed: that needs a restart")
	}
	server, err := d.serve(cfg)
	if err != nil {
		return panel.Reloaded{}, err
	}
	moves := !reflect.DeepEqual(cfg.Facilities, d.cfg.Facilities)
	gateway, broker := d.gateway, d.broker
	embedded := cfg.Facilities.Broker == "embedded"
	if moves && !embedded {
		if gateway, broker, err = d.facilities(ctx, cfg); err != nil {
			return panel.Reloaded{}, err
		}
	}
	change, err := d.parts.Replace(cfg)
	if err != nil {
		return panel.Reloaded{}, fmt.Errorf("building the room: %w", err)
	}
	before := d.cfg
	d.cfg = cfg
	d.service.Renew(cfg)
	d.journal.KeepFor(cfg.Journal.Keep)
	if d.certificate != nil {
		d.certificate.Rename(&cfg.Panel)
	}
	d.panel.Succeed(server)
	d.front.Store(server)
	done := panel.Reloaded(change)
	switch {
	case moves:
		err = d.leave()
		if embedded {
			var failed error
			gateway, broker, failed = d.facilities(ctx, cfg)
			err = errors.Join(err, failed)
		}
		d.gateway, d.broker = gateway, broker
		d.shown.Store(gateway)
		d.meet()
		if err != nil {
			err = fmt.Errorf("the room was taken, but not its broker: %w", err)
		}
	case d.gateway != nil && !reflect.DeepEqual(exceptPanel(before), exceptPanel(cfg)):
		d.gateway.Renew(cfg)
	}
	return done, err
}

// exceptPanel is what of a room file others than people at panels see.
func exceptPanel(cfg *configs.Room) configs.Room {
	c := *cfg
	c.Panel = configs.Panel{}
	return c
}

// onHangup reloads when the process is told SIGHUP, until the function returned is called.
func (d *daemon) onHangup(ctx context.Context) (stop func()) {
	told, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(told, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer close(over)
		for {
			select {
			case <-told:
				_, _ = d.reload(ctx, journal.By{Via: "signal", Name: "SIGHUP"}) // tells what is wrong itself
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { signal.Stop(told); cancel(); <-over }
}

type reloadVerb struct {
	connection
	JSON bool
}

func (v *reloadVerb) command(t terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "reload",
		Short: "Have a running room read its file again; what has not changed is not touched.",
		RunE:  func(c *cobra.Command, _ []string) error { return v.Run(c.Context(), t) },
	}
	v.bind(c.Flags())
	c.Flags().BoolVar(&v.JSON, "json", false, "Print JSON.")
	return c
}

// Run has a running daemon read its room file again.
func (v *reloadVerb) Run(ctx context.Context, t terminal) error {
	var done panel.Reloaded
	if err := v.call(ctx, http.MethodPost, "/api/v1/reload", nil, &done); err != nil {
		return err
	}
	if v.JSON {
		return printJSON(t.out, done)
	}
	fmt.Fprintln(t.out, "reloaded:", done)
	return nil
}
