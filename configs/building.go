package configs

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Building is a building file: what the page of a whole building needs to know that the rooms do not say
// themselves. It is read as strictly as a room file, with the same tags.
type Building struct {
	Building   AboutBuilding `yaml:"building" need:"*" doc:"what the building is called"`
	Facilities Watched       `yaml:"facilities" need:"*" doc:"the MQTT broker that the rooms are on"`
	Panel      BuildingPage  `yaml:"panel" need:"*" doc:"who may see the page, and under which names"`
	Floors     []Floor       `yaml:"floors" doc:"where the rooms are, in the order in which people should meet them; rooms of the broker that stand nowhere here come last"`
}

// AboutBuilding names the building.
type AboutBuilding struct {
	Name     Name   `yaml:"name" need:"*" doc:"as people say it"`
	Language string `yaml:"language" enum:"zh,en" default:"zh" doc:"what the page shows first"`
	Timezone string `yaml:"timezone" doc:"IANA name, such as Asia/Shanghai; left out, that of the machine"`
}

// Watched is the broker, as a room file names it.
type Watched struct {
	Broker   string `yaml:"broker" need:"*" doc:"tcp://host:1883 or ssl://host:8883"`
	User     string `yaml:"user" doc:"for the broker; it need only read"`
	Password string `yaml:"password" doc:"from ${ENV} or file:"`
	CA       string `yaml:"ca" doc:"path of the authority's certificate, for ssl"`
	Cert     string `yaml:"cert" doc:"path of a certificate of the page's own, where the broker asks for one"`
	Key      string `yaml:"key" doc:"path of the certificate's key"`
	Prefix   string `yaml:"prefix" doc:"what a bridge puts before homie/5, such as site-a/; left out: nothing"`
}

// BuildingPage is the page and who may see it.
type BuildingPage struct {
	PIN   string        `yaml:"pin" need:"*" doc:"what lectern pin printed, or ${ENV} or file: with it"`
	Open  time.Duration `yaml:"open" least:"1m" most:"168h" default:"12h" doc:"how long the page stays open after the PIN"`
	Hosts []string      `yaml:"hosts" doc:"names and addresses under which the page is reached, beside those the machine itself knows"`
	TLS   *TLS          `yaml:"tls" doc:"self, for a certificate that the program makes and keeps in the folder of its data; or cert and key; left out: no TLS"`
	Link  string        `yaml:"link" doc:"http or https address of each room's own pages, {room} standing for its id: https://{room}.rooms.example/staff; left out: no links"`
	Gone  time.Duration `yaml:"gone" least:"1h" most:"8760h" default:"168h" doc:"after how long away a room that stands on no floor counts as removed"`
}

// Floor is a part of the building.
type Floor struct {
	Name  Name         `yaml:"name" need:"*" doc:"as people say it"`
	Rooms []ListedRoom `yaml:"rooms" doc:"its rooms"`
	Pos   Pos          `yaml:"-"`
}

// ListedRoom is a room that the building has, whether it is on the broker or not.
type ListedRoom struct {
	ID   string `yaml:"id" need:"*" doc:"room.id of its room file"`
	Name Name   `yaml:"name" doc:"as people say it; left out, what the room calls itself"`
	Link string `yaml:"link" doc:"address of its own pages; left out, what panel.link makes of its id"`
	Pos  Pos    `yaml:"-"`
}

// IsBuilding reports whether a file looks like a building file: it has the key building where a room file
// has room. A file that cannot be read is none.
func IsBuilding(path string) bool {
	data, err := read(path, sizeMost)
	if err != nil {
		return false
	}
	var top map[string]yaml.Node
	_ = yaml.Unmarshal(data, &top) // what is wrong with it is said by who reads it
	_, is := top["building"]
	return is
}

// LoadBuilding reads a building file and checks all of it, as Load does a room file.
func LoadBuilding(path string, env func(string) (string, bool)) (*Building, error) {
	b, faults, _ := loadBuilding(path, env)
	if len(faults) > 0 {
		return nil, faults
	}
	return b, nil
}

// CheckBuilding returns the faults of a building file and, beside them, warnings.
func CheckBuilding(path string, env func(string) (string, bool)) (faults, warnings Faults) {
	_, faults, warnings = loadBuilding(path, env)
	return faults, warnings
}

