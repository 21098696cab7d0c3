package main

import (
	"fmt"
	"log/slog"
	"net"
	"sort"
	"strings"

	"lectern/configs"
	"lectern/panel/pin"
)

// exposed refuses a room whose panel others can reach and whose PINs everybody knows, and warns of PINs
// that travel in clear. On loopback there is nobody else.
func exposed(cfg *configs.Room, at net.Addr, log *slog.Logger) error {
	if tcp, ok := at.(*net.TCPAddr); ok && tcp.IP.IsLoopback() {
		return nil
	}
	known, err := knownPINs(&cfg.Panel)
	if err != nil {
		return err
	}
	if len(known) > 0 {
		return fmt.Errorf("serving the panel on %s, where others can reach it: %s, which everybody knows; nothing was started. "+
			"Make PINs of your own with lectern pin and write them into the room file, or listen on 127.0.0.1", at, strings.Join(known, " and "))
	}
	if cfg.Panel.TLS == nil {
		log.Warn("the panel is served without TLS beyond this machine: PINs travel in clear; panel.tls: self in the room file changes that", "address", at.String())
	}
	return nil
}

// knownPINs says which PINs of a panel are those of the demo room, in whatever hash.
func knownPINs(p *configs.Panel) ([]string, error) {
	hashes := make(map[string]string)
	for area, hash := range p.PINs {
		hashes["panel.pins."+area] = hash
	}
	for _, one := range p.People {
		hashes["the PIN of "+one.Name] = one.PIN
	}
	var known []string
	for name, hash := range hashes {
		for area, digits := range configs.DemoPINs {
			same, err := pin.Verify(hash, digits)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if same {
				known = append(known, fmt.Sprintf("%s is the demo room's PIN for %s", name, area))
			}
		}
	}
	sort.Strings(known)
	return known, nil
}
