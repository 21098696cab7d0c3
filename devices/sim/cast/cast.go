// Package cast knows which simulator plays the equipment of which driver, and puts the equipment of
// a whole room file on a stage.
package cast

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"lectern/configs"
	"lectern/devices/sim"
	"lectern/devices/sim/benq"
	"lectern/devices/sim/denon"
	"lectern/devices/sim/dooya"
	"lectern/devices/sim/escvp21"
	"lectern/devices/sim/furman"
	"lectern/devices/sim/hdmimatrix"
	"lectern/devices/sim/hs08r"
	"lectern/devices/sim/hyperdeck"
	"lectern/devices/sim/itach"
	"lectern/devices/sim/jvc"
	"lectern/devices/sim/kmtronic"
	"lectern/devices/sim/kramer"
	"lectern/devices/sim/modbus"
	"lectern/devices/sim/nec"
	"lectern/devices/sim/oppo"
	"lectern/devices/sim/optoma"
	"lectern/devices/sim/panamax"
	"lectern/devices/sim/panasonic"
	"lectern/devices/sim/picture"
	"lectern/devices/sim/pioneer"
	"lectern/devices/sim/pjlink"
	"lectern/devices/sim/script"
	"lectern/devices/sim/shelly"
	"lectern/devices/sim/sis"
	"lectern/devices/sim/somfy"
	"lectern/devices/sim/sony"
	"lectern/devices/sim/sony9pin"
	"lectern/devices/sim/tasmota"
	"lectern/devices/sim/topic"
	"lectern/devices/sim/zigbee2mqtt"
)

// Role says which drivers' equipment one simulator plays.
type Role struct {
	Drivers []string
	New     sim.Factory
}

// Roles lists all simulators.
func Roles() []Role {
	return []Role{
		{[]string{"modbus-coil", "modbus-command-relay", "modbus-dimmer", "modbus-sensor"}, modbus.New},
		{[]string{"dooya"}, dooya.New},
		{[]string{"somfy-sdn"}, somfy.New},
		{[]string{"hs08r"}, hs08r.New},
		{[]string{"kmtronic"}, kmtronic.New},
		{[]string{"panamax"}, panamax.New},
		{[]string{"furman"}, furman.New},
		{[]string{"kramer", "kramer-volume"}, kramer.New},
		{[]string{"hdmi-matrix"}, hdmimatrix.New},
		{[]string{"itach-player", "itach-matrix", "itach-projector", "itach-switch"}, itach.New},
		{[]string{"extron-sis", "extron-sis-volume", "extron-smp"}, sis.New},
		{[]string{"escvp21"}, escvp21.New},
		{[]string{"pjlink"}, pjlink.New},
		{[]string{"nec"}, nec.New},
		{[]string{"panasonic-serial", "panasonic-ntcontrol"}, panasonic.New},
		{[]string{"benq"}, benq.New},
		{[]string{"optoma"}, optoma.New},
		{[]string{"sony-serial", "sony-sdcp", "sony-adcp"}, sony.New},
		{[]string{"oppo"}, oppo.New},
		{[]string{"denon-bd", "tascam-bd"}, denon.New},
		{[]string{"pioneer-dvd"}, pioneer.New},
		{[]string{"hyperdeck"}, hyperdeck.New},
		{[]string{"sony9pin"}, sony9pin.New},
		{[]string{"tasmota-switch", "tasmota-dimmer", "tasmota-shutter", "tasmota-sensor"}, tasmota.New},
		{[]string{"shelly-switch", "shelly-light", "shelly-cover", "shelly-sensor"}, shelly.New},
		{[]string{"zigbee-switch", "zigbee-dimmer", "zigbee-cover", "zigbee-sensor"}, zigbee2mqtt.New},
		{[]string{"mqtt-switch", "mqtt-dimmer", "mqtt-cover", "mqtt-sensor"}, topic.New},
		{[]string{"jvc-vhs"}, jvc.New},
		{[]string{"script"}, script.New},
	}
}