func loadBuilding(path string, env func(string) (string, bool)) (b *Building, faults, warnings Faults) {
	data, err := read(path, sizeMost+1)
	if err != nil {
		return nil, Faults{{File: path, Line: 1, Column: 1, What: "the file cannot be read: " + err.Error(), Right: "give the path of a building file"}}, nil
	}
	return parseBuilding(path, data, env)
}

func parseBuilding(name string, data []byte, env func(string) (string, bool)) (b *Building, faults, warnings Faults) {
	d := newDocument(name, data, env)
	d.noun = "the building file"
	root := d.parse(data)
	if root == nil {
		return nil, d.faults.sorted(), nil
	}
	b = new(Building)
	d.spots[""] = spot{value: root}
	d.decode(root, reflect.ValueOf(b).Elem(), "")
	if !d.bad("") {
		c := &checker{document: d, room: new(Room)}
		c.building(b)
		d.fill(reflect.ValueOf(b).Elem(), "")
	}
	return b, d.faults.sorted(), d.warned.sorted()
}

// building checks what a building file must be beyond its form.
func (c *checker) building(b *Building) {
	c.tags(reflect.ValueOf(b).Elem(), "")
	c.names(reflect.ValueOf(b).Elem(), "")
	c.timezone(path("/building/timezone"), b.Building.Timezone)
	f, p := &b.Facilities, path("/facilities")
	scheme := c.broker(p, f.Broker, "write tcp://host:1883 or ssl://host:8883")
	c.certificates(p, trust{ca: &f.CA, cert: &f.Cert, key: &f.Key}, scheme != "tcp", "ssl", "write ssl://host:8883 for the broker")
	c.password(p, &f.Password)
	if here := p.key("prefix"); c.usable(here) && (strings.ContainsAny(f.Prefix, "+#\x00") || !strings.HasSuffix(f.Prefix, "/")) {
		c.fault(c.value(here), fmt.Sprintf("%s is %s", c.owned(here), shown(f.Prefix)), "it is the beginning of a topic, without + and #, and ends in a slash")
	}
	c.buildingPage(&b.Panel, path("/panel"))
	c.floors(b.Floors)
}

func (c *checker) buildingPage(page *BuildingPage, p path) {
	c.room.Panel.Hosts, c.room.Panel.TLS = page.Hosts, page.TLS
	c.hosts(p.key("hosts"))
	c.certificate(p.key("tls"))
	c.link(p.key("link"), page.Link)
	here := p.key("pin")
	if !c.usable(here) {
		return
	}
	hash, ok := c.secret(page.PIN, here)
	if !ok {
		return
	}
	page.PIN = hash
	c.hash(hash, here, c.owned(here))
	if strings.Contains(demo, hash) {
		c.warn(c.value(here), c.owned(here)+" is the PIN of the demo room, which everybody knows", "run lectern pin and write what it prints")
	}
}

var linkPattern = regexp.MustCompile(`^https?://[^\s/"'<>\\]+(/[^\s"'<>\\]*)?$`)

// link checks the address of a room's own pages.
func (c *checker) link(p path, link string) {
	if c.usable(p) && !linkPattern.MatchString(link) {
		c.fault(c.value(p), fmt.Sprintf("%s is %s", c.owned(p), shown(link)), "write an address that begins with https:// or http://, such as https://{room}.rooms.example/staff")
	}
}

// floors checks that every room stands on one floor, once.
func (c *checker) floors(floors []Floor) {
	first := make(map[string]path)
	for i, floor := range floors {
		for j, one := range floor.Rooms {
			p := path("/floors").at(i).key("rooms").at(j)
			c.id(one.ID, p)
			c.link(p.key("link"), one.Link)
			here := p.key("id")
			if !c.usable(here) {
				continue
			}
			if other, twice := first[one.ID]; twice {
				c.fault(c.value(here), fmt.Sprintf("the room %s stands twice, first in line %d", shown(one.ID), c.value(other).Line), "leave one out")
				continue
			}
			first[one.ID] = here
		}
	}
}

// Listed finds a room on the floors; nil where it stands on none.
func (b *Building) Listed(id string) *ListedRoom {
	for _, floor := range b.Floors {
		if i := slices.IndexFunc(floor.Rooms, func(r ListedRoom) bool { return r.ID == id }); i >= 0 {
			return &floor.Rooms[i]
		}
	}
	return nil
}

// LinkOf is the address of a room's own pages; "" where there is none.
func (b *Building) LinkOf(id string) string {
	if one := b.Listed(id); one != nil && one.Link != "" {
		return one.Link
	}
	return strings.ReplaceAll(b.Panel.Link, "{room}", id)
}
