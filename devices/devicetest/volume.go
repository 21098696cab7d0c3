package devicetest

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"lectern/devices"
)

// VolumeCase is a volume to be proved. Its pair's device is called "device".
type VolumeCase struct {
	*Pair
	// Nak is the equipment's fault in which it answers every command with its error reply.
	Nak string
	// Calm leaves out what a bad wire does, where another case of the driver proves it.
	Calm bool
}

// heardAt is a volume as it is read.
type heardAt struct {
	percent int
	muted   bool
}

// Volume proves a volume and its mute.
func Volume(t *testing.T, c VolumeCase) {
	t.Helper()
	volume, ok := c.Capability.(devices.Volume)
	if !ok {
		t.Fatalf("%T is no devices.Volume", c.Capability)
	}
	truth := func() heardAt {
		now := c.Equipment.Truth()
		percent, err := strconv.Atoi(now["device.volume"])
		if err != nil {
			t.Errorf("the equipment says volume %q", now["device.volume"])
		}
		return heardAt{percent, now["device.mute"] == "true"}
	}
	read := func(ctx context.Context) (any, error) {
		percent, muted, err := volume.Volume(ctx)
		return heardAt{percent, muted}, err
	}
	agrees := func(t *testing.T, want heardAt) {
		t.Helper()
		got, err := read(Asking(t))
		if err != nil || got != want || truth() != want {
			t.Errorf("read %+v, %v; the truth is %+v, want %+v", got, err, truth(), want)
		}
	}
	t.Run("sets and reads", func(t *testing.T) {
		for _, want := range []heardAt{{0, false}, {1, true}, {50, true}, {51, false}, {99, false}, {100, true}, {33, false}} {
			if err := volume.SetVolume(Asking(t), want.percent); err != nil {
				t.Errorf("%d%%: %v", want.percent, err)
			}
			if err := volume.SetMute(Asking(t), want.muted); err != nil {
				t.Errorf("mute %v: %v", want.muted, err)
			}
			agrees(t, want)
		}
	})
	t.Run("refuses what is no volume", func(t *testing.T) {
		before := truth()
		for _, percent := range []int{-1, 101} {
			if err := volume.SetVolume(Asking(t), percent); err == nil {
				t.Errorf("%d%% was taken", percent)
			}
		}
		agrees(t, before)
	})
	t.Run("reads and reports what somebody did to it", func(t *testing.T) {
		agrees(t, truth()) // the connection is up
		// The volume first: some equipment lifts a mute when somebody turns it.
		for _, n := range []struct{ property, value string }{{"volume", "64"}, {"mute", "true"}} {
			heard := drained(c.Capability)
			c.Nudge(t, "device", n.property, n.value)
			notified(t, heard)
		}
		agrees(t, heardAt{64, true})
	})
	t.Run("an error reply is a rejection and changes nothing", func(t *testing.T) {
		before := truth()
		c.Fault(t, c.Nak)
		defer c.Fault(t, "")
		for what, err := range map[string]error{"volume": volume.SetVolume(Asking(t), 12), "mute": volume.SetMute(Asking(t), !before.muted)} {
			if !errors.As(err, new(*devices.Rejection)) {
				t.Errorf("setting the %s gave %v", what, err)
			}
		}
		if truth() != before {
			t.Errorf("it changed from %+v to %+v", before, truth())
		}
		if got, err := read(Asking(t)); err == nil {
			t.Errorf("read %+v", got)
		}
	})
	level := 10
	if c.Calm || testing.Short() {
		return
	}
	OnABadWire(t, WireCase{
		Heard: drained(c.Capability),

		Wire: c.Wire, Read: read, Truth: func() any { return truth() },
		Change: func() {
			level = (level + 37) % 101
			c.Nudge(t, "device", "volume", strconv.Itoa(level))
		},
	})
}