// Endpoints says where the simulated lines and pictures of a room are to be found.
type Endpoints struct {
	// Lines holds, by line id, the path of a port or the host:port of a listener.
	Lines map[string]string `json:"lines"`
	// Previews holds, by device id, the address of the moving picture.
	Previews map[string]string `json:"previews,omitempty"`
}

// Apply points the lines and previews of a room at the simulated ones.
func (e Endpoints) Apply(r *configs.Room) {
	for i := range r.Lines {
		where, ok := e.Lines[r.Lines[i].ID]
		if !ok {
			continue
		}
		if r.Lines[i].Kind == "serial" {
			r.Lines[i].Port = where
		} else {
			r.Lines[i].Address = where
		}
	}
	for i := range r.Devices {
		if u, ok := e.Previews[r.Devices[i].ID]; ok && r.Devices[i].Preview != nil {
			preview := *r.Devices[i].Preview
			preview.URL = u
			r.Devices[i].Preview = &preview
		}
	}
}

// Ensemble is the equipment of a room on a stage.
type Ensemble struct {
	Endpoints Endpoints
	Wires     map[string]*sim.Wire // by line id
	equipment []sim.Equipment
	owner     map[string]sim.Equipment // by device id

	mu     sync.Mutex
	faults map[string][2]string // at work, by id: that of the line, that of the device
}

// Options say how a room is played.
type Options struct {
	Speed float64 // see sim.Options
	// Paced makes the serial lines as slow as their baud rate.
	Paced bool
	// Folder holds the links to the ptys.
	Folder string
}

// Play puts the equipment of all lines of a room on the stage.
func Play(ctx context.Context, stage *sim.Stage, room *configs.Room, o Options) (*Ensemble, error) {
	gallery := picture.New()
	e := &Ensemble{
		Endpoints: Endpoints{Lines: make(map[string]string), Previews: make(map[string]string)},
		Wires:     make(map[string]*sim.Wire), owner: make(map[string]sim.Equipment), faults: make(map[string][2]string),
	}
	described := make(map[string]bool)
	options := sim.Options{Speed: o.Speed, Picture: func(device string, describe func() string) {
		described[device] = true
		gallery.Add(device, describe)
	}}
	for _, line := range room.Lines {
		if err := e.play(ctx, stage, room, line, o, options); err != nil {
			return nil, fmt.Errorf("simulating line %s: %w", line.ID, err)
		}
	}
	for _, d := range room.Devices {
		if d.Preview == nil {
			continue
		}
		if !described[d.ID] { // a camera, or equipment that shows nothing of itself
			gallery.Add(d.ID, func() string { return d.Kind })
		}
		ending := ".mjpg"
		if d.Preview.Kind == "snapshot" {
			ending = ".jpg"
		}
		e.Endpoints.Previews[d.ID] = "/" + url.PathEscape(d.ID) + ending
	}
	if len(e.Endpoints.Previews) > 0 {
		base, err := exhibit(ctx, stage, gallery)
		if err != nil {
			return nil, err
		}
		for id, path := range e.Endpoints.Previews {
			e.Endpoints.Previews[id] = base + path
		}
	}
	return e, nil
}

