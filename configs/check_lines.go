package configs

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// bauds are the speeds that the operating system has names for, and so the only ones that
// tarm/serial can set.
func bauds() []string {
	return strings.Split("50,75,110,134,150,200,300,600,1200,1800,2400,4800,9600,19200,38400,57600,115200,230400,460800,"+
		"500000,576000,921600,1000000,1152000,1500000,2000000,2500000,3000000,3500000,4000000", ",")
}

var (
	formatPattern = regexp.MustCompile(`^[78][NEO][12]$`)
	oddFormat     = regexp.MustCompile(`^[5-8]([NEOMS])(1|2|1\.5)$`)
)

// lines checks the lines for themselves; what hangs on them is the business of drivers.
func (c *checker) lines() {
	taken := make(map[string]path)
	for i, l := range c.room.Lines {
		p := path("/lines").at(i)
		if here := p.key("baud"); c.usable(here) {
			c.baud(l.Baud, here)
		}
		if here := p.key("format"); c.usable(here) {
			c.format(l.Format, here)
		}
		if here := p.key("address"); c.usable(here) && l.Kind != "serial" {
			if why := address(l.Address); why != "" {
				c.fault(c.value(here), fmt.Sprintf("%s is %s: %s", c.owned(here), shown(l.Address), why), "write host:port, such as 192.168.1.20:4352")
			} else {
				c.taken(taken, "address", l.Address, p)
			}
		}
		if l.Kind == "mqtt" {
			l := &c.room.Lines[i]
			c.certificates(p, trust{ca: &l.CA, cert: &l.Cert, key: &l.Key}, l.TLS, "tls", "write tls: true")
			c.password(p, &l.Password)
		}
		if here := p.key("port"); c.usable(here) && l.Kind == "serial" {
			if l.Port == "" {
				c.fault(c.value(here), c.owned(here)+" is empty", "write the path of the port, such as /dev/serial/by-id/usb-FTDI_RS485-if00-port0")
			} else {
				c.taken(taken, "port", filepath.Clean(l.Port), p)
			}
		}
	}
}

func (c *checker) baud(baud int, p path) {
	known := bauds()
	for _, b := range known {
		if strconv.Itoa(baud) == b {
			return
		}
	}
	right := "usual are 2400, 4800, 9600, 19200, 38400, 57600 and 115200"
	if near := nearest(strconv.Itoa(baud), known); len(near) > 3 {
		right = "did you mean " + near + "?"
	}
	c.fault(c.value(p), fmt.Sprintf("%s is %d, which no port can do", c.owned(p), baud), right)
}

func (c *checker) format(format string, p path) {
	if formatPattern.MatchString(format) {
		return
	}
	right := "write data bits (7, 8), parity (N, E, O) and stop bits (1, 2), such as 8N1"
	switch m := oddFormat.FindStringSubmatch(format); {
	case m != nil && (m[1] == "M" || m[1] == "S"):
		right = "parity mark and space are not supported; use N, E or O"
	case m != nil && m[2] == "1.5":
		right = "1.5 stop bits are not supported; use 1 or 2"
	}
	c.fault(c.value(p), fmt.Sprintf("%s is %s", c.owned(p), shown(format)), right)
}

// taken checks that no two lines lead to the same place.
func (c *checker) taken(by map[string]path, key, where string, p path) {
	if other, twice := by[where]; twice {
		c.fault(c.value(p.key(key)), fmt.Sprintf("%s has the same %s as %s in line %d", c.describe(p), key, c.describe(other), c.value(other.key(key)).Line),
			"put what hangs on both on one line")
		return
	}
	by[where] = p
}

// address says what is wrong with host:port; "" where nothing is.
func address(s string) string {
	host, port, err := net.SplitHostPort(s)
	n, bad := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil:
		return "it is not host:port"
	case host == "" || strings.ContainsAny(host, " /@"):
		return "the host is not one"
	case bad != nil || n == 0:
		return "the port is not 1 to 65535"
	}
	return ""
}
