// Package all is the catalogue: every driver that Lectern has, one line each. Nothing registers
// itself; who wants a driver in the catalogue writes it here.
package all

import (
	"slices"
	"strings"

	"lectern/configs"
	"lectern/devices"
	"lectern/devices/benq"
	"lectern/devices/dooya"
	"lectern/devices/escvp21"
	"lectern/devices/hdmimatrix"
	"lectern/devices/hs08r"
	"lectern/devices/hyperdeck"
	"lectern/devices/kramer"
	"lectern/devices/modbus"
	"lectern/devices/oppo"
	"lectern/devices/pjlink"
	"lectern/devices/script"
	"lectern/devices/sis"
	"lectern/devices/sony9pin"
)

// Drivers lists every driver, sorted by name.
func Drivers() []devices.Driver {
	drivers := slices.Concat(
		modbus.Drivers(),
		sis.Drivers(),
		kramer.Drivers(),
		[]devices.Driver{
			benq.Driver(),
			dooya.Driver(),
			escvp21.Driver(),
			hdmimatrix.Driver(),
			hs08r.Driver(),
			hyperdeck.Driver(),
			oppo.Driver(),
			pjlink.Driver(),
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
		Name: d.Name, Kinds: d.Kinds, Lines: lines, Bus: d.Bus, Settings: d.Settings, Claims: d.Claims,
	}, true
}

// Names implements configs.Catalogue.
func (catalogue) Names() []string {
	var names []string
	for _, d := range Drivers() {
		names = append(names, d.Name)
	}
	return names
}