// exhibit serves the pictures until ctx ends, and returns where.
func exhibit(ctx context.Context, stage *sim.Stage, h http.Handler) (base string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("serving the simulated pictures: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stage.Go(func() { _ = server.Serve(listener) })
	stage.Go(func() { <-ctx.Done(); _ = server.Close() })
	return "http://" + listener.Addr().String(), nil
}

// play puts the equipment of one line on the stage.
func (e *Ensemble) play(ctx context.Context, stage *sim.Stage, room *configs.Room, line configs.Line, o Options, options sim.Options) error {
	hanging := devicesOn(room, line.ID)
	for _, d := range hanging {
		if !slices.ContainsFunc(Roles(), func(r Role) bool { return slices.Contains(r.Drivers, d.Driver) }) {
			return fmt.Errorf("device %s: no simulator plays the equipment of driver %q; see its setting simulate", d.ID, d.Driver)
		}
	}
	var playing []sim.Equipment
	for _, role := range Roles() {
		var part []sim.Device
		for _, d := range hanging {
			if slices.Contains(role.Drivers, d.Driver) {
				part = append(part, d)
			}
		}
		if len(part) == 0 {
			continue
		}
		equipment, err := role.New(options, part)
		if err != nil {
			return fmt.Errorf("%s: %w", strings.Join(role.Drivers, ", "), err)
		}
		for _, d := range part {
			e.owner[d.ID] = equipment
		}
		playing = append(playing, equipment)
	}
	if len(playing) == 0 {
		return nil // a line that nothing hangs on
	}
	e.equipment = append(e.equipment, playing...)
	switch line.Kind {
	case "serial":
		baud := 0
		if o.Paced {
			baud = line.Baud
		}
		wire, err := stage.Serial(filepath.Join(o.Folder, line.ID), baud, playing...)
		if err != nil {
			return err //nolint:wrapcheck // Play names the line
		}
		e.Wires[line.ID], e.Endpoints.Lines[line.ID] = wire, wire.Path()
	case "modbus-tcp":
		server, ok := playing[0].(sim.Server)
		if !ok || len(playing) > 1 {
			return fmt.Errorf("%T does not speak Modbus TCP", playing[len(playing)-1])
		}
		wire, err := stage.Relay("127.0.0.1:0", server)
		if err != nil {
			return err //nolint:wrapcheck // Play names the line
		}
		e.Wires[line.ID], e.Endpoints.Lines[line.ID] = wire, wire.Address()
	case "mqtt":
		guests := make([]sim.Guest, len(playing))
		for i, equipment := range playing {
			guest, ok := equipment.(sim.Guest)
			if !ok {
				return fmt.Errorf("%T does not live on a broker", equipment)
			}
			guests[i] = guest
		}
		wire, err := stage.Broker("127.0.0.1:0", guests...)
		if err != nil {
			return err //nolint:wrapcheck // Play names the line
		}
		e.Wires[line.ID], e.Endpoints.Lines[line.ID] = wire, wire.Address()
	default:
		wire, err := stage.TCP("127.0.0.1:0", playing...)
		if err != nil {
			return err //nolint:wrapcheck // Play names the line
		}
		e.Wires[line.ID], e.Endpoints.Lines[line.ID] = wire, wire.Address()
	}
	return nil
}

// played is what a simulator is told of a device: of a scripted one, that it is what its settings say
// under simulate.
func played(d sim.Device) sim.Device {
	if d.Driver != "script" {
		return d
	}
	switch as := d.With["simulate"].(type) {
	case string:
		d.Driver = as
	case map[string]any:
		d.Driver = fmt.Sprint(as["driver"])
		with := maps.Clone(d.With)
		maps.Copy(with, as)
		d.With = with
	}
	return d
}

// devicesOn lists what hangs on a line: devices, and the relays of curtains that have no control of
// their own.
func devicesOn(room *configs.Room, line string) []sim.Device {
	var hanging []sim.Device
	for _, d := range room.Devices {
		if d.Line == line {
			hanging = append(hanging, played(sim.Device{ID: d.ID, Kind: d.Kind, Driver: d.Driver, With: d.With}))
		}
		if d.Relays == nil {
			continue
		}
		for way, relay := range map[string]configs.Relay{"up": d.Relays.Up, "down": d.Relays.Down} {
			if relay.Line == line {
				hanging = append(hanging, played(sim.Device{ID: d.ID + "-" + way, Kind: "circuit", Driver: relay.Driver, With: relay.With}))
			}
		}
	}
	sort.SliceStable(hanging, func(i, j int) bool { return hanging[i].ID < hanging[j].ID })
	return hanging
}
