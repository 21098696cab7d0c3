package mqtt

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/all"
	"lectern/devices/sim"
	"lectern/devices/sim/cast"
	"lectern/scenes/build"
	"lectern/scenes/room"
)

// example shows a room that comes with the program on a broker, on simulated equipment, fifty times as
// quick as life.
func example(t *testing.T, v *venue, file string) (*configs.Room, *room.Room, *listener) {
	t.Helper()
	cfg, err := configs.Load(filepath.Join("..", "..", "configs", file), all.Catalogue(), os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	for i := range cfg.Devices {
		cfg.Devices[i].Travel /= 50
	}
	ctx, cancel := context.WithCancel(context.Background())
	stage := sim.NewStage(ctx)
	played, err := cast.Play(ctx, stage, cfg, cast.Options{Speed: 50, Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	played.Endpoints.Apply(cfg)
	parts, err := build.Build(cfg, build.Options{Find: all.Find, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(Config{Cfg: cfg, Room: parts.Room, Engine: parts.Engine, Facilities: v.facilities(), Broker: v.broker, Build: "test", Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = parts.Run(ctx) })
	wg.Go(func() { _ = g.Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait(); stage.Wait() })
	f := listen(t, v)
	f.says(t, "homie/5/"+cfg.Room.ID+"/$state", "ready")
	for _, l := range cfg.Lines {
		f.says(t, "homie/5/"+cfg.Room.ID+"/line-"+l.ID+"/up", "true")
	}
	return cfg, parts.Room, f
}

// everyProperty calls do with each property of a room.
func everyProperty(r *room.Room, do func(device string, p devices.Property)) {
	for _, id := range r.Devices() {
		for _, p := range r.Properties(id) {
			do(id, p)
		}
	}
}
