package configs

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var colour = regexp.MustCompile(`^#[0-9A-Fa-f]{6}$`)

// panel checks what people meet.
func (c *checker) panel() {
	p := path("/panel")
	if c.bad(p) || !c.has(p) {
		return
	}
	c.pages(p.key("pages"))
	c.idle(p.key("idle"))
	c.pins(p.key("pins"))
	c.people(p.key("people"))
	c.tokens(p.key("tokens"))
	c.hosts(p.key("hosts"))
	c.certificate(p.key("tls"))
	if end := p.key("end"); c.usable(end) {
		c.refer(end, c.room.Panel.End, c.sceneIDs(), "scene")
	}
	theme := p.key("theme")
	if here := theme.key("accent"); c.usable(here) && !colour.MatchString(c.room.Panel.Theme.Accent) {
		c.fault(c.value(here), fmt.Sprintf("%s is %s, which is no colour", c.owned(here), shown(c.room.Panel.Theme.Accent)), `write it as "#0a5fa8", in quotes`)
	}
	c.room.Panel.Theme.Logo = c.file(theme.key("logo"), c.room.Panel.Theme.Logo, ".png", ".svg")
}

func (c *checker) pages(list path) {
	pages := append([]string{"home", "lights", "curtains", "projector", "sources", "sound", "system"}, c.of("player", "recorder", "camera")...)
	first := make(map[string]path)
	for i, page := range c.room.Panel.Pages {
		here := list.at(i)
		if c.bad(here) {
			continue
		}
		if !slices.Contains(pages, page) {
			c.fault(c.value(here), fmt.Sprintf("there is no page %s", shown(page)), instead(page, pages, "there is"))
		} else if other, twice := first[page]; twice {
			c.fault(c.value(here), fmt.Sprintf("the page %q stands twice, first in line %d", page, c.value(other).Line), "leave one out")
		} else {
			first[page] = here
		}
	}
}

// idle checks that the times go together: what locks first must not come last. Times that the file
// leaves out are the default ones.
func (c *checker) idle(p path) {
	idle := c.room.Panel.Idle
	if c.bad(p.key("sleep")) || c.bad(p.key("lock")) || c.bad(p.key("area")) {
		return
	}
	c.fill(reflect.ValueOf(&idle), p)
	if idle.Lock < idle.Sleep {
		c.fault(c.value(p.key("lock")), fmt.Sprintf("the panel would lock after %s, before it sleeps after %s", short(idle.Lock), short(idle.Sleep)), "let it sleep first")
	}
	if idle.Dark < idle.Sleep && !c.bad(p.key("dark")) {
		c.fault(c.value(p.key("dark")), fmt.Sprintf("the panel would go dark after %s, before it sleeps after %s", short(idle.Dark), short(idle.Sleep)), "let it sleep first")
	}
	if idle.Most < idle.Lock && c.usable(p.key("most")) {
		c.fault(c.value(p.key("most")), fmt.Sprintf("every PIN would be asked again after %s, before the panel locks after %s", short(idle.Most), short(idle.Lock)), "let it lock first")
	}
	if idle.Most < idle.Staff && c.usable(p.key("most")) && c.usable(p.key("staff")) {
		c.fault(c.value(p.key("most")), fmt.Sprintf("every PIN would be asked again after %s, before the staff pages close after %s", short(idle.Most), short(idle.Staff)), "let them close first")
	}
	if idle.Area > idle.Lock {
		c.fault(c.value(p.key("area")), fmt.Sprintf("the system page would stay open for %s, longer than the panel for %s", short(idle.Area), short(idle.Lock)), "let it close first")
	}
}

const pinRight = "run lectern pin and write what it prints, in quotes"

// allAreas lists the areas that a PIN can open.
func allAreas() []string { return []string{"main", "system", "staff"} }

// pins checks that every area in use has its PIN, and that no PIN stands in the file.
func (c *checker) pins(p path) {
	areas := allAreas()
	if c.bad(p) {
		return
	}
	for _, area := range areas {
		if !c.has(p.key(area)) && c.inUse(area) && !c.opened(area) {
			c.fault(c.value(p), fmt.Sprintf("panel.pins.%s is missing", area), pinRight)
		}
	}
	for area, written := range c.room.Panel.PINs {
		here := p.key(area)
		if c.bad(here) {
			continue
		}
		if !slices.Contains(areas, area) {
			c.fault(c.keyAt(here), fmt.Sprintf("there is no area %s to have a PIN", shown(area)), instead(area, areas, "there is"))
			continue
		}
		hash, ok := c.secret(written, here)
		if !ok {
			continue
		}
		c.room.Panel.PINs[area] = hash
		c.hash(hash, here, "panel.pins."+area)
	}
}

// hash checks what a PIN was turned into. What is wrong is not shown: it may be the PIN.
func (c *checker) hash(hash string, p path, name string) {
	why := hashed(hash)
	if why != "" && strings.Trim(hash, "0123456789") == "" {
		why = "is written in clear"
	}
	if why != "" {
		c.fault(c.value(p), name+" "+why, pinRight)
	}
}

// inUse reports whether anything is in an area. Main always is: it is where people come in.
func (c *checker) inUse(area string) bool {
	return area == "main" || area == "system" && slices.Contains(c.room.Panel.Pages, "system") ||
		slices.ContainsFunc(c.room.Devices, func(d Device) bool { return d.Area == area }) ||
		slices.ContainsFunc(c.room.Scenes, func(s Scene) bool { return s.Area == area })
}

