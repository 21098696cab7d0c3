// Package all is the catalogue: every driver that Lectern has, one line each. Nothing registers
// itself; who wants a driver in the catalogue writes it here.
package all

import (
	"slices"
	"strings"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/benq"
	"lectern/devices/denon"
	"lectern/devices/dooya"
	"lectern/devices/escvp21"
	"lectern/devices/furman"
	"lectern/devices/hdmimatrix"
	"lectern/devices/hs08r"
	"lectern/devices/hyperdeck"
	"lectern/devices/itach"
	"lectern/devices/jvc"
	"lectern/devices/kmtronic"
	"lectern/devices/kramer"
	"lectern/devices/modbus"
	"lectern/devices/nec"
	"lectern/devices/oppo"
	"lectern/devices/optoma"
	"lectern/devices/panamax"
	"lectern/devices/panasonic"
	"lectern/devices/pioneer"
	"lectern/devices/pjlink"
	"lectern/devices/script"
	"lectern/devices/shelly"
	"lectern/devices/sis"
	"lectern/devices/somfy"
	"lectern/devices/sony"
	"lectern/devices/sony9pin"
	"lectern/devices/tasmota"
	"lectern/devices/topic"
	"lectern/devices/zigbee2mqtt"
)

// Drivers lists every driver, sorted by name.
func Drivers() []devices.Driver {
	drivers := slices.Concat(
		modbus.Drivers(),
		panasonic.Drivers(),
		denon.Drivers(),
		sis.Drivers(),
		shelly.Drivers(),
		tasmota.Drivers(),
		topic.Drivers(),
		zigbee2mqtt.Drivers(),
		sony.Drivers(),
		kramer.Drivers(),
		itach.Drivers(),
		[]devices.Driver{
			benq.Driver(),
			dooya.Driver(),
			escvp21.Driver(),
			furman.Driver(),
			hdmimatrix.Driver(),
			hs08r.Driver(),
			hyperdeck.Driver(),
			nec.Driver(),
			oppo.Driver(),
			optoma.Driver(),
			kmtronic.Driver(),
			panamax.Driver(),
			jvc.Driver(),
			pioneer.Driver(),
			pjlink.Driver(),
			somfy.Driver(),
			script.Driver(),
			sony9pin.Driver(),
		},
	)
	slices.SortFunc(drivers, func(a, b devices.Driver) int { return strings.Compare(a.Name, b.Name) })
	return drivers
}

// Find looks a driver up by name.
func Find(name string) (devices.Driver, bool) {
	for _, d := range Drivers() {
		if d.Name == name {
			return d, true
		}
	}
	return devices.Driver{}, false
}

// Catalogue tells the loader of room files what it must know of the drivers.
func Catalogue() configs.Catalogue { return catalogue{} }

type catalogue struct{}

// Driver implements configs.Catalogue.
func (catalogue) Driver(name string) (configs.Driver, bool) {
	d, ok := Find(name)
	if !ok {
		return configs.Driver{}, false
	}
	lines := make([]string, len(d.Lines))
	for i, kind := range d.Lines {
		lines[i] = string(kind)
	}
	return configs.Driver{
		Name: d.Name, Kinds: d.Kinds, Lines: lines, Bus: d.Bus, Settings: d.Settings, Claims: d.Claims, Poll: pollOf(d), Unit: d.Unit,
	}, true
}

func pollOf(d devices.Driver) func([]any) []configs.Frames {
	if d.Poll == nil {
		return nil
	}
	return func(settings []any) []configs.Frames {
		var frames []configs.Frames
		for _, f := range d.Poll(settings) {
			frames = append(frames, configs.Frames(f))
		}
		return frames
	}
}

// Names implements configs.Catalogue.
func (catalogue) Names() []string {
	var names []string
	for _, d := range Drivers() {
		names = append(names, d.Name)
	}
	return names
}
