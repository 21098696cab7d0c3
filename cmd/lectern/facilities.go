package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"lectern/configs"
	"lectern/panel/mqtt"
)

// brokerAddress is where the embedded broker listens, where nobody else does.
const brokerAddress = "127.0.0.1:1883"

// facilities makes what shows the room on the broker that the room file names.
func (d *daemon) facilities(ctx context.Context, cfg *configs.Room) (*mqtt.Gateway, *mqtt.Broker, error) {
	f := cfg.Facilities
	if f.Broker == "" {
		return nil, nil, nil
	}
	var broker *mqtt.Broker
	if f.Broker == "embedded" {
		var err error
		broker, err = mqtt.NewBroker(ctx, brokerAddress, cfg.Room.ID, f.Users, d.log)
		if errors.Is(err, syscall.EADDRINUSE) { // another broker has it; the address is told
			broker, err = mqtt.NewBroker(ctx, "127.0.0.1:0", cfg.Room.ID, f.Users, d.log)
		}
		if err != nil {
			return nil, nil, err //nolint:wrapcheck // says what it is
		}
		f.Broker = broker.Address()
		f.User, f.Password = broker.RoomLogin()
	}
	gateway, err := mqtt.New(mqtt.Config{
		Cfg: cfg, Room: d.parts.Room, Engine: d.parts.Engine, Journal: d.journal,
		Facilities: f, Broker: broker, Folder: d.folder, Service: d.serves, Build: buildVersion(), Log: d.log,
	})
	if err != nil && broker != nil {
		err = errors.Join(err, broker.Close())
	}
	return gateway, broker, err //nolint:wrapcheck // says what it is
}

// serves tells the broker what property staff have to do with the room.
func (d *daemon) serves() mqtt.Service {
	now, _ := d.service.Book.Now()
	return mqtt.Service{Phase: now.Phase, Calls: d.service.Orders.Calls()}
}

// meet lets the gateway show the room, where the daemon runs. The caller holds mu.
func (d *daemon) meet() {
	gateway := d.gateway
	if gateway == nil || d.ctx == nil || d.ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithCancel(d.ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = gateway.Run(ctx) // ends with ctx, and has no other error
	}()
	d.away = func() { cancel(); <-over }
}

// leave takes the room off its broker, and ends that where it is embedded. The caller holds mu.
func (d *daemon) leave() error {
	if d.away != nil {
		d.away()
		d.away = nil
	}
	if d.broker == nil {
		return nil
	}
	if err := d.broker.Close(); err != nil {
		return fmt.Errorf("closing the embedded broker: %w", err)
	}
	return nil
}

// onBroker reports whether the room stands on its broker.
func (d *daemon) onBroker() bool {
	g := d.shown.Load()
	return g != nil && g.Connected()
}