func (c *checker) tokens(list path) {
	first := make(map[string]path)
	for i := range c.room.Panel.Tokens {
		t, p := &c.room.Panel.Tokens[i], list.at(i)
		if here := p.key("name"); c.usable(here) {
			if other, twice := first[t.Name]; twice {
				c.fault(c.value(here), fmt.Sprintf("the token name %s stands twice, first in line %d", shown(t.Name), c.value(other).Line), "give one of them another: the journal tells them apart by it")
			} else if strings.TrimSpace(t.Name) == "" {
				c.fault(c.value(here), c.owned(here)+" is empty", "name it after who has it: the journal shows the name")
			} else {
				first[t.Name] = here
			}
		}
		here := p.key("secret")
		if !c.usable(here) {
			continue
		}
		if !refers(t.Secret) {
			c.fault(c.value(here), c.owned(here)+" is written in clear", "take it from ${NAME} or file:PATH, so that who reads the room file cannot move the room")
			continue
		}
		secret, ok := c.secret(t.Secret, here)
		if !ok {
			continue
		}
		if n := utf8.RuneCountInString(secret); n < secretLeast {
			c.fault(c.value(here), fmt.Sprintf("%s has %d characters", c.owned(here), n), fmt.Sprintf("it has at least %d; openssl rand -base64 24 makes a good one", secretLeast))
		}
		t.Secret = secret
	}
}

// login checks a user of the embedded broker.
func (c *checker) login(u *User, p path) {
	here := p.key("password")
	if c.bad(p) || !c.usable(here) {
		return
	}
	if !refers(u.Password) {
		c.fault(c.value(here), c.owned(here)+" is written in clear", "take it from ${NAME} or file:PATH, so that the room file can be shown")
		return
	}
	if password, ok := c.secret(u.Password, here); ok {
		u.Password = password
	}
}

// file checks that the file named at p is there and has one of the endings, and returns its path from
// anywhere: names are relative to the room file.
func (c *checker) file(p path, name string, endings ...string) string {
	if !c.usable(p) {
		return name
	}
	if len(endings) > 0 && !slices.Contains(endings, strings.ToLower(filepath.Ext(name))) {
		c.fault(c.value(p), fmt.Sprintf("%s is %s", c.owned(p), shown(name)), "it is a file whose name ends in "+either(endings))
		return name
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(c.folder, name)
	}
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		c.fault(c.value(p), fmt.Sprintf("%s names the file %s, which is not there", c.owned(p), name), "write a path relative to the room file")
	}
	return name
}

// facilities checks the broker.
func (c *checker) facilities() {
	p, f := path("/facilities"), &c.room.Facilities
	scheme := ""
	if f.Broker != "embedded" && f.Broker != "" {
		scheme = c.broker(p, f.Broker, "write embedded, tcp://host:1883 or ssl://host:8883")
	}
	c.certificates(p, trust{ca: &f.CA, cert: &f.Cert, key: &f.Key}, scheme != "tcp", "ssl", "write ssl://host:8883 for the broker")
	for i := range f.Users {
		here := p.key("users").at(i)
		if f.Broker != "embedded" && !c.bad(here) {
			c.fault(c.value(here), "facilities.users are logins of the embedded broker", "write embedded for the broker, or make the users on the one you have")
			break
		}
		c.login(&f.Users[i], here)
	}
	c.password(p, &f.Password)
}

// password fetches the password of a login at a broker.
func (c *checker) password(owner path, password *string) {
	here := owner.key("password")
	if !c.usable(here) {
		return
	}
	if *password != "" && !refers(*password) {
		c.warn(c.value(here), c.owned(here)+" is written in clear", "take it from ${NAME} or file:PATH, so that the room file can be shown")
	}
	if fetched, ok := c.secret(*password, here); ok {
		*password = fetched
	}
}

// trust is what a broker behind TLS is trusted by, and what it knows the room by: paths.
type trust struct{ ca, cert, key *string }

// certificates checks the files of a broker, which are of no use without TLS; word is how the room file
// says that, and how what to do.
func (c *checker) certificates(owner path, files trust, tls bool, word, how string) {
	for _, file := range []struct {
		key  string
		name *string
	}{{"ca", files.ca}, {"cert", files.cert}, {"key", files.key}} {
		here := owner.key(file.key)
		if !c.usable(here) {
			continue
		}
		if !tls {
			c.fault(c.keyAt(here), fmt.Sprintf("%s is of no use without %s", c.owned(here), word), fmt.Sprintf("%s, or leave %s out", how, file.key))
		}
		*file.name = c.file(here, *file.name)
	}
	if c.has(owner.key("cert")) != c.has(owner.key("key")) {
		c.fault(c.value(owner), c.describe(owner)+" has one of cert and key", "a certificate goes with its key: give both or none")
	}
}

// broker checks the address of a broker and returns how it is spoken to: tcp or ssl; "" where that is
// not known.
func (c *checker) broker(owner path, broker, right string) (scheme string) {
	here := owner.key("broker")
	if !c.usable(here) {
		return ""
	}
	u, err := url.Parse(broker)
	if err != nil || u.Scheme != "tcp" && u.Scheme != "ssl" || address(u.Host) != "" || u.Path != "" || u.User != nil {
		c.fault(c.value(here), fmt.Sprintf("%s is %s", c.owned(here), shown(broker)), right)
		return ""
	}
	return u.Scheme
}
