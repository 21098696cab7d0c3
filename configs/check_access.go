package configs

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// peopleMost bounds who has a PIN for one area. Each PIN that is typed is held against all of them, so
// that how long it takes tells nothing; with sixteen that is half a second on a server.
const peopleMost = 16

// people checks the PINs of named people.
func (c *checker) people(list path) {
	first, count := make(map[string]path), make(map[string]int)
	for i := range c.room.Panel.People {
		one, p := &c.room.Panel.People[i], list.at(i)
		if c.bad(p) {
			continue
		}
		if here := p.key("name"); c.usable(here) {
			switch other, twice := first[one.Name]; {
			case twice:
				c.fault(c.value(here), fmt.Sprintf("the person %s stands twice, first in line %d", shown(one.Name), c.value(other).Line), "give one of them another name: the journal tells them apart by it")
			case strings.TrimSpace(one.Name) == "":
				c.fault(c.value(here), c.owned(here)+" is empty", "write who has the PIN: the journal shows the name")
			case slices.Contains(allAreas(), one.Name):
				c.fault(c.value(here), fmt.Sprintf("a person is called %s, as an area is", shown(one.Name)), "write who has the PIN: in the journal the area stands for the PIN that many share")
			default:
				first[one.Name] = here
			}
		}
		c.areas(one, p.key("areas"), count)
		if here := p.key("pin"); c.usable(here) {
			if hash, ok := c.secret(one.PIN, here); ok {
				one.PIN = hash
				c.hash(hash, here, c.owned(here))
			}
		}
	}
}

// areas checks what a person may open, and that not too many may open the same.
func (c *checker) areas(one *Person, list path, count map[string]int) {
	if c.bad(list) {
		return
	}
	if len(one.Areas) == 0 {
		one.Areas = []string{"main"}
	}
	for i, area := range one.Areas {
		here := list.at(i)
		if !slices.Contains(allAreas(), area) {
			c.fault(c.value(here), fmt.Sprintf("there is no area %s", shown(area)), instead(area, allAreas(), "there is"))
			continue
		}
		if count[area]++; count[area] == peopleMost+1 {
			c.fault(c.value(here), fmt.Sprintf("more than %d people have a PIN for %s", peopleMost, area), "give those who need not be told apart one PIN under panel.pins")
		}
	}
}

// opened reports whether somebody has a PIN of their own for an area.
func (c *checker) opened(area string) bool {
	return slices.ContainsFunc(c.room.Panel.People, func(p Person) bool {
		return slices.Contains(p.Areas, area) || len(p.Areas) == 0 && area == "main"
	})
}

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)

// hosts checks the names under which the panel is reached.
func (c *checker) hosts(list path) {
	for i, host := range c.room.Panel.Hosts {
		if here := list.at(i); !c.bad(here) && net.ParseIP(host) == nil && (len(host) > 253 || !hostPattern.MatchString(host)) {
			c.fault(c.value(here), fmt.Sprintf("%s is no host name", shown(host)), "write it as the browser's address has it, without http:// and without the port: hall.building.example")
		}
	}
}

// certificate checks that the panel's certificate and its key belong together.
func (c *checker) certificate(p path) {
	t := c.room.Panel.TLS
	if t == nil || t.Self || !c.usable(p) {
		return
	}
	cert, key := p.key("cert"), p.key("key")
	if !c.has(cert) || !c.has(key) {
		c.fault(c.value(p), c.describe(p)+" lacks one of cert and key", "a certificate goes with its key; or write self")
		return
	}
	before := len(c.faults)
	t.Cert, t.Key = c.file(cert, t.Cert), c.file(key, t.Key)
	if len(c.faults) > before || c.bad(cert) || c.bad(key) {
		return
	}
	if _, err := tls.LoadX509KeyPair(t.Cert, t.Key); err != nil {
		c.fault(c.value(p), fmt.Sprintf("the certificate of the panel cannot be used: %v", err), "give a certificate and its own key, both in PEM")
		c.spoil(p)
	}
}

// soon is when a certificate is worth a word before it ends.
const soon = 30 * 24 * time.Hour

// ending looks for a certificate that has ended or soon will.
func (c *checker) ending() {
	t := c.room.Panel.TLS
	if t == nil || t.Self {
		return
	}
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil || len(pair.Certificate) == 0 {
		return
	}
	if leaf, err := x509.ParseCertificate(pair.Certificate[0]); err == nil && time.Until(leaf.NotAfter) < soon {
		c.warn(c.value(path("/panel").key("tls")), "the certificate of the panel ends on "+leaf.NotAfter.Format(time.DateOnly), "put a new one in its place; a room that runs takes it by itself")
	}
}

// demoPINs looks for PINs that were copied with the demo room: everybody knows them.
func (c *checker) demoPINs() {
	if c.isExample() {
		return
	}
	told := func(hash, name string, p path) {
		if hash != "" && strings.Contains(demo, hash) {
			c.warn(c.value(p), name+" is the PIN of the demo room, which everybody knows", "run lectern pin and write what it prints")
		}
	}
	for _, area := range allAreas() {
		told(c.room.Panel.PINs[area], "panel.pins."+area, path("/panel").key("pins").key(area))
	}
	for i, one := range c.room.Panel.People {
		here := path("/panel").key("people").at(i).key("pin")
		told(one.PIN, c.owned(here), here)
	}
}

// isExample reports whether the file is one of the examples as they came.
func (c *checker) isExample() bool {
	b, err := Examples.ReadFile(filepath.Base(c.document.file))
	return err == nil && string(b) == string(c.text)
}
