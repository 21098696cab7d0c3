package cast

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lectern/configs"
	"lectern/devices/all"
	"lectern/devices/sim"
)

// Rooms with scripts are played by the equipment that their devices name.
func TestScriptedDevicesArePlayedByWhatTheyName(t *testing.T) {
	for name, truth := range map[string]string{
		"script-hs08r.yaml": "rack-computer.power", "script-benq.yaml": "projector.power", "script-hdmi-matrix.yaml": "matrix.1",
	} {
		room, err := configs.Load(filepath.Join("..", "..", "..", "configs", "examples", name), all.Catalogue(), os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		e := playRoom(t, room)
		if _, ok := e.Truth()[truth]; !ok {
			t.Errorf("%s: nothing plays %s: %v", name, truth, e.Truth())
		}
	}
}

func playRoom(t *testing.T, room *configs.Room) *Ensemble {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	stage := sim.NewStage(ctx)
	t.Cleanup(func() { cancel(); stage.Wait() })
	e, err := Play(ctx, stage, room, Options{Folder: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestAScriptedDeviceThatNamesNothingIsSilent(t *testing.T) {
	device := configs.Device{ID: "one", Kind: "circuit", Driver: "script", Line: "a"}
	room := &configs.Room{Lines: []configs.Line{{ID: "a", Kind: "serial"}}, Devices: []configs.Device{device}}
	e := playRoom(t, room)
	if len(e.Truth()) != 0 || e.Nudge("one", "power", "true") == nil || e.Fault("one", "nak") == nil || e.Fault("one", "") != nil {
		t.Error("silent equipment knows more than nothing")
	}
	room.Devices[0].With = map[string]any{"simulate": "telepathy"}
	ctx, cancel := context.WithCancel(context.Background())
	stage := sim.NewStage(ctx)
	defer stage.Wait()
	defer cancel()
	if _, err := Play(ctx, stage, room, Options{Folder: t.TempDir()}); err == nil || !strings.Contains(err.Error(), `"telepathy"`) {
		t.Errorf("equipment that nothing plays: %v", err)
	}
}
